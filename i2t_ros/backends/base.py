"""What runs a model: the protocol that every backend keeps, and what it is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from i2t_ros.options import check_options, option

Tensor = NDArray[Any]

MOST_CALLS = 8
"""Calls that are let into an engine at once, and images in one call, at the most: each takes memory
for its layers, and beyond, results wait for each other rather than come sooner."""


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

        Raises InferenceError where the engine fails, ModelMismatchError where the model's inputs
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
