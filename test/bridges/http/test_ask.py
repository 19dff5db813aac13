"""/v1/ask: every way to ask, both forms of the answer, and what ends it."""

import asyncio

import pytest

pytest.importorskip("fastapi")
from asking import EVENTS, QUESTION, RAW, asking, events_of, say
from frame_sinks import Sink
from local_handlers import FakeHandler, Pondering, Recording
from web_support import PICTURE, RectangleDescriber, picture

from i2t_ros import errors
from i2t_ros.bridges.http.routes import ask as route
from i2t_ros.bridges.http.settings import FetchSettings
from i2t_ros.types import Answer, CountCheck

SENTENCE = "I can see a dog and a person."
COUNT = {"result": "ok"}


# --- ways to ask


@pytest.mark.parametrize(
    "sent",
    [
        {"content": PICTURE, "headers": RAW, "params": {"question": QUESTION}},
        {"files": {"image": PICTURE}, "data": {"question": QUESTION}},
        {"files": {"image": PICTURE}, "params": {"question": QUESTION}},
        {"files": {"image": PICTURE}, "data": {"question": QUESTION, "camera": ""}},
    ],
    ids=["body", "form", "form and query", "empty camera"],
)
@pytest.mark.parametrize("path", ["/v1/ask", "/v1/describe"])
def test_a_question_about_a_picture(web, path, sent):
    bridge = web()
    with bridge.client() as client:
        reply = client.post(path, **sent)
    assert reply.status_code == 200, reply.text
    data = reply.json()
    answer = data["answer"]
    assert (answer["text"], answer["model"], answer["elapsed_ms"]) == (SENTENCE, "fake-vlm", 500)
    assert (answer["agreement"], answer["counts"]) == ("unchecked", [])
    assert (data["sentence"], data["tasks"], data["annotated"]) == (SENTENCE, ["detect"], None)
    assert len(data["hash"]) == 64
    assert data["timings_ms"]["total"] >= data["timings_ms"]["receive"]
    assert [request.question for request in bridge.describer.asked] == [QUESTION]
    assert bridge.metric("i2t_answers_total", **COUNT) == 1
    assert bridge.metric("i2t_descriptions_total", **COUNT) == 0


def test_a_description_without_a_question_has_no_answer(client):
    data = client.post("/v1/describe", content=PICTURE, headers=RAW).json()
    assert data["answer"] is None


def test_all_options_and_the_counts(web):
    checks = (CountCheck("dog", "perro", 2, 1), CountCheck("person", "persona", 1, 1))
    bridge = web(answer=lambda reply: Answer("Dos.", "vlm", 0.1234567, "disagrees", checks))
    form = {"question": "¿Cuántos\n\tperros hay?", "language": "es", "annotate": "1"}
    with bridge.client() as client:
        data = client.post("/v1/ask", files={"image": PICTURE}, data=form).json()
        assert client.get(data["annotated"]).headers["content-type"] == "image/png"
    assert data["answer"] == {
        "text": "Dos.",
        "model": "vlm",
        "elapsed_ms": 123.457,
        "agreement": "disagrees",
        "counts": [
            {"class_id": "dog", "label": "perro", "answered": 2, "detected": 1},
            {"class_id": "person", "label": "persona", "answered": 1, "detected": 1},
        ],
    }
    assert data["language"] == "es"
    (asked,) = bridge.describer.asked
    assert asked.question == "¿Cuántos  perros hay?"  # one line: a model needs no more


def test_a_picture_with_the_answer_in_a_header(client):
    form = {"question": QUESTION}
    headers = {"accept": "image/*"}
    reply = client.post("/v1/describe", files={"image": PICTURE}, data=form, headers=headers)
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["x-i2t-answer"] == "I%20can%20see%20a%20dog%20and%20a%20person."
    assert "x-i2t-sentence" not in reply.headers


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"camera": "esp", "question": QUESTION}},
        {"data": {"camera": "esp", "question": QUESTION}},
        {"files": {"camera": (None, "esp"), "question": (None, QUESTION)}},
        {"params": {"camera": "esp", "question": QUESTION}},
        {"json": {"question": QUESTION}},
        {"params": {"question": QUESTION}},
    ],
)
def test_a_websocket_cameras_newest_frame(web, sent):
    bridge = web()
    bridge.on_loop(bridge.hub.add, "esp", "websocket")
    bridge.on_loop(bridge.hub.publish, "esp", raw=picture([("kite", (10, 10, 60, 60))]))
    with bridge.client() as client:
        data = client.post("/v1/ask", **sent).json()
    assert data["answer"]["text"] == "I can see a kite."
    assert data["hash"] is None
    (asked,) = bridge.describer.asked
    assert asked.fresh
    assert asked.question == QUESTION


