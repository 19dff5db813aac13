"""Waiting for what nothing announces."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

TIME_LIMIT = 30.0
"""Seconds to wait at most."""


def until(condition: Callable[[], object], what: str, limit: float = TIME_LIMIT) -> None:
    """Wait until ``condition()`` holds; fail, and say for ``what``, after ``limit`` seconds."""
    end = time.monotonic() + limit
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {limit} s"
        pause.wait(0.01)
