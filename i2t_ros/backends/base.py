"""What runs a model: the base class of every backend, and what it is made from.

A backend of another package takes from here and from errors.py all that it needs of i2t_ros;
docs/models.md has one to copy.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from i2t_ros.errors import I2tError, InferenceError
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.options import Checked, option

Tensor = NDArray[Any]

CHOICES = frozenset({"url", "providers", "precision", "device"})
"""The fields of BackendOptions that only some backends heed."""
MOST_CALLS = 8
"""Most calls that a backend runs at once, and most images in one call. Each takes memory for its
layers, and with more, results wait for each other rather than come sooner."""


@dataclass(frozen=True, slots=True)
class BackendEntry:
    """Where a backend is, and what it needs.

    target      "module:Class", a subclass of Backend; imported when the backend is used
    needs       alternative Python modules, any one of which will do; empty: it needs none
    install     the commands that bring what it needs
    needs_files     whether the model's files must be on this machine
    takes_pictures  whether it is given the picture itself although the entry has a tensor's format
    choices     the fields of BackendOptions, of CHOICES, that it heeds; with "url" among them, it
                runs nothing without ``options.url``
    suffixes    endings of files that it runs, such as ".onnx": a model with such files runs on it
                by name although the model's entry does not list it
    package     the distribution it comes from; empty: i2t_ros
    """

    target: str
    needs: tuple[str, ...] = ()
    install: str = ""
    needs_files: bool = True
    takes_pictures: bool = False
    choices: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()
    package: str = ""

    def __post_init__(self) -> None:
        if unknown := sorted(self.choices - CHOICES):
            raise ValueError(f"choices: expected some of {sorted(CHOICES)}, got {unknown}")


class Backend(ABC):
    """One loaded model.

    Backends that take pixels rather than a prepared tensor (OpenCV's built-in detectors,
    jetson-inference) say so in the model's manifest entry (``input.kind: image``): their one input
    is the image, and their outputs are in its pixels.

    title        what runs the model, for messages
    version      of that; see engine()
    device       what the model really runs on, in the words of what runs it ("cpu", "cuda", "GPU")
    report       one line for logs: what runs the model, its version, and what it was found to use
    concurrency  how many threads may call infer() at once, and gain by it
    batch        how many images one call may hold, 1: only one. With more, images may be stacked
                 along the first axis of the first input, and the first axis of every output is then
                 the images'
    model        what __init__ has loaded, for run(); close() sets it to None
    """

    title: ClassVar[str]
    version: ClassVar[str] = ""
    device = "cpu"
    report = ""
    concurrency = 1
    batch = 1
    model: Any = None

    @abstractmethod
    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: "BackendOptions") -> None:
        """Load a model whose files are ``files``, in the order of ``spec.files``.

        Raises BackendError if it cannot be run as ``options`` ask, and ModelError if the files are
        not what ``spec`` promises.
        """

    @abstractmethod
    def run(self, model: Any, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Do the work of infer(); any error but those of this package becomes InferenceError."""

    @classmethod  # noqa: B027 (most backends refuse nothing)
    def check(cls, options: "BackendOptions") -> None:
        """Refuse with BackendUnavailableError what no model could have here; to be overridden.

        It is called before a model is downloaded.
        """

    @classmethod
    def engine(cls) -> tuple[str, tuple[str, ...]]:
        """Return the version and the devices that are found, for `i2t models doctor`."""
        return cls.version, (cls.device,)

    def infer(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the model once.

        ``inputs`` are in the order of the manifest entry, and so are the outputs. The caller may
        reuse the inputs' memory after the call; the outputs belong to the caller.

        Raises InferenceError if that fails or the backend is closed, and ModelMismatchError if the
        model's inputs or outputs are not those that the entry promises.
        """
        model = self.model
        if model is None:
            raise InferenceError(f"{self.title}: used after close()")
        try:
            return self.run(model, inputs)
        except I2tError:
            raise
        except Exception as error:  # the errors of these libraries have no common base class
            raise InferenceError(f"{self.title} failed: {str(error) or repr(error)}") from error

    def close(self) -> None:
        """Release the model and its memory. May be called more than once."""
        self.model = None


@dataclass(frozen=True, slots=True)
class BackendOptions(Checked):
    """What a user may say about how a model runs.

    A backend refuses a provider, precision, device or server that it does not have;
    ``backend: auto`` takes a backend that has it.
    """

    threads: int = option(
        0,
        "cores that a backend on the CPU may keep busy, both the threads of a single call and the "
        "calls at once; 0: chosen by the cores that affinity and quota leave to the process",
        bounds=(0, 256),
    )
    providers: tuple[str, ...] = option(
        (),
        "execution providers of ONNX Runtime, best first: cpu, cuda, tensorrt, openvino; empty: "
        "cuda if it is installed and starts, else cpu",
    )
    precision: str = option(
        "auto",
        "precision in which ONNX Runtime and OpenVINO compute; auto: exactly 32 bits, so that "
        "results are the same on every backend; one that a backend, provider or device does not "
        "have is refused",
        choices=("auto", "f32", "tf32", "f16", "bf16"),
    )
    device: str = option(
        "",
        "the backend's own name of a device, such as GPU (OpenVINO) or 0 (cuda); empty: its "
        "default",
    )
    url: str = option(
        "",
        "a Triton server that runs the model, such as http://host:8000 or grpc://host:8001",
        name="server_url",
    )
    timeout: float = option(
        5.0,
        "seconds that a Triton server may take for one image",
        name="server_timeout",
        bounds=(0.01, 600.0),
    )
