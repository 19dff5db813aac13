"""The client against a server that answers as told: each way to fail has its own error."""

import json
import threading
import tracemalloc
from concurrent.futures import CancelledError, ThreadPoolExecutor
from email.utils import formatdate

import hostile_vlm as server
import pytest

from i2t_ros.errors import LanguageModelError, LanguageModelOffError
from i2t_ros.vlm.model import LanguageModel
from i2t_ros.vlm.prompt import Prompt
from i2t_ros.vlm.settings import KEY, LanguageModelSettings
from i2t_ros.vlm.stop import Stop

pytest.importorskip("openai")

PROMPT = Prompt("Be brief.", "What is there?", b"\xff\xd8 a picture")
LIMIT = 30


def model_at(url, environment=None, clock=None, **settings):
    more = {} if clock is None else {"clock": clock}
    settings = LanguageModelSettings(url=url, **{"model": "tiny", **settings})
    return LanguageModel(settings, environment or {}, **more)


def complete(play, told=None, **settings):
    with server.serving(play) as there:
        return model_at(there.url, **settings).complete(PROMPT, told)


def failure(play, environment=None, **settings):
    """Return the error of an answer."""
    with server.serving(play) as there, pytest.raises(LanguageModelError) as caught:
        model_at(there.url, environment, **settings).complete(PROMPT)
    return caught.value


def test_an_answer_is_what_was_written_in_one_line():
    completion = complete(server.good([" A", " cat\n", "and\u202e a  dog", "."]))
    assert completion.text == "A cat and a dog."
    assert not completion.cut
    assert 0 < completion.elapsed < LIMIT


def test_the_server_gets_rules_question_and_picture():
    with server.serving(server.good(["Yes."])) as there:
        model_at(there.url, max_tokens=7).complete(PROMPT)
        asked = there.next_asked()
    assert asked.path == "/v1/chat/completions"
    assert asked.text == "Be brief.\nWhat is there?"
    assert asked.pictures == ["data:image/jpeg;base64,/9ggYSBwaWN0dXJl"]
    assert asked.body["model"] == "tiny"
    assert asked.body["max_tokens"] == 7
    assert asked.body["stream"] is True


def test_what_was_written_so_far_is_told():
    gate, heard = threading.Event(), []

    def told(text):
        heard.append(text)
        gate.set()

    assert complete(server.good(["Two", " dogs."], gate=gate), told).text == "Two dogs."
    assert heard[0] == "Two"


@pytest.mark.parametrize(
    "play",
    [
        server.good(["<think>", "Is it? ", "</think>", "Yes."]),
        server.good(["Yes."], reasoning=["Is it?"]),
        server.good(["Yes."], pings=True),
        server.good(["Yes."], usage=True),
    ],
    ids=["thoughts in the text", "thoughts beside it", "pings", "usage"],
)
def test_what_is_no_part_of_the_answer_is_left_out(play):
    assert complete(play).text == "Yes."


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["A cat sleeps. It is on a"], "A cat sleeps."),
        (["A cat that sl"], "A cat that sl…"),
        (["猫が寝ている。犬は"], "猫が寝ている。"),
        (["He said “Stop.” Then he"], "He said “Stop.”"),
        (["It is 3.5 meters a"], "It is 3.5 meters a…"),
    ],
)
def test_an_answer_that_was_cut_at_its_limit_ends_with_a_whole_sentence(words, text):
    completion = complete(server.good(words, finish="length"))
    assert completion.text == text
    assert completion.cut


