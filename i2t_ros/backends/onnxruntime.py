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
"""Threads of a call that is alone, at most. yolox_nano on sixteen cores is no faster with sixteen
than with two, and on two cores two threads make 86 calls a second for one thread's 67; a model with
more work in a layer, such as yolox_s, may gain from more, and ``threads`` gives them."""

GPU_CALLS = {"cuda": 4, "tensorrt": 2}
"""Calls let into a GPU at once. InferenceSession.run() is safe for threads (microsoft/onnxruntime
#114). CUDA gives each call a stream of its own, so that copies of one overlap with another's layers
and small layers with each other. TensorRT holds a lock for its part of a call (#19301), so that a
second call overlaps with the copies alone. Chosen by that and not measured: more calls take more
of the GPU's memory."""

# Between the layers of a call its threads look for work for 0.2 ms before they sleep, and after it
# they sleep at once. Left to itself ONNX Runtime keeps them looking, and every core busy, until a
# camera's next frame: 43 ms of processor time a frame of yolox_nano at 30 Hz on two cores where it
# is 18 with this, for a result 1 to 2 ms sooner; and where other programs want those cores a call
# takes half as long again. Not to look at all costs 3 ms a call. Versions that lack a setting
# ignore it.
WAITING = {"session.intra_op.spin_duration_us": "200", "session.force_spinning_stop": "1"}

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(uint8)": "uint8",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
}


class OnnxRuntimeBackend:
    """A session of several threads and, on a CPU, another of one thread for calls that meet.

    In each layer, all threads of a call wait for the slowest. So a call that starts while no other
    runs has several threads, and one that starts beside another has one, its caller's. On two cores
    yolox_nano makes 86 calls a second one after the other with two threads each, 91 if two run at a
    time in that session, and 129 if they run in the other. That one is loaded when two calls first
    meet; for yolox_nano it takes 40 MB.
    """

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the first file, compare it with its entry, and run it once.

        Raises BackendUnavailableError where a provider or a precision that was asked for is not to
        be had.
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
            except Exception as error:  # its errors have no base of their own
                raise InferenceError(f"ONNX Runtime failed: {error}") from error
        if self.batch > 1:
            _check_batch(len(inputs[0]), outputs)
        return outputs

    def close(self) -> None:
        """Let go of the sessions; see Backend."""
        with self._lock:
            self._wide = self._narrow = None

    @contextmanager
    def _session(self) -> Iterator[ort.InferenceSession]:
        """Lend the session of several threads to a call that is alone, else that of one."""
        with self._lock:
            if self._wide is None:
                raise InferenceError("onnxruntime: used after close()")
            session = self._wide
            meets = self._calls and self.device == "cpu" and self.concurrency > 1
            self._calls += 1
        try:
            yield self._load_narrow(session) if meets else session
        finally:
            with self._lock:
                self._calls -= 1

    def _load_narrow(self, wide: ort.InferenceSession) -> ort.InferenceSession:
        """Return the session of one thread; the other if the file has gone, which serves too."""
        with self._loading:  # and not self._lock: the call that is met must not wait for this
            if self._narrow is None:
                try:
                    self._narrow = _load(self._file, str(self._file), [PROVIDERS["cpu"]], 1)
                except ModelCorruptError:
                    self._narrow = wide
            return self._narrow


def engine() -> tuple[str, tuple[str, ...]]:
    """Return the engine's version and the devices it finds, for `i2t models doctor`."""
    available = ort.get_available_providers()
    return ort.__version__, tuple(n for n, full in PROVIDERS.items() if full in available)


def _start(path: Path, options: BackendOptions, threads: int) -> ort.InferenceSession:
    """Return a session on the best provider that is to be had."""
    names = choose_providers(options)
    half = options.precision == "f16" and names[0] == "cuda"
    providers = [(PROVIDERS[name], provider_settings(name, options)) for name in names]
    session = _load(path, as_half(path) if half else str(path), providers, threads)
    used = _device(session)
    # It may fall back for this model, although the provider as such has started.
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
    settings.log_severity_level = 3  # errors; the rest is not for a robot's console
    try:
        return ort.InferenceSession(source, settings, providers=providers)
    except Exception as error:  # its errors have no base of their own
        raise ModelCorruptError(
            f"{path}: ONNX Runtime {ort.__version__} cannot load it: {error}"
        ) from error


def _device(session: ort.InferenceSession) -> str:
    """Return the short name of the provider in use; ONNX Runtime falls back in silence."""
    actual = str(session.get_providers()[0])
    return {full: name for name, full in PROVIDERS.items()}.get(actual, actual)


def _batch(ports: Sequence[ort.NodeArg]) -> int:
    """Return how many images a call may hold, by what the model says of its inputs and outputs.

    Exporters give a free side a name, and the same name means the same length: so an output whose
    first side is named as the input's has a row for each image. One that has all images' boxes in
    one list, as suppression inside a model makes it, has another name or none.
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
