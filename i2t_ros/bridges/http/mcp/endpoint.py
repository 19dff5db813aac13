"""/mcp: the tools over streamable HTTP, by the SDK of the Model Context Protocol.

Every request stands alone (the SDK calls that stateless), so there are no sessions that clients
could pile up, or that a restart of the bridge would end. The SDK's own check against DNS rebinding
is not used: the middleware Guard checks Host and Origin, and knows which names are allowed.
"""

import asyncio
import base64
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mcp import types as protocol
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from i2t_ros.bridges.http.mcp import looking
from i2t_ros.bridges.http.mcp.definitions import INSTRUCTIONS, TOOLS, Tool
from i2t_ros.bridges.http.mcp.talking import NAME, failed, listed_tools, unknown_tool
from i2t_ros.bridges.http.mcp.waiting import wait_for
from i2t_ros.bridges.http.problems import validation_message
from i2t_ros.bridges.http.replies import CONNECTION
from i2t_ros.bridges.http.services import Services
from i2t_ros.errors import I2tError, InvalidRequestError
from i2t_ros.resources import version

log = logging.getLogger("i2t_ros.http")

MAX_BYTES = 64 << 10
"""Of a request: as much as a JSON body may have elsewhere."""

Run = Callable[[Services, Any, looking.Tell], Awaitable[looking.Outcome]]
RUN: Mapping[str, Run] = {
    "list_cameras": looking.list_cameras,
    "describe": looking.describe,
    "count": looking.count,
    "find": looking.find,
    "snapshot": looking.snapshot,
    "ask": looking.ask,
    "wait_for": wait_for,
}
"""What each tool of ``definitions`` does."""


class McpEndpoint:
    """An ASGI application; opened and closed by the listener, on its loop.

    path  where it is served
    """

    path = "/mcp"

    def __init__(self, services: Services) -> None:
        self._services = services
        server: Server[Any] = Server(
            NAME,
            version=version(),
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        self._manager = StreamableHTTPSessionManager(
            server, stateless=True, max_request_body_size=MAX_BYTES
        )
        self._answering = 0
        self._closing = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to answer."""
        started = asyncio.Event()
        self._running = asyncio.create_task(self._run(started))
        await started.wait()

    async def _run(self, started: asyncio.Event) -> None:
        # In one task: the manager has a task group, which is left where it was entered.
        async with self._manager.run():
            started.set()
            await self._closing.wait()

    async def close(self) -> None:
        """End what is still being answered."""
        self._closing.set()
        if self._running is not None:
            await self._running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["route"] = self  # metrics count requests by its path
        # Agents leave by closing the connection, also in the middle of a wait of minutes.
        scope["state"][CONNECTION].ends_with_client = True
        self._answering += 1
        try:
            await self._manager.handle_request(scope, receive, send)
        finally:
            self._answering -= 1
            if not self._answering:
                _end_watcher()

    async def _list(
        self, context: ServerRequestContext[Any], params: protocol.PaginatedRequestParams | None
    ) -> protocol.ListToolsResult:
        return listed_tools()

    async def _call(
        self, context: ServerRequestContext[Any], params: protocol.CallToolRequestParams
    ) -> protocol.CallToolResult:
        if (tool := TOOLS.get(params.name)) is None:
            raise unknown_tool(params.name)
        try:
            given = _read(tool, params.arguments or {})
            run = RUN[params.name]
            done = await run(self._services, given, context.session.report_progress)
        except I2tError as error:
            return failed(error.code, str(error))
        except Exception:
            log.exception("the tool %s failed", params.name)
            return failed(I2tError.code, "the bridge failed; its log says why")
        return _result(done)


def _end_watcher() -> None:
    """End the task that sse-starlette leaves behind, which wakes the loop twice a second for ever.

    It looks for the end of a uvicorn that runs by itself. The SDK answers clients of versions of
    the protocol before 2026-07-28 with that package.
    """
    for task in asyncio.all_tasks():
        if getattr(task.get_coro(), "__qualname__", "") == "_shutdown_watcher":
            task.cancel()


def _read(tool: Tool, values: dict[str, Any]) -> Any:
    try:
        return tool.arguments.model_validate(values)
    except ValidationError as error:
        raise InvalidRequestError(validation_message(error.errors())[:500]) from None


def _result(done: looking.Outcome) -> protocol.CallToolResult:
    """Return data as such and, for older clients, as text; a picture comes first."""
    content: list[protocol.ContentBlock] = []
    if done.jpeg:
        coded = base64.b64encode(done.jpeg).decode()
        content.append(protocol.ImageContent(data=coded, mime_type="image/jpeg"))
    content.append(protocol.TextContent(text=json.dumps(done.data, ensure_ascii=False)))
    return protocol.CallToolResult(content=content, structured_content=done.data)
