"""The task segment: every family of models finds a dog and a cat whose shapes are known."""

from contextlib import closing

import numpy as np
import pytest
import tiny_models
from making import describer_of, open_detector, open_task
from outlined_models import (
    BOXES,
    FAMILIES,
    NAMES,
    NCHW,
    PICTURE,
    PROTOTYPES,
    SCORES,
    SHAPE,
    SHAPES,
    iou,
    level,
    rfdetr,
    truth,
    whole,
    yolov8,
)
from own_models import put

from i2t_ros.cli.tables import print_tables
from i2t_ros.errors import InvalidRequestError, ModelError, ModelMismatchError, ModelMissingError
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.description_json import description_from_json, description_to_json
from i2t_ros.pipeline.making import prepare
from i2t_ros.pipeline.object_detector import DetectOptions
from i2t_ros.pipeline.telling import draw
from i2t_ros.types import DescribeRequest, Picture
from i2t_ros.vision.codecs import encode_image

pytest.importorskip("onnx", reason="onnx is not installed")


def finds_both(runner):
    found = runner.run(PICTURE, DetectOptions()).result
    assert found.class_names() == ["dog", "cat"]
    for i, name in enumerate(SHAPES):
        assert found.scores[i] == pytest.approx(SCORES[name], abs=1e-3)
        np.testing.assert_allclose(found.boxes[i], np.multiply(BOXES[name], 2), atol=0.05)
        assert iou(whole(found.masks[i]), truth(name)) > 0.97
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_outlines_what_it_finds(tmp_path, family):
    decoder, inputs, outputs = FAMILIES[family]
    runner = open_task("segment", put(tmp_path, inputs, outputs, NAMES))
    assert runner.reading[0] == decoder
    finds_both(runner)
    runner.close()


def test_masks_go_with_their_objects_when_some_are_left_out(tmp_path):
    runner = open_task("segment", put(tmp_path, *FAMILIES["YOLOv8"][1:], NAMES))
    for options in (
        DetectOptions(deny=frozenset({"dog"})),
        DetectOptions(allow=frozenset({"cat"})),
        DetectOptions(class_min_scores={"dog": 0.95}),
    ):
        (mask,) = runner.run(PICTURE, options).result.masks
        assert iou(whole(mask), truth("cat")) > 0.97
    (mask,) = runner.run(PICTURE, DetectOptions(max_detections=1)).result.masks
    assert iou(whole(mask), truth("dog")) > 0.97
    nothing = runner.run(PICTURE, DetectOptions(min_score=0.95)).result
    assert nothing.masks == ()


def test_a_picture_that_is_padded_has_its_masks_in_its_own_pixels(tmp_path):
    runner = open_task("segment", put(tmp_path, *FAMILIES["YOLOv8"][1:], NAMES))
    found = runner.run(np.zeros((72, 128, 3), np.uint8), DetectOptions()).result  # 12 rows above
    ys, xs = np.mgrid[:72, :128] + 0.5
    for mask, name in zip(found.masks, SHAPES, strict=True):
        image = np.zeros((72, 128), bool)
        height, width = mask.covered.shape
        image[mask.top : mask.top + height, mask.left : mask.left + width] = mask.covered
        assert iou(image, level(name, xs, ys + 12) > 0) > 0.95


def classes_map():
    """Return a map of the input's size: a dog, a cat, a second dog, a speck and a border."""
    ys, xs = np.mgrid[:96, :128] + 0.5
    ids = np.zeros((96, 128), np.int64)
    for name in SHAPES:
        ids[level(name, xs, ys) > 0] = NAMES.index(name)
    ids[80:94, 2:40] = NAMES.index("dog")
    ids[2:5, 2:5] = NAMES.index("dog")
    ids[:, 127] = 255
    return ids


def scores_map(ids):
    scores = np.full((3, *ids.shape), 0.05, np.float32)
    np.put_along_axis(scores, np.where(ids == 255, 0, ids)[None], 0.9, axis=0)
    return scores


IDS = classes_map()
SCORED = scores_map(IDS)
WITH_BACKGROUND = ["background", "dog", "cat"]
MAPS = {
    "ids": (IDS[None], 1.0),
    "ids, 32 bits": (IDS[None].astype(np.int32), 1.0),
    "ids with a channel": (IDS[None, ..., None], 1.0),
    "scores": (SCORED[None], 0.9),
    "scores, channels last": (SCORED.transpose(1, 2, 0)[None].copy(), 0.9),
    "logits": (np.log(SCORED[None]), 0.9),
}


