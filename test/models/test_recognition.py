"""A user's own files: each family is told from its inputs and outputs, and read rightly.

Every model here finds one dog, from (16, 8) to (48, 24) in its input of 64 x 32.
"""

import numpy as np
import pytest
import tiny_models
import yaml
from making import open_detector
from own_models import CELLS, CENTER, NAMES, NCHW, NHWC, finds_the_dog, query_logits, rows

from i2t_ros.errors import ModelCorruptError, ModelError, ModelMismatchError
from i2t_ros.models import manifest
from i2t_ros.models.lookup import describe_model
from i2t_ros.models.recognition import recognize_facts
from i2t_ros.models.tensors import FileFacts, TensorInfo

pytest.importorskip("onnx", reason="onnx is not installed")

ULTRALYTICS = {"names": "{0: 'person', 1: 'dog', 2: 'cat'}", "imgsz": "[32, 64]", "task": "detect"}


def yolox_output():
    # The cell at column 3, row 1 of stride 16: x = (v + 3) * 16, width = exp(v) * 16.
    row = [32 / 16 - 3, 16 / 16 - 1, np.log(32 / 16), np.log(16 / 16), 0.9, 0.0, 1.0, 0.0]
    return rows(CELLS, 8, row, at=32 + 1 * 4 + 3)


def nanodet_outputs():
    """Fill the same cell; its center is (3 * 16 + 7.5, 1 * 16 + 7.5) = (55.5, 23.5)."""
    outputs = {}
    for stride, cells in ((8, 32), (16, 8), (32, 2)):
        outputs[f"cls_{stride}"] = np.zeros((1, cells, 3), np.float32)
        outputs[f"dis_{stride}"] = np.zeros((1, cells, 32), np.float32)
    outputs["cls_16"][0, 7] = [0, 0.9, 0]
    for side, distance in enumerate([39.5 / 16, 15.5 / 16, -7.5 / 16, 0.5 / 16]):
        # Two neighboring bins whose mean is the distance; a distance below 0 cannot be told.
        low = max(int(distance), 0)
        part = min(max(distance - low, 1e-6), 1 - 1e-6)
        logits = np.full(8, -50.0, np.float32)
        logits[low], logits[low + 1] = np.log(1 - part), np.log(part)
        outputs["dis_16"][0, 7, side * 8 : side * 8 + 8] = logits
    return outputs


FAMILIES = {
    "nanodet": ({"data": NCHW}, nanodet_outputs()),
    "yolov3": (
        {"images": NCHW},
        {
            "boxes": rows(9, 4, [8, 16, 24, 48]),
            "scores": rows(3, 9, [], at=0),
            "choice": np.array([[0, 1, 5]], np.int32),
        },
    ),
    "yolov5": ({"images": NCHW}, {"output0": rows(3 * CELLS, 8, [*CENTER, 0.9, 0, 1, 0])}),
    "yolov8": (
        {"images": NCHW},
        {"output0": rows(CELLS, 7, [*CENTER, 0, 0.9, 0]).transpose(0, 2, 1).copy()},
    ),
    "yolov10": ({"images": NCHW}, {"output0": rows(300, 6, [16, 8, 48, 24, 0.9, 1])}),
    "queries": ({"images": NCHW}, {"output0": rows(300, 7, [0.5, 0.5, 0.5, 0.5, 0, 0.9, 0])}),
    "yolox": ({"images": NCHW}, {"output": yolox_output()}),
    "query_logits": (
        {"pixel_values": NCHW},
        {"pred_boxes": rows(30, 4, [0.5, 0.5, 0.5, 0.5]), "logits": query_logits()},
    ),
    "labels_boxes_scores": (
        {"images": NCHW, "orig_target_sizes": ((1, 2), np.int64)},
        {
            "labels": np.array([[0, 1]], np.int64),
            "boxes": np.array([[[0, 0, 1, 1], [16, 8, 48, 24]]], np.float32),
            "scores": np.array([[0.1, 0.9]], np.float32),
        },
    ),
    "tensorflow": (
        {"inputs": NHWC},
        {
            "num_detections": np.array([1], np.float32),
            "detection_scores": np.array([[0.9, 0.8]], np.float32),
            "detection_classes": np.array([[1, 2]], np.float32),
            "detection_boxes": np.array([[[0.25, 0.25, 0.75, 0.75]] * 2], np.float32),
        },
    ),
}


