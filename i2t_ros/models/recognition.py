"""Telling from a model file's own inputs and outputs how it is fed and read.

What the usual trainers export can be told apart: Ultralytics' YOLOv5 to YOLO26 and RT-DETR, YOLOX,
RT-DETR and D-FINE of their authors and of Hugging Face, TensorFlow's post-processed detectors.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from i2t_ros.errors import ModelCorruptError, ModelMissingError
from i2t_ros.optional import needed_for


class Port(NamedTuple):
    """An input or output; a side of -1 may have any length."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a model file says of itself."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, str]


class _Picture(NamedTuple):
    """The input that takes the picture."""

    name: str
    layout: str
    width: int
    height: int
    dtype: str


Entry = dict[str, Any]

# Where a side may have any length and nothing says which, the one that these models train with.
USUAL_SIDE = 640

TENSORFLOW_OUTPUTS = (
    ("detection_boxes", "detection_classes", "detection_scores", "num_detections"),
    tuple("TFLite_Detection_PostProcess" + end for end in ("", ":1", ":2", ":3")),
)


def recognize(path: Path) -> Entry | None:
    """Return the manifest fields of the model at ``path``, without labels if it names none.

    None if it is of no family that is known here. Raises ModelCorruptError, ModelMissingError,
    BackendMissingError.
    """
    return recognize_facts(read_facts(path))


def recognize_facts(facts: FileFacts) -> Entry | None:
    """Return the manifest fields that follow from what a file says of itself, or None."""
    picture = _picture(facts)
    if picture is None or facts.metadata.get("task", "detect") != "detect":
        return None
    names = _class_names(facts.metadata)
    for family in (_tensorflow, _detr_with_size, _detr_queries, _one_output):
        entry = family(facts, picture, len(names))
        if entry:
            return entry | ({"labels": names} if names else {})
    return None


def read_facts(path: Path) -> FileFacts:
    """Return what a file says of itself, through the engine that reads its kind."""
    readers = {".onnx": _read_onnx, ".tflite": _read_tflite}
    if path.suffix not in readers:
        raise ModelMissingError(f"{path}: expected a file ending in {' or '.join(readers)}")
    return readers[path.suffix](path)


def _read_onnx(path: Path) -> FileFacts:
    with _needed_for(path, "onnxruntime"):
        import onnxruntime as ort  # noqa: PLC0415 (only a user's own file needs it here)
    settings = ort.SessionOptions()
    settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.log_severity_level = 3
    try:
        session = ort.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base
        raise ModelCorruptError(f"{path}: ONNX Runtime cannot read it: {error}") from error

    def ports(values: Sequence[Any]) -> tuple[Port, ...]:
        return tuple(
            Port(v.name, tuple(s if isinstance(s, int) else -1 for s in v.shape), v.type)
            for v in values
        )

    metadata = session.get_modelmeta().custom_metadata_map
    return FileFacts(ports(session.get_inputs()), ports(session.get_outputs()), metadata)


def _read_tflite(path: Path) -> FileFacts:
    with _needed_for(path, "ai-edge-litert"):
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 (as above)
    try:
        interpreter = Interpreter(model_path=str(path))
    except (ValueError, RuntimeError) as error:
        raise ModelCorruptError(f"{path}: LiteRT cannot read it: {error}") from error

    def ports(details: Sequence[Mapping[str, Any]]) -> tuple[Port, ...]:
        return tuple(
            Port(d["name"], tuple(int(s) for s in d["shape_signature"]), d["dtype"].__name__)
            for d in details
        )

    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    return FileFacts(ports(inputs), ports(outputs), {})


def _needed_for(path: Path, package: str) -> AbstractContextManager[None]:
    return needed_for(
        f"recognizing {path}",
        f"pip install {package}, or describe the file in {path.with_suffix('.yaml')} "
        "(docs/models.md)",
    )


