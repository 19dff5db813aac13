"""OpenCV on a CPU: its built-in detectors of people and faces, and YuNet, a network for faces.

The built-in ones, HOG and Haar cascades, need no download. They are the fallback without a trained
network: they miss much and take shadows for people, so a detector that uses them reports that it
is degraded.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.backends.base import Backend, BackendOptions, Tensor
from i2t_ros.errors import BackendUnavailableError, ModelMismatchError
from i2t_ros.installation import how_to_install
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.types import Image
from i2t_ros.vision.boxes import non_maximum_suppression
from i2t_ros.vision.letterbox import place

PERSON, FACE = 0, 1

# Images are searched with this many pixels on the longer side: larger ones cost seconds, and do not
# find more of the things near a robot.
SEARCHED_SIDE = 640

CASCADES = ("haarcascade_frontalface_default.xml", "haarcascade_profileface.xml")

# Where distributions put the files that the PyPI wheel has in cv2.data.
CASCADE_FOLDERS = ("/usr/share/opencv4/haarcascades", "/usr/share/opencv/haarcascades")

# Both detectors give a margin without an upper limit, not a probability. A logistic curve with this
# center and spread turns it into an approximate one. On 80 photos of COCO val2017, half of the
# detected people above a margin of 0.8 were people, and one in five below; two in three detected
# faces below 5.5 were faces, and nearly all above.
PEOPLE_MARGIN = (0.8, 1.0)
FACE_MARGIN = (0.0, 4.0)

LEAST_SCORE = 0.05
"""YuNet drops faces below this score; the user's threshold applies to the others."""
MOST_FACES = 5000
LEAST_SIDE = 64
"""Pixels. OpenCV 4.14 pads images to a multiple of 32, and reads uninitialized memory if the result
is 32 high or wide: in 21 of 25 runs a value was not a number, and once a blank image had a face.
With 64 or more this never happened."""

# Annotations name no class of cv2 unquoted: each is missing in some version from 4.5 to 5.
Gray = NDArray[Any]
Found = tuple[NDArray[np.float32], NDArray[np.float32]]


class OpenCvBackend(Backend):
    """Finds people (class 0) and faces (class 1) in an image; for the task faces, only faces."""

    title = "OpenCV"
    version = cv2.__version__

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the detectors; raises BackendUnavailableError if OpenCV lacks them.

        Without the files of the cascades people are still found, and the report says what is
        missing.
        """
        if not hasattr(cv2, "HOGDescriptor") or not hasattr(cv2, "CascadeClassifier"):
            raise BackendUnavailableError(
                f"OpenCV {cv2.__version__} has no built-in detectors; version 4 has them "
                f"({how_to_install('opencv-python-headless>=4.6,<5')})"
            )
        people = cv2.HOGDescriptor()
        people.setSVMDetector(np.array(cv2.HOGDescriptor.getDefaultPeopleDetector()))
        self._faces_alone = spec.task == "faces"
        try:
            cascades = [_cascade(name) for name in CASCADES]
            found = "Haar frontal and profile faces"
        except BackendUnavailableError as error:  # apt's python3-opencv does not bring them
            if self._faces_alone:
                raise
            cascades, found = [], f"no faces ({error})"
        self.model = people, cascades
        searched = "" if self._faces_alone else "HOG people, "
        self.report = f"OpenCV {cv2.__version__}: {searched}{found}"

    def run(self, model: tuple[Any, list[Any]], inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return boxes, scores and class ids (or for faces, no landmarks); see Backend."""
        gray = cv2.cvtColor(inputs[0], cv2.COLOR_BGR2GRAY)
        scale = min(1.0, SEARCHED_SIDE / max(gray.shape))
        if scale < 1:
            gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        people, cascades = model
        boxes, scores = _found([], [], FACE_MARGIN)
        if cascades:
            frontal, profile = cascades
            boxes, scores = _find_faces(frontal, profile, cv2.equalizeHist(gray))
        if self._faces_alone:
            return [boxes / scale, scores, np.empty((len(scores), 0, 2), np.float32)]
        people_boxes, people_scores = _find_people(people, gray)
        return [
            np.concatenate([people_boxes, boxes]) / scale,
            np.concatenate([people_scores, scores]),
            np.array([PERSON] * len(people_scores) + [FACE] * len(scores), np.int32),
        ]


