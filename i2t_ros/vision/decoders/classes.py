"""Decoders of the task classify."""

import numpy as np
from numpy.typing import NDArray

from i2t_ros.vision.decoders.base import Outputs


def probabilities(outputs: Outputs) -> NDArray[np.float32]:
    """Return an output that already is class probabilities, as (classes,) float32."""
    return np.asarray(outputs[0], np.float32).reshape(-1)


def logits(outputs: Outputs) -> NDArray[np.float32]:
    """Return the softmax of an output of logits, as (classes,) float32."""
    values = probabilities(outputs)
    weights = np.exp(values - values.max())
    return np.asarray(weights / weights.sum())
