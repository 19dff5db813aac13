"""Which exporter wrote a model, by the names and shapes of its outputs and by its metadata."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from i2t_ros.models.metadata import About
from i2t_ros.models.tensors import FileFacts, TensorInfo
from i2t_ros.vision.decoders.classes import background_classes

# RT-DETR's and D-FINE's authors export a model that also takes the size of the image.
SIZE_INPUT = "orig_target_sizes"

IMAGENET = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
"""Of pixels from 0 to 255, red-green-blue: torchvision's 0.485, 0.456, 0.406 and so on."""
FRACTIONS = {"std": [255.0, 255.0, 255.0]}
CENTERED = {"resize": "letterbox_center", **FRACTIONS}
STRETCHED = {"resize": "stretch", **FRACTIONS}
YOLOX_INPUT = {"resize": "letterbox", "color": "bgr"}

# LibreYOLO's families whose two outputs are those of a DETR (backends/base.py); the second ones
# were trained with ImageNet's mean and deviation.
LIBRE_DETRS = ("dfine", "deim", "deimv2", "rtdetr", "rtdetrv2", "rtdetrv4")
LIBRE_IMAGENET = ("ec", "rfdetr")


class Reading(NamedTuple):
    """How a model is fed and read.

    title    who exports such models
    decoder, outputs, options  the manifest's fields decoder, outputs and decoder_options
    format   the manifest's fields of input.format that are not the input's own
    score    score_threshold; None: that of every model
    doubt    what was assumed, and the field of the description that says otherwise
    task     that the model is for
    """

    title: str
    decoder: str
    outputs: tuple[str, ...] = ()
    options: Mapping[str, Any] = {}
    format: Mapping[str, Any] = STRETCHED
    score: float | None = None
    doubt: str = ""
    task: str = "detect"


def of_pose(facts: FileFacts, about: About, layout: str) -> Reading | None:
    """Recognize MoveNet by its shape, and Ultralytics' pose models by their metadata and shape.

    Without metadata, a model with as many classes as they have columns would look like them.
    """
    shapes = [port.shape for port in facts.outputs]
    if shapes == [(1, 1, 17, 3)]:
        form = {"resize": "letterbox_center", "pad": 0}
        return Reading("MoveNet for one person", "movenet", format=form, score=0.55, task="pose")
    if about.task != "pose" or len(shapes) != 1 or len(shapes[0]) != 3:
        return None
    options = {"normalized": True} if layout == "NHWC" else {}
    _, rows, columns = shapes[0]
    if rows == 5 + 3 * 17:
        title = "Ultralytics YOLOv8-pose or YOLO11-pose"
        return Reading(title, "yolov8_pose", options=options, format=CENTERED, task="pose")
    if columns == 6 + 3 * 17:
        title = "Ultralytics YOLO26-pose, or another pose model with suppression"
        return Reading(title, "yolo26_pose", options=options, format=CENTERED, task="pose")
    return None


def by_name(facts: FileFacts, about: About, labels: Sequence[str]) -> Reading | None:
    """Recognize those whose outputs have names of their own."""
    shapes = {port.name: port.shape for port in facts.outputs}
    names = shapes.keys()
    if {"labels", "boxes", "scores"} <= names and SIZE_INPUT in {p.name for p in facts.inputs}:
        title = "RT-DETR, D-FINE or DEIM of their authors"
        return Reading(title, "labels_boxes_scores", ("labels", "boxes", "scores"), score=0.4)
    if {"dets", "labels"} <= names <= {"dets", "labels", "masks"}:
        return _dets_labels(shapes, about, len(labels or about.names))
    for logits in ("logits", "pred_logits"):
        if names >= {logits, "pred_boxes"} and "pred_masks" not in names:
            return _query_logits(logits, shapes, about)
    prefix = next((n.removesuffix("num_predictions") for n in names if "num_predictions" in n), "")
    nas = ("num_predictions", "pred_boxes", "pred_scores", "pred_classes")
    for counted in (
        ("num_dets", "boxes", "scores", "labels"),
        ("num_dets", "det_boxes", "det_scores", "det_classes"),
        tuple(prefix + name for name in nas),  # SuperGradients merges graphs: graph2_pred_boxes
    ):
        if names >= set(counted):
            return Reading(
                "MMYOLO, YOLO-World, YOLO-NAS, or a YOLO with TensorRT's suppression",
                "num_dets",
                counted,
                format=CENTERED,
                doubt="color order (input.format.color: bgr for RTMDet and YOLOX)",
            )
    if names == {"scores", "boxes"} and _ends_in(shapes["boxes"], 4):
        return Reading(
            "YOLO-World without suppression", "boxes_scores", ("boxes", "scores"), format=CENTERED
        )
    return _tensorflow(names, labels or about.names)


