"""A user's own model: the path of a file, recognized or described by a small YAML beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from i2t_ros.errors import ModelError, ModelMissingError
from i2t_ros.models.download import mismatch
from i2t_ros.models.manifest import ModelSpec, load_manifest, spec_from
from i2t_ros.models.recognition import recognize
from i2t_ros.validation import read_mapping

BACKENDS_FOR = {
    ".onnx": ["onnxruntime", "openvino", "triton"],
    ".tflite": ["litert"],
}


def is_path(model: str) -> bool:
    """Whether ``model`` is the path of a file rather than a name in the manifest."""
    return os.sep in model or model.endswith(tuple(BACKENDS_FOR))


def own_spec(path: Path) -> ModelSpec:
    """Return how to feed and read the file at ``path``.

    ``<path without ending>.yaml`` beside it, with fields of an entry of config/models.yaml, says
    so. What it leaves out is taken from the manifest's entry whose file this is, or from what the
    file's inputs and outputs tell. Labels may also be in ``<path without ending>.txt``.

    Raises ModelMissingError if there is no such file or nothing tells, ModelCorruptError if
    it cannot be read, ModelError for a wrong description.
    """
    if not path.is_file():
        raise ModelMissingError(f"{path}: no such file")
    description = path.with_suffix(".yaml")
    given = read_mapping(description, ModelError) if description.is_file() else {}
    if not given and (known := _known_file(path)):
        return known
    if not {"input", "decoder"} <= set(given):
        given = _recognized(path, description) | given
    entry = _defaults(path) | given | {"files": [{"name": path.name}]}
    if "labels" not in entry:
        raise ModelMissingError(
            f"{path}: nothing names its classes; write one name a line into "
            f"{path.with_suffix('.txt')}, or `labels: coco80` into {description} if it knows those"
        )
    where = str(description) if description.is_file() else str(path)
    return spec_from(path.stem, entry, where, folder=path.parent)


def _known_file(path: Path) -> ModelSpec | None:
    for spec in load_manifest().values():
        if len(spec.files) == 1 and not mismatch(spec.files[0], path):
            return spec
    return None


def _recognized(path: Path, description: Path) -> dict[str, Any]:
    entry = recognize(path)
    if entry is None:
        raise ModelMissingError(
            f"{path} is no model of the manifest, and its inputs and outputs are of no known "
            f"family; describe it in {description} (docs/models.md has examples)"
        )
    return entry


def _defaults(path: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {"task": "detect", "summary": f"the file {path.name}"}
    if path.suffix in BACKENDS_FOR:
        entry["backends"] = BACKENDS_FOR[path.suffix]
    labels = path.with_suffix(".txt")
    if labels.is_file():
        entry["labels"] = labels.name
    return entry
