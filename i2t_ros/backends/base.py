"""What runs a model: what every backend is and has, and what it is made from.

A backend of another package takes from here and from errors.py all that it needs of i2t_ros;
docs/models.md has one to copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from i2t_ros.options import check_options, option

Tensor = NDArray[Any]

CHOICES = frozenset({"url", "providers", "precision", "device"})
"""The fields of BackendOptions that only some backends heed."""
MOST_CALLS = 8
"""Calls that are let into an engine at once, and images in one call, at the most: each takes memory
for its layers, and beyond, results wait for each other rather than come sooner."""


@dataclass(frozen=True, slots=True)
class BackendEntry:
    """Where a backend is, and what it needs.

    module      full name of the Python module, which has what BackendModule says; imported when
                the backend is used
    class_name  the class in it that makes a Backend of (spec, files, options): a ModelSpec, the
                paths of its files in the order of ``spec.files``, and BackendOptions
    needs       alternative Python modules, any one of which will do; empty: it needs none
    install     the commands that bring what it needs
    needs_files     whether the model's files must be on this machine
    needs_url       whether it runs nothing without ``options.url``
    takes_pictures  whether it is handed the picture itself although the entry has a tensor's format
    choices     the fields of BackendOptions, of CHOICES, that it heeds
    suffixes    endings of files that it runs, as ".onnx": a model with such a file runs on it by
                name although the model's entry does not list it
    package     of which distribution it comes; empty: i2t_ros
    """

    module: str
    class_name: str
    needs: tuple[str, ...] = ()
    install: str = ""
    needs_files: bool = True
    needs_url: bool = False
    takes_pictures: bool = False
    choices: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()
    package: str = ""

    def __post_init__(self) -> None:
        """Refuse choices that there are not."""
        if unknown := sorted(self.choices - CHOICES):
            raise ValueError(f"choices: expected some of {sorted(CHOICES)}, got {unknown}")


class BackendModule(Protocol):
    """What the module of a backend has, beside the class that its entry names."""

    def engine(self) -> tuple[str, tuple[str, ...]]:
        """Return the engine's version and the devices it finds, for `i2t models doctor`."""
        ...


class Backend(Protocol):
    """One loaded model on one engine.

    Backends that take pixels rather than a prepared tensor (OpenCV's built-in detectors,
    jetson-inference) say so in the model's manifest entry (``input.kind: image``): their one input
    is the image and their outputs are boxes, scores and class ids in its pixels.

    device       what the model really runs on, as the engine calls it ("cpu", "cuda", "GPU")
    report       one line for logs: the engine, its version, and what it was found to use
    concurrency  how many threads may call infer() at once, and gain by it
    batch        how many images one call may hold, 1: one only. With more, images may be stacked
                 along the first axis of the first input, and the first axis of every output is then
                 the images'
    """

    device: str
    report: str
    concurrency: int
    batch: int

    def infer(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the model once.

        ``inputs`` are in the order of the manifest entry, and so are the outputs. The caller may
        reuse the inputs' memory after the call; the outputs belong to the caller.

        Raises InferenceError if the engine fails, ModelMismatchError if the model's inputs
        or outputs are not those that the entry promises.
        """
        ...

    def close(self) -> None:
        """Release the engine and its memory. May be called more than once."""
        ...


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """What a user may say of how a model runs.

    A backend that is asked for a provider, precision, device or server that it does not have
    refuses; ``backend: auto`` takes one that has it.
    """

    threads: int = option(
        0,
        "cores that a backend on the CPU may keep busy: the threads of a call that is alone, and "
        "the calls at once; 0: chosen by the cores that affinity and quota leave to the process",
        bounds=(0, 256),
    )
    providers: tuple[str, ...] = option(
        (),
        "execution providers of ONNX Runtime, best first: cpu, cuda, tensorrt, openvino; none: "
        "cuda if it is installed and starts, else cpu",
    )
    precision: str = option(
        "auto",
        "of the arithmetic of ONNX Runtime and OpenVINO; auto: exactly 32 bits, so that results "
        "are the same on every backend; what a backend, provider or device lacks is refused",
        choices=("auto", "f32", "tf32", "f16", "bf16"),
    )
    device: str = option(
        "",
        "the backend's own name of a device, such as GPU (OpenVINO) or 0 (cuda); none: its default",
    )
    url: str = option(
        "",
        "of a Triton server that runs the model: http://host:8000 or grpc://host:8001",
        name="server_url",
    )
    timeout: float = option(
        5.0,
        "seconds that a Triton server may take for one image",
        name="server_timeout",
        bounds=(0.01, 600.0),
    )

    def __post_init__(self) -> None:
        """Raise InvalidRequestError for a number or precision that does not exist."""
        check_options(self)
