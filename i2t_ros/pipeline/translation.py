"""Translations of texts: requested together, cached, and waited for only within a time limit."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from cachetools import LRUCache

from i2t_ros.errors import I2tError, TimeLimitError, TranslationError

logger = logging.getLogger(__name__)

PAUSE = 30.0
"""Seconds until a translator that failed is asked again, so that not every frame waits for it."""
KEPT = 2000
"""Number of cached translations; the least recently used go first."""


class Service(Protocol):
    """A translation service, used by one thread at a time.

    letters  most letters in one call
    """

    letters: int

    def translate(self, texts: Sequence[str], target: str, source: str) -> list[str]:
        """Return the texts, each a single line, in the language ``target`` (BCP 47).

        ``source`` is "" if it is unknown. Any exception means that there is no translation.
        """
        ...


class Translations:
    """Asks a service for the translations that are not cached yet."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], Service],
        time_limit: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Store how to reach the service; the first text connects.

        ``time_limit`` is in seconds, for all texts of one image together. A later answer is cached
        for the next image.
        """
        self.name = name
        self._connect = connect
        self._time_limit = time_limit
        self._clock = clock
        self._service: Service | None = None
        self._known: LRUCache[tuple[str, str, str], str] = LRUCache(KEPT)
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._failure: tuple[I2tError, float] | None = None

    def translate(
        self, texts: Sequence[str], target: str, source: str = ""
    ) -> tuple[list[str], I2tError | None]:
        """Return a translation of each text, and the error if some could not be translated.

        A translation is "" if there is none, or if it equals the text.
        """
        wanted = [text for text in dict.fromkeys(texts) if any(c.isalpha() for c in text)]
        with self._lock:
            wanted = [text for text in wanted if (text, target, source) not in self._known]
        error = self._ask(wanted, target, source) if wanted else None
        with self._lock:
            found = [self._known.get((text, target, source), "") for text in texts]
        pairs = zip(found, texts, strict=True)
        return ["" if new.casefold() == text.casefold() else new for new, text in pairs], error

    def _ask(self, texts: list[str], target: str, source: str) -> I2tError | None:
        """Ask in a thread that may be abandoned: HTTP libraries limit only parts of a call."""
        if self._failure is not None and self._clock() - self._failure[1] < PAUSE:
            return self._failure[0]
        if self._asking is not None and self._asking.is_alive():
            return TimeLimitError(f"translator {self.name}: still busy with an earlier image")
        late = TimeLimitError(f"translator {self.name}: no answer within {self._time_limit:g} s")
        outcome: list[I2tError | None] = [late]

        def ask() -> None:
            try:
                self._fetch(texts, target, source)
                outcome[0] = None
            except I2tError as error:
                outcome[0] = error
            except Exception as error:
                outcome[0] = TranslationError(f"translator {self.name}: {error!r}")

        self._asking = threading.Thread(target=ask, name="i2t-translate", daemon=True)
        self._asking.start()
        self._asking.join(self._time_limit)
        error = outcome[0]
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
                    f"translator {self.name}: sent {len(batch)} texts, got {len(translated)} back"
                )
            with self._lock:
                for text, translation in zip(batch, translated, strict=True):
                    self._known[text, target, source] = translation


def batches(texts: Sequence[str], letters: int) -> list[list[str]]:
    """Group texts so that each group, line ends included, has at most ``letters`` letters.

    A longer text is alone in its group.
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
