"""Telling from a model file's own inputs and outputs how it is fed and read.

What the usual trainers export can be told apart: Ultralytics' YOLOv5 to YOLO26 and RT-DETR, YOLOX,
RT-DETR and D-FINE of their authors and of Hugging Face, TensorFlow's post-processed detectors.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from i2t_ros.errors import ModelMissingError
from i2t_ros.models.tensors import FileFacts
from i2t_ros.optional import needed_for

Entry = dict[str, Any]

READERS = {".onnx": ("onnxruntime", "onnxruntime"), ".tflite": ("litert", "ai-edge-litert")}
"""Ending of a file -> the backend that reads it, and the package that this needs."""

# Where a side may have any length and nothing says which, the one that these models train with.
USUAL_SIDE = 640

# TensorFlow counts classes from the background, TFLite's operator from the first real class.
TENSORFLOW = {"decoder": "tensorflow", "score_threshold": 0.5}
BY_NAME: tuple[Entry, ...] = (
    TENSORFLOW
    | {
        "outputs": [f"detection_{part}" for part in ("boxes", "classes", "scores")]
        + ["num_detections"],
        "decoder_options": {"class_offset": 0},
    },
    TENSORFLOW
    | {
        "outputs": [f"TFLite_Detection_PostProcess{end}" for end in ("", ":1", ":2", ":3")],
        "decoder_options": {"class_offset": 1},
    },
    # RT-DETR and D-FINE as their authors export them, which takes the size of the image too.
    {
        "outputs": ["labels", "boxes", "scores"],
        "decoder": "labels_boxes_scores",
        "score_threshold": 0.4,
    },
    # The same as Hugging Face exports them.
    {"outputs": ["logits", "pred_boxes"], "decoder": "query_logits", "score_threshold": 0.4},
)
"""Fields of the models that the names of their outputs tell."""
SIZE_INPUT = "orig_target_sizes"


def recognize(path: Path) -> Entry | None:
    """Return the manifest fields of the model at ``path``, without labels if it names none.

    None if it is of no family that is known here. Raises ModelCorruptError, ModelMissingError,
    BackendMissingError.
    """
    if path.suffix not in READERS:
        raise ModelMissingError(f"{path}: expected a file ending in {' or '.join(READERS)}")
    backend, package = READERS[path.suffix]
    install = f"pip install {package}, or describe the file in {path.with_suffix('.yaml')}"
    with needed_for(f"recognizing {path}", f"{install} (docs/models.md)"):
        reader = importlib.import_module(f"i2t_ros.backends.{backend}")
    return recognize_facts(reader.read_facts(path))


def recognize_facts(facts: FileFacts) -> Entry | None:
    """Return the manifest fields that follow from what a file says of itself, or None."""
    picture = _picture(facts)
    if picture is None or facts.metadata.get("task", "detect") != "detect":
        return None
    names = _class_names(facts.metadata)
    entry = _by_name(facts, picture) or _by_shape(facts, picture["format"], len(names))
    if entry is None:
        return None
    form = picture["format"] | entry.pop("format")
    if form.pop("scaled", True) and form["dtype"] == "float32":
        form["std"] = [255.0, 255.0, 255.0]
    given = picture | {"format": form} | entry.pop("input", {})
    return {"input": given} | entry | ({"labels": names} if names else {})


def _picture(facts: FileFacts) -> Entry | None:
    """Return the one input that is a batch of one picture."""
    sizes = _literal(facts.metadata, "imgsz")
    usual = sizes if isinstance(sizes, list) else (USUAL_SIDE, USUAL_SIDE)
    for name, shape, dtype in facts.inputs:
        if len(shape) == 4 and 3 in (shape[1], shape[3]):
            layout, sides = ("NCHW", shape[2:]) if shape[1] == 3 else ("NHWC", shape[1:3])
            height, width = (
                side if side > 0 else other for side, other in zip(sides, usual, strict=True)
            )
            dtype = "uint8" if dtype == "uint8" else "float32"
            form = {"width": width, "height": height, "layout": layout, "dtype": dtype}
            return {"name": name, "format": form | {"color": "rgb"}}
    return None


def _class_names(metadata: Mapping[str, str]) -> list[str]:
    """Return the names that Ultralytics writes into its exports: {0: 'person', ...}."""
    names = _literal(metadata, "names")
    if isinstance(names, dict):
        names = [names.get(i, "") for i in range(max(names, default=-1) + 1)]
    return [str(name) for name in names] if isinstance(names, list) else []


def _literal(metadata: Mapping[str, str], key: str) -> Any:
    """Return a value that Ultralytics wrote as Python would print it, or None."""
    try:
        return ast.literal_eval(metadata.get(key, "None"))
    except (ValueError, SyntaxError):
        return None


def _by_name(facts: FileFacts, picture: Entry) -> Entry | None:
    """Recognize DETRs and TensorFlow's detectors by the names of their outputs."""
    inputs, outputs = ({port.name for port in ports} for ports in (facts.inputs, facts.outputs))
    for entry in BY_NAME:
        takes_size = entry["decoder"] == "labels_boxes_scores"
        if outputs.issuperset(entry["outputs"]) and (not takes_size or SIZE_INPUT in inputs):
            size = [[picture["format"][side] for side in ("width", "height")]]
            more = {"input": {"constants": {SIZE_INPUT: size}}} if takes_size else {}
            return {"format": {"resize": "stretch"}} | entry | more
    return None


def _by_shape(facts: FileFacts, form: Entry, classes: int) -> Entry | None:
    """Recognize YOLO and Ultralytics' RT-DETR by the shape of their only output."""
    shapes = [port.shape for port in facts.outputs]
    if len(shapes) != 1 or len(shapes[0]) != 3:
        return None
    rows, columns = shapes[0][1:]
    cells = sum((form["width"] // s) * (form["height"] // s) for s in (8, 16, 32))
    entry: Entry = {"format": {"resize": "letterbox_center"}}
    if columns == 6 and 0 < rows <= 1000:
        entry["decoder"] = "yolov10"
    elif rows == cells and columns > 5:
        entry["decoder"] = "yolox"
        entry["format"] = {"resize": "letterbox", "color": "bgr", "scaled": False}
    elif classes and columns == 4 + classes:
        entry = {"format": {"resize": "stretch"}, "decoder": "queries", "score_threshold": 0.4}
    elif columns in (cells, -1) and rows > 4:
        entry["decoder"] = "yolov8"
        if form["layout"] == "NHWC":  # Ultralytics gives TensorFlow's formats fractions
            entry["decoder_options"] = {"normalized": True}
    elif rows in (3 * cells, -1) and columns > 5:
        entry["decoder"] = "yolov5"
    else:
        return None
    return entry
