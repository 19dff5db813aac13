"""`i2t mcp`: the tools over standard input and output, by the SDK's client, and what goes wrong."""

import asyncio
import base64
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("mcp")
from agents import TOKEN, agent, call, refusal, soon
from mcp import MCPError, StdioServerParameters
from streams import decoded, words_of
from waiting import TIME_LIMIT, until
from web_support import WebBridge, picture

from i2t_ros.bridges.http.mcp.proxy import endpoint_of
from i2t_ros.errors import InvalidRequestError

FRAME = picture([("dog", (40, 60, 140, 200)), ("person", (200, 30, 260, 220))], extension=".jpg")
I2T = Path(sys.executable).with_name("i2t")
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture
def bridge(web):
    bridge = web(mcp=True)
    show(bridge)
    return bridge


def show(bridge):
    bridge.on_loop(bridge.hub.add, "front", "websocket")
    bridge.on_loop(bridge.hub.publish, "front", raw=FRAME)


def command(url, **environment):
    return StdioServerParameters(command=str(I2T), args=["mcp", "--url", url], env=environment)


def nobody():
    """Return a URL where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


@MODES
def test_the_tools_of_a_bridge_over_standard_streams(bridge, mode):
    async def talk(client):
        tools = [tool.name for tool in (await client.list_tools()).tools]
        counted = await client.call_tool("count", {"class": "people"})
        shown = await client.call_tool("snapshot", {})
        missing = await client.call_tool("count", {"class": "dog", "camera": "garden"})
        with pytest.raises(MCPError, match="unknown tool 'fly'"):
            await client.call_tool("fly", {})
        return client.instructions, tools, counted, shown, missing

    instructions, tools, counted, shown, missing = agent(talk, command(bridge.url), mode=mode)
    assert "eyes of a robot" in instructions
    assert tools[0] == "list_cameras"
    assert counted.structured_content["count"] == 1
    assert decoded(base64.b64decode(shown.content[0].data)).shape == (240, 320, 3)
    assert missing.content[0].text.endswith("cameras are front")


@MODES
def test_waits_succeed_tell_their_progress_and_can_be_given_up(bridge, mode):
    said = []

    async def told(progress, total, message):
        said.append(message)

    async def talk(client):
        given = {"class": "dog", "seconds": 600}
        wait = asyncio.create_task(client.call_tool("wait_for", given, progress_callback=told))
        await soon(lambda: bridge.services.viewers == 1, "it waits")
        await soon(lambda: said, "progress is told")
        boxes = [("dog", (10, 10, 50, 90))]
        await asyncio.to_thread(bridge.on_loop, bridge.hub.publish, "front", words=words_of(boxes))
        seen = await wait
        wait = asyncio.create_task(client.call_tool("wait_for", given | {"class": "kite"}))
        await soon(lambda: bridge.services.viewers == 1, "it waits again")
        wait.cancel()
        await soon(lambda: bridge.services.viewers == 0, "the bridge has heard of it")
        over = await client.call_tool("wait_for", given | {"class": "kite", "seconds": 0.1})
        return seen, over

    seen, over = agent(talk, command(bridge.url), mode=mode)
    assert seen.structured_content["seen"]
    assert said[0] == "waiting for a picture of camera front"
    assert not over.structured_content["seen"]


def test_without_a_bridge_a_call_says_what_to_start_and_works_when_it_is_there():
    with WebBridge(mcp=True) as first:
        show(first)
        port = first.server.port

        async def talk(client):
            before = await client.call_tool("count", {"class": "dog"})
            await asyncio.to_thread(first.close)
            names = [tool.name for tool in (await client.list_tools()).tools]
            gone = await client.call_tool("count", {"class": "dog"})
            with again(port) as second:
                await asyncio.to_thread(show, second)
                return before, names, gone, await client.call_tool("count", {"class": "dog"})

        before, names, gone, after = agent(talk, command(first.url))
    assert before.structured_content == after.structured_content
    assert "count" in names
    assert gone.is_error
    assert gone.content[0].text.startswith("detector_unreachable: no bridge answers at")
    assert "i2t run --mcp" in gone.content[0].text


def again(port):
    """Return a bridge where another one was."""

    class Bridge(WebBridge):
        async def _start(self):
            from i2t_ros.bridges.camera_hub import CameraHub  # noqa: PLC0415
            from i2t_ros.bridges.http.server import HttpServer  # noqa: PLC0415
            from i2t_ros.bridges.http.services import Services  # noqa: PLC0415

            self.hub = CameraHub()
            self.services = Services(self._handler, self.hub, self.settings, **self._parts)
            server = HttpServer(self.services, port=port)
            await server.start()
            return server

    return Bridge(mcp=True)


def test_a_bridge_that_is_cut_off_in_the_middle_of_a_wait(web):
    bridge = web(mcp=True)
    show(bridge)

    async def talk(client):
        wait = asyncio.create_task(client.call_tool("wait_for", {"class": "dog", "seconds": 600}))
        await soon(lambda: bridge.services.viewers == 1, "it waits")

        def cut():
            for connection in list(bridge.server._server.server_state.connections):
                connection.transport.abort()

        await asyncio.to_thread(bridge.on_loop, cut)
        return await wait, await client.call_tool("list_cameras", {})

    cut_off, after = agent(talk, command(bridge.url))
    assert cut_off.is_error
    assert "the bridge at" in cut_off.content[0].text or "no bridge" in cut_off.content[0].text
    assert not after.is_error


def test_a_wrong_token_and_none_are_told_apart_from_a_missing_bridge(web):
    bridge = web(mcp=True, token=TOKEN)
    for given in ({}, {"I2T_HTTP_TOKEN": "wrong-horse-battery"}):
        text = refusal(command(bridge.url, **given), "list_cameras")
        assert text.startswith("unauthorized: the bridge at ")
        assert "I2T_HTTP_TOKEN" in text
        assert "horse" not in text
    assert call(command(bridge.url, I2T_HTTP_TOKEN=f"{TOKEN}\n"), "list_cameras") == {"cameras": []}


def test_a_bridge_without_mcp_and_another_server_are_named(plain_web):
    text = refusal(command(plain_web.url), "list_cameras")
    assert text.startswith("not_found: ")
    assert "i2t run --mcp" in text


def spoken(process, message):
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()


def started(url):
    process = subprocess.Popen(
        [I2T, "mcp", "--url", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    spoken(process, HELLO)
    assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "i2t_ros"
    spoken(process, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    return process


def wait_in(process, bridge):
    params = {"name": "wait_for", "arguments": {"class": "dog", "seconds": 600}}
    spoken(process, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params})
    until(lambda: bridge.services.viewers == 1, "it waits")


def test_closing_standard_input_ends_it_in_the_middle_of_a_wait(bridge):
    process = started(bridge.url)
    wait_in(process, bridge)
    out, err = process.communicate(timeout=TIME_LIMIT)
    assert (process.returncode, err) == (0, b"")
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in out.splitlines())
    until(lambda: bridge.services.viewers == 0, "the bridge has noticed")


def test_an_agent_that_takes_no_answers_any_more_is_no_reason_for_a_traceback(bridge):
    with started(bridge.url) as process:
        wait_in(process, bridge)
        process.stdout.close()
        spoken(process, {"jsonrpc": "2.0", "id": 3, "method": "ping"})
        process.stdin.close()
        assert process.wait(TIME_LIMIT) == 1
        assert process.stderr.read() == b""
    until(lambda: bridge.services.viewers == 0, "the bridge has noticed")


def test_a_request_that_is_too_large_is_refused_with_words(bridge):
    text = refusal(command(bridge.url), "count", {"class": "x" * 70_000})
    assert "HTTP status 413 " in text


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_at_once(bridge, sign):
    with started(bridge.url) as process:
        wait_in(process, bridge)
        process.send_signal(sign)
        assert process.wait(TIME_LIMIT) in (130, -signal.SIGTERM)
        assert process.stdout.read() == process.stderr.read() == b""
    until(lambda: bridge.services.viewers == 0, "the bridge has noticed")


def test_standard_output_has_the_protocol_alone_and_errors_go_elsewhere():
    process = started(nobody())
    spoken(process, {"jsonrpc": "2.0", "id": 2, "method": "tools/list"})
    assert len(json.loads(process.stdout.readline())["result"]["tools"]) == 7
    process.stdin.write(b"no json\n")
    out, err = process.communicate(timeout=TIME_LIMIT)
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in out.splitlines())
    assert b"no bridge answers" in err
    assert b"Traceback" not in err


def test_it_needs_no_ros():
    code = """
import sys
sys.modules["rclpy"] = None
from i2t_ros.bridges.http.mcp import proxy
assert "fastapi" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://robot:8080", "http://robot:8080/mcp"),
        ("http://robot:8080/mcp/", "http://robot:8080/mcp"),
        ("https://[::1]/robot/", "https://[::1]/robot/mcp"),
        ("http://robot/?x=1#y", "http://robot/mcp"),
    ],
)
def test_the_url_of_a_bridge(given, expected):
    assert endpoint_of(given) == expected


@pytest.mark.parametrize("url", ["robot:8080", "ftp://robot", "http://", "http://[", "http://a:b"])
def test_a_url_that_is_none(url):
    with pytest.raises(InvalidRequestError, match="expected http://HOST:PORT"):
        endpoint_of(url)
    done = subprocess.run([I2T, "mcp", "--url", url], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "[invalid_request]" in done.stderr
