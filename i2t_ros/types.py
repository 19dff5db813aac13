"""The vocabulary: what the rest of the package hands around.

Coordinates are pixels of the original image: x to the right, y down, the origin at the outer
corner of the top left pixel. Boxes are ``xyxy``: left, top, right, bottom. Arrays inside these
classes are read-only.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from i2t_ros.errors import I2tError
from i2t_ros.options import option

Image = NDArray[np.uint8]
"""Decoded pixels: uint8, height x width x 3, blue-green-red, C-contiguous."""

TaskName: TypeAlias = str
"""The name of a task, such as "detect"; pipeline.tasks.registry.TASKS has all of them."""

OBJECT_TASKS: tuple[TaskName, ...] = ("segment", "detect")
"""Those that find objects; if several do, the first one's count."""

CAMERA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
"""Names of cameras: each can be a part of a ROS topic and of a URL."""

ByteBuffer: TypeAlias = "bytes | bytearray | memoryview | array[int]"
"""Encoded bytes as they come from a file, a socket or a ROS message."""


COLORS = (
    *("black", "white", "gray", "red", "green", "yellow", "blue", "brown", "purple", "pink"),
    "orange",
)
"""The colors that things are said to have: the basic color terms of Berlin and Kay."""


class PictureHeader(NamedTuple):
    """What a picture's first bytes tell: its format, and its size in pixels when it is upright.

    format  "jpeg", "png", "bmp" or "webp"
    """

    format: str
    width: int
    height: int


@dataclass(slots=True)
class Picture:
    """An encoded image, as a file or a message holds it.

    What follows from the bytes is computed once: ``sha256`` when it is first read, the header and
    the layout by vision.codecs. So the bytes must not change.

    data    the bytes
    header  None until it has been read
    layout  how the pixels are stored, a vision.headers.Layout; None until that has been read
    """

    data: ByteBuffer = b""
    header: PictureHeader | None = field(default=None, compare=False)
    layout: Any = field(default=None, init=False, repr=False, compare=False)
    _sha256: str = field(default="", init=False, repr=False, compare=False)

    def __len__(self) -> int:
        """Return the number of bytes."""
        return memoryview(self.data).nbytes

    def __bytes__(self) -> bytes:
        """Return the bytes; a copy, unless ``data`` is bytes already."""
        return bytes(self.data)

    @property
    def format(self) -> str:
        """The header's format; empty until it has been read."""
        return self.header.format if self.header else ""

    @property
    def sha256(self) -> str:
        """The hash of the bytes, 64 lower case hexadecimal digits: 0.1 ms for 100 kB."""
        if not self._sha256:
            self._sha256 = hashlib.sha256(self.data).hexdigest()
        return self._sha256


Shape: TypeAlias = tuple[int | None, ...]
"""Of an array; None is N, the same for all arrays of a class."""


def freeze_arrays(owner: Any, **arrays: tuple[Shape, DTypeLike]) -> None:
    """Check, copy and make read-only these fields of a dataclass; for ``__post_init__``.

    A field that is None is left alone. Raises ValueError, with what was expected and what came, if
    a shape does not fit, if arrays differ in length, and if a float is not finite.
    """
    kind, lengths = type(owner).__name__, {}
    for name, (shape, dtype) in arrays.items():
        if (given := getattr(owner, name)) is not None:
            checked = _checked_array(f"{kind}.{name}", given, shape, dtype)
            object.__setattr__(owner, name, checked)
            if shape[0] is None:
                lengths[name] = len(checked)
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"{kind}: expected arrays of one length, got {listed}")


