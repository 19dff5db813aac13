"""OpenVINO: .onnx files on Intel CPUs, GPUs and NPUs."""

from __future__ import annotations

import queue
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino as ov

from i2t_ros.backends.base import MOST_CALLS, BackendOptions, Tensor
from i2t_ros.backends.cores import backend_threads
from i2t_ros.backends.tensor_checks import TensorInfo, check_inputs, check_outputs, example_inputs
from i2t_ros.errors import (
    BackendUnavailableError,
    InferenceError,
    ModelCorruptError,
    ModelMismatchError,
)
from i2t_ros.models.manifest import ModelSpec


class OpenVinoBackend:
    """One compiled model, with as many requests as are optimal for the device.

    With the latency hint, that is one on a CPU, so that a single call is fast. With the throughput
    hint it is two on two cores: 1.2 times as many calls of yolox_nano if two run at a time, but 0.6
    times as many one after the other.
    """

    batch = 1

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the first file, compare it with its entry, compile it, and run it once.

        Raises BackendUnavailableError if the device or the precision is not available.
        """
        core = ov.Core()
        device = options.device or "CPU"
        _check_device(core, device)
        model = _read(core, files[0])
        inputs = check_inputs(spec, _infos(model.inputs))
        outputs = check_outputs(spec, _infos(model.outputs))
        settings = _settings(options, device)
        try:
            compiled = core.compile_model(model, device, settings)
        except RuntimeError as error:
            raise BackendUnavailableError(
                f"OpenVINO cannot run {spec.name} on {device} with {settings}: {error}"
            ) from error
        optimal = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self.concurrency = max(1, min(optimal, MOST_CALLS))
        self._idle: queue.LifoQueue[ov.InferRequest] | None = queue.LifoQueue()
        for _ in range(self.concurrency):
            self._idle.put(compiled.create_infer_request())
        self._inputs = [_index(model.inputs, info.name) for info in inputs]
        self._shapes = [info.shape for info in inputs]
        self._outputs = [_index(model.outputs, info.name) for info in outputs]
        self.device = ",".join(compiled.get_property("EXECUTION_DEVICES"))
        precision = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.report = f"OpenVINO {engine()[0]} on {self.device}, precision {precision}"
        if device == "CPU":
            self.report += f", {backend_threads(options.threads).report}"
        self.infer(example_inputs(spec))

    def infer(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the model once; see Backend."""
        idle = self._idle
        if idle is None:
            raise InferenceError("openvino: used after close()")
        for given, shape in zip(inputs, self._shapes, strict=True):
            _check_shape(given, shape)
        named = dict(zip(self._inputs, inputs, strict=True))
        request = idle.get()  # waits if all requests are in use
        try:
            results = request.infer(named, share_inputs=True, share_outputs=False)
        except RuntimeError as error:
            raise InferenceError(f"OpenVINO failed: {error}") from error
        finally:
            idle.put(request)
        return [np.asarray(results[index]) for index in self._outputs]

    def close(self) -> None:
        """Release the compiled model; see Backend."""
        self._idle = None


def engine() -> tuple[str, tuple[str, ...]]:
    """Return the library's version and its devices, for `i2t models doctor`."""
    return ov.__version__.split("-", maxsplit=1)[0], tuple(ov.Core().available_devices)


def _settings(options: BackendOptions, device: str) -> dict[str, object]:
    """Return compile settings.

    By default OpenVINO rounds to bfloat16 if the CPU supports it, which changes scores in the
    second digit. So ``auto`` keeps the model's 32 bits.
    """
    precisions = {"auto": "f32", "f32": "f32", "f16": "f16", "bf16": "bf16"}
    if options.precision not in precisions:
        raise BackendUnavailableError(
            f"OpenVINO has no precision {options.precision!r}, only {', '.join(precisions)}"
        )
    settings: dict[str, object] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precisions[options.precision],
    }
    if device == "CPU":
        settings["INFERENCE_NUM_THREADS"] = backend_threads(options.threads).number
    return settings


def _check_device(core: ov.Core, device: str) -> None:
    available = core.available_devices
    if re.split("[.:]", device, maxsplit=1)[0] not in {*available, "AUTO", "MULTI", "HETERO"}:
        raise BackendUnavailableError(
            f"OpenVINO finds no device {device}, only {', '.join(available)}"
        )


def _read(core: ov.Core, path: Path) -> ov.Model:
    try:
        return core.read_model(str(path))
    except RuntimeError as error:
        raise ModelCorruptError(f"{path}: OpenVINO {ov.__version__} cannot read it: {error}") from (
            error
        )


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


def _index(ports: Sequence[ov.Output], name: str) -> int:
    return next(i for i, port in enumerate(ports) if name in port.get_names())


def _check_shape(given: Tensor, shape: tuple[int, ...]) -> None:
    fits = given.ndim == len(shape) and all(
        own in (-1, side) for own, side in zip(shape, given.shape, strict=True)
    )
    if not fits:
        raise ModelMismatchError(f"OpenVINO: the model takes {shape}, got {given.shape}")