def put(tmp_path, family, description=None, labels=True, metadata=None):
    inputs, outputs = FAMILIES[family]
    path = tmp_path / "mine.onnx"
    path.write_bytes(tiny_models.constant_onnx(inputs, outputs, metadata))
    if labels:
        (tmp_path / "mine.txt").write_text("\n".join(NAMES))
    if description is not None:
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump(description))
    return str(path)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("family", [f for f in FAMILIES if f not in ("nanodet", "yolov3")])
def test_each_family_is_recognized_and_read(tmp_path, family, backend):
    if backend == "openvino":
        pytest.importorskip("openvino", reason="openvino is not installed")
    metadata = ULTRALYTICS if family == "queries" else None  # told from YOLO by its class count
    model = put(tmp_path, family, metadata=metadata)
    assert describe_model(str(tmp_path / "mine.onnx")).decoder == family
    assert finds_the_dog(model, backend)


def test_ultralytics_names_its_classes(tmp_path):
    assert finds_the_dog(put(tmp_path, "yolov8", labels=False, metadata=ULTRALYTICS))


def test_a_description_adds_what_the_file_does_not_tell(tmp_path):
    model = put(tmp_path, "yolov8", {"labels": NAMES, "score_threshold": 0.95}, labels=False)
    assert open_detector(model).spec.score_threshold == 0.95


def test_a_description_is_enough(tmp_path):
    description = {
        "input": {"format": {"width": 64, "height": 32, "resize": "stretch"}},
        "decoder": "yolov10",
        "labels": NAMES,
    }
    assert finds_the_dog(put(tmp_path, "yolov10", description, labels=False))


def test_nanodet_is_read_as_described(tmp_path):
    given = {"input": {"format": {"width": 64, "height": 32}}, "decoder": "nanodet"}
    model = put(tmp_path, "nanodet", given)
    found = open_detector(model).detect(np.zeros((32, 64, 3), np.uint8))
    assert found.label(0) == "dog"
    np.testing.assert_allclose(found.boxes, [[16, 8, 55.5, 24]], atol=0.01)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"decoder": "yolox"}, "makes 42 cells, the model gave 7"),
        ({"decoder": "tensorflow"}, r"reads 4 output\(s\), the model has 1: output0"),
        ({"outputs": ["boxes"]}, "no output named boxes, the model has 1: output0"),
        (
            {"input": {"name": "image", "format": {"width": 64, "height": 32}}},
            "no input named image, the model has 1: images",
        ),
        (
            {"input": {"format": {"width": 32, "height": 32}}},
            r"the entry says \(1, 3, 32, 32\) float32, the model takes \(1, 3, 32, 64\)",
        ),
        (
            {"input": {"format": {"width": 64, "height": 32, "dtype": "uint8"}}},
            r"the entry says \(1, 3, 32, 64\) uint8",
        ),
        ({"input": {"kind": "image"}}, "its entry takes the picture itself, not a tensor"),
        ({"labels": ["person"]}, "1 labels do not fit .* expected 0 to 0, got 1 to 1"),
    ],
)
def test_a_wrong_description_is_named(tmp_path, description, message):
    family = "yolov10" if "labels" in description or description.get("outputs") else "yolov8"
    given = {"decoder": family, "input": {"format": {"width": 64, "height": 32}}, "labels": NAMES}
    with pytest.raises(ModelMismatchError, match=message):
        open_detector(put(tmp_path, family, given | description)).detect(
            np.zeros((32, 64, 3), np.uint8)
        )


def test_a_decoder_that_cannot_read_the_shapes_is_named(tmp_path):
    given = {
        "input": {"name": "inputs", "format": {"width": 64, "height": 32, "layout": "NHWC"}},
        "decoder": "tensorflow",
        "labels": NAMES,
    }
    given["input"]["format"]["dtype"] = "uint8"  # the outputs are in the model's order, a wrong one
    with pytest.raises(ModelMismatchError, match="decoder tensorflow and 3 labels do not fit"):
        open_detector(put(tmp_path, "tensorflow", given))


