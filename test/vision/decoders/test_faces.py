import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import load_backend
from i2t_ros.errors import ModelMismatchError
from i2t_ros.models.manifest import find_spec
from i2t_ros.vision.boxes import non_maximum_suppression
from i2t_ros.vision.decoders.base import InputSize
from i2t_ros.vision.decoders.faces import yunet
from i2t_ros.vision.letterbox import Letterbox


def opencvs_own(path, image):
    detector = cv2.FaceDetectorYN.create(str(path), "", (640, 480), 0.6, 0.3)
    _, found = detector.detect(image)
    return np.empty((0, 15), np.float32) if found is None else found


def test_yunet_finds_what_opencvs_own_reader_finds(shared):
    path = shared / "models" / "face_detection_yunet_2026may.onnx"
    spec = find_spec("yunet")
    spec = replace(spec, input=replace(spec.input, format=replace(spec.input.format, height=480)))
    backend = load_backend("onnxruntime", spec, [path], BackendOptions())
    letterbox = Letterbox(spec.input.format)
    seen = 0
    for photo in sorted((shared / "coco_tiny" / "val2017").glob("*.jpg"))[:40]:
        image = cv2.resize(cv2.imread(str(photo)), (640, 480))
        outputs = backend.infer([letterbox(image)[0]])
        found = yunet(outputs, InputSize(640, 480), spec.score_threshold, (8, 16, 32))
        best = non_maximum_suppression(
            found.boxes, found.scores, np.zeros(len(found.scores), np.int32), spec.iou_threshold
        )
        wanted = opencvs_own(path, image)
        assert len(best) == len(wanted)
        boxes = found.boxes[best]
        boxes = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
        np.testing.assert_allclose(boxes, wanted[:, :4], atol=0.05)
        np.testing.assert_allclose(
            found.landmarks[best].reshape(-1, 10), wanted[:, 4:14], atol=0.05
        )
        np.testing.assert_allclose(found.scores[best], wanted[:, 14], atol=1e-3)
        seen += len(best)
    assert seen > 10


def test_yunet_of_another_size_is_refused():
    outputs = [np.zeros((1, 5, columns), np.float32) for columns in (1, 1, 4, 10) for _ in range(3)]
    with pytest.raises(ModelMismatchError, match="an input of 32x32 makes 21 cells"):
        yunet(outputs, InputSize(32, 32), 0.5, (8, 16, 32))
