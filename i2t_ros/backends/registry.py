"""Engines that run the weights: a table of what there is, each imported only when it is used.

Another distribution adds its own with an entry point of the group ``i2t_ros.backends``: the name is
the backend's, the value a BackendEntry.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from i2t_ros import optional
from i2t_ros.backends.base import CHOICES, Backend, BackendEntry, BackendOptions
from i2t_ros.errors import BackendMissingError, BackendUnavailableError, I2tError
from i2t_ros.models.manifest import ModelSpec

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

logger = logging.getLogger(__name__)

GROUP = "i2t_ros.backends"
_DEFAULT = BackendOptions()

_OWN: Mapping[str, BackendEntry] = MappingProxyType(
    {
        "onnxruntime": BackendEntry(
            "i2t_ros.backends.onnxruntime",
            "OnnxRuntimeBackend",
            ("onnxruntime",),
            "pip install onnxruntime (on a robot: rosdep key python3-onnxruntime-pip)",
            choices=frozenset({"providers", "precision", "device"}),
        ),
        "openvino": BackendEntry(
            "i2t_ros.backends.openvino",
            "OpenVinoBackend",
            ("openvino",),
            'pip install "i2t_ros[openvino]"',
            choices=frozenset({"precision", "device"}),
        ),
        "litert": BackendEntry(
            "i2t_ros.backends.litert",
            "LiteRtBackend",
            ("ai_edge_litert",),
            'pip install "i2t_ros[litert]"',
        ),
        "triton": BackendEntry(
            "i2t_ros.backends.triton",
            "TritonBackend",
            ("tritonclient",),
            'pip install "i2t_ros[triton]"',
            needs_files=False,
            needs_url=True,
            choices=frozenset({"url"}),
        ),
        "jetson": BackendEntry(
            "i2t_ros.backends.jetson",
            "JetsonBackend",
            ("jetson_inference", "jetson.inference"),
            "build jetson-inference on the Jetson, https://github.com/dusty-nv/jetson-inference",
        ),
        "opencv": BackendEntry(
            "i2t_ros.backends.opencv",
            "OpenCvBackend",
            ("cv2",),
            "apt install python3-opencv opencv-data",
        ),
        "facedetectoryn": BackendEntry(
            "i2t_ros.backends.facedetectoryn",
            "FaceDetectorYnBackend",
            ("cv2",),
            'pip install "opencv-python-headless>=4.8,<5"',
            takes_pictures=True,
        ),
        "rapidocr": BackendEntry(
            "i2t_ros.backends.rapidocr",
            "RapidOcrBackend",
            ("rapidocr",),
            'pip install "i2t_ros[ocr]"',
        ),
        "fake": BackendEntry("i2t_ros.backends.fake", "FakeBackend", (), ""),
    }
)


@cache
def backends() -> Mapping[str, BackendEntry]:
    """Return every backend by its name: the package's own, then those of other distributions.

    One of theirs that is broken, or that has a name of ours, is left out with a warning.
    """
    found = dict(_OWN)
    for point in optional.entry_points_of(GROUP):
        package = point.dist.name if point.dist else "an unknown distribution"
        try:
            if point.name in found:
                taken = found[point.name].package or "i2t_ros"
                raise ValueError(f"{taken} has a backend of that name")
            found[point.name] = replace(_load_entry(point), package=package)
        except Exception as error:  # whatever another package's code raises
            why = str(error) or repr(error)
            logger.warning("backend %s of %s is left out: %s", point.name, package, why)
    return MappingProxyType(found)


def _load_entry(point: EntryPoint) -> BackendEntry:
    entry = point.load()
    if not isinstance(entry, BackendEntry):
        raise TypeError(f"{point.value}: expected an i2t_ros BackendEntry, got {entry!r}")
    return entry


def is_installed(name: str) -> bool:
    """Whether what the backend needs can be found; nothing is imported."""
    needs = backends()[name].needs
    return not needs or any(optional.can_import(module) for module in needs)


def survey(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the version of a backend's engine and the devices it finds.

    Raises BackendMissingError if it is not installed or cannot be imported, and
    BackendUnavailableError for a module that is not what BackendModule asks for.
    """
    module = _module(name)
    with _foreign(name):
        found: tuple[str, tuple[str, ...]] = module.engine()
        return found