def _checked_array(name: str, value: Any, shape: Shape, dtype: DTypeLike) -> NDArray[Any]:
    array = np.array(value, dtype=dtype)
    if array.size == 0:
        array = array.reshape([side or 0 for side in shape])
    if array.ndim != len(shape) or any(
        side not in (None, got) for side, got in zip(shape, array.shape, strict=True)
    ):
        wanted = ", ".join("N" if side is None else str(side) for side in shape)
        raise ValueError(f"{name}: expected shape ({wanted}), got {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False, slots=True)
class Mask:
    """Which pixels of an image are part of a thing.

    left, top  of the part of the image that ``covered`` is, in pixels
    covered    (height, width) bool
    polygons   the outlines that it was made of, (N, 2) float32 each, x and y in pixels of the
               image; None if it was made of pixels
    """

    left: int
    top: int
    covered: NDArray[np.bool_]
    polygons: tuple[NDArray[np.float32], ...] | None = None

    def __post_init__(self) -> None:
        """Make the array read-only, without a copy: masks are large."""
        if self.covered.ndim != 2 or self.covered.dtype != np.bool_:
            got = f"{self.covered.dtype} {self.covered.shape}"
            raise ValueError(f"Mask.covered: expected bool (height, width), got {got}")
        self.covered.setflags(write=False)


@dataclass(frozen=True, eq=False, slots=True)
class Detections:
    """Objects found in one image, best score first.

    boxes      (N, 4) float32, xyxy, pixels of the original image
    scores     (N,) float32, 0 to 1
    class_ids  (N,) int32, indices into ``labels``
    labels     the model's label table; numberings with holes have empty strings there
    track_ids  (N,) int64, or None if nothing is tracked; -1 for an object without a track
    positions  (N, 3) float32, or None if nothing measures them: x, y, z in meters, in the optical
               frame of the camera (REP-103: x right, y down, z forward); all zero if one object's
               could not be measured
    masks      N masks, or None if nothing outlines them
    colors     N of COLORS, or "" where none stands out; None if nobody asked for them
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int32]
    labels: tuple[str, ...]
    track_ids: NDArray[np.int64] | None = None
    positions: NDArray[np.float32] | None = None
    masks: tuple[Mask, ...] | None = None
    colors: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check shapes, dtypes and ranges; copy and freeze the arrays."""
        freeze_arrays(
            self,
            boxes=((None, 4), np.float32),
            scores=((None,), np.float32),
            class_ids=((None,), np.int32),
            track_ids=((None,), np.int64),
            positions=((None, 3), np.float32),
        )
        object.__setattr__(self, "labels", tuple(self.labels))
        for name in ("masks", "colors"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self):
                raise ValueError(f"Detections.{name}: expected {len(self)}, got {len(given)}")
        if len(self) and not 0 <= self.class_ids.min() <= self.class_ids.max() < len(self.labels):
            raise ValueError(
                f"Detections.class_ids: expected 0 to {len(self.labels) - 1}, "
                f"got {self.class_ids.min()} to {self.class_ids.max()}"
            )

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.scores)

    @classmethod
    def adopt(
        cls,
        boxes: NDArray[Any],
        scores: NDArray[Any],
        class_ids: NDArray[Any],
        labels: tuple[str, ...],
    ) -> Detections:
        """Return detections that hold these very arrays, which become read-only.

        For a detector that has just made them, keeps no other view of them, and knows the boxes to
        be finite and the scores to be sorted: 15 µs after a run of the backend, while copying them
        and looking at each number takes 60. What is unusual is left to the ordinary constructor:
        no objects, other dtypes, and class ids or scores out of range.
        """
        types = [array.dtype for array in (boxes, scores, class_ids)]
        numbers = class_ids.tolist()
        usual = types == [np.float32, np.float32, np.int32] and len(boxes) and scores[0] <= 1
        if not usual or min(numbers) < 0 or max(numbers) >= len(labels):
            return cls(boxes, scores, class_ids, labels)
        self, values = object.__new__(cls), (boxes, scores, class_ids, labels)
        for name, value in zip_longest(cls.__slots__, values):
            object.__setattr__(self, name, value)
        for numbers_of in (boxes, scores, class_ids):
            numbers_of.setflags(write=False)
        return self

    @classmethod
    def empty(cls, labels: Sequence[str]) -> Detections:
        """Return detections of no object."""
        return cls([], [], [], tuple(labels))  # type: ignore[arg-type]

    def __getitem__(self, index: slice | NDArray[Any]) -> Detections:
        """Return the objects that a slice, a mask or an array of indices selects."""
        numbers = np.arange(len(self))[index].tolist()
        return Detections(
            self.boxes[index],
            self.scores[index],
            self.class_ids[index],
            self.labels,
            None if self.track_ids is None else self.track_ids[index],
            None if self.positions is None else self.positions[index],
            None if self.masks is None else tuple(self.masks[i] for i in numbers),
            None if self.colors is None else tuple(self.colors[i] for i in numbers),
        )

    def label(self, i: int) -> str:
        """Return the class name of object ``i`` ("class 7" if the table has a hole)."""
        class_id = int(self.class_ids[i])
        return self.labels[class_id] or f"class {class_id}"

    def class_names(self) -> list[str]:
        """Return the class name of each object, at once in a quarter of the time."""
        return [self.labels[i] or f"class {i}" for i in self.class_ids.tolist()]

    def distances(self) -> NDArray[np.float32] | None:
        """Return how far each object is from the camera, (N,) float32, in meters; 0: not known."""
        if self.positions is None:
            return None
        away: NDArray[np.float32] = np.linalg.norm(self.positions, axis=1)
        return away


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """Everything that was found in one image.

    width, height  of the image, in pixels
    results        by task, of each that has one, even if it found nothing
    failures       by task, why it found nothing, or, if it has a result as well, not everything:
                   texts may be there without their translations
    """

    width: int
    height: int
    results: Mapping[TaskName, Any] = field(default_factory=lambda: MappingProxyType({}))
    failures: Mapping[TaskName, I2tError] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def detections(self) -> Detections | None:
        """The objects that were found, by the first of OBJECT_TASKS that has a result."""
        return next((self.results[task] for task in OBJECT_TASKS if task in self.results), None)

    def with_detections(self, found: Detections) -> Scene:
        """Return the scene with these objects in place of its own."""
        task = next((task for task in OBJECT_TASKS if task in self.results), OBJECT_TASKS[-1])
        return replace(self, results=MappingProxyType({**self.results, task: found}))


