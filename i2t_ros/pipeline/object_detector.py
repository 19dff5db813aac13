"""Finds objects with a model, and keeps those that are wanted."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from i2t_ros.backends.base import Tensor
from i2t_ros.errors import InvalidRequestError
from i2t_ros.options import Checked, option
from i2t_ros.pipeline.model_runner import ModelRunner, PreparedImage
from i2t_ros.types import Detections, Image
from i2t_ros.vision.boxes import all_are_boxes, are_boxes, non_maximum_suppression
from i2t_ros.vision.decoders.objects import Candidates


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
class DetectOptions(Checked):
    """Which objects of those that a model finds are wanted."""

    min_score: float = option(
        0.0,
        "objects below this score are left out, 0 to 1; 0: the model's own threshold",
        bounds=(0.0, 1.0),
        changes="live",
    )
    iou_threshold: float = option(
        0.0,
        "boxes of one class that overlap by more are one object, 0 to 1; 0: the model's own value",
        bounds=(0.0, 1.0),
        changes="live",
    )
    any_class_iou_threshold: float = option(
        0.85,
        "boxes of any classes that overlap by more are one object, and the better class is kept, 0 "
        "to 1; no less than iou_threshold, and not if min_score is below the model's own",
        bounds=(0.0, 1.0),
        changes="live",
    )
    class_min_scores: Mapping[str, float] = option(
        MappingProxyType({}),
        "scores for single classes in place of min_score, such as person=0.6 (a list)",
        changes="live",
        read=class_scores,
    )
    allow: frozenset[str] = option(
        frozenset(),
        "only these classes, by the model's own names; empty: all",
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
        100,
        "at most this many objects of an image are kept, the best ones",
        bounds=(1, 10_000),
        changes="live",
    )

    @property
    def named(self) -> frozenset[str]:
        """Every class that is named."""
        return self.allow | self.deny | frozenset(self.class_min_scores)


class ObjectDetector(ModelRunner[DetectOptions, Detections]):
    """Finds objects in pictures."""

    options = DetectOptions
    _known: tuple[DetectOptions, tuple[NDArray[np.float32] | None, float]] | None = None

    def detect(self, image: Image, options: DetectOptions = DetectOptions()) -> Detections:
        """Return what is in ``image``, best first, boxes within it; raises as Runner.run does."""
        found: Detections = self.run(image, options).result
        return found

    def min_score(self, options: DetectOptions) -> float:
        """Return the least score of objects without a score of their class."""
        return options.min_score or self.spec.score_threshold

    def check_classes(self, names: Iterable[str]) -> None:
        """Raise InvalidRequestError for the first name that is no class of the model."""
        for name in names:
            if name not in self.labels:
                close = difflib.get_close_matches(name, self.labels, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise InvalidRequestError(f"{self.spec.name} has no class {name!r}{hint}")

    def _result(
        self, image: PreparedImage, outputs: list[Tensor], options: DetectOptions
    ) -> Detections:
        """Keep what is wanted, once, in pixels of the picture."""
        least_scores, least = self._least_scores(options)
        candidates = self._decode(outputs, image.size, least)
        return self._chosen(candidates, image, options, least_scores)[0]

    def _chosen(
        self,
        found: Candidates,
        image: PreparedImage,
        options: DetectOptions,
        least_scores: NDArray[np.float32] | None,
    ) -> tuple[Detections, NDArray[np.intp]]:
        """Return what is wanted of the candidates, and which of them that is, by index.

        least_scores  of each class, as _least_scores() has them
        """
        boxes, scores, class_ids, classes = found
        self._check_labels(classes)
        numbers = None
        if least_scores is not None or not all_are_boxes(boxes):
            good = are_boxes(boxes)
            if least_scores is not None:
                good &= scores >= least_scores[class_ids]
            numbers = good.nonzero()[0]
            boxes, scores, class_ids = boxes[numbers], scores[numbers], class_ids[numbers]
        iou = options.iou_threshold or self.spec.iou_threshold
        best = self._best(boxes, scores, class_ids, iou)
        # One thing that the model takes for a car and for a truck is one object. Whoever asks for
        # less than the model is sure of gets all its candidates.
        if len(best) > 1 and self.min_score(options) >= self.spec.score_threshold:
            those, one_class = boxes.take(best, axis=0), np.zeros(len(best), np.int32)
            most = max(iou, options.any_class_iou_threshold)
            best = best[non_maximum_suppression(those, scores.take(best), one_class, most)]
        best = best[: options.max_detections]
        boxes = image.placement.to_original(boxes.take(best, axis=0))
        if not all_are_boxes(boxes):
            inside = are_boxes(boxes)
            boxes, best = boxes[inside], best[inside]
        class_ids = class_ids.take(best).astype(np.int32)
        chosen = Detections.adopt(boxes, scores.take(best), class_ids, self.labels)
        return chosen, best if numbers is None else numbers[best]

    def _least_scores(self, options: DetectOptions) -> tuple[NDArray[np.float32] | None, float]:
        """Return the least score of each class, infinite for never, and the least of all.

        The former is None if all classes have the same. Options seldom change between two images.
        """
        known = self._known  # another thread may put its own there at any moment
        if known is not None and known[0] == options:  # every request makes equal options anew
            return known[1]
        least = self.min_score(options)
        scores = [options.class_min_scores.get(label, least) for label in self.labels]
        for class_id, label in enumerate(self.labels):
            unwanted = label in options.deny or (options.allow and label not in options.allow)
            if unwanted or class_id in self.background:
                scores[class_id] = np.inf
        of_classes = None
        if any(score != least for score in scores):
            of_classes = np.array(scores, np.float32)
        found = of_classes, min((score for score in scores if score <= 1), default=1.0)
        self._known = options, found
        return found
