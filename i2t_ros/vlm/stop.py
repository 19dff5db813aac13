"""Ends work that another thread does."""

import threading
from collections.abc import Callable


class Stop:
    """Set once, from any thread; whoever works is told at once."""

    def __init__(self) -> None:
        """Nothing is to end yet."""
        self._lock = threading.Lock()
        self._is_set = False
        self._callbacks: list[Callable[[], object]] = []

    @property
    def is_set(self) -> bool:
        """Whether the work is to end."""
        return self._is_set

    def set(self) -> None:
        """End the work. May be called more than once."""
        with self._lock:
            callbacks, self._callbacks, self._is_set = self._callbacks, [], True
        for callback in callbacks:
            callback()

    def then(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call ``callback`` when the work is to end, at once if it is; return what takes it back.

        It is called in the thread that calls set(), and must neither block nor raise.
        """
        with self._lock:
            if not self._is_set:
                self._callbacks.append(callback)
                return lambda: self._forget(callback)
        callback()
        return lambda: None

    def _forget(self, callback: Callable[[], object]) -> None:
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)
