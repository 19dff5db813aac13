"""What a reverse proxy in front of the listener says, and replies that are right behind one."""

import ipaddress
import re
from urllib.parse import urlsplit, urlunsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from i2t_ros.bridges.http.settings import Network

PREFIX = "i2t_ros.prefix"
"""Key of the ASGI scope: the path below which a proxy serves us, such as "/robot", or "".

Not the key root_path: what it means for ``path`` differs between Starlette's versions.
"""
MAX_PREFIX = 256  # characters
MAX_PROXIES = 20  # of a chain; what those before them say is ignored
_PREFIX = re.compile(r"(/(?!\.\.?(/|$))[A-Za-z0-9._~-]+)*")


class Proxied:
    """Takes the caller's address, scheme and path prefix from headers of proxies it trusts.

    The Host is not taken from X-Forwarded-Host: a page that points its own name at this machine
    could send that header, and pass the check of names.

    Redirects become relative, so that they are right below a prefix that no header tells.
    """

    def __init__(self, app: ASGIApp, trusted: tuple[Network, ...]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, as the proxy's client asked."""

        async def send_relative(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                if location := headers.get("location"):
                    headers["location"] = _relative(location, scope)
            await send(message)

        address, port = scope["client"] or ("", 0)
        if self._is_trusted(address):
            headers = Headers(scope=scope)
            scope = {
                **scope,
                "client": (self._caller(headers, address), port),
                "scheme": _scheme(headers, scope["scheme"]),
                PREFIX: _prefix(headers),
            }
        await self._app(scope, receive, send_relative)

    def _caller(self, headers: Headers, address: str) -> str:
        """Return the last address that no trusted proxy has: those before it may be invented."""
        for forwarded in reversed(_values(headers, "x-forwarded-for")):
            if _address(forwarded) is None:
                return address
            address = forwarded
            if not self._is_trusted(address):
                return address
        return address

    def _is_trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def prefix_of(caller: HTTPConnection) -> str:
    """Return what belongs before a path that the caller is told."""
    return str(caller.scope.get(PREFIX, ""))


def _values(headers: Headers, name: str) -> list[str]:
    """Return what the proxies next to us say, the nearest last."""
    values = ",".join(headers.getlist(name)).rsplit(",", MAX_PROXIES)[-MAX_PROXIES:]
    return [value.strip() for value in values]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _scheme(headers: Headers, own: str) -> str:
    said = "".join(_values(headers, "x-forwarded-proto")[-1:]).lower()
    if said not in ("http", "https"):
        return own
    return said.replace("http", "ws") if own.startswith("ws") else said


def _prefix(headers: Headers) -> str:
    """Return the prefixes of a chain of proxies, the outermost first; "" for what is no path."""
    prefix = "".join(part.rstrip("/") for part in _values(headers, "x-forwarded-prefix"))
    return prefix if len(prefix) <= MAX_PREFIX and _PREFIX.fullmatch(prefix) else ""


def _relative(location: str, scope: Scope) -> str:
    """Return a redirect to a path of ours as seen from the path that was asked for."""
    parts = urlsplit(location)
    if parts.netloc not in ("", Headers(scope=scope).get("host", "")):
        return location
    up = "../" * (scope["path"].count("/") - 1) or "./"
    return up + urlunsplit(("", "", parts.path.lstrip("/"), parts.query, parts.fragment))
