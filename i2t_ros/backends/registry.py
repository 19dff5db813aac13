"""Engines that run the weights: a table of what there is, each imported only when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType, ModuleType

from i2t_ros.backends.base import Backend, BackendOptions
from i2t_ros.errors import BackendMissingError, BackendUnavailableError
from i2t_ros.models.manifest import ModelSpec


@dataclass(frozen=True, slots=True)
class BackendEntry:
    """Where a backend is, and what it needs.

    module, class_name  below ``i2t_ros.backends``; made with (spec, files, options)
    needs    alternative Python modules, any one of which will do
    install  the commands that bring what it needs
    needs_files  whether the model's files must be on this machine
    takes_pictures  whether it is handed the picture itself although the entry has a tensor's format
    choices  the fields of BackendOptions among url, providers, precision and device that it heeds
    """

    module: str
    class_name: str
    needs: tuple[str, ...]
    install: str
    needs_files: bool = True
    takes_pictures: bool = False
    choices: frozenset[str] = frozenset()


BACKENDS: Mapping[str, BackendEntry] = MappingProxyType(
    {
        "onnxruntime": BackendEntry(
            "onnxruntime",
            "OnnxRuntimeBackend",
            ("onnxruntime",),
            "pip install onnxruntime (on a robot: rosdep key python3-onnxruntime-pip)",
            choices=frozenset({"providers", "precision", "device"}),
        ),
        "openvino": BackendEntry(
            "openvino",
            "OpenVinoBackend",
            ("openvino",),
            'pip install "i2t_ros[openvino]"',
            choices=frozenset({"precision", "device"}),
        ),
        "litert": BackendEntry(
            "litert", "LiteRtBackend", ("ai_edge_litert",), 'pip install "i2t_ros[litert]"'
        ),
        "triton": BackendEntry(
            "triton",
            "TritonBackend",
            ("tritonclient",),
            'pip install "i2t_ros[triton]"',
            needs_files=False,
            choices=frozenset({"url"}),
        ),
        "jetson": BackendEntry(
            "jetson",
            "JetsonBackend",
            ("jetson_inference", "jetson.inference"),
            "build jetson-inference on the Jetson, https://github.com/dusty-nv/jetson-inference",
        ),
        "opencv": BackendEntry(
            "opencv", "OpenCvBackend", ("cv2",), "apt install python3-opencv opencv-data"
        ),
        "facedetectoryn": BackendEntry(
            "facedetectoryn",
            "FaceDetectorYnBackend",
            ("cv2",),
            'pip install "opencv-python-headless>=4.8,<5"',
            takes_pictures=True,
        ),
        "rapidocr": BackendEntry(
            "rapidocr", "RapidOcrBackend", ("rapidocr",), 'pip install "i2t_ros[ocr]"'
        ),
        "fake": BackendEntry("fake", "FakeBackend", (), ""),
    }
)


def is_installed(name: str) -> bool:
    """Whether what the backend needs can be found; nothing is imported."""
    needs = BACKENDS[name].needs
    return not needs or any(_can_import(module) for module in needs)


def survey(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the version of a backend's engine and the devices it finds.

    Raises BackendMissingError where it is not installed or cannot be imported.
    """
    found: tuple[str, tuple[str, ...]] = _module(name).engine()
    return found


def choose_backends(spec: ModelSpec, backend: str, options: BackendOptions) -> list[str]:
    """Return which backends to try for a model, in order; see opening.Choice for the rule.

    Raises BackendUnavailableError and BackendMissingError where there is none.
    """
    chosen = _choices(options)
    if backend != "auto":
        _check_runs(backend, spec)
        if unheeded := sorted(chosen - BACKENDS[backend].choices):
            raise BackendUnavailableError(
                f"backend {backend} has no choice of {', '.join(unheeded)}: leave it empty"
            )
        return [backend]
    willing = [name for name in spec.backends if chosen <= BACKENDS[name].choices]
    if not options.url:
        willing = [name for name in willing if name != "triton"]
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

    Raises BackendUnavailableError for an unknown backend, one that cannot run this model, or one
    that lacks what ``options`` ask for; BackendMissingError for one that is not installed;
    ModelCorruptError and ModelMismatchError for a file that is not what its entry promises.
    """
    _check_runs(name, spec)
    backend: Backend = getattr(_module(name), BACKENDS[name].class_name)(spec, files, options)
    return backend


def _module(name: str) -> ModuleType:
    if not is_installed(name):
        raise missing(name)
    try:
        return importlib.import_module(f"i2t_ros.backends.{BACKENDS[name].module}")
    except Exception as error:  # ImportError, and what a package without an extra of its own raises
        raise missing(name, str(error)) from error


def _choices(options: BackendOptions) -> set[str]:
    """Return which of the fields that only some backends heed say something."""
    names = {name for entry in BACKENDS.values() for name in entry.choices}
    default = BackendOptions()
    return {name for name in names if getattr(options, name) != getattr(default, name)}


def _check_runs(name: str, spec: ModelSpec) -> None:
    if name not in BACKENDS:
        raise BackendUnavailableError(
            f"there is no backend {name!r}; known: {', '.join(BACKENDS)}, or auto"
        )
    if name not in spec.backends:
        raise BackendUnavailableError(
            f"{spec.name} does not run on {name}; it runs on {', '.join(spec.backends)}"
        )


def missing(name: str, why: str = "not installed") -> BackendMissingError:
    """Return the error that says how to install what ``name`` needs."""
    entry = BACKENDS[name]
    wanted = " or ".join(entry.needs)
    return BackendMissingError(
        f"backend {name} needs the Python module {wanted} ({why}): {entry.install}"
    )


def _can_import(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # a parent package that is broken or absent
        return False
