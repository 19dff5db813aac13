"""What a model file says of its inputs and outputs, compared with its entry in the manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import ModelMismatchError
from i2t_ros.models.manifest import ModelSpec


class TensorInfo(NamedTuple):
    """An input or output of a model; a side of -1 may have any length."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Return whether an array of ``shape`` is one of these."""
        return len(shape) == len(self.shape) and all(
            own in (-1, side) for own, side in zip(self.shape, shape, strict=True)
        )


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a model file says of itself."""

    inputs: Sequence[TensorInfo]
    outputs: Sequence[TensorInfo]
    metadata: Mapping[str, str]


def match_tensors(
    spec: ModelSpec, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]
) -> tuple[list[TensorInfo], list[TensorInfo]]:
    """Return a model's inputs and outputs in the order of its entry.

    That is the picture, then the constants; and the outputs as the decoder reads them. Raises
    ModelMismatchError if the model has others.
    """
    wanted = [spec.input.name, *spec.input.constants]
    if len(wanted) != len(inputs):
        raise ModelMismatchError(
            f"{spec.name}: expected {len(wanted)} input(s), the model has {listed(inputs)}"
        )
    if not wanted[0] and len(inputs) == 1:
        wanted = [inputs[0].name]
    ordered = _in_order(spec, "input", wanted, inputs)
    for given, info in zip(example_inputs(spec), ordered, strict=True):
        if not info.fits(given.shape) or str(given.dtype) != info.dtype:
            raise ModelMismatchError(
                f"{spec.name}: input {info.name}: the entry says {given.shape} {given.dtype}, "
                f"the model takes {info.shape} {info.dtype}{_remedy(given, info)}"
            )
    read = _in_order(spec, "output", spec.outputs, outputs) or list(outputs)
    if len(read) != spec.output_count:
        raise ModelMismatchError(
            f"{spec.name}: decoder {spec.decoder} reads {spec.output_count} output(s), the model "
            f"has {listed(outputs)}"
        )
    return ordered, read


def check_shapes(inputs: Sequence[NDArray[Any]], infos: Sequence[TensorInfo], title: str) -> None:
    """Raise ModelMismatchError, beginning with ``title``, if an input has another shape."""
    for given, info in zip(inputs, infos, strict=True):
        if not info.fits(given.shape):
            raise ModelMismatchError(
                f"{title}: input {info.name} takes {info.shape}, got {given.shape}"
            )


def example_inputs(spec: ModelSpec) -> list[NDArray[Any]]:
    """Return inputs of the right shape and type: a tensor of zeros, then the constants.

    Raises ModelMismatchError for an entry that takes the picture itself.
    """
    form = spec.input.format
    if form is None:
        raise ModelMismatchError(f"{spec.name}: its entry takes the picture itself, not a tensor")
    return [np.zeros(form.shape, form.dtype), *spec.input.constant_arrays()]


def _remedy(given: NDArray[Any], info: TensorInfo) -> str:
    """Return what to do about an input of another batch or type; "" if nothing is simple."""
    if info.shape[:1] not in ((), (-1,), (1,)) and info.shape[1:] == given.shape[1:]:
        return "; export it with batch=1"
    if info.fits(given.shape) and info.dtype in ("float32", "float16", "uint8"):
        return f"; say `dtype: {info.dtype}` in input.format"
    return ""


def _in_order(
    spec: ModelSpec, kind: str, names: Sequence[str], found: Sequence[TensorInfo]
) -> list[TensorInfo]:
    by_name = {info.name: info for info in found}
    if absent := [name for name in names if name not in by_name]:
        raise ModelMismatchError(
            f"{spec.name}: no {kind} named {', '.join(absent)}, the model has {listed(found)}"
        )
    return [by_name[name] for name in names]


def listed(infos: Sequence[TensorInfo]) -> str:
    """Return inputs or outputs for people: "1: images (1, 3, 640, 640) float32"."""
    return f"{len(infos)}: " + ", ".join(f"{i.name} {i.shape} {i.dtype}" for i in infos)
