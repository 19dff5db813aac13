import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from making import object_detector
from msgspec.structs import replace

from i2t_ros.backends.fake import FakeBackend
from i2t_ros.errors import InferenceError, ModelMismatchError
from i2t_ros.models.manifest import find_spec
from i2t_ros.pipeline.object_detector import DetectOptions
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.types import Detections
from i2t_ros.vision.drawing import DrawOptions, Pen

SPEC = replace(find_spec("fake"), labels=("person", "dog", "cat"), score_threshold=0.4)
PICTURE = np.full((100, 200, 3), 90, np.uint8)


def detector(*found, spec=SPEC):
    """Return a detector that finds (left, top, right, bottom, score, class id) each time."""
    rows = np.array(found, np.float32).reshape(-1, 6)
    answer = [rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int32)]
    backend = FakeBackend(script=lambda _: [part.copy() for part in answer])
    return object_detector(spec, backend)


MIXED = detector(
    (10, 10, 50, 50, 0.5, 0),
    (20, 20, 60, 60, 0.9, 1),
    (30, 30, 70, 70, 0.3, 1),
    (40, 40, 80, 80, 0.45, 2),
)


def test_best_first_and_above_the_models_own_threshold():
    found = MIXED.detect(PICTURE)
    assert found.scores.tolist() == pytest.approx([0.9, 0.5, 0.45])
    assert [found.label(i) for i in range(len(found))] == ["dog", "person", "cat"]
    assert found.labels == SPEC.labels


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        (DetectOptions(min_score=0.6), ["dog"]),
        (DetectOptions(min_score=0.1), ["dog", "person", "cat", "dog"]),
        (DetectOptions(max_detections=1), ["dog"]),
        (DetectOptions(class_min_scores={"person": 0.6}), ["dog", "cat"]),
        (DetectOptions(class_min_scores={"dog": 0.2}), ["dog", "person", "cat", "dog"]),
        (DetectOptions(allow=frozenset({"cat", "unicorn"})), ["cat"]),
        (DetectOptions(deny=frozenset({"dog"})), ["person", "cat"]),
        (DetectOptions(allow=frozenset({"dog"}), deny=frozenset({"dog"})), []),
    ],
)
def test_options(options, labels):
    found = MIXED.detect(PICTURE, options)
    assert [found.label(i) for i in range(len(found))] == labels


def small_yolox():
    of = find_spec("yolox_nano")
    return replace(
        of, input=replace(of.input, format=replace(of.input.format, width=32, height=32))
    )


def test_overlapping_boxes_of_a_class_become_one():
    spec = small_yolox()
    output = np.zeros((1, 21, 85), np.float32)
    output[0, 5] = [0.5, 0.5, 0, 0, 1, *[0] * 80]
    output[0, 6] = [-0.4, 0.5, 0, 0, 1, *[0] * 80]  # 0.8 pixels beside the one before
    output[0, 5, 5 + 2], output[0, 6, 5 + 2] = 0.9, 0.8
    backend = FakeBackend(script=lambda _: [output])
    tested = object_detector(spec, backend)
    found = tested.detect(np.zeros((64, 64, 3), np.uint8))
    np.testing.assert_allclose(found.boxes, [[16, 16, 32, 32]])
    assert found.label(0) == "car"
    assert len(tested.detect(np.zeros((64, 64, 3), np.uint8), DetectOptions(iou_threshold=1))) == 2


CAR_AND_TRUCK = (10, 10, 110, 60, 0.6, 0), (11, 10, 112, 60, 0.7, 1)  # IoU 0.97


@pytest.mark.parametrize(
    ("found", "options", "labels"),
    [
        (CAR_AND_TRUCK, DetectOptions(), ["dog"]),
        (CAR_AND_TRUCK[::-1], DetectOptions(), ["dog"]),
        ((*CAR_AND_TRUCK, (10, 11, 111, 60, 0.5, 2)), DetectOptions(), ["dog"]),
        (CAR_AND_TRUCK, DetectOptions(any_class_iou_threshold=1), ["dog", "person"]),
        (CAR_AND_TRUCK, DetectOptions(iou_threshold=1), ["dog", "person"]),
        (CAR_AND_TRUCK, DetectOptions(min_score=0.5), ["dog"]),
        (CAR_AND_TRUCK, DetectOptions(min_score=0.1), ["dog", "person"]),  # all candidates
        (CAR_AND_TRUCK, DetectOptions(deny=frozenset({"dog"})), ["person"]),
        (CAR_AND_TRUCK, DetectOptions(class_min_scores={"dog": 0.8}), ["person"]),
        # a pizza on its table, a rider on a horse, two things side by side
        ([(0, 0, 100, 78, 0.6, 0), (0, 0, 100, 100, 0.7, 1)], DetectOptions(), ["dog", "person"]),
        ([(0, 0, 50, 50, 0.6, 0), (51, 0, 99, 50, 0.5, 1)], DetectOptions(), ["person", "dog"]),
    ],
)
def test_one_thing_under_two_classes_is_one_object(found, options, labels):
    seen = detector(*found).detect(PICTURE, options)
    assert [seen.label(i) for i in range(len(seen))] == labels


@pytest.mark.parametrize("name", ["background", "__background__", "???"])
def test_the_background_is_no_object(name):
    spec = replace(SPEC, labels=(name, "dog", "cat"))
    seen = detector((10, 10, 50, 50, 0.9, 0), (20, 20, 60, 60, 0.8, 1), spec=spec).detect(PICTURE)
    assert [seen.label(i) for i in range(len(seen))] == ["dog"]


