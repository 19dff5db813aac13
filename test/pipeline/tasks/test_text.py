"""The task text around its engine: order, colours, thresholds, translation."""

import re
import sys

import numpy as np
import pytest
from making import open_task

from i2t_ros.errors import BackendMissingError, InferenceError, ModelMismatchError, TranslationError
from i2t_ros.installation import how_to_install
from i2t_ros.models.manifest import find_spec
from i2t_ros.pipeline.loading import Loaded
from i2t_ros.pipeline.tasks.text import TextOptions, TextReader
from i2t_ros.pipeline.translation import Translations
from i2t_ros.vision.decoders.texts import Unread, in_reading_order

OPTIONS = TextOptions()
WHITE = np.full((100, 200, 3), 255, np.uint8)


class Scripted:
    """An engine that reads what it is told to: (text, score, left, top)."""

    device, report, concurrency, batch = "cpu", "scripted", 1, 1

    def __init__(self, *lines, error=None):
        self._lines = lines
        self._error = error
        self.closed = False

    def infer(self, inputs):
        if self._error is not None:
            raise self._error
        corners = [
            [[x, y], [x + 60, y], [x + 60, y + 12], [x, y + 12]] for _, _, x, y in self._lines
        ]
        return [
            np.array(corners, np.float32).reshape(-1, 4, 2),
            np.array([text for text, *_ in self._lines], object),
            np.array([score for _, score, *_ in self._lines], np.float32),
        ]

    def close(self):
        self.closed = True


class Spanish:
    letters = 1000

    def __init__(self, error=None):
        self.asked = []
        self._error = error

    def translate(self, texts, target, source):
        self.asked.append((texts, target, source))
        if self._error is not None:
            raise self._error
        return [{"Exit": "Salida", "Push": "Empuje"}[text] for text in texts]


def reader(*lines, service=None, error=None):
    loaded = Loaded(find_spec("ppocr_v6"), Scripted(*lines, error=error), "rapidocr", "scripted")
    translations = (
        None if service is None else Translations("standin", service.translate, service.letters)
    )
    return TextReader(loaded, translations)


EXIT, PUSH = ("Exit", 0.9, 10, 10), ("Push", 0.8, 10, 60)


def test_lines_come_in_reading_order():
    found = reader(PUSH, ("right", 0.9, 110, 12), EXIT).run(WHITE, OPTIONS, "en").result
    assert [region.text for region in found] == ["Exit", "right", "Push"]


def test_each_line_has_its_colours():
    image = WHITE.copy()
    image[10:22, 10:70] = (0, 0, 200)  # blue, green, red
    image[14:18, 20:60] = (0, 255, 255)
    (region,) = reader(EXIT).run(image, OPTIONS, "en").result
    assert np.abs(np.subtract(region.background_color, (200, 0, 0))).max() < 8
    assert np.abs(np.subtract(region.text_color, (255, 255, 0))).max() < 8


def test_doubtful_lines_are_left_out():
    options = TextOptions(min_score=0.85)
    assert [r.text for r in reader(EXIT, PUSH).run(WHITE, options, "en").result] == ["Exit"]
    assert [r.text for r in reader(EXIT, PUSH).run(WHITE, OPTIONS, "en").result] == ["Exit", "Push"]


def test_by_default_only_what_is_mostly_right_is_told():
    found = reader(EXIT, ("位", 0.79, 110, 12)).run(WHITE, OPTIONS, "en").result
    assert [region.text for region in found] == ["Exit"]


@pytest.mark.parametrize(
    ("scripts", "named", "fetch"),
    [
        (["korean"], "1 line in what looks like Korean that ppocr_v6 does not read", ["korean"]),
        (["cyrillic"] * 2, "2 lines in what looks like Cyrillic that ppocr_v6", ["cyrillic"]),
        (["unknown"], "1 line in a script that ppocr_v6 does not read", ["korean", "cyrillic"]),
    ],
)
def test_writing_that_is_not_read_is_told_and_a_model_named(scripts, named, fetch):
    lines = [(Unread(script), 0.75, 10, 30 * i) for i, script in enumerate(scripts)]
    found, failure = reader(*lines, EXIT).run(WHITE, OPTIONS, "en")
    assert sorted(region.script for region in found) == sorted(["", *scripts])
    assert [region.text for region in found if region.script] == [""] * len(scripts)
    assert failure.code == "script_not_read"
    assert str(failure).startswith(named)
    for script in ("korean", "cyrillic"):
        assert (f"i2t models fetch ppocr_v5_{script}" in str(failure)) == (script in fetch)
        assert find_spec(f"ppocr_v5_{script}").task == "text"


