"""The TCP listener: limits, and how it closes."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import threading
import time

import pytest
from local_handlers import FakeHandler
from tcp_talk import (
    JPEG,
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

from i2t_ros.bridges.tcp import server as server_module
from i2t_ros.bridges.tcp.limits import TcpLimits
from i2t_ros.bridges.tcp.server import TcpServer
from i2t_ros.errors import InvalidRequestError
from i2t_ros.types import Picture

# --- limits


def test_a_silent_client_is_let_go(serve):
    assert ask(serve(idle_time=0.1), b"") == b""


@pytest.mark.parametrize(
    "sent", [b".jp", b".jpg<SEP>100", v1()[:-1]], ids=["extension", "size", "picture"]
)
def test_a_client_that_falls_silent_is_told(serve, sent):
    reply = ask(serve(idle_time=0.1), sent)
    assert is_v1_error(reply)
    assert "se agotó el tiempo" in reply.decode()


def test_a_client_that_falls_silent_in_version_2_is_told_in_version_2(serve):
    reply = ask(serve(idle_time=0.1), v2()[:-1])
    assert reply == b"False<SEP>0<SEP>time_limit<SEP>expected more of the request within 0.1 s\n"


def test_a_client_that_trickles_is_told_when_its_time_is_up(serve):
    server = serve(receive_time=0.3, linger_time=5)
    with connect(server) as sock:
        sock.setblocking(False)
        reply = b""
        deadline = time.monotonic() + TIME_LIMIT
        header, newline, image = v2().partition(b"\n")
        sock.send(header + newline)
        for byte in image:
            sock.send(bytes([byte]))
            with contextlib.suppress(BlockingIOError):
                reply = sock.recv(4096)
            if reply:
                break
            assert time.monotonic() < deadline
            threading.Event().wait(0.02)
    assert reply == b"False<SEP>0<SEP>time_limit<SEP>expected a whole request within 0.3 s\n"


def test_a_client_that_does_not_read_is_cut_off(serve):
    server = serve(send_time=0.2, max_image_bytes=64 << 20)
    with connect(server) as sock:
        sock.sendall(v2(JPEG[:4] + bytes(32 << 20)))
        until(lambda: server.counters["connections"] and not server._connections, "the cut")
        assert server.counters["failures"] == 1


def all_have_spoken(server, count):
    connections = list(server._connections.values())
    return [connection.has_spoken for connection in connections] == [True] * count


def test_more_clients_than_the_limit_are_told_in_their_version(serve):
    server = serve(max_connections=2)
    with connect(server) as first, connect(server) as second:
        for sock in (first, second):
            sock.sendall(v1()[:3])
        until(lambda: all_have_spoken(server, 2), "two clients that have begun")
        assert ask(server, v2()).startswith(b"False<SEP>0<SEP>busy<SEP>the limit of 2 clients")
        assert "ocupado" in ask(server, v1()).decode()
        assert server.counters["turned_away"] == 2
        for sock in (first, second):
            sock.sendall(v1()[3:])
            assert read_all(sock) == good_v1()
    until(lambda: not server._connections, "everybody to leave")
    assert ask(server, v1()) == good_v1()


@pytest.mark.parametrize("sent", [b"", b".jpg", b".jpg<SEP>1000", b".jpg<SEP>1000\nhello"])
def test_clients_that_only_hold_their_places_give_way(serve, monkeypatch, sent):
    monkeypatch.setattr(server_module, "YIELD_AFTER", 0.2)
    server = serve(max_connections=3, idle_time=TIME_LIMIT, receive_time=TIME_LIMIT)
    holders = [connect(server) for _ in range(3)]
    try:
        for holder in holders:
            holder.sendall(sent)
        until(lambda: server.open == 3, "all places are held")
        until(lambda: ask(server, v1()) == good_v1(), "an innocent client is answered")
        assert server.counters["failures"] >= 1
    finally:
        for holder in holders:
            holder.close()


def test_a_flood_of_clients_is_cut_off(serve):
    server = serve(max_connections=1, idle_time=TIME_LIMIT, linger_time=TIME_LIMIT)
    with connect(server) as first, connect(server) as second:
        first.sendall(v1()[:3])
        second.sendall(v1()[:3])
        until(lambda: all_have_spoken(server, 2), "one served and one turned away")
        with connect(server) as third:
            assert third.recv(1) == b""
        assert len(server._connections) == 2


@pytest.mark.parametrize("count", [3, 6, 20])  # as many as are served, as are told, and more
def test_whoever_asks_goes_before_those_who_say_nothing(serve, count):
    server = serve(max_connections=3, idle_time=TIME_LIMIT, linger_time=TIME_LIMIT)
    silent = [connect(server) for _ in range(count)]
    try:
        until(lambda: len(server._connections) == min(count, 6), "all places are held")
        for data, good in ((v1(), good_v1()), (v2(), None)):
            with connect(server) as sock:
                sock.sendall(data)
                reply = sock.recv(4) if good is None else read_all(sock)
                assert reply == (good or b"True")
    finally:
        for each in silent:
            each.close()


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(TcpLimits)])
def test_negative_limits_are_refused(name):
    with pytest.raises(InvalidRequestError, match=name):
        TcpLimits(**{name: -1})


# --- closing


def test_closing_lets_a_request_in_progress_finish_and_others_go(serve):
    handler = Waiting()
    server = serve(handler)
    with connect(server) as busy, connect(server) as idle:
        until(lambda: len(server._connections) == 2, "two clients")
        busy.sendall(v2())
        assert handler.entered.wait(TIME_LIMIT)
        port = server.port
        closed = close_in_background(server)
        assert idle.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), TIME_LIMIT)
        assert not closed.is_set()
        server.loop_thread.post(handler.go_on.set)
        assert read_line(busy) + read_exactly(busy, len(JPEG)) == good_v2()
        assert busy.recv(1) == b""
        busy.close()
        assert closed.wait(TIME_LIMIT)
    assert not server._connections


def close_in_background(server):
    closed = threading.Event()

    async def close():
        await server.close()
        closed.set()

    server.loop_thread.post(lambda: background.append(asyncio.ensure_future(close())))
    return closed


background = []  # the loop itself keeps only weak references to its tasks


def test_closing_cuts_off_what_does_not_finish(serve):
    handler = Waiting()
    server = serve(handler, drain_time=0.1)
    with connect(server) as sock:
        sock.sendall(v2())
        assert handler.entered.wait(TIME_LIMIT)
        server.loop_thread.call(server.close(), TIME_LIMIT)
        assert not server._connections
        assert sock.recv(1) == b""


def test_closing_twice_or_before_the_start_is_fine():
    async def lives():
        server = TcpServer(FakeHandler(), port=0)
        await server.close()
        await server.start()
        assert server.port > 0
        await asyncio.gather(server.close(), server.close())
        await server.close()

    asyncio.run(lives())


# --- memory


@pytest.mark.parametrize(
    ("attack", "is_busy"),
    [
        (v1(bytes(200_000))[:-1000], lambda reply: "ocupad" in reply.decode()),
        (v2(bytes(200_000))[:-1000], lambda reply: reply.startswith(b"False<SEP>0<SEP>busy<SEP>")),
    ],
    ids=["version 1", "version 2"],
)
def test_a_small_picture_is_answered_beside_clients_that_hold_what_they_can(serve, attack, is_busy):
    server = serve(
        max_memory_bytes=1_000_000, max_image_bytes=200_000, idle_time=TIME_LIMIT, linger_time=0.1
    )
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(connect(server)) for _ in range(40)]
        for sock in opened:
            sock.sendall(attack)
        until(lambda: server.memory.used > 750_000, "most of it is taken")
        until(lambda: server.counters["failures"] >= 35, "the others are refused, though silent")
        for _ in range(3):
            assert ask(server, v1()) == good_v1()
        assert server.memory.used <= 1_000_000
        refused = 0
        for sock in opened:
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                assert is_busy(sock.recv(4096))
                refused += 1
        assert refused >= 35
    until(lambda: server.memory.used == 0, "all of it is free")
    assert not server.memory.growing


def test_pictures_that_are_being_described_count_and_are_not_refused(serve):
    handler = Waiting()
    server = serve(handler, max_memory_bytes=2 * len(JPEG) - 1, max_image_bytes=len(JPEG))
    with connect(server) as first, connect(server) as second:
        first.sendall(v2())
        until(handler.entered.is_set, "it is being described")
        assert server.memory.used == len(JPEG)
        second.sendall(v2())
        assert read_line(second).startswith(b"False<SEP>0<SEP>busy<SEP>")
        server.loop_thread.post(handler.go_on.set)
        assert read_exactly(first, len(good_v2())) == good_v2()
        second.sendall(v2())  # it was read to its end, so the connection is open
        assert read_exactly(second, len(good_v2())) == good_v2()
        until(lambda: server.memory.used == 0, "nothing is held for who only stays connected")


class Enlarging(FakeHandler):
    """Returns a drawing of 3 MB, as for a picture that is packed well."""

    async def describe(self, request):
        reply = await super().describe(request)
        large = Picture(JPEG + bytes(3_000_000), reply.annotated.header)
        return dataclasses.replace(reply, annotated=large)


def test_drawings_that_nobody_reads_count_too(serve):
    limits = {"max_memory_bytes": 10_000_000, "max_image_bytes": len(JPEG)}
    server = serve(Enlarging(), **limits, send_time=TIME_LIMIT, idle_time=0.3)
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            sock = stack.enter_context(connect(server))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(v2() * 3)
        until(lambda: server.counters["failures"] >= 1, "refused")
        assert server.memory.used <= 10_000_000
    until(lambda: server.memory.used == 0, "all of it is free")
    assert ask(server, v2()).endswith(bytes(3_000_000))


def test_many_small_requests_in_one_piece_leave_others_their_turns(serve):
    server = serve()
    bad, count = b".jpg<SEP>1\nx", 20_000
    with connect(server) as sock, connect(server) as other:
        sending = threading.Thread(target=sock.sendall, args=(bad * count,))
        sending.start()
        until(lambda: server.counters["requests"] > 10, "it has begun")
        other.sendall(v2())
        assert read_exactly(other, len(good_v2())) == good_v2()
        assert server.counters["requests"] < count
        sock.shutdown(socket.SHUT_RDWR)
        sending.join(TIME_LIMIT)


# --- half-closed connections


@pytest.mark.parametrize("data", [v1(), b"jpg<SEP>%d" % len(JPEG) + JPEG], ids=["dot", "no dot"])
def test_who_ends_its_side_in_version_1_is_answered(serve, data):
    assert ask(serve(), data, half_close=True) == good_v1()


@pytest.mark.parametrize("count", [1, 3])
def test_who_ends_its_side_in_version_2_is_answered(serve, count):
    assert ask(serve(), v2() * count, half_close=True) == good_v2() * count
    cut = ask(serve(), v2() + v2()[:-1], half_close=True)
    assert cut.startswith(good_v2() + b"False<SEP>0<SEP>truncated_image<SEP>")
