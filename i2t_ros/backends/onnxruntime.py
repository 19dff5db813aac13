"""ONNX Runtime: .onnx files on a CPU, or through an execution provider on a GPU."""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from i2t_ros.backends.base import MOST_CALLS, Backend, BackendOptions, Tensor
from i2t_ros.backends.cores import backend_threads, usable_cores
from i2t_ros.backends.onnxruntime_providers import (
    PROVIDERS,
    as_half,
    choose_providers,
    computes_in,
    provider_settings,
)
from i2t_ros.errors import BackendUnavailableError, I2tError, ModelCorruptError, ModelMismatchError
from i2t_ros.installation import how_to_install
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.models.tensors import FileFacts, TensorInfo, example_inputs, match_tensors

WIDE = 4
"""Most threads for a single call. yolox_nano on sixteen cores is no faster with sixteen threads
than with two; on two cores, two threads make 86 calls a second and one thread makes 67. A model
with more work per layer, such as yolox_s, may gain from more; the option ``threads`` sets them."""

# With these settings, threads spin for at most 0.2 ms between the layers of a call, and sleep at
# once after it. By default they spin, and keep every core busy, until the next frame of a camera.
# That costs 43 ms of CPU time for a frame of yolox_nano at 30 Hz on two cores, and 18 ms with these
# settings. By default results come 2 ms sooner, but a call takes half as long again if other
# programs want the cores. No spinning costs 2 ms per call. Versions without a setting ignore it.
WAITING = {"session.intra_op.spin_duration_us": "200", "session.force_spinning_stop": "1"}

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(uint8)": "uint8",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}


class OnnxRuntimeBackend(Backend):
    """A session with several threads and, on a CPU, one with a single thread for overlapping calls.

    In each layer, all threads of a call wait for the slowest one. So a call uses several threads if
    no other call is running, and only its caller's thread otherwise. On two cores, yolox_nano makes
    86 calls a second one after the other with two threads each, 91 if two calls at a time share
    that session, and 129 if they use the session with a single thread. That one is loaded when two
    calls first overlap; for yolox_nano it takes 40 MB.
    """

    title = "ONNX Runtime"
    version = ort.__version__

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the first file, compare it with its entry, and run it once.

        Raises BackendUnavailableError if the requested provider or precision is not available.
        """
        self._file = files[0]
        threads = backend_threads(options.threads, WIDE)
        self.model = _start(files[0], options, threads.number)
        self._narrow: ort.InferenceSession | None = None
        self._calls = 0
        self._lock, self._loading = threading.Lock(), threading.Lock()
        self.device = _device(self.model)
        if self.device == "cpu":
            self.concurrency = min(options.threads or usable_cores().number, MOST_CALLS)
            said = threads.report
        else:
            self.concurrency = PROVIDERS[self.device].calls if self.device in PROVIDERS else 1
            said = f"precision {options.precision}"
        self.report = f"ONNX Runtime {ort.__version__} on {self.device}, {said}"
        inputs, outputs = self.model.get_inputs(), self.model.get_outputs()
        self.batch = 1 if spec.input.constants else _batch([*inputs, *outputs])
        ordered, read = match_tensors(spec, _infos(inputs), _infos(outputs))
        self._inputs = [info.name for info in ordered]
        self._outputs = [info.name for info in read]
        self.infer(example_inputs(spec))

    @classmethod
    def check(cls, options: BackendOptions) -> None:
        """Refuse providers that do not start; see Backend."""
        choose_providers(options)

    @classmethod
    def engine(cls) -> tuple[str, tuple[str, ...]]:
        """Return the version and the providers; see Backend."""
        available = ort.get_available_providers()
        return cls.version, tuple(n for n, entry in PROVIDERS.items() if entry.name in available)

    def run(self, model: ort.InferenceSession, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the model once; see Backend."""
        named = dict(zip(self._inputs, inputs, strict=True))
        with self._session(model) as session:
            try:
                outputs = list(session.run(self._outputs, named))
            except InvalidArgument as error:
                raise ModelMismatchError(f"ONNX Runtime refused the inputs: {error}") from error
        if self.batch > 1 and any(len(output) != len(inputs[0]) for output in outputs):
            shapes = [output.shape for output in outputs]
            raise ModelMismatchError(
                f"ONNX Runtime: {len(inputs[0])} image(s) in, outputs of {shapes}"
            )
        return outputs

    def close(self) -> None:
        """Release both sessions; see Backend."""
        super().close()
        self._narrow = None

    @contextmanager
    def _session(self, wide: ort.InferenceSession) -> Iterator[ort.InferenceSession]:
        """Choose the session with several threads for a single call, else that with one thread."""
        with self._lock:
            overlaps = self._calls and self.device == "cpu" and self.concurrency > 1
            self._calls += 1
        try:
            yield self._load_narrow(wide) if overlaps else wide
        finally:
            with self._lock:
                self._calls -= 1

    def _load_narrow(self, wide: ort.InferenceSession) -> ort.InferenceSession:
        """Return the session with one thread, or the other one if the file no longer exists."""
        with self._loading:  # not self._lock: the other call must not wait for the loading
            if self._narrow is None:
                try:
                    self._narrow = load_session(self._file)
                except (ModelCorruptError, BackendUnavailableError):
                    self._narrow = wide
            return self._narrow


