"""The task ``classify``: what the picture as a whole shows, most likely first."""

from __future__ import annotations

from i2t_ros.errors import ModelMismatchError
from i2t_ros.pipeline.loading import Choice, Loaded, open_model
from i2t_ros.pipeline.tasks.base import TaskOptions
from i2t_ros.types import Classification, Image, Scene
from i2t_ros.vision.decoders.classes import CLASSIFIERS, best
from i2t_ros.vision.letterbox import Letterbox


def open_classify(choice: Choice) -> Classifier:
    """Return a classifier; see opening.Choice. Raises ModelError and BackendError."""
    return open_model("classify", choice, Classifier)


class Classifier:
    """Names the classes of pictures. Not thread-safe: it writes every picture into one buffer."""

    degraded = False

    def __init__(self, loaded: Loaded) -> None:
        """Take over a loaded model."""
        self._spec = loaded.spec
        self._backend = loaded.backend
        form = loaded.spec.input.format
        self._letterbox = Letterbox(form) if form else None
        self._decode = CLASSIFIERS[loaded.spec.decoder].function
        self.name = loaded.name
        self.report = f"{loaded.name}: {loaded.report}"

    def run(self, image: Image, options: TaskOptions) -> Scene:
        """Return the ``top_k`` most likely classes; see TaskRunner."""
        inputs = [image]
        if self._letterbox:
            inputs = [self._letterbox(image)[0], *self._spec.input.constant_arrays()]
        probabilities = self._decode(self._backend.infer(inputs))
        labels = self._spec.labels
        if len(probabilities) != len(labels):
            raise ModelMismatchError(
                f"{self.name}: its label table has {len(labels)} classes, the model gave "
                f"{len(probabilities)}"
            )
        ranked = best(probabilities, options.classify.top_k)
        height, width = image.shape[:2]
        return Scene(
            width,
            height,
            classification=Classification(
                tuple(labels[i] or f"class {i}" for i, _ in ranked),
                tuple(score for _, score in ranked),
            ),
        )

    def close(self) -> None:
        """Release the backend; see TaskRunner."""
        self._backend.close()
