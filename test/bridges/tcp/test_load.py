"""The TCP listener under old clients, hostile bytes and a crowd."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import tracemalloc

import pytest
from local_handlers import FakeHandler, LocalHandler
from project import ROOT

SUPPORT = ROOT / "test" / "support"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8
SENTENCE = FakeHandler.SENTENCE
TIME_LIMIT = 60.0


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """Thousands of log lines would be kept for a report that nobody reads."""
    caplog.set_level(logging.CRITICAL, "i2t_ros.tcp")


@contextlib.contextmanager
def program(name, *arguments):
    """One of the independently written clients, in a process of its own."""
    command = [sys.executable, str(SUPPORT / name), *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def result(process):
    output, errors = process.communicate(timeout=TIME_LIMIT)
    assert process.returncode == 0, errors.decode()
    return json.loads(output)


@pytest.fixture
def picture(tmp_path):
    """Return a function that puts a picture of so many bytes into a file."""

    def write(size):
        path = tmp_path / f"{size}.jpg"
        path.write_bytes((JPEG * (size // len(JPEG) + 1))[:size])
        return path

    return write


# --- old clients


class Working(FakeHandler):
    """Takes a while, in a thread."""

    def __init__(self):
        self._pool = LocalHandler(lambda _: sum(range(30_000)), workers=2, max_waiting=100)

    async def describe(self, request):
        await self._pool.describe(request)
        return await super().describe(request)

    def close(self):
        self._pool.close()


def test_2000_headers_under_load_come_without_a_byte_of_the_picture(serve, picture):
    handler = Working()
    server = serve(handler)
    photo = picture(60_000)
    with contextlib.ExitStack() as stack:
        stack.callback(handler.close)
        clients = [
            stack.enter_context(program("v1_recv4096.py", server.port, photo, SENTENCE, 250))
            for _ in range(8)
        ]
        counts = [result(client) for client in clients]
    assert sum(count["glued"] for count in counts) == 0
    starved = sum(count["starved"] for count in counts)
    assert sum(count["whole"] for count in counts) == 2000 - starved
    assert starved < 100, "this machine is too busy to tell"
    assert server.counters["requests"] == 2000


@pytest.mark.parametrize("extension", [".jpg", "JPEG", "webp"])
@pytest.mark.parametrize("name", ["v1_byte_by_byte.py", "v1_one_segment.py"])
def test_old_clients_of_other_kinds(serve, picture, name, extension):
    with program(name, serve().port, picture(3000), extension) as client:
        assert result(client) == ["True", SENTENCE, True]


# --- hostile bytes


def requests(chance):
    """Return a few valid requests in a row."""
    image = JPEG[: chance.randrange(4, 200)]
    extension = chance.choice([b".jpg", b"png", b".BMP"])
    options = chance.choice([b"", b"<SEP>", b"<SEP>lang=en;annotate=0", b"<SEP>tasks=faces"])
    ahead = b"".join(
        b"%s<SEP>%d%s\n" % (extension, len(image), options) + image
        for _ in range(chance.randrange(3))
    )
    return ahead + b"%s<SEP>%d" % (extension, len(image)) + image


def mutated(chance):
    data = bytearray(requests(chance))
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(data) + 1)
        until = at + chance.randrange(12)
        junk = chance.choice(
            [b"", b"<SEP>", b"\n", b"9", b"0", b";", b"camera=", b"\0", chance.randbytes(8)]
        )
        data[at:until] = junk
    return bytes(data)


async def send_and_leave(port, data, manner):
    """Return what the listener says until it closes, or None for those who do not wait for it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        if manner == "reset":
            no_linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, no_linger
            )
            return None
        if manner == "end":
            with contextlib.suppress(OSError):  # the listener may have closed it already
                writer.write_eof()
        return await asyncio.wait_for(reader.read(), TIME_LIMIT)
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.mark.slow
def test_10000_mutated_requests_are_answered_or_closed(serve):
    server = serve(
        idle_time=0.5, empty_time=0.05, header_pause=0, linger_time=0.5, max_image_bytes=5000
    )
    chance = random.Random(7)
    seen = {"True": 0, "False": 0, "": 0}

    async def attack():
        gate = asyncio.Semaphore(60)

        async def one(data, manner):
            async with gate:
                reply = await send_and_leave(server.port, data, manner)
            if reply is not None:
                seen[reply.partition(b"<SEP>")[0].decode()] += 1

        manners = chance.choices(["end", "reset", "stay"], [90, 7, 3], k=10_000)
        await asyncio.gather(*(one(mutated(chance), manner) for manner in manners))
        assert await send_and_leave(server.port, good_request(), "end") == good_reply()

    asyncio.run(attack())
    assert seen["True"] > 1000
    assert seen["False"] > 1000
    assert sum(seen.values()) > 9000


# --- a crowd

LARGE = JPEG * 100


def good_request(image=JPEG):
    return b".jpg<SEP>%d" % len(image) + image


def good_reply(image=JPEG):
    return f"True<SEP>{len(image)}<SEP>{SENTENCE}".encode() + image


async def well_behaved(port):
    """Return the longest wait of five requests, in seconds."""
    longest = 0.0
    for _ in range(5):
        began = time.monotonic()
        reply = await send_and_leave(port, good_request(LARGE), "stay")
        longest = max(longest, time.monotonic() - began)
        assert reply == good_reply(LARGE)
    return longest


async def silent(port):
    assert await send_and_leave(port, b"", "stay") == b""


async def slow(port):
    """Send a byte now and then, until the listener has had enough."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    reading = asyncio.ensure_future(reader.read())
    for byte in good_request():
        writer.write(bytes([byte]))
        if (await asyncio.wait([reading], timeout=0.1))[0]:
            break
    writer.close()
    await writer.wait_closed()
    assert (await reading).startswith(b"False<SEP>0<SEP>")


async def deaf(port):
    """Ask for a large picture and never read it."""
    sock = socket.create_connection(("127.0.0.1", port), TIME_LIMIT)
    sock.setblocking(False)
    with sock:
        await asyncio.get_running_loop().sock_sendall(sock, good_request(LARGE * 20))
        await asyncio.sleep(1.5)


async def vanishing(port):
    for share in range(4):
        part = len(LARGE) * share // 4
        await send_and_leave(port, good_request(LARGE)[:part], "reset")


def open_files():
    return len(os.listdir("/proc/self/fd"))


def test_a_crowd_of_64_with_bad_company(serve):
    server = serve(
        idle_time=1.5, receive_time=2.0, send_time=1.0, linger_time=0.5, max_connections=128
    )

    async def crowd():
        good = [asyncio.ensure_future(well_behaved(server.port)) for _ in range(40)]
        bad = [kind(server.port) for kind in (silent, slow, deaf, vanishing) for _ in range(6)]
        await asyncio.gather(*bad, *good)
        return max(task.result() for task in good)

    def settle():
        everybody_left = threading.Event()
        deadline = time.monotonic() + TIME_LIMIT
        while server._connections:
            assert time.monotonic() < deadline
            everybody_left.wait(0.02)
        gc.collect()
        return open_files(), tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        asyncio.run(crowd())  # fills caches and free lists
        files, memory = settle()
        longest_wait = asyncio.run(crowd())
        files_after, memory_after = settle()
    finally:
        tracemalloc.stop()
    assert server.counters["turned_away"] == 0
    assert longest_wait < 1.5  # seconds; less than the listener gives the silent ones
    assert files_after == files
    assert memory_after - memory < 100_000  # bytes; one picture kept would be 205,200