def test_labels_that_nothing_names(tmp_path):
    model = put(tmp_path, "yolov8", labels=False)
    with pytest.raises(ModelError, match=r"one name a line into .*mine\.txt") as caught:
        open_detector(model)
    assert caught.value.code == "bad_model"


@pytest.mark.parametrize("given", [{"label": "coco80"}, {"decodr": "yolox", "labels": NAMES}])
def test_a_misspelled_key_is_named_before_anything_that_it_leaves_out(tmp_path, given):
    model = put(tmp_path, "yolov8", given, labels=False)
    with pytest.raises(
        ModelError, match=r"mine\.yaml: unknown field (label|decodr) .did you mean (labels|decoder)"
    ):
        open_detector(model)


@pytest.mark.parametrize("labels", [NAMES[:2], ["background", *NAMES], []])
@pytest.mark.parametrize(
    "family", ["yolox", "yolov5", "yolov8", "queries", "query_logits", "nanodet", "yolov3"]
)
def test_labels_of_another_number_than_the_outputs_classes_are_refused(tmp_path, family, labels):
    given = {"input": {"format": {"width": 64, "height": 32}}, "decoder": family, "labels": labels}
    if family == "query_logits":
        given["outputs"] = ["logits", "pred_boxes"]
    model = put(tmp_path, family, given)
    expected = rf"mine: its labels are {len(labels)}, but .*mine\.onnx tells 3 classes apart"
    with pytest.raises(ModelMismatchError, match=expected):
        open_detector(model)


def test_a_hole_in_the_labels_counts_as_an_entry(tmp_path):
    given = {"labels": ["", "dog", ""]}
    assert finds_the_dog(put(tmp_path, "yolov8", given, labels=False))


def test_labels_beside_a_file_win_over_those_in_it(tmp_path):
    model = put(tmp_path, "yolov8", metadata=ULTRALYTICS)
    (tmp_path / "mine.txt").write_text("a\nb\nc\n")
    assert describe_model(model).labels == ("a", "b", "c")


def test_an_unknown_family(tmp_path):
    path = tmp_path / "mine.onnx"
    outputs = {"depth": np.zeros((1, 32, 64), np.float32)}
    path.write_bytes(tiny_models.constant_onnx({"images": NCHW}, outputs))
    with pytest.raises(ModelError, match=r"describe it in .*mine\.yaml"):
        open_detector(str(path))


def test_a_file_that_is_not_a_model(tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelCorruptError, match="cannot load it"):
        open_detector(str(path))
    other = tmp_path / "mine.bin"
    other.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"expected a file ending in \.onnx or \.tflite"):
        open_detector(str(other))


def test_a_tflite_of_ones_own(tmp_path):
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    path = tmp_path / "mine.tflite"
    path.write_bytes(tiny_models.quantized_ssd())
    (tmp_path / "mine.yaml").write_text(
        yaml.safe_dump(
            {
                "input": {
                    "format": {
                        "width": 8,
                        "height": 8,
                        "layout": "NHWC",
                        "color": "rgb",
                        "dtype": "uint8",
                        "resize": "stretch",
                    }
                },
                "decoder": "tensorflow",
                "decoder_options": {"class_offset": 1},
                "outputs": ["boxes", "classes", "scores", "count"],
                "labels": "coco91",
                "score_threshold": 0.4,
            }
        )
    )
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :] = (10, 200, 128)  # blue, green, red
    found = open_detector(str(path)).detect(image)
    assert [found.label(i) for i in range(2)] == ["dog", "person"]
    np.testing.assert_allclose(found.boxes, [[0, 0, 50, 50], [100, 25, 200, 75]])
    np.testing.assert_allclose(found.scores, [200 / 255, 128 / 255], atol=1e-6)


# Shapes as real exports have them.

PICTURE = TensorInfo("images", (1, 3, 640, 640), "float32")
ANY = TensorInfo("images", (-1, 3, -1, -1), "float32")


