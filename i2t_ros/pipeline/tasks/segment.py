"""The task ``segment``: objects with their outlines, in place of ``detect``."""

from dataclasses import dataclass, replace

from i2t_ros.backends.base import Tensor
from i2t_ros.options import option
from i2t_ros.pipeline.loading import OpenOptions, open_model
from i2t_ros.pipeline.model_runner import PreparedImage
from i2t_ros.pipeline.object_detector import DetectOptions, ObjectDetector
from i2t_ros.pipeline.tasks.detect import ObjectTask
from i2t_ros.types import Detections
from i2t_ros.vision.decoders.segments import Segments
from i2t_ros.vision.masks import Grid, masks_of


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """Which model outlines objects."""

    model: str = option(
        "auto",
        "for the task segment: an entry of models.yaml, a path to a model file, or auto: the best "
        "that is at hand or can be downloaded",
        name="segment_model",
    )


class SegmentTask(ObjectTask[SegmentSettings]):
    """Objects: boxes, classes, scores and masks."""

    name = "segment"
    settings = SegmentSettings

    def open(self, settings: SegmentSettings, how: OpenOptions) -> ObjectDetector:
        """Return what finds objects and their masks; see Task."""
        return open_model(self.name, settings.model, ObjectSegmenter, how.of_other_tasks())


class ObjectSegmenter(ObjectDetector):
    """Finds objects in pictures, with their masks."""

    def _result(
        self, image: PreparedImage, outputs: list[Tensor], options: DetectOptions
    ) -> Detections:
        """Keep what is wanted, and make the masks of that alone."""
        least_scores, least = self._least_scores(options)
        segments: Segments = self._decode(outputs, image.size, least)
        chosen, numbers = self._chosen(segments.found, image, options, least_scores)
        at = image.placement
        grid = Grid.of(segments.shape, image.size, at)
        size = at.original_width, at.original_height
        masks = masks_of(segments.logits, numbers.tolist(), chosen.boxes, grid, size)
        return replace(chosen, masks=masks)
