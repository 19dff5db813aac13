"""Agents: clients of the Model Context Protocol, by its SDK, for tests without a loop."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("mcp")
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from waiting import TIME_LIMIT, until

TOKEN = "correct-horse-battery"  # noqa: S105


def agent(function, *servers, **options):
    """Return what an asynchronous function makes of clients of these servers.

    A server is a URL, or a command's StdioServerParameters.
    """

    async def talk():
        clients = [Client(_transport(server), **options) for server in servers]
        for client in clients:
            await client.__aenter__()
        try:
            return await function(*clients)
        finally:
            for client in reversed(clients):
                await client.__aexit__(None, None, None)

    try:
        return asyncio.run(asyncio.wait_for(talk(), TIME_LIMIT))
    except Exception as error:
        cause = error
        while inner := getattr(cause, "exceptions", ()):  # of the SDK's groups of tasks
            cause = inner[0]
        raise cause from error


def _transport(server):
    return stdio_client(server) if isinstance(server, StdioServerParameters) else server


@asynccontextmanager
async def with_token(url, token):
    """Connect to a server that is shown a token."""
    headers = {"authorization": f"Bearer {token}"}
    async with (
        create_mcp_http_client(headers=headers) as http,
        streamable_http_client(url, http_client=http) as streams,
    ):
        yield streams


def call(server, name, _options=None, **arguments):
    """Return the result of one tool, as data; an error is not expected."""
    result = raw_call(server, name, arguments, **(_options or {}))
    assert not result.is_error, result.content
    assert json.loads(result.content[-1].text) == result.structured_content
    return result.structured_content


def refusal(server, name, arguments=None, **options):
    """Return the text of an error that one tool is expected to give."""
    result = raw_call(server, name, arguments, **options)
    assert result.is_error, result.content
    assert result.structured_content is None
    (content,) = result.content
    assert "Traceback" not in content.text
    return content.text


def raw_call(server, name, arguments=None, **options):
    async def talk(client):
        return await client.call_tool(name, arguments or {})

    return agent(talk, server, **options)


async def soon(condition, what):
    """Wait until a condition of the other threads holds."""
    await asyncio.to_thread(until, condition, what)
