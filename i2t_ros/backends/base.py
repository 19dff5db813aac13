"""What runs a model: the protocol that every backend keeps, and what it is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

Tensor = NDArray[Any]

PRECISION_CHOICES = ("auto", "f32", "tf32", "f16", "bf16")
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

    A backend that is asked for a choice of provider, precision, device or url that it does not have
    refuses; ``backend: auto`` takes one that has it.

    threads    cores that an engine on the CPU may keep busy; 0: as many as it makes use of of those
               that this process may use (see cores.py)
    providers  ONNX Runtime execution providers in order of preference, short names ("cpu",
               "cuda", "tensorrt", "openvino"); empty: the best that are installed
    precision  of the arithmetic, one of PRECISION_CHOICES: "auto" and "f32" keep 32 bits, also
               where the engine would round by itself; the others ask for less
    device     the engine's own name for a device ("CPU", "GPU", "0"); empty: its default
    url        of a remote server (``host:port``, ``http://`` or ``grpc://``)
    timeout    seconds that one inference on a remote server may take
    """

    threads: int = 0
    providers: tuple[str, ...] = ()
    precision: str = "auto"
    device: str = ""
    url: str = ""
    timeout: float = 5.0
