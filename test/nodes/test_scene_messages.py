"""Faces, classes, texts and failures there and back through the messages."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from i2t_ros.msg import KeyPoint
from making import classes_of, describer_of, object_detector, picture_of, pose_of, scene_of
from std_msgs.msg import Header
from visualization_msgs.msg import ImageMarker

from i2t_ros.backends.fake import FakeBackend
from i2t_ros.errors import InferenceError, ServiceError, TranslationError
from i2t_ros.language import load_languages
from i2t_ros.models.manifest import find_spec
from i2t_ros.nodes.messages import descriptions, tasks
from i2t_ros.nodes.messages.descriptions import (
    description_from_msg,
    description_to_msg,
    reply_from_response,
    request_from_msg,
    request_to_msg,
    response_to_msg,
)
from i2t_ros.nodes.messages.markers import skeletons_to_marker
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.description_json import description_from_json, description_to_json
from i2t_ros.pipeline.tasks import registry
from i2t_ros.pipeline.tasks.base import Task
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.pose import COLORS, Poses
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.pipeline.telling import tell
from i2t_ros.types import DescribeReply, DescribeRequest, Description, Detections, Picture
from i2t_ros.vision.postures import KEY_POINTS

SOME = (("left", "shoulder"), ("right", "shoulder"), ("left", "elbow"))
LANDMARKS = np.arange(20, dtype=np.float32).reshape(2, 5, 2) + 0.5
FOUND = Detections([[1, 2, 3, 4], [5, 6, 8, 8]], [0.75, 0.5], [1, 0], ("cat", "dog"))
FACES = Faces([[10, 20, 40, 60], [1.5, 2, 3, 4]], [0.9, 0.5], LANDMARKS)
TEXT = TextRegion(
    np.float32([[1, 2], [30, 4], [29, 14], [0, 12]]),
    "Salida 出口",
    0.75,
    (255, 0, 51),
    (0, 102, 204),
    "Exit",
)


def describe(**found):
    return Description(scene_of(64, 48, **found), "A sentence.", "en", "list", "some model", 0.25)


def test_faces_have_boxes_scores_and_landmarks():
    msg = description_to_msg(Header(), describe(faces=FACES))
    first = msg.faces[0]
    center = first.bbox.center.position
    assert (center.x, center.y, first.bbox.size_x, first.bbox.size_y) == (25, 40, 30, 40)
    assert first.score == pytest.approx(0.9)
    assert [[point.x, point.y] for point in first.landmarks] == LANDMARKS[0].tolist()
    found = description_from_msg(msg).scene.results.get("faces")
    np.testing.assert_allclose(found.boxes, FACES.boxes)
    np.testing.assert_allclose(found.scores, FACES.scores)
    np.testing.assert_array_equal(found.landmarks, FACES.landmarks)


def test_faces_without_landmarks_have_zeros():
    msg = description_to_msg(Header(), describe(faces=Faces([[1, 2, 3, 4]], [0.5])))
    assert all((point.x, point.y) == (0, 0) for point in msg.faces[0].landmarks)
    assert description_from_msg(msg).scene.results.get("faces").landmarks is None


def test_poses_have_named_points_and_postures():
    points = np.arange(34, dtype=np.float32).reshape(17, 2) + 0.25
    found = pose_of(points, (10, 20, 40, 60), 0.75, 0.5, ("sitting", "arm_raised"))
    msg = description_to_msg(Header(), describe(poses=found))
    (person,) = msg.poses
    center = person.bbox.center.position
    assert (center.x, center.y, person.bbox.size_x, person.bbox.size_y) == (25, 40, 30, 40)
    assert (person.score, list(person.postures)) == (0.75, ["sitting", "arm_raised"])
    assert [point.name for point in person.points] == list(KEY_POINTS)
    assert [[p.position.x, p.position.y] for p in person.points] == points.tolist()
    assert {point.score for point in person.points} == {0.5}
    again = description_from_msg(msg).scene.results["pose"]
    assert description_to_json(describe(poses=again)) == description_to_json(describe(poses=found))


def test_poses_of_a_later_detector_are_read_as_far_as_they_are_known():
    found = pose_of(np.ones((17, 2)), postures=("sitting",))
    msg = description_to_msg(Header(), describe(poses=found))
    msg.poses[0].postures = ["dancing", *["sitting"] * 1000]
    msg.poses[0].points = [*reversed(msg.poses[0].points), KeyPoint(name="tail")]
    assert description_from_msg(msg).scene.results["pose"].postures == (("sitting",),)
    msg.poses[0].points = msg.poses[0].points[1:]
    with pytest.raises(ServiceError, match="KeyError: 'right_ankle'"):
        description_from_msg(msg)


def test_skeletons_have_the_limbs_between_certain_points():
    points = np.arange(34, dtype=np.float32).reshape(17, 2)
    scores = np.full((1, 17), 0.1)
    certain = [KEY_POINTS.index(f"{side}_{n}") for side, n in SOME]
    scores[0, certain] = 0.9
    found = Poses([[0, 0, 40, 40]], [0.9], [points], scores, ((),))
    marker = skeletons_to_marker(Header(frame_id="camera"), found)
    assert (marker.type, marker.action) == (ImageMarker.LINE_LIST, ImageMarker.ADD)
    ends = [(point.x, point.y) for point in marker.points]
    at = {name: tuple(point) for name, point in zip(KEY_POINTS, points.tolist(), strict=True)}
    assert [*zip(ends[::2], ends[1::2], strict=True)] == [
        (at["left_shoulder"], at["right_shoulder"]),
        (at["left_shoulder"], at["left_elbow"]),
    ]
    blue, green, red = (channel / 255 for channel in COLORS["left"])
    color = marker.outline_colors[2]
    assert len(marker.outline_colors) == 4
    assert (color.r, color.g, color.b) == pytest.approx((red, green, blue))
    nobody = Poses(np.empty((0, 4)), [], [], [], ())
    assert skeletons_to_marker(Header(), nobody).action == ImageMarker.REMOVE


def test_texts_have_corners_colours_and_translation():
    msg = description_to_msg(Header(), describe(texts=(TEXT,)))
    (line,) = msg.texts
    assert (line.text, line.translation) == ("Salida 出口", "Exit")
    assert [(corner.x, corner.y) for corner in line.corners] == [(1, 2), (30, 4), (29, 14), (0, 12)]
    color = line.text_color
    assert (color.r, color.g, color.b, color.a) == pytest.approx((1, 0, 0.2, 1))
    (found,) = description_from_msg(msg).scene.results.get("text")
    np.testing.assert_array_equal(found.corners, TEXT.corners)
    assert found.text_color == TEXT.text_color
    assert found.background_color == TEXT.background_color
    assert (found.text, found.translation, found.score) == ("Salida 出口", "Exit", 0.75)


def test_the_script_of_writing_that_was_not_read_comes_along():
    msg = description_to_msg(Header(), describe(texts=(replace(TEXT, text="", script="korean"),)))
    assert (msg.texts[0].text, msg.texts[0].script) == ("", "korean")
    assert description_from_msg(msg).scene.results["text"][0].script == "korean"


def test_classes_have_names_and_scores_and_the_header():
    header = Header(frame_id="camera")
    msg = description_to_msg(header, describe(classification=classes_of(("cat",), (0.75,))))
    assert msg.classification.header == header
    (result,) = msg.classification.results
    assert (result.class_id, result.score) == ("cat", 0.75)
    found = description_from_msg(msg).scene.results.get("classify")
    assert found == (("cat", 0.75),)


def test_a_task_that_did_not_run_is_empty():
    msg = description_to_msg(Header(), describe(detections=Detections.empty(["cat"])))
    assert (list(msg.faces), list(msg.texts), list(msg.classification.results)) == ([], [], [])


def test_what_ran_and_found_nothing_differs_from_what_did_not_run():
    found = describe(detections=Detections.empty(["cat"]), texts=())
    msg = description_to_msg(Header(), found)
    assert list(msg.tasks) == ["detect", "text"]
    scene = description_from_msg(msg).scene
    assert len(scene.results["detect"]) == len(scene.results["text"]) == 0
    assert set(scene.results) == {"detect", "text"}


def test_tasks_that_failed_are_in_the_message_and_come_back_as_errors():
    failures = {
        "faces": InferenceError("out of memory"),
        "text": TranslationError("http://server/x: answered 403:\nno key"),
    }
    reply = DescribeReply(describe(texts=(TEXT,), failures=failures))
    response = response_to_msg(Header(), reply)
    assert response.success
    assert response.error_code == ""
    assert response.message == ""
    assert [(failure.task, failure.code) for failure in response.description.failures] == [
        ("faces", "inference_failed"),
        ("text", "translation_failed"),
    ]
    found = reply_from_response(response).description.scene.failures
    assert {task: (error.code, str(error)) for task, error in found.items()} == {
        "faces": ("inference_failed", "out of memory"),
        "text": ("translation_failed", "http://server/x: answered 403:\nno key"),
    }


@pytest.mark.parametrize("tracks", [None, [7, -1], [-1, -1]])
def test_everything_about_a_description_comes_back(tracks):
    found = replace(FOUND, track_ids=tracks)
    written = describe(detections=found, failures={"faces": InferenceError("x")})
    reply = DescribeReply(written, picture_of(b"drawn", "png"), True)
    reply = reply_from_response(response_to_msg(Header(), reply))
    assert reply.cached
    assert bytes(reply.annotated.data) == b"drawn"
    assert reply.annotated.header == ("png", 64, 48)
    assert reply.description.elapsed == 0.25
    assert description_to_json(reply.description) == description_to_json(written)


def test_a_request_comes_back():
    request = DescribeRequest(
        picture=Picture(b"not looked at"),
        camera="front",
        tasks=("faces", "detect"),
        language="es",
        style="list",
        min_score=0.25,
        annotate=True,
        fresh=True,
    )
    found = request_from_msg(request_to_msg(request))
    assert bytes(found.picture) == b"not looked at"
    assert replace(found, picture=None) == replace(request, picture=None)
    assert request_from_msg(request_to_msg(DescribeRequest())) == DescribeRequest()


class Smell(Task):
    """A task of another package; its result is a text."""

    name, settings, options = "smell", object, object
    result_json: ClassVar = {"smell": str}
    open = facts = draw = table = None

    def to_json(self, result, label):
        return {"smell": label(result)}

    def from_json(self, values):
        return values["smell"]


Smell.__abstractmethods__ = frozenset()


def test_what_a_task_of_another_package_found_is_in_the_message_too(monkeypatch):
    known = {**registry.TASKS, "smell": Smell()}
    for module in (tasks, descriptions):
        monkeypatch.setattr(module, "TASKS", known)
    scene = scene_of(64, 48, texts=(TEXT,))
    scene = replace(scene, results={**scene.results, "smell": "dog"})
    msg = description_to_msg(Header(), Description(scene, "", "es", "list", "", 0.0))
    assert [(other.task, other.json) for other in msg.others] == [("smell", '{"smell": "perro"}')]
    assert list(msg.tasks) == ["text", "smell"]
    assert description_from_msg(msg).scene.results["smell"] == "perro"
    monkeypatch.undo()  # a process that does not know the task leaves it out
    assert set(description_from_msg(msg).scene.results) == {"text"}


def test_words_that_only_the_detector_has_reach_messages_and_json(tmp_path):
    person = "{one: Mënsch, other: Mënschen, gender: m}"
    own = f"extends: de\nname: Lëtzebuergesch\nlabels: {{person: {person}}}\n"
    (tmp_path / "lb.yaml").write_text(own, encoding="utf-8")
    options = DescribeOptions(language="lb", languages=load_languages(tmp_path))
    describer = describer_of(object_detector(find_spec("fake"), FakeBackend()))
    said = describer.describe(np.full((48, 64, 3), 128, np.uint8), options)
    sent = description_to_msg(Header(), said)
    back = description_from_msg(sent)
    kept = description_from_json(description_to_json(back))
    assert [entry.label for entry in sent.objects] == ["Mënsch"]
    for description in (said, back, kept):
        written = description_to_json(description)
        assert written["language"] == "lb"
        assert written["objects"][0]["label"] == written["detections"][0]["label"] == "Mënsch"


def test_positions_and_colors_go_there_and_back():
    found = replace(FOUND, positions=[[0.5, -1, 2], [0, 0, 0]], colors=("", "red"))
    msg = description_to_msg(Header(), describe(detections=found))
    at = msg.detections.detections[0].results[0].pose.pose.position
    assert (at.x, at.y, at.z) == (0.5, -1, 2)
    again = description_from_msg(msg).scene.detections
    np.testing.assert_array_equal(again.positions, found.positions)
    assert again.colors == ("", "red")


def test_colors_of_a_later_detector_are_left_out():
    msg = description_to_msg(Header(), describe(detections=FOUND))
    msg.colors = ["turquoise", "red"]
    again = description_from_msg(msg)
    assert again.scene.detections.colors == ("", "red")
    assert tell(again.scene, DescribeOptions())


@pytest.mark.parametrize("far", [3e38, -1e11, float("nan"), 1e300])
def test_positions_beyond_everything_are_refused(far):
    msg = description_to_msg(Header(), describe(detections=FOUND))
    msg.detections.detections[1].results[0].pose.pose.position.y = far
    with pytest.raises(ServiceError, match="positions of up to"):
        description_from_msg(msg)


def test_without_depth_and_colors_there_are_none():
    again = description_from_msg(description_to_msg(Header(), describe(detections=FOUND)))
    assert again.scene.detections.positions is None
    assert again.scene.detections.colors is None
