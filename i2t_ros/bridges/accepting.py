"""Accepts connections for a listener, as many as there is room for, also while they shake hands.

asyncio's own server counts nothing before a TLS handshake has ended. And when the process has no
file descriptors left, it logs a traceback for each of 128 attempts, and tries again as many times a
second later, each of which does the same (CPython before 3.12).
"""

import asyncio
import contextlib
import errno
import logging
import resource
import socket
import ssl
from collections.abc import Callable, Collection
from weakref import WeakKeyDictionary

log = logging.getLogger("i2t_ros.bridges")

BACKLOG = 128
"""Connections that the kernel keeps until they are accepted."""
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
OTHERS = 128
"""File descriptors for everything but connections: files, DDS, other listeners."""
PAUSE = 0.1
"""Seconds until the next attempt if there is no descriptor, or no memory, for a connection."""
TELL_AGAIN = 60.0
"""Seconds between two lines of the log that say so."""


def bind(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets, one for each address of the host; they do not block.

    Raises OSError, which names the address.
    """
    with contextlib.ExitStack() as undo:
        try:
            listening = [
                undo.enter_context(socket.create_server(address, family=family, backlog=BACKLOG))
                for family, *_, address in socket.getaddrinfo(
                    host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
                )
            ]
        except OSError as error:
            reason = str(error.strerror).partition(" (while")[0]  # which names it, but not always
            raise OSError(error.errno, f"{host} port {port}: {reason}") from error
        for each in listening:
            each.setblocking(False)
        undo.pop_all()
    return listening


def descriptors(wanted: int, promised: int = 0) -> int:
    """Return how many of the wanted connections a listener may have; raises the limit for them.

    Every connection takes a file descriptor, as do the files, cameras and models of a node.
    ``promised`` are those of other listeners of this process, and a half of the rest is left to
    those that are still to come.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    others = promised + OTHERS
    needed = others + 2 * wanted
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    granted = min(wanted, max(1, (soft - others) // 2))
    if granted < wanted:
        log.warning(
            "at most %d connections, not %d: `ulimit -n` allows this process %d open files",
            granted,
            wanted,
            soft,
        )
    return granted


_promised: "WeakKeyDictionary[Acceptor, int]" = WeakKeyDictionary()
"""How many connections each listener of this process may have."""


class Acceptor:
    """Accepts connections from listening sockets and gives each a protocol of its own.

    most  how many connections there may be
    """

    def __init__(  # noqa: PLR0913 (what a listener is)
        self,
        listening: list[socket.socket],
        protocol: Callable[[], asyncio.Protocol],
        has_room: Callable[[Collection[asyncio.BaseProtocol]], bool],
        wanted: int,
        *,
        tls: ssl.SSLContext | None = None,
        handshake_time: float = 10.0,
    ) -> None:
        """Accept on the running loop until ``close``.

        listening       sockets that do not block; ``close`` closes them
        protocol        makes the protocol of a connection
        has_room        returns whether one more may be accepted beside those that are coming up: if
                        not, the one that takes longest for TLS gives way, or else the new one
        wanted          how many connections there should be at most
        handshake_time  seconds that a client may take for TLS
        """
        self.most = _promised[self] = descriptors(wanted, sum(_promised.values()))
        self._protocol = protocol
        self._has_room = has_room
        self._tls = tls
        self._handshake_time = handshake_time
        self._coming: dict[asyncio.BaseProtocol, asyncio.Task[None]] = {}  # the oldest first
        self._accepted: set[socket.socket] = set()  # those that have no transport yet
        self._told = float("-inf")
        self._loop = asyncio.get_running_loop()
        self._listening = listening
        for each in listening:
            self._listen(each)

    async def close(self) -> None:
        """Accept no more; what is coming up is cut off."""
        _promised.pop(self, None)
        listening, self._listening = self._listening, []
        for each in listening:
            self._loop.remove_reader(each)
            each.close()
        tasks = list(self._coming.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _listen(self, listening: socket.socket) -> None:
        if listening in self._listening:  # or else it is closed
            self._loop.add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        """Accept one connection: others on the loop are to have their turns."""
        try:
            accepted, _ = listening.accept()
            # asyncio does it for sockets whose protocol says TCP, and that of these is 0.
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            if error.errno in NO_ROOM:
                self._loop.remove_reader(listening)
                self._loop.call_later(PAUSE, self._listen, listening)
                self._tell(error)
            return  # or else the client has left already
        if not self._has_room(self._coming.keys()):
            if self._tls is None or not self._coming:
                accepted.close()
                return
            next(iter(self._coming.values())).cancel()
        protocol = self._protocol()
        self._accepted.add(accepted)
        task = self._coming[protocol] = asyncio.ensure_future(self._connect(accepted, protocol))

        def forget(_: asyncio.Task[None]) -> None:
            del self._coming[protocol]
            if accepted in self._accepted:  # canceled before it began
                self._accepted.discard(accepted)
                accepted.close()

        task.add_done_callback(forget)

    def _tell(self, error: OSError) -> None:
        if self._loop.time() - self._told > TELL_AGAIN:
            self._told = self._loop.time()
            log.warning(
                "connections have to wait: %s; `ulimit -n` raises the limit of a process", error
            )

    async def _connect(self, accepted: socket.socket, protocol: asyncio.Protocol) -> None:
        self._accepted.discard(accepted)  # its transport closes it from now on
        try:
            await self._loop.connect_accepted_socket(
                lambda: protocol,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=self._handshake_time if self._tls else None,
            )
        except OSError as error:  # ssl.SSLError is one, and what asyncio raises if it takes long
            accepted.close()
            log.debug("a client did not shake hands: %s", error)
