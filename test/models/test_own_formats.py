"""More formats of users' own files: told apart by names, metadata, labels and values, or refused.

As in test_recognition.py, every model finds one dog, from (16, 8) to (48, 24) of 64 x 32.
"""

import json

import numpy as np
import pytest
from making import open_detector
from own_models import (
    CELLS,
    CENTER,
    FLOAT_NHWC,
    NAMES,
    NCHW,
    NHWC,
    YOLOV8,
    finds_the_dog,
    put,
    query_logits,
    rows,
)

from i2t_ros.errors import ModelError, ModelMismatchError
from i2t_ros.models.lookup import describe_model
from i2t_ros.models.recognition import recognize_facts
from i2t_ros.models.tensors import FileFacts, TensorInfo

pytest.importorskip("onnx", reason="onnx is not installed")

HALF = ((1, 3, 32, 64), np.float16)
CORNERS = [16, 8, 48, 24]
FRACTIONS, QUARTERS = [0.5] * 4, [0.25, 0.25, 0.75, 0.75]
INT = np.int64


def with_no_object():
    logits = np.full((1, 30, 4), -9, np.float32)
    logits[0, 5, 1] = np.log(9)
    logits[0, 6:, 3] = 5  # never read
    return logits


def of_detr():
    """Fill the first DETR's logits: nothing everywhere, but for a dog with a softmax of 0.9."""
    logits = np.zeros((1, 30, 4), np.float32)
    logits[..., 3] = 9
    logits[0, 5] = [0, np.log(27), 0, 0]
    return logits


BOXES = rows(30, 4, FRACTIONS)
ULTRALYTICS = {"description": "Ultralytics YOLO26n model", "names": "{0: 'a', 1: 'dog', 2: 'b'}"}
FORMATS = {
    "RF-DETR": ("query_logits", NCHW, {"dets": BOXES, "labels": query_logits()}),
    "RF-DETR of one's own": ("query_logits", NCHW, {"dets": BOXES, "labels": with_no_object()}),
    "DEIM": ("query_logits", NCHW, {"pred_logits": query_logits(), "pred_boxes": BOXES}),
    "boxes first": ("query_logits", NCHW, {"pred_boxes": BOXES, "pred_logits": query_logits()}),
    "DETR": ("query_logits", NCHW, {"pred_logits": of_detr(), "pred_boxes": BOXES}),
    "MMDeploy": (
        "dets_labels",
        NCHW,
        {"dets": rows(9, 5, [*CORNERS, 0.9]), "labels": np.eye(1, 9, 5, dtype=INT)},
    ),
    "MMDeploy without a batch": (
        "dets_labels",
        NCHW,
        {"dets": rows(9, 5, [*CORNERS, 0.9])[0], "labels": np.eye(1, 9, 5, dtype=INT)[0]},
    ),
    "YOLOv7 end2end": (
        "yolov7_end2end",
        NCHW,
        {"output": np.array([[0, *CORNERS, 1, 0.9], [1, *CORNERS, 0, 0.8]], np.float32)},
    ),
    "MMYOLO": (
        "num_dets",
        NCHW,
        {
            "num_dets": np.array([[1]], INT),
            "boxes": np.array([[CORNERS, CORNERS]], np.float32),
            "scores": np.array([[0.9, 0.9]], np.float32),
            "labels": np.array([[1, 2]], INT),
        },
    ),
    "EfficientNMS": (
        "num_dets",
        NCHW,
        {
            "num_dets": np.array([[1]], np.int32),
            "det_boxes": np.array([[CORNERS, CORNERS]], np.float32),
            "det_scores": np.array([[0.9, 0.9]], np.float32),
            "det_classes": np.array([[1, 2]], np.int32),
        },
    ),
    "YOLO-NAS": (
        "num_dets",
        ((1, 3, 32, 64), np.uint8),
        {
            "graph2_num_predictions": np.array([[1]], INT),
            "graph2_pred_boxes": np.array([[CORNERS, [-1] * 4]], np.float32),
            "graph2_pred_scores": np.array([[0.9, -1]], np.float32),
            "graph2_pred_classes": np.array([[1, -1]], INT),
        },
    ),
    "YOLO-NAS, flat": (
        "yolov7_end2end",
        ((1, 3, 32, 64), np.uint8),
        {"graph2_flat_predictions": np.array([[0, *CORNERS, 0.9, 1]], np.float32)},
    ),
    "YOLO-World without suppression": (
        "boxes_scores",
        NCHW,
        {"scores": rows(CELLS, 3, [0, 0.9, 0]), "boxes": rows(CELLS, 4, CORNERS)},
    ),
    "YOLOv9 with its auxiliary branch": (
        "yolov8",
        NCHW,
        {"output0": np.zeros_like(YOLOV8), "1759": YOLOV8},
    ),
    "YOLOv5 with its maps": (
        "yolov5",
        NCHW,
        {
            "output0": rows(3 * CELLS, 8, [*CENTER, 0.9, 0, 1, 0]),
            "339": np.zeros((1, 3, 4, 8, 8), np.float32),
        },
    ),
    "YOLOX with its last step": (
        "yolox",
        NCHW,
        {"output": rows(CELLS, 8, [*CENTER, 0.9, 0, 1, 0])},
    ),
    "NHWC in pixels": ("yolov8", FLOAT_NHWC, {"Identity": YOLOV8}),
    "NHWC in fractions": (
        "yolov8",
        FLOAT_NHWC,
        {"Identity": rows(CELLS, 7, [*FRACTIONS, 0, 0.9, 0]).transpose(0, 2, 1).copy()},
    ),
    "NCHW in fractions": (
        "yolov5",
        NCHW,
        {"output": rows(3 * CELLS, 8, [*FRACTIONS, 0.9, 0, 1, 0])},
    ),
    "YOLO26 in fractions": ("yolov10", NHWC, {"output0": rows(300, 6, [*QUARTERS, 0.9, 1])}),
    "float16": ("yolov8", HALF, {"output0": YOLOV8.astype(np.float16)}),
}