def choose_backends(spec: ModelSpec, backend: str, options: BackendOptions) -> list[str]:
    """Return which backends to try for a model, in order; see loading.Choice for the rule.

    Raises BackendUnavailableError and BackendMissingError if there is none.
    """
    known = backends()
    chosen = {name for name in CHOICES if getattr(options, name) != getattr(_DEFAULT, name)}
    if backend != "auto":
        _check_runs(backend, spec)
        if unheeded := sorted(chosen - known[backend].choices):
            raise BackendUnavailableError(
                f"backend {backend} has no choice of {', '.join(unheeded)}: leave it empty"
            )
        return [backend]
    listed = [name for name in spec.backends if name in known]
    willing = [name for name in listed if chosen <= known[name].choices]
    if not options.url:
        willing = [name for name in willing if not known[name].needs_url]
    if not willing:
        raise BackendUnavailableError(
            f"no backend that runs {spec.name} ({', '.join(spec.backends)}) has a choice of "
            f"{' and '.join(sorted(chosen)) or 'itself without a url'}"
        )
    installed = [name for name in willing if is_installed(name)]
    if not installed:
        raise missing(willing[0])
    return installed


def load_backend(
    name: str, spec: ModelSpec, files: Sequence[Path], options: BackendOptions
) -> Backend:
    """Return the model ``spec``, whose files are ``files``, loaded on the backend ``name``.

    Raises BackendUnavailableError for an unknown backend, one that cannot run this model, one that
    lacks what ``options`` ask for, or one of another package that is not what base.py asks for;
    BackendMissingError for one that is not installed; ModelCorruptError and ModelMismatchError for
    a file that is not what its entry promises.
    """
    _check_runs(name, spec)
    module = _module(name)
    with _foreign(name):
        backend: Backend = getattr(module, backends()[name].class_name)(spec, files, options)
    parts = ("device", "report", "concurrency", "batch", "infer", "close")
    _check_has(name, backend, [part for part in parts if not hasattr(backend, part)])
    return backend


def _module(name: str) -> Any:
    """Import a backend's module, and check that it has what BackendModule says."""
    if not is_installed(name):
        raise missing(name)
    entry = backends()[name]
    try:
        module = importlib.import_module(entry.module)
    except Exception as error:  # ImportError, and what a broken package raises
        raise missing(name, str(error)) from error
    parts = ("engine", entry.class_name)
    _check_has(name, module, [part for part in parts if not callable(getattr(module, part, None))])
    return module


def _check_has(name: str, thing: object, absent: Sequence[str]) -> None:
    if absent:
        raise BackendUnavailableError(
            f"backend {name} of {backends()[name].package or 'i2t_ros'}: {thing!r} has no "
            f"{', '.join(absent)}; i2t_ros/backends/base.py says what a backend has"
        )


@contextmanager
def _foreign(name: str) -> Iterator[None]:
    """Make an error of this package of whatever another package's backend raises."""
    try:
        yield
    except I2tError:
        raise
    except Exception as error:
        if not (package := backends()[name].package):
            raise
        raise BackendUnavailableError(f"backend {name} of {package} failed: {error!r}") from error


def _check_runs(name: str, spec: ModelSpec) -> None:
    known = backends()
    if name not in known:
        raise BackendUnavailableError(
            f"there is no backend {name!r}; known: {', '.join(known)}, or auto"
        )
    if name not in spec.backends and not _reads(known[name], spec):
        raise BackendUnavailableError(
            f"{spec.name} does not run on {name}; it runs on {', '.join(spec.backends)}"
        )


def _reads(entry: BackendEntry, spec: ModelSpec) -> bool:
    return bool(spec.files) and all(file.name.endswith(entry.suffixes) for file in spec.files)


def missing(name: str, why: str = "") -> BackendMissingError:
    """Return the error that says how to install what ``name`` needs."""
    entry = backends()[name]
    why = why or f"no module named {' or '.join(entry.needs)}"
    return optional.missing(f"backend {name}", entry.install or f"see {entry.package}", why)
