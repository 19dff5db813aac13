import hashlib
from array import array
from dataclasses import replace

import numpy as np
import pytest

from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.types import Detections, Mask, Picture, Scene
from i2t_ros.vision import codecs

LABELS = ("person", "", "dog")


def found(n=2):
    return Detections(np.tile([1, 2, 3, 4], (n, 1)), np.full(n, 0.5), np.zeros(n), LABELS)


def test_empty_is_an_ordinary_case():
    empty = Detections.empty(LABELS)
    assert len(empty) == 0
    assert empty.boxes.shape == (0, 4)
    assert empty[np.empty(0, np.intp)].labels == LABELS


def test_empty_lists_take_the_right_shape():
    assert Detections([], [], [], LABELS).boxes.shape == (0, 4)


def test_arrays_are_copied_and_read_only():
    boxes = np.zeros((1, 4), np.float32)
    detections = Detections(boxes, [0.5], [0], LABELS)
    boxes[0, 0] = 9
    assert detections.boxes[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        detections.boxes[0, 0] = 1


@pytest.mark.parametrize(
    ("boxes", "scores", "class_ids", "message"),
    [
        ([[1, 2, 3]], [0.5], [0], r"boxes: expected shape \(N, 4\), got \(1, 3\)"),
        ([[1, 2, 3, 4]], [0.5, 0.5], [0], "boxes 1, scores 2, class_ids 1"),
        ([[1, 2, 3, np.nan]], [0.5], [0], "boxes: expected finite numbers"),
        ([[1, 2, 3, 4]], [0.5], [3], "class_ids: expected 0 to 2, got 3 to 3"),
        ([[1, 2, 3, 4]], [0.5], [-1], "class_ids: expected 0 to 2, got -1 to -1"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(boxes, scores, class_ids, message):
    with pytest.raises(ValueError, match=message):
        Detections(boxes, scores, class_ids, LABELS)


def test_selection_keeps_tracks():
    tracked = Detections(np.zeros((3, 4)), [0.9, 0.8, 0.7], [0, 2, 0], LABELS, np.array([7, -1, 8]))
    assert tracked[np.array([True, False, True])].track_ids.tolist() == [7, 8]


def test_a_hole_in_the_label_table_has_a_name():
    assert Detections([[0, 0, 1, 1]], [0.5], [1], LABELS).label(0) == "class 1"
    assert found().label(1) == "person"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: array("B", data)])
def test_a_picture_is_hashed_and_its_header_parsed_once(monkeypatch, kind):
    done = []

    def counted(name, function):
        return lambda *arguments: done.append(name) or function(*arguments)

    monkeypatch.setattr(hashlib, "sha256", counted("hash", hashlib.sha256))
    monkeypatch.setattr(codecs, "_parse_header", counted("header", codecs._parse_header))
    data = bytes(codecs.encode_image(np.zeros((6, 8, 3), np.uint8), "png").data)
    picture = Picture(kind(data))
    assert (picture.header, picture.format, len(picture)) == (None, "", len(data))
    for _ in range(3):
        assert codecs.check_picture(picture) == ("png", 8, 6)
        assert picture.format == "png"
        assert len(picture.sha256) == 64
        assert codecs.decode_image(picture).shape == (6, 8, 3)
    assert sorted(done) == ["hash", "header"]
    assert picture == Picture(kind(data))
    assert bytes(picture) == data


def test_faces_have_five_landmarks_or_none():
    assert Faces([[0, 0, 1, 1]], [0.5]).landmarks is None
    with pytest.raises(ValueError, match=r"landmarks: expected shape \(N, 5, 2\)"):
        Faces([[0, 0, 1, 1]], [0.5], np.zeros((1, 4, 2)))


def test_selection_keeps_whatever_is_known_of_each_object():
    masks = tuple(Mask(i, 0, np.ones((2, 2), bool)) for i in range(3))
    positions, colors = [[0, 0, 1], [0, 3, 4], [0, 0, 0]], ("red", "", "blue")
    whole = replace(found(3), positions=positions, masks=masks, colors=colors)
    part = whole[np.array([2, 1])]
    assert part.positions.tolist() == [[0, 0, 0], [0, 3, 4]]
    assert part.distances().tolist() == [0, 5]
    assert part.masks == (masks[2], masks[1])
    assert part.colors == ("blue", "")
    assert whole[:1].masks == masks[:1]


@pytest.mark.parametrize(
    ("field", "value"), [("masks", ()), ("colors", ("red",)), ("positions", [[0, 0, 1]])]
)
def test_each_object_has_one(field, value):
    with pytest.raises(ValueError, match=field):
        replace(found(2), **{field: value})


def test_a_mask_is_one_of_booleans():
    with pytest.raises(ValueError, match=r"expected bool \(height, width\), got uint8 \(2, 2\)"):
        Mask(0, 0, np.ones((2, 2), np.uint8))


def test_objects_with_outlines_stand_for_all():
    outlined, plain = found(1), found(2)
    assert Scene(9, 9, {"detect": plain}).detections is plain
    both = Scene(9, 9, {"detect": plain, "segment": outlined})
    assert both.detections is outlined
    other = found(3)
    assert both.with_detections(other).results == {"detect": plain, "segment": other}
