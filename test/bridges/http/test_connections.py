"""Connections that are too slow, to the moment: what no client can time."""

import asyncio

import pytest

pytest.importorskip("fastapi")
import uvicorn
from uvicorn.server import ServerState

from i2t_ros.bridges.http import server
from i2t_ros.bridges.http.connections import TimedProtocol, in_time
from i2t_ros.bridges.http.settings import HttpLimits
from i2t_ros.bridges.http.turns import Turns
from i2t_ros.bridges.http.waiting import Waiting

TIME_LIMIT = 30.0
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Transport(asyncio.Transport):
    """Takes everything; tells when it is cut."""

    def __init__(self):
        super().__init__({"peername": ("10.0.0.1", 5), "sockname": ("10.0.0.2", 80)})
        self.cut = asyncio.Event()

    def abort(self):
        self.cut.set()

    def is_closing(self):
        return self.cut.is_set()

    def write(self, data):
        pass

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


class Connected:
    """A connection to an application that is called with it, on the running loop."""

    def __init__(self, app):
        async def answer(scope, receive, send):
            await app(self)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        config = uvicorn.Config(in_time(answer), log_config=None, lifespan="off")
        limits = HttpLimits(header_time=0.05)
        self.state = ServerState()
        self.protocol = TimedProtocol(
            limits, Waiting(), Turns(), config=config, server_state=self.state, app_state={}
        )
        self.transport = Transport()
        self.protocol.connection_made(self.transport)
        self.protocol.data_received(REQUEST)


def test_bytes_of_the_next_request_that_come_while_an_answer_ends():
    async def app(connected):
        connected.protocol.data_received(b"GET /heal")

    async def main():
        await asyncio.wait_for(Connected(app).transport.cut.wait(), TIME_LIMIT)

    asyncio.run(main())


def test_an_answer_may_take_longer_than_its_headers_and_silence_after_it_may_not():
    was_cut = []

    async def app(connected):
        await asyncio.sleep(0.2)
        was_cut.append(connected.transport.cut.is_set())

    async def main():
        await asyncio.wait_for(Connected(app).transport.cut.wait(), TIME_LIMIT)

    asyncio.run(main())
    assert was_cut == [False]


def test_nothing_is_waited_for_once_the_client_has_left():
    async def app(connected):
        connected.transport.abort()
        connected.protocol.connection_lost(None)

    async def main():
        connected = Connected(app)
        await asyncio.gather(*connected.state.tasks)
        assert not connected.state.connections
        assert connected.protocol._timer is None

    asyncio.run(main())


def test_an_answer_that_is_tidied_up_late_starts_no_limit_for_the_next(web, monkeypatch):
    """An application may end after the client has its reply, and has asked again."""
    header_time, again = 0.2, asyncio.Event()

    async def app(scope, receive, send):
        if scope["path"] == "/again":
            again.set()
            await asyncio.sleep(3 * header_time)  # an answer that takes its time
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})
        await again.wait()

    monkeypatch.setattr(server, "create_app", lambda *_: app)
    bridge = web(header_time=header_time)
    with bridge.client() as client:
        assert client.get("/").status_code == client.get("/again").status_code == 200
