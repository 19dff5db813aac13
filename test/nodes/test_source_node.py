"""source_node as its users meet it: a process, and the topics of a camera."""

import os
import re
import signal

import cv2
import numpy as np
import pytest
import yaml
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from mjpeg_server import MjpegServer
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.qos import QoSProfile, QoSReliabilityPolicy, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String

SHADES = range(0, 250, 50)
RELIABLE = QoSProfile(depth=50)


def picture(path, shade, size=(64, 48)):
    cv2.imwrite(str(path), np.full((size[1], size[0], 3), shade, np.uint8))
    return path


@pytest.fixture
def photo(tmp_path):
    return picture(tmp_path / "photo.png", 150)


@pytest.fixture
def film(tmp_path):
    path = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for shade in SHADES:
        writer.write(np.full((48, 64, 3), shade, np.uint8))
    writer.release()
    return path


def pixels(msg):
    assert msg.encoding == "bgr8"
    assert msg.step == 3 * msg.width
    return np.frombuffer(msg.data, np.uint8).reshape(msg.height, msg.width, 3)


def shade_of(msg):
    return round(float(pixels(msg).mean()) / 50) * 50


def stamp_of(msg):
    return msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec


@pytest.fixture
def source(start):
    """Start a source_node: ``source(path, rate=10.0)``."""

    def source(path, **options):
        return start("source_node", source=path, **options)

    return source


def change(peer, transition):
    request = ChangeState.Request(transition=Transition(id=transition))
    return peer.call(ChangeState, "/source_node/change_state", request).success


def test_one_picture_again_and_again(peer, source, photo):
    images = peer.collect(Image, "image", RELIABLE)
    node = source(photo, rate=20.0, frame_id="front")
    peer.until(lambda: len(images) >= 5, "images")
    assert shade_of(images[0]) == 150
    assert (images[0].width, images[0].height, images[0].header.frame_id) == (64, 48, "front")
    stamps = [stamp_of(msg) for msg in images]
    assert np.diff(stamps).mean() == pytest.approx(0.05e9, rel=0.3)
    assert node.stop() == 0


def test_a_video_is_shown_once_to_somebody_and_the_node_ends(peer, source, film):
    node = source(film, loop=False)
    assert node.running()  # it waits for a subscriber
    peer.processes.remove(node)
    images = peer.collect(Image, "image", RELIABLE)
    assert node.wait() == 0
    peer.until(lambda: len(images) == len(SHADES), "all images")
    assert [shade_of(msg) for msg in images] == list(SHADES)
    # Ten a second, as the file says.
    assert (stamp_of(images[-1]) - stamp_of(images[0])) / 1e9 == pytest.approx(0.4, abs=0.1)
    assert "ended after 5 images" in node.log()


def test_a_folder_goes_on_past_a_bad_picture(peer, source, tmp_path):
    for number, shade in enumerate((50, 100)):
        picture(tmp_path / f"{2 * number}.jpg", shade)
    (tmp_path / "1.jpg").write_bytes(b"\xff\xd8\xff and no more")
    images = peer.collect(Image, "image", RELIABLE)
    node = source(tmp_path, rate=50.0)
    peer.until(lambda: len(images) >= 10, "images")
    assert {shade_of(msg) for msg in images} == {50, 100}
    assert len(re.findall(r"WARN.*1\.jpg skipped", node.log())) == 1


def test_the_topics_are_named_as_image_transport_names_them(peer, start, source, tmp_path):
    jpeg = picture(tmp_path / "photo.jpg", 100)
    calibration = tmp_path / "front.yaml"
    matrix = {"rows": 3, "cols": 3, "data": [500, 0, 32, 0, 500, 24, 0, 0, 1]}
    content = {
        "image_width": 64, "image_height": 48, "camera_name": "front", "camera_matrix": matrix,
        "distortion_model": "plumb_bob",
        "distortion_coefficients": {"rows": 1, "cols": 5, "data": [0.1, 0, 0, 0, 0]},
        "rectification_matrix": matrix,
        "projection_matrix": {"rows": 3, "cols": 4, "data": [1] * 12},
    }  # fmt: skip
    calibration.write_text(yaml.safe_dump(content))
    images = peer.collect(Image, "/front/image_raw", RELIABLE)
    pictures = peer.collect(CompressedImage, "/front/image_raw/compressed", RELIABLE)
    infos = peer.collect(CameraInfo, "/front/camera_info", RELIABLE)
    start(
        "source_node", ["-r", "image:=/front/image_raw"],
        source=jpeg, rate=20.0, camera_info_url=f"file://{calibration}",
    )  # fmt: skip
    peer.until(lambda: images and pictures and infos, "all topics")
    # The file itself, not encoded anew.
    assert pictures[0].format == "jpeg"
    assert pictures[0].data.tobytes() == jpeg.read_bytes()
    assert list(infos[0].k) == matrix["data"]
    assert list(infos[0].d) == [0.1, 0, 0, 0, 0]
    peer.until(lambda: {stamp_of(i) for i in infos} & {stamp_of(i) for i in images}, "one stamp")
    both = {stamp_of(msg): msg.header for msg in images}
    info = next(msg for msg in infos if stamp_of(msg) in both)
    assert info.header == both[stamp_of(info)]