@pytest.mark.parametrize(
    ("picture", "shape", "metadata", "decoder"),
    [
        (PICTURE, (1, 25200, 85), {}, "yolov5"),
        (PICTURE, (1, 84, 8400), {}, "yolov8"),
        (ANY, (-1, 84, -1), {"imgsz": "[640, 640]"}, "yolov8"),
        (ANY, (-1, -1, 85), {}, "yolov5"),
        (PICTURE, (1, 300, 6), {}, "yolov10"),
        (PICTURE, (1, 8400, 85), {}, "yolox"),
        (PICTURE, (1, 300, 84), {"names": str(dict.fromkeys(range(80), "x"))}, "queries"),
    ],
)
def test_shapes_of_real_exports(picture, shape, metadata, decoder):
    facts = FileFacts((picture,), (TensorInfo("output0", shape, "float32"),), metadata)
    entry = recognize_facts(facts)[1]
    assert entry["decoder"] == decoder
    form = entry["input"]["format"]
    assert (form["width"], form["height"]) == (640, 640)


@pytest.mark.parametrize(
    ("shape", "metadata", "kind"),
    [
        ((1, 116, 8400), {"task": "segment"}, "a segmentation model"),
        ((1, 1000), {}, "a classifier"),
    ],
)
def test_shapes_of_real_exports_for_another_task(shape, metadata, kind):
    facts = FileFacts((PICTURE,), (TensorInfo("output0", shape, "float32"),), metadata)
    with pytest.raises(ModelError, match=kind):
        recognize_facts(facts)


def test_ultralytics_tflite_has_fractions():
    facts = FileFacts(
        (TensorInfo("image", (1, 320, 320, 3), "float32"),),
        (TensorInfo("Identity", (1, 84, 2100), "float32"),),
        {},
    )
    assert recognize_facts(facts)[1]["decoder_options"] == {"normalized": True}


@pytest.mark.parametrize("offset", [0, 1])
def test_tensorflow_counts_from_the_background_and_tflite_does_not(offset):
    names = [
        ["detection_boxes", "detection_classes", "detection_scores", "num_detections"],
        [f"TFLite_Detection_PostProcess{end}" for end in ("", ":1", ":2", ":3")],
    ][offset]
    facts = FileFacts(
        (TensorInfo("image", (1, 300, 300, 3), "uint8"),),
        tuple(TensorInfo(name, (1, 10), "float32") for name in names),
        {},
    )
    assert recognize_facts(facts)[1]["decoder_options"] == {"class_offset": offset}


@pytest.fixture
def opened(monkeypatch):
    """Return a list of how a model's file has been read: "session" of ONNX Runtime, or "hash"."""
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    calls = []

    class CountedSession(ort.InferenceSession):
        def __init__(self, *args, **kwargs):
            calls.append("session")
            super().__init__(*args, **kwargs)

    def counted_hash(path, hashed=manifest._sha256):
        calls.append("hash")
        return hashed(path)

    monkeypatch.setattr(ort, "InferenceSession", CountedSession)
    monkeypatch.setattr(manifest, "_sha256", counted_hash)
    return calls


@pytest.mark.parametrize(
    ("description", "backend", "expected"),
    [
        (None, "onnxruntime", ["session", "session"]),  # once to be recognized, once to run
        (None, "openvino", ["session"]),  # to be recognized
        ({"score_threshold": 0.5}, "onnxruntime", ["session", "session"]),
        (
            {"input": {"format": {"width": 64, "height": 32}}, "decoder": "yolov8"},
            "onnxruntime",
            ["session"],
        ),
    ],
)
def test_a_file_is_opened_once_to_be_recognized_and_once_to_run(
    tmp_path, opened, description, backend, expected
):
    if backend == "openvino":
        pytest.importorskip("openvino", reason="openvino is not installed")
    open_detector(put(tmp_path, "yolov8", description), backend).detect(
        np.zeros((32, 64, 3), np.uint8)
    )
    assert opened == expected


def test_a_file_of_the_manifest_is_hashed_once_and_not_opened_to_be_recognized(shared, opened):
    open_detector(str(shared / "models" / "yolox_nano.onnx"), "onnxruntime")
    assert opened == ["hash", "session"]
