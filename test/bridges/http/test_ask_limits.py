"""/v1/ask: who leaves, and what is limited."""

import contextlib
import json
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

pytest.importorskip("fastapi")
from asking import EVENTS, QUESTION, RAW, asking, events_of, say
from local_handlers import Pondering
from waiting import TIME_LIMIT, until
from web_support import PICTURE

SENTENCE = "I can see a dog and a person."
COUNT = {"result": "ok"}

# --- leaving


def test_who_leaves_in_the_middle_of_events_stops_the_model(web):
    handler = Pondering()
    bridge = web(handler=handler)
    say(bridge, handler, "The")
    with bridge.client() as client, asking(client) as reply:
        events = events_of(reply)  # kept: without it the reply would be closed
        assert next(events)[0] == "text"
        assert bridge.services.memory.used >= len(PICTURE)  # the model may still look at it
    assert handler.cancelled.acquire(timeout=TIME_LIMIT)
    until(lambda: bridge.metric("i2t_answers_total", result="cancelled") == 1, "it is counted")
    until(lambda: not len(bridge.services.asking), "its place is free")
    until(lambda: bridge.services.memory.used == 0, "and its memory")


@pytest.mark.parametrize("headers", [{}, EVENTS], ids=["json", "events"])
@pytest.mark.parametrize("path", ["/v1/ask", "/v1/describe"])
@pytest.mark.parametrize("how", [socket.SHUT_WR, socket.SHUT_RDWR], ids=["half", "both"])
def test_who_leaves_before_the_first_word_stops_the_model(web, path, headers, how):
    handler = Pondering()
    bridge = web(handler=handler)
    lines = [f"POST {path}?question=why HTTP/1.1", f"Host: {bridge.host}"]
    lines += [f"{name}: {value}" for name, value in {**RAW, **headers}.items()]
    lines += [f"Content-Length: {len(PICTURE)}", "", ""]
    with socket.create_connection(("127.0.0.1", bridge.server.port), TIME_LIMIT) as sock:
        sock.sendall("\r\n".join(lines).encode() + PICTURE)
        assert handler.asked.acquire(timeout=TIME_LIMIT)
        sock.shutdown(how)
        assert handler.cancelled.acquire(timeout=TIME_LIMIT)
    until(lambda: bridge.services.memory.used == 0, "its memory is free")