def _picture(facts: FileFacts) -> _Picture | None:
    """Return the one input that is a batch of one picture."""
    sizes = _literal(facts.metadata, "imgsz")
    usual_height, usual_width = sizes if isinstance(sizes, list) else (USUAL_SIDE, USUAL_SIDE)
    for name, shape, dtype in facts.inputs:
        if len(shape) != 4 or 3 not in (shape[1], shape[3]):
            continue
        layout = "NCHW" if shape[1] == 3 else "NHWC"
        height, width = shape[2:] if layout == "NCHW" else shape[1:3]
        height, width = _known(height, usual_height), _known(width, usual_width)
        kind = "uint8" if "uint8" in dtype else "float32"
        return _Picture(name, layout, width, height, kind)
    return None


def _known(side: int, usual: int) -> int:
    return side if side > 0 else usual


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


def _input(picture: _Picture, resize: str, color: str = "rgb", scaled: bool = True) -> Entry:
    form: Entry = {
        "width": picture.width,
        "height": picture.height,
        "layout": picture.layout,
        "dtype": picture.dtype,
        "color": color,
        "resize": resize,
    }
    if scaled and picture.dtype == "float32":
        form["std"] = [255.0, 255.0, 255.0]
    return {"name": picture.name, "format": form}


def _tensorflow(facts: FileFacts, picture: _Picture, _classes: int) -> Entry | None:
    have = {port.name for port in facts.outputs}
    for outputs in TENSORFLOW_OUTPUTS:
        if have.issuperset(outputs):
            # TFLite's operator counts from the first real class, TensorFlow from the background.
            offset = 1 if outputs[0].startswith("TFLite") else 0
            return {
                "input": _input(picture, "stretch"),
                "decoder": "tensorflow",
                "decoder_options": {"class_offset": offset},
                "outputs": list(outputs),
                "score_threshold": 0.5,
            }
    return None


def _detr_with_size(facts: FileFacts, picture: _Picture, _classes: int) -> Entry | None:
    """Recognize the exports of RT-DETR's and D-FINE's authors."""
    inputs, outputs = ({port.name for port in ports} for ports in (facts.inputs, facts.outputs))
    wanted = ("labels", "boxes", "scores")
    if "orig_target_sizes" not in inputs or not outputs.issuperset(wanted):
        return None
    size = {"orig_target_sizes": [[picture.width, picture.height]]}
    return {
        "input": _input(picture, "stretch") | {"constants": size},
        "decoder": "labels_boxes_scores",
        "outputs": list(wanted),
        "score_threshold": 0.4,
    }


def _detr_queries(facts: FileFacts, picture: _Picture, _classes: int) -> Entry | None:
    """Recognize the exports of Hugging Face."""
    if not {port.name for port in facts.outputs}.issuperset({"logits", "pred_boxes"}):
        return None
    return {
        "input": _input(picture, "stretch"),
        "decoder": "query_logits",
        "outputs": ["logits", "pred_boxes"],
        "score_threshold": 0.4,
    }


def _one_output(  # noqa: PLR0911 (one per family)
    facts: FileFacts, picture: _Picture, classes: int
) -> Entry | None:
    """Recognize YOLO and Ultralytics' RT-DETR by the shape of their only output."""
    shapes = [port.shape for port in facts.outputs]
    if len(shapes) != 1 or len(shapes[0]) != 3:
        return None
    rows, columns = shapes[0][1:]
    cells = sum((picture.width // s) * (picture.height // s) for s in (8, 16, 32))
    if columns == 6 and 0 < rows <= 1000:
        return _yolo(picture, "yolov10")
    if rows == cells and columns > 5:
        return {"input": _input(picture, "letterbox", "bgr", scaled=False), "decoder": "yolox"}
    if classes and columns == 4 + classes:
        return {"input": _input(picture, "stretch"), "decoder": "queries", "score_threshold": 0.4}
    if columns in (cells, -1) and rows > 4:
        entry = _yolo(picture, "yolov8")
        if picture.layout == "NHWC":  # Ultralytics gives TensorFlow's formats fractions
            entry["decoder_options"] = {"normalized": True}
        return entry
    if rows in (3 * cells, -1) and columns > 5:
        return _yolo(picture, "yolov5")
    return None


def _yolo(picture: _Picture, decoder: str) -> Entry:
    return {"input": _input(picture, "letterbox_center"), "decoder": decoder}
