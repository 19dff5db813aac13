"""What is asked of a translator, what is remembered, and how long it is waited for."""

import threading

import pytest

from i2t_ros.errors import TimeLimitError, TranslationError
from i2t_ros.pipeline.translation import HANGS, KEPT, MOST_HANGING, PAUSE, Translations, batches

LIMIT = 30


class Service:
    """Shouts: the translation of a text is the text in capitals."""

    def __init__(self, letters=1000, gate=None, error=None):
        self.letters = letters
        self.asked = []
        self.done = threading.Event()
        self._gate = gate
        self.error = error

    def translate(self, texts, target, source):
        self.asked.append((list(texts), target, source))
        if self._gate is not None:
            self._gate.wait(LIMIT)
        if self.error is not None:
            raise self.error
        self.done.set()
        return [f"{text.upper()} ({target})" for text in texts]


def make(service, **more):
    return Translations("standin", service.translate, service.letters, **more)


def test_all_texts_go_in_one_request_and_come_back_in_order():
    service = Service()
    found, error = make(service).translate(["exit", "push", "exit"], "es", "en")
    assert found == ["EXIT (es)", "PUSH (es)", "EXIT (es)"]
    assert error is None
    assert service.asked == [(["exit", "push"], "es", "en")]


def test_only_what_is_not_known_is_asked_for():
    service = Service()
    translations = make(service)
    translations.translate(["exit"], "es")
    translations.translate(["exit", "push"], "es")
    translations.translate(["exit"], "fr")
    assert service.asked == [(["exit"], "es", ""), (["push"], "es", ""), (["exit"], "fr", "")]


def test_another_language_of_the_texts_is_another_question():
    service = Service()
    translations = make(service)
    for source in ("", "en", "en", "de"):
        translations.translate(["gift"], "es", source)
    assert [source for _, _, source in service.asked] == ["", "en", "de"]


def test_what_has_no_letters_is_left_alone():
    service = Service()
    assert make(service).translate(["24", "->", "12:30"], "es") == (["", "", ""], None)
    assert service.asked == []


def test_a_translation_that_is_the_text_itself_is_none():
    class Echo(Service):
        def translate(self, texts, target, source):
            return [text.lower() for text in texts]

    assert make(Echo()).translate(["EXIT"], "en") == ([""], None)


@pytest.mark.parametrize("raised", [TranslationError("refused"), OSError("refused")])
def test_after_a_failure_it_is_left_alone_for_a_while(raised):
    now = [0.0]
    service = Service(error=raised)
    translations = make(service, clock=lambda: now[0])
    for now[0] in (0.0, 1.0, PAUSE - 1):
        found, error = translations.translate(["exit"], "es")
        assert found == [""]
        assert error.code == "translation_failed"
        assert "refused" in str(error)
    assert len(service.asked) == 1
    service.error = None
    now[0] = PAUSE
    assert translations.translate(["exit"], "es") == (["EXIT (es)"], None)


def test_a_slow_one_is_not_waited_for_and_its_answer_serves_the_next_picture():
    gate = threading.Event()
    service = Service(gate=gate)
    translations = make(service, time_limit=0.05)
    try:
        found, error = translations.translate(["exit"], "es")
        assert found == [""]
        assert isinstance(error, TimeLimitError)
        assert "no answer within 0.05 s" in str(error)
    finally:
        gate.set()
    assert service.done.wait(LIMIT)
    translations._asking.join(LIMIT)
    assert translations.translate(["exit"], "es") == (["EXIT (es)"], None)


def test_while_one_is_slow_no_second_request_is_begun():
    now = [0.0]
    gate = threading.Event()
    service = Service(gate=gate)
    translations = make(service, time_limit=0.05, clock=lambda: now[0])
    try:
        translations.translate(["exit"], "es")
        now[0] = PAUSE
        found, error = translations.translate(["push"], "es")
        assert (found, len(service.asked)) == ([""], 1)
        assert "still busy" in str(error)
    finally:
        gate.set()
    translations._asking.join(LIMIT)


def test_calls_that_hang_for_ever_are_given_up_but_not_without_end():
    now = [0.0]
    gate = threading.Event()
    hanging = Service(gate=gate)
    translations = make(hanging, time_limit=0.01, clock=lambda: now[0])
    try:
        for begun in range(1, MOST_HANGING + 3):
            assert isinstance(translations.translate([f"exit {begun}"], "es")[1], TimeLimitError)
            assert len(hanging.asked) == min(begun, MOST_HANGING + 1)
            now[0] += HANGS
        translations._service = Service().translate  # the network is back
        assert "still busy" in str(translations.translate(["push"], "es")[1])
    finally:
        gate.set()
    for thread in (*translations._hanging, translations._asking):
        thread.join(LIMIT)
    now[0] += PAUSE
    assert translations.translate(["push"], "es") == (["PUSH (es)"], None)


def test_an_answer_with_too_few_texts_is_refused():
    class Lossy(Service):
        def translate(self, texts, target, source):
            return ["one"]

    found, error = make(Lossy()).translate(["exit", "push"], "es")
    assert found == ["", ""]
    assert "sent 2 texts, got 1 back" in str(error)


def test_of_several_requests_those_that_were_answered_are_used():
    class Failing(Service):
        def translate(self, texts, target, source):
            if self.asked:
                raise TranslationError("enough")
            return super().translate(texts, target, source)

    found, error = make(Failing(letters=6)).translate(["exit", "push"], "es")
    assert found == ["EXIT (es)", ""]
    assert "enough" in str(error)


def test_what_is_remembered_is_bounded():
    service = Service(letters=10**6)
    translations = make(service)
    translations.translate([f"text {i}" for i in range(KEPT + 5)], "es")
    translations.translate(["text 4"], "es")  # one of the five that were forgotten
    translations.translate([f"text {KEPT}"], "es")
    assert [texts for texts, _, _ in service.asked[1:]] == [["text 4"]]


def test_batches_are_as_full_as_may_be():
    assert batches([], 10) == []
    assert batches(["abc", "def", "g"], 8) == [["abc", "def"], ["g"]]
    assert batches(["a" * 50, "b"], 10) == [["a" * 50], ["b"]]
    assert [len("\n".join(batch)) <= 9 for batch in batches(["abcd"] * 5, 10)] == [True] * 3