@dataclass(frozen=True, eq=False, slots=True)
class Description:
    """A scene, its sentence, and how it was made.

    language  of the sentence, a BCP 47 tag
    style     of the sentence
    spoken    whether the sentence is for a voice: without digits, symbols and quotation marks
    model     names the models and the backends that ran them
    elapsed   seconds from the decoded image to the sentence
    label     turns a model's name of a class into the word that the sentence has for it, which may
              come from a user's own language file; None: the language as it ships has the words
    spoken    whether the sentence is for a voice, without digits, symbols and quotation marks
    """

    scene: Scene
    sentence: str
    language: str
    style: str
    model: str
    elapsed: float
    label: Callable[[str], str] | None = None
    spoken: bool = False


@dataclass(frozen=True, slots=True)
class DescribeRequest:
    """Ask what a picture, or the newest frame of a camera, shows.

    ``picture`` None asks about a camera. The answering side chooses what is empty or 0.
    """

    picture: Picture | None = None
    camera: str = option("", "whose newest frame, if no picture is sent; none: the first camera")
    tasks: tuple[TaskName, ...] = option(
        (), "what is looked for, such as detect or faces; none: the detector's own"
    )
    language: str = option("", "of the sentence, BCP 47, such as es; none: the detector's own")
    style: str = option("", "how the sentence is put; none: the detector's own")
    spoken: bool = option(
        False, "words for a voice: no digits, no symbols, units in words; false: the detector's own"
    )
    min_score: float = option(
        0.0, "leave out objects below it; 0: the detector's own", bounds=(0.0, 1.0)
    )
    annotate: bool = option(False, "also return the picture with everything found drawn on it")
    fresh: bool = option(False, "neither answered from a cache nor put into one")
    question: str = option(
        "", "a question about the picture, which a language model answers; none: nothing is asked"
    )


@dataclass(frozen=True, slots=True)
class CountCheck:
    """How many objects of a class an answer speaks of, beside how many were detected.

    class_id  the detector's own name of the class
    label     in the language of the answer
    """

    class_id: str
    label: str
    answered: int
    detected: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a language model answered to a question about a picture.

    text       in the language that was asked for, as far as the model knows it
    model      the model, and the server that runs it
    elapsed    seconds from the question to the end of the answer
    agreement  "agrees" if all counts in the answer are those of the detections, "disagrees" if one
               is not, "unchecked" if it has no count of anything that the detector knows
    counts     what was compared
    """

    text: str
    model: str
    elapsed: float
    agreement: str = "unchecked"
    counts: tuple[CountCheck, ...] = ()


Told = Callable[[str], None]
"""Gets an answer while it is being written: the whole text so far, a few times a second."""


@dataclass(frozen=True, slots=True)
class DescribeReply:
    """The answer to a DescribeRequest.

    annotated  in the format of the picture that was sent (JPEG for a camera's frame); None if it
               was not asked for
    cached     an identical request was answered before, and this is that answer
    answer     to the question; None if none was asked
    """

    description: Description
    annotated: Picture | None = None
    cached: bool = False
    answer: Answer | None = None
