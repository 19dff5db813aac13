"""What all decoders share: their inputs, and what to know about a decoder."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Outputs = Sequence[NDArray[Any]]


class InputSize(NamedTuple):
    """Width and height of the model's input, pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Decoder:
    """A function that reads outputs, and what to know about it.

    function     for objects: (outputs, input size, minimum score, **options) -> Candidates, with
                 masks Segments; raises ModelMismatchError if the outputs cannot be those of this
                 family
    outputs      how many arrays it reads
    suppresses   whether the model itself has already removed overlapping boxes
    settle       what the values of a trial run tell, as values.py says; None: nothing
    """

    function: Callable[..., Any]
    outputs: int
    suppresses: bool = False
    settle: Callable[..., tuple[str, dict[str, Any]]] | None = None

    @property
    def options(self) -> list[str]:
        """What the manifest may set: the parameters that have a default."""
        parameters = inspect.signature(self.function).parameters.values()
        return [each.name for each in parameters if each.default is not each.empty]


@lru_cache(maxsize=8)
def cell_grid(size: InputSize, strides: tuple[int, ...]) -> NDArray[np.float32]:
    """Return (cells, 3) float32: column, row and stride of each cell."""
    parts = [
        np.mgrid[stride : stride + 1, 0 : size.height // stride, 0 : size.width // stride]
        for stride in strides
    ]
    grid = np.concatenate([part.reshape(3, -1)[::-1].T for part in parts])
    grid = grid.astype(np.float32, order="C")
    grid.flags.writeable = False
    return grid
