"""The tools over standard input and output, for programs that start their tools: `i2t mcp`.

It passes every call on to the /mcp of a bridge, over a connection of its own: so nothing has to be
mended when the bridge has gone and come back.
"""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
from mcp import Client, MCPError, stdio_server
from mcp import types as protocol
from mcp.client.streamable_http import streamable_http_client
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from i2t_ros.bridges.http.mcp.definitions import INSTRUCTIONS
from i2t_ros.bridges.http.mcp.talking import NAME, failed, listed_tools
from i2t_ros.errors import DetectorUnreachableError, InvalidRequestError
from i2t_ros.resources import version

log = logging.getLogger("i2t_ros.mcp")

CONNECT_TIME = 5.0  # seconds
SILENCE = 60.0
"""Seconds without a byte after which a bridge is given up: it sends one every 15 s at least."""
START = "start one with `i2t run --mcp`, or name another with --url"
WHAT_TO_DO = {
    401: "the token is missing or wrong: set the environment variable I2T_HTTP_TOKEN to the one "
    "that the bridge was started with",
    404: "it has no /mcp: start it with `i2t run --mcp`, or bridge_node with http:=true and "
    "http_mcp:=true",
}
"""What helps against a refusal, by its status; the others say so themselves."""


class BridgeError(Exception):
    """Why a bridge cannot be used, and what to do; with a code for the model."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Proxy:
    """A server of the tools, all of whose answers come from a bridge."""

    def __init__(self, url: str, token: str = "") -> None:
        """Name the bridge; raises InvalidRequestError for a URL that is none."""
        self.url = endpoint_of(url)
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self.server: Server[Any] = Server(
            NAME,
            version=version(),
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )

    async def serve(self) -> None:
        """Answer until standard input ends; raises BrokenPipeError if nobody takes the answers."""
        options = self.server.create_initialization_options()
        try:
            async with stdio_server() as (incoming, outgoing):
                await self.server.run(incoming, outgoing, options)
        except Exception as error:
            raise _cause(error) from None

    async def _list(
        self, context: ServerRequestContext[Any], params: protocol.PaginatedRequestParams | None
    ) -> protocol.ListToolsResult:
        """Return the bridge's tools; if there is none, those of this version, for later."""
        try:
            async with self._bridge() as client:
                return protocol.ListToolsResult(tools=(await client.list_tools()).tools)
        except BridgeError as error:
            log.warning("%s", error)
            return listed_tools()

    async def _call(
        self, context: ServerRequestContext[Any], params: protocol.CallToolRequestParams
    ) -> protocol.CallToolResult:
        try:
            async with self._bridge() as client:
                return await client.call_tool(
                    params.name, params.arguments, progress_callback=context.session.report_progress
                )
        except BridgeError as error:
            log.warning("%s", error)
            return failed(error.code, str(error))

    @asynccontextmanager
    async def _bridge(self) -> AsyncIterator[Client]:
        """Yield a client of the bridge; raises BridgeError, and MCPError for what it refuses."""
        transport = _Explaining(self.url)
        timeout = httpx2.Timeout(SILENCE, connect=CONNECT_TIME)
        try:
            async with (
                httpx2.AsyncClient(
                    headers=self._headers, timeout=timeout, transport=transport
                ) as http,
                Client(streamable_http_client(self.url, http_client=http)) as client,
            ):
                yield client
        except Exception as error:
            if transport.problem is not None:
                raise transport.problem from error
            cause = _cause(error)
            if isinstance(cause, MCPError) and cause.code != protocol.CONNECTION_CLOSED:
                raise cause from None
            raise BridgeError(
                DetectorUnreachableError.code,
                f"the bridge at {self.url} is gone ({cause}): {START}",
            ) from error


_ANSWERS = ("application/json", "text/event-stream")
"""Media types of streamable HTTP."""


class _Explaining(httpx2.AsyncHTTPTransport):
    """Sends requests, and remembers why the bridge could not be reached, or refused one."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.problem: BridgeError | None = None
        self._url = url

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response = await super().handle_async_request(request)
        except httpx2.TransportError as error:
            code, why = DetectorUnreachableError.code, str(error) or type(error).__name__
            self.problem = BridgeError(code, f"no bridge answers at {self._url} ({why}): {START}")
            raise
        self.problem = None
        kind = response.headers.get("content-type", "").partition(";")[0]
        if response.is_success and kind not in ("", *_ANSWERS):
            message = f"what answers at {self._url} is no bridge (it sends {kind[:80]}): see --url"
            self.problem = BridgeError(DetectorUnreachableError.code, message)
        if response.status_code >= 400:
            await response.aread()
            self.problem = _refusal(self._url, response)
        return response


def endpoint_of(url: str) -> str:
    """Return the URL of /mcp for that of a bridge; raises InvalidRequestError for none."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        named = False
    if not named:
        raise InvalidRequestError(f"--url: expected http://HOST:PORT, got {url!r}")
    path = parts.path.rstrip("/")
    return parts._replace(
        path=path if path.endswith("/mcp") else f"{path}/mcp", query="", fragment=""
    ).geturl()


def _refusal(url: str, response: httpx2.Response) -> BridgeError | None:
    """Return why a bridge has refused a request; None for an error of the protocol itself."""
    try:
        error = json.loads(response.content)["error"]
        code, message = error["code"], error["message"]
    except (ValueError, KeyError, TypeError):
        status = f"{response.status_code} {response.reason_phrase}".strip()
        code, message = "error", f"HTTP status {status}"
    if not isinstance(code, str):  # JSON-RPC's are numbers
        return None
    words = WHAT_TO_DO.get(response.status_code, message)
    return BridgeError(code, f"the bridge at {url} refuses this: {words}")


def _cause(error: BaseException) -> BaseException:
    """Return the first error within groups of errors, which task groups make."""
    while inner := getattr(error, "exceptions", ()):
        error = inner[0]
    return error
