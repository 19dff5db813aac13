"""Telling from a model file's own inputs and outputs how it is fed and read.

What the usual trainers export can be told apart: Ultralytics' YOLOv5 to YOLO26 and RT-DETR, YOLOX,
RT-DETR and D-FINE of their authors and of Hugging Face, TensorFlow's post-processed detectors.
"""

import ast
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from i2t_ros.backends.registry import backends
from i2t_ros.errors import ModelError
from i2t_ros.models.tensors import FileFacts
from i2t_ros.optional import needed_for

Entry = dict[str, Any]

BACKENDS_FOR = {".onnx": ("onnxruntime", "openvino", "triton"), ".tflite": ("litert",)}
"""Ending of a file -> the backends that run it; the first one also tells what is in it."""

# If a side may have any length and nothing says which, the one that these models train with.
USUAL_SIDE = 640
MOST_CLASSES = 100_000  # that metadata are believed to name

# RT-DETR's and D-FINE's authors export a model that also takes the size of the image.
SIZE_INPUT = "orig_target_sizes"

# TensorFlow counts classes from the background, TFLite's operator from the first real class.
BY_NAME: dict[tuple[str, ...], Entry] = {
    ("detection_boxes", "detection_classes", "detection_scores", "num_detections"): {
        "decoder": "tensorflow",
        "decoder_options": {"class_offset": 0},
    },
    tuple(f"TFLite_Detection_PostProcess{end}" for end in ("", ":1", ":2", ":3")): {
        "decoder": "tensorflow",
        "decoder_options": {"class_offset": 1},
    },
    ("labels", "boxes", "scores"): {"decoder": "labels_boxes_scores"},
    ("logits", "pred_boxes"): {"decoder": "query_logits"},  # Hugging Face's exports
}
"""Names of outputs -> what they tell."""

RESIZE = {"yolox": "letterbox"} | dict.fromkeys(("yolov5", "yolov8", "yolov10"), "letterbox_center")
"""Decoder -> how its models were trained; all others: stretch."""
SCORES = {"tensorflow": 0.5, "labels_boxes_scores": 0.4, "query_logits": 0.4, "queries": 0.4}
"""Decoder -> score_threshold, if not that of every model."""


def recognize(path: Path) -> Entry:
    """Return the manifest fields of the model at ``path``, without labels if it names none.

    Raises ModelError if it is of no family that is known here, ModelCorruptError if it cannot be
    read, and BackendMissingError.
    """
    description = path.with_suffix(".yaml")
    if path.suffix not in BACKENDS_FOR:
        raise ModelError(f"{path}: expected a file ending in {' or '.join(BACKENDS_FOR)}")
    backend = BACKENDS_FOR[path.suffix][0]
    instead = f"or describe the file in {description} (docs/models.md)"
    with needed_for(f"recognizing {path}", f"{backends()[backend].install}, {instead}"):
        reader = importlib.import_module(f"i2t_ros.backends.{backend}")
    entry = recognize_facts(reader.read_facts(path))
    if entry is None:
        raise ModelError(
            f"{path} is no model of the manifest, and its inputs and outputs are of no known "
            f"family; describe it in {description} (docs/models.md has examples)"
        )
    return entry


def recognize_facts(facts: FileFacts) -> Entry | None:
    """Return the manifest fields that follow from what a file says of itself, or None."""
    picture = _picture(facts)
    if picture is None or facts.metadata.get("task", "detect") != "detect":
        return None
    names = _class_names(facts.metadata)
    form = picture["format"]
    entry = _by_name(facts) or _by_shape(facts, form, len(names))
    if entry is None:
        return None
    decoder = entry["decoder"]
    form["resize"] = RESIZE.get(decoder, "stretch")
    if decoder == "yolox":
        form["color"] = "bgr"
    elif form["dtype"] == "float32":
        form["std"] = [255.0, 255.0, 255.0]
    if decoder == "labels_boxes_scores":
        picture["constants"] = {SIZE_INPUT: [[form["width"], form["height"]]]}
    entry["input"] = picture
    if decoder in SCORES:
        entry["score_threshold"] = SCORES[decoder]
    return entry | ({"labels": names} if names else {})


def _picture(facts: FileFacts) -> Entry | None:
    """Return the one input that is a batch of one picture."""
    sizes = _literal(facts.metadata, "imgsz")
    usual = sizes if isinstance(sizes, list) and len(sizes) == 2 else (USUAL_SIDE, USUAL_SIDE)
    for name, shape, dtype in facts.inputs:
        if len(shape) == 4 and 3 in (shape[1], shape[3]):
            layout, sides = ("NCHW", shape[2:]) if shape[1] == 3 else ("NHWC", shape[1:3])
            height, width = (
                side if side > 0 else other for side, other in zip(sides, usual, strict=True)
            )
            form = {"width": width, "height": height, "layout": layout, "color": "rgb"}
            form["dtype"] = "uint8" if dtype == "uint8" else "float32"
            return {"name": name, "format": form}
    return None


def _class_names(metadata: Mapping[str, str]) -> list[str]:
    """Return the names that Ultralytics writes into its exports: {0: 'person', ...}."""
    names = _literal(metadata, "names")
    if isinstance(names, dict):
        names = {int(key): name for key, name in names.items() if str(key).isdecimal()}
        names = [names.get(i, "") for i in range(min(max(names, default=-1) + 1, MOST_CLASSES))]
    return [str(name) for name in names] if isinstance(names, list) else []


def _literal(metadata: Mapping[str, str], key: str) -> Any:
    """Return a value that Ultralytics wrote as Python would print it, or None."""
    try:
        return ast.literal_eval(metadata.get(key, "None"))
    except (ValueError, SyntaxError):
        return None


def _by_name(facts: FileFacts) -> Entry | None:
    """Recognize DETRs and TensorFlow's detectors by the names of their outputs."""
    inputs, outputs = ({port.name for port in ports} for ports in (facts.inputs, facts.outputs))
    for names, entry in BY_NAME.items():
        takes_size = entry["decoder"] == "labels_boxes_scores"
        if outputs.issuperset(names) and (SIZE_INPUT in inputs or not takes_size):
            return entry | {"outputs": names}
    return None


def _by_shape(facts: FileFacts, form: Entry, classes: int) -> Entry | None:
    """Recognize YOLO and Ultralytics' RT-DETR by the shape of their only output."""
    shapes = [port.shape for port in facts.outputs]
    if len(shapes) != 1 or len(shapes[0]) != 3:
        return None
    rows, columns = shapes[0][1:]
    cells = sum((form["width"] // s) * (form["height"] // s) for s in (8, 16, 32))
    if columns == 6 and 0 < rows <= 1000:
        return {"decoder": "yolov10"}
    if rows == cells and columns > 5:
        return {"decoder": "yolox"}
    if classes and columns == 4 + classes:
        return {"decoder": "queries"}
    if columns in (cells, -1) and rows > 4:
        # Ultralytics gives TensorFlow's formats fractions.
        fractions = {"decoder_options": {"normalized": True}} if form["layout"] == "NHWC" else {}
        return {"decoder": "yolov8"} | fractions
    return {"decoder": "yolov5"} if rows in (3 * cells, -1) and columns > 5 else None