def test_a_camera_over_ros_is_the_handlers(web):
    handler = Recording()
    bridge = web(handler=handler)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    with bridge.client() as client:
        client.post("/v1/ask", json={"camera": "front", "question": QUESTION})
        client.get("/v1/describe", params={"camera": "front", "question": QUESTION})
    assert [(each.camera, each.picture) for each in handler.requests] == [("front", None)] * 2


def test_a_question_about_a_url(web):
    with web(fetch=FetchSettings()).client() as client:
        reply = client.post("/v1/ask", json={"url": "http://127.0.0.1/", "question": QUESTION})
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "fetch_refused")


# --- what is no question


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"content": PICTURE, "headers": RAW}, 422, "invalid_request"),
        ({"files": {"image": PICTURE}, "data": {"question": "  "}}, 422, "invalid_request"),
        ({"files": {"image": PICTURE}, "params": {"question": " \t "}}, 422, "invalid_request"),
        ({"json": {"camera": "x", "question": "\n"}}, 422, "invalid_request"),
        ({"json": {"camera": "x", "question": 5}}, 422, "invalid_request"),
        ({"files": {"image": PICTURE}, "data": {"question": "x" * 2001}}, 422, "invalid_request"),
        ({"files": {"image": PICTURE}, "data": {"question": "a\x1bb"}}, 422, "invalid_request"),
        ({"json": {"question": QUESTION}}, 422, "empty_image"),  # no camera: the handler's refusal
        ({"json": {"question": QUESTION, "camera": "a/b"}}, 422, "invalid_request"),
        (
            {"files": {"image": PICTURE}, "data": {"question": QUESTION, "camera": "x"}},
            *(422, "invalid_request"),
        ),
        (
            {"files": {"image": PICTURE}, "data": {"question": QUESTION, "language": "tlh"}},
            *(422, "unknown_language"),
        ),
        ({"files": {"image": b"text"}, "data": {"question": QUESTION}}, *(422, "not_an_image")),
        ({"files": {"image": ("x", b"")}, "data": {"question": QUESTION}}, *(422, "empty_image")),
        ({"content": b"", "headers": RAW, "params": {"question": QUESTION}}, *(422, "empty_image")),
        ({"json": {"question": QUESTION, "how": 1}}, 422, "invalid_request"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "bad_request"),
        ({"content": b"x", "headers": {"content-type": "text/html"}}, 415, None),
    ],
)
@pytest.mark.parametrize("headers", [{}, EVENTS], ids=["json", "events"])
def test_what_cannot_be_asked(plain_web, sent, status, code, headers):
    sent = {**sent, "headers": {**sent.get("headers", {}), **headers}}
    with plain_web.client() as client:
        reply = client.post("/v1/ask", **sent)
    assert reply.status_code == status, reply.text
    assert code in (reply.json()["error"]["code"], None)


def test_the_longest_question(web):
    bridge = web()
    longest = "\N{WATERMELON}" * 2000
    with bridge.client() as client:
        form = {"question": longest}
        assert client.post("/v1/ask", files={"image": PICTURE}, data=form).status_code == 200
    assert bridge.describer.asked[0].question == longest


LANGUAGE_MODEL = [
    kind for kind in errors.LanguageModelError.__subclasses__() if kind.code.startswith("vlm_")
]


@pytest.mark.parametrize("kind", LANGUAGE_MODEL, ids=lambda kind: kind.code)
@pytest.mark.parametrize("headers", [{}, EVENTS], ids=["json", "events"])
def test_what_fails_before_the_first_word_has_its_status(web, kind, headers):
    handler = Pondering(kind("a message for people"))
    bridge = web(handler=handler)
    say(bridge, handler, None)
    sent = {"files": {"image": PICTURE}, "data": {"question": QUESTION}, "headers": headers}
    with bridge.client() as client:
        reply = client.post("/v1/ask", **sent)
    assert reply.status_code in (501, 502, 503, 504)
    assert reply.json() == {"error": {"code": kind.code, "message": "a message for people"}}
    assert ("retry-after" in reply.headers) == (kind.code == "vlm_busy")
    assert bridge.metric("i2t_answers_total", result=kind.code) == 1


