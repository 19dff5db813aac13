"""LiteRT (TensorFlow Lite): .tflite files on a CPU, with quantized inputs and outputs."""

import importlib.metadata
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from i2t_ros.backends.base import Backend, BackendOptions, Tensor
from i2t_ros.backends.cores import backend_threads
from i2t_ros.backends.stderr import hold_stderr
from i2t_ros.errors import BackendUnavailableError, ModelCorruptError, ModelMismatchError
from i2t_ros.models.manifest import ModelSpec, labels_of
from i2t_ros.models.metadata import parse_value
from i2t_ros.models.tensors import FileFacts, TensorInfo, example_inputs, match_tensors

# Of what may be packed with a model.
MOST_MEMBERS = 16
MOST_BYTES = 1 << 20
_INFO = re.compile(rb"^INFO: .*\n?", re.MULTILINE)
"""A line that LiteRT writes when all is well."""


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
    """Return what a file says of itself. Raises ModelCorruptError, BackendUnavailableError.

    A quantized input of signed bytes is told as float32, which it takes, too.
    """
    model = _load(path, threads=1)
    details = model.get_input_details()
    inputs = [
        info._replace(dtype="float32") if info.dtype == "int8" and _is_quantized(detail) else info
        for info, detail in zip(_infos(details), details, strict=True)
    ]
    return FileFacts(inputs, _infos(model.get_output_details()), packed_metadata(path))


def packed_metadata(path: Path) -> dict[str, str]:
    """Return what is packed with a model: its labels as ``names``, and an exporter's metadata.

    A .tflite file may end in a zip archive: of a label map, one name a line
    (https://ai.google.dev/edge/litert/conversion/tensorflow/metadata), or of Ultralytics' metadata.
    """
    metadata: dict[str, str] = {}
    # Nothing may be packed with it, and on damaged bytes the readers of archives raise anything.
    with suppress(Exception), zipfile.ZipFile(path) as archive:
        for member in archive.infolist()[:MOST_MEMBERS]:
            if member.filename.endswith((".txt", ".json")) and member.file_size <= MOST_BYTES:
                data = archive.read(member)
                metadata = _metadata(data) or {"names": json.dumps(_label_map(data))} | metadata
    return metadata


def _metadata(data: bytes) -> dict[str, str]:
    """Return a mapping as texts; empty if it is none."""
    found = parse_value(data.decode("utf-8", "replace"))
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _label_map(data: bytes) -> list[str]:
    """Return the names of a label map, in which ??? is a hole."""
    names = labels_of(data)
    return ["" if set(name) == {"?"} else name for name in names]


def _load(path: Path, threads: int) -> Interpreter:
    try:
        with hold_stderr(_INFO):
            interpreter = Interpreter(model_path=str(path), num_threads=threads)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        said = str(error)
        if custom := re.search(r"unresolved custom op: (\S+)", said, re.IGNORECASE):
            raise BackendUnavailableError(
                f"{path} has the operator {custom[1].rstrip('.')}, which LiteRT lacks: "
                "edgetpu-custom-op is for a Coral accelerator (give the file without _edgetpu), "
                "Flex operators need TensorFlow (export with TFLITE_BUILTINS only)"
            ) from error
        raise ModelCorruptError(
            f"{path}: LiteRT cannot load it: {said}. It may be cut off or damaged: copy or "
            "download it again"
        ) from error
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