def test_threads_have_a_picture_and_a_threshold_of_their_own():
    together = threading.Barrier(2)

    def bright_is_certain(inputs):
        before = inputs[0].copy()
        if before.any():  # the first call, of a black picture, is the detector's own
            together.wait(30)
        assert np.array_equal(inputs[0], before)
        output = np.zeros((1, 21, 85), np.float32)
        output[0, 5, :6] = [0.5, 0.5, 0, 0, before.mean() / 255, 1]
        return [output]

    backend = FakeBackend(script=bright_is_certain)
    tested = object_detector(small_yolox(), backend)
    asked = [(shade, DetectOptions(min_score=score)) for shade in (90, 180) for score in (0.3, 0.5)]

    def find(shade, options):
        return tested.detect(np.full((64, 64, 3), shade, np.uint8), options).scores.tolist()

    with ThreadPoolExecutor(2) as threads:
        found = [*threads.map(find, *zip(*(asked * 25), strict=True))]
    expected = [[0.353], [], [0.706], [0.706]] * 25
    assert [pytest.approx(scores, abs=0.001) for scores in expected] == found


def one_object_as_bright_as_the_image(inputs):
    """Return, for each image of a batch, one object whose score is the image's brightness."""
    output = np.zeros((len(inputs[0]), 21, 85), np.float32)
    output[:, 5, :6] = [0.5, 0.5, 0, 0, 0, 1]
    output[:, 5, 4] = inputs[0].mean(axis=(1, 2, 3)) / 255
    return [output]


def test_images_that_go_in_one_call_are_read_as_if_each_were_alone():
    backend = FakeBackend(script=one_object_as_bright_as_the_image, batch=3)
    tested = object_detector(small_yolox(), backend)
    assert tested.batch == 3
    shapes = ((64, 64), (32, 64), (64, 48))
    images = [np.full((*shape, 3), 90 + 50 * i, np.uint8) for i, shape in enumerate(shapes)]
    alone = [tested.detect(image) for image in images]
    calls = backend.calls
    prepared = [tested.prepare(image) for image in images]
    outputs = tested.infer(prepared)
    assert backend.calls == calls + 1
    for image, answer, expected in zip(prepared, outputs, alone, strict=True):
        found = tested.read(image, answer, DetectOptions())
        assert np.array_equal(found.boxes, expected.boxes)
        assert np.array_equal(found.scores, expected.scores)


def test_a_tensor_is_allocated_for_each_image_in_work_and_used_again():
    backend = FakeBackend(script=one_object_as_bright_as_the_image, batch=2)
    tested = object_detector(small_yolox(), backend)
    image = np.full((64, 64, 3), 90, np.uint8)
    tensors = set()
    for _ in range(10):
        prepared = [tested.prepare(image), tested.prepare(image)]
        tensors |= {id(each.inputs[0]) for each in prepared}
        tested.infer(prepared)
    assert len(tensors) == 2


def test_boxes_are_within_the_picture():
    tested = detector((-20, -5, 500, 40, 0.9, 0), (300, 10, 400, 50, 0.8, 1))
    assert tested.detect(PICTURE).boxes.tolist() == [[0, 0, 200, 40]]


def test_what_is_no_box_is_dropped():
    tested = detector((1, 1, np.inf, 9, 0.9, 0), (9, 9, 9, 20, 0.8, 1), (1, 2, np.nan, 9, 0.8, 1))
    assert len(tested.detect(PICTURE)) == 0


def test_nothing_found_is_an_ordinary_case():
    found = detector().detect(PICTURE)
    assert len(found) == 0
    assert found.labels == SPEC.labels


@pytest.mark.parametrize("class_id", [-1, 3])
def test_a_class_beyond_the_label_table_is_named(class_id):
    message = f"and 3 labels do not fit .* expected 0 to 2, got {class_id} to {class_id}"
    with pytest.raises(ModelMismatchError, match=message):
        detector((1, 1, 9, 9, 0.9, class_id)).detect(PICTURE)
    with pytest.raises(ModelMismatchError, match="3 labels do not fit"):
        detector((1, 1, 9, 9, 0.9, class_id)).detect(
            PICTURE, DetectOptions(deny=frozenset({"person"}))
        )


def test_a_wrong_number_of_outputs_is_named():
    backend = FakeBackend(script=lambda _: [np.zeros((1, 4))])
    with pytest.raises(ModelMismatchError, match=r"decoder pixels reads 3 output\(s\), got 1"):
        object_detector(SPEC, backend).detect(PICTURE)


def test_wrong_outputs_are_found_when_it_is_opened():
    backend = FakeBackend(script=lambda _: [np.zeros((1, 4, 85), np.float32)])
    with pytest.raises(ModelMismatchError, match="makes 3549 cells, the model gave 4"):
        object_detector(find_spec("yolox_nano"), backend)


def test_closing_twice_is_allowed_and_work_afterwards_is_not():
    tested = detector()
    tested.close()
    tested.close()
    with pytest.raises(InferenceError):
        tested.detect(PICTURE)


def test_the_label_has_the_distance_if_it_is_known():
    found = Detections(
        *([[0, 0, 9, 9], [20, 0, 29, 9]], [0.9, 0.8], [0, 0], ("dog",)),
        positions=[[0, 0, 2.14], [0, 0, 0]],
    )
    image = np.zeros((40, 40, 3), np.uint8)
    plates = TASKS["detect"].plates(image, found, Pen.for_image(image), str, DrawOptions())
    assert [plate.text for plate in plates] == ["dog 90% 2.1 m", "dog 80%"]
