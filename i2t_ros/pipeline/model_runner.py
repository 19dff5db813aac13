"""How a task uses its model: images become its input, its outputs become a result."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from i2t_ros.backends.base import Tensor
from i2t_ros.errors import ModelMismatchError
from i2t_ros.pipeline.loading import Loaded
from i2t_ros.pipeline.tasks.base import Outcome
from i2t_ros.types import Image
from i2t_ros.vision.boxes import Boxes, non_maximum_suppression
from i2t_ros.vision.decoders import DECODERS
from i2t_ros.vision.decoders.base import InputSize
from i2t_ros.vision.decoders.classes import background_classes
from i2t_ros.vision.letterbox import Letterbox, Placement

NO_NUMBERS = (
    "its outputs hold NaN or infinity; if it computes in 16 bits, export it in 32 (half=False)"
)

Options = TypeVar("Options")
Result = TypeVar("Result")


@dataclass(slots=True)
class PreparedImage:
    """An image as the backend takes it.

    inputs     the model's inputs: a tensor and constants, or the image itself
    size       of the model's input, in pixels
    placement  where the image lies in it
    letterbox  owns the tensor's memory until the backend has read it
    """

    inputs: list[Any]
    size: InputSize
    placement: Placement
    letterbox: Letterbox | None = None


class ModelRunner(ABC, Generic[Options, Result]):
    """A Runner with a model. It works in three steps: ``prepare``, ``infer``, ``read``.

    The steps of several images may overlap, each in any thread; ``concurrency`` threads may be in
    infer() at once, and one call of it takes up to ``batch`` images. ``run`` is all three.

    options       the class of the task's options
    spec          the model's entry
    backend_name  what runs it
    labels        the class names
    reading       decoder and options, as the values of a trial run have settled them
    background    ids of the labels that name nothing that a picture could show
    """

    options: ClassVar[type[Any]]

    def __init__(self, loaded: Loaded) -> None:
        """Take over a loaded model, and read its outputs once if it takes a tensor.

        Raises ModelMismatchError if the outputs are not those that the model's entry promises.
        """
        self.spec = spec = loaded.spec
        self.backend_name = loaded.backend_name
        self.labels = spec.labels
        self.background = background_classes(spec.labels)
        self.name = loaded.name
        self.report = f"{loaded.name}: {loaded.report}"
        self.degraded = loaded.degraded
        self._backend = loaded.backend
        self.device = loaded.backend.device
        self._format = None if loaded.takes_pictures else spec.input.format
        self.concurrency = loaded.backend.concurrency
        self.batch = loaded.backend.batch if self._format else 1
        self._constants = spec.input.constant_arrays()
        # A letterbox writes images into one buffer, so each image in work has its own.
        self._letterboxes: list[Letterbox] = []
        if loaded.takes_pictures:
            self._read_with("pixels", {})
        else:
            self._read_with(spec.decoder, spec.decoder_options)
        if spec.input.format:
            self._try()

    def _read_with(self, decoder: str, options: Mapping[str, Any]) -> None:
        self.reading = decoder, options
        self._decoder = DECODERS[self.spec.task][decoder]
        self._decode = functools.partial(self._decoder.function, **options)

    def _try(self) -> None:
        """Run the model once, and read its outputs as their values ask for."""
        prepared = self.prepare(np.zeros((64, 64, 3), np.uint8))
        outputs = self.infer([prepared])[0]
        self._check_count(outputs)
        if any(np.isnan(output).any() for output in outputs):
            raise ModelMismatchError(f"{self.name}: {NO_NUMBERS}")
        if self._decoder.settle:
            _, options = self.reading
            try:
                settled = self._decoder.settle(
                    outputs, prepared.size, dict(options), len(self.labels)
                )
            except ModelMismatchError as error:
                raise ModelMismatchError(f"{self.name}: {error}") from error
            except (IndexError, TypeError, ValueError) as error:
                raise self._misfit(outputs, error) from error
            self._read_with(*settled)
        self.read(prepared, outputs, self.options())

    def run(self, image: Image, options: Options, language: str = "") -> Outcome:
        """Return what this task finds in an image; see Runner."""
        prepared = self.prepare(image)
        return Outcome(self.read(prepared, self.infer([prepared])[0], options))

    def prepare(self, image: Image) -> PreparedImage:
        """Return an image (height x width x 3 BGR uint8) as the backend takes it."""
        to = self._format
        if to is None:
            height, width = image.shape[:2]
            whole = Placement(0, 0, width, height, width, height)
            return PreparedImage([image], InputSize(width, height), whole)
        try:
            letterbox = self._letterboxes.pop()
        except IndexError:  # another thread may have taken the last one, so no look before
            letterbox = Letterbox(to)
        tensor, placement = letterbox(image)
        size = InputSize(to.width, to.height)
        return PreparedImage([tensor, *self._constants], size, placement, letterbox)

    def infer(self, images: Sequence[PreparedImage]) -> list[list[Tensor]]:
        """Run the backend once and return the model's outputs for each image, at most ``batch``.

        An image can be used once: its memory is written again after the call.
        Raises InferenceError if the backend fails.
        """
        try:
            if len(images) == 1:
                return [_full(self._backend.infer(images[0].inputs))]
            together = np.concatenate([image.inputs[0] for image in images])
            outputs = _full(self._backend.infer([together, *self._constants]))
            return [[output[i : i + 1] for output in outputs] for i in range(len(images))]
        finally:
            for image in images:
                if image.letterbox is not None:
                    self._letterboxes.append(image.letterbox)
                    image.letterbox = None

    def read(self, image: PreparedImage, outputs: list[Tensor], options: Options) -> Result:
        """Return what the model's outputs say of an image, best first, boxes within it.

        Raises ModelMismatchError if the outputs are not what the model's entry promises.
        """
        self._check_count(outputs)
        try:
            return self._result(image, outputs, options)
        except (IndexError, TypeError, ValueError) as error:
            raise self._misfit(outputs, error) from error

    def _check_count(self, outputs: list[Tensor]) -> None:
        if len(outputs) != self._decoder.outputs:
            raise ModelMismatchError(
                f"{self.name}: decoder {self.reading[0]} reads {self._decoder.outputs} "
                f"output(s), got {len(outputs)}"
            )

    def _misfit(self, outputs: list[Tensor], error: Exception) -> ModelMismatchError:
        """Return the error that blames the outputs for what went wrong while they were read."""
        labels = f" and {len(self.labels)} labels do" if self.labels else " does"
        return ModelMismatchError(
            f"{self.name}: decoder {self.reading[0]}{labels} not fit outputs of shapes "
            f"{[output.shape for output in outputs]}: {error}"
        )

    @abstractmethod
    def _result(self, image: PreparedImage, outputs: list[Tensor], options: Options) -> Result:
        """Do what read() says; an IndexError, TypeError or ValueError blames the outputs."""

    def _check_labels(self, classes: int | None) -> None:
        """Refuse a label list that does not fit the number of classes, if that is known."""
        if classes not in (None, len(self.labels)):
            files = ", ".join(file.name for file in self.spec.files)
            raise ModelMismatchError(
                f"{self.spec.name}: its labels are {len(self.labels)}, but {files or 'the model'} "
                f"tells {classes} classes apart; a label list has an entry for each class, empty "
                "for one without a name"
            )

    def _best(
        self, boxes: Boxes, scores: NDArray[np.float32], class_ids: NDArray[Any], iou: float
    ) -> NDArray[np.intp]:
        """Return the indices of the boxes that stand for an object each, best first."""
        if self._decoder.suppresses:
            return np.argsort(-scores, kind="stable")
        return non_maximum_suppression(boxes, scores, class_ids, iou)

    def close(self) -> None:
        """Release the backend. May be called more than once."""
        self._backend.close()


def _full(outputs: list[Tensor]) -> list[Tensor]:
    """Return outputs of 16 bits in 32: exp() of a float16 overflows from 12 on."""
    return [o.astype(np.float32) if o.dtype == np.float16 else o for o in outputs]