@pytest.mark.parametrize("case", FORMATS)
def test_a_format_is_recognized_and_read(tmp_path, case):
    decoder, inputs, outputs = FORMATS[case]
    model = put(tmp_path, inputs, outputs)
    assert describe_model(model).decoder == decoder
    assert finds_the_dog(model)


@pytest.mark.parametrize("case", ["RF-DETR of one's own", "float16", "NHWC in pixels"])
def test_openvino_reads_it_the_same_way(tmp_path, case):
    pytest.importorskip("openvino", reason="openvino is not installed")
    assert finds_the_dog(put(tmp_path, *FORMATS[case][1:]), "openvino")


LIBRE_NAMES = json.dumps(dict(enumerate(NAMES)))


@pytest.mark.parametrize(
    ("family", "outputs"),
    [
        ("rtdetr", {"pred_logits": query_logits(), "pred_boxes": BOXES}),
        ("yolo9", {"output": rows(CELLS, 7, [*CORNERS, 0, 0.9, 0]).transpose(0, 2, 1).copy()}),
        ("yolo9", {"output": rows(50, 6, [*CORNERS, 0.9, 1]), "raw": YOLOV8}),
        ("yolox", {"output": rows(CELLS, 8, [*CENTER, 0.9, 0, 1, 0])}),
    ],
)
def test_libreyolo_tells_its_family_and_names(tmp_path, family, outputs):
    metadata = {"model_family": family, "names": LIBRE_NAMES, "task": "detect", "imgsz": "64"}
    assert finds_the_dog(put(tmp_path, NCHW, outputs, [], metadata))


def test_libreyolo_gives_other_outputs_the_names_of_a_detr(tmp_path):
    outputs = {"pred_logits": rows(9, 4, CORNERS), "pred_boxes": rows(9, 4, [0, 0.9, 0, 0])}
    model = put(tmp_path, NCHW, outputs, [], {"model_family": "yolonas", "names": LIBRE_NAMES})
    with pytest.raises(ModelError, match="family yolonas is not read here"):
        describe_model(model)


def test_rf_detr_says_how_it_is_fed(tmp_path):
    own = {"class_names": NAMES, "means": [0.5, 0.5, 0.5], "stds": [0.25] * 3, "task": "detect"}
    model = put(tmp_path, *FORMATS["RF-DETR"][1:], [], {"rfdetr_inference": json.dumps(own)})
    spec = describe_model(model)
    assert spec.labels == tuple(NAMES)
    assert (spec.input.format.mean, spec.input.format.std) == ((127.5,) * 3, (63.75,) * 3)
    assert finds_the_dog(model)


def test_a_field_that_is_given_leaves_the_others_as_they_are_recognized(tmp_path):
    model = put(tmp_path, *FORMATS["MMDeploy"][1:])
    (tmp_path / "mine.yaml").write_text("input: {format: {color: bgr}}\n")
    form = describe_model(model).input.format
    assert (form.color, form.width, form.resize) == ("bgr", 64, "letterbox")


# Two shapes that several families have.

RTDETR = rows(300, 6, [*FRACTIONS, 0.1, 0.9])


