"""The client against servers, keys and networks that are odd on purpose."""

import json
import socket
import threading
from concurrent.futures import CancelledError

import hostile_vlm as server
import pytest

from i2t_ros.errors import InvalidRequestError, LanguageModelError, LanguageModelTimeError
from i2t_ros.vlm.model import LanguageModel
from i2t_ros.vlm.prompt import Prompt
from i2t_ros.vlm.settings import KEY, LanguageModelSettings
from i2t_ros.vlm.stop import Stop

pytest.importorskip("openai")

PROMPT = Prompt("Be brief.", "What is there?", b"\xff\xd8 a picture")
LIMIT = 30
KEY_LIKE = "sk-Secret\\1"


def model_at(url, key="", **settings):
    settings = LanguageModelSettings(url=url, **{"model": "tiny", **settings})
    return LanguageModel(settings, {KEY: key})


def failure(play, key=KEY_LIKE, models=None, **settings):
    """Return the error of an answer."""
    with server.serving(play, models) as there, pytest.raises(LanguageModelError) as caught:
        model_at(there.url, key, **settings).complete(PROMPT)
    return caught.value


def with_head(lines):
    """Answer with these headers and no body."""
    head = "".join(f"{line}\r\n" for line in lines)
    return lambda reply: reply.raw(f"HTTP/1.1 200 OK\r\n{head}Content-Length: 0\r\n\r\n".encode())


def refusal(error):
    return lambda reply: reply.whole(400, "application/json", json.dumps({"error": error}))


@pytest.fixture
def no_name_server(monkeypatch):
    """Have no host's name found before the test is over; return whether one was looked for."""
    asked, over, ended = threading.Event(), threading.Event(), threading.Event()

    def look(*_, **__):
        asked.set()
        over.wait(LIMIT)
        ended.set()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", look)
    yield asked, ended
    over.set()
    if asked.is_set():
        assert ended.wait(LIMIT)


def test_a_name_server_that_hangs_is_not_waited_for(no_name_server):
    with pytest.raises(LanguageModelTimeError):
        model_at("http://robot.example", timeout=3.0).complete(PROMPT)
    asked, ended = no_name_server
    assert asked.is_set()
    assert not ended.is_set()


def test_what_waits_for_a_name_server_can_be_stopped(no_name_server):
    asked, ended = no_name_server
    stop = Stop()
    stopper = threading.Thread(target=lambda: (asked.wait(LIMIT), stop.set()))
    stopper.start()
    with pytest.raises(CancelledError):
        model_at("http://robot.example").complete(PROMPT, stop=stop)
    stopper.join(LIMIT)
    assert not ended.is_set()


@pytest.mark.parametrize(
    "play",
    [server.lines({"choices": None}, "[DONE]"), server.lines("null"), server.endless()],
    ids=["no choices", "null", "endless"],
)
def test_an_answer_that_is_given_up_leaves_no_complaint(play, capfd, caplog):
    for _ in range(5):  # as often as not
        failure(play, max_tokens=1)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


@pytest.mark.parametrize(
    "play",
    [
        with_head([f"Content-Type: {KEY_LIKE}"]),
        with_head(["Content-Type: " + "x" * 30 + KEY_LIKE * 20]),
        with_head(["Content-Type: \x1b[2J\x1b]0;title\x07"]),
        with_head(["Content-Type: text/event-stream", f"Content-Encoding: \x1b[2J{KEY_LIKE}"]),
        refusal({"message": {"key": KEY_LIKE}}),
        refusal({"message": f"bad key {KEY_LIKE}\x1b[2J\u202e"}),
    ],
    ids=["type", "long type", "escape", "encoding", "key in an object", "key in text"],
)
def test_no_error_has_the_key_or_writes_to_the_terminal(play):
    message = str(failure(play))
    assert message.isprintable()
    assert "sk-" not in message
    assert len(message) < 500


@pytest.mark.parametrize("key", ["sk-a\nb", "sk-\N{LATIN SMALL LETTER E WITH ACUTE}", "sk-\udce9"])
def test_a_key_that_no_request_can_have_is_not_shown(key):
    with pytest.raises(InvalidRequestError, match=KEY) as caught:
        model_at("http://127.0.0.1:1", key)
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize("param", [["max_tokens"], {"max_tokens": 1}, 5])
def test_a_refusal_is_one_whatever_it_names(param):
    assert failure(refusal({"message": "no", "param": param})).code == "vlm_refused"


def listing(*names):
    data = [{"id": name} for name in names]
    return lambda reply: reply.whole(200, "application/json", json.dumps({"data": data}))


ODD_NAMES = [None, 5, "", ["a"], "a" * 900_000, "\x1b[2J", "a\nb", "a\u202eb", "a\ud800"]


def test_odd_names_of_models_are_left_out():
    play = server.good(["Yes."])
    with server.serving(play, listing(*ODD_NAMES, "tiny vlm:3b")) as there:
        model = model_at(there.url, model="")
        assert model.models() == ["tiny vlm:3b"]
        model.complete(PROMPT)
        assert there.next_asked().body["model"] == "tiny vlm:3b"


def test_a_server_with_odd_names_alone_lists_none():
    error = failure(server.good(["Yes."]), models=listing(*ODD_NAMES), model="")
    assert error.code == "vlm_refused"
    assert "set caption_model" in str(error)
    assert str(error).isprintable()


def test_a_model_that_the_server_no_longer_has_is_looked_for_anew():
    with server.serving(server.good(["Yes."]), server.model_list("old")) as there:
        model = model_at(there.url, model="")
        model.complete(PROMPT)
        there.models, there.play = server.model_list("new"), server.status(404, "no model old")
        with pytest.raises(LanguageModelError):
            model.complete(PROMPT)
        there.play = server.good(["Yes."])
        model.complete(PROMPT)
        asked = [there.next_asked().body["model"] for _ in range(3)]
    assert asked == ["old", "old", "new"]
