"""A client of the i2t_ros TCP bridge, in one file that needs only Python (3.8 or later).

Copy this file to any machine and use it from a program, blocking or with asyncio:

    with Client("robot.local") as client:
        answer = client.describe("photo.jpg", language="en")
        print(answer.sentence)

or as a program:

    python3 client.py photo.jpg --host robot.local --save seen.jpg

Protocol 2 keeps one connection for all requests and has options. Protocol 1 is that of the old
Jetson image-to-text server, which replies in Spanish. docs/wire_protocol.md specifies both.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import os
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEPARATOR = b"<SEP>"
DEFAULT_PORT = 5001
MAX_HEADER = 65536  # bytes of a reply before its picture
MAX_REPLY = 1 << 28  # bytes
CHUNK = 1 << 16
SIGNATURES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"BM": ".bmp", b"RIFF": ".webp"}


class ServerError(Exception):
    """The server answered with an error.

    ``code`` is stable, for programs, such as "not_an_image" or "busy"; protocol 1 has no codes and
    leaves it empty. ``str(error)`` is for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadReplyError(Exception):
    """The bytes that came back are not a complete reply in this protocol."""


@dataclass(frozen=True)
class Answer:
    """What comes back.

    sentence  or the answer to a question
    image     the annotated picture, in the format that was sent; empty if not requested
    """

    sentence: str
    image: bytes


@dataclass(frozen=True)
class Question:
    """A picture and what to do with it; protocol 1 knows only the first two fields.

    image      the bytes of a JPEG, PNG, BMP or WebP file; empty with ``camera``
    extension  ".jpg", ".png", ".bmp" or ".webp"; empty: detect it from the picture's first bytes
    language   a BCP 47 tag such as "es" or "pt-BR"; empty: the server's default, as for ``style``
    spoken     words for a voice, without digits and symbols; False: the server's default
    annotate   whether to return the picture with everything found drawn on it
    min_score  0 to 1; 0: the server's default
    camera     describe this camera's newest frame; "": the first camera; None: ``image``
    tasks      of detect, segment, pose, classify, faces, text, caption; empty: the server's default
    question   about the picture, in one line: its answer takes the place of the sentence, and may
               take longer than ``timeout`` is by default
    """

    image: bytes = b""
    extension: str = ""
    language: str = ""
    style: str = ""
    annotate: bool = True
    min_score: float = 0.0
    camera: str | None = None
    tasks: Sequence[str] = ()
    spoken: bool = False
    question: str = ""

    def encode(self, protocol: int) -> bytes:
        """Return the bytes of the request; raises ValueError if the protocol cannot express it."""
        starts = (name for start, name in SIGNATURES.items() if self.image.startswith(start))
        header = f"{self.extension or next(starts, '.jpg')}<SEP>{len(self.image)}"
        named = {
            "lang": self.language,
            "style": self.style,
            "spoken": "1" if self.spoken else "",
            "annotate": "" if self.annotate else "0",
            "min_score": f"{self.min_score:f}" if self.min_score else "",
            "tasks": ",".join(self.tasks),
        }
        options = [f"{name}={value}" for name, value in named.items() if value]
        if self.camera is not None:
            options.append(f"camera={self.camera}")
        if any(c in part for part in (header, *options) for c in ";\n") or "\n" in self.question:
            raise ValueError("expected an extension and options without ';' and line ends")
        if self.question:
            options.append(f"question={self.question}")  # the last one: it may have a ";"
        if protocol == 2:
            header += f"<SEP>{';'.join(options)}\n"
        elif options:
            raise ValueError(f"protocol 1 has no options, got {', '.join(options)}: use protocol 2")
        return header.encode() + self.image