@pytest.mark.parametrize(
    "metadata",
    [{"description": "Ultralytics rtdetr-l model trained on own.yaml"}, {"head": "RTDETRDecoder"}],
)
def test_rt_detr_of_two_classes_by_its_metadata(tmp_path, metadata):
    model = put(tmp_path, NCHW, {"output0": RTDETR}, ["cat", "dog"], metadata)
    assert describe_model(model).decoder == "queries"
    assert finds_the_dog(model)


@pytest.mark.parametrize("row", [[*FRACTIONS, 0.1, 0.9], [*FRACTIONS, 0.9, 0.0]])
def test_rt_detr_of_two_classes_without_metadata_is_refused(tmp_path, row):
    model = put(tmp_path, NCHW, {"output0": rows(300, 6, row)}, ["cat", "dog"])
    with pytest.raises(ModelMismatchError, match=r"RT-DETR of two classes.*`decoder: queries`"):
        open_detector(model)


def test_yolo26_of_two_classes(tmp_path):
    model = put(tmp_path, NCHW, {"output0": rows(300, 6, [*CORNERS, 0.9, 1])}, ["cat", "dog"])
    assert finds_the_dog(model)


def test_yolox_of_one_class_at_160(tmp_path):
    # Column 1, row 2 of stride 8, which has 20 x 20 cells.
    row = [16 / 8 - 1, 16 / 8 - 2, np.log(32 / 8), np.log(16 / 8), 0.9, 1]
    outputs = {"output": rows(525, 6, row, at=2 * 20 + 1)}
    model = put(tmp_path, ((1, 3, 160, 160), np.float32), outputs, ["dog"])
    assert describe_model(model).decoder == "yolox"
    found = open_detector(model).detect(np.zeros((160, 160, 3), np.uint8))
    np.testing.assert_allclose(found.boxes, [[0, 8, 32, 24]], atol=0.01)


@pytest.mark.parametrize(
    ("labels", "metadata", "decoder"),
    [
        (["dog"], {}, None),
        (["dog", "cat"], {}, "yolov10"),
        (["dog"], ULTRALYTICS, "yolov10"),
        (["dog"], {"head": "RTDETRDecoder"}, "queries"),
    ],
)
def test_what_may_be_two_families_is_refused(labels, metadata, decoder):
    free = [TensorInfo("output", (-1, -1, 6), "float32")]
    facts = FileFacts([TensorInfo("images", (-1, 3, 640, 640), "float32")], free, metadata)
    if decoder:
        assert recognize_facts(facts, labels)[0].decoder == decoder
    else:
        message = "is ambiguous: say `decoder: yolov10`.* or `decoder: yolov5`"
        with pytest.raises(ModelError, match=message):
            recognize_facts(facts, labels)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"output0": YOLOV8 * [[[1]] * 4 + [[-9]] * 3]}, "expected probabilities of 0 to 1"),
        ({"pred_logits": query_logits(), "pred_boxes": BOXES * 64}, "expected boxes in fractions"),
        (
            {"output": np.array([[0, *CORNERS, 0.9, 1]])},
            "say `decoder_options: {score_first: true}`",
        ),
        ({"output0": rows(300, 6, [*CORNERS, 0.2, 7])}, "3 labels .*expected 0 to 2, got 7 to 7"),
    ],
)
def test_values_that_do_not_fit_are_refused_when_the_model_is_loaded(tmp_path, outputs, message):
    outputs = {name: value.astype(np.float32) for name, value in outputs.items()}
    with pytest.raises(ModelMismatchError, match=message):
        open_detector(put(tmp_path, NCHW, outputs))


@pytest.mark.parametrize("labels", [["cat", "dog"], [*NAMES, "bird"]])
def test_labels_are_compared_with_the_names_in_a_file_whose_outputs_do_not_tell(tmp_path, labels):
    outputs = {"output0": rows(300, 6, [*CORNERS, 0.9, 1])}
    model = put(tmp_path, NCHW, outputs, labels, ULTRALYTICS)
    message = rf"its labels are {len(labels)}, but the file itself names 3 classes: a, dog, b;"
    with pytest.raises(ModelMismatchError, match=message):
        open_detector(model)


@pytest.mark.parametrize("names", [NAMES[:2], [*NAMES, "bird", "hare"]])
@pytest.mark.parametrize(
    "case",
    ["RF-DETR", "DEIM", "YOLO-World without suppression", "YOLOX with its last step", "float16"],
)
def test_labels_of_another_number_are_refused(tmp_path, case, names):
    if case == "RF-DETR" and len(names) == 2:
        names = NAMES[:1]  # one less is right: a column of no object
    with pytest.raises(
        ModelMismatchError, match=rf"labels are {len(names)}, but .*tells 3 classes"
    ):
        open_detector(put(tmp_path, *FORMATS[case][1:], names))
