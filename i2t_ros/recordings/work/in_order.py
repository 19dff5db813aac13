"""Telling beside looking: units come in any order, and are told in theirs."""

import threading
from collections.abc import Callable, Sequence

from i2t_ros.recordings.work.job import Unit


class InOrder:
    """Tells units in a thread, each as soon as it and all before it are ready.

    So little is left to tell when the last unit has been looked at. A context manager that ends the
    thread.

    done  how many images have been told
    """

    def __init__(self, tell: Callable[[Unit], int], units: Sequence[Unit]) -> None:
        """``tell`` is called in the thread, and returns how many images it told."""
        self.done = 0
        self._tell = tell
        self._units = units
        self._ready: set[Unit] = set()
        self._change = threading.Condition()
        self._ended = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="i2t-telling", daemon=True)

    def __enter__(self) -> "InOrder":
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it, after the unit that it is at."""
        with self._change:
            self._ended = True
            self._change.notify_all()
        self._thread.join()

    def ready(self, unit: Unit) -> None:
        """Say that a unit may be told; raises what telling has raised."""
        with self._change:
            self._ready.add(unit)
            self._change.notify_all()
            if self._error is not None:
                raise self._error

    def finish(self, advance: Callable[[int], None]) -> None:
        """Wait until all units, which must be ready, are told; raises what telling has raised.

        ``advance`` is told how many more images have been told.
        """
        with self._change:
            told = self.done
            while not self._ended:
                self._change.wait()
                advance(self.done - told)
                told = self.done
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            for unit in self._units:
                with self._change:
                    while unit not in self._ready and not self._ended:
                        self._change.wait()
                    if self._ended:
                        return
                    self._ready.discard(unit)
                number = self._tell(unit)
                with self._change:
                    self.done += number
                    self._change.notify_all()
        except Exception as error:  # whoever waits raises it
            self._error = error
        with self._change:
            self._ended = True
            self._change.notify_all()
