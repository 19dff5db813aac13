"""The task faces on real photos: YuNet through both of its engines, and what OpenCV brings."""

import cv2
import numpy as np
import pytest
from making import open_task, scene_of

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import load_backend, survey
from i2t_ros.errors import (
    BackendUnavailableError,
    InferenceError,
    ModelCorruptError,
    ModelMismatchError,
)
from i2t_ros.models.manifest import BUILT_IN_FACES, find_spec
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.loading import Loaded, OpenOptions, open_model
from i2t_ros.pipeline.tasks.faces import COLOR, FaceFinder, FaceOptions
from i2t_ros.pipeline.telling import draw

OPTIONS = FaceOptions()
RIGHT_EYE, LEFT_EYE, NOSE, RIGHT_MOUTH, LEFT_MOUTH = range(5)


@pytest.fixture(scope="module")
def photo(shared):
    return cv2.imread(str(shared / "images" / "face.jpg"))


@pytest.fixture
def nothing_at_hand(monkeypatch, tmp_path):
    monkeypatch.setenv("I2T_MODEL_PATH", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("I2T_OFFLINE", "1")


def open_faces(model="auto", backend="auto"):
    """Return a face finder; users cannot name its backend."""
    return open_model("faces", model, FaceFinder, OpenOptions(), backend, built_in=BUILT_IN_FACES)


def faces_in(image, backend="auto", options=OPTIONS, model="auto"):
    finder = open_faces(model, backend)
    try:
        return finder.run(image, options).result
    finally:
        finder.close()


@pytest.mark.parametrize("backend", ["facedetectoryn", "onnxruntime", "openvino"])
def test_the_four_faces_have_landmarks_inside_and_in_anatomical_order(at_hand, photo, backend):
    if backend == "openvino":
        pytest.importorskip("openvino")
    faces = faces_in(photo, backend)
    assert len(faces) == 4
    assert (faces.scores > 0.85).all()
    assert (np.diff(faces.scores) <= 0).all()
    for box, points in zip(faces.boxes, faces.landmarks, strict=True):
        assert (points >= box[:2]).all()
        assert (points <= box[2:]).all()
        # All four look at the camera: their right is on the left of the picture.
        assert points[RIGHT_EYE, 0] < points[LEFT_EYE, 0]
        assert points[RIGHT_MOUTH, 0] < points[LEFT_MOUTH, 0]
        eyes, mouth = points[[0, 1], 1].max(), points[[3, 4], 1].min()
        assert eyes < points[NOSE, 1] < mouth


def test_the_faces_are_where_a_person_sees_them(at_hand, photo):
    # Read off the photo by hand: the middles of the four faces, left to right.
    seen = np.array([[30, 132], [180, 147], [304, 112], [465, 152]])
    boxes = faces_in(photo).boxes
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    middles = middles[np.argsort(middles[:, 0])]
    assert np.abs(middles - seen).max() < 12


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_both_engines_find_the_same(at_hand, photo, scale):
    image = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    one, other = faces_in(image, "facedetectoryn"), faces_in(image, "onnxruntime")
    assert len(one) == len(other) == 4
    order = [np.argsort(faces.boxes[:, 0]) for faces in (one, other)]
    for name in ("boxes", "landmarks", "scores"):
        a, b = getattr(one, name)[order[0]], getattr(other, name)[order[1]]
        np.testing.assert_allclose(a, b, atol=1e-3 if name == "scores" else 0.05 * max(1, scale))


def test_a_pictures_own_size_is_where_boxes_are(at_hand, photo):
    small = faces_in(photo).boxes
    tall = np.zeros((2000, 512, 3), np.uint8)
    tall[1500:1855] = photo
    moved = faces_in(tall).boxes
    assert len(moved) == 4
    order = np.argsort(moved[:, 0]), np.argsort(small[:, 0])
    assert np.abs(moved[order[0]] - small[order[1]] - [0, 1500, 0, 1500]).max() < 15


def test_boxes_end_at_the_picture(at_hand, photo):
    cut = photo[:, 270:]
    boxes = faces_in(cut, options=FaceOptions(min_score=0.3)).boxes
    height, width = cut.shape[:2]
    assert (boxes >= 0).all()
    assert (boxes[:, [0, 2]] <= width).all()
    assert (boxes[:, [1, 3]] <= height).all()


@pytest.mark.parametrize("backend", ["facedetectoryn", "onnxruntime"])
def test_a_users_threshold_replaces_the_models(at_hand, photo, backend):
    strict = FaceOptions(min_score=0.999)
    lax = FaceOptions(min_score=0.1)
    assert len(faces_in(photo, backend, strict)) == 0
    assert len(faces_in(photo, backend, lax)) >= 4


@pytest.mark.parametrize("name", ["cat_720p.jpg", "hot_dog.jpg"])
def test_no_face_is_an_ordinary_answer(at_hand, shared, name):
    faces = faces_in(cv2.imread(str(shared / "images" / name)))
    assert len(faces) == 0
    assert faces.landmarks.shape == (0, 5, 2)


@pytest.mark.parametrize("backend", ["facedetectoryn", "onnxruntime"])
@pytest.mark.parametrize("size", [(1, 1), (2, 900), (7, 5), (31, 33)])
def test_pictures_of_any_size_are_searched(at_hand, backend, size):
    assert len(faces_in(np.full((*size, 3), 90, np.uint8), backend)) == 0


def test_opencv_never_gets_a_picture_of_few_pixels(at_hand, monkeypatch):
    """Of one that is at most 32 pixels high or wide it reads memory that nobody has written."""
    given = []

    class Watched:
        def setInputSize(self, size):  # noqa: N802 (OpenCV's name)
            given.append(size)

        def detect(self, image):
            given.append((image.shape[1], image.shape[0]))
            return 0, None

    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *_: Watched())
    for height, width in ((2, 900), (900, 2), (480, 640)):
        del given[:]
        assert len(faces_in(np.full((height, width, 3), 90, np.uint8), "facedetectoryn")) == 0
        size, seen = given[-2:]
        assert size == seen
        assert min(seen) >= 64