def read_facts(path: Path) -> FileFacts:
    """Return what a file says of itself. Raises ModelCorruptError, BackendUnavailableError."""
    session = load_session(path, optimize=False)
    metadata = session.get_modelmeta().custom_metadata_map
    return FileFacts(_infos(session.get_inputs()), _infos(session.get_outputs()), metadata)


def _start(path: Path, options: BackendOptions, threads: int) -> ort.InferenceSession:
    """Return a session on the best available provider."""
    names = choose_providers(options)
    half = options.precision == "f16" and names[0] == "cuda"
    providers = [(PROVIDERS[name].name, provider_settings(name, options)) for name in names]
    session = load_session(path, as_half(path) if half else None, providers, threads)
    used = _device(session)
    # ONNX Runtime may fall back for this model although the provider itself has started.
    if used != names[0] and (options.providers or not computes_in(used, options.precision)):
        raise BackendUnavailableError(
            f"ONNX Runtime could not run {path} on the provider {names[0]} and took {used} "
            f"instead. Ask for {used} if that is good enough"
        )
    return session


def load_session(
    path: Path,
    converted: bytes | None = None,
    providers: Sequence[Any] = (PROVIDERS["cpu"].name,),
    threads: int = 1,
    *,
    optimize: bool = True,
) -> ort.InferenceSession:
    """Return a session of a file, or of what it was converted to."""
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = threads
    for key, value in WAITING.items():
        settings.add_session_config_entry(key, value)
    settings.log_severity_level = 3  # errors only
    if not optimize:
        settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return ort.InferenceSession(converted or str(path), settings, providers=list(providers))
    except Exception as error:  # its errors have no common base class
        raise _refusal(path, str(error)) from error


def _refusal(path: Path, said: str) -> I2tError:
    """Return an error that says what to do about a file that ONNX Runtime refuses."""
    engine = f"ONNX Runtime {ort.__version__}"
    upgrade = how_to_install("onnxruntime", upgrade=True)
    newer = re.search(r"Unsupported model (IR) version: (\d+).*?: (\d+)", said) or re.search(
        r"(Opset) (\d+) is under development.*till opset (\d+)", said, re.DOTALL
    )
    if newer:
        what, has, most = newer.groups()
        return BackendUnavailableError(
            f"{path} is newer than {engine}: its {what.replace('Opset', 'opset')} is {has}, and "
            f"{most} is the newest that is known. Upgrade: `{upgrade}`, or "
            "export the model again with an older opset (opset=17)"
        )
    if custom := re.search(r"Fatal error: (\S+?)\(-?\d+\) is not a registered", said):
        return BackendUnavailableError(
            f"{path} has the operator {custom[1]}, which only another engine has (TRT: TensorRT): "
            "export it for ONNX Runtime, such as YOLOv7 with --max-wh 640, or without suppression"
        )
    if unknown := re.search(r"No Op registered for (\S+) with domain_version of (\d+)", said):
        return BackendUnavailableError(
            f"{path} has the operator {unknown[1]} of opset {unknown[2]}, which {engine} does not "
            f"know. Upgrade: `{upgrade}`, or export the model again"
        )
    if weights := re.search(r"External data path does not exist: \"([^\"]+)\"", said):
        return ModelCorruptError(
            f"{path}: its weights are in a second file that is not there, {weights[1]}: copy both"
        )
    said = said.rstrip(".")
    size = path.stat().st_size if path.is_file() else 0
    hint = f" The file of {size} bytes may be cut off or damaged: copy or download it again."
    return ModelCorruptError(f"{path}: {engine} cannot load it: {said}.{hint if size else ''}")


def _device(session: ort.InferenceSession) -> str:
    """Return the short name of the provider in use; ONNX Runtime falls back without a message."""
    actual = str(session.get_providers()[0])
    return next((name for name, entry in PROVIDERS.items() if entry.name == actual), actual)


def _batch(ports: Sequence[ort.NodeArg]) -> int:
    """Return how many images one call may hold, by the shapes of the model's inputs and outputs.

    Exporters name dynamic dimensions, and the same name means the same length. So an output whose
    first dimension has the name of the input's has a row for each image. An output with the boxes
    of all images in one list, as a model with suppression has it, has another name, or none.
    """
    first = [port.shape[0] if port.shape else None for port in ports]
    return MOST_CALLS if isinstance(first[0], str) and len(set(first)) == 1 else 1


def _infos(values: Sequence[ort.NodeArg]) -> list[TensorInfo]:
    return [
        TensorInfo(
            value.name,
            tuple(side if isinstance(side, int) else -1 for side in value.shape),
            _DTYPES.get(value.type, value.type),
        )
        for value in values
    ]
