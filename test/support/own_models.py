"""Users' own model files: every one finds one dog, from (16, 8) to (48, 24) of 64 x 32."""

import numpy as np
import pytest
import tiny_models
from making import open_detector

NCHW, NHWC = ((1, 3, 32, 64), np.float32), ((1, 32, 64, 3), np.uint8)
FLOAT_NHWC = ((1, 32, 64, 3), np.float32)
NAMES = ["person", "dog", "cat"]
CELLS = 32 + 8 + 2
CENTER = [32, 16, 32, 16]  # of the dog: x, y, width, height


def rows(count, columns, filled, at=5):
    """Return (1, count, columns) of zeros, but for one row."""
    output = np.zeros((1, count, columns), np.float32)
    output[0, at, : len(filled)] = filled
    return output


YOLOV8 = rows(CELLS, 7, [*CENTER, 0, 0.9, 0]).transpose(0, 2, 1).copy()


def query_logits():
    logits = np.full((1, 30, 3), -9, np.float32)
    logits[0, 5, 1] = np.log(9)  # whose sigmoid is 0.9
    return logits


def finds_the_dog(model, backend="auto"):
    # The picture is twice as large as the input, so nothing depends on how it is fitted.
    found = open_detector(model, backend).detect(np.zeros((64, 128, 3), np.uint8))
    assert [found.label(i) for i in range(len(found))] == ["dog"]
    np.testing.assert_allclose(found.boxes, [[32, 16, 96, 48]], atol=0.02)
    assert found.scores.tolist() == pytest.approx([0.9], abs=1e-3)
    return True


def put(tmp_path, inputs, outputs, labels=NAMES, metadata=None, name="mine.onnx"):
    """Write a model whose outputs are always the same, and its labels; return its path."""
    if not isinstance(inputs, dict):
        inputs = {"images": inputs}
    (tmp_path / name).write_bytes(tiny_models.constant_onnx(inputs, outputs, metadata))
    if labels:
        (tmp_path / "mine.txt").write_text("\n".join(labels))
    return str(tmp_path / name)
