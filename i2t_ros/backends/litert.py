"""LiteRT (TensorFlow Lite): .tflite files on a CPU, with quantized inputs and outputs."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from i2t_ros.backends.base import BackendOptions, Tensor
from i2t_ros.backends.cores import backend_threads
from i2t_ros.backends.tensor_checks import TensorInfo, check_inputs, check_outputs, example_inputs
from i2t_ros.errors import InferenceError, ModelCorruptError, ModelMismatchError
from i2t_ros.models.manifest import ModelSpec


class LiteRtBackend:
    """One interpreter.

    Quantized outputs are returned as real numbers, ``(q - zero point) * scale``. A quantized input
    takes real numbers if the entry says float32, and pixels as they are if it says uint8.
    """

    device = "cpu"
    concurrency = 1
    batch = 1

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the first file, compare it with its entry, and run it once."""
        threads = backend_threads(options.threads)
        interpreter = _load(files[0], threads.number)
        inputs = {detail["name"]: detail for detail in interpreter.get_input_details()}
        outputs = {detail["name"]: detail for detail in interpreter.get_output_details()}
        wanted = "float32" if spec.input.format is None else spec.input.format.dtype
        found = [_input_info(detail, wanted) for detail in inputs.values()]
        self._inputs = [inputs[info.name] for info in check_inputs(spec, found)]
        ordered = check_outputs(spec, [_info(detail) for detail in outputs.values()])
        self._outputs = [outputs[info.name] for info in ordered]
        self._interpreter: Interpreter | None = interpreter
        self.report = f"LiteRT {engine()[0]} on cpu, {threads.report}"
        self.infer(example_inputs(spec))

    def infer(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the model once; see Backend."""
        if self._interpreter is None:
            raise InferenceError("litert: used after close()")
        try:
            for detail, given in zip(self._inputs, inputs, strict=True):
                self._interpreter.set_tensor(detail["index"], _quantized(given, detail))
        except ValueError as error:
            raise ModelMismatchError(f"LiteRT refused the inputs: {error}") from error
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise InferenceError(f"LiteRT failed: {error}") from error
        return [_real(self._interpreter.get_tensor(d["index"]), d) for d in self._outputs]

    def close(self) -> None:
        """Release the interpreter; see Backend."""
        self._interpreter = None


def engine() -> tuple[str, tuple[str, ...]]:
    """Return the library's version and its devices, for `i2t models doctor`."""
    return importlib.metadata.version("ai-edge-litert"), ("cpu",)


def _load(path: Path, threads: int) -> Interpreter:
    try:
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelCorruptError(f"{path}: LiteRT cannot load it: {error}") from error
    return interpreter


def _info(detail: dict[str, Any]) -> TensorInfo:
    shape = tuple(int(side) for side in detail["shape_signature"])
    return TensorInfo(detail["name"], shape, np.dtype(detail["dtype"]).name)


def _input_info(detail: dict[str, Any], wanted: str) -> TensorInfo:
    """Return an input with the dtype to feed: a quantized one also takes real numbers."""
    info = _info(detail)
    if wanted == "float32" and _is_quantized(detail):
        return info._replace(dtype="float32")
    return info


def _is_quantized(detail: dict[str, Any]) -> bool:
    return bool(detail["quantization"][0])


def _quantized(given: Tensor, detail: dict[str, Any]) -> Tensor:
    if given.dtype == detail["dtype"] or not _is_quantized(detail):
        return given
    scale, zero = detail["quantization"]
    limits = np.iinfo(detail["dtype"])
    steps = np.clip(np.rint(given / scale) + zero, limits.min, limits.max)
    return np.asarray(steps.astype(detail["dtype"]))


def _real(raw: Tensor, detail: dict[str, Any]) -> Tensor:
    if not _is_quantized(detail):
        return raw
    scale, zero = detail["quantization"]
    return np.asarray((raw.astype(np.float32) - np.float32(zero)) * np.float32(scale))
