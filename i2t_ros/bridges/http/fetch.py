"""Pictures from URLs, without becoming anybody's way into this network.

Every name is resolved here, all its addresses are checked, and the connection is made to the very
address that was checked: a name that resolves differently a moment later (DNS rebinding) changes
nothing. A redirect is a new URL and goes through all of it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote, urljoin, urlsplit

import h11

from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.settings import FetchSettings, Network

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
Resolve = Callable[[str, int], Awaitable[list[str]]]

CHUNK = 1 << 16
PORTS = {"http": 80, "https": 443}
_IN_URL = "/%:@!$&'()*+,;=-._~"  # what stays as it is, RFC 3986

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
TUNNELS = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))
"""Teredo and 6to4: IPv6 addresses that end somewhere in IPv4."""
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""What of IPv6 has been given out so far (RFC 4291, section 2.4)."""
NOT_PUBLIC = (
    ipaddress.IPv4Network("192.0.0.0/24"),  # protocol assignments; Oracle's cloud has services here
    ipaddress.IPv4Network("168.63.129.16/32"),  # the inside of Azure (WireServer)
)
"""Addresses that Python, or some version of it, takes for public."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in its parts: the host to ask, and what to ask it for."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The value of the Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return (
            name if self.port == PORTS["https" if self.tls else "http"] else f"{name}:{self.port}"
        )


class Fetcher:
    """Fetches pictures over HTTP and HTTPS, from public addresses."""

    def __init__(
        self, settings: FetchSettings, max_bytes: int, resolve: Resolve | None = None
    ) -> None:
        """Fetch at most ``max_bytes``; ``resolve`` takes the place of the system's name service."""
        self._settings = settings
        self._max_bytes = max_bytes
        self._resolve = resolve or resolve_name
        self._tls = ssl.create_default_context()

    async def fetch(self, url: str) -> bytes:
        """Return what is at ``url``.

        Raises HttpProblem: 422 for a URL that is none, 403 (fetch_refused) for one that leads
        where nobody may go, 413 for too many bytes, 502 and 504 where the other server fails.
        """
        try:
            return await asyncio.wait_for(self._follow(url), self._settings.time)
        except asyncio.TimeoutError:
            raise HttpProblem(
                504, f"the picture did not come within {self._settings.time:g} s", "time_limit"
            ) from None
        except (OSError, ssl.SSLError, h11.RemoteProtocolError) as error:
            raise HttpProblem(502, f"cannot fetch the picture: {error}", "fetch_failed") from error

    async def _follow(self, url: str) -> bytes:
        for _ in range(self._settings.max_redirects + 1):
            async with self._opened(read_url(url, self._settings.ports)) as reply:
                if reply.location is None:
                    return await reply.body(self._max_bytes)
                url = urljoin(url, reply.location)
        raise HttpProblem(
            502, f"more than {self._settings.max_redirects} redirects", "fetch_failed"
        )

    @contextlib.asynccontextmanager
    async def _opened(self, target: Target) -> AsyncIterator[_Reply]:
        """Connect to a vetted address, ask, and read the head of the reply."""
        reader, writer = await self._connect(target)
        try:
            reply = _Reply(reader)
            writer.write(reply.ask(target))
            await writer.drain()
            await reply.read_head()
            yield reply
        finally:
            writer.transport.abort()

    async def _connect(self, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the first address that answers, once all of them are known to be public."""
        found = [
            ipaddress.ip_address(text) for text in await self._resolve(target.host, target.port)
        ]
        for address in found:
            if not may_reach(address, self._settings.allowed):
                raise refused(f"{target.host} is {address}, which is not a public address")
        failure = OSError(f"{target.host} has no address")
        for address in found:
            try:
                return await asyncio.open_connection(
                    str(address),
                    target.port,
                    ssl=self._tls if target.tls else None,
                    server_hostname=target.host if target.tls else None,
                )
            except OSError as error:
                failure = error
        raise failure


class _Reply:
    """One exchange in HTTP/1.1; the bytes go through h11."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.location: str | None = None
        self._reader = reader
        self._connection = h11.Connection(h11.CLIENT)

    def ask(self, target: Target) -> bytes:
        """Return the request."""
        request = h11.Request(
            method="GET",
            target=target.path,
            headers=[
                ("Host", target.host_header),
                ("User-Agent", "i2t_ros"),
                ("Accept", "image/jpeg,image/png,image/webp,image/bmp"),
                ("Accept-Encoding", "identity"),
                ("Connection", "close"),
            ],
        )
        sent = self._connection.send(request) or b""
        return sent + (self._connection.send(h11.EndOfMessage()) or b"")

    async def read_head(self) -> None:
        """Read status and headers; raises HttpProblem for anything but success or a redirect."""
        event = await self._next()
        while isinstance(event, h11.InformationalResponse):
            event = await self._next()
        if not isinstance(event, h11.Response):
            raise h11.RemoteProtocolError("the server closed the connection without a reply")
        headers = {name.lower(): value.decode("latin-1") for name, value in event.headers}
        if event.status_code in (301, 302, 303, 307, 308) and b"location" in headers:
            self.location = headers[b"location"]
            return
        if event.status_code != 200:
            raise HttpProblem(
                502, f"the picture's server answered {event.status_code}", "fetch_failed"
            )
        kind = headers.get(b"content-type", "").partition(";")[0].strip().lower()
        if not kind.startswith("image/") and kind not in ("", "application/octet-stream"):
            raise HttpProblem(
                415, f"expected a picture at the URL, its server says {kind[:80]!r}", "not_an_image"
            )

    async def body(self, max_bytes: int) -> bytes:
        """Return the rest; raises HttpProblem where it is too much."""
        parts = bytearray()
        while not isinstance(event := await self._next(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                parts += event.data
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                break
            if len(parts) > max_bytes:
                raise HttpProblem(
                    413, f"expected a picture of at most {max_bytes} bytes, the URL has more"
                )
        return bytes(parts)

    async def _next(self) -> object:
        while (event := self._connection.next_event()) is h11.NEED_DATA:
            self._connection.receive_data(await self._reader.read(CHUNK))
        return event


def read_url(url: str, ports: tuple[int, ...]) -> Target:
    """Return the parts of a URL; raises HttpProblem for one that is not asked for."""
    if any(character.isspace() or not character.isprintable() for character in url):
        raise refused("expected a URL without blanks and control characters", 422)
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
        host = (parts.hostname or "").rstrip(".")
        host = host if ":" in host else host.encode("idna").decode()
    except ValueError as error:  # UnicodeError is one
        raise refused(f"not a URL: {error}", 422) from None
    if parts.scheme not in PORTS or not host:
        raise refused("expected an http:// or https:// URL", 422)
    if parts.username is not None or parts.password is not None:
        raise refused("expected a URL without user name and password")
    if port not in ports:
        raise refused(f"port {port}: expected one of {', '.join(map(str, ports))}")
    path = quote(parts.path or "/", safe=_IN_URL)
    if parts.query:
        path += "?" + quote(parts.query, safe=_IN_URL + "?")
    return Target(parts.scheme == "https", host, port, path)


def may_reach(address: Address, allowed: tuple[Network, ...] = ()) -> bool:
    """Return whether an address is public, or in one of the networks that are allowed anyway."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return may_reach(inner, allowed)
        if address not in GLOBAL_UNICAST or any(address in network for network in TUNNELS):
            return any(address in network for network in allowed)
    if any(address.version == network.version and address in network for network in allowed):
        return True
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in NOT_PUBLIC)
    )


def refused(why: str, status: int = 403) -> HttpProblem:
    """Return the refusal of a URL."""
    return HttpProblem(status, f"url: {why}", "fetch_refused")


async def resolve_name(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system knows them; raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