class FaceDetectorYnBackend(Backend):
    """Finds faces with YuNet: boxes (N, 4) xyxy, scores (N,), landmarks (N, 5, 2), best first.

    Its input is the image itself, which it scales to the entry's input size and keeps its aspect
    ratio: the network was trained on faces of 10 to 300 pixels.
    """

    title = "OpenCV"
    version = cv2.__version__

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the first file and run it once.

        Raises BackendUnavailableError if OpenCV is too old, and ModelMismatchError if the entry has
        no input format.
        """
        form = spec.input.format
        if form is None:
            raise ModelMismatchError(f"{spec.name}: its entry lacks the input's format")
        self._form = form
        size = form.width, form.height
        try:
            self.model = cv2.FaceDetectorYN.create(
                str(files[0]), "", size, LEAST_SCORE, spec.iou_threshold, MOST_FACES
            )
            self.model.detect(np.zeros((form.height, form.width, 3), np.uint8))
        except (AttributeError, cv2.error) as error:
            # 4.5.3 and earlier have no FaceDetectorYN; that of 4.5.4 to 4.7 reads only the first
            # YuNet.
            raise BackendUnavailableError(
                f"OpenCV {cv2.__version__} cannot run {files[0]} "
                f"({getattr(error, 'err', error)}); 4.8 and later can"
            ) from error
        self.report = f"OpenCV {cv2.__version__} FaceDetectorYN on cpu"

    def run(self, model: "cv2.FaceDetectorYN", inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return boxes, scores and landmarks in pixels of the image; see Backend."""
        image: Image = inputs[0]
        placement = place(image.shape[1], image.shape[0], self._form)
        scaled = cv2.resize(image, (placement.width, placement.height))
        below, right = (max(0, LEAST_SIDE - side) for side in scaled.shape[:2])
        if below or right:
            scaled = cv2.copyMakeBorder(scaled, 0, below, 0, right, cv2.BORDER_CONSTANT)
        model.setInputSize((scaled.shape[1], scaled.shape[0]))
        _, found = model.detect(scaled)
        rows = np.empty((0, 15), np.float32) if found is None else np.asarray(found, np.float32)
        # A row is x, y, width, height, x and y of each landmark, score. For a blank image some rows
        # are not finite.
        rows = rows[np.isfinite(rows).all(axis=1)]
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        landmarks = rows[:, 4:14].reshape(-1, 5, 2)
        return [placement.to_original(boxes), rows[:, 14], placement.points_to_original(landmarks)]


def _find_people(people: "cv2.HOGDescriptor", gray: Gray) -> Found:
    if gray.shape[0] < 128 or gray.shape[1] < 64:  # the detector's window
        return _found([], [], PEOPLE_MARGIN)
    rects, weights = people.detectMultiScale(gray, winStride=(8, 8), padding=(8, 8), scale=1.05)
    return _found(rects, weights, PEOPLE_MARGIN)


def _find_faces(
    frontal: "cv2.CascadeClassifier", profile: "cv2.CascadeClassifier", gray: Gray
) -> Found:
    """Search with both cascades; that for profiles finds only left ones, hence the mirror."""
    mirrored, mirrored_scores = _detect(profile, cv2.flip(gray, 1))
    mirrored[:, [0, 2]] = gray.shape[1] - mirrored[:, [2, 0]]
    found = [_detect(frontal, gray), _detect(profile, gray), (mirrored, mirrored_scores)]
    boxes, scores = map(np.concatenate, zip(*found, strict=True))
    best = non_maximum_suppression(boxes, scores, np.zeros(len(boxes), np.int32), 0.3)
    return boxes[best], scores[best]


def _cascade(name: str) -> "cv2.CascadeClassifier":
    folders = [Path(folder) for folder in CASCADE_FOLDERS]
    if hasattr(cv2, "data"):
        folders.insert(0, Path(cv2.data.haarcascades))
    path = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if path is None:
        raise BackendUnavailableError(
            f"OpenCV's {name} is in none of {', '.join(map(str, folders))}: sudo apt install "
            "opencv-data"
        )
    cascade = cv2.CascadeClassifier(str(path))
    if cascade.empty():
        raise BackendUnavailableError(f"OpenCV {cv2.__version__} cannot read {path}")
    return cascade


def _detect(cascade: "cv2.CascadeClassifier", gray: Gray) -> Found:
    rects, _, weights = cascade.detectMultiScale3(
        gray, scaleFactor=1.1, minNeighbors=5, minSize=(24, 24), outputRejectLevels=True
    )
    return _found(rects, weights, FACE_MARGIN)


def _found(
    rects: Sequence[Sequence[int]], weights: Sequence[float], margin: tuple[float, float]
) -> Found:
    """Return xyxy boxes and scores from x, y, width, height and the detector's margins."""
    boxes = np.array(rects, np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    margins = np.array(weights, np.float32).reshape(-1)
    center, spread = margin
    scores: NDArray[Any] = 1 / (1 + np.exp((center - margins) / spread))
    return boxes, scores
