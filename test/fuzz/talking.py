"""One client's conversation with a listener: it sends what it likes, and reads until the end."""

import contextlib
import socket
import struct
import time
from random import Random

MANNERS = (b"half", b"reset", b"leave", b"stay")
"""What a client does when all is sent: end its side and read, reset, leave, or read."""
OTHER_ADDRESS = ("127.0.0.2", 0)
"""Of the innocent client: limits count by address."""


def manner(random: Random) -> bytes:
    """Return how a client behaves, the first part of an input; most are done at once."""
    return random.choice(MANNERS) if random.random() < 0.2 else b"half"


def talk(port: int, case: list[bytes], limit: float) -> bytes:
    """Send all parts but the first, the manner; return what comes back until the server closes.

    Raises AssertionError if nothing comes for ``limit`` seconds, unless it is the client that
    has to leave.
    """
    how, *parts = case or [b"half"]
    with socket.create_connection(("127.0.0.1", port), limit) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for part in parts:
                sock.sendall(part)
            if how == b"reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if how in (b"reset", b"leave"):
                return b""
            if how != b"stay":
                sock.shutdown(socket.SHUT_WR)
        except TimeoutError:
            if not endless(reply := _read(sock, limit)):  # behind that, nothing is read
                raise AssertionError(f"the server neither read nor cut within {limit} s") from None
            return reply
        except OSError:  # it has cut the connection; the reply may be there all the same
            pass
        return _read(sock, limit)


def ask_from_elsewhere(port: int, request: bytes, limit: float) -> bytes:
    """Return the reply to an innocent client, which sends one request on a new connection."""
    with socket.create_connection(("127.0.0.1", port), limit, source_address=OTHER_ADDRESS) as sock:
        sock.sendall(request)
        return b"".join(iter(lambda: sock.recv(1 << 18), b""))


def _read(sock: socket.socket, limit: float) -> bytes:
    reply, end = bytearray(), time.monotonic() + limit
    with contextlib.suppress(ConnectionError):
        while data := _receive(sock):
            reply += data
            if endless(data) or time.monotonic() > end:  # answers to thousands of requests
                break
    return bytes(reply)


def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(1 << 18)
    except TimeoutError:
        raise AssertionError("neither answered nor cut in time") from None


def endless(reply: bytes | bytearray) -> bool:
    """Return whether a client has to leave: a stream, or a WebSocket that waits for its close."""
    ends = (b"multipart/x-mixed-replace", b"text/event-stream", b"no frame came")
    return any(end in reply for end in ends)
