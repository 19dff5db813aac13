"""Translations of texts: asked for together, kept, and never waited for longer than agreed."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from i2t_ros.errors import I2tError, TimeLimitError, TranslationError

logger = logging.getLogger(__name__)

PAUSE = 30.0
"""Seconds for which a translator that failed is left alone: a camera would wait with each frame."""
KEPT = 2000
"""Translations that are remembered; the ones used longest ago are forgotten."""


class Service(Protocol):
    """What translates. Used by one thread at a time.

    letters  how many one call may bring
    """

    letters: int

    def translate(self, texts: Sequence[str], target: str, source: str) -> list[str]:
        """Return the texts, each of one line, in the language ``target`` (BCP 47).

        ``source`` is "" where it is not known. Any exception means that there is no translation.
        """
        ...


class Translations:
    """Asks a service for what is not known yet."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], Service],
        time_limit: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember how to reach the service; nothing is asked yet.

        ``time_limit`` is in seconds, for all texts of one picture together. An answer that comes
        later is remembered for the next picture.
        """
        self.name = name
        self._connect = connect
        self._time_limit = time_limit
        self._clock = clock
        self._service: Service | None = None
        self._known: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._failure: tuple[I2tError, float] | None = None

    def translate(
        self, texts: Sequence[str], target: str, source: str = ""
    ) -> tuple[list[str], I2tError | None]:
        """Return a translation of each text, and what kept some from being translated.

        A translation is "" where none could be had, and where it is the text itself.
        """
        wanted = [text for text in dict.fromkeys(texts) if any(c.isalpha() for c in text)]
        with self._lock:
            wanted = [text for text in wanted if (text, target, source) not in self._known]
        error = self._ask(wanted, target, source) if wanted else None
        return [self._recall((text, target, source)) for text in texts], error

    def _recall(self, key: tuple[str, str, str]) -> str:
        with self._lock:
            translation = self._known.get(key, "")
            if translation:
                self._known.move_to_end(key)
        return "" if translation.casefold() == key[0].casefold() else translation

    def _ask(self, texts: list[str], target: str, source: str) -> I2tError | None:
        """Ask in a thread that may be left behind: HTTP libraries limit only parts of a call."""
        if self._failure is not None and self._clock() - self._failure[1] < PAUSE:
            return self._failure[0]
        if self._asking is not None and self._asking.is_alive():
            return TimeLimitError(f"translator {self.name}: still at work for an earlier picture")
        outcome: list[I2tError | None] = []
        answered = threading.Event()

        def ask() -> None:
            try:
                self._fetch(texts, target, source)
                outcome.append(None)
            except I2tError as error:
                outcome.append(error)
            except Exception as error:
                outcome.append(TranslationError(f"translator {self.name}: {error!r}"))
            answered.set()

        self._asking = threading.Thread(target=ask, name="i2t-translate", daemon=True)
        self._asking.start()
        if answered.wait(self._time_limit):
            error = outcome[0]
        else:
            error = TimeLimitError(
                f"translator {self.name}: no answer within {self._time_limit:g} s"
            )
        self._failure = None if error is None else (error, self._clock())
        if error is not None:
            logger.warning("%s; not asked again for %g s", error, PAUSE)
        return error

    def _fetch(self, texts: list[str], target: str, source: str) -> None:
        service = self._service = self._service or self._connect()
        for batch in batches(texts, service.letters):
            translated = service.translate(batch, target, source)
            if len(translated) != len(batch):
                raise TranslationError(
                    f"translator {self.name}: {len(batch)} texts went, {len(translated)} came back"
                )
            with self._lock:
                self._known.update(
                    ((text, target, source), translation)
                    for text, translation in zip(batch, translated, strict=True)
                )
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)


def batches(texts: Sequence[str], letters: int) -> list[list[str]]:
    """Group texts so that each group, a line each, has at most ``letters`` letters.

    A longer text is a group of its own.
    """
    groups: list[list[str]] = []
    room = -1
    for text in texts:
        room -= len(text) + 1
        if room < 0:
            groups.append([])
            room = letters - len(text) - 1
        groups[-1].append(text)
    return groups
