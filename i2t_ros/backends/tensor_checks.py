"""Comparing what a loaded model says of itself with what its manifest entry promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from i2t_ros.backends.base import Tensor
from i2t_ros.errors import ModelMismatchError
from i2t_ros.models.manifest import ModelSpec


class TensorInfo(NamedTuple):
    """An input or output of a loaded model; a side of -1 may have any length."""

    name: str
    shape: tuple[int, ...]
    dtype: str


def check_inputs(spec: ModelSpec, found: Sequence[TensorInfo]) -> list[TensorInfo]:
    """Return the model's inputs in the order of the entry: the picture, then the constants.

    Raises ModelMismatchError if the model has others.
    """
    wanted = [spec.input.name, *spec.input.constants]
    if len(wanted) != len(found):
        raise ModelMismatchError(
            f"{spec.name}: expected {len(wanted)} input(s), the model has {_listed(found)}"
        )
    by_name = {info.name: info for info in found}
    if not wanted[0] and len(found) == 1:
        wanted = [found[0].name]
    if absent := [name for name in wanted if name not in by_name]:
        raise ModelMismatchError(
            f"{spec.name}: no input named {', '.join(absent)}, the model has {_listed(found)}"
        )
    ordered = [by_name[name] for name in wanted]
    for given, info in zip(example_inputs(spec), ordered, strict=True):
        _check_tensor(spec, given, info)
    return ordered


def check_outputs(spec: ModelSpec, found: Sequence[TensorInfo]) -> list[TensorInfo]:
    """Return the model's outputs in the order in which the decoder reads them.

    Raises ModelMismatchError if their number differs, or the names are not those of the entry.
    """
    by_name = {info.name: info for info in found}
    if absent := [name for name in spec.outputs if name not in by_name]:
        raise ModelMismatchError(
            f"{spec.name}: no output named {', '.join(absent)}, the model has {_listed(found)}"
        )
    ordered = [by_name[name] for name in spec.outputs] or list(found)
    if len(ordered) != spec.output_count:
        raise ModelMismatchError(
            f"{spec.name}: decoder {spec.decoder} reads {spec.output_count} output(s), the model "
            f"has {_listed(found)}"
        )
    return ordered


def example_inputs(spec: ModelSpec) -> list[Tensor]:
    """Return inputs of the right shape and type: a tensor of zeros, then the constants."""
    form = spec.input.format
    if form is None:
        raise ValueError(f"{spec.name}: takes the picture itself, not a tensor")
    return [np.zeros(form.shape, form.dtype), *spec.input.constant_arrays()]


def _check_tensor(spec: ModelSpec, given: Tensor, info: TensorInfo) -> None:
    fits = len(given.shape) == len(info.shape) and all(
        side in (-1, own) for own, side in zip(given.shape, info.shape, strict=True)
    )
    if not fits or str(given.dtype) != info.dtype:
        raise ModelMismatchError(
            f"{spec.name}: input {info.name}: the description says {given.shape} {given.dtype}, "
            f"the model takes {info.shape} {info.dtype}"
        )


def _listed(infos: Sequence[TensorInfo]) -> str:
    return f"{len(infos)}: " + ", ".join(f"{i.name} {i.shape} {i.dtype}" for i in infos)