class ReplyParser:
    """Parses the bytes of one reply; does no I/O.

    data        what has come
    keeps_open  whether the connection may carry another request
    """

    def __init__(self, protocol: int) -> None:
        self.data = bytearray()
        self.keeps_open = False
        self._protocol = protocol

    def feed(self, data: bytes) -> Answer | None:
        """Add new bytes, b"" at the end of the connection; return the answer once it is complete.

        Raises ServerError or BadReplyError.
        """
        self.data += data
        if len(self.data) > MAX_REPLY:
            raise BadReplyError(f"expected a reply of at most {MAX_REPLY} bytes, got more")
        answer = self._line_reply() if self._protocol == 2 else self._whole_reply(not data)
        if answer is None and not data:
            raise BadReplyError(f"the connection ended after {len(self.data)} bytes of the reply")
        return answer

    def _line_reply(self) -> Answer | None:
        """Protocol 2: a newline ends the header."""
        end = self.data.find(b"\n", 0, MAX_HEADER)
        if end < 0:
            if len(self.data) >= MAX_HEADER:
                raise BadReplyError(f"expected a newline in the first {MAX_HEADER} bytes")
            return None
        size, text = self._read_header(bytes(self.data[:end]))
        missing = end + 1 + size - len(self.data)
        if missing < 0:
            raise BadReplyError(f"expected {size} bytes of picture, got {-missing} more")
        self.keeps_open = missing == 0
        return None if missing else _answer(text, self.data[end + 1 :])

    def _whole_reply(self, ended: bool) -> Answer | None:
        """Protocol 1: no mark ends the header, but the picture is the last part of the reply."""
        if not ended or not self.data:
            return None
        size, rest = self._read_header(bytes(self.data))
        if len(rest) < size:
            raise BadReplyError(f"expected {size} bytes of picture, got {len(rest)}")
        return _answer(rest[: len(rest) - size], rest[len(rest) - size :])

    def _read_header(self, data: bytes) -> tuple[int, bytes]:
        """Return the picture's size and what follows; raises ServerError for an error reply."""
        word, size, text = (*data.split(SEPARATOR, 2), b"", b"")[:3]
        if word not in (b"True", b"False") or not size.isdigit():
            shown = ascii(data[:60].decode("latin-1"))
            raise BadReplyError(f"expected True<SEP>size<SEP>... or False<SEP>..., got {shown}")
        if word == b"False":
            message = text.decode("utf-8", "replace")
            if self._protocol == 1:
                raise ServerError("", message)
            self.keeps_open = True
            code, _, detail = message.partition("<SEP>")
            raise ServerError(code, detail)
        return int(size), text


def _answer(sentence: bytes, image: bytes | bytearray) -> Answer:
    return Answer(sentence.decode("utf-8", "replace"), bytes(image))


@dataclass(eq=False)
class _Settings:
    """Where the server is; the first request connects.

    timeout  in seconds, for a request together with its reply
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    protocol: int = 2
    timeout: float = 30.0

    def __post_init__(self) -> None:
        if self.protocol not in (1, 2):
            raise ValueError(f"expected protocol 1 or 2, got {self.protocol}")


class Client(_Settings):
    """A blocking client, used by one thread at a time; a context manager."""

    _socket: socket.socket | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect. May be called more than once; a later request connects again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def describe(self, photo: bytes | str | os.PathLike[str] = b"", **options: Any) -> Answer:
        """Describe ``photo``, a path or the bytes of a file; ``options`` are fields of Question.

        Raises ServerError, BadReplyError, ValueError if the protocol cannot express the request,
        and OSError for the file or the connection (TimeoutError included).
        """
        request = _question(photo, options).encode(self.protocol)
        deadline = time.monotonic() + self.timeout
        while True:
            kept = self._socket is not None
            parser = ReplyParser(self.protocol)
            try:
                return self._exchange(request, parser, deadline)
            except (BadReplyError, ConnectionError):
                # The server may have closed a kept connection before this request reached it.
                if not kept or parser.data:
                    raise

    def _exchange(self, request: bytes, parser: ReplyParser, deadline: float) -> Answer:
        try:
            if self._socket is None:
                self._socket = socket.create_connection((self.host, self.port), _left(deadline))
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.settimeout(_left(deadline))
            with contextlib.suppress(ConnectionError):  # the reply says why, if there is one
                self._socket.sendall(request)
            answer = None
            while answer is None:
                self._socket.settimeout(_left(deadline))
                answer = parser.feed(self._socket.recv(CHUNK))
            return answer
        finally:
            if not parser.keeps_open:
                self.close()


class AsyncClient(_Settings):
    """The same for asyncio; an asynchronous context manager.

    Requests of several asyncio tasks run one after the other; use several clients to overlap them.
    """

    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @functools.cached_property
    def _lock(self) -> asyncio.Lock:
        return asyncio.Lock()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect. May be called more than once; a later request connects again."""
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.transport.abort()  # close() would first wait for a server that does not read
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def describe(self, photo: bytes | str | os.PathLike[str] = b"", **options: Any) -> Answer:
        """Describe ``photo``, as Client.describe does."""
        request = _question(photo, options).encode(self.protocol)
        async with self._lock:
            try:
                return await asyncio.wait_for(self._describe(request), self.timeout)
            except asyncio.TimeoutError:  # not TimeoutError before Python 3.11
                raise TimeoutError(_LATE) from None

    async def _describe(self, request: bytes) -> Answer:
        while True:
            kept = self._streams is not None
            parser = ReplyParser(self.protocol)
            try:
                return await self._exchange(request, parser)
            except (BadReplyError, ConnectionError):
                if not kept or parser.data:
                    raise

    async def _exchange(self, request: bytes, parser: ReplyParser) -> Answer:
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(self.host, self.port)
            reader, writer = self._streams
            writer.write(request)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            answer = None
            while answer is None:
                answer = parser.feed(await reader.read(CHUNK))
            return answer
        finally:
            if not parser.keeps_open:
                await self.close()