def test_nothing_read_is_an_ordinary_answer():
    assert reader().run(WHITE, OPTIONS, "en") == ((), None)


def test_a_picture_too_small_for_a_letter_is_not_read():
    broken = reader(error=InferenceError("never called"))
    assert broken.run(WHITE[:7], OPTIONS, "en").result == ()


def test_a_failure_of_the_engine_is_the_tasks():
    with pytest.raises(InferenceError, match="broken"):
        reader(error=InferenceError("broken")).run(WHITE, OPTIONS, "en")


def test_close_closes_the_engine():
    made = reader()
    made.close()
    assert made._backend.closed


@pytest.mark.parametrize(
    ("horizontal", "flipped", "first"),
    [(True, False, (0, 0)), (True, True, (9, 3)), (False, False, (9, 0)), (False, True, (0, 3))],
)
def test_corners_begin_where_the_line_begins(horizontal, flipped, first):
    corners = np.float32([[0, 0], [9, 0], [9, 3], [0, 3]])
    found = in_reading_order(corners, horizontal=horizontal, flipped=flipped)
    assert tuple(found[0]) == first
    # Still clockwise: the same cycle.
    start = corners.tolist().index(list(first))
    assert found.tolist() == [corners.tolist()[(start + i) % 4] for i in range(4)]


# Translation


def test_texts_are_translated_into_the_language_of_the_sentence():
    service = Spanish()
    made = reader(EXIT, PUSH, service=service)
    outcome = made.run(WHITE, OPTIONS, "es")
    assert [region.translation for region in outcome.result] == ["Salida", "Empuje"]
    assert [region.text for region in outcome.result] == ["Exit", "Push"]
    assert outcome.failure is None
    assert service.asked == [(["Exit", "Push"], "es", "")]


def test_a_user_may_name_both_languages():
    service = Spanish()
    text = TextOptions(translate_to="es", translate_from="en")
    reader(EXIT, service=service).run(WHITE, text, "fr")
    assert service.asked == [(["Exit"], "es", "en")]


def test_a_failing_translator_leaves_the_texts_and_says_why():
    service = Spanish(error=TranslationError("no quota left"))
    outcome = reader(EXIT, service=service).run(WHITE, OPTIONS, "en")
    assert [(r.text, r.translation) for r in outcome.result] == [("Exit", "")]
    assert str(outcome.failure) == "no quota left"
    assert outcome.failure.code == "translation_failed"


def test_without_texts_nobody_is_asked():
    service = Spanish()
    assert reader(service=service).run(WHITE, OPTIONS, "en").failure is None
    assert service.asked == []


def test_without_a_translator_nothing_is_translated():
    (region,) = reader(EXIT).run(WHITE, OPTIONS, "es").result
    assert region.translation == ""


# What is missing


def test_without_rapidocr_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr("i2t_ros.optional.find_spec", lambda _: None)
    with pytest.raises(BackendMissingError, match=re.escape(how_to_install("text"))):
        open_task("text")


def test_a_rapidocr_that_cannot_be_imported_is_missing_too(monkeypatch):
    monkeypatch.setattr("i2t_ros.optional.find_spec", lambda _: object())
    monkeypatch.delitem(sys.modules, "i2t_ros.backends.rapidocr", raising=False)
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(BackendMissingError, match="rapidocr"):
        open_task("text")


def test_a_model_for_another_task_is_refused():
    with pytest.raises(ModelMismatchError, match="yunet is for the task faces, not for text"):
        open_task("text", "yunet")
