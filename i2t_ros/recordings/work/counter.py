"""What annotate.json says about the results."""

from i2t_ros.errors import BackendError
from i2t_ros.recordings.base import Damage
from i2t_ros.recordings.writing.base import Told, Writer

MOST_DAMAGE = 10_000
"""Damaged parts that annotate.json lists; the rest is only counted."""


class Counter(Writer):
    """Counts what is told, and sees that one model looked at all of it.

    images        how many were described
    damaged       how many could not be read or described
    first_damage  the first of these
    """

    def __init__(self) -> None:  # it writes nothing, so it need not know anything
        """Begin to count."""
        self.images = 0
        self.damaged = 0
        self.first_damage: list[Damage] = []
        self._model = ""

    def image(self, told: Told) -> None:
        """Raise BackendError if another model looked at this image than at those before."""
        self.images += 1
        model = told.description.model
        self._model = self._model or model
        if model != self._model:
            raise BackendError(
                f"some images were looked at with {self._model} and others with {model}: name a "
                "model and a backend that all machines have, with --model and --backend, and begin "
                "again with --overwrite"
            )

    def damage(self, damage: Damage) -> None:
        """See Writer."""
        self.damaged += 1
        if len(self.first_damage) < MOST_DAMAGE:
            self.first_damage.append(damage)

    def close(self) -> None:
        """See Writer."""
