import math

import numpy as np
import pytest

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.decoders import DECODERS, exports, objects
from i2t_ros.vision.decoders.base import InputSize
from i2t_ros.vision.decoders.classes import logits, probabilities
from i2t_ros.vision.decoders.objects import pixels, yolox

STRIDES = (8, 16, 32)


def yolox_cell_by_cell(output, size, min_score):
    """Apply the authors' formula to one cell after the other."""
    found, row = [], 0
    for stride in STRIDES:
        for y in range(size.height // stride):
            for x in range(size.width // stride):
                cx, cy, w, h, objectness, *classes = (float(v) for v in output[0, row])
                best = max(range(len(classes)), key=classes.__getitem__)
                score = objectness * classes[best]
                if score >= min_score:
                    cx, cy = (cx + x) * stride, (cy + y) * stride
                    w, h = math.exp(w) * stride, math.exp(h) * stride
                    found.append(([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], score, best))
                row += 1
    return found


@pytest.mark.parametrize("min_score", [0.01, 0.3, 0.9])
def test_yolox_equals_the_formula(min_score):
    size = InputSize(96, 64)
    cells = sum((size.width // s) * (size.height // s) for s in STRIDES)
    rng = np.random.default_rng(0)
    output = rng.uniform(0, 1, (1, cells, 5 + 4)).astype(np.float32)
    boxes, scores, class_ids, classes = yolox([output], size, min_score, STRIDES)
    assert classes == 4
    wanted = yolox_cell_by_cell(output, size, min_score)
    assert len(wanted) == len(boxes)
    np.testing.assert_allclose(
        boxes, np.reshape([w[0] for w in wanted], (-1, 4)), rtol=1e-5, atol=1e-4
    )
    np.testing.assert_allclose(scores, [w[1] for w in wanted], rtol=1e-6)
    assert class_ids.tolist() == [w[2] for w in wanted]


def test_yolox_finds_nothing_in_zeros():
    found = yolox([np.zeros((1, 21, 7), np.float32)], InputSize(32, 32), 0.3, STRIDES)
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == found.class_ids.shape == (0,)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 21, 5), r"of shape \(1, N, 6 or more\), got \(1, 21, 5\)"),
        ((21, 7), r"got \(21, 7\)"),
        ((2, 21, 7), r"got \(2, 21, 7\)"),
        ((1, 20, 7), "makes 21 cells, the model gave 20"),
    ],
)
def test_yolox_refuses_other_shapes(shape, message):
    with pytest.raises(ModelMismatchError, match=message):
        yolox([np.zeros(shape, np.float32)], InputSize(32, 32), 0.3, STRIDES)


# The others, each against its format's definition, one candidate after the other.

SIZE = InputSize(96, 64)


def corners(cx, cy, w, h):
    return [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]


def agree(found, wanted):
    """Compare with a list of (box, score, class id), in any order."""
    rows = sorted(zip(found.scores, found.boxes.tolist(), found.class_ids, strict=True))
    wanted = sorted((score, box, class_id) for box, score, class_id in wanted)
    assert len(rows) == len(wanted) > 0
    for (score, box, class_id), (wanted_score, wanted_box, wanted_class) in zip(
        rows, wanted, strict=True
    ):
        assert score == pytest.approx(wanted_score, rel=1e-5)
        assert box == pytest.approx(wanted_box, abs=1e-3)
        assert class_id == wanted_class


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, shape).astype(np.float32)


@pytest.mark.parametrize("normalized", [False, True])
def test_yolov5(normalized):
    output = numbers(1, 50, 5 + 3)
    wanted = []
    for row in output[0].astype(float):
        best = int(row[5:].argmax())
        score = row[4] * row[5 + best]
        if score >= 0.4:
            scale = [96, 64, 96, 64] if normalized else [1, 1, 1, 1]
            box = [value * s for value, s in zip(corners(*row[:4]), scale, strict=True)]
            wanted.append((box, score, best))
    agree(objects.yolov5([output], SIZE, 0.4, normalized), wanted)


