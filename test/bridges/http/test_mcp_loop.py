"""Calls of tools do not keep the loop that everybody shares."""

import httpx
import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("mcp")
from agents import agent
from loop_watch import watched
from web_support import RectangleDescriber, picture

from i2t_ros.bridges.http.mcp.definitions import MOST_ITEMS
from i2t_ros.types import DescribeRequest, Picture

LONGEST = 0.005  # CPU seconds
MANY = 1000
FRAME = picture([("dog", (40, 60, 140, 200))], extension=".jpg")
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Crowd(RectangleDescriber):
    @staticmethod
    def find(image):
        return RectangleDescriber.find(image)[np.zeros(MANY, int)]


@pytest.fixture
def bridge(web):
    bridge = web(Crowd(), mcp=True)
    bridge.on_loop(bridge.hub.add, "front", "websocket")
    bridge.on_loop(bridge.hub.publish, "front", raw=FRAME)
    return bridge


def ask(client, method, name="", **arguments):
    """Send one request of the newest protocol version; return its result."""
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": MODERN,
        "mcp-method": method,
    }
    params = {"_meta": META}
    if name:
        headers["mcp-name"] = name
        params |= {"name": name, "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    reply = client.post("/mcp", json=message, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()["result"]


def shortest(bridge, call):
    """Return what a call gives, and its longest callback: the shortest of several tries."""
    call()  # what is made once is no part of it
    longest = []
    for _ in range(5):
        with watched(bridge.loop) as watch:
            result = call()
        longest.append(watch.longest)
    return result, min(longest)


@pytest.mark.parametrize(
    ("method", "name", "given"),
    [
        ("tools/list", "", {}),
        ("tools/call", "count", {"class": "dogs"}),
        ("tools/call", "find", {"class": "dogs"}),
        ("tools/call", "describe", {}),
    ],
)
def test_a_call_takes_little_of_the_loop(bridge, method, name, given):
    with httpx.Client(base_url=bridge.url, timeout=30) as client:
        result, longest = shortest(bridge, lambda: ask(client, method, name, **given))
    assert longest < LONGEST
    if name in ("count", "find"):
        assert result["structuredContent"]["count"] == MANY
    if name == "find":
        assert len(result["structuredContent"]["objects"]) == MOST_ITEMS


def test_waiting_for_one_of_many_objects_takes_little_of_the_loop(web):
    bridge = web(mcp=True)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    words = Crowd()(DescribeRequest(picture=Picture(FRAME))).description
    bridge.on_loop(bridge.hub.publish, "front", words=words)
    with httpx.Client(base_url=bridge.url, timeout=30) as client:
        given = {"class": "dog", "count": MANY, "seconds": 600}
        result, longest = shortest(bridge, lambda: ask(client, "tools/call", "wait_for", **given))
    assert result["structuredContent"]["seen"]
    assert longest < LONGEST


def test_the_tools_are_the_same_each_time(bridge):
    async def look(client):
        return [await client.list_tools() for _ in range(2)]

    for mode in ("auto", "legacy"):
        first, second = agent(look, f"{bridge.url}/mcp", mode=mode)
        assert first == second
