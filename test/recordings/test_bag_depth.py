"""Depth images of a bag measure the objects of the images that they belong to."""

from contextlib import closing

import cv2
import numpy as np
import pytest
from bag_material import SECOND, at, camera_info, compressed, picture, raw, write_bag

from i2t_ros.errors import InvalidRequestError
from i2t_ros.recordings.base import Selection, Span
from i2t_ros.recordings.reading.bags import BagRecording
from i2t_ros.types import Detections, Scene

FRONT, DEPTH = "/front/image_raw", "/front/depth/image_raw"
INFO = "/front/depth/camera_info"
WHOLE = Span(0, 10**15, 0)
FOUND = Detections([(8, 6, 24, 18)], [0.9], [0], ("dog",))
SCENE = Scene(32, 24, {"detect": FOUND})


def meters(distance):
    return np.full((24, 32), distance * 1000, np.uint16)


def depth(seconds, distance, stamp=None, topic=DEPTH):
    return raw(seconds, topic, meters(distance), encoding="16UC1", stamp=stamp)


def measured(folder, topic=DEPTH):
    """Return how far away the object is in each image; 0: nobody knows."""
    bag = BagRecording(str(folder), 1_000_000, "full", depth=[(FRONT, topic)])
    found = []
    for each in bag.items(WHOLE, Selection()):
        positions = each.measure(SCENE).detections.positions
        found.append(0.0 if positions is None else float(positions[0][2]))
    return found


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_the_depth_image_of_the_nearest_stamp_measures_an_image(tmp_path, storage):
    messages = [camera_info(0, INFO)]
    for number in range(5):
        messages += [
            raw(number, FRONT, picture(number)),
            depth(number + 0.3, number + 1, stamp=at(number + 0.01)),
            depth(number + 0.4, 9, stamp=at(number + 0.04)),
        ]
    folder = write_bag(tmp_path / "drive", messages, storage=storage)
    assert measured(folder) == pytest.approx([1, 2, 3, 4, 5])
    bag = BagRecording(str(folder), 1_000_000, "full", depth=[(FRONT, DEPTH)])
    assert bag.topics(Selection()) == [FRONT]  # depth is measured with, not looked at
    with closing(bag.items(Span(2 * SECOND, 3 * SECOND, 0), Selection())) as items:
        assert next(items).measure(SCENE).detections.positions[0][2] == pytest.approx(3)


def test_of_two_equally_near_the_last_one_counts(tmp_path):
    messages = [camera_info(0, INFO), raw(1, FRONT, picture(0))]
    messages += [depth(1.1, 3, at(0.98)), depth(1.2, 4, at(1.02))]
    assert measured(write_bag(tmp_path / "drive", messages)) == pytest.approx([4])


def test_depth_in_the_transport_compressed_depth(tmp_path):
    topic = "/front/depth/image_raw/compressedDepth"
    data = bytes(12) + cv2.imencode(".png", meters(2))[1].tobytes()
    packed = compressed(0, topic, None, data=data, format="16UC1; compressedDepth png")
    messages = [camera_info(0, INFO), packed, raw(0, FRONT, picture(0))]
    assert measured(write_bag(tmp_path / "drive", messages), topic=topic) == pytest.approx([2])


KNOWN = camera_info(0, INFO)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([depth(0, 2, stamp=at(0.06)), KNOWN], id="stamp too far"),
        pytest.param([depth(5, 2, stamp=at(0)), KNOWN], id="recorded at another time"),
        pytest.param([depth(0, 2)], id="no camera_info"),
        pytest.param([depth(0, 2), camera_info(0, INFO, focal=0.0)], id="bad camera_info"),
        pytest.param([raw(0, DEPTH, picture(0)), KNOWN], id="another encoding"),
    ],
)
def test_what_cannot_be_measured_stays_without_positions(tmp_path, others):
    messages = [raw(0, FRONT, picture(0)), *others]
    assert measured(write_bag(tmp_path / "drive", messages)) == [0.0]


def test_a_scene_without_objects_stays_as_it_is(tmp_path):
    messages = [raw(0, FRONT, picture(0)), depth(0, 2), camera_info(0, INFO)]
    folder = write_bag(tmp_path / "drive", messages)
    bag = BagRecording(str(folder), 1_000_000, "full", depth=[(FRONT, DEPTH)])
    empty = Scene(32, 24, {"faces": None})
    with closing(bag.items(WHOLE, Selection())) as items:
        assert next(items).measure(empty) is empty


@pytest.mark.parametrize("pair", [(FRONT, "/no"), ("/no", DEPTH), (FRONT, INFO)])
def test_a_pair_of_unknown_topics_is_an_error(tmp_path, pair):
    messages = [raw(0, FRONT, picture(0)), depth(0, 2), camera_info(0, INFO)]
    folder = write_bag(tmp_path / "drive", messages)
    bag = BagRecording(str(folder), 1_000_000, "full", depth=[pair])
    with pytest.raises(InvalidRequestError, match="topics with images"):
        bag.topics(Selection())
