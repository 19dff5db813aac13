"""ONNX Runtime: .onnx files on a CPU, or through an execution provider on a GPU."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from i2t_ros.backends.base import BackendOptions, Tensor
from i2t_ros.backends.check import TensorInfo, check_inputs, check_outputs, example_inputs
from i2t_ros.errors import (
    BackendUnavailableError,
    InferenceError,
    ModelCorruptError,
    ModelMismatchError,
)
from i2t_ros.models.manifest import ModelSpec

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}

# What each provider calls the device it runs on.
DEVICE_SETTING = {"cuda": "device_id", "tensorrt": "device_id", "openvino": "device_type"}

# TensorRT compiles for minutes at the first start, so it is used only where it is asked for.
AUTOMATIC = ("cuda", "cpu")

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
    """One session with every thread, and for two calls at once one more with half of them.

    The end of each layer is waited for by all threads of a call. Where something else needs the
    cores too, such as another request's decoding and encoding, two calls with half the threads each
    lose less: on two cores 120 requests a second, 100 with two calls in one session, 70 one after
    the other. The second session is loaded when two calls first meet; for yolox_nano it takes
    40 MB.
    """

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the first file, compare it with its entry, and run it once.

        Raises BackendUnavailableError where a provider that was asked for is not to be had.
        """
        threads = options.threads or len(os.sched_getaffinity(0))
        self._load = partial(_load, files[0], _providers(options))
        session = self._load(threads)
        self.device = _used(session, options.providers)
        self.report = f"ONNX Runtime {ort.__version__} on {self.device}, threads: {threads}"
        self.concurrency = min(2, threads) if self.device == "cpu" else 1
        self.batch = 1
        self._inputs = [i.name for i in check_inputs(spec, _infos(session.get_inputs()))]
        self._outputs = [o.name for o in check_outputs(spec, _infos(session.get_outputs()))]
        self._threads = threads
        self._sessions = [session]
        self._calls = 0
        self._lock = threading.Lock()
        self.infer(example_inputs(spec))

    def infer(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the model once; see Backend."""
        with self._session() as session:
            try:
                given = dict(zip(self._inputs, inputs, strict=True))
                return list(session.run(self._outputs, given))
            except InvalidArgument as error:
                raise ModelMismatchError(f"ONNX Runtime refused the inputs: {error}") from error
            except Exception as error:  # its errors have no base of their own
                raise InferenceError(f"ONNX Runtime failed: {error}") from error

    def close(self) -> None:
        """Let go of the sessions; see Backend."""
        with self._lock:
            self._sessions = []

    @contextmanager
    def _session(self) -> Iterator[ort.InferenceSession]:
        """Lend the session of all threads to a call that is alone, else that of half of them."""
        with self._lock:
            if not self._sessions:
                raise InferenceError("onnxruntime: used after close()")
            if self._calls and self.concurrency > 1 and len(self._sessions) == 1:
                with suppress(ModelCorruptError):  # the file may have gone; one session serves too
                    self._sessions.append(self._load(self._threads // 2))
            session = self._sessions[-1 if self._calls else 0]
            self._calls += 1
        try:
            yield session
        finally:
            with self._lock:
                self._calls -= 1


def engine() -> tuple[str, tuple[str, ...]]:
    """Return the engine's version and the devices it finds, for `i2t models doctor`."""
    available = ort.get_available_providers()
    return ort.__version__, tuple(n for n, full in PROVIDERS.items() if full in available)


def _providers(options: BackendOptions) -> list[tuple[str, dict[str, str]]]:
    """Return the providers to ask for and their settings, checked against those there are."""
    wanted, available = options.providers, ort.get_available_providers()
    if unknown := [name for name in wanted if name not in PROVIDERS]:
        raise BackendUnavailableError(
            f"ONNX Runtime: unknown provider {', '.join(unknown)}; known: {', '.join(PROVIDERS)}"
        )
    if absent := [name for name in wanted if PROVIDERS[name] not in available]:
        there = [name for name, full in PROVIDERS.items() if full in available]
        raise BackendUnavailableError(
            f"this build of ONNX Runtime has no provider {', '.join(absent)}, only "
            f"{', '.join(there)}; onnxruntime-gpu brings cuda and tensorrt, onnxruntime-openvino "
            "brings openvino"
        )
    names = [name for name in wanted or AUTOMATIC if PROVIDERS[name] in available]
    if options.device and not set(names) & set(DEVICE_SETTING):
        raise BackendUnavailableError(
            f"ONNX Runtime on {', '.join(names)} has no choice of device, got {options.device!r}"
        )
    return [
        (
            PROVIDERS[name],
            {DEVICE_SETTING[name]: options.device}
            if options.device and name in DEVICE_SETTING
            else {},
        )
        for name in names
    ]


def _load(
    path: Path, providers: list[tuple[str, dict[str, str]]], threads: int
) -> ort.InferenceSession:
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = threads
    for key, value in WAITING.items():
        settings.add_session_config_entry(key, value)
    settings.log_severity_level = 3  # errors; the rest is not for a robot's console
    try:
        return ort.InferenceSession(str(path), settings, providers=providers)
    except Exception as error:  # its errors have no base of their own
        raise ModelCorruptError(
            f"{path}: ONNX Runtime {ort.__version__} cannot load it: {error}"
        ) from error


def _used(session: ort.InferenceSession, wanted: Sequence[str]) -> str:
    """Return the short name of the provider in use; ONNX Runtime falls back in silence."""
    actual = str(session.get_providers()[0])
    short = {full: name for name, full in PROVIDERS.items()}.get(actual, actual)
    if wanted and short != wanted[0]:
        raise BackendUnavailableError(
            f"ONNX Runtime could not start the provider {wanted[0]} and took {short} instead: "
            f"its libraries or its device are missing. Ask for {short} if that is good enough"
        )
    return short


def _infos(values: Sequence[ort.NodeArg]) -> list[TensorInfo]:
    return [
        TensorInfo(
            value.name,
            tuple(side if isinstance(side, int) else -1 for side in value.shape),
            _DTYPES.get(value.type, value.type),
        )
        for value in values
    ]
