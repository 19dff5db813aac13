"""MTCNN with its real weights, which PyPI has, against the photos that everybody can check."""

import cv2
import numpy as np
import pytest
from making import open_task
from msgspec.structs import replace

from i2t_ros.backends import mtcnn
from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.mtcnn import MtcnnBackend, Networks
from i2t_ros.backends.registry import load_backend
from i2t_ros.errors import BackendError, ModelCorruptError, ModelError, ModelMismatchError
from i2t_ros.models.lookup import obtain
from i2t_ros.models.manifest import find_spec

RIGHT_EYE, LEFT_EYE, NOSE, RIGHT_MOUTH, LEFT_MOUTH = range(5)


@pytest.fixture(scope="module")
def finder():
    try:
        runner = open_task("faces", "mtcnn")
    except (ModelError, BackendError) as error:
        pytest.skip(f"no mtcnn: {error}")
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def photo(shared):
    return cv2.imread(str(shared / "images" / "face.jpg"))


def faces_in(finder, image):
    return finder.run(image, finder.options()).result


def test_four_faces_have_landmarks_inside_and_in_anatomical_order(finder, photo):
    faces = faces_in(finder, photo)
    assert len(faces) == 4
    assert (faces.scores > 0.95).all()
    for (left, top, right, bottom), points in zip(faces.boxes, faces.landmarks, strict=True):
        assert (points >= (left, top)).all()
        assert (points <= (right, bottom)).all()
        assert points[RIGHT_EYE, 0] < points[NOSE, 0] < points[LEFT_EYE, 0]
        assert points[RIGHT_MOUTH, 0] < points[LEFT_MOUTH, 0]
        assert points[[RIGHT_EYE, LEFT_EYE], 1].max() < points[NOSE, 1]
        assert points[NOSE, 1] < points[[RIGHT_MOUTH, LEFT_MOUTH], 1].min()


def test_it_agrees_with_yunet(finder, photo, at_hand):
    ours = faces_in(finder, photo)
    yunet = open_task("faces", "yunet")
    theirs = faces_in(yunet, photo)
    yunet.close()
    order = [np.abs(theirs.boxes[:, 0] - left).argmin() for left in ours.boxes[:, 0]]
    widths = (ours.boxes[:, 2] - ours.boxes[:, 0])[:, None, None]
    assert (np.abs(ours.landmarks - theirs.landmarks[order]) < 0.12 * widths).all()


def test_a_large_picture_is_scaled_and_a_face_at_its_edge_found(finder, photo):
    faces = faces_in(finder, photo)
    larger = faces_in(finder, cv2.resize(photo, None, fx=3, fy=3))
    assert len(larger) == 4
    lefts = [np.abs(np.sort(f.boxes[:, 0]) / scale) for f, scale in ((faces, 1), (larger, 3))]
    np.testing.assert_allclose(*lefts, atol=12)
    best = faces.boxes[0].astype(int)
    cut = photo[best[1] + (best[3] - best[1]) // 6 : best[3] + 20, best[0] : best[2]]
    assert len(faces_in(finder, cut)) == 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (11, 400, 3), (19, 19, 3), (300, 300, 3)])
def test_a_picture_without_a_face_has_none(finder, shape):
    faces = faces_in(finder, np.full(shape, 127, np.uint8))
    assert (len(faces), faces.landmarks.shape) == (0, (0, 5, 2))


def test_texture_costs_no_more_than_its_bound(finder, monkeypatch):
    taken = []
    monkeypatch.setattr("i2t_ros.backends.mtcnn.MOST_PROPOSALS", 3)
    model = finder._backend.model

    class Counted:
        def get_inputs(self):
            return model.refine.get_inputs()

        def run(self, names, inputs):
            taken.extend(len(images) for images in inputs.values())
            return model.refine.run(names, inputs)

    monkeypatch.setattr(finder._backend, "model", model._replace(refine=Counted()))
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    faces_in(finder, cv2.GaussianBlur(noise, (0, 0), 4) * 3)
    assert taken == [3]


class StandIn:
    """Answers as one of the networks does: everything is a face, which is off by ``offset``."""

    def __init__(self, network, offset):
        self.network, self.offset = network, np.asarray(offset, np.float32)

    def get_inputs(self):
        return [self]

    name = "images"

    def run(self, _, inputs):
        count, width, height, _ = inputs["images"].shape
        places = (count,)
        if self.network == "propose":
            places = (count, (width - 12) // 2 + 1, (height - 12) // 2 + 1)
        points = [np.full((count, 10), 0.5, np.float32)] if self.network == "place" else []
        offsets = np.broadcast_to(self.offset, (*places, 4))
        return [offsets, *points, np.ones((*places, 2), np.float32)]


def found_by(image, **offsets):
    backend = MtcnnBackend.__new__(MtcnnBackend)
    networks = Networks(*(StandIn(name, offsets.get(name, 0)) for name in Networks._fields))
    return backend.run(networks, [image])


@pytest.mark.parametrize("network", Networks._fields)
@pytest.mark.parametrize(
    "offset", [np.nan, np.inf, -np.inf, 1e30, [-1e4, -1e4, 1e4, 1e4], [np.nan, 0, 0, 0]]
)
@pytest.mark.filterwarnings("error")
def test_boxes_that_no_image_has_are_dropped(network, offset):
    image = np.zeros((60, 80, 3), np.uint8)
    assert len(found_by(image)[0])
    boxes, scores, landmarks = found_by(image, **{network: offset})
    assert (boxes.shape, scores.shape, landmarks.shape) == ((0, 4), (0,), (0, 5, 2))


def test_a_picture_that_is_all_faces_has_its_bound(monkeypatch):
    compared, suppress = [], mtcnn.non_maximum_suppression

    def counted(boxes, *rest):
        compared.append(len(boxes))
        return suppress(boxes, *rest)

    monkeypatch.setattr(mtcnn, "non_maximum_suppression", counted)
    monkeypatch.setattr(mtcnn, "MOST_COMPARED", 50)
    boxes, _, _ = found_by(np.zeros((120, 160, 3), np.uint8))
    assert max(compared) == 50
    assert 0 < len(boxes) <= 50


@pytest.mark.parametrize("shape", [(1, 40_000, 3), (40_000, 1, 3), (3, 5000, 3), (1, 1, 3)])
def test_a_thin_picture_has_no_face(shape):
    assert len(found_by(np.zeros(shape, np.uint8))[0]) == 0


def test_other_files_are_refused(finder, tmp_path):
    spec = find_spec("mtcnn")
    files = obtain(spec, offline=True)
    options = BackendOptions()
    with pytest.raises(ModelMismatchError, match="expected 3 files, got 2"):
        load_backend("mtcnn", replace(spec, files=spec.files[:2]), files[:2], options)
    with pytest.raises(ModelMismatchError, match=r"refused \(1, 12, 12, 3\)"):
        load_backend("mtcnn", spec, files[::-1], options)
    with pytest.raises(ModelMismatchError, match=r"the files give .*\[4, 2\]\] columns"):
        load_backend("mtcnn", spec, [*files[:2], files[0]], options)
    (tmp_path / "pnet.onnx").write_bytes(b"cut sho")
    with pytest.raises(ModelCorruptError, match=r"pnet\.onnx"):
        load_backend("mtcnn", spec, [tmp_path / "pnet.onnx", *files[1:]], options)
