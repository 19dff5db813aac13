"""Plain sockets on the TCP listener: what the tests of test_tcp_*.py say and hear."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from local_handlers import FakeHandler
from waiting import TIME_LIMIT

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
SENTENCE = FakeHandler.SENTENCE


class Waiting(FakeHandler):
    """Answers when told to."""

    def __init__(self):
        self.entered = threading.Event()
        self.go_on = asyncio.Event()

    async def describe(self, request):
        self.entered.set()
        await self.go_on.wait()
        return await super().describe(request)


class Raising(FakeHandler):
    def __init__(self, error):
        self.error = error

    async def describe(self, request):
        raise self.error


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), TIME_LIMIT)


def read_all(sock):
    return b"".join(iter(lambda: sock.recv(1 << 16), b""))


def read_line(sock):
    line = b""
    while not line.endswith(b"\n"):
        byte = sock.recv(1)
        assert byte, f"the connection ended after {line}"
        line += byte
    return line


def read_exactly(sock, size):
    data = b""
    while len(data) < size:
        data += sock.recv(size - len(data)) or pytest.fail("the connection ended")
    return data


def v1(image=JPEG, extension=b".jpg"):
    return b"%s<SEP>%d" % (extension, len(image)) + image


def v2(image=JPEG, options=b""):
    return b".jpg<SEP>%d<SEP>%s\n" % (len(image), options) + image


def ask(server, request, half_close=False):
    """One request on a connection of its own; everything that comes back."""
    with connect(server) as sock:
        sock.sendall(request)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        return read_all(sock)


def good_v1(image=JPEG):
    return f"True<SEP>{len(image)}<SEP>{SENTENCE}".encode() + image


def good_v2(image=JPEG):
    return f"True<SEP>{len(image)}<SEP>{SENTENCE}\n".encode() + image


def is_v1_error(reply):
    return reply.startswith("False<SEP>0<SEP>Ocurrió el siguiente error: ".encode())