def _dets_labels(shapes: Mapping[str, tuple[int, ...]], about: About, count: int) -> Reading | None:
    """Tell RF-DETR's boxes and logits from MMDeploy's boxes with scores and class ids."""
    dets, classes, masks = shapes["dets"], shapes["labels"], shapes.get("masks")
    if _ends_in(dets, 5) and len(classes) == len(dets) - 1 and masks is None:
        return Reading(
            "MMDetection (MMDeploy)",
            "dets_labels",
            ("dets", "labels"),
            format={"resize": "letterbox", **IMAGENET},
            doubt="color order, mean and deviation (input.format: color, mean, std), which are "
            "those of MMDetection's ResNets; the Normalize of its pipeline.json has the model's",
        )
    if not _ends_in(dets, 4) or len(classes) != 3:
        return None
    scaled = dict(IMAGENET)
    if about.mean and about.std:
        scaled = {"mean": list(about.mean), "std": list(about.std)}
    # Trained on N classes it has N + 1 columns; the published one counts as COCO does, 0 to 90.
    no_object = {"no_object": True} if count and classes[2] == count + 1 else {}
    form = {"resize": "stretch", **scaled}
    if masks is None:
        return Reading("RF-DETR", "query_logits", ("labels", "dets"), no_object, form, 0.4)
    outputs = ("labels", "dets", "masks")
    return Reading("RF-DETR-Seg", "query_logits", outputs, no_object, form, 0.4, task="segment")


def _query_logits(
    logits: str, shapes: Mapping[str, tuple[int, ...]], about: About
) -> Reading | None:
    """Recognize DETRs by their logits and boxes; LibreYOLO so names other outputs too."""
    if not (_ends_in(shapes["pred_boxes"], 4) and len(shapes[logits]) == 3):
        return None
    if about.libre and about.family not in LIBRE_DETRS + LIBRE_IMAGENET:
        return None
    form, doubt = STRETCHED, "pixels divided by 255 (input.format: mean, std)"
    if about.libre and about.family in LIBRE_IMAGENET:
        form, doubt = {"resize": "stretch", **IMAGENET}, ""
    title = "RT-DETR or D-FINE of Hugging Face" if logits == "logits" else "DEIM or LibreYOLO"
    return Reading(title, "query_logits", (logits, "pred_boxes"), {}, form, 0.4, doubt)


def _tensorflow(names: Collection[str], labels: Sequence[str]) -> Reading | None:
    """Recognize TensorFlow's post-processed detectors.

    TensorFlow counts classes from the background, TFLite's operator from the first real class. So
    the operator's numbers are one less than those of a list that begins with the background.
    """
    detection = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")
    operator = tuple(f"TFLite_Detection_PostProcess{end}" for end in ("", ":1", ":2", ":3"))
    background = not labels or not labels[0] or 0 in background_classes(labels)
    for outputs, offset in ((detection, 0), (operator, int(background))):
        if set(outputs).issubset(names):
            title = "TensorFlow Object Detection API"
            options = {"class_offset": offset}
            return Reading(title, "tensorflow", outputs, options, STRETCHED, 0.5)
    return None


def by_shape(
    facts: FileFacts, about: About, labels: Sequence[str], side: tuple[int, int], layout: str
) -> list[Reading]:
    """Return every family whose only output has this shape.

    side  height and width of the input
    """
    if found := _with_masks(facts, about, labels, layout):
        return [found]
    output = _only_output(facts, about)
    if output is None:
        return []
    shape = output.shape
    if len(shape) == 2 and shape[1] == 7:
        flat = output.name.endswith("flat_predictions")
        title = "YOLO-NAS (flat)" if flat else "YOLOv7 with suppression (--end2end --max-wh)"
        options = {"score_first": True} if flat else {}
        return [Reading(title, "yolov7_end2end", options=options, format=CENTERED)]
    if len(shape) != 3:
        return []
    named = (output.name,) if len(facts.outputs) > 1 else ()
    if about.libre:
        return _of_libreyolo(shape, about.family, named)
    return _of_ultralytics(shape, about.family, len(labels or about.names), named, side, layout)


def _with_masks(
    facts: FileFacts, about: About, labels: Sequence[str], layout: str
) -> Reading | None:
    """Recognize YOLOs with masks, and maps that tell the class, or its score, in each cell."""
    outputs = sorted(facts.outputs, key=lambda port: len(port.shape))
    shapes, last = [port.shape for port in outputs], layout == "NHWC"
    if [*map(len, shapes)] == [3, 4] and not about.libre:
        rows, maps = shapes
        names = outputs[0].name, outputs[1].name
        options = {"normalized": True, "channels_last": True} if last else {}
        decoder, title, number = "", "", maps[3 if last else 1]
        if rows[2] == 6 + number > 6:
            decoder, title = "yolov10", "Ultralytics YOLO26-Seg, or another with suppression"
        elif rows[1] > 4 + number and (rows[1] < rows[2] or rows[2] == -1):
            decoder, title = "yolov8", "Ultralytics YOLOv8-Seg or YOLO11-Seg"
        return Reading(title, decoder, names, options, CENTERED, task="segment") if title else None
    if len(shapes) != 1:
        return None
    (shape,), count = shapes, len(labels or about.names)
    ids = len(shape) in (3, 4) and "int" in outputs[0].dtype
    if ids or (len(shape) == 4 and count and count in (shape[1], shape[3])):
        title = "DeepLab, or another that tells the class of each pixel"
        doubt = "stretched (input.format: resize); floats are pixels divided by 255 (mean, std)"
        return Reading(title, "label_map", doubt=doubt, task="segment")
    return None