@pytest.mark.parametrize("kind", MAPS)
def test_connected_parts_of_a_label_map_are_things(tmp_path, kind):
    output, score = MAPS[kind]
    runner = open_task("segment", put(tmp_path, NCHW, {"map": output}, WITH_BACKGROUND))
    found = runner.run(PICTURE, DetectOptions()).result
    assert found.class_names() == ["cat", "dog", "dog"]  # the largest first
    assert found.scores.tolist() == pytest.approx([score] * 3, abs=1e-3)
    for i, name in enumerate(("cat", "dog")):
        assert iou(whole(found.masks[i]), truth(name)) > 0.97
    np.testing.assert_allclose(found.boxes[2], [4, 160, 80, 188])
    assert iou(whole(found.masks[2]), np.kron(IDS == 1, np.ones((2, 2))) > 0) < 0.5
    assert whole(found.masks[2])[165:185, 10:75].all()


def two_classes(rows, least):
    """Return the areas of connected parts, each cell's neighbors visited one by one."""
    left, areas = {(r, c) for r, c in np.argwhere(rows == 1).tolist()}, []
    while left:
        todo, area = [left.pop()], 0
        while todo:
            r, c = todo.pop()
            area += 1
            for place in [(r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]:
                if place in left:
                    left.remove(place)
                    todo.append(place)
        areas.append(area)
    return sorted((area for area in areas if area >= least), reverse=True)


def test_parts_are_those_that_a_search_finds(tmp_path):
    ids = (np.random.default_rng(8).random((96, 128)) < 0.35).astype(np.int64)
    runner = open_task("segment", put(tmp_path, NCHW, {"map": ids[None]}, ["background", "dog"]))
    found = runner.run(np.zeros((96, 128, 3), np.uint8), DetectOptions(any_class_iou_threshold=1))
    expected = two_classes(ids, round(0.002 * ids.size))
    assert len(expected) > 5
    assert [int(mask.covered.sum()) for mask in found.result.masks] == expected


def nan(outputs, name):
    broken = outputs[name].copy()
    broken.ravel()[3] = np.nan
    return outputs | {name: broken}


YOLO = FAMILIES["YOLOv8"][2]
BAD = {
    "fewer maps than coefficients": (YOLO | {"output1": PROTOTYPES[None, :1]}, "expected probab"),
    "NaN": (nan(YOLO, "output0"), "NaN"),
    "NaN in the maps": (nan(YOLO, "output1"), "NaN"),
    "masks of other queries": (
        rfdetr(3) | {"masks": np.zeros((1, 29, *SHAPE), np.float32)},
        r"\(1, Q, height, width\)",
    ),
    "probabilities": (rfdetr(3) | {"masks": np.full((1, 30, *SHAPE), 0.7, np.float32)}, "logits"),
    "no class": ({"map": np.full((1, 96, 128), 7, np.int64)}, "3 labels do not fit"),
    "below 0": ({"map": np.full((1, 96, 128), -1, np.int64)}, "expected whole class ids"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_outputs_are_found_when_the_model_is_loaded(tmp_path, what):
    outputs, message = BAD[what]
    path = put(tmp_path, NCHW, outputs, NAMES)
    with pytest.raises(ModelMismatchError, match=message):
        open_task("segment", path)


@pytest.mark.parametrize(
    ("decoder", "outputs", "message"),
    [
        ("yolov8", YOLO | {"output1": np.zeros((1, 8, 24, 32), np.float32)}, r"5 or more \+ M"),
        ("yolov10", YOLO, r"\(1, N, 6 \+ M\)"),
        ("label_map", {"map": np.full((1, 96, 128), 0.5, np.float32)}, "whole class ids"),
        ("label_map", {"map": np.zeros((1, 9), np.float32)}, r"\(1, height, width\)"),
    ],
)
def test_what_a_description_says_must_be_true(tmp_path, decoder, outputs, message):
    path = put(tmp_path, NCHW, outputs, None)
    written = f"task: segment\nlabels: [person, dog, cat]\ndecoder: {decoder}\n"
    written += "input: {format: {width: 128, height: 96}}\n"
    (tmp_path / "mine.yaml").write_text(written)
    with pytest.raises(ModelMismatchError, match=message):
        open_task("segment", path)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"map": np.zeros((1, 9, 9, 9), np.float32)}, "of no known family"),
        (YOLO | {"output1": np.zeros((1, 8, 24, 32), np.float32)}, "of another family"),
    ],
)
def test_what_is_of_no_family_is_not_guessed_at(tmp_path, outputs, message):
    with pytest.raises(ModelError, match=message):
        open_task("segment", put(tmp_path, NCHW, outputs, NAMES))


