"""OpenCV 4's built-in detectors: people (HOG) and faces (Haar cascades). Needs no download.

They are the fallback without a trained network. They miss much and take shadows for people, so a
detector that uses them reports that it is degraded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.backends.base import BackendOptions, Tensor
from i2t_ros.errors import BackendUnavailableError, InferenceError
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.types import Image
from i2t_ros.vision.boxes import non_maximum_suppression

PERSON, FACE = 0, 1

# Images are searched with this many pixels on the longer side: larger ones cost seconds, and do not
# find more of the things near a robot.
SEARCHED_SIDE = 640

# Where distributions put the files that the PyPI wheel has in cv2.data.
CASCADE_FOLDERS = ("/usr/share/opencv4/haarcascades", "/usr/share/opencv/haarcascades")

# Both detectors give a margin without an upper limit, not a probability. A logistic curve with this
# center and spread turns it into an approximate one. On 80 photos of COCO val2017, half of the
# detected people above a margin of 0.8 were people, and one in five below; two in three detected
# faces below 5.5 were faces, and nearly all above.
PEOPLE_MARGIN = (0.8, 1.0)
FACE_MARGIN = (0.0, 4.0)

Found = tuple[NDArray[np.float32], NDArray[np.float32]]


class OpenCvBackend:
    """Finds people (class 0) and faces (class 1) in an image; for the task faces, only faces."""

    device = "cpu"
    concurrency = 1
    batch = 1

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the detectors; raises BackendUnavailableError if OpenCV lacks them."""
        if not hasattr(cv2, "HOGDescriptor") or not hasattr(cv2, "CascadeClassifier"):
            raise BackendUnavailableError(
                f"OpenCV {cv2.__version__} has no built-in detectors; version 4 has them "
                '(pip install "opencv-python-headless>=4.6,<5")'
            )
        self._people = cv2.HOGDescriptor()
        self._people.setSVMDetector(np.array(cv2.HOGDescriptor.getDefaultPeopleDetector()))
        self._frontal = _cascade("haarcascade_frontalface_default.xml")
        self._profile = _cascade("haarcascade_profileface.xml")
        self._faces_alone = spec.task == "faces"
        self._closed = False
        people = "" if self._faces_alone else "HOG people, "
        self.report = f"OpenCV {cv2.__version__}: {people}Haar frontal and profile faces"

    def infer(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return boxes, scores and class ids (or for faces, no landmarks); see Backend."""
        if self._closed:
            raise InferenceError("opencv: used after close()")
        try:
            people, faces = self._search(inputs[0])
        except cv2.error as error:
            raise InferenceError(f"OpenCV failed: {error}") from error
        if self._faces_alone:
            return [*faces, np.empty((len(faces[1]), 0, 2), np.float32)]
        class_ids = [PERSON] * len(people[1]) + [FACE] * len(faces[1])
        return [
            np.concatenate([people[0], faces[0]]),
            np.concatenate([people[1], faces[1]]),
            np.array(class_ids, np.int32),
        ]

    def close(self) -> None:
        """Refuse further work; see Backend."""
        self._closed = True

    def _search(self, image: Image) -> tuple[Found, Found]:
        gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        scale = min(1.0, SEARCHED_SIDE / max(gray.shape))
        if scale < 1:
            gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        nobody = _found([], [], PEOPLE_MARGIN)
        people = nobody if self._faces_alone else self._find_people(gray)
        faces = self._find_faces(cv2.equalizeHist(gray))
        return (people[0] / scale, people[1]), (faces[0] / scale, faces[1])

    def _find_people(self, gray: cv2.typing.MatLike) -> Found:
        if gray.shape[0] < 128 or gray.shape[1] < 64:  # the detector's window
            return _found([], [], PEOPLE_MARGIN)
        rects, weights = self._people.detectMultiScale(
            gray, winStride=(8, 8), padding=(8, 8), scale=1.05
        )
        return _found(rects, weights, PEOPLE_MARGIN)

    def _find_faces(self, gray: cv2.typing.MatLike) -> Found:
        """Search with both cascades; that for profiles finds only left ones, hence the mirror."""
        frontal = _detect(self._frontal, gray)
        left = _detect(self._profile, gray)
        mirrored = _detect(self._profile, cv2.flip(gray, 1))
        right = mirrored[0].copy()
        right[:, [0, 2]] = gray.shape[1] - mirrored[0][:, [2, 0]]
        boxes = np.concatenate([frontal[0], left[0], right])
        scores = np.concatenate([frontal[1], left[1], mirrored[1]])
        best = non_maximum_suppression(boxes, scores, np.zeros(len(boxes), np.int32), 0.3)
        return boxes[best], scores[best]


def engine() -> tuple[str, tuple[str, ...]]:
    """Return the library's version and its devices, for `i2t models doctor`."""
    return cv2.__version__, ("cpu",)


def cascade_file(name: str) -> Path:
    """Return the path of one of OpenCV's cascades; raises BackendUnavailableError."""
    folders = [Path(folder) for folder in CASCADE_FOLDERS]
    if hasattr(cv2, "data"):
        folders.insert(0, Path(cv2.data.haarcascades))
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise BackendUnavailableError(
        f"OpenCV's {name} is in none of {', '.join(map(str, folders))}: apt install opencv-data"
    )


def _cascade(name: str) -> cv2.CascadeClassifier:
    path = cascade_file(name)
    cascade = cv2.CascadeClassifier(str(path))
    if cascade.empty():
        raise BackendUnavailableError(f"OpenCV {cv2.__version__} cannot read {path}")
    return cascade


def _detect(cascade: cv2.CascadeClassifier, gray: cv2.typing.MatLike) -> Found:
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
    return boxes, 1 / (1 + np.exp((center - margins) / spread))
