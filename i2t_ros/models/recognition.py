"""Telling from a model file's own inputs and outputs how it is fed and read."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from i2t_ros.backends.registry import backends, is_installed
from i2t_ros.errors import BackendUnavailableError, ModelError
from i2t_ros.models.families import SIZE_INPUT, Reading, by_name, by_shape, of_pose
from i2t_ros.models.files import explain_ending
from i2t_ros.models.metadata import About, read_metadata
from i2t_ros.models.tensors import FileFacts, listed
from i2t_ros.optional import needed_for

Entry = dict[str, Any]

BACKENDS_FOR = {
    ".onnx": ("onnxruntime", "openvino", "triton"),
    ".tflite": ("litert",),
    ".xml": ("openvino",),
}
"""Ending of a file, in lower case -> the backends that run it."""
READERS = ("onnxruntime", "openvino", "litert")
"""Backends that tell what is in a file."""

# If a side may have any length and nothing says which, the one that these models train with.
USUAL_SIDE = 640
FED = ("float32", "float16", "uint8")

OTHER_TASKS = {"obb": "a model of rotated boxes (OBB)", "classify": "a classifier"}
EXPORT_DETECTOR = "export a detection model (Ultralytics: task=detect)"
AS_CLASSIFIER = (
    "describe it with `task: classify` and `decoder: probabilities` (or logits), and name it with "
    "classify_model"
)


def recognize(path: Path, labels: Sequence[str] = ()) -> Entry:
    """Return the manifest fields of the model at ``path``, without labels if it names none.

    labels  the class names, if the user gives them; their number tells some families apart

    Raises ModelError if it is of no family that is known here, ModelCorruptError if it cannot be
    read, BackendUnavailableError if it is too new, and BackendMissingError.
    """
    facts = read_file(path)
    try:
        return recognize_facts(facts, labels)[1]
    except ModelError as error:
        description = path.with_suffix(".yaml")
        raise ModelError(
            f"{path} is no model of the manifest, and is not recognized: {error}. If it is a "
            f"detector, describe it in {description} (docs/models.md has examples)"
        ) from error


def read_file(path: Path) -> FileFacts:
    """Return what a file says of itself; raises as recognize does."""
    names = BACKENDS_FOR.get(path.suffix.lower())
    if names is None:
        what = explain_ending(path)
        raise ModelError(
            f"{path}: expected a file ending in .onnx or .tflite, or OpenVINO's .xml"
            + (f"; {what}" if what else "")
        )
    readers = [name for name in names if name in READERS]
    usable = [name for name in readers if is_installed(name)] or readers[:1]
    instead = f"or describe the file in {path.with_suffix('.yaml')} (docs/models.md)"
    refused: list[BackendUnavailableError] = []
    for name in usable:
        with needed_for(f"recognizing {path}", f"{backends()[name].install}, {instead}"):
            reader = importlib.import_module(f"i2t_ros.backends.{name}")
        try:
            facts: FileFacts = reader.read_facts(path)
        except BackendUnavailableError as error:  # too new for this one, maybe not for the next
            refused.append(error)
        else:
            return facts
    raise refused[0]


def recognize_facts(facts: FileFacts, labels: Sequence[str] = ()) -> tuple[Reading, Entry]:
    """Return who exports such files and how they are read, and the manifest fields that follow.

    Raises ModelError, saying why not.
    """
    about = read_metadata(facts.metadata)
    if about.task not in ("", "detect", "segment", "pose"):
        what = OTHER_TASKS.get(about.task, f"for the task {about.task!r}")
        instead = AS_CLASSIFIER if about.task == "classify" else EXPORT_DETECTOR
        raise ModelError(f"its metadata say that it is {what}: {instead}")
    picture = _picture(facts, about)
    form = picture["format"]
    reading = _reading(facts, about, labels, form)
    if about.task == "segment" != reading.task:
        raise ModelError(
            "its metadata say that it is a segmentation model, and no output of it has masks "
            f"({listed(facts.outputs)}): export it whole"
        )
    form |= reading.format
    if form["dtype"] == "uint8":
        for scale in ("mean", "std"):
            form.pop(scale, None)
    if reading.decoder == "labels_boxes_scores":
        picture["constants"] = {SIZE_INPUT: [[form["width"], form["height"]]]}
    entry: Entry = {"task": reading.task, "decoder": reading.decoder, "input": picture}
    if reading.task == "pose":
        entry["labels"] = ["person"]
    if reading.outputs:
        entry["outputs"] = reading.outputs
    if reading.options:
        entry["decoder_options"] = dict(reading.options)
    if reading.score:
        entry["score_threshold"] = reading.score
    return reading, entry | ({"labels": list(about.names)} if about.names else {})


def _reading(facts: FileFacts, about: About, labels: Sequence[str], form: Entry) -> Reading:
    if pose := of_pose(facts, about, form["layout"]):
        return pose
    if about.task == "pose":
        raise ModelError(
            "its metadata say that it is a pose model, and its outputs are not those of COCO's 17 "
            f"key points of a person ({listed(facts.outputs)})"
        )
    named = by_name(facts, about, labels)
    side = form["height"], form["width"]
    found = [named] if named else by_shape(facts, about, labels, side, form["layout"])
    if len(found) > 1:
        choices = " or ".join(f"`decoder: {one.decoder}` ({one.title})" for one in found)
        raise ModelError(f"its output {listed(facts.outputs)} is ambiguous: say {choices}")
    if not found:
        raise ModelError(_why_unknown(facts, about))
    return found[0]


def _picture(facts: FileFacts, about: About) -> Entry:
    """Return the one input that is a batch of one picture. Raises ModelError."""
    usual = about.size or (USUAL_SIDE, USUAL_SIDE)
    for name, shape, dtype in facts.inputs:
        if len(shape) == 4 and 3 in (shape[1], shape[3]):
            if shape[0] not in (-1, 1):
                raise ModelError(
                    f"its input {name} {shape} takes {shape[0]} images at once, and cameras give "
                    "one at a time: export it with batch=1, or with a free batch (dynamic=True)"
                )
            if dtype not in FED:
                raise ModelError(
                    f"its input {name} is {dtype}, expected {', '.join(FED)}: export it with one "
                    "of these (Ultralytics' int8=True keeps the ends of an .onnx in float32)"
                )
            layout, sides = ("NCHW", shape[2:]) if shape[1] == 3 else ("NHWC", shape[1:3])
            height, width = (
                side if side > 0 else other for side, other in zip(sides, usual, strict=True)
            )
            form = {"width": width, "height": height, "layout": layout, "color": "rgb"}
            return {"name": name, "format": form | {"dtype": dtype}}
    raise ModelError(
        "it has no input for a color image, (1, 3, height, width) or (1, height, width, 3), but "
        f"{listed(facts.inputs)}"
    )


def _why_unknown(facts: FileFacts, about: About) -> str:
    """Return what the outputs look like, and which export works."""
    shapes = [port.shape for port in facts.outputs]
    found = f"its outputs are of no known family ({listed(facts.outputs)})"
    if about.libre:
        return f"LibreYOLO's family {about.family} is not read here: {found}"
    if {"masks", "pred_masks", "proto"} & {port.name for port in facts.outputs} or (
        sorted(map(len, shapes)) == [3, 4]
    ):
        return (
            f"it looks like a segmentation model of another family ({listed(facts.outputs)}): "
            f"{EXPORT_DETECTOR}"
        )
    if len(shapes) == 1 and len(shapes[0]) == 2:
        return f"it looks like a classifier ({listed(facts.outputs)}): {AS_CLASSIFIER}"
    if len(shapes) > 1 and all(len(shape) in (4, 5) for shape in shapes):
        return (
            f"its outputs are maps of features ({listed(facts.outputs)}): it was exported without "
            "its last step; export it whole (YOLOv7: --grid; MMYOLO: without --model-only)"
        )
    return found
