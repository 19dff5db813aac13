"""The TCP listener: conversations, errors and the console."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import re
import socket
import struct
import threading
import time

import pytest
from local_handlers import FakeHandler, LocalHandler, Recording
from making import picture_of
from tcp_talk import (
    JPEG,
    SENTENCE,
    Raising,
    Waiting,
    ask,
    connect,
    good_v1,
    good_v2,
    is_v1_error,
    read_all,
    read_exactly,
    read_line,
    v1,
    v2,
)
from waiting import TIME_LIMIT, until

from i2t_ros.bridges.journal import BURST, RATE
from i2t_ros.bridges.tcp.server import TcpServer
from i2t_ros.errors import DetectorUnreachableError, InferenceError
from i2t_ros.types import DescribeRequest, Detections

# --- conversations


def test_version_1_gets_the_answer_and_the_connection_is_closed(serve):
    assert ask(serve(), v1()) == good_v1()


@pytest.mark.parametrize("extension", [b".jpg", b"JPEG", b".png", b"bmp", b".WebP"])
@pytest.mark.parametrize(
    "image",
    [JPEG, b"\x89PNG\r\n\x1a\n....", b"BM......", b"RIFF....WEBPVP8 "],
    ids=["jpeg", "png", "bmp", "webp"],
)
def test_the_picture_comes_back_in_its_own_format_whatever_its_extension(serve, image, extension):
    assert ask(serve(header_pause=0), v1(image, extension)) == good_v1(image)


def test_version_1_asks_in_the_language_of_the_server(serve):
    handler = Recording()
    ask(serve(handler), v1())
    (request,) = handler.requests
    assert (request.language, request.style, request.annotate) == ("es", "list", True)
    assert request.picture.data == JPEG


@pytest.mark.parametrize(
    ("request_bytes", "style", "beginning"),
    [
        (v1(), "list", "True<SEP>{size}<SEP>Se detectaron los siguientes objetos: 1 gato."),
        (v1(), "sentence", "True<SEP>{size}<SEP>Se detectó el siguiente objeto: 1 gato."),
        (v2(), "list", "True<SEP>{size}<SEP>Se detectó el siguiente objeto: 1 gato."),
    ],
    ids=["version 1", "version 1 in another style", "version 2"],
)
def test_only_the_lists_of_version_1_keep_their_plural(serve, request_bytes, style, beginning):
    class OneCat(FakeHandler):
        SENTENCE = "Se detectó el siguiente objeto: 1 gato."

    server = serve(OneCat(), version_1=DescribeRequest(language="es", style=style))

    said = ask(server, request_bytes)

    assert said.startswith(beginning.format(size=len(JPEG)).encode())


def test_the_header_of_version_1_comes_alone_after_it_a_pause(serve):
    server = serve(header_pause=0.2)
    with connect(server) as sock:
        sock.sendall(v1())
        header = sock.recv(4096)
        came = time.monotonic()
        image = read_exactly(sock, len(JPEG))
        assert time.monotonic() - came > 0.15
        assert header + image == good_v1()
        assert sock.recv(1) == b""


def test_the_pause_begins_when_the_header_has_arrived(serve):
    """A client whose machine acknowledges late, as over a sleeping wireless link."""
    with connect(serve(header_pause=0.02)) as sock:
        # Both before the header can come, so that a busy machine changes nothing.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)  # Linux: some 40 ms late
        asked = time.monotonic()
        sock.sendall(v1())
        header = sock.recv(4096, socket.MSG_PEEK)
        until(lambda: len(sock.recv(1 << 16, socket.MSG_PEEK)) > len(header), "the picture")
        assert time.monotonic() - asked > 0.05
        assert read_all(sock) == good_v1()


def test_version_2_keeps_the_connection(serve):
    with connect(serve()) as sock:
        for options in (b"", b"lang=en", b"annotate=1;min_score=0.5"):
            sock.sendall(v2(options=options))
            assert read_line(sock) + read_exactly(sock, len(JPEG)) == good_v2()
        sock.sendall(v2(options=b"annotate=0"))
        assert read_line(sock) == f"True<SEP>0<SEP>{SENTENCE}\n".encode()
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""


def test_version_2_requests_may_be_sent_ahead(serve):
    assert ask(serve(), v2() * 5 + v1(), half_close=True) == good_v2() * 5 + good_v1()


def test_version_2_goes_on_after_an_error(serve):
    with connect(serve()) as sock:
        sock.sendall(v2(options=b"colour=red") + v2(b"no picture") + v2())
        assert read_line(sock).startswith(b"False<SEP>0<SEP>invalid_request<SEP>")
        assert read_line(sock).startswith(b"False<SEP>0<SEP>not_an_image<SEP>")
        assert read_line(sock) + read_exactly(sock, len(JPEG)) == good_v2()


def test_clients_are_served_at_the_same_time(serve):
    handler = Waiting()
    server = serve(handler)
    with connect(server) as first, connect(server) as second:
        first.sendall(v1())
        second.sendall(v2())
        until(lambda: server.counters["requests"] == 2, "two requests at once")
        server.loop_thread.post(handler.go_on.set)
        assert read_all(first) == good_v1()
        assert read_line(second) + read_exactly(second, len(JPEG)) == good_v2()


# --- errors


@pytest.mark.parametrize(
    ("request_bytes", "reason"),
    [
        (v1(b"hello"), "no son una imagen"),
        (v1(extension=b".gif"), "no se admite"),
        (b".jpg<SEP>99999999999\xff\xd8", "demasiado grande"),
        (b"GET / HTTP/1.1\r\nHost: robot:5001\r\n\r\n", "no es válida"),
    ],
)
def test_version_1_errors_come_in_spanish_and_the_listener_lives_on(serve, request_bytes, reason):
    server = serve()
    reply = ask(server, request_bytes)
    assert is_v1_error(reply)
    assert reason in reply.decode()
    assert ask(server, v1()) == good_v1()


def test_size_zero_is_answered_after_a_short_silence(serve):
    reply = ask(serve(empty_time=0.1, idle_time=TIME_LIMIT), b".jpg<SEP>0")
    assert is_v1_error(reply)
    assert "vacía" in reply.decode()


def test_a_client_that_ends_within_its_picture_is_told(serve):
    reply = ask(serve(), v1()[:-1], half_close=True)
    assert is_v1_error(reply)
    assert "incompleta" in reply.decode()


def test_a_refused_client_gets_its_error_though_it_is_still_sending(serve):
    """Closing with unread bytes would make the kernel reset the connection, and lose the reply."""
    request = b".jpg<SEP>%d" % (1 << 30) + bytes(8 << 20)
    assert is_v1_error(ask(serve(max_image_bytes=1 << 20), request))


def test_the_error_of_the_handler_reaches_both_versions(serve):
    server = serve(Raising(DetectorUnreachableError("no service /detector/describe")))
    assert ask(server, v1()).decode() == (
        "False<SEP>0<SEP>Ocurrió el siguiente error: "
        "no se encuentra el detector (no service /detector/describe)"
    )
    assert ask(server, v2(), half_close=True) == (
        b"False<SEP>0<SEP>detector_unreachable<SEP>no service /detector/describe\n"
    )


def test_a_crash_of_the_handler_is_logged_and_its_details_stay_here(serve, caplog):
    server = serve(Raising(ZeroDivisionError("secret")))
    reply = ask(server, v2(), half_close=True)
    assert reply.startswith(b"False<SEP>0<SEP>error<SEP>")
    assert b"secret" not in reply
    assert "secret" in caplog.text


@pytest.mark.parametrize("annotated", [None, picture_of(b"\x89PNG", "png")])
def test_a_handler_that_returns_another_format_is_not_believed(serve, annotated):
    class Careless(FakeHandler):
        async def describe(self, request):
            return dataclasses.replace(await super().describe(request), annotated=annotated)

    reply = ask(serve(Careless()), v2(), half_close=True).decode()
    got = annotated.format if annotated else "none"
    assert reply == (
        f"False<SEP>0<SEP>error<SEP>annotated picture: expected jpeg, the handler returned {got}\n"
    )


def test_a_handler_that_takes_too_long_is_cancelled(serve):
    server = serve(Waiting(), request_time=0.1)
    reply = ask(server, v2(), half_close=True)
    assert reply == b"False<SEP>0<SEP>time_limit<SEP>no answer within 0.1 s\n"


def test_too_many_requests_at_once_are_told_so():
    stop = threading.Event()
    handler = LocalHandler(lambda request: stop.wait(TIME_LIMIT), workers=1, max_waiting=1)

    async def crowd():
        asked = [asyncio.ensure_future(handler.describe(None)) for _ in range(5)]
        await asyncio.sleep(0)
        stop.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    results = asyncio.run(crowd())
    handler.close()
    assert [getattr(result, "code", result) for result in results] == [True] * 2 + ["busy"] * 3


# --- the console


def test_the_console_tells_start_up_connections_operations_and_failures(serve, caplog):
    caplog.set_level(logging.INFO, "i2t_ros.tcp")
    server = serve()
    port = server.port
    ask(server, v1())
    until(lambda: not server._connections, "the first to leave")
    with connect(server) as idle:
        until(lambda: server.open == 1, "it is served")
        ask(server, v1(b"hello"))
        until(lambda: server.open == 1, "the third to leave")
        idle.sendall(v2() * 2)
        idle.shutdown(socket.SHUT_WR)
        assert read_all(idle) == good_v2() * 2
    until(lambda: not server._connections, "everybody to leave")
    server.loop_thread.call(server.close(), TIME_LIMIT)
    lines = [record.getMessage() for record in caplog.records]
    client, now = r"127\.0\.0\.1:\d+", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    operation = rf"{client}: {len(JPEG)} bytes, 3 objects, \d+\.\d ms: {re.escape(SENTENCE)}"
    patterns = [
        rf"listening on 127\.0\.0\.1 port {port}, for this machine only",
        rf"{client} connected at {now}: connection 1, 1 open",
        operation,
        rf"{client} disconnected after 1 request: connection 1, 0 open",
        rf"{client} connected at {now}: connection 2, 1 open",
        rf"{client} connected at {now}: connection 3, 2 open",
        rf"{client} gets an error: not_an_image: not a picture: .*",
        rf"{client} disconnected after 1 request: connection 3, 1 open",
        operation,
        operation,
        rf"{client} disconnected after 2 requests: connection 2, 0 open",
        r"closed",
    ]
    assert len(lines) == len(patterns)
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line)


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("I can see text: \x1b[2J\nclosed.", "I can see text:  [2J closed."),
        ("word " * 100, "word " * 59 + "word…"),
        ("字" * 400, "字" * 299 + "…"),
    ],
)
def test_the_sentence_on_the_console_is_one_line(serve, caplog, sentence, shown):
    caplog.set_level(logging.INFO, "i2t_ros.tcp")

    class Reading(FakeHandler):
        async def describe(self, request):
            reply = await super().describe(request)
            found = Detections([[0, 0, 2, 4]], [0.9], [0], ("person",))
            scene = dataclasses.replace(reply.description.scene, results={"detect": found})
            description = dataclasses.replace(reply.description, sentence=sentence, scene=scene)
            return dataclasses.replace(reply, description=description)

    ask(serve(Reading()), v1())
    until(lambda: "disconnected" in caplog.text, "the end")
    (line,) = (r.getMessage() for r in caplog.records if " ms: " in r.getMessage())
    assert line.endswith(f" ms: {shown}")
    assert ", 1 object, " in line


@pytest.mark.parametrize("sent", [b".jpg<SEP>x", b"GET / HTTP/1.1\r\n\r\n", v1(b"hello"), b""])
def test_clients_cannot_fill_the_console(serve, caplog, sent):
    caplog.set_level(logging.INFO, "i2t_ros.tcp")
    handler = Recording()
    server = serve(handler)
    began = time.monotonic()
    for _ in range(200):
        ask(server, sent, half_close=True)
    until(lambda: not server._connections, "everybody to leave")
    server.loop_thread.call(server.close(), TIME_LIMIT)
    lines = [record.getMessage() for record in caplog.records]
    kinds = 2 if sent == b"" else 3  # a line for each would be 400 or 600
    assert len(lines) - 2 <= kinds * (BURST + (time.monotonic() - began) * RATE + 1)
    counts = [int(found) for found in re.findall(r"\(and (\d+) more like it\)", "\n".join(lines))]
    assert len(lines) - 2 + sum(counts) == 200 * kinds
    assert handler.requests == []


def test_clients_cannot_forge_lines_on_the_console(serve, caplog):
    ask(serve(), b"x\r\nlistening on 0.0.0.0\r\n<SEP>", half_close=True)
    ask(serve(), v2(options=b"x\x1b[2J=1"), half_close=True)
    ask(serve(Raising(InferenceError("engine:\nout of memory\x1b[2J"))), v1())
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 3
    assert not [message for message in messages if re.search(r"[\x00-\x1f]", message)]


@pytest.mark.parametrize(
    ("host", "level", "text"),
    [
        ("127.0.0.1", logging.INFO, "for this machine only"),
        ("localhost", logging.INFO, "for this machine only"),
        ("0.0.0.0", logging.WARNING, "OPEN TO OTHER MACHINES"),  # noqa: S104 (closed at once)
    ],
)
def test_listening_beyond_this_machine_is_logged_as_such(caplog, host, level, text):
    caplog.set_level(logging.INFO, "i2t_ros.tcp")

    async def listen():
        server = TcpServer(FakeHandler(), host, 0)
        await server.start()
        await server.close()

    asyncio.run(listen())
    first = caplog.records[0]
    assert first.levelno == level
    assert text in first.getMessage()


def test_an_address_in_use_is_named(serve):
    port = serve().port
    with pytest.raises(OSError, match=str(port)):
        asyncio.run(TcpServer(FakeHandler(), port=port).start())


def test_small_writes_leave_at_once(serve):
    """A header must not wait for the acknowledgement of an earlier segment."""
    handler = Waiting()
    server = serve(handler)
    with connect(server) as sock:
        sock.sendall(v2())
        assert handler.entered.wait(TIME_LIMIT)
        (connection,) = server._connections.values()
        kernel_socket = connection._writer.get_extra_info("socket")
        assert kernel_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        server.loop_thread.post(handler.go_on.set)
        assert read_line(sock) + read_exactly(sock, len(JPEG)) == good_v2()


def test_a_client_that_leaves_before_its_reply_is_told_of_on_the_console(serve, caplog):
    handler = Waiting()
    server = serve(handler)
    with connect(server) as sock:
        sock.sendall(v2())
        assert handler.entered.wait(TIME_LIMIT)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset
    server.loop_thread.post(handler.go_on.set)
    until(lambda: not server._connections, "the end")
    assert [record.getMessage().split(" ", 1)[1][:8] for record in caplog.records] == ["has left"]
    assert ask(server, v1()) == good_v1()
