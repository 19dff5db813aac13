"""The task classify on photos, against the interpreter called by hand and against tiny graphs."""

import importlib.util
import re
import sys

import cv2
import numpy as np
import pytest
from making import open_task
from msgspec.structs import replace

from i2t_ros.backends.registry import survey
from i2t_ros.errors import BackendMissingError, ModelMismatchError, ModelMissingError
from i2t_ros.installation import how_to_install
from i2t_ros.models.manifest import find_spec
from i2t_ros.pipeline.loading import Loaded
from i2t_ros.pipeline.tasks.classify import Classifier, ClassifyOptions

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
TensorProto, helper = onnx.TensorProto, onnx.helper

OPTIONS = ClassifyOptions()
ALL = ClassifyOptions(top_k=2000, min_score=0.0)


@pytest.fixture
def classifier(at_hand):
    pytest.importorskip("ai_edge_litert")
    made = open_task("classify")
    yield made
    made.close()


def photo(shared, name):
    return cv2.imread(str(shared / "images" / name))


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("cat_720p.jpg", {"Egyptian cat"}),
        ("hot_dog.jpg", {"hotdog"}),
        ("pets.jpg", {"Italian greyhound", "whippet", "Boston bull"}),  # a sighthound and a bull
        ("kite_and_cold.jpg", {"seashore"}),
    ],
)
def test_the_first_class_is_the_obvious_one(classifier, shared, name, classes):
    found = classifier.run(photo(shared, name), OPTIONS).result
    assert found[0][0] in classes


def test_the_best_come_first_and_all_make_up_one(classifier, shared):
    image = photo(shared, "cat_720p.jpg")
    every = classifier.run(image, ALL).result
    scores = [score for _, score in every]
    assert len(every) == 1000  # of 1001: the first is the background
    assert sum(scores) == pytest.approx(1, abs=0.05)  # in 256 steps
    assert scores == sorted(scores, reverse=True)
    assert classifier.run(image, ClassifyOptions(top_k=3, min_score=0.0)).result == every[:3]


def test_the_8_bit_network_agrees_with_the_interpreter_called_by_hand(classifier, shared):
    """The preparation of the photo is done here once more, with NumPy and the file's own labels."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415

    lines = (shared / "models" / "imagenet_labels.txt").read_text().splitlines()
    interpreter = Interpreter(str(shared / "models" / "mobilenet_v2_1.0_224_quant.tflite"))
    interpreter.allocate_tensors()
    (given,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero = output["quantization"]
    for name in ("cat_720p.jpg", "hot_dog.jpg", "pets.jpg"):
        image = photo(shared, name)
        side = round(min(image.shape[:2]) * 0.875)
        top, left = ((length - side) // 2 for length in image.shape[:2])
        square = image[top : top + side, left : left + side, ::-1]
        tensor = cv2.resize(square, (224, 224), interpolation=cv2.INTER_LINEAR)[None]
        interpreter.set_tensor(given["index"], tensor)
        interpreter.invoke()
        raw = interpreter.get_tensor(output["index"])[0].astype(np.float32)
        wanted = (raw - zero) * scale
        found = classifier.run(image, OPTIONS).result
        best = int(wanted.argmax())
        assert found[0][0] in lines[best].split(", ")
        assert found[0][1] == pytest.approx(float(wanted[best]), abs=0.05)


def tiny_network(tmp_path, classes=1000):
    """Return a file: the mean of each channel, as the logits of the first three classes."""
    zeros = np.zeros((3, classes), np.float32)
    zeros[[0, 1, 2], [0, 1, 2]] = 1
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["input"], ["means"]),
            helper.make_node("Flatten", ["means"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 224, 224])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, classes])],
        [onnx.numpy_helper.from_array(zeros, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path / "tiny.onnx"
    onnx.save(model, path)
    path.with_suffix(".yaml").write_text(
        """
task: classify
backends: [onnxruntime]
decoder: logits
labels: imagenet1000
input:
  format:
    width: 224
    height: 224
    color: rgb
    mean: [123.675, 116.28, 103.53]
    std: [58.395, 57.12, 57.375]
    resize: crop
