"""LiteRT (TensorFlow Lite): .tflite files on a CPU, with quantized inputs and outputs."""

import importlib.metadata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from i2t_ros.backends.base import Backend, BackendOptions, Tensor
from i2t_ros.backends.cores import backend_threads
from i2t_ros.errors import ModelCorruptError, ModelMismatchError
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.models.tensors import FileFacts, TensorInfo, example_inputs, match_tensors


class LiteRtBackend(Backend):
    """One interpreter.

    Quantized outputs are returned as real numbers, ``(q - zero point) * scale``. A quantized input
    takes real numbers if the entry says float32, and pixels as they are if it says uint8.
    """

    title = "LiteRT"
    version = importlib.metadata.version("ai-edge-litert")

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        threads = backend_threads(options.threads)
        self.model = _load(files[0], threads.number)
        inputs = {detail["name"]: detail for detail in self.model.get_input_details()}
        outputs = {detail["name"]: detail for detail in self.model.get_output_details()}
        real = spec.input.format is not None and spec.input.format.dtype == "float32"
        found = [
            info._replace(dtype="float32") if real and _is_quantized(inputs[info.name]) else info
            for info in _infos(inputs.values())
        ]
        ordered, read = match_tensors(spec, found, _infos(outputs.values()))
        self._inputs = [inputs[info.name] for info in ordered]
        self._outputs = [outputs[info.name] for info in read]
        self.report = f"LiteRT {self.version} on cpu, {threads.report}"
        self.infer(example_inputs(spec))

    def run(self, model: Interpreter, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the model once; see Backend."""
        try:
            for detail, given in zip(self._inputs, inputs, strict=True):
                model.set_tensor(detail["index"], _quantized(given, detail))
        except ValueError as error:
            raise ModelMismatchError(f"LiteRT refused the inputs: {error}") from error
        model.invoke()
        return [_real(model.get_tensor(detail["index"]), detail) for detail in self._outputs]


def read_facts(path: Path) -> FileFacts:
    """Return what a file says of itself. Raises ModelCorruptError."""
    model = _load(path, threads=1)
    return FileFacts(_infos(model.get_input_details()), _infos(model.get_output_details()), {})


def _load(path: Path, threads: int) -> Interpreter:
    try:
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelCorruptError(f"{path}: LiteRT cannot load it: {error}") from error
    return interpreter


def _infos(details: Iterable[dict[str, Any]]) -> list[TensorInfo]:
    return [
        TensorInfo(
            detail["name"],
            tuple(map(int, detail["shape_signature"])),
            np.dtype(detail["dtype"]).name,
        )
        for detail in details
    ]


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