@pytest.mark.parametrize("normalized", [False, True])
def test_yolov8(normalized):
    output = numbers(1, 4 + 3, 50)
    wanted = []
    for row in output[0].T.astype(float):
        best = int(row[4:].argmax())
        if row[4 + best] >= 0.8:
            scale = [96, 64, 96, 64] if normalized else [1, 1, 1, 1]
            box = [value * s for value, s in zip(corners(*row[:4]), scale, strict=True)]
            wanted.append((box, row[4 + best], best))
    agree(objects.yolov8([output], SIZE, 0.8, normalized), wanted)


def test_yolov10():
    output = numbers(1, 30, 6)
    output[0, :, 5] = np.arange(30) % 4
    wanted = [(list(row[:4]), row[4], int(row[5])) for row in output[0].astype(float)]
    wanted = [found for found in wanted if found[1] >= 0.5]
    agree(objects.yolov10([output], SIZE, 0.5, False), wanted)


def test_yolov10_in_fractions_looks_at_each_picture():
    empty, fractions, pixels_of = (np.zeros((1, 3, 6), np.float32) for _ in range(3))
    fractions[0, 0] = [0.25, 0.5, 0.5, 1, 0.9, 1]
    pixels_of[0, 0] = [24, 32, 48, 64, 0.9, 1]
    assert len(objects.yolov10([empty], SIZE, 0.5, True).boxes) == 0
    for output in (fractions, pixels_of):
        agree(objects.yolov10([output], SIZE, 0.5, True), [([24, 32, 48, 64], 0.9, 1)])


def test_queries():
    output = numbers(1, 30, 4 + 5)
    wanted = []
    for row in output[0].astype(float):
        cx, cy, w, h = row[:4]
        best = int(row[4:].argmax())
        if row[4 + best] >= 0.9:
            wanted.append((corners(cx * 96, cy * 64, w * 96, h * 64), row[4 + best], best))
    agree(objects.queries([output], SIZE, 0.9), wanted)


def test_query_logits():
    logits, boxes = numbers(1, 30, 5) * 8 - 6, numbers(1, 30, 4, seed=1)
    wanted = []
    for row, (cx, cy, w, h) in zip(logits[0].astype(float), boxes[0].astype(float), strict=True):
        best = int(row.argmax())
        score = 1 / (1 + math.exp(-row[best]))
        if score >= 0.5:
            wanted.append((corners(cx * 96, cy * 64, w * 96, h * 64), score, best))
    agree(objects.query_logits([logits, boxes], SIZE, 0.5), wanted)


@pytest.mark.parametrize("softmax", [False, True])
def test_query_logits_with_a_column_of_no_object(softmax):
    logits, boxes = numbers(1, 40, 4) * 8 - 4, numbers(1, 40, 4, seed=1)
    wanted = []
    for row, (cx, cy, w, h) in zip(logits[0].astype(float), boxes[0].astype(float), strict=True):
        best = int(row[:3].argmax())
        total = sum(math.exp(value) for value in row)
        score = math.exp(row[best]) / total if softmax else 1 / (1 + math.exp(-row[best]))
        if score >= 0.6:
            wanted.append((corners(cx * 96, cy * 64, w * 96, h * 64), score, best))
    found = objects.query_logits([logits, boxes], SIZE, 0.6, no_object=True, softmax=softmax)
    agree(found, wanted)
    assert found.classes == 3


def test_query_logits_of_any_size_are_probabilities():
    logits = np.array([[[1e4, -1e4]]], np.float32)
    found = objects.query_logits([logits, numbers(1, 1, 4)], SIZE, 0.5)
    assert found.scores.tolist() == [1.0]


def test_yolov8_with_corners():
    output = numbers(1, 4 + 3, 50)
    wanted = [
        (row[:4].tolist(), row[4:].max(), int(row[4:].argmax()))
        for row in output[0].T.astype(float)
        if row[4:].max() >= 0.8
    ]
    agree(objects.yolov8([output], SIZE, 0.8, corners=True), wanted)


