"""From a classifier's raw output to class probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2t_ros.vision.decoders.objects import Decoder


def probabilities(outputs: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """Return an output that already is probabilities, as (classes,) float32."""
    return np.asarray(outputs[0], np.float32).reshape(-1)


def logits(outputs: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """Return the softmax of an output of logits, as (classes,) float32."""
    values = np.asarray(outputs[0], np.float32).reshape(-1)
    weights = np.exp(values - values.max())
    return np.asarray(weights / weights.sum())


def best(of: NDArray[np.float32], count: int) -> list[tuple[int, float]]:
    """Return the ``count`` most probable classes, id and probability, best first."""
    ids = np.argsort(-of, kind="stable")[:count]
    return [(int(i), float(of[i])) for i in ids]


CLASSIFIERS: Mapping[str, Decoder] = MappingProxyType(
    {"probabilities": Decoder(probabilities, 1), "logits": Decoder(logits, 1)}
)
