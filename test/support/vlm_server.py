"""Running llama_server.py from a test: a real server of language models, with a tiny one."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tiny_vlm

SCRIPT = Path(__file__).with_name("llama_server.py")
MODEL = "tiny"
SLOTS = 2
"""Questions that it answers at once; others wait."""


@dataclass(frozen=True)
class VlmServer:
    """A running server: where it is, and what it is doing."""

    address: str
    key: str
    pid: int

    @property
    def url(self) -> str:
        """The address as clients of the API want it."""
        return f"{self.address}/v1"

    def slots(self) -> list[dict]:
        """Return what the server says of each place for a question."""
        headers = {"Authorization": f"Bearer {self.key}"}
        request = urllib.request.Request(f"{self.address}/slots", headers=headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
            return json.load(reply)

    def busy(self) -> int:
        """Return how many questions it is answering."""
        return sum(slot["is_processing"] for slot in self.slots())

    def broken_off(self) -> set[int]:
        """Return the number of each place's last answer, if the model was not done with it.

        No two answers have the same number: what is new since an earlier call was broken off since.
        """
        return {
            slot["id_task"]
            for slot in self.slots()
            if not slot["is_processing"] and slot.get("next_token", [{}])[0].get("has_next_token")
        }


@contextlib.contextmanager
def serving(folder: Path, key: str = "secret") -> Iterator[VlmServer]:
    """Run the server until the block ends; its model is written to the folder.

    key  what clients have to send; "" for none
    """
    model = tiny_vlm.language_model(folder / "tiny.gguf")
    eyes = tiny_vlm.eyes(folder / "eyes.gguf")
    command = [sys.executable, SCRIPT, model, eyes, MODEL, str(SLOTS), *([key] if key else [])]
    log = folder / "log.txt"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        ) as server,
    ):
        try:
            address = server.stdout.readline().strip()
            assert address, f"llama.cpp's server ended before it served:\n{log.read_text()}"
            yield VlmServer(address, key, server.pid)
        finally:
            server.stdin.close()  # it ends with its input
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGKILL)
