"""Shapes of real exports with masks: how each is fed and read."""

import pytest

from i2t_ros.errors import ModelError
from i2t_ros.models.recognition import recognize_facts
from i2t_ros.models.tensors import FileFacts, TensorInfo

PICTURE = TensorInfo("images", (1, 3, 640, 640), "float32")
CHANNELS_LAST = TensorInfo("images", (1, 640, 640, 3), "float32")
OF_RFDETR = TensorInfo("input", (1, 3, 312, 312), "float32")
ANY = TensorInfo("images", (-1, 3, -1, -1), "float32")
OF_DEEPLAB = TensorInfo("MobilenetV2/input", (1, 513, 513, 3), "uint8")
SEGMENT = {"task": "segment", "names": "{0: 'dog', 1: 'cat'}"}


def facts(picture, outputs, metadata=None, dtype="float32"):
    ports = [TensorInfo(name, shape, dtype) for name, shape in outputs.items()]
    return FileFacts((picture,), ports, metadata or {})


REAL = {
    "YOLOv8": (
        facts(PICTURE, {"output0": (1, 116, 8400), "output1": (1, 32, 160, 160)}, SEGMENT),
        ("yolov8", ("output0", "output1"), {}, "letterbox_center"),
    ),
    "YOLO11, maps first, no metadata": (
        facts(PICTURE, {"protos": (1, 32, 160, 160), "rows": (1, 116, 8400)}),
        ("yolov8", ("rows", "protos"), {}, "letterbox_center"),
    ),
    "of any size": (
        facts(ANY, {"output0": (-1, 38, -1), "output1": (-1, 32, -1, -1)}, SEGMENT),
        ("yolov8", ("output0", "output1"), {}, "letterbox_center"),
    ),
    "TFLite": (
        facts(CHANNELS_LAST, {"a": (1, 160, 160, 32), "b": (1, 116, 8400)}, SEGMENT),
        ("yolov8", ("b", "a"), {"normalized": True, "channels_last": True}, "letterbox_center"),
    ),
    "YOLO26": (
        facts(PICTURE, {"output0": (1, 300, 38), "output1": (1, 32, 160, 160)}, SEGMENT),
        ("yolov10", ("output0", "output1"), {}, "letterbox_center"),
    ),
    "RF-DETR": (
        facts(OF_RFDETR, {"dets": (1, 100, 4), "labels": (1, 100, 91), "masks": (1, 100, 78, 78)}),
        ("query_logits", ("labels", "dets", "masks"), {}, "stretch"),
    ),
    "DeepLab": (
        facts(OF_DEEPLAB, {"ArgMax": (1, 513, 513)}, dtype="int64"),
        ("label_map", (), {}, "stretch"),
    ),
    "scores of classes": (
        facts(PICTURE, {"out": (1, 2, 160, 160)}, {"names": "['dog', 'cat']"}),
        ("label_map", (), {}, "stretch"),
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_shapes_of_real_exports(name):
    found, expected = REAL[name]
    reading, entry = recognize_facts(found)
    options = entry.get("decoder_options", {})
    resize = entry["input"]["format"]["resize"]
    assert (entry["decoder"], entry.get("outputs", ()), options, resize) == expected
    assert entry["task"] == reading.task == "segment"


def test_a_number_of_labels_tells_whether_rfdetr_has_a_column_more():
    found = REAL["RF-DETR"][0]
    assert recognize_facts(found, ["x"] * 90)[1]["decoder_options"] == {"no_object": True}
    assert recognize_facts(found, ["x"] * 90)[1]["score_threshold"] == 0.4


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"a": (1, 25200, 117), "b": (1, 32, 160, 160)}, "segmentation model of another family"),
        ({"pred_logits": (1, 9, 9), "pred_masks": (1, 9, 9, 9)}, "model of another family"),
        ({"out": (1, 2, 160, 160)}, "of no known family"),
    ],
)
def test_what_is_not_known_is_not_guessed_at(outputs, message):
    with pytest.raises(ModelError, match=message):
        recognize_facts(facts(PICTURE, outputs))
