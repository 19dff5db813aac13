"""Who may call: names, origins, tokens; and what browsers are told to forbid.

ASGI middleware, outside of everything that reads a request.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Iterator
from email.utils import formatdate
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.settings import HttpSettings

COOKIE = "i2t_session"
AUTHORIZED = "i2t_ros.authorized"
"""Key of the ASGI scope: whether the caller has shown the token, or none is asked for."""
OPEN_PATHS = frozenset(
    {"/", "/healthz", "/readyz", "/docs", "/openapi.json", "/v1/session", "/favicon.ico"}
)
"""What needs no token: nothing here shows a picture or costs work. Also all below /static/."""

CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
}


async def refuse(scope: Scope, receive: Receive, send: Send, problem: HttpProblem) -> None:
    """Answer with a problem, in place of the application."""
    if scope["type"] == "http":
        await problem.response()(scope, receive, send)
    elif "websocket.http.response" in scope.get("extensions", {}):
        response = problem.response()
        await send(
            {
                "type": "websocket.http.response.start",
                "status": response.status_code,
                "headers": response.raw_headers,
            }
        )
        await send({"type": "websocket.http.response.body", "body": response.body})
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": str(problem)[:100]})


class Guard:
    """Refuses callers by Host, Origin and token, and adds the security headers to every reply."""

    def __init__(self, app: ASGIApp, settings: HttpSettings) -> None:
        """Stand before ``app``."""
        self._app = app
        self._settings = settings
        self._hosts = frozenset(
            {"localhost", *own_names(), *map(str.lower, settings.allowed_hosts)}
        )
        self._headers = list(security_headers(settings))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in self._headers:
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
                headers["date"] = formatdate(usegmt=True)
            await send(message)

        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            self._check_origin(scope, headers)
            self._check_token(scope, headers)
        except HttpProblem as problem:
            await refuse(scope, receive, send_with_headers, problem)
            return
        await self._app(scope, receive, send_with_headers)

    def _check_host(self, headers: Headers) -> None:
        """Refuse a name that is not ours.

        A page on attacker.example whose name an attacker has pointed at this machine (DNS
        rebinding) is to its browser of one origin with us. It cannot forge its Host, though, and
        needs a name: an address cannot be rebound.
        """
        host = headers.get("host", "")
        name = (urlsplit(f"//{host}").hostname or "").lower().rstrip(".")
        if not host or "*" in self._hosts or name in self._hosts or _is_address(name):
            return
        raise HttpProblem(
            421,
            f"this server is not known as {name[:80]!r}; call it by its address, or put that name "
            "into the parameter http_allowed_hosts",
        )

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        """Refuse pages of other sites, if their browser would let them act without asking us."""
        acts = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")
        origin = headers.get("origin")
        if not acts or origin is None or origin in self._settings.cors_origins:
            return
        if urlsplit(origin).netloc.lower() == headers.get("host", "").lower():
            return
        if scope["type"] == "websocket" and is_no_browser(origin):
            return
        raise HttpProblem(
            403,
            f"pages of {origin[:80]} may not call this server; "
            "the parameter http_cors_origins can allow them",
            code="forbidden_origin",
        )

    def _check_token(self, scope: Scope, headers: Headers) -> None:
        token = self._settings.token
        path = scope["path"]
        authorized = not token or (
            shows_token(headers.get("authorization", ""), token) or _has_session(headers, token)
        )
        scope[AUTHORIZED] = authorized
        if not (authorized or path in OPEN_PATHS or path.startswith("/static/")):
            raise HttpProblem(
                401,
                "this server asks for a token: send the header 'Authorization: Bearer TOKEN'",
                headers={"www-authenticate": "Bearer"},
            )


def own_names() -> set[str]:
    """Return the names that this machine has in its own network."""
    name = socket.gethostname().lower()
    short = name.split(".")[0]
    return {name, short, f"{short}.local"}


def security_headers(settings: HttpSettings) -> Iterator[tuple[str, str]]:
    """Return what browsers are to be told with every reply."""
    ancestors = " ".join(("'self'", *settings.cors_origins))
    yield "content-security-policy", content_security_policy() + f"; frame-ancestors {ancestors}"
    yield "x-content-type-options", "nosniff"
    yield "referrer-policy", "no-referrer"
    yield "cross-origin-opener-policy", "same-origin"
    shared = "cross-origin" if settings.cors_origins else "same-origin"
    yield "cross-origin-resource-policy", shared
    yield "permissions-policy", "camera=(self), microphone=(), geolocation=()"


def content_security_policy(**changes: str) -> str:
    """Return the policy; ``changes`` replace directives, with underscores for hyphens."""
    policy = CSP | {name.replace("_", "-"): value for name, value in changes.items()}
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def is_no_browser(origin: str) -> bool:
    """Return whether no page of another site can have sent this Origin with a WebSocket.

    The Arduino WebSocket libraries send one: "file://" (Links2004's arduinoWebSockets), which a
    browser sends for a file of its own user, or a URL with a path (gilmaimon's ArduinoWebsockets),
    which none does (RFC 6454, section 7).
    """
    parts = urlsplit(origin)
    return origin == "file://" or bool(parts.netloc and parts.path)


def shows_token(authorization: str, token: str) -> bool:
    """Return whether an Authorization header carries the token; takes as long for any other."""
    scheme, _, shown = authorization.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(
        shown.strip().encode(), token.encode()
    )


def session_value(token: str) -> str:
    """Return what the session cookie holds: proof of the token that does not reveal it."""
    return hmac.new(token.encode(), b"i2t_ros session", hashlib.sha256).hexdigest()


def _has_session(headers: Headers, token: str) -> bool:
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return False
    shown = "" if cookie is None else cookie.value
    return hmac.compare_digest(shown.encode(), session_value(token).encode())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