def test_a_model_for_the_other_task_is_named(tmp_path):
    path = put(tmp_path, NCHW, YOLO, NAMES)
    with pytest.raises(
        ModelMismatchError,
        match="for the task segment, not for detect: name it with the option seg",
    ):
        open_task("detect", path)
    (tmp_path / "mine.onnx").write_bytes(
        tiny_models.constant_onnx({"images": NCHW}, {"output0": yolov8()[:, :7]})
    )
    with pytest.raises(
        ModelMismatchError, match="for the task detect, not for segment: name it with the option"
    ):
        open_task("segment", path)


@pytest.fixture
def describer(tmp_path):
    runner = open_task("segment", put(tmp_path, *FAMILIES["YOLOv8"][1:], NAMES))
    made = describer_of(open_detector("fake"), {"segment": lambda: runner})
    yield made
    made.close()


def test_segment_stands_in_place_of_detect(describer):
    said = describer.describe(PICTURE, DescribeOptions(tasks=("detect", "segment")))
    assert list(said.scene.results) == ["segment"]
    assert said.sentence == "I can see a cat and a dog."
    assert said.scene.detections.class_names() == ["dog", "cat"]


def test_if_segment_fails_the_objects_are_those_of_detect():
    def fails():
        raise ModelMismatchError("it is another one")

    detector = open_detector("fake")
    made = describer_of(detector, {"segment": fails})
    with closing(made):
        scene = made.describe(PICTURE, DescribeOptions(tasks=("detect", "segment"))).scene
    assert list(scene.results) == ["detect"]
    assert list(scene.failures) == ["segment"]


@pytest.mark.parametrize("tasks", [("segment",), ("detect", "segment")])
def test_a_request_is_answered_with_outlines(describer, tasks):
    picture = Picture(bytes(encode_image(PICTURE, "png", 90).data))
    request = DescribeRequest(picture, tasks=tasks, annotate=True, min_score=0.8)
    reply = describer.answer(request, DescribeOptions(tasks=("detect",)))
    found = description_to_json(reply.description)
    assert found["tasks"] == ["segment"]
    (dog,) = found["detections"]
    (line,) = dog["polygons"]
    xs, ys = line[::2], line[1::2]
    assert [min(xs), min(ys), max(xs), max(ys)] == pytest.approx(dog["box"], abs=2)
    again = description_from_json(found)
    assert iou(whole(again.scene.detections.masks[0]), truth("dog")) > 0.96
    assert description_to_json(again)["detections"] == found["detections"]


def test_classes_that_are_named_are_those_of_its_own_model(describer):
    named = dict.fromkeys(("detect", "segment"), DetectOptions(allow=frozenset({"dgo"})))
    options = DescribeOptions(tasks=("segment",), task_options=named)
    with pytest.raises(InvalidRequestError, match="mine has no class 'dgo'; did you mean 'dog'"):
        prepare(describer, options)


def test_tables_have_each_object_once_and_no_points(describer, capsys):
    print_tables(describer.describe(PICTURE, DescribeOptions(tasks=("segment",))))
    told = capsys.readouterr().out
    assert told.count("detections:") == told.count("objects:") == 1
    assert "polygons" not in told
    assert "20,56,140,144" in told


def test_masks_are_drawn_under_boxes_and_labels(describer):
    options = DescribeOptions(tasks=("segment",))
    scene = describer.describe(PICTURE, options).scene
    drawn = draw(PICTURE, scene, options)
    inside, outside = truth("dog"), ~(truth("dog") | truth("cat"))
    changed = (drawn != PICTURE).any(axis=2)
    assert changed[inside].mean() > 0.99
    assert changed[outside].mean() < 0.2  # boxes and labels
    assert 0 < abs(drawn[100, 80].astype(int) - 120).max() < 80  # translucent


def test_a_picture_of_another_size_has_masks_of_its_own_size(describer):
    said = describer.describe(PICTURE, DescribeOptions(tasks=("segment",)), size=(512, 384))
    for mask, name in zip(said.scene.detections.masks, SHAPES, strict=True):
        image = np.zeros((384, 512), bool)
        height, width = mask.covered.shape
        image[mask.top : mask.top + height, mask.left : mask.left + width] = mask.covered
        assert iou(image, np.kron(truth(name), np.ones((2, 2))) > 0) > 0.97


def test_auto_without_a_model_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("I2T_MODEL_PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ModelMissingError, match="models fetch deeplab_v3"):
        open_task("segment", offline=True)
