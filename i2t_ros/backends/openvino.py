"""OpenVINO: .onnx files, and its own .xml files, on Intel CPUs, GPUs and NPUs."""

import queue
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino as ov

from i2t_ros.backends.base import MOST_CALLS, Backend, BackendOptions, Tensor
from i2t_ros.backends.cores import backend_threads
from i2t_ros.errors import BackendUnavailableError, ModelCorruptError, ModelError
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.models.tensors import (
    FileFacts,
    TensorInfo,
    check_shapes,
    example_inputs,
    match_tensors,
)
from i2t_ros.validation import read_mapping

PRECISIONS = ("auto", "f32", "f16", "bf16")
"""By default OpenVINO rounds to bfloat16 if the CPU supports it, which changes scores. So ``auto``
keeps the model's 32 bits."""


class OpenVinoBackend(Backend):
    """One compiled model, with as many requests as are optimal for the device.

    With the latency hint, that is one on a CPU, so that a single call is fast. With the throughput
    hint it is two on two cores: 1.2 times as many calls of yolox_nano if two run at a time, but 0.6
    times as many one after the other.
    """

    title = "OpenVINO"
    version = ov.__version__.split("-", maxsplit=1)[0]

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the first file, compare it with its entry, compile it, and run it once.

        Raises BackendUnavailableError if the device or the precision is not available.
        """
        core = ov.Core()
        device = options.device or "CPU"
        settings = _settings(core, device, options)
        model = _load(core, files[0])
        inputs, outputs = _infos(model.inputs), _infos(model.outputs)
        self._inputs, read = match_tensors(spec, inputs, outputs)
        self._input_indices = [inputs.index(info) for info in self._inputs]
        self._output_indices = [outputs.index(info) for info in read]
        try:
            compiled = core.compile_model(model, device, settings)
        except RuntimeError as error:
            raise BackendUnavailableError(
                f"OpenVINO cannot run {spec.name} on {device} with {settings}: {error}"
            ) from error
        optimal = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self.concurrency = max(1, min(optimal, MOST_CALLS))
        self.model = queue.LifoQueue()
        for _ in range(self.concurrency):
            self.model.put(compiled.create_infer_request())
        self.device = ",".join(compiled.get_property("EXECUTION_DEVICES"))
        precision = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.report = f"OpenVINO {self.version} on {self.device}, precision {precision}"
        if device == "CPU":
            self.report += f", {backend_threads(options.threads).report}"
        self.infer(example_inputs(spec))

    @classmethod
    def check(cls, options: BackendOptions) -> None:
        """Refuse devices and precisions that there are not; see Backend."""
        _settings(ov.Core(), options.device or "CPU", options)

    @classmethod
    def engine(cls) -> tuple[str, tuple[str, ...]]:
        """Return the version and the devices; see Backend."""
        return cls.version, tuple(ov.Core().available_devices)

    def run(
        self, model: queue.LifoQueue[ov.InferRequest], inputs: Sequence[Tensor]
    ) -> list[Tensor]:
        """Run one of the idle requests, ``model``; see Backend."""
        check_shapes(inputs, self._inputs, self.title)
        named = dict(zip(self._input_indices, inputs, strict=True))
        request = model.get()  # waits if all requests are in use
        try:
            results = request.infer(named, share_inputs=True, share_outputs=False)
        finally:
            model.put(request)
        return [np.asarray(results[index]) for index in self._output_indices]


def read_facts(path: Path) -> FileFacts:
    """Return what a file says of itself. Raises ModelCorruptError.

    Ultralytics writes metadata.yaml beside an .xml, in the folder that it exports.
    """
    model = _load(ov.Core(), path)
    beside = path.with_name("metadata.yaml")
    metadata = {}
    if path.suffix.lower() == ".xml" and beside.is_file():
        metadata = {str(k): str(v) for k, v in read_mapping(beside, ModelError).items()}
    return FileFacts(_infos(model.inputs), _infos(model.outputs), metadata)


def _load(core: ov.Core, path: Path) -> ov.Model:
    try:
        return core.read_model(str(path))
    except RuntimeError as error:
        weights = path.with_suffix(".bin")
        if path.suffix.lower() == ".xml" and not weights.is_file():
            raise ModelCorruptError(
                f"{path}: its weights are not there, {weights}: copy both files"
            ) from error
        raise ModelCorruptError(
            f"{path}: OpenVINO {ov.__version__} cannot read it: {error}"
        ) from error


def _settings(core: ov.Core, device: str, options: BackendOptions) -> dict[str, object]:
    """Return compile settings. Raises BackendUnavailableError for what OpenVINO does not have."""
    available = core.available_devices
    if re.split("[.:]", device, maxsplit=1)[0] not in {*available, "AUTO", "MULTI", "HETERO"}:
        raise BackendUnavailableError(
            f"OpenVINO finds no device {device}, only {', '.join(available)}"
        )
    if options.precision not in PRECISIONS:
        raise BackendUnavailableError(
            f"OpenVINO has no precision {options.precision!r}, only {', '.join(PRECISIONS)}"
        )
    settings: dict[str, object] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": options.precision.replace("auto", "f32"),
    }
    if device == "CPU":
        settings["INFERENCE_NUM_THREADS"] = backend_threads(options.threads).number
    return settings


def _infos(ports: Sequence[ov.Output]) -> list[TensorInfo]:
    return [
        TensorInfo(
            port.get_any_name(),
            tuple(
                -1 if side.is_dynamic else side.get_length() for side in port.get_partial_shape()
            ),
            np.dtype(port.get_element_type().to_dtype()).name,
        )
        for port in ports
    ]
