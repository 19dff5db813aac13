"""sentences.srt and sentences.vtt: what is said of a recording, as subtitles to play beside it.

SRT is as VideoLAN's wiki has it (https://wiki.videolan.org/SubRip), VTT is
https://www.w3.org/TR/webvtt1.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from babel import Locale, UnknownLocaleError

from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.writing.base import Stream, Telling, Told, Writer

LEAST = SECOND
"""Nanoseconds that a cue lasts, so that it can be read."""
WIDTH = 42
"""Columns of a line, as https://partnerhelp.netflixstudios.com has for Latin letters; a sign of
Chinese or Japanese takes two."""

_SIGN = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_CLOSING = "、。，．：；！？）」』】ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
"""What begins no line."""
# A word with the spaces before it; where no spaces are written, any sign may begin a line.
_PIECE = re.compile(rf"\s*(?:[{_SIGN}][{_CLOSING}]*|[^\s{_SIGN}]+)")
_RIGHT_TO_LEFT_MARK = "\u200f"


class Cue(NamedTuple):
    """A sentence, and when it is shown, in nanoseconds from the beginning of the recording."""

    start: int
    end: int
    sentence: str
    language: str


@dataclass(slots=True)
class Cues:
    """Makes the cues of one stream; give it every image in order, and then ``end()``.

    A sentence is shown until an image has another one, but for LEAST at least. If sentences change
    faster, the newest is next. An empty sentence shows nothing; one that came before it and has not
    been shown yet is shown first.
    """

    _shown: tuple[str, str] = ("", "")
    _start: int = 0
    _next: tuple[str, str] | None = None
    _now: tuple[str, str] = ("", "")
    _last: int = 0

    def follow(self, time: int, sentence: str, language: str) -> Iterator[Cue]:
        """Yield the cues that have ended."""
        yield from self._advance(time)
        said = (one_line(sentence), language)
        if said[0] and said[0] != self._shown[0]:
            self._next = said
        elif said[0]:
            self._next = None  # it is back
        self._now, self._last = said, time
        yield from self._change(time)

    def end(self) -> Iterator[Cue]:
        """Yield the cues that the end of the recording ends."""
        yield from self._advance(self._last + LEAST)
        if self._shown[0]:
            yield Cue(self._start, max(self._last, self._start + LEAST), *self._shown)

    def _advance(self, time: int) -> Iterator[Cue]:
        """Yield what ends before ``time``, because it has been shown for LEAST."""
        while self._shown[0] and self._start + LEAST < time and self._is_over():
            yield from self._change(max(self._start + LEAST, self._last))

    def _is_over(self) -> bool:
        return self._next is not None or self._now[0] != self._shown[0]

    def _change(self, time: int) -> Iterator[Cue]:
        """Show the next sentence at ``time``, or none, if the one before has been there enough."""
        if not self._is_over() or (self._shown[0] and time < self._start + LEAST):
            return
        if self._shown[0]:
            yield Cue(self._start, time, *self._shown)
        self._shown, self._start, self._next = self._next or ("", ""), time, None


class SubtitlesWriter(Writer):
    """Writes both files of each stream that has times."""

    def __init__(self, telling: Telling) -> None:
        """See Writer."""
        self._telling = telling
        self._open: dict[str, _Files] = {}
        self._recording = -1
        self._waiting = {stream.name: stream for stream in telling.streams if stream.timed}

    def image(self, told: Told) -> None:
        """See Writer."""
        if told.time is None:
            return
        if told.stream.recording != self._recording:
            self._end()
            self._recording = told.stream.recording
        name = told.stream.name
        if name not in self._open:
            self._open[name] = _Files(self._telling, self._waiting.pop(name))
        self._open[name].image(told.time, told.description.sentence, told.description.language)

    def close(self) -> None:
        """See Writer. A stream of which no image was described has files without a cue."""
        self._end()
        for stream in self._waiting.values():
            _Files(self._telling, stream).close()

    def _end(self) -> None:
        for files in self._open.values():
            files.close()
        self._open.clear()


class _Files:
    """The two files of one stream.

    They are open only while a cue is written, as a bag may have more topics than a process may have
    open files.
    """

    def __init__(self, telling: Telling, stream: Stream) -> None:
        self._srt, self._vtt = (
            telling.path("sentences", ending, stream) for ending in ("srt", "vtt")
        )
        self._srt.write_bytes(b"")
        self._vtt.write_bytes(b"WEBVTT\n")
        self._cues = Cues()
        self._number = 0

    def image(self, time: int, sentence: str, language: str) -> None:
        for cue in self._cues.follow(time, sentence, language):
            self._write(cue)

    def close(self) -> None:
        for cue in self._cues.end():
            self._write(cue)

    def _write(self, cue: Cue) -> None:
        self._number += 1
        start, end = clock(cue.start), clock(cue.end)
        text = "\n".join(lines_of(cue.sentence, cue.language))
        srt = f"{start} --> {end}".replace(".", ",")
        _append(self._srt, f"{self._number}\n{srt}\n{_plain(text)}\n\n")
        _append(self._vtt, f"\n{start} --> {end}\n{html.escape(text, quote=False)}\n")


def _append(path: Path, text: str) -> None:
    with path.open("ab") as file:
        file.write(text.encode())


def clock(time: int) -> str:
    """Return nanoseconds as hours, minutes, seconds and milliseconds: 00:01:23.400."""
    seconds, rest = divmod(time, SECOND)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02d}:{minute:02d}:{second:02d}.{rest // 1_000_000:03d}"


def one_line(sentence: str) -> str:
    """Return a sentence on one line, without characters that control a terminal or a player."""
    words = " ".join(sentence.split())
    return "".join(sign for sign in words if unicodedata.category(sign) != "Cc")


def lines_of(sentence: str, language: str) -> list[str]:
    """Return a sentence in lines of up to WIDTH columns; a longer word has a line of its own.

    In a language from right to left each line says so: a player goes by the first letter, which may
    be a Latin one.
    """
    lines = [""]
    for piece in _PIECE.findall(sentence):
        if lines[-1] and _columns(lines[-1] + piece) > WIDTH:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    mark = _RIGHT_TO_LEFT_MARK if _is_right_to_left(language) else ""
    return [mark + line for line in lines]


def _columns(text: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text)


@cache
def _is_right_to_left(language: str) -> bool:
    try:
        return Locale.parse(language.replace("-", "_")).text_direction == "rtl"
    except (UnknownLocaleError, ValueError):  # a user's own language, which CLDR lacks
        return False


def _plain(text: str) -> str:
    r"""Return a text that is no markup: SRT knows <b> and {\an8}, and has no way to escape them."""
    return text.replace("<", "‹").replace(">", "›").replace("{\\", "{ \\")
