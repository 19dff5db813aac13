"""Times on a command line: 0.5s, 500ms, 2m, 1h, 1:30, 90."""

import argparse
import re
from decimal import Decimal

from i2t_ros.recordings.base import SECOND

FORMS = "such as 0.5s, 500ms, 2m, 1:30 or 90 (seconds)"
"""For help texts and errors."""

_UNITS = {"h": 3600 * SECOND, "m": 60 * SECOND, "s": SECOND, "": SECOND, "ms": 1_000_000}
# With so few digits, every time fits into 64 bits of nanoseconds.
_AMOUNT = re.compile(r"(\d{1,6}(?:\.\d{0,9})?|\.\d{1,9})\s*(h|ms|m|s|)", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,5}):)?(\d{1,5}):(\d{1,2}(?:\.\d{0,9})?)", re.ASCII)


def nanoseconds(text: str) -> int:
    """Return a time of 0 or more in nanoseconds, as the type of a flag.

    Raises ArgumentTypeError, which says what was expected and what came.
    """
    given = text.strip().lower()
    if match := _AMOUNT.fullmatch(given):
        return int(Decimal(match[1]) * _UNITS[match[2]])
    match = _CLOCK.fullmatch(given)
    if match and Decimal(match[3]) < 60 and (match[1] is None or int(match[2]) < 60):
        minutes = 60 * int(match[1] or 0) + int(match[2])
        return int((60 * minutes + Decimal(match[3])) * SECOND)
    raise argparse.ArgumentTypeError(f"expected a time {FORMS}, got {text!r}")


def clock(seconds: float) -> str:
    """Return a time as nanoseconds() reads it, to the millisecond: 1:23.400, 1:02:03.000."""
    total = round(1000 * seconds)
    minutes, milliseconds = divmod(total, 60_000)
    hours, minute = divmod(minutes, 60)
    shown = f"{hours}:{minute:02d}" if hours else str(minute)
    return f"{shown}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"