_LATE = "no complete reply within the time limit"


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError(_LATE)
    return left


def _question(photo: bytes | str | os.PathLike[str], options: dict[str, Any]) -> Question:
    if isinstance(photo, bytes):
        return Question(photo, **options)
    path = Path(photo)
    return Question(path.read_bytes(), **{"extension": path.suffix, **options})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command-line arguments."""
    parser.add_argument("photo", nargs="?", help="JPEG, PNG, BMP or WebP file")
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="default: %(default)s")
    parser.add_argument("--protocol", type=int, choices=(1, 2), default=2)
    parser.add_argument(
        "--language", default="", help="language of the sentence, such as es or pt-BR"
    )
    parser.add_argument("--style", default="", help="style of the sentence, such as list")
    parser.add_argument(
        "--spoken", action="store_true", help="words for a voice: no digits, no symbols"
    )
    parser.add_argument("--question", default="", help="print the answer to it, not the sentence")
    parser.add_argument("--camera", help='describe its newest frame ("": the first camera)')
    parser.add_argument("--save", metavar="FILE", help="write the annotated picture here")
    parser.add_argument("--timeout", type=float, help="seconds; default: 30, for a question 150")


def run(arguments: argparse.Namespace) -> int:
    """Ask, print what comes, and return the exit status: 0, 1 for an error, 2 for wrong usage."""
    a = arguments
    try:
        if (a.photo is None) == (a.camera is None):
            raise ValueError("expected either a photo or --camera")
        # With protocol 1 the server always sends the annotated picture.
        annotate = {} if a.save or a.protocol == 1 else {"annotate": False}
        options = {"language": a.language, "style": a.style, "spoken": a.spoken}
        options |= {"camera": a.camera, "question": a.question, **annotate}
        timeout = a.timeout
        if timeout is None:
            timeout = 150.0 if a.question else 30.0
        with Client(a.host, a.port, a.protocol, timeout) as client:
            answer = client.describe(b"" if a.photo is None else a.photo, **options)
        if a.save:
            Path(a.save).write_bytes(answer.image)
    except (ValueError, ServerError, BadReplyError, OSError) as error:
        problem = str(error)
        if isinstance(error, ServerError) and error.code:
            problem = f"{error.code}: {error}"
        elif isinstance(error, BadReplyError):
            problem = f"{a.host} port {a.port}: not an i2t_ros reply: {error}"
        elif isinstance(error, ConnectionError):
            problem = f"{a.host} port {a.port}: {error}. Is bridge_node running there?"
        sys.stderr.write(f"i2t client: {problem}\n")
        return 2 if isinstance(error, ValueError) else 1
    sys.stdout.write(answer.sentence + "\n")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run this file as a program."""
    parser = argparse.ArgumentParser(description="Ask an i2t_ros TCP bridge what a photo shows.")
    add_arguments(parser)
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
