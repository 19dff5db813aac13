"""What runs a model: the protocol that every backend keeps, and what it is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

Tensor = NDArray[Any]


class Backend(Protocol):
    """One loaded model on one engine.

    Backends that take pixels rather than a prepared tensor (OpenCV's built-in detectors,
    jetson-inference) say so in the model's manifest entry (``input.kind: image``): their one input
    is the image and their outputs are boxes, scores and class ids in its pixels.

    device       what the model really runs on, as the engine calls it ("cpu", "cuda", "GPU")
    report       one line for logs: the engine, its version, and what it was found to use
    concurrency  how many threads may call infer() at once, and gain by it
    batch        how many images one call may hold. If it is more than 1, the first input may have
                 so many images along its first axis, and the first axis of every output is theirs
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

    threads    of an engine on the CPU; 0: as many as this process may use cores
    providers  ONNX Runtime execution providers in order of preference, short names ("cpu",
               "cuda", "tensorrt", "openvino"); empty: the best that are installed
    precision  "auto" keeps the model's own, "f32", "f16" or "bf16" ask for it
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
