"""What runs the weights: a table of the backends, each imported only when it is used.

Another distribution adds its own with an entry point of the group ``i2t_ros.backends``: the name is
the backend's, the value a BackendEntry.
"""

import importlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

from i2t_ros import optional
from i2t_ros.backends.base import CHOICES, Backend, BackendEntry, BackendOptions
from i2t_ros.errors import BackendError, BackendMissingError, BackendUnavailableError, I2tError
from i2t_ros.installation import how_to_install
from i2t_ros.models.manifest import ModelSpec

logger = logging.getLogger(__name__)

GROUP = "i2t_ros.backends"
_DEFAULT = BackendOptions()

_OWN: Mapping[str, BackendEntry] = {
    "onnxruntime": BackendEntry(
        "i2t_ros.backends.onnxruntime:OnnxRuntimeBackend",
        ("onnxruntime",),
        how_to_install("onnxruntime"),
        choices=frozenset({"providers", "precision", "device"}),
    ),
    "openvino": BackendEntry(
        "i2t_ros.backends.openvino:OpenVinoBackend",
        ("openvino",),
        how_to_install("openvino"),
        choices=frozenset({"precision", "device"}),
    ),
    "litert": BackendEntry(
        "i2t_ros.backends.litert:LiteRtBackend", ("ai_edge_litert",), how_to_install("litert")
    ),
    "triton": BackendEntry(
        "i2t_ros.backends.triton:TritonBackend",
        ("tritonclient",),
        how_to_install("triton"),
        needs_files=False,
        choices=frozenset({"url"}),
    ),
    "jetson": BackendEntry(
        "i2t_ros.backends.jetson:JetsonBackend",
        ("jetson_inference", "jetson.inference"),
        "build jetson_inference and jetson_utils on the Jetson, for its own Python: "
        "https://github.com/dusty-nv/jetson-inference",
    ),
    "opencv": BackendEntry(
        "i2t_ros.backends.opencv:OpenCvBackend",
        ("cv2",),
        how_to_install("opencv-python-headless>=4.6,<5"),
    ),
    "facedetectoryn": BackendEntry(
        "i2t_ros.backends.opencv:FaceDetectorYnBackend",
        ("cv2",),
        how_to_install("opencv-python-headless>=4.8,<5"),
        takes_pictures=True,
    ),
    "mtcnn": BackendEntry(
        "i2t_ros.backends.mtcnn:MtcnnBackend", ("onnxruntime",), how_to_install("onnxruntime")
    ),
    "rapidocr": BackendEntry(
        "i2t_ros.backends.rapidocr:RapidOcrBackend", ("rapidocr",), how_to_install("text")
    ),
    "fake": BackendEntry("i2t_ros.backends.fake:FakeBackend"),
}


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
            entry = point.load()
            if not isinstance(entry, BackendEntry):
                raise TypeError(f"{point.value}: expected an i2t_ros BackendEntry, got {entry!r}")
            found[point.name] = replace(entry, package=package)
        except Exception as error:  # whatever another package's code raises
            why = str(error) or repr(error)
            logger.warning("backend %s of %s is left out: %s", point.name, package, why)
    return found


def is_installed(name: str) -> bool:
    """Return whether what the backend needs can be found; nothing is imported."""
    needs = backends()[name].needs
    return not needs or any(map(optional.can_import, needs))


def survey(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the version of what the backend runs models with, and the devices it finds.

    Raises BackendMissingError and BackendUnavailableError as load_backend does.
    """
    with _foreign(name):
        return _class_of(name).engine()


def check_backend_options(names: Sequence[str], options: BackendOptions) -> None:
    """Raise what the first backend says if all of them refuse ``options`` for any model."""
    refusals = []
    for name in names:
        try:
            with _foreign(name):
                return _class_of(name).check(options)
        except BackendError as error:
            refusals.append(error)
    raise refusals[0]


def choose_backends(spec: ModelSpec, backend: str, options: BackendOptions) -> list[str]:
    """Return which backends to try for a model, in order; see loading.open_model for the rule.

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
    willing = [
        name
        for name in spec.backends
        if name in known
        and chosen <= known[name].choices
        and (options.url or "url" not in known[name].choices)
    ]
    if not willing:
        why = (
            f"none has a choice of {' and '.join(sorted(chosen))}" if chosen else "none is at hand"
        )
        runs_on = f"{spec.name} runs on {', '.join(spec.backends)}"
        raise BackendUnavailableError(f"{runs_on}: {why} (triton needs a server_url)")
    installed = [name for name in willing if is_installed(name)]
    if not installed:
        raise _missing(willing[0])
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
    with _foreign(name):
        return _class_of(name)(spec, files, options)


def _class_of(name: str) -> type[Backend]:
    """Import a backend, and check that it is one."""
    if not is_installed(name):
        raise _missing(name)
    entry = backends()[name]
    module, _, class_name = entry.target.partition(":")
    try:
        found = getattr(importlib.import_module(module), class_name, None)
    except Exception as error:  # ImportError, and what a broken package raises
        optional.pass_on_interrupt(error)
        raise _missing(name, str(error)) from error
    optional.pass_on_interrupt()
    if not (isinstance(found, type) and issubclass(found, Backend)):
        raise BackendUnavailableError(
            f"backend {name} of {entry.package or 'i2t_ros'}: expected {entry.target} to be a "
            f"subclass of Backend (i2t_ros/backends/base.py), got {found!r}"
        )
    return found


@contextmanager
def _foreign(name: str) -> Iterator[None]:
    """Turn whatever another package's backend raises into an error of this package."""
    try:
        yield
    except I2tError:
        raise
    except Exception as error:
        if not (package := backends()[name].package):
            raise
        raise BackendUnavailableError(f"backend {name} of {package} failed: {error!r}") from error


def check_backend(name: str) -> None:
    """Raise BackendUnavailableError if there is no backend of that name, nor is it auto."""
    if name not in ("auto", *backends()):
        raise BackendUnavailableError(
            f"there is no backend {name!r}; known: {', '.join(backends())}, or auto"
        )


def _check_runs(name: str, spec: ModelSpec) -> None:
    check_backend(name)
    known = backends()
    if name in spec.backends:
        return
    if not spec.files or not all(f.name.lower().endswith(known[name].suffixes) for f in spec.files):
        raise BackendUnavailableError(
            f"{spec.name} does not run on {name}; it runs on {', '.join(spec.backends)}"
        )


def _missing(name: str, why: str = "") -> BackendMissingError:
    """Return the error that says how to install what ``name`` needs."""
    entry = backends()[name]
    why = why or f"no module named {' or '.join(entry.needs)}"
    return optional.missing(f"backend {name}", entry.install or f"see {entry.package}", why)