@pytest.mark.parametrize(
    ("play", "code", "said"),
    [
        (server.cut(["A cat"]), "vlm_cut_off", ""),
        (server.cut(["A cat"], reset=True), "vlm_cut_off", ""),
        (server.unfinished(["A cat"]), "vlm_cut_off", "5 letters"),
        (server.status(401, "no such key"), "vlm_unauthorized", KEY),
        (server.status(403, "not you"), "vlm_unauthorized", "not you"),
        (server.status(404, "no model tiny"), "vlm_refused", "no model tiny"),
        (server.status(400, "takes no pictures"), "vlm_refused", "takes no pictures"),
        (server.status(413, "too large"), "vlm_refused", "too large"),
        (server.status(429, "slow down", Retry_After="3"), "vlm_busy", "slow down"),
        (server.status(500, "boom"), "vlm_server_error", "boom"),
        (server.status(503, "loading model"), "vlm_server_error", "loading model"),
        (server.html(), "vlm_not_an_api", "text/html"),
        (server.html(502), "vlm_server_error", "502"),
        (server.redirect("http://127.0.0.1:1/elsewhere"), "vlm_not_an_api", "307"),
        (server.in_one_piece(["Yes."]), "vlm_not_an_api", "application/json"),
        (server.wrong_json(), "vlm_bad_answer", "JSON"),
        (server.lines({"choices": 7}), "vlm_bad_answer", ""),
        (server.lines(["A"]), "vlm_bad_answer", ""),
        (server.lines("7"), "vlm_bad_answer", ""),
        (server.lines("null"), "vlm_bad_answer", ""),
        (server.lines({"choices": [{"delta": {"content": 7}}]}), "vlm_bad_answer", "int"),
        (server.lines({"choices": [None]}), "vlm_bad_answer", ""),
        (server.error_inside("out of memory"), "vlm_server_error", "out of memory"),
        (server.empty(), "vlm_empty", "no words"),
        (server.good([" \n\u200b "]), "vlm_empty", "no words"),
        (server.good(["<think>Hm.</think>"]), "vlm_empty", "no words"),
        (server.endless(), "vlm_endless", "caption_max_tokens"),
        (server.endless_line(), "vlm_too_large", "bytes"),
        (server.huge(), "vlm_too_large", "bytes"),
        (server.gzip_bomb(), "vlm_not_an_api", "gzip"),
    ],
)
def test_each_way_to_fail_has_its_error(play, code, said):
    error = failure(play, max_tokens=20)
    assert error.code == code
    assert said in str(error)
    assert "tiny at 127.0.0.1" in str(error)
    assert len(str(error)) < 600


@pytest.mark.parametrize("head_first", [False, True])
def test_a_server_that_says_nothing_is_given_up(head_first):
    error = failure(server.slow(threading.Event(), head_first=head_first), timeout=0.3)
    assert error.code == "vlm_time_limit"
    assert "0.3 s" in str(error)


def test_headers_without_end_are_given_up():
    assert failure(server.endless_headers(), timeout=5.0).code in ("vlm_cut_off", "vlm_time_limit")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no-such-host.invalid"])
def test_where_nobody_listens_the_error_says_so(url):
    with pytest.raises(LanguageModelError) as caught:
        model_at(url).complete(PROMPT)
    assert caught.value.code == "vlm_unreachable"
    assert "caption_url" in str(caught.value)


@pytest.mark.parametrize("play", [server.endless(), server.endless_line()])
def test_no_answer_fills_the_memory(play):
    failure(server.unfinished(["Warm."]))
    tracemalloc.start()
    try:
        failure(play, max_tokens=20)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_stop_reaches_the_server():
    stop = Stop()
    with server.serving(server.good(["A", " cat."], gate=threading.Event())) as there:
        model = model_at(there.url)
        with pytest.raises(CancelledError):
            model.complete(PROMPT, lambda text: stop.set(), stop)
        assert there.next_asked().closed.wait(LIMIT)


@pytest.mark.parametrize("by", ["stop", "close"])
def test_stop_reaches_a_server_that_has_not_begun(by):
    stop = Stop()
    with (
        server.serving(server.slow(threading.Event(), head_first=False)) as there,
        ThreadPoolExecutor(1) as threads,
    ):
        model = model_at(there.url)
        answer = threads.submit(model.complete, PROMPT, None, stop)
        asked = there.next_asked()
        (stop.set if by == "stop" else model.close)()
        with pytest.raises(CancelledError):
            answer.result(LIMIT)
        assert asked.closed.wait(LIMIT)


def test_what_is_stopped_before_it_begins_asks_nothing():
    stop = Stop()
    stop.set()
    with server.serving(server.good(["Yes."])) as there, pytest.raises(CancelledError):
        model_at(there.url).complete(PROMPT, None, stop)
    assert there.asked == []