@pytest.mark.parametrize("batched", [False, True])
def test_dets_labels(batched):
    dets, labels = numbers(1, 20, 5) * [90, 90, 90, 90, 1], np.arange(20)[None] % 3
    dets = dets.astype(np.float32)
    wanted = [
        (row[:4], row[4], label)
        for row, label in zip(dets[0].tolist(), labels[0].tolist(), strict=True)
        if row[4] >= 0.6
    ]
    outputs = [dets, labels] if batched else [dets[0], labels[0]]
    agree(exports.dets_labels(outputs, SIZE, 0.6), wanted)
    with pytest.raises(ModelMismatchError, match=r"expected outputs of shapes \(1, N, 5\)"):
        exports.dets_labels([dets, labels[:, 1:]], SIZE, 0.6)


def test_num_dets():
    boxes, scores = numbers(1, 20, 4) * 90, numbers(1, 20, seed=2)
    labels = np.arange(20, dtype=np.int32)[None] % 3
    every = zip(boxes[0].tolist(), scores[0].tolist(), labels[0].tolist(), strict=True)
    wanted = [one for i, one in enumerate(every) if i < 12 and one[1] >= 0.6]
    agree(exports.num_dets([np.array([[12]]), boxes, scores, labels], SIZE, 0.6), wanted)


@pytest.mark.parametrize("normalized", [False, True])
def test_boxes_scores(normalized):
    boxes, scores = numbers(1, 30, 4), numbers(1, 30, 3, seed=2)
    scale = [96, 64, 96, 64] if normalized else [1, 1, 1, 1]
    wanted = [
        ([side * s for side, s in zip(box, scale, strict=True)], max(row), row.index(max(row)))
        for box, row in zip(boxes[0].tolist(), scores[0].tolist(), strict=True)
        if max(row) >= 0.8
    ]
    agree(exports.boxes_scores([boxes, scores], SIZE, 0.8, normalized), wanted)


def test_yolov7_end2end():
    rows = numbers(30, 7)
    rows[:, 0], rows[:, 5] = np.arange(30) % 2, np.arange(30) % 3
    wanted = [
        (row[1:5], row[6], int(row[5])) for row in rows.tolist() if row[0] == 0 and row[6] >= 0.5
    ]
    agree(exports.yolov7_end2end([rows], SIZE, 0.5), wanted)
    flat = rows[:, [0, 1, 2, 3, 4, 6, 5]]
    agree(exports.yolov7_end2end([flat], SIZE, 0.5, score_first=True), wanted)
    with pytest.raises(ModelMismatchError, match="expected whole class ids"):
        exports.yolov7_end2end([flat], SIZE, 0.5)
    assert exports.yolov7_end2end([rows[:0]], SIZE, 0.5).boxes.shape == (0, 4)
    with pytest.raises(ModelMismatchError, match=r"expected an output of shape \(N, 7\)"):
        exports.yolov7_end2end([rows[None]], SIZE, 0.5)


def test_labels_boxes_scores():
    labels = np.arange(20, dtype=np.int64)[None] % 3
    boxes, scores = numbers(1, 20, 4) * 90, numbers(1, 20, seed=2)
    every = zip(boxes[0].tolist(), scores[0].tolist(), labels[0].tolist(), strict=True)
    found = objects.labels_boxes_scores([labels, boxes, scores], SIZE, 0.6)
    agree(found, [one for one in every if one[1] >= 0.6])


@pytest.mark.parametrize("offset", [0, 1])
def test_tensorflow(offset):
    boxes, scores = numbers(1, 10, 4), np.linspace(1, 0.1, 10, dtype=np.float32)[None]
    classes = np.arange(10, dtype=np.float32)[None]
    wanted = [
        ([x1 * 96, y1 * 64, x2 * 96, y2 * 64], scores[0, i], i + offset)
        for i, (y1, x1, y2, x2) in enumerate(boxes[0].tolist())
        if i < 6 and scores[0, i] >= 0.65
    ]
    outputs = [boxes, classes, scores, np.array([6], np.float32)]
    agree(objects.tensorflow(outputs, SIZE, 0.65, offset), wanted)


