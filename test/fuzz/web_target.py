"""What the targets of the HTTP listener share."""

import contextlib
import re
from collections.abc import Iterator

from talking import ask_from_elsewhere, talk
from target import Case, Target
from waiting import until
from watching import nothing_left
from web_support import PICTURE, WebBridge

LIMITS = {
    "header_time": 0.4,
    "idle_time": 0.4,
    "receive_time": 1.0,
    "send_time": 1.0,
    "linger_time": 0.2,
    "camera_idle_time": 0.5,
    "ping_time": 0.4,
    "requests_per_second": 0.0,  # or most inputs would not get further than that
    "refusals_per_second": 0.0,
}
INNOCENT = (
    b"POST /v1/describe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Content-Type: image/png\r\nContent-Length: %d\r\n\r\n" % len(PICTURE) + PICTURE
)
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class WebTarget(Target):
    """Has an HTTP listener, and an innocent client that has a picture described."""

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        with nothing_left(), WebBridge(**LIMITS) as bridge:
            self.port, self._asked = bridge.server.port, bridge.describer.asked
            with self.watch.loop(bridge.loop), self.watch.innocent(self._ask):
                yield
            state = bridge.server._server.server_state
            until(lambda: not (state.connections or state.tasks), "nothing is left of the clients")
            until(lambda: not bridge.services.sockets, "no camera is left")

    def _ask(self) -> None:
        reply = ask_from_elsewhere(self.port, INNOCENT, 2 * self.bounds.answer)
        assert reply.startswith(b"HTTP/1.1 200 "), reply[:300]

    def run(self, case: Case) -> None:
        reply = talk(self.port, case, self.bounds.reply)
        self._asked.clear()  # it keeps all pictures
        assert not reply or STATUS.match(reply), f"no HTTP: {reply[:200]}"
        if reply and int(STATUS.match(reply)[1]) == 500:
            raise AssertionError(f"the server failed: {reply[-300:]}")
