"""HEAD wherever GET is answered (RFC 9110, section 9.1)."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

IS_HEAD = "i2t_ros.head"
"""Key of the ASGI scope: whether the body of the reply will not be sent."""


class Heads:
    """ASGI middleware that has a HEAD request answered as a GET; uvicorn leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, as a GET if it is a HEAD."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET", IS_HEAD: True}

        async def send_with_route(message: Message) -> None:
            if "route" in asked:  # for those outside, who count by route
                scope["route"] = asked["route"]
            await send(message)

        await self._app(asked, receive, send_with_route)
