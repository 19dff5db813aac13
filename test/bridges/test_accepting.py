"""Accepting connections: within limits, also of the process, and with time for others."""

import asyncio
import contextlib
import errno
import logging
import resource
import socket

import pytest

from i2t_ros.bridges import accepting
from i2t_ros.bridges.accepting import Acceptor, bind, descriptors

TIME_LIMIT = 30.0


class Full(socket.socket):
    """A listening socket of a process that has no file descriptor left for a while."""

    failures = 3

    def accept(self):
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


class Greeting(asyncio.Protocol):
    def connection_made(self, transport):
        transport.write(b"hello")
        transport.close()


async def greeting(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = await asyncio.wait_for(reader.read(), TIME_LIMIT)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return said


def test_connections_wait_while_there_is_no_file_descriptor_and_the_log_says_so_once(caplog):
    async def main():
        with Full() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            listening.setblocking(False)
            acceptor = Acceptor([listening], Greeting, lambda _: True, 1)
            port = listening.getsockname()[1]
            assert await asyncio.gather(greeting(port), greeting(port)) == [b"hello"] * 2
            assert listening.failures == 0
            await acceptor.close()

    asyncio.run(main())
    (line,) = (r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING)
    assert line.startswith("connections have to wait: [Errno 24] Too many open files")
    assert "ulimit -n" in line


def test_one_that_is_too_many_is_closed(caplog):
    async def main():
        (listening,) = bind("127.0.0.1", 0)
        port = listening.getsockname()[1]
        acceptor = Acceptor([listening], Greeting, lambda _: False, 1)
        assert await greeting(port) == b""
        await acceptor.close()
        await acceptor.close()

    asyncio.run(main())


def test_one_that_comes_while_all_ends_leaves_nothing_behind():
    async def main():
        (listening,) = bind("127.0.0.1", 0)
        acceptor = Acceptor([listening], Greeting, lambda _: True, 1)
        with socket.create_connection(listening.getsockname(), TIME_LIMIT) as client:
            acceptor._accept(listening)  # what the loop does when it can be read
            await acceptor.close()
            assert client.recv(10) in (b"", b"hello")

    asyncio.run(main())  # pytest fails for a socket that nobody has closed


def test_an_address_that_cannot_be_listened_on_is_named():
    (taken,) = bind("127.0.0.1", 0)
    with taken, pytest.raises(OSError, match=r"127\.0\.0\.1 port \d+: Address already in use"):
        bind("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("limits", "raised", "most"),
    [
        ((4096, 4096), None, 512),
        ((256, 4096), (1152, 4096), 512),
        ((256, 512), (512, 512), 192),
        ((64, 64), (64, 64), 1),
        ((256, resource.RLIM_INFINITY), (1152, resource.RLIM_INFINITY), 512),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None, 512),
    ],
)
def test_a_process_takes_as_many_connections_as_it_may_have_files(
    monkeypatch, caplog, limits, raised, most
):
    set_to = []
    monkeypatch.setattr(accepting.resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(accepting.resource, "setrlimit", lambda _, values: set_to.append(values))
    assert descriptors(512) == most
    assert set_to == ([raised] if raised else [])
    assert ("ulimit -n" in caplog.text) is (most < 512)


def test_listeners_of_one_process_share_its_files(monkeypatch):
    monkeypatch.setattr(accepting.resource, "getrlimit", lambda _: (256, 256))
    monkeypatch.setattr(accepting.resource, "setrlimit", lambda *_: None)

    async def main():
        assert not accepting._promised
        acceptors = [Acceptor(bind("127.0.0.1", 0), asyncio.Protocol, bool, 128) for _ in range(3)]
        assert [each.most for each in acceptors] == [64, 32, 16]
        for each in acceptors:
            await each.close()
        assert not accepting._promised

    asyncio.run(main())
