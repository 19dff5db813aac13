"""Waiting for what nothing announces."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

TIME_LIMIT = 30.0
"""Seconds to wait at most."""


def until(condition: Callable[[], object], what: str, limit: float = TIME_LIMIT) -> None:
    """Wait until ``condition()`` holds; fail, and say for ``what``, after ``limit`` seconds."""
    end = time.monotonic() + limit
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {limit} s"
        pause.wait(0.01)


def has_ended(pid: int) -> bool:
    """Whether a process has ended; its parent, or process 1, may not have looked yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"
