"""Questions over TCP: how they are written, who answers, and what ends them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import pytest
from local_handlers import FakeHandler, Pondering, Recording
from tcp_talk import ask, connect, good_v2, read_all, read_exactly, read_line
from waiting import TIME_LIMIT, until
from wire_parsing import JPEG, drain, only, parse, refused, v2

from i2t_ros.bridges.tcp import wire
from i2t_ros.cli import main as cli
from i2t_ros.client import AsyncClient, Client, Question
from i2t_ros.errors import LanguageModelOffError

ANSWERED = f"True<SEP>0<SEP>{FakeHandler.ANSWER}\n".encode()
LONGEST = "\N{WATERMELON}" * 2000


class Off(FakeHandler):
    async def ask(self, request, told):
        raise LanguageModelOffError("caption_url is empty")


# --- how it is written


@pytest.mark.parametrize(
    "question",
    [
        "Is it open?",
        "Is it open; or closed?",
        "a=b;lang=es;question=no",
        "<SEP>",
        "Ist die Tür offen?",
        " ? ",
        LONGEST,
    ],
)
def test_a_question_has_any_character_but_a_newline(question):
    data = v2(options=f"lang=de;annotate=0;question={question}".encode())
    first, second = parse(data + v2())
    assert first.content.question == question
    assert (first.content.language, first.content.annotate) == ("de", False)
    assert (second.content.question, second.content.language) == ("", "")
    assert Question(JPEG, question=question, language="de", annotate=False).encode(2) == data


def test_an_empty_question_is_none():
    assert only(parse(v2(options=b"question="))).content.question == ""


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (b"question", "question"),
        (b"question= \t ", "question"),
        (b"question=  ", "white space"),
        (b"question=" + b"x" * 2001, "2001"),
        (b"question=\xff", "UTF-8"),
        (b"question=a\x1b[31m", "question"),
        (b"questions=a;b", "questions"),
    ],
)
def test_what_is_no_question_is_refused_and_the_next_request_is_served(options, named):
    refusal, request = parse(v2(options=options) + v2())
    assert (refusal.content.code, refusal.keep_open) == ("invalid_request", True)
    assert named in str(refusal.content)
    assert request.content.question == ""


def test_options_that_are_too_long_end_the_conversation():
    data = v2(options=b"question=" + b"x" * wire.MAX_OPTIONS)
    assert not refused(data).keep_open


def test_the_longest_question_of_the_widest_characters_fits_however_it_is_cut():
    parser = wire.RequestParser(1 << 20)
    found = []
    for byte in v2(options=f"question={LONGEST}".encode()):
        parser.feed(bytes([byte]))
        found += drain(parser)
    assert only(found).content.question == LONGEST


# --- who answers


def test_the_answer_takes_the_place_of_the_sentence(serve):
    server = serve()
    with connect(server) as sock:
        for _ in range(2):  # the connection stays open
            sock.sendall(v2(options=b"annotate=0;question=Is it open?"))
            assert read_line(sock) == ANSWERED
        sock.sendall(v2())
        assert read_exactly(sock, len(good_v2(JPEG))) == good_v2(JPEG)


def test_a_question_may_want_the_annotated_picture_too(serve):
    with Client(port=serve().port) as client:
        answer = client.describe(JPEG, question="Is it open?")
    assert (answer.sentence, answer.image) == (FakeHandler.ANSWER, JPEG)


def test_the_handler_gets_the_question_and_the_camera(serve):
    handler = Recording()
    ask(serve(handler), v2(b"", b"camera=front;question=Who is there?"), half_close=False)
    (request,) = handler.requests
    assert (request.camera, request.question) == ("front", "Who is there?")


def test_an_error_keeps_the_connection(serve):
    with connect(serve(Off())) as sock:
        sock.sendall(v2(options=b"question=Is it open?") + v2())
        assert read_line(sock) == b"False<SEP>0<SEP>vlm_off<SEP>caption_url is empty\n"
        assert read_exactly(sock, len(good_v2(JPEG))) == good_v2(JPEG)


def test_an_answer_has_a_time_limit_of_its_own(serve):
    server = serve(Pondering(), answer_time=0.05, request_time=TIME_LIMIT)
    with connect(server) as sock:
        sock.sendall(v2(options=b"question=Is it open?"))
        assert read_line(sock) == b"False<SEP>0<SEP>time_limit<SEP>no answer within 0.05 s\n"


# --- what ends it


def test_descriptions_are_made_while_as_many_questions_as_may_be_are_answered(serve):
    handler = Pondering()
    server = serve(handler, max_questions=2)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(2)]
        for sock in clients:
            sock.sendall(v2(options=b"annotate=0;question=Is it open?"))
            assert handler.asked.acquire(timeout=TIME_LIMIT)
        with connect(server) as sock:
            sock.sendall(v2(options=b"question=Is it open?"))
            refusal = b"False<SEP>0<SEP>busy<SEP>2 questions in progress, the limit: try again\n"
            assert read_line(sock) == refusal
            sock.sendall(v2())
            assert read_exactly(sock, len(good_v2(JPEG))) == good_v2(JPEG)
        for _ in clients:
            server.loop_thread.post(handler.words.put_nowait, None)
        assert [read_line(sock) for sock in clients] == [ANSWERED] * 2


RESET = struct.pack("ii", 1, 0)


@pytest.mark.parametrize("how", ["half close", "close", "reset"])
def test_who_leaves_stops_the_language_model(serve, how):
    handler = Pondering()
    server = serve(handler)
    with connect(server) as sock:
        sock.sendall(v2(options=b"question=Is it open?"))
        assert handler.asked.acquire(timeout=TIME_LIMIT)
        if how == "half close":
            sock.shutdown(socket.SHUT_WR)
            assert read_all(sock) == b""
        elif how == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    assert handler.cancelled.acquire(timeout=TIME_LIMIT)
    until(lambda: server.open == 0, "the connection is gone")
    assert not server.asking.locked()
    assert server.memory.used == 0


# --- clients


def test_both_clients_ask(serve):
    port = serve().port

    async def ask_there():
        async with AsyncClient(port=port) as client:
            return await client.describe(JPEG, question="Is it; open?", annotate=False)

    assert asyncio.run(ask_there()).sentence == FakeHandler.ANSWER


@pytest.mark.parametrize(
    ("question", "protocol", "text"),
    [("Is it\nopen?", 2, "line ends"), ("Is it open?", 1, "question=Is it open")],
)
def test_what_a_protocol_cannot_ask_is_refused(question, protocol, text):
    with pytest.raises(ValueError, match=text):
        Question(JPEG, question=question).encode(protocol)


def test_the_command_prints_the_answer(serve, tmp_path, capsys):
    (tmp_path / "photo.jpg").write_bytes(JPEG)
    arguments = ["client", str(tmp_path / "photo.jpg"), "--question", "Is it open?"]
    assert cli.main([*arguments, "--port", str(serve().port)]) == 0
    assert capsys.readouterr().out == FakeHandler.ANSWER + "\n"
    off = serve(Off())
    assert cli.main([*arguments, "--port", str(off.port)]) == 1
    assert "vlm_off: caption_url is empty" in capsys.readouterr().err
