"""Faces, classes, texts and failures there and back through the messages."""

import numpy as np
import pytest
from i2t_ros.srv import Describe
from making import scene_of
from std_msgs.msg import Header

from i2t_ros.errors import InferenceError, TranslationError
from i2t_ros.nodes.messages.describe import (
    description_from_msg,
    fill_response,
    reply_from_response,
)
from i2t_ros.nodes.messages.descriptions import description_to_msg
from i2t_ros.pipeline.tasks.classify import Classification
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.types import DescribeReply, Description, Detections

LANDMARKS = np.arange(20, dtype=np.float32).reshape(2, 5, 2) + 0.5
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
    return Description(scene_of(64, 48, **found), "A sentence.", "en", "some model", 0.25)


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


def test_classes_have_names_and_scores_and_the_header():
    header = Header(frame_id="camera")
    msg = description_to_msg(header, describe(classification=Classification(("cat",), (0.75,))))
    assert msg.classification.header == header
    (result,) = msg.classification.results
    assert (result.class_id, result.score) == ("cat", 0.75)
    found = description_from_msg(msg).scene.results.get("classify")
    assert (found.labels, found.scores) == (("cat",), (0.75,))


def test_a_task_that_did_not_run_is_empty():
    msg = description_to_msg(Header(), describe(detections=Detections.empty(["cat"])))
    assert (list(msg.faces), list(msg.texts), list(msg.classification.results)) == ([], [], [])


@pytest.mark.parametrize(
    ("tasks", "ran"),
    [
        ((), (True, False, False)),  # not known
        (("detect", "faces", "text"), (True, True, True)),
        (("text",), (False, False, True)),
        (("faces", "classify"), (False, True, False)),
    ],
)
def test_who_knows_what_was_asked_for_knows_what_ran(tasks, ran):
    response = Describe.Response()
    fill_response(response, Header(), DescribeReply(describe()))
    scene = reply_from_response(response, tasks).description.scene
    found = (scene.detections, scene.results.get("faces"), scene.results.get("text"))
    assert tuple(part is not None for part in found) == ran
    assert not any(part for part in found)


def test_a_task_that_failed_has_found_nothing_and_not_no_objects():
    response = Describe.Response()
    failures = {"detect": InferenceError("x"), "faces": InferenceError("y")}
    fill_response(response, Header(), DescribeReply(describe(failures=failures)))
    scene = reply_from_response(response, ("detect", "faces", "text")).description.scene
    assert (scene.detections, scene.results.get("faces"), scene.results.get("text")) == (
        None,
        None,
        (),
    )


def test_tasks_that_failed_are_in_the_message_and_come_back_as_errors():
    failures = {
        "faces": InferenceError("out of memory"),
        "text": TranslationError("http://server/x: answered 403:\nno key"),
    }
    response = Describe.Response()
    reply = DescribeReply(describe(texts=(TEXT,), failures=failures))
    fill_response(response, Header(), reply)
    assert response.success
    assert response.error_code == ""
    assert response.message == (
        "faces: inference_failed: out of memory\n"
        "text: translation_failed: http://server/x: answered 403: no key"
    )
    found = reply_from_response(response).description.scene.failures
    assert {task: (error.code, str(error)) for task, error in found.items()} == {
        "faces": ("inference_failed", "out of memory"),
        "text": ("translation_failed", "http://server/x: answered 403: no key"),
    }


def test_without_failures_the_message_is_empty():
    response = Describe.Response()
    fill_response(response, Header(), DescribeReply(describe()))
    assert response.message == ""
    assert reply_from_response(response).description.scene.failures == {}
