"""Text on a terminal that is shown while it is being written."""

import os
import sys
import unicodedata
from typing import TextIO


class LiveText:
    """Shows a text that grows, and may change, on standard output.

    On a terminal what is new is appended, and if the beginning has changed, as a model's thoughts
    do that turn out to be none of the answer, all is written anew in its place. Anywhere else only
    the last text is written.
    """

    def __init__(self, stream: TextIO | None = None, *, live: bool | None = None) -> None:
        """Write to ``stream``, standard output by default; ``live`` None: see what it is."""
        self._stream = sys.stdout if stream is None else stream
        self._live = is_live(self._stream) if live is None else live
        self._shown = ""

    def show(self, text: str) -> None:
        """Show the text so far."""
        if self._live and text != self._shown:
            self._write(text)

    def end(self, text: str) -> None:
        """Show the whole text, and end its line."""
        self._write(f"{text}\n")
        self._shown = ""

    def abandon(self) -> None:
        """End the line of what has been shown, if anything has: there is no more to come."""
        if self._shown:
            self._write(f"{self._shown}\n")
            self._shown = ""

    def _write(self, text: str) -> None:
        if not text.startswith(self._shown):
            self._erase()
        print(text[len(self._shown) :], end="", file=self._stream, flush=True)
        self._shown = text

    def _erase(self) -> None:
        up = rows_down(self._shown, _columns(self._stream))
        print("\r" + f"\x1b[{up}A" * bool(up) + "\x1b[J", end="", file=self._stream)
        self._shown = ""


def is_live(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal whose text can be changed."""
    if stream is None or os.environ.get("TERM", "dumb") == "dumb":
        return False
    return stream.isatty()


def rows_down(text: str, columns: int) -> int:
    """Return how many rows below its first one a text of one line ends on a terminal."""
    row = column = 0
    for letter in text:
        wide = _width(letter)
        if column + wide > columns:
            row, column = row + 1, 0
        column += wide
    return row


def _width(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 1 + (unicodedata.east_asian_width(letter) in "WF")


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