def test_a_connection_serves_others_after_an_answer_even_if_half_closed(web):
    """That who sends no more has left holds for questions alone."""
    bridge = web()
    ask = (
        f"POST /v1/ask?question=why HTTP/1.1\r\nHost: {bridge.host}\r\nContent-Type: image/png\r\n"
    )
    ask += f"Content-Length: {len(PICTURE)}\r\n\r\n"
    describe = ask.replace("/v1/ask?question=why", "/v1/describe")
    with socket.create_connection(("127.0.0.1", bridge.server.port), TIME_LIMIT) as sock:
        file = sock.makefile("rb")
        sock.sendall(ask.encode() + PICTURE)
        length = 0
        while (line := file.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length"):
                length = int(line.split(b":")[1])
        assert json.loads(file.read(length))["answer"]["text"] == SENTENCE
        sock.sendall(describe.encode() + PICTURE)
        sock.shutdown(socket.SHUT_WR)
        assert file.readline() == b"HTTP/1.1 200 OK\r\n"


def test_closing_the_listener_ends_answers(web):
    handler = Pondering()
    bridge = web(handler=handler, drain_time=0.0)
    say(bridge, handler, "The")
    with bridge.client() as client, contextlib.suppress(httpx.HTTPError), asking(client) as reply:
        found = events_of(reply)
        assert next(found)[0] == "text"
        bridge.close()
        assert handler.cancelled.acquire(timeout=TIME_LIMIT)
        assert not [name for name, _ in found if name == "answer"]


# --- limits


@pytest.mark.parametrize("headers", [{}, EVENTS], ids=["json", "events"])
def test_an_answer_has_a_time_limit_of_its_own(web, headers):
    handler = Pondering()
    with web(handler=handler, answer_time=0.05).client() as client:
        form = {"question": QUESTION}
        sent = {"files": {"image": PICTURE}, "data": form, "headers": headers}
        reply = client.post("/v1/ask", **sent)
        assert (reply.status_code, reply.json()["error"]["code"]) == (504, "time_limit")
        assert handler.cancelled.acquire(timeout=TIME_LIMIT)
        say_late = {**sent, "headers": EVENTS}
        with client.stream("POST", "/v1/ask", **say_late) as reply:
            reply.read()
        assert reply.status_code == 504


def test_a_request_time_does_not_end_an_answer(web):
    with web(request_time=0.01, answer_time=TIME_LIMIT).client() as client:
        form = {"question": QUESTION}
        assert client.post("/v1/ask", files={"image": PICTURE}, data=form).status_code == 200


def test_questions_take_no_place_of_descriptions_and_leave_them_none(web):
    handler = Pondering()
    bridge = web(handler=handler, max_questions=3, max_requests=1)
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(3))
        client = stack.enter_context(bridge.client())
        sent = {"content": PICTURE, "headers": {**RAW, "x-request-id": "mine"}}
        asked = [
            pool.submit(httpx.post, f"{bridge.url}/v1/ask?question=why", **sent, timeout=TIME_LIMIT)
            for _ in range(3)
        ]
        for _ in asked:
            assert handler.asked.acquire(timeout=TIME_LIMIT)
        assert client.get("/v1/queue?request=mine").json() == {"ahead": 0}
        refused = client.post("/v1/ask?question=why", **sent)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        told = "3 questions in progress, the limit: try again"
        assert refused.json()["error"] == {"code": "busy", "message": told}
        assert client.post("/v1/describe", content=PICTURE).status_code == 200
        say(bridge, handler, None, None, None)
        assert [each.result().status_code for each in asked] == [200] * 3
    assert bridge.metric("i2t_answers_total", **COUNT) == 3
    assert bridge.metric("i2t_answers_total", result="busy") == 1


def test_a_hundred_clients_are_answered_or_busy_and_nothing_is_left(web):
    bridge = web(max_questions=4, requests_per_second=0)

    def ask(number):
        headers = {**RAW, **(EVENTS if number % 2 else {})}
        url = f"{bridge.url}/v1/ask?question={QUESTION}"
        reply = httpx.post(url, content=PICTURE, headers=headers, timeout=TIME_LIMIT)
        if reply.status_code == 200:
            assert SENTENCE in reply.text
        return reply.status_code

    with ThreadPoolExecutor(100) as pool:
        found = list(pool.map(ask, range(100)))
    assert set(found) <= {200, 503}
    assert found.count(200) >= 4
    assert bridge.metric("i2t_answers_total", **COUNT) == found.count(200)
    until(lambda: bridge.services.memory.used == 0, "no memory is held")
    assert not len(bridge.services.asking)


def test_the_history_has_no_answers(web, history_settings):
    pytest.importorskip("sqlalchemy")
    bridge = web(history=history_settings())
    with bridge.client() as client:
        form = {"question": QUESTION}
        for _ in range(2):
            reply = client.post("/v1/ask", files={"image": PICTURE}, data=form).json()
            assert (reply["history"], reply["cached"]) == (None, False)
        assert client.get("/v1/history").json()["results"] == []
        assert client.post("/v1/describe", content=PICTURE).json()["answer"] is None
    assert len(bridge.describer.asked) == 3


def test_cameras_with_a_token_and_from_other_sites(web):
    bridge = web(token="correct-horse-battery")  # noqa: S106
    with bridge.client() as client:
        reply = client.post("/v1/ask", json={"question": QUESTION})
        assert reply.status_code == 401
        headers = {"origin": "https://elsewhere.example"}
        reply = client.post("/v1/ask", json={"question": QUESTION}, headers=headers)
        assert reply.json()["error"]["code"] == "forbidden_origin"
