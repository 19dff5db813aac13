"""A reverse proxy that serves a listener below a path, as nginx and Caddy do."""

import asyncio
import contextlib
import threading

from waiting import TIME_LIMIT

from i2t_ros.bridges.loop_thread import LoopThread


class ReverseProxy:
    """Passes what is below ``prefix`` on without it; a context manager.

    It answers everything else with 404 and notes it in ``strays``. ``headers`` are added to every
    request.
    """

    def __init__(self, port, prefix="/robot", headers=()):
        self._target, self._prefix = port, prefix
        self._headers = [f"{name}: {value}" for name, value in dict(headers).items()]
        self._loop = LoopThread("proxy")
        self._tasks = set()
        self._guard = threading.Lock()
        self.strays = []

    def __enter__(self):
        self._loop.start()
        self._server = self._loop.call(self._start(), TIME_LIMIT)
        self.host = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self.url = f"http://{self.host}{self._prefix}"
        return self

    def __exit__(self, *_):
        self._loop.call(self._stop(), TIME_LIMIT)
        self._loop.stop()

    async def _start(self):
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._forward(reader, writer)
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _forward(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        method, path, version = first.split(" ")
        if not path.startswith(f"{self._prefix}/"):
            with self._guard:
                self.strays.append(path)
            writer.write(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            await writer.drain()
            return
        upgrades = any(line.lower().startswith("upgrade:") for line in lines)
        if not upgrades:  # one request for each connection, so that only heads have to be read
            lines = [line for line in lines if not line.lower().startswith("connection:")]
            lines.append("Connection: close")
        head = [f"{method} {path[len(self._prefix) :]} {version}", *lines, *self._headers, "", ""]
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self._target)
        sending = None
        try:
            behind_writer.write("\r\n".join(head).encode("latin-1"))
            sending = asyncio.ensure_future(_copy(reader, behind_writer))
            await _copy(behind_reader, writer)
        finally:
            if sending is not None:
                sending.cancel()
            behind_writer.close()


async def _copy(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
