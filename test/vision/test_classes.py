import math

import numpy as np
import pytest

from i2t_ros.vision.decoders.classes import best, logits, probabilities


def test_logits_become_probabilities():
    values = [1.0, 3.0, 2.0, -1.0]
    total = sum(math.exp(value) for value in values)
    found = logits([np.array([values], np.float32)])
    assert found.tolist() == pytest.approx([math.exp(value) / total for value in values])


def test_logits_of_any_size():
    assert logits([np.array([[1e4, -1e4]], np.float32)]).tolist() == [1.0, 0.0]


def test_probabilities_stay_as_they_are():
    found = probabilities([np.array([[[[0.25]], [[0.75]]]], np.float64)])
    assert found.tolist() == [0.25, 0.75]
    assert found.dtype == np.float32


def test_the_best_come_first_and_ties_in_order():
    found = best(np.array([0.1, 0.4, 0.1, 0.4], np.float32), 3)
    assert [class_id for class_id, _ in found] == [1, 3, 0]
    assert best(np.array([1.0], np.float32), 5) == [(0, 1.0)]