def test_several_answers_come_side_by_side():
    gate = threading.Event()
    with (
        server.serving(server.good(["A", " cat."], gate=gate)) as there,
        ThreadPoolExecutor(8) as threads,
    ):
        model = model_at(there.url)
        answers = [threads.submit(model.complete, PROMPT) for _ in range(8)]
        for _ in answers:
            there.next_asked()
        gate.set()
        assert {answer.result(LIMIT).text for answer in answers} == {"A cat."}


@pytest.mark.parametrize(
    ("wanted", "pause"),
    [("3", 3), ("0", 1), ("-5", 1), ("86400", 300), ("nan", 5), ("soon", 5), ("", 5)],
)
def test_a_busy_server_is_left_alone_for_as_long_as_it_wants(wanted, pause):
    now = [0.0]
    with server.serving(server.status(429, Retry_After=wanted)) as there:
        model = model_at(there.url, clock=lambda: now[0])
        for now[0], asked in ((0, 1), (pause - 0.1, 1), (pause + 0.1, 2)):
            with pytest.raises(LanguageModelError) as caught:
                model.complete(PROMPT)
            assert caught.value.code == "vlm_busy"
            assert len(there.asked) == asked


def test_retry_after_may_be_a_date():
    now = [0.0]
    with server.serving(server.status(429, Retry_After=formatdate(usegmt=True))) as there:
        model = model_at(there.url, clock=lambda: now[0])
        for now[0] in (0, 0.5, 1.5):
            with pytest.raises(LanguageModelError):
                model.complete(PROMPT)
        assert len(there.asked) == 2


@pytest.mark.parametrize("refused", ["max_tokens", "temperature"])
def test_a_model_that_wants_other_parameters_gets_them(refused):
    with server.serving(None) as there:

        def play(reply):
            if refused in reply.asked.body:
                error = {"error": {"message": "unsupported", "param": refused}}
                reply.whole(400, "application/json", json.dumps(error))
            else:
                server.good(["Yes."])(reply)

        there.play = play
        assert model_at(there.url, max_tokens=9).complete(PROMPT).text == "Yes."
        body = there.asked[-1].body
    assert body.get("max_completion_tokens", body.get("max_tokens")) == 9


def test_a_refusal_of_anything_else_is_no_reason_to_ask_again():
    play = server.status(400, "no")
    with server.serving(play) as there, pytest.raises(LanguageModelError):
        model_at(there.url).complete(PROMPT)
    assert len(there.asked) == 1


def test_without_a_name_the_first_model_is_taken():
    with server.serving(server.good(["Yes."]), server.model_list("first", "second")) as there:
        model = model_at(there.url, model="")
        assert model.name.startswith("language model at 127.0.0.1:")
        assert model.models() == ["first", "second"]
        model.complete(PROMPT)
        assert there.next_asked().body["model"] == "first"
        assert model.name.startswith("first at 127.0.0.1:")


def test_a_server_without_models_says_what_to_set():
    with (
        server.serving(server.good(["Yes."]), server.model_list()) as there,
        pytest.raises(LanguageModelError, match="caption_model") as caught,
    ):
        model_at(there.url, model="").complete(PROMPT)
    assert caught.value.code == "vlm_refused"


def test_the_key_comes_from_the_environment_and_no_message_has_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "for-another-host")
    key = "sk-very-secret"
    with server.serving(server.status(401, f"wrong key {key}")) as there:
        with pytest.raises(LanguageModelError) as caught:
            model_at(there.url, {KEY: key}).complete(PROMPT)
        assert there.next_asked().headers["Authorization"] == f"Bearer {key}"
        assert key not in str(caught.value)
        assert caught.value.__cause__ is None
        there.play = server.good(["Yes."])
        model_at(there.url).complete(PROMPT)
        assert "another" not in str(there.next_asked().headers)


def test_no_redirect_gets_the_picture_or_the_key():
    with server.serving(server.good(["Stolen."])) as thief:
        elsewhere = server.redirect(f"{thief.url}/chat/completions")
        with server.serving(elsewhere) as there, pytest.raises(LanguageModelError):
            model_at(there.url, {KEY: "secret"}).complete(PROMPT)
        assert thief.asked == []


def test_without_a_url_it_says_what_to_set():
    with pytest.raises(LanguageModelOffError, match="caption_url") as caught:
        model_at("")
    assert caught.value.code == "vlm_off"
