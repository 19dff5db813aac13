"""The <SEP> protocol: the parser by itself, and a listener."""

import contextlib
from collections.abc import Iterator
from random import Random

from local_handlers import FakeHandler
from mutations import pieces
from talking import ask_from_elsewhere, manner, talk
from target import Case, Target
from tcp_talk import JPEG, good_v1, v1, v2
from waiting import until
from watching import nothing_left

from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.bridges.tcp.limits import TcpLimits
from i2t_ros.bridges.tcp.server import TcpServer
from i2t_ros.bridges.tcp.wire import MAX_HEADER, RequestParser

MOST = 100_000  # bytes of a picture
SHORT = JPEG[:40]
LIMITS = TcpLimits(
    max_image_bytes=MOST,
    idle_time=0.3,
    receive_time=1,
    send_time=0.5,
    empty_time=0.1,
    linger_time=0.2,
)
WORDS = (
    b"<SEP>", b"\n", b";", b"=", b".jpg", b".png", b"jpg", b"0", b"9" * 19, b"lang=", b"style=",
    b"annotate=", b"min_score=", b"camera=", b"tasks=detect,text", b"question=", b"nan", b"1e9", b"\xff\xd8\xff",
    b"\xc3\x28", b"<SE", SHORT,
)  # fmt: skip
REQUESTS = (
    v1(SHORT), v1(SHORT, b".png"), v2(SHORT), v2(SHORT, b"lang=fr;style=list"),
    v2(SHORT, b"annotate=0"), v2(SHORT, b"min_score=0.5;tasks=detect"),
    b".jpg<SEP>0<SEP>camera=front\n", b".jpg<SEP>0", b".jpg<SEP>0\n", v2(SHORT, b"color=red"),
    v2(SHORT, b"annotate=0;question=Is it; open?"), b".jpg<SEP>0<SEP>camera=;question=Who?\n",
    b".gif<SEP>6GIF89a", b".jpg<SEP>5hello", b".jpg<SEP>99999999999\n\xff\xd8", v1(JPEG),
)  # fmt: skip


class Tcp(Target):
    """Cuts a stream anywhere: the parser finds the same, and a listener answers."""

    name = "tcp"
    cases = 250

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        loop = LoopThread("fuzz")
        with nothing_left(), contextlib.ExitStack() as stack:
            loop.start()
            stack.callback(loop.stop)
            self._server = TcpServer(FakeHandler(), port=0, limits=LIMITS)
            loop.call(self._server.start(), 10)
            stack.callback(lambda: loop.call(self._server.close(), 10))
            with self.watch.loop(loop), self.watch.innocent(self._ask):
                yield
            until(lambda: not self._server._connections, "no connection is left")

    def _ask(self) -> None:
        reply = ask_from_elsewhere(self._server.port, v1(), 2 * self.bounds.answer)
        assert reply == good_v1(), reply[:200]

    def generate(self, random: Random) -> Case:
        stream = b"".join(random.choice(REQUESTS) for _ in range(random.choice((1, 1, 2, 5))))
        if random.random() < 0.9:
            stream = self.mutated(random, stream, WORDS)
        return [manner(random), *pieces(random, stream)]

    def run(self, case: Case) -> None:
        parts = case[1:]
        whole = parsed([b"".join(parts)])
        assert whole == parsed(parts), "what is found depends on how the stream was cut"
        reply = talk(self._server.port, case, self.bounds.reply)
        assert not reply or reply.startswith((b"True<SEP>", b"False<SEP>0<SEP>")), reply[:200]


def parsed(parts: Case) -> list[tuple]:
    """Return what the parser finds in a stream that comes in these parts."""
    parser, found = RequestParser(MOST), []
    for part in [*parts, None]:
        if part is None:
            parser.finish()
        else:
            parser.feed(part)
        while (request := parser.next_request()) is not None:
            content = request.content
            if isinstance(content, Exception):
                content = str(content)
            elif content.picture is not None:
                content = (bytes(content.picture.data), content.language, content.style)
            found.append((request.version, content, request.keep_open))
        assert len(parser._buffer) <= MAX_HEADER + MOST + len(part or b"")
    return found