def _of_libreyolo(shape: tuple[int, ...], family: str, named: tuple[str, ...]) -> list[Reading]:
    """Recognize LibreYOLO's exports, which have an input of their own (models/*/utils.py)."""
    topleft = {**CENTERED, "resize": "letterbox"}
    if family == "yolox":
        return [Reading("YOLOX of LibreYOLO", "yolox", named, format=YOLOX_INPUT)]
    if family == "yolo9" and shape[2] == 6:
        title = "YOLOv9 of LibreYOLO, with suppression"
        return [Reading(title, "yolov10", named, format=topleft)]
    if family == "yolo9":
        return [Reading("YOLOv9 of LibreYOLO", "yolov8", named, {"corners": True}, topleft)]
    return []


def _of_ultralytics(  # noqa: PLR0913, PLR0917 (all that tells them apart)
    shape: tuple[int, ...],
    family: str,
    count: int,
    named: tuple[str, ...],
    side: tuple[int, int],
    layout: str,
) -> list[Reading]:
    """Return the YOLOs and the RT-DETR that may have a shape of (1, rows, columns).

    count  of the classes; 0: not known
    """
    rows, columns = shape[1:]
    grids = [_cells(side, strides) for strides in ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))]
    anchors = [3 * grid for grid in grids]
    # Ultralytics gives TensorFlow's formats fractions.
    options = {"normalized": True} if layout == "NHWC" else {}
    rtdetr = Reading("RT-DETR of Ultralytics", "queries", named, score=0.4)
    if family == "rtdetr":
        return [rtdetr]
    found: dict[int, Reading] = {}  # by the number of classes
    if columns == 6 and (-1 <= rows <= 1000 or family == "yolo") and rows not in anchors:
        # RT-DETR of two classes looks like this, too: then the values tell (values.py).
        title = "Ultralytics YOLOv10, YOLO26, or another with suppression"
        suppressed = Reading(title, "yolov10", named, options, CENTERED)
        if family == "yolo" or rows not in (-1, grids[0]):
            return [suppressed]
        if rows == -1:
            found[count] = suppressed
    if columns == 4 + count != 6 and count and family != "yolo" and rows not in grids:
        return [rtdetr]
    if rows == grids[0] and columns > 5:
        found[columns - 5] = Reading("YOLOX", "yolox", named, format=YOLOX_INPUT)
    if columns in (*grids, -1) and rows > 4:
        title = "Ultralytics YOLOv8, v9, v11 or v12"
        found[rows - 4] = Reading(title, "yolov8", named, options, CENTERED)
    if rows in (*anchors, -1) and columns > 5:
        yolov5 = Reading("YOLOv5 to v7", "yolov5", named, options, CENTERED)
        if columns - 5 in found:
            return [found[columns - 5], yolov5]
        found[columns - 5] = yolov5
    return [found[count]] if count in found else [*found.values()]


def _only_output(facts: FileFacts, about: About) -> TensorInfo | None:
    """Return the output that has everything: the only one, or one of a few that say the same.

    YOLOv5 and v7 add the maps that it was made from, with 5 dimensions. LibreYOLO adds ``raw``.
    YOLOv9 has an auxiliary branch, and the output of its main branch last (detect_dual.py of
    https://github.com/WongKinYiu/yolov9).
    """
    outputs = [port for port in facts.outputs if len(port.shape) != 5]
    names = [port.name for port in outputs]
    if about.libre and names == ["output", "raw"]:
        return outputs[0]
    if len(outputs) == 2 and outputs[0].shape == outputs[1].shape and len(outputs[0].shape) == 3:
        return outputs[1] if _is_dual(outputs[1].shape) else None
    return outputs[0] if len(outputs) == 1 else None


def _is_dual(shape: tuple[int, ...]) -> bool:
    """Whether the shape of two equal outputs is YOLOv9's: fewer rows than cells."""
    return shape[2] == -1 or 4 < shape[1] < shape[2]


def _cells(side: tuple[int, int], strides: Sequence[int]) -> int:
    height, width = side
    return sum((height // stride) * (width // stride) for stride in strides)


def _ends_in(shape: tuple[int, ...], length: int) -> bool:
    """Whether the last side is, or may be, of this length."""
    return bool(shape) and shape[-1] in (-1, length)
