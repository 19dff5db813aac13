"""Who may call: names, origins, tokens, rates; and what browsers are told to forbid.

ASGI middleware, outside of everything that reads a request.
"""

import hashlib
import hmac
import ipaddress
import logging
import re
import socket
from collections.abc import Iterator
from email.utils import formatdate
from functools import partial
from itertools import islice
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from i2t_ros.bridges.addresses import network_of
from i2t_ros.bridges.http.middleware.limits import AddressLimits, limited, too_large
from i2t_ros.bridges.http.problems import HttpProblem, problem_response
from i2t_ros.bridges.http.replies import counted_reply
from i2t_ros.bridges.http.settings import HttpSettings
from i2t_ros.bridges.journal import Journal
from i2t_ros.bridges.memory import RequestMemory

COOKIE = "i2t_session"
MAX_SESSIONS = 100
"""Cookies of that name that are looked at: browsers send one for each path that has one."""
AUTHORIZED = "i2t_ros.authorized"
"""Key of the ASGI scope: whether the caller has shown the token, or none is asked for."""
PAGES = frozenset({"/", "/favicon.ico"})
"""What browsers keep, and ask about each time. Also all below /static/."""
SESSION = "/v1/session"
"""Where pages ask whether a token is needed, and show it."""
OPEN_PATHS = PAGES | {"/healthz", "/readyz", "/docs", "/openapi.json", SESSION}
"""What needs no token: nothing here shows a picture or costs work. Also all below /static/."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'"
)
"""The content security policy, but for who may frame a page."""


# The name first: that is searched for fast.
_SESSION = re.compile(rf"{COOKIE}(?<![^;\s]{COOKIE})\s*=([^;]*)")
# FastAPI would have Starlette parse the cookies of every request; see _sessions. Up to 0.49.0 a
# Range of 8 KB of digits takes it 0.4 s, and no file of the page is so large that it needs one.
_UNREAD = (b"cookie", b"range")


async def refuse(scope: Scope, receive: Receive, send: Send, problem: Exception) -> None:
    """Answer with a problem, in place of the application."""
    prefix = "websocket." if scope["type"] == "websocket" else ""

    async def send_refusal(message: Message) -> None:
        await send({**message, "type": prefix + message["type"]})

    # Starlette before 0.37 does not know that a WebSocket can be refused with a reply.
    await problem_response(problem)({**scope, "type": "http"}, receive, send_refusal)


class Guard:
    """Refuses callers by Host, Origin, token, rate and size; adds security headers to replies."""

    def __init__(
        self, app: ASGIApp, settings: HttpSettings, memory: RequestMemory, journal: Journal
    ) -> None:
        self._app = app
        self._memory = memory
        self._journal = journal
        self._settings = settings
        own = socket.gethostname().lower()  # the names that this machine has in its own network
        short = own.split(".")[0]
        allowed = map(str.lower, settings.allowed_hosts)
        self._hosts = frozenset({"localhost", own, short, f"{short}.local", *allowed})
        self._session = session_value(settings.token)
        self._rates = AddressLimits(settings.limits.requests_per_second)
        self._refusals = AddressLimits(settings.limits.refusals_per_second)
        self._ancestors = " ".join(("'self'", *settings.cors_origins))
        self._headers = {
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",  # without, browsers send `Origin: null` with forms
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": (
                "cross-origin" if settings.cors_origins else "same-origin"
            ),
            "permissions-policy": "camera=(self), microphone=(), geolocation=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check what is known before the body, then pass on with limits on the rest."""
        is_page = scope["path"] in PAGES or scope["path"].startswith("/static/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                policy = headers.get("content-security-policy", POLICY)
                headers["content-security-policy"] = f"{policy}; frame-ancestors {self._ancestors}"
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                is_kept = is_page and message["status"] < 400
                headers.setdefault("cache-control", "no-cache" if is_kept else "no-store")
                headers["date"] = formatdate(usegmt=True)
            await send(message)

        caller = HTTPConnection(scope)
        try:
            self._check_rate(caller)
            self._check(caller)
        except HttpProblem as problem:
            address = _address_of(caller)
            line = f"{address} is refused: {problem.detail}"
            self._journal.say(logging.WARNING, address, f"refused {problem.status_code}", line)
            await refuse(scope, receive, send_with_headers, problem)
            return
        scope["headers"] = [each for each in scope["headers"] if each[0] not in _UNREAD]
        if scope["type"] == "websocket":
            await self._app(scope, receive, send_with_headers)
            return
        refuse_reply = partial(refuse, scope, receive, send_with_headers)
        with self._memory.share() as share, self._memory.share() as taken:
            in_limits = limited(receive, self._settings.limits, share)
            send_counted = counted_reply(scope, send_with_headers, taken, refuse_reply)

            async def send_reply(message: Message) -> None:
                if message["type"] == "http.response.start" and not _is_events(message):
                    share.release()  # the body has been used; a stream may need it to its end
                await send_counted(message)

            await self._app(scope, in_limits, send_reply)

    def _check_rate(self, caller: HTTPConnection) -> None:
        if not self._rates.allow(_address_of(caller)):
            raise self._too_many(caller, self._settings.limits.requests_per_second, "requests")

    def _check(self, caller: HTTPConnection) -> None:
        """Refuse who may not call; those who try again and again do not learn why."""
        try:
            self._check_host(caller)
            self._check_origin(caller)
            self._check_token(caller)
        except HttpProblem as problem:
            if self._refusals.allow(network_of(_address_of(caller))):
                raise
            limit = self._settings.limits.refusals_per_second
            raise self._too_many(caller, limit, "refused requests") from problem
        self._check_length(caller)

    def _too_many(self, caller: HTTPConnection, limit: float, what: str) -> HttpProblem:
        address = _address_of(caller)
        return HttpProblem(429, f"more than {limit:g} {what} a second from {address}: slow down")

    def _check_host(self, caller: HTTPConnection) -> None:
        """Refuse a name that is not ours.

        If an attacker points the name attacker.example at this machine (DNS rebinding), browsers
        take the attacker's pages and this server for one origin. But such a page cannot forge its
        Host, and it needs a name: an address cannot be rebound.
        """
        host = caller.headers.get("host", "")
        parts = _parts(f"//{host}")
        is_plain = parts.netloc == host and "@" not in host  # no path, no user, no blanks
        name = (parts.hostname or "").lower().rstrip(".") if is_plain else ""
        if not host or "*" in self._hosts or name in self._hosts or _is_address(name):
            return
        raise HttpProblem(
            421,
            f"this server is not known as {(name or host)[:80]!r}; call it by its address, or put "
            "that name into the parameter http_allowed_hosts",
        )

    def _check_origin(self, caller: HTTPConnection) -> None:
        """Refuse pages of other sites if their browser would let them act without asking us."""
        is_websocket = caller.scope["type"] == "websocket"
        acts = is_websocket or caller.scope["method"] not in ("GET", "HEAD", "OPTIONS")
        origin = caller.headers.get("origin")
        if not acts or origin is None or origin in self._settings.cors_origins:
            return
        own = caller.headers.get("host", "").lower()
        if own and _parts(origin).netloc.lower() == own:
            return
        if is_websocket and is_no_browser(origin):
            return
        raise HttpProblem(
            403,
            f"pages of {origin[:80]} may not call this server; "
            "the parameter http_cors_origins can allow them",
            code="forbidden_origin",
        )

    def _check_token(self, caller: HTTPConnection) -> None:
        token = self._settings.token
        authorized = shows_token(caller, token) or any(
            _is_same(shown, self._session) for shown in _sessions(caller)
        )
        path = caller.scope["path"]
        caller.scope[AUTHORIZED] = authorized
        guesses = caller.scope.get("method") == "POST" or "authorization" in caller.headers
        if path == SESSION and guesses and not shows_token(caller, token):
            raise unauthorized("wrong token")
        if not (authorized or path in OPEN_PATHS or path.startswith("/static/")):
            raise unauthorized(
                "this server asks for a token: send the header 'Authorization: Bearer TOKEN'"
            )

    def _check_length(self, caller: HTTPConnection) -> None:
        limits = self._settings.limits
        length = caller.headers.get("content-length", "")
        if length.isdigit() and int(length) > limits.max_body_bytes:
            raise too_large(limits, f"{int(length)}")


def is_no_browser(origin: str) -> bool:
    """Return whether no page of another site can have sent this Origin with a WebSocket.

    The Arduino WebSocket libraries send one: "file://" (Links2004's arduinoWebSockets), which a
    browser sends for a file of its own user, or a URL with a path (gilmaimon's ArduinoWebsockets),
    which none does (RFC 6454, section 7).
    """
    parts = _parts(origin)
    return origin == "file://" or bool(parts.netloc and parts.path)


def shows_token(caller: HTTPConnection, token: str) -> bool:
    """Return whether the Authorization header has the token, or none is asked for."""
    scheme, _, shown = caller.headers.get("authorization", "").partition(" ")
    return not token or (scheme.lower() == "bearer" and _is_same(shown.strip(), token))


def unauthorized(message: str) -> HttpProblem:
    """Return the refusal of a caller without the token."""
    return HttpProblem(401, message, headers={"www-authenticate": "Bearer"})


def session_value(token: str) -> str:
    """Return what the session cookie holds: proof of the token that does not reveal it."""
    return hmac.new(token.encode(), b"i2t_ros session", hashlib.sha256).hexdigest()


def _is_events(start: Message) -> bool:
    return any(
        name == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in start.get("headers", ())
    )


def _address_of(caller: HTTPConnection) -> str:
    return caller.client.host if caller.client else ""


def _sessions(caller: HTTPConnection) -> Iterator[str]:
    """Yield the values of the session cookies, whatever the others are.

    Not by http.cookies, which Starlette uses: that takes 25 s for 60 KB of backslashes
    (CVE-2024-7592).
    """
    for header in caller.headers.getlist("cookie"):
        for found in islice(_SESSION.finditer(header), MAX_SESSIONS):
            yield found[1].strip()


def _parts(url: str) -> SplitResult:
    """Return the parts of a URL; empty ones of what is none, such as "http://["."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _is_same(shown: str, expected: str) -> bool:
    """Compare secrets; takes as long for a wrong one as for the right one."""
    return hmac.compare_digest(shown.encode(), expected.encode())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
