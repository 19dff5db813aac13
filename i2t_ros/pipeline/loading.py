"""Which model and which backend a task gets: the one that was named, or the best available."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from i2t_ros.backends.base import Backend, BackendOptions
from i2t_ros.backends.registry import backends, choose_backends, load_backend
from i2t_ros.errors import (
    BackendError,
    BackendMissingError,
    BackendUnavailableError,
    ModelError,
    ModelMismatchError,
)
from i2t_ros.models.lookup import LocalModel, describe_model, find_local, obtain
from i2t_ros.models.manifest import ModelSpec, find_spec, ranked_models
from i2t_ros.options import option
from i2t_ros.types import Task


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """How models are opened, whatever their task.

    backend   what is asked of the backend
    progress  show a bar while downloading
    """

    offline: bool = option(False, "never download a model, use only what is on this machine")
    backend: BackendOptions = field(default_factory=BackendOptions)
    progress: bool = True

    def of_other_tasks(self) -> OpenOptions:
        """Return the same for tasks beside detect, whose providers and devices are their own."""
        return replace(self, backend=BackendOptions(threads=self.backend.threads))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model on a backend.

    report    one line: why it was chosen, and what runs
    degraded  whether it is a makeshift; ``report`` says what is missing
    """

    spec: ModelSpec
    backend: Backend
    backend_name: str
    report: str
    degraded: bool = False

    @property
    def name(self) -> str:
        """Model and backend, for people: "yolox_nano on onnxruntime (cpu)"."""
        return f"{self.spec.name} on {self.backend_name} ({self.backend.device})"


Ready = TypeVar("Ready")
Make = Callable[[Loaded], Ready]
"""Makes what a task uses of a loaded model; raises ModelMismatchError if that cannot be."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a user says of a task's model; see open_model."""

    task: Task
    model: str
    backend: str
    how: OpenOptions


def open_model(  # noqa: PLR0913 (one place, all of it needed)
    task: Task,
    model: str,
    make: Make[Ready],
    how: OpenOptions,
    backend: str = "auto",
    *,
    built_in: str = "",
) -> Ready:
    """Return what ``make`` makes of the chosen model.

    model     an entry of config/models.yaml, the path of a file, or auto: the best-ranked model
              that is at hand; if there is none, the best-ranked that can be downloaded; if there is
              none, ``built_in``, which counts as degraded
    backend   a name, or auto: a server if ``how.backend.url`` names one; otherwise the first of
              those that the model's entry lists that is installed and starts
    built_in  an entry that needs no file; "": there is none for this task

    What is asked for by name is used or refused, never replaced. Raises ModelError and BackendError
    as obtain and load_backend do.
    """
    choice = _Choice(task, model, backend, how)
    if choice.model != "auto":
        return _open_named(choice, make)
    failures: list[Exception] = []
    missing: list[BackendMissingError] = []  # not installed is normal, so it is reported last
    absent: list[ModelSpec] = []
    for spec in ranked_models(task):
        if choice.backend in backends() and choice.backend not in spec.backends:
            continue
        try:
            names = choose_backends(spec, choice.backend, choice.how.backend)
            local = _without_download(spec, names)
            if local:
                why = _because("the best at hand", failures)
                return _load_first(local, names, choice, make, why)
            absent.append(spec)
        except BackendMissingError as error:
            missing.append(error)
        except (ModelError, BackendError) as error:
            failures.append(error)
    if absent:  # one attempt: without a network the others would fail as slowly
        try:
            local = obtain(absent[0], offline=choice.how.offline, progress=choice.how.progress)
            names = choose_backends(absent[0], choice.backend, choice.how.backend)
            return _load_first(local, names, choice, make, _because("downloaded", failures))
        except (ModelError, BackendError) as error:
            failures.append(error)
    if not built_in:
        raise _no_model(task, failures, missing)
    failures = failures or list(missing)
    why = "; ".join(dict.fromkeys(map(str, failures)))
    why = why or f"none of the ranked models runs on {choice.backend}"
    return _open_built_in(built_in, choice, make, why)


def _because(what: str, failures: Sequence[Exception]) -> str:
    passed_over = f"; passed over: {'; '.join(map(str, failures))}" if failures else ""
    return f"model auto: {what}{passed_over}"


def _no_model(
    task: Task, failures: Sequence[Exception], missing: Sequence[BackendMissingError]
) -> Exception:
    """Return the last failure; beside it, a backend whose model may well be at hand."""
    if not failures:
        return missing[0] if missing else ModelError(f"there is no model for the task {task}")
    also = f". Or: {missing[0]}" if missing else ""
    return type(failures[-1])(f"{failures[-1]}{also}")


def _open_named(choice: _Choice, make: Make[Ready]) -> Ready:
    spec = describe_model(choice.model)
    if spec.task != choice.task:
        raise ModelMismatchError(f"{spec.name} is for the task {spec.task}, not for {choice.task}")
    names = choose_backends(spec, choice.backend, choice.how.backend)
    local = LocalModel(spec, ())
    if any(backends()[name].needs_files for name in names):
        local = obtain(spec, offline=choice.how.offline, progress=choice.how.progress)
    return _load_first(local, names, choice, make, "asked for by name")


def _open_built_in(name: str, choice: _Choice, make: Make[Ready], why: str) -> Ready:
    """Make do, unless a backend or a server was asked for by name."""
    spec = find_spec(name)
    try:
        names = choose_backends(spec, choice.backend, choice.how.backend)
    except BackendError as error:
        raise BackendUnavailableError(f"model auto: nothing runs as asked: {why}") from error
    degraded = f"DEGRADED, model auto found no trained model and took OpenCV's own detectors: {why}"
    return _load_first(LocalModel(spec, ()), names, choice, make, degraded, degraded=True)


def _without_download(spec: ModelSpec, names: Sequence[str]) -> LocalModel | None:
    if any(backends()[name].needs_files for name in names):
        return find_local(spec)
    return LocalModel(spec, ())


def _load_first(  # noqa: PLR0913 (one place, all of it needed)
    local: LocalModel,
    names: Sequence[str],
    choice: _Choice,
    make: Make[Ready],
    why: str,
    *,
    degraded: bool = False,
) -> Ready:
    """Load the model on the first of these backends that starts."""
    failures: list[BackendError] = []
    for name in names:
        try:
            backend = load_backend(name, local.spec, local.files, choice.how.backend)
        except BackendError as error:
            failures.append(error)
            continue
        passed = "".join(f"; not {names[i]}: {error}" for i, error in enumerate(failures))
        where = f" ({', '.join(map(str, local.files))})" if local.files else ""
        report = f"{why}{where}; {backend.report}{passed}"
        return make(Loaded(local.spec, backend, name, report, degraded))
    raise failures[0]
