"""jetson-inference on a Jetson: detectNet and imageNet, through TensorRT.

The API as read in jetson-inference and jetson-utils, branches L4T-R32.7.1 to master of 2025.
"""

import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from i2t_ros.backends.base import Backend, BackendOptions, Tensor
from i2t_ros.errors import BackendUnavailableError, InferenceError
from i2t_ros.models.manifest import ModelSpec

try:
    import jetson_inference
    import jetson_utils
except ImportError:  # their names up to JetPack 4
    import jetson.inference
    import jetson.utils

    jetson_inference, jetson_utils = jetson.inference, jetson.utils

# detectNet forgets what scores less, so this is the least ``min_score`` that has an effect.
LEAST_SCORE = 0.1

# The names of inputs and outputs are those of jetson-inference's own SSD training and export.
DETECT_ARGUMENTS = (
    "--input-blob=input_0",
    "--output-cvg=scores",
    "--output-bbox=boxes",
    f"--threshold={LEAST_SCORE}",
)
CLASSIFY_ARGUMENTS = ("--input-blob=input_0", "--output-blob=output_0")


class JetsonBackend(Backend):
    """One network. ``infer`` may be called from several threads; they take turns.

    Its input is a picture. For the task detect its outputs are boxes (N, 4) float32 xyxy, scores
    (N,) float32 and class ids (N,) int32; for classify, (1, classes) float32 probabilities.
    """

    title = "jetson-inference"
    version = jetson_inference.__name__  # tells the generation of the modules
    device = "cuda"

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load ``files[0]``, or else the network that the entry's engine_model names.

        The first load of a network builds its engine, which takes minutes. Raises
        BackendUnavailableError.
        """
        if not hasattr(jetson_utils, "cudaFromNumpy"):
            raise BackendUnavailableError(
                "jetson_utils was built without NumPy and has no cudaFromNumpy: install "
                "python3-numpy and build jetson-inference again"
            )
        # Parallel use of one network was reported broken (jetson-inference #1187, #1729).
        self._lock = threading.Lock()
        self._classes = len(spec.labels)
        self._detects = spec.task == "detect"
        name = str(files[0]) if files else spec.engine_model
        try:
            self.model = self._load(spec, files)
        except Exception as error:  # the module raises plain Exception
            raise BackendUnavailableError(
                f"jetson-inference cannot load {name}: {error}. TensorRT 10 "
                "refuses the built-in UFF models; an ONNX model serves there"
            ) from error
        self.report = f"{self.version} on TensorRT, {name}"

    def run(self, model: Any, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the network on one picture; see Backend."""
        with self._lock:
            # Every color order but this makes some releases answer with an empty list.
            picture = np.ascontiguousarray(inputs[0][:, :, ::-1])
            image = jetson_utils.cudaFromNumpy(picture)
            return self._detect(model, image) if self._detects else self._classify(model, image)

    def _load(self, spec: ModelSpec, files: Sequence[Path]) -> Any:
        """Return the network. JetPack 4 knows only the arguments name, argv and threshold."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as labels:
            arguments: list[str] = []
            if files:
                labels.write("\n".join(label or "unlabeled" for label in spec.labels))
                labels.flush()
                arguments = [f"--model={files[0]}", f"--labels={labels.name}"]
                arguments += DETECT_ARGUMENTS if self._detects else CLASSIFY_ARGUMENTS
            if not self._detects:
                return jetson_inference.imageNet(spec.engine_model, arguments)
            net = jetson_inference.detectNet(spec.engine_model, arguments, LEAST_SCORE)
            # A list of arguments makes newer releases ignore all else (jetson-inference #599).
            net.SetThreshold(LEAST_SCORE)
            return net

    def _detect(self, net: Any, image: Any) -> list[Tensor]:
        # Without overlay="none" the boxes are drawn into the picture.
        found = net.Detect(image, overlay="none")
        boxes = [[d.Left, d.Top, d.Right, d.Bottom] for d in found]
        return [
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array([d.Confidence for d in found], np.float32),
            np.array([d.ClassID for d in found], np.int32),
        ]

    def _classify(self, net: Any, image: Any) -> list[Tensor]:
        """Return the probability of each class; releases before R35.3 tell only the best."""
        try:
            ranked = net.Classify(image, topK=0)
        except TypeError:
            ranked = [net.Classify(image)]
        probabilities = np.zeros((1, self._classes), np.float32)
        for class_id, confidence in ranked:
            if not class_id < self._classes:
                raise InferenceError(
                    f"jetson: class {class_id} is beyond the {self._classes} labels"
                )
            if class_id >= 0:  # -1: nothing above the threshold
                probabilities[0, class_id] = confidence
        return [probabilities]