# --- events


def test_the_answer_comes_as_it_is_written(web):
    handler = Pondering()
    bridge = web(handler=handler)
    with bridge.client() as client:
        say(bridge, handler, "The")
        with asking(client) as reply:
            assert reply.headers["content-type"].startswith("text/event-stream")
            assert reply.headers["x-accel-buffering"] == "no"
            assert reply.headers["cache-control"] == "no-store"
            found = events_of(reply)
            assert next(found) == ("text", {"text": "The"})
            say(bridge, handler, "The door")
            assert next(found) == ("text", {"text": "The door"})
            say(bridge, handler, None)
            *texts, (name, data) = found
        assert {name for name, _ in texts} <= {"text"}
        assert name == "answer"
        assert data["answer"]["text"] == FakeHandler.ANSWER
        assert data["sentence"] == FakeHandler.SENTENCE
        assert data["timings_ms"]["total"] > 0
        assert client.post("/v1/describe", content=PICTURE).status_code == 200


def test_words_that_nobody_has_taken_give_way_to_newer_ones():
    async def answer(told):
        for number in range(1000):
            told("x" * number)
        await asyncio.sleep(0)
        return {"done": True}

    async def collect():
        return [part async for part in route._events(answer)]

    text, last = asyncio.run(collect())
    assert text == f'event: text\ndata: {{"text": "{"x" * 999}"}}\n\n'.encode()
    assert last == b'event: answer\ndata: {"done": true}\n\n'


def test_an_error_in_the_middle_is_the_last_event(web):
    handler = Pondering(errors.LanguageModelCutError("the connection ended"))
    bridge = web(handler=handler)
    say(bridge, handler, "The", None)
    with bridge.client() as client, asking(client) as reply:
        *texts, (name, data) = events_of(reply)
    assert [each for each, _ in texts] == ["text"]
    assert name == "error"
    assert data == {"error": {"code": "vlm_cut_off", "message": "the connection ended"}}


def test_a_bug_in_the_middle_shows_nothing_of_itself(caplog):
    async def answer(told):
        told("The")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        raise ZeroDivisionError("a secret")

    async def collect():
        return [part async for part in route._events(answer)]

    *_, last = asyncio.run(collect())
    assert last.startswith(b'event: error\ndata: {"error": {"code": "error"')
    assert b"secret" not in last
    assert "a secret" in caplog.text


def test_silence_is_filled_with_comments(web, monkeypatch):
    monkeypatch.setattr(route, "KEEP_ALIVE", 0.02)
    handler = Pondering(errors.LanguageModelTimeError("no answer in time"))
    bridge = web(handler=handler)
    with bridge.client() as client, asking(client) as reply:
        found = events_of(reply)
        assert [next(found) for _ in range(3)] == [(None, "waiting")] * 3
        say(bridge, handler, None)
        name, data = [each for each in found if each[0]][-1]
    assert (name, data["error"]["code"]) == ("error", "vlm_time_limit")  # the status has gone


@pytest.mark.parametrize(
    ("accept", "as_events"),
    [
        ("text/event-stream", True),
        ("text/event-stream, application/json;q=0.5", True),
        ("application/json, text/event-stream", False),  # as MCP clients say it
        ("*/*", False),
        ("", False),
    ],
)
def test_accept_decides(client, accept, as_events):
    form = {"question": QUESTION}
    reply = client.post("/v1/ask", files={"image": PICTURE}, data=form, headers={"accept": accept})
    assert reply.headers["content-type"].startswith("text/event-stream") is as_events


def test_a_camera_without_a_name_is_the_first_that_shows_something(web):
    plain, asked = RectangleDescriber(), []

    def describe(request):
        asked.append(request.camera)
        if request.picture is None:
            raise errors.NoFrameError("no image has come yet")
        return plain(request)

    sink = Sink(describe)
    bridge = web(describe, sink=sink)
    sink.hub = bridge.hub
    for name, transport in (("image", "topic"), ("esp", "websocket")):
        bridge.on_loop(bridge.hub.add, name, transport)
    bridge.on_loop(bridge.hub.publish, "esp", raw=PICTURE)
    with bridge.client() as client:
        reply = client.post("/v1/ask", json={"question": QUESTION})
    assert reply.json()["answer"]["text"] == SENTENCE
    assert asked == ["", ""]
