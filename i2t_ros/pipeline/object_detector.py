"""The object detector: letterbox, backend, decoder and suppression put together."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2t_ros.backends.base import Tensor
from i2t_ros.errors import InvalidRequestError, ModelMismatchError
from i2t_ros.options import check_options, option
from i2t_ros.pipeline.loading import Loaded
from i2t_ros.pipeline.tasks.base import Outcome
from i2t_ros.types import Detections, Image
from i2t_ros.vision.boxes import all_are_boxes, are_boxes, non_maximum_suppression
from i2t_ros.vision.decoders import DECODERS, Candidates, InputSize
from i2t_ros.vision.letterbox import Letterbox, Placement, TensorFormat


def class_scores(entries: Iterable[str]) -> dict[str, float]:
    """Read entries such as "person=0.6"; raises InvalidRequestError."""
    scores = {}
    for entry in filter(None, entries):
        label, _, score = entry.rpartition("=")
        try:
            scores[label] = float(score)
        except ValueError:
            label = ""
        if not label or not 0 <= scores[label] <= 1:
            raise InvalidRequestError(
                f"class_min_scores: expected CLASS=SCORE with a score of 0 to 1, got {entry!r}"
            )
    return scores


def _names(entries: Iterable[str]) -> frozenset[str]:
    return frozenset(filter(None, entries))


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """Which objects of those that a model finds are wanted."""

    min_score: float = option(
        0.0,
        "objects below this score are left out, 0 to 1; 0: the model's own threshold",
        bounds=(0.0, 1.0),
        changes="live",
    )
    iou_threshold: float = option(
        0.0,
        "two boxes of one class that overlap by more are one object, 0 to 1; 0: the model's own",
        bounds=(0.0, 1.0),
        changes="live",
    )
    class_min_scores: Mapping[str, float] = option(
        MappingProxyType({}),
        "scores for single classes in place of min_score, such as [person=0.6, chair=0.3]",
        changes="live",
        read=class_scores,
    )
    allow: frozenset[str] = option(
        frozenset(),
        "only these classes, by the model's own names; none: all",
        name="allow_classes",
        changes="live",
        read=_names,
    )
    deny: frozenset[str] = option(
        frozenset(),
        "not these classes, by the model's own names; wins over allow_classes",
        name="deny_classes",
        changes="live",
        read=_names,
    )
    max_detections: int = option(
        100, "the best so many objects of an image are kept", bounds=(1, 10_000), changes="live"
    )

    def __post_init__(self) -> None:
        """Raise InvalidRequestError for a number out of bounds."""
        check_options(self)

    @property
    def named(self) -> frozenset[str]:
        """Every class that is named."""
        return self.allow | self.deny | frozenset(self.class_min_scores)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """DetectOptions as this model's numbers.

    class_scores  (classes,) float32, infinite for never; None if all have the same
    """

    class_scores: NDArray[np.float32] | None
    least_score: float
    iou_threshold: float
    max_detections: int


@dataclass(slots=True)
class PreparedImage:
    """An image as the backend takes it.

    inputs     the model's inputs: a tensor and constants, or the image itself
    size       of the model's input, pixels
    placement  where the image lies in it; None: the image is the input
    width, height  of the image, pixels
    letterbox  what wrote the tensor and still owns its memory, until the backend has read it
    """

    inputs: list[Any]
    size: InputSize
    placement: Placement | None
    width: int
    height: int
    letterbox: Letterbox | None


class ObjectDetector:
    """Finds objects in pictures, in three steps: ``prepare``, ``infer``, ``read``.

    The steps of several images may overlap, each in any thread; ``concurrency`` threads may be in
    infer() at once, and one call of it takes up to ``batch`` images. ``detect`` is all three.

    labels        the class names
    model_name, backend_name
    name          both, for people: "yolox_nano on onnxruntime (cpu)"
    report        one line for logs and diagnostics: what runs, and why it was chosen
    degraded      whether this is a makeshift; ``report`` says what is missing
    """

    def __init__(self, loaded: Loaded) -> None:
        """Take over a loaded model, and read its outputs once.

        Raises ModelMismatchError if the outputs are not those that the model's entry promises.
        """
        spec, backend = loaded.spec, loaded.backend
        self._spec = spec
        self._backend = backend
        # Each writes images into one buffer, so there is one for every image that is on its way.
        self._letterboxes: list[Letterbox] = []
        self._constants = spec.input.constant_arrays()
        self._decoder = DECODERS["detect"][spec.decoder]
        self._decode = functools.partial(self._decoder.function, **spec.decoder_options)
        self._wanted: tuple[DetectOptions, _Wanted] | None = None
        self.concurrency = backend.concurrency
        self.batch = backend.batch if spec.input.format else 1
        self.labels = spec.labels
        self.model_name = spec.name
        self.backend_name = loaded.backend_name
        self.name = loaded.name
        self.report = f"{loaded.name}: {loaded.report}"
        self.degraded = loaded.degraded
        if spec.input.format:
            self.detect(np.zeros((64, 64, 3), np.uint8))

    @property
    def default_min_score(self) -> float:
        """The least score of this model if DetectOptions say 0."""
        return self._spec.score_threshold

    @property
    def default_iou_threshold(self) -> float:
        """The overlap of this model if DetectOptions say 0."""
        return self._spec.iou_threshold

    def detect(self, image: Image, options: DetectOptions = DetectOptions()) -> Detections:
        """Return what is in ``image``, best first, boxes within it.

        Raises InferenceError if the backend fails, ModelMismatchError if it returns what
        the model's entry does not promise.
        """
        prepared = self.prepare(image)
        return self.read(prepared, self.infer([prepared])[0], options)

    def run(self, image: Image, options: DetectOptions, language: str = "") -> Outcome:
        """Return what is in ``image``; see Runner."""
        return Outcome(self.detect(image, options))

    def prepare(self, image: Image) -> PreparedImage:
        """Return an image (height x width x 3 BGR uint8) as the backend takes it."""
        height, width = image.shape[:2]
        to = self._spec.input.format
        if to is None:
            return PreparedImage([image], InputSize(width, height), None, width, height, None)
        letterbox = self._borrow_letterbox(to)
        tensor, placement = letterbox(image)
        inputs = [tensor, *self._constants]
        size = InputSize(to.width, to.height)
        return PreparedImage(inputs, size, placement, width, height, letterbox)

    def infer(self, images: Sequence[PreparedImage]) -> list[list[Tensor]]:
        """Run the backend once and return the model's outputs for each image, at most ``batch``.

        An image can be used once: its memory is written again after the call.
        Raises InferenceError if the backend fails.
        """
        try:
            if len(images) == 1:
                return [self._backend.infer(images[0].inputs)]
            together = np.concatenate([image.inputs[0] for image in images])
            outputs = self._backend.infer([together, *self._constants])
            return [[output[i : i + 1] for output in outputs] for i in range(len(images))]
        finally:
            for image in images:
                if image.letterbox is not None:
                    self._letterboxes.append(image.letterbox)
                    image.letterbox = None

    def read(
        self, image: PreparedImage, outputs: list[Tensor], options: DetectOptions
    ) -> Detections:
        """Return what the model's outputs say of an image, best first, boxes within it.

        Raises ModelMismatchError if the outputs are not what the model's entry promises.
        """
        wanted = self._in_numbers(options)
        if len(outputs) != self._decoder.outputs:
            raise ModelMismatchError(
                f"{self.name}: decoder {self._spec.decoder} reads {self._decoder.outputs} "
                f"output(s), got {len(outputs)}"
            )
        try:
            found = self._decode(outputs, image.size, wanted.least_score)
            return self._finish(found, image, wanted)
        except (IndexError, TypeError, ValueError) as error:
            raise ModelMismatchError(
                f"{self.name}: decoder {self._spec.decoder} and {len(self.labels)} labels do not "
                f"fit outputs of shapes {[output.shape for output in outputs]}: {error}"
            ) from error

    def _borrow_letterbox(self, to: TensorFormat) -> Letterbox:
        """Return a letterbox that nothing uses; infer() puts it back."""
        try:
            return self._letterboxes.pop()
        except IndexError:  # another thread may have taken the last one, so no look before
            return Letterbox(to)

    def close(self) -> None:
        """Release the backend. May be called more than once."""
        self._backend.close()

    def _finish(self, found: Candidates, image: PreparedImage, wanted: _Wanted) -> Detections:
        """Keep what is wanted, once, in pixels of the picture."""
        boxes, scores, class_ids = found
        if wanted.class_scores is not None or not all_are_boxes(boxes):
            good = are_boxes(boxes)
            if wanted.class_scores is not None:
                good &= scores >= wanted.class_scores[class_ids]
            boxes, scores, class_ids = boxes[good], scores[good], class_ids[good]
        if self._decoder.suppresses:
            best = np.argsort(-scores, kind="stable")
        else:
            best = non_maximum_suppression(boxes, scores, class_ids, wanted.iou_threshold)
        best = best[: wanted.max_detections]
        boxes = boxes.take(best, axis=0)
        if image.placement:
            boxes = image.placement.to_original(boxes)
        else:
            boxes = np.clip(boxes, 0, [image.width, image.height] * 2)
        if not all_are_boxes(boxes):
            inside = are_boxes(boxes)
            boxes, best = boxes[inside], best[inside]
        class_ids = class_ids.take(best).astype(np.int32)
        return Detections.adopt(boxes, scores.take(best), class_ids, self.labels)

    def check_classes(self, names: Iterable[str]) -> None:
        """Raise InvalidRequestError for the first name that is no class of the model."""
        known = set(self.labels)
        for name in names:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise InvalidRequestError(f"{self.model_name} has no class {name!r}{hint}")

    def _in_numbers(self, options: DetectOptions) -> _Wanted:
        """Return the options as arrays; they seldom change between two pictures."""
        known = self._wanted  # another thread may put its own there at any moment
        if known is None or known[0] != options:  # every request makes equal options anew
            known = self._wanted = (options, self._convert(options))
        return known[1]

    def _convert(self, options: DetectOptions) -> _Wanted:
        least = options.min_score or self.default_min_score
        scores = [options.class_min_scores.get(label, least) for label in self.labels]
        for class_id, label in enumerate(self.labels):
            if label in options.deny or (options.allow and label not in options.allow):
                scores[class_id] = np.inf
        same = all(score == least for score in scores)
        return _Wanted(
            None if same else np.array(scores, np.float32),
            min((score for score in scores if score <= 1), default=1.0),
            options.iou_threshold or self.default_iou_threshold,
            options.max_detections,
        )