"""
    )
    return str(path)


@pytest.mark.parametrize("color", [(255, 0, 0), (10, 200, 30), (90, 90, 90)])
def test_the_float_path_agrees_with_arithmetic_by_hand(tmp_path, color):
    image = np.full((300, 400, 3), color[::-1], np.uint8)
    found = dict(open_task("classify", tiny_network(tmp_path)).run(image, ALL).result)
    mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    logits = np.zeros(1000)
    logits[:3] = [(c - m) / s for c, m, s in zip(color, mean, std, strict=True)]
    wanted = np.exp(logits) / np.exp(logits).sum()
    labels = find_spec("mobilenet_v2").labels
    for i in range(3):
        assert found[labels[i]] == pytest.approx(wanted[i], rel=1e-3)
    assert sum(found.values()) == pytest.approx(1, abs=1e-4)


def test_a_label_table_of_another_length_is_refused(tmp_path):
    model = tiny_network(tmp_path, classes=999)
    with pytest.raises(
        ModelMismatchError, match=r"labels are 1000, but .* tells 999 classes apart"
    ):
        open_task("classify", model)


class Fixed:
    device, report, concurrency, batch = "cpu", "fixed", 1, 1

    def __init__(self, *scores):
        self._scores = scores

    def infer(self, inputs):
        return [np.array([self._scores], np.float32)]

    def close(self):
        pass


def classes(labels, scores, options):
    spec = replace(find_spec("mobilenet_v2_quantized"), labels=tuple(labels))
    tested = Classifier(Loaded(spec, Fixed(*scores), "litert", ""))
    return [name for name, _ in tested.run(np.zeros((9, 9, 3), np.uint8), options).result]


def test_a_hole_in_the_numbering_has_a_name():
    assert classes(("cat", ""), (0.1, 0.9), ALL) == ["class 1", "cat"]


def test_a_class_that_nobody_would_sign_is_not_in_the_list():
    labels, scores = ("cat", "dog", "lobster"), (0.19, 0.79, 0.02)
    assert classes(labels, scores, OPTIONS) == ["dog"]
    assert classes(labels, (0.02, 0.02, 0.02), OPTIONS) == []
    assert classes(labels, scores, ClassifyOptions(min_score=0.1)) == ["dog", "cat"]
    assert classes(labels, scores, ALL) == ["dog", "cat", "lobster"]
    assert classes(labels, scores, ClassifyOptions(top_k=1, min_score=0.0)) == ["dog"]


@pytest.mark.parametrize("name", ["background", "Background", "__background__", "???", "N/A"])
def test_the_background_is_no_class(name):
    assert classes((name, "cat", "dog"), (0.7, 0.1, 0.2), ALL) == ["dog", "cat"]
    assert classes(("cat", "dog", name), (0.1, 0.2, 0.7), OPTIONS) == ["dog"]


@pytest.mark.parametrize(
    ("first", "last", "left_out"),
    [("nothing", "dog", "nothing"), ("", "dog", "class 0"), ("tench", "background", "background")],
)
def test_a_list_of_1001_classes_has_a_background_whatever_it_is_called(first, last, left_out):
    labels = (first, *(f"thing {i}" for i in range(999)), last)
    found = classes(labels, (0.5, *(0.0,) * 999, 0.5), ALL)
    assert len(found) == 1000
    assert left_out not in found


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (7, 5)])
def test_pictures_of_any_size_are_named(classifier, size):
    found = classifier.run(np.full((*size, 3), 90, np.uint8), ALL).result
    assert len(found) == 1000


def test_labels_are_names_and_not_lists_of_synonyms():
    for name in ("alexnet", "resnet50_v2", "mobilenet_v2", "mobilenet_v2_quantized"):
        labels = find_spec(name).labels
        assert len(labels) in (1000, 1001)
        assert "Egyptian cat" in labels
        assert not any("," in label or label.startswith("n0") for label in labels)


def test_without_any_model_the_error_says_what_to_fetch(monkeypatch, tmp_path):
    monkeypatch.setenv("I2T_MODEL_PATH", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ModelMissingError, match="i2t models fetch mobilenet_v2"):
        open_task("classify", offline=True)


def test_without_its_engine_a_model_by_name_says_what_to_install(at_hand, monkeypatch):
    monkeypatch.setattr("i2t_ros.optional.find_spec", lambda _: None)
    with pytest.raises(BackendMissingError, match=re.escape(how_to_install("litert"))):
        open_task("classify", "mobilenet_v2_quantized")


def test_without_any_model_an_engine_that_would_run_one_is_told_too(at_hand, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "i2t_ros.optional.find_spec", lambda name: None if name == "ai_edge_litert" else found(name)
    )
    with pytest.raises(
        ModelMissingError, match="fetch mobilenet_v2.*" + re.escape(how_to_install("litert"))
    ):
        open_task("classify")


@pytest.mark.parametrize(
    "raised", [ImportError("no http"), RuntimeError("no http"), OSError(".so")]
)
def test_an_engine_that_breaks_while_it_is_imported_is_missing_too(monkeypatch, raised):
    def broken(name):
        raise raised

    monkeypatch.setattr("i2t_ros.backends.registry.importlib.import_module", broken)
    with pytest.raises(BackendMissingError, match=str(raised)):
        survey("onnxruntime")


def test_an_engine_that_cannot_be_imported_is_missing_too(at_hand, monkeypatch):
    pytest.importorskip("ai_edge_litert")
    monkeypatch.delitem(sys.modules, "i2t_ros.backends.litert", raising=False)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(BackendMissingError, match="ai_edge_litert"):
        open_task("classify", "mobilenet_v2_quantized")
