"""detector_node with all tasks, as a process: topics, the service, parameters."""

import cv2
import numpy as np
import pytest
from i2t_ros.msg import Description, PersonPoseArray
from i2t_ros.srv import Describe
from lifecycle_talk import set_parameters
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header
from visualization_msgs.msg import ImageMarker

from i2t_ros.nodes.messages.images import image_to_msg

DESCRIBE = "/detector_node/describe"
ALL = ["detect", "classify", "faces", "text"]
LIMIT = 60.0


def request(image, **more):
    picture = CompressedImage(format="png")
    picture.data.frombytes(cv2.imencode(".png", image)[1].tobytes())
    return Describe.Request(image=picture, **more)


def describe(peer, image, **more):
    return peer.call(Describe, DESCRIBE, request(image, **more), LIMIT)


def test_one_request_for_all_tasks(peer, start, at_hand, people_and_sign):
    pytest.importorskip("rapidocr")
    pytest.importorskip("ai_edge_litert")
    node = start()
    describe(peer, np.zeros((64, 64, 3), np.uint8), tasks=ALL)  # loads all of them
    response = describe(peer, people_and_sign, tasks=ALL, annotate=True)
    assert response.success, response.message
    assert response.message == ""
    description = response.description
    assert [entry.class_id for entry in description.objects] == ["person"]
    assert len(description.faces) == 4
    assert all(point.x > 0 for face in description.faces for point in face.landmarks)
    assert [line.text for line in description.texts] == ["Platform 24"]
    background = description.texts[0].background_color
    assert (background.r, background.g, background.b) == pytest.approx(
        (20 / 255, 60 / 255, 160 / 255), abs=0.05
    )
    (best,) = description.classification.results  # the others are below classify_min_score
    assert best.score >= 0.2
    assert "four people" in description.sentence
    assert "four faces" in description.sentence
    assert "Platform 24" in description.sentence
    for name in ("yolox_nano", "mobilenet_v2_quantized", "yunet", "ppocr_v6"):
        assert name in description.model
    drawn = cv2.imdecode(np.frombuffer(response.annotated.data, np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == people_and_sign.shape
    assert not response.cached

    again = describe(peer, people_and_sign, tasks=ALL, annotate=True)
    assert again.cached
    assert again.description.sentence == response.description.sentence
    assert again.description.texts == response.description.texts
    assert again.annotated.data == response.annotated.data
    assert not describe(peer, people_and_sign, tasks=ALL, annotate=True, language="es").cached
    assert node.stop() == 0


def test_frames_get_the_nodes_own_tasks_and_a_change_is_live(peer, start, at_hand, people_and_sign):
    node = start(tasks="[detect, faces]")
    seen = peer.collect(Description, "/detector_node/description")
    camera = peer.camera()
    msg = image_to_msg(Header(frame_id="camera"), people_and_sign)

    def show_until(condition, what):
        def shown():
            camera.publish(msg)
            return any(map(condition, seen))

        peer.until(shown, what, LIMIT)

    show_until(lambda description: len(description.faces) == 4, "faces of a frame")
    assert "yunet on facedetectoryn" in seen[0].model
    assert set_parameters(peer, tasks=["detect"]).successful
    del seen[:]
    show_until(lambda description: not description.faces and description.objects, "no faces")
    refused = set_parameters(peer, tasks=["detect", "smell"])
    assert not refused.successful
    assert "unknown task 'smell'" in refused.reason
    assert not set_parameters(peer, tasks=[]).successful
    assert node.stop() == 0


def test_poses_and_skeletons_of_frames(peer, start, at_hand, shared):
    """Of somebody on a photo; without the task nothing is published."""
    pytest.importorskip("ai_edge_litert")
    photo = cv2.imread(str(shared / "coco_tiny" / "val2017" / "000000329219.jpg"))
    msg = image_to_msg(Header(frame_id="camera"), np.ascontiguousarray(photo[:, 130:360]))
    node = start(model="fake")
    poses = peer.collect(PersonPoseArray, "/detector_node/poses")
    skeletons = peer.collect(ImageMarker, "/detector_node/skeletons")
    seen = peer.collect(Description, "/detector_node/description")
    camera = peer.camera()

    def show_until(condition, what):
        def shown():
            camera.publish(msg)
            return condition()

        peer.until(shown, what, LIMIT)

    show_until(lambda: len(seen) > 2, "descriptions")
    assert not poses
    assert not skeletons
    assert set_parameters(peer, tasks=["detect", "pose"]).successful
    show_until(lambda: poses and skeletons, "poses")
    assert poses[0].header.frame_id == skeletons[0].header.frame_id == "camera"
    (person,) = poses[0].poses
    assert [point.name for point in person.points][:2] == ["nose", "left_eye"]
    ends = {(point.x, point.y) for point in skeletons[0].points}
    certain = {(p.position.x, p.position.y) for p in person.points if p.score >= 0.4}
    assert len(ends) > 5
    assert ends <= certain
    show_until(lambda: seen[-1].poses, "poses in the description")
    assert "movenet_single_pose_lightning on litert" in seen[-1].model
    assert node.stop() == 0


def test_a_task_that_fails_is_told_and_the_others_are_answered(
    peer, start, at_hand, people_and_sign
):
    node = start(classify_model="resnet50_v2")
    response = describe(peer, people_and_sign, tasks=["faces", "classify"])
    assert response.success
    assert (response.error_code, response.message) == ("", "")
    (failure,) = response.description.failures
    assert (failure.task, failure.code) == ("classify", "model_missing")
    assert failure.message.startswith("resnet50_v2 is not on this machine")
    assert list(response.description.tasks) == ["faces"]
    assert len(response.description.faces) == 4
    alone = describe(peer, people_and_sign, tasks=["classify"])
    assert not alone.success
    assert alone.error_code == "model_missing"
    assert node.stop() == 0


def test_a_node_whose_own_task_cannot_be_loaded_does_not_start(peer, start, at_hand):
    node = start(ready=False, tasks="[detect, classify]", classify_model="resnet50_v2")
    assert node.wait(LIMIT) != 0
    assert "cannot configure: resnet50_v2 is not on this machine" in node.log()


def test_a_node_refuses_a_task_that_does_not_exist(peer, start):
    node = start(ready=False, model="fake", tasks="[smell]")
    assert node.wait(LIMIT) != 0
    assert "unknown task 'smell'; tasks are detect, segment, pose, faces, text" in node.log()


def test_a_cache_of_size_0_keeps_nothing(peer, start):
    start(model="fake", cache_size=0)
    grey = np.full((48, 64, 3), 128, np.uint8)
    assert not any(describe(peer, grey).cached for _ in range(2))