@pytest.mark.parametrize("batched", [False, True])
def test_yolov3(batched):
    boxes, scores = numbers(1, 12, 4) * 60, numbers(1, 3, 12, seed=1)
    chosen = [(0, 2, 4), (0, 0, 11), (0, 1, 4), (0, 2, 0)]
    wanted = [
        (boxes[0, i][[1, 0, 3, 2]].tolist(), scores[0, c, i], c)
        for _, c, i in chosen
        if scores[0, c, i] >= 0.1
    ]
    padded = np.array([*chosen, (-1, -1, -1)], np.int32)
    outputs = [boxes, scores, padded[None] if batched else padded]
    agree(objects.yolov3(outputs, SIZE, 0.1), wanted)


@pytest.mark.parametrize("order", ["pairs", "probabilities first", "sides first"])
@pytest.mark.parametrize("center", [0.0, 0.5])
def test_nanodet(order, center):
    levels, wanted = [], []
    for stride in STRIDES:
        cells = (SIZE.width // stride) * (SIZE.height // stride)
        probabilities = numbers(1, cells, 5, seed=stride)
        sides = numbers(1, cells, 4 * 8, seed=stride + 1) * 4
        levels.append((probabilities, sides))
        for cell in range(cells):
            best = int(probabilities[0, cell].argmax())
            if probabilities[0, cell, best] >= 0.95:
                distances = []
                for side in sides[0, cell].reshape(4, 8).astype(float):
                    weights = [math.exp(value) for value in side]
                    mean = sum(i * weight for i, weight in enumerate(weights)) / sum(weights)
                    distances.append(mean * stride)
                x = (cell % (SIZE.width // stride)) * stride + center * (stride - 1)
                y = (cell // (SIZE.width // stride)) * stride + center * (stride - 1)
                left, top, right, bottom = distances
                box = [x - left, y - top, x + right, y + bottom]
                wanted.append((box, probabilities[0, cell, best], best))
    outputs = {
        "pairs": [part for level in levels for part in level],
        "probabilities first": [level[0] for level in levels] + [level[1] for level in levels],
        "sides first": [level[1] for level in levels] + [level[0] for level in levels],
    }[order]
    agree(objects.nanodet(outputs, SIZE, 0.95, STRIDES, 8, center), wanted)


def test_nanodet_of_another_size_is_refused():
    outputs = [numbers(1, 10, 5)] * 3 + [numbers(1, 10, 32)] * 3
    with pytest.raises(ModelMismatchError, match=r"strides \[8, 16, 32\] make \[96, 24, 6\] cells"):
        objects.nanodet(outputs, SIZE, 0.3, STRIDES, 8, 0.5)


def test_nothing_found_keeps_its_shape():
    empty = {
        "yolov5": [np.zeros((1, 9, 8), np.float32)],
        "yolov8": [np.zeros((1, 7, 9), np.float32)],
        "yolov10": [np.zeros((1, 9, 6), np.float32)],
        "queries": [np.zeros((1, 9, 7), np.float32)],
        "query_logits": [np.full((1, 9, 3), -9, np.float32), numbers(1, 9, 4)],
        "labels_boxes_scores": [np.zeros((1, 9)), numbers(1, 9, 4), np.zeros((1, 9), np.float32)],
        "tensorflow": [numbers(1, 9, 4), np.zeros((1, 9)), numbers(1, 9), np.zeros(1)],
        "yolov3": [numbers(1, 9, 4), numbers(1, 3, 9), np.empty((0, 3), np.int32)],
    }
    for name, outputs in empty.items():
        found = DECODERS["detect"][name].function(outputs, SIZE, 0.5)
        assert found.boxes.shape == (0, 4), name
        assert found.scores.shape == found.class_ids.shape == (0,), name


def test_pixels_drops_what_scores_too_little():
    boxes = np.array([[0, 0, 1, 1], [2, 2, 3, 3]], np.float32)
    found = pixels(
        [boxes, np.array([0.2, 0.8], np.float32), np.array([4, 5])], InputSize(9, 9), 0.5
    )
    assert found.boxes.tolist() == [[2, 2, 3, 3]]
    assert found.class_ids.tolist() == [5]


def test_the_options_of_a_decoder_are_what_the_manifest_may_set():
    options = {name: decoder.options for name, decoder in DECODERS["detect"].items()}
    assert options["nanodet"] == ["strides", "bins", "center"]
    assert options["pixels"] == []


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
