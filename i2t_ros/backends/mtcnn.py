"""MTCNN: faces with five landmarks, found by three small networks on ONNX Runtime.

P-Net proposes faces at every scale of the picture, R-Net rejects most of them, O-Net rejects more
and places the landmarks; each also corrects the boxes (Zhang et al. 2016, "Joint Face Detection and
Alignment using Multi-task Cascaded Convolutional Networks", https://arxiv.org/abs/1604.02878).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from i2t_ros.backends.base import Backend, BackendOptions, Tensor
from i2t_ros.backends.cores import backend_threads
from i2t_ros.backends.onnxruntime import WIDE, load_session
from i2t_ros.errors import ModelMismatchError
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.types import Image
from i2t_ros.vision.boxes import Boxes, are_boxes, non_maximum_suppression

LEAST_FACE = 20
"""Pixels on a side of the smallest face that is looked for."""
SEARCHED_SIDE = 1280
"""Larger pictures are searched with this many pixels on the longer side: P-Net's time grows with
the pixels."""
WINDOW, STRIDE = 12, 2
"""Pixels that P-Net sees of a scaled picture for each of its outputs, and between two of these."""
SIDES = (24, 48)
"""Pixels on a side of what R-Net and O-Net take."""
SCALE_STEP = 0.709
"""Of the pyramid; half the area."""
THRESHOLDS = (0.6, 0.7, 0.7)
"""Least probability of P-Net, R-Net and O-Net."""
SAME_SCALE_IOU, SAME_IOU = 0.5, 0.7
"""Proposals that overlap by more are one: within a scale, and after each network."""
MOST_PROPOSALS = 500
"""That go on to R-Net; a picture full of texture has thousands of bad ones."""
MOST_COMPARED = 3000
"""The best, of which those that overlap are suppressed; the time for that grows with the square."""


class Networks(NamedTuple):
    """P-Net, R-Net and O-Net."""

    propose: ort.InferenceSession
    refine: ort.InferenceSession
    place: ort.InferenceSession


class MtcnnBackend(Backend):
    """Finds faces in an image: boxes (N, 4) xyxy, scores (N,), landmarks (N, 5, 2).

    Overlaps are left to the task to suppress.
    """

    title = "MTCNN on ONNX Runtime"
    version = ort.__version__

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the three files, P-Net's first, and run each network once."""
        threads = backend_threads(options.threads, WIDE)
        if len(files) != len(Networks._fields):
            raise ModelMismatchError(f"{spec.name}: expected 3 files, got {len(files)}")
        self.model = Networks(*(load_session(file, threads=threads.number) for file in files))
        self.report = f"ONNX Runtime {ort.__version__} on cpu, {threads.report}"
        shapes = [
            [output.shape[-1] for output in _run(network, np.zeros((1, side, side, 3), np.float32))]
            for network, side in zip(self.model, (WINDOW, *SIDES), strict=True)
        ]
        if shapes != [[4, 2], [4, 2], [4, 10, 2]]:
            raise ModelMismatchError(
                f"{spec.name}: expected boxes, landmarks of the last file, and two probabilities; "
                f"the files give {shapes} columns"
            )

    def run(self, model: Networks, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return boxes, scores and landmarks in pixels of the image; see Backend."""
        image = np.asarray(cv2.cvtColor(inputs[0], cv2.COLOR_BGR2RGB), np.uint8)
        scale = min(1.0, SEARCHED_SIDE / max(image.shape))
        if scale < 1:
            height, width = (max(1, round(side * scale)) for side in image.shape[:2])
            smaller = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            image = np.asarray(smaller, np.uint8)
        boxes = np.trunc(_square(_proposals(model.propose, image)))
        offsets, probabilities = _run(model.refine, _crops(image, boxes, SIDES[0]))
        boxes, scores, _ = _passed(image, boxes, offsets, probabilities, THRESHOLDS[1])
        best = _suppressed(boxes, scores, SAME_IOU)
        boxes = np.trunc(_square(boxes[best]))
        offsets, points, probabilities = _run(model.place, _crops(image, boxes, SIDES[1]))
        squares = boxes
        boxes, scores, good = _passed(image, squares, offsets, probabilities, THRESHOLDS[2])
        corners, sides = squares[good, None, :2], _sides(squares[good])[:, None]
        # Five fractions across, then five down.
        landmarks = corners + sides * points[good].reshape(-1, 2, 5).transpose(0, 2, 1)
        return [boxes / scale, scores, (landmarks / scale).astype(np.float32)]


def _proposals(network: ort.InferenceSession, image: Image) -> Boxes:
    """Return what P-Net finds at every scale, best first."""
    found = [_at_scale(network, image, scale) for scale in _scales(image)]
    boxes = np.concatenate([np.empty((0, 4), np.float32), *(boxes for boxes, _ in found)])
    scores = np.concatenate([np.empty(0, np.float32), *(scores for _, scores in found)])
    return boxes[_suppressed(boxes, scores, SAME_IOU)[:MOST_PROPOSALS]]


def _scales(image: Image) -> Iterator[float]:
    scale = WINDOW / LEAST_FACE
    while scale * min(image.shape[:2]) >= WINDOW:
        yield scale
        scale *= SCALE_STEP


def _at_scale(network: ort.InferenceSession, image: Image, scale: float) -> tuple[Boxes, Tensor]:
    height, width = (int(np.ceil(side * scale)) for side in image.shape[:2])
    scaled = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    offsets, probabilities = _run(network, _fed(np.asarray(scaled, np.uint8)[None]))
    scores = probabilities[0, :, :, 1]
    cells = np.argwhere(scores >= THRESHOLDS[0])
    corners = np.trunc((STRIDE * cells + 1) / scale), np.trunc((STRIDE * cells + WINDOW) / scale)
    boxes = np.hstack(corners).astype(np.float32)
    at = tuple(cells.T)
    best = _suppressed(boxes, scores[at], SAME_SCALE_IOU)
    moved = boxes[best] + np.tile(_sides(boxes[best]), 2) * offsets[0][at][best]
    good = _may_be_faces(moved, image)
    return moved[good], scores[at][best][good]


def _may_be_faces(boxes: Boxes, image: Image) -> NDArray[np.bool_]:
    """Return the (N,) mask of the boxes that are finite and not far larger than the image."""
    most = 2 * max(image.shape[:2])
    with np.errstate(invalid="ignore"):  # inf - inf
        return np.asarray(are_boxes(boxes) & (np.abs(boxes) <= most).all(axis=1))


def _passed(
    image: Image, boxes: Boxes, offsets: Tensor, probabilities: Tensor, threshold: float
) -> tuple[Boxes, NDArray[np.float32], NDArray[np.bool_]]:
    """Return the corrected boxes and the scores of those that a network accepts, and their mask."""
    moved = boxes + np.tile(_sides(boxes) + 1, 2) * offsets
    good = (probabilities[:, 1] > threshold) & _may_be_faces(moved, image)
    return moved[good], probabilities[good, 1], good


def _crops(image: Image, boxes: Boxes, side: int) -> NDArray[np.float32]:
    """Return the squares as a network takes them; what is beyond the image is black."""
    crops = np.zeros((len(boxes), side, side, 3), np.uint8)
    for crop, (left, top, right, bottom) in zip(crops, boxes.astype(int), strict=True):
        inside = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        if inside.size:
            above, before = max(-top, 0), max(-left, 0)
            below, behind = bottom - top - above, right - left - before
            whole = cv2.copyMakeBorder(
                inside,
                above,
                below - inside.shape[0],
                before,
                behind - inside.shape[1],
                cv2.BORDER_CONSTANT,
            )
            crop[:] = cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA)
    return _fed(crops)


def _fed(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return images (N, height, width, 3) as the networks were trained: column by column."""
    return np.asarray((images.transpose(0, 2, 1, 3).astype(np.float32) - 127.5) / 128)


def _run(network: ort.InferenceSession, images: NDArray[np.float32]) -> list[Tensor]:
    try:
        return list(network.run(None, {network.get_inputs()[0].name: images}))
    except InvalidArgument as error:
        raise ModelMismatchError(f"MTCNN: ONNX Runtime refused {images.shape}: {error}") from error


def _sides(boxes: Boxes) -> Boxes:
    """Return (N, 2): width and height."""
    return boxes[:, 2:] - boxes[:, :2]


def _square(boxes: Boxes) -> Boxes:
    """Return squares around the same centers, as wide as the longer side."""
    half = _sides(boxes).max(axis=1, keepdims=True, initial=0) / 2
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.hstack([centers - half, centers + half])


def _suppressed(boxes: Boxes, scores: NDArray[np.float32], iou: float) -> NDArray[np.intp]:
    best = np.argsort(-scores, kind="stable")[:MOST_COMPARED]
    classes = np.zeros(len(best), np.int32)
    return best[non_maximum_suppression(boxes[best], scores[best], classes, iou)]
