"""Connections that are too slow, to the moment: what no client can time."""

import asyncio

import pytest

pytest.importorskip("fastapi")

from i2t_ros.bridges.http import connections
from i2t_ros.bridges.http.settings import HttpLimits

TIME_LIMIT = 30.0
SCOPE = {"type": "http", "client": ("10.0.0.1", 5), "server": ("10.0.0.2", 80)}


class Transport(asyncio.Transport):
    """Of a connection between the ends of SCOPE; tells when it is cut."""

    def __init__(self):
        super().__init__({"peername": SCOPE["client"], "sockname": SCOPE["server"]})
        self.cut = asyncio.Event()

    def abort(self):
        self.cut.set()

    def is_closing(self):
        return self.cut.is_set()


@pytest.fixture
def opened(monkeypatch):
    """Return a function that opens a connection: all of them, its protocol and its transport."""
    monkeypatch.setattr(connections, "H11Protocol", asyncio.Protocol)

    def open_():
        everyone = connections.Connections(HttpLimits(header_time=0.05))
        protocol, transport = everyone.protocol(), Transport()
        protocol.connection_made(transport)
        return everyone, protocol, transport

    return open_


def test_bytes_of_the_next_request_that_come_while_an_answer_ends(opened):
    async def main():
        everyone, protocol, transport = opened()

        async def app(scope, receive, send):
            protocol.data_received(b"GET /heal")

        await everyone.around(app)(SCOPE, None, None)
        await asyncio.wait_for(transport.cut.wait(), TIME_LIMIT)
        assert not everyone._open

    asyncio.run(main())


def test_who_is_gone_does_not_take_the_place_of_another_with_its_port(opened):
    async def main():
        everyone, protocol, transport = opened()

        async def app(scope, receive, send):
            transport.abort()
            protocol.connection_lost(None)
            everyone.protocol().connection_made(Transport())

        await everyone.around(app)(SCOPE, None, None)
        assert len(everyone._open) == 1
        assert protocol._timer is None

    asyncio.run(main())