def test_landmarks_are_drawn(at_hand, photo):
    faces = open_task("faces").run(photo, OPTIONS).result
    height, width = photo.shape[:2]
    drawn = draw(photo, scene_of(width, height, faces=faces), DescribeOptions())
    for x, y in faces.landmarks.reshape(-1, 2):
        assert tuple(drawn[round(float(y)), round(float(x))]) == COLOR


def test_the_picture_is_left_alone(at_hand, photo):
    before = photo.copy()
    faces_in(photo)
    np.testing.assert_array_equal(photo, before)


# What runs where something is missing


def test_without_weights_opencvs_own_serve_and_say_so(nothing_at_hand, photo):
    finder = open_task("faces")
    assert finder.degraded
    assert finder.name == "opencv_faces on opencv (cpu)"
    assert "DEGRADED" in finder.report
    assert "without landmarks" in finder.report
    assert "yunet is not on this machine" in finder.report
    faces = finder.run(photo, OPTIONS).result
    assert len(faces) >= 2
    assert faces.landmarks is None


def test_without_weights_a_model_by_name_is_not_replaced(nothing_at_hand):
    with pytest.raises(Exception, match="yunet is not on this machine") as caught:
        open_faces("yunet")
    assert caught.value.code == "model_missing"


def test_an_opencv_that_is_too_old_leaves_it_to_another_engine(at_hand, photo, monkeypatch):
    def too_old(*_):
        raise cv2.error("Layer with requested id=-1 not found")

    monkeypatch.setattr(cv2.FaceDetectorYN, "create", too_old)
    finder = open_task("faces")
    assert finder.name == "yunet on onnxruntime (cpu)"
    assert "cannot run" in finder.report
    assert "4.8 and later can" in finder.report
    assert len(finder.run(photo, OPTIONS).result) == 4


def test_an_opencv_without_it_says_which_has_it(at_hand, monkeypatch):
    monkeypatch.delattr(cv2, "FaceDetectorYN")
    with pytest.raises(BackendUnavailableError, match=r"FaceDetectorYN.*; 4\.8 and later can"):
        open_faces("yunet", "facedetectoryn")


def test_a_model_for_another_task_is_refused(at_hand):
    with pytest.raises(ModelMismatchError, match="yolox_nano is for the task detect, not for face"):
        open_faces("yolox_nano")


def test_a_file_that_is_no_network_is_refused(at_hand, tmp_path):
    path = tmp_path / "face_detection_yunet_2026may.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(BackendUnavailableError, match=r"cannot run .*2026may\.onnx"):
        load_backend("facedetectoryn", find_spec("yunet"), [path], BackendOptions())
    with pytest.raises(ModelCorruptError):
        load_backend("onnxruntime", find_spec("yunet"), [path], BackendOptions())


def test_a_failure_of_the_engine_has_its_code(at_hand, photo, monkeypatch):
    finder = open_faces("yunet", "facedetectoryn")

    class Broken:
        def setInputSize(self, size):  # noqa: N802 (OpenCV's name)
            raise cv2.error("out of memory")

    monkeypatch.setattr(finder._backend, "model", Broken())
    with pytest.raises(InferenceError, match="OpenCV failed: out of memory"):
        finder.run(photo, OPTIONS)


def test_outputs_of_another_network_are_refused():
    class Wrong:
        device, report, concurrency, batch = "cpu", "wrong", 1, 1

        def infer(self, inputs):
            return [np.zeros((1, 3))] * 12

        def close(self):
            pass

    with pytest.raises(ModelMismatchError, match="decoder yunet"):
        FaceFinder(Loaded(find_spec("yunet"), Wrong(), "onnxruntime", ""))


def test_the_engine_names_its_version():
    assert survey("facedetectoryn") == (cv2.__version__, ("cpu",))
