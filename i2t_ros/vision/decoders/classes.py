"""Decoders of the task classify."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from i2t_ros.vision.decoders.base import Outputs

BACKGROUND = frozenset({"background", "bg", "dummy", "n/a", "???", "unlabeled", "unlabelled"})
"""Names, without underscores at the ends, of what is no class: the background, and the holes in the
numbering of COCO."""

IMAGENET_WITH_BACKGROUND = 1001
"""Classes of a list of ImageNet that begins with the background, whatever it is called there."""


def background_classes(labels: Sequence[str]) -> frozenset[int]:
    """Return the ids of a model's labels that name nothing that a picture could show."""
    found = frozenset(
        class_id
        for class_id, label in enumerate(labels)
        if label.strip().strip("_").lower() in BACKGROUND
    )
    return found or frozenset({0} if len(labels) == IMAGENET_WITH_BACKGROUND else ())


def probabilities(outputs: Outputs) -> NDArray[np.float32]:
    """Return an output that already is class probabilities, as (classes,) float32."""
    return np.asarray(outputs[0], np.float32).reshape(-1)


def logits(outputs: Outputs) -> NDArray[np.float32]:
    """Return the softmax of an output of logits, as (classes,) float32."""
    values = probabilities(outputs)
    weights = np.exp(values - values.max())
    return np.asarray(weights / weights.sum())
