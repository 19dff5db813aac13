"""Fetches pictures from URLs without giving clients a way into this network.

Every name is resolved here, all its addresses are checked, and the connection is made to the very
address that was checked: a name that resolves differently a moment later (DNS rebinding) changes
nothing. A redirect is a new URL and goes through all of it again.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from urllib.parse import quote, urljoin, urlsplit

import httpcore

from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.settings import FetchSettings, Network

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
Resolve = Callable[[str, int], Awaitable[list[str]]]

PORTS = {"http": 80, "https": 443}
HEADERS = [
    ("User-Agent", "i2t_ros"),
    ("Accept", "image/jpeg,image/png,image/webp,image/bmp"),
    ("Accept-Encoding", "identity"),
    ("Connection", "close"),
]
_IN_URL = "/%:@!$&'()*+,;=-._~"  # what stays as it is, RFC 3986

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
NOT_PUBLIC: tuple[Network, ...] = (
    ipaddress.IPv4Network("192.0.0.0/24"),  # protocol assignments; Oracle's cloud has services here
    ipaddress.IPv4Network("168.63.129.16/32"),  # the inside of Azure (WireServer)
    ipaddress.IPv4Network("192.88.99.0/24"),  # once 6to4's relays (RFC 7526)
    ipaddress.IPv6Network("3fff::/20"),  # documentation (RFC 9637)
    # Teredo and 6to4 end somewhere in IPv4.
    *(ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16")),
    # Only 2000::/3 of IPv6 has been given out so far (RFC 4291, section 2.4).
    *ipaddress.IPv6Network("::/0").address_exclude(ipaddress.IPv6Network("2000::/3")),
)
"""Networks that Python, or some version of it, takes for public."""


class PublicBackend(httpcore.AsyncNetworkBackend):
    """httpcore's network: resolves names itself, and connects to public addresses only."""

    def __init__(self, allowed: tuple[Network, ...], resolve: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, *arguments: Any, **options: Any
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers, once all of them are known to be public.

        Raises HttpProblem, and httpcore.ConnectError if there is none.
        """
        found = [ipaddress.ip_address(text) for text in await self._resolve(host, port)]
        for address in found:
            if not may_reach(address, self._allowed):
                raise refused(f"{host} is {address}, which is not a public address")
        failure = httpcore.ConnectError(f"{host} has no address")
        for address in found:
            try:
                return await self._network.connect_tcp(str(address), port, *arguments, **options)
            except httpcore.ConnectError as error:
                failure = error
        raise failure


class Fetcher:
    """Fetches pictures over HTTP and HTTPS, from public addresses.

    httpcore reads no proxies from the environment, keeps no cookies and follows no redirects.
    """

    def __init__(
        self, settings: FetchSettings, max_bytes: int, resolve: Resolve | None = None
    ) -> None:
        """Fetch at most ``max_bytes``; ``resolve`` replaces the system's name service."""
        self._settings = settings
        self._max_bytes = max_bytes
        self._network = PublicBackend(settings.allowed, resolve or resolve_name)
        self._tls = ssl.create_default_context()

    async def fetch(self, url: str) -> bytes:
        """Return what is at ``url``.

        Raises HttpProblem: 422 for an invalid URL, 403 (fetch_refused) for one that leads to a
        forbidden address, 413 for too many bytes, 502 and 504 if the other server fails.
        """
        try:
            return await asyncio.wait_for(self._follow(url), self._settings.time)
        except asyncio.TimeoutError:
            raise HttpProblem(
                504, f"the picture did not come within {self._settings.time:g} s", "time_limit"
            ) from None
        # ValueError: a redirect to what is no URL.
        except (OSError, ValueError, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise failed(f"cannot fetch the picture: {error}") from error

    async def _follow(self, url: str) -> bytes:
        for _ in range(self._settings.max_redirects + 1):
            target = read_url(url, self._settings.ports)
            headers = [("Host", host_header(target)), *HEADERS]
            async with (
                httpcore.AsyncConnectionPool(self._tls, network_backend=self._network) as pool,
                pool.stream("GET", target, headers=headers) as reply,
            ):
                received = {name.lower(): value.decode("latin-1") for name, value in reply.headers}
                if reply.status not in (301, 302, 303, 307, 308) or b"location" not in received:
                    return await self._picture(reply, received.get(b"content-type", ""))
                url = urljoin(url, received[b"location"])
        raise failed(f"more than {self._settings.max_redirects} redirects")

    async def _picture(self, reply: httpcore.Response, content_type: str) -> bytes:
        if reply.status != 200:
            raise failed(f"the picture's server answered {reply.status}")
        kind = content_type.partition(";")[0].strip().lower()
        if not kind.startswith("image/") and kind not in ("", "application/octet-stream"):
            raise HttpProblem(
                415, f"expected a picture at the URL, its server says {kind[:80]!r}", "not_an_image"
            )
        parts = bytearray()
        async for part in reply.aiter_stream():
            parts += part
            if len(parts) > self._max_bytes:
                raise HttpProblem(
                    413, f"expected a picture of at most {self._max_bytes} bytes, the URL has more"
                )
        return bytes(parts)


def read_url(url: str, ports: tuple[int, ...]) -> httpcore.URL:
    """Return the parts of a URL; raises HttpProblem for one that is not fetched."""
    if any(character.isspace() or not character.isprintable() for character in url):
        raise refused("expected a URL without blanks and control characters", 422)
    try:
        parts = urlsplit(url)
        port = PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
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
    return httpcore.URL(scheme=parts.scheme, host=host, port=port, target=path)


def host_header(url: httpcore.URL) -> str:
    """Return the value of the Host header; httpcore's own has no brackets around IPv6."""
    host, scheme = url.host.decode(), url.scheme.decode()
    host = f"[{host}]" if ":" in host else host
    return host if url.port == PORTS[scheme] else f"{host}:{url.port}"


def may_reach(address: Address, allowed: tuple[Network, ...] = ()) -> bool:
    """Return whether an address is public, or in one of the networks that are allowed anyway."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return may_reach(inner, allowed)
    if any(address in network for network in allowed):
        return True
    public = address.is_global and not address.is_multicast and not address.is_reserved
    return public and not any(address in network for network in NOT_PUBLIC)


def failed(why: str) -> HttpProblem:
    """Return the error if the URL's server fails."""
    return HttpProblem(502, why, "fetch_failed")


def refused(why: str, status: int = 403) -> HttpProblem:
    """Return the refusal of a URL."""
    return HttpProblem(status, f"url: {why}", "fetch_refused")


async def resolve_name(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system knows them; raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
