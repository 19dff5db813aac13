"""The log of the HTTP listener: what clients do cannot fill it, and what fails is explained."""

import logging
import time

import pytest

pytest.importorskip("fastapi")
from http_talk import HANDSHAKE, reply_to
from waiting import until
from web_support import PICTURE

from i2t_ros.bridges.journal import BURST, RATE

COUNT = 60


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        HANDSHAKE.replace(b"/ws", b"/ws/a.b") % b"",
        HANDSHAKE % b"Origin: http://x\r\n",
    ],
    ids=["no request", "a name that is none", "another site"],
)
def test_clients_cannot_fill_the_log(web, caplog, capfd, sent):
    bridge = web(refusals_per_second=0)
    began = time.monotonic()
    for _ in range(COUNT):
        assert reply_to(bridge, sent)[0] >= 400
    bridge.close()
    kinds = 2  # ours and the library's
    most = kinds * (BURST + RATE * (time.monotonic() - began) + 1)
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) <= most < COUNT
    assert capfd.readouterr().err.count("\n") <= most


def test_what_fails_is_in_the_log_and_not_in_the_reply(web, caplog):
    def describe(request):
        raise RuntimeError("a bug of ours")

    bridge = web(describe)
    with bridge.client() as client:
        reply = client.post("/v1/describe", content=PICTURE)
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, "error")
    assert "a bug of ours" not in reply.text
    until(lambda: "RuntimeError: a bug of ours" in caplog.text, "the log says why")
