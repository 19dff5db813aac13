"""ONNX Runtime: .onnx files on a CPU, or through an execution provider on a GPU."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from i2t_ros.backends.base import MOST_CALLS, BackendOptions, Tensor
from i2t_ros.backends.cores import backend_threads, usable_cores
from i2t_ros.backends.onnxruntime_providers import (
    PROVIDERS,
    as_half,
    choose_providers,
    computes_in,
    provider_settings,
)
from i2t_ros.backends.tensor_checks import TensorInfo, check_inputs, check_outputs, example_inputs
from i2t_ros.errors import (
    BackendUnavailableError,
    InferenceError,
    ModelCorruptError,
    ModelMismatchError,
)
from i2t_ros.models.manifest import ModelSpec

WIDE = 4
"""Most threads for a single call. yolox_nano on sixteen cores is no faster with sixteen threads
than with two; on two cores, two threads make 86 calls a second and one thread makes 67. A model
with more work per layer, such as yolox_s, may gain from more; the option ``threads`` sets them."""

GPU_CALLS = {"cuda": 4, "tensorrt": 2}
"""Calls that may run on a GPU at once. InferenceSession.run() is thread-safe (microsoft/onnxruntime
#114). CUDA gives each call its own stream, so the copies of one call overlap with the layers of
another, and small layers overlap with each other. TensorRT holds a lock for its part of a call
(#19301), so a second call overlaps only with the copies. The numbers follow from that and are not
measured; more calls take more GPU memory."""

# With these settings, threads spin for at most 0.2 ms between the layers of a call, and sleep at
# once after it. By default they spin, and keep every core busy, until the next frame of a camera.
# That costs 43 ms of CPU time for a frame of yolox_nano at 30 Hz on two cores, and 18 ms with these
# settings. By default results come 1 to 2 ms sooner, but a call takes half as long again if other
# programs want the cores. No spinning at all costs 3 ms per call. Versions that lack a setting
# ignore it.
WAITING = {"session.intra_op.spin_duration_us": "200", "session.force_spinning_stop": "1"}

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(uint8)": "uint8",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
}


class OnnxRuntimeBackend:
    """A session with several threads and, on a CPU, one with a single thread for overlapping calls.

    In each layer, all threads of a call wait for the slowest one. So a call uses several threads if
    no other call is running, and only its caller's thread otherwise. On two cores, yolox_nano makes
    86 calls a second one after the other with two threads each, 91 if two calls at a time share
    that session, and 129 if they use the session with a single thread. That one is loaded when two
    calls first overlap; for yolox_nano it takes 40 MB.
    """

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the first file, compare it with its entry, and run it once.

        Raises BackendUnavailableError if the requested provider or precision is not available.
        """
        self._file = files[0]
        threads = backend_threads(options.threads, WIDE)
        self._wide: ort.InferenceSession | None = _start(files[0], options, threads.number)
        self._narrow: ort.InferenceSession | None = None
        self._calls = 0
        self._lock, self._loading = threading.Lock(), threading.Lock()
        self.device = _device(self._wide)
        said = threads.report if self.device == "cpu" else f"precision {options.precision}"
        self.report = f"ONNX Runtime {ort.__version__} on {self.device}, {said}"
        cores = options.threads or usable_cores().number
        self.concurrency = (
            min(cores, MOST_CALLS) if self.device == "cpu" else GPU_CALLS.get(self.device, 1)
        )
        inputs, outputs = self._wide.get_inputs(), self._wide.get_outputs()
        self.batch = 1 if spec.input.constants else _batch([*inputs, *outputs])
        self._inputs = [i.name for i in check_inputs(spec, _infos(inputs))]
        self._outputs = [o.name for o in check_outputs(spec, _infos(outputs))]
        self.infer(example_inputs(spec))

    def infer(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the model once; see Backend."""
        with self._session() as session:
            try:
                given = dict(zip(self._inputs, inputs, strict=True))
                outputs = list(session.run(self._outputs, given))
            except InvalidArgument as error:
                raise ModelMismatchError(f"ONNX Runtime refused the inputs: {error}") from error
            except Exception as error:  # its errors have no common base class
                raise InferenceError(f"ONNX Runtime failed: {error}") from error
        if self.batch > 1:
            _check_batch(len(inputs[0]), outputs)
        return outputs

    def close(self) -> None:
        """Release the sessions; see Backend."""
        with self._lock:
            self._wide = self._narrow = None

    @contextmanager
    def _session(self) -> Iterator[ort.InferenceSession]:
        """Choose the session with several threads for a single call, else that with one thread."""
        with self._lock:
            if self._wide is None:
                raise InferenceError("onnxruntime: used after close()")
            session = self._wide
            overlaps = self._calls and self.device == "cpu" and self.concurrency > 1
            self._calls += 1
        try:
            yield self._load_narrow(session) if overlaps else session
        finally:
            with self._lock:
                self._calls -= 1

    def _load_narrow(self, wide: ort.InferenceSession) -> ort.InferenceSession:
        """Return the session with one thread, or the other one if the file no longer exists."""
        with self._loading:  # not self._lock: the other call must not wait for the loading
            if self._narrow is None:
                try:
                    self._narrow = _load(self._file, str(self._file), [PROVIDERS["cpu"]], 1)
                except ModelCorruptError:
                    self._narrow = wide
            return self._narrow


def engine() -> tuple[str, tuple[str, ...]]:
    """Return the library's version and its devices, for `i2t models doctor`."""
    available = ort.get_available_providers()
    return ort.__version__, tuple(n for n, full in PROVIDERS.items() if full in available)


def _start(path: Path, options: BackendOptions, threads: int) -> ort.InferenceSession:
    """Return a session on the best available provider."""
    names = choose_providers(options)
    half = options.precision == "f16" and names[0] == "cuda"
    providers = [(PROVIDERS[name], provider_settings(name, options)) for name in names]
    session = _load(path, as_half(path) if half else str(path), providers, threads)
    used = _device(session)
    # ONNX Runtime may fall back for this model although the provider itself has started.
    if used != names[0] and (options.providers or not computes_in(used, options.precision)):
        raise BackendUnavailableError(
            f"ONNX Runtime could not run {path} on the provider {names[0]} and took {used} "
            f"instead. Ask for {used} if that is good enough"
        )
    return session


def _load(
    path: Path, source: str | bytes, providers: Sequence[Any], threads: int
) -> ort.InferenceSession:
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = threads
    for key, value in WAITING.items():
        settings.add_session_config_entry(key, value)
    settings.log_severity_level = 3  # errors only
    try:
        return ort.InferenceSession(source, settings, providers=providers)
    except Exception as error:  # its errors have no common base class
        raise ModelCorruptError(
            f"{path}: ONNX Runtime {ort.__version__} cannot load it: {error}"
        ) from error


def _device(session: ort.InferenceSession) -> str:
    """Return the short name of the provider in use; ONNX Runtime falls back without a message."""
    actual = str(session.get_providers()[0])
    return {full: name for name, full in PROVIDERS.items()}.get(actual, actual)


def _batch(ports: Sequence[ort.NodeArg]) -> int:
    """Return how many images one call may hold, by the shapes of the model's inputs and outputs.

    Exporters name dynamic dimensions, and the same name means the same length. So an output whose
    first dimension has the name of the input's has a row for each image. An output with the boxes
    of all images in one list, as a model with suppression has it, has another name, or none.
    """
    first = [port.shape[0] if port.shape else None for port in ports]
    return MOST_CALLS if isinstance(first[0], str) and len(set(first)) == 1 else 1


def _check_batch(images: int, outputs: Sequence[Tensor]) -> None:
    if any(len(output) != images for output in outputs):
        shapes = [output.shape for output in outputs]
        raise ModelMismatchError(f"ONNX Runtime: {images} image(s) in, outputs of {shapes}")


def _infos(values: Sequence[ort.NodeArg]) -> list[TensorInfo]:
    return [
        TensorInfo(
            value.name,
            tuple(side if isinstance(side, int) else -1 for side in value.shape),
            _DTYPES.get(value.type, value.type),
        )
        for value in values
    ]