def test_a_calibration_for_another_size_is_not_published(peer, source, photo, tmp_path):
    square = {"rows": 3, "cols": 3, "data": [1] * 9}
    content = {
        "image_width": 640, "image_height": 480, "camera_matrix": square,
        "distortion_model": "plumb_bob", "rectification_matrix": square,
        "distortion_coefficients": {"rows": 1, "cols": 0, "data": []},
        "projection_matrix": {"rows": 3, "cols": 4, "data": [1] * 12},
    }  # fmt: skip
    (tmp_path / "camera.yaml").write_text(yaml.safe_dump(content))
    images = peer.collect(Image, "image", RELIABLE)
    infos = peer.collect(CameraInfo, "camera_info", RELIABLE)
    node = source(photo, rate=20.0, camera_info_url=tmp_path / "camera.yaml")
    peer.until(lambda: len(images) > 5, "images")
    peer.until(lambda: "no camera_info" in node.log(), "the reason")
    assert node.log().count("images of 640x480, these are 64x48") == 1
    assert infos == []


def test_a_video_is_encoded_for_whoever_wants_it_compressed(peer, source, film):
    pictures = peer.collect(CompressedImage, "image/compressed", RELIABLE)
    source(film, width=32, rate=20.0)
    peer.until(lambda: len(pictures) >= 3, "pictures")
    assert pictures[0].format == "jpeg"
    assert cv2.imdecode(np.frombuffer(pictures[0].data, np.uint8), 1).shape == (24, 32, 3)


def test_sensor_data_by_parameter(peer, source, photo):
    unmet = peer.collect(Image, "image", RELIABLE)
    images = peer.collect(Image, "image", qos_profile_sensor_data)
    source(photo, rate=20.0, reliability="best_effort")
    peer.until(lambda: len(images) > 5, "images")
    assert unmet == []
    (info,) = peer.node.get_publishers_info_by_topic("/image")
    assert info.qos_profile.reliability == QoSReliabilityPolicy.BEST_EFFORT


def test_the_detector_sees_what_it_shows(peer, start, source, photo):
    sentences = peer.collect(String, "/detector_node/sentence")
    start(model="fake")
    source(photo, rate=5.0)
    peer.until(lambda: sentences, "a sentence")
    assert sentences[0].data == "I can see a person."


def test_a_stream_that_breaks_off_comes_back(peer, source):
    server = MjpegServer(cv2.imencode(".jpg", np.full((48, 64, 3), 150, np.uint8))[1].tobytes())
    try:
        images = peer.collect(Image, "image", RELIABLE)
        node = source(server.url)
        peer.until(lambda: len(images) > 5, "images")
        server.drop()
        peer.until(lambda: "trying again" in node.log(), "the loss is logged")
        seen = len(images)
        peer.until(lambda: len(images) > seen + 5, "images again")
        assert "images arrive again" in node.log()
        assert node.stop() == 0
    finally:
        server.close()


def test_it_ends_at_once_also_while_a_stream_is_silent(peer, source):
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as silent:
        node = source(f"http://127.0.0.1:{silent.getsockname()[1]}/", stream_timeout=60.0)
        connection, _ = silent.accept()
        with connection:
            assert node.stop(signal.SIGTERM) == 0


def test_every_transition_twice_and_another_source_in_between(peer, source, photo, tmp_path):
    images = peer.collect(Image, "image", RELIABLE)
    node = source(photo, rate=50.0)
    files = len(os.listdir(f"/proc/{node.pid}/fd"))
    for shade in (50, 100):
        peer.until(lambda: images, "images")
        assert change(peer, Transition.TRANSITION_DEACTIVATE)
        peer.until(lambda: len(images), "the last ones")
        assert change(peer, Transition.TRANSITION_CLEANUP)
        images.clear()
        other = str(picture(tmp_path / f"{shade}.png", shade))
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=other)
        request = SetParameters.Request(parameters=[Parameter(name="source", value=value)])
        (result,) = peer.call(SetParameters, "/source_node/set_parameters", request).results
        assert result.successful, result.reason
        assert change(peer, Transition.TRANSITION_CONFIGURE)
        assert images == []
        assert change(peer, Transition.TRANSITION_ACTIVATE)
        peer.until(lambda: images, "images of the other")
        assert {shade_of(msg) for msg in images} == {shade}
    assert abs(len(os.listdir(f"/proc/{node.pid}/fd")) - files) <= 2
    assert change(peer, Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert node.stop() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "/nowhere/film.mp4"}, "no such file or folder: /nowhere/film.mp4"),
        ({"source": "/dev/video97"}, "no camera /dev/video97"),
        ({"source": "/dev/null"}, "camera /dev/null: cannot be opened"),
        ({"source": __file__}, "not a video, but text"),
        ({"source": "/proc/self/fdinfo"}, "no pictures in /proc/self/fdinfo"),
        ({"camera_info_url": "package://no_such_package/x.yaml"}, "no_such_package"),
        ({"camera_info_url": "/nowhere/x.yaml"}, "no such calibration file: /nowhere/x.yaml"),
        ({"pixel_format": "MJPEG"}, "pixel_format"),
        ({"rate": -1.0}, "rate"),
        ({"reliability": "perhaps"}, "reliability"),
    ],
)
def test_a_start_that_cannot_work_ends_with_the_reason(start, photo, options, message):
    node = start("source_node", ready=False, **{"source": photo, **options})
    assert node.wait() == 1
    assert message in node.log()
    assert "Traceback" not in node.log()
