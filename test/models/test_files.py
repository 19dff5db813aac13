"""Files that are no model, or not one that runs here: the error says what it is and what to do."""

import gzip

import numpy as np
import pytest
import tiny_models
from making import open_detector
from own_models import NCHW, YOLOV8

from i2t_ros.errors import (
    BackendUnavailableError,
    I2tError,
    ModelCorruptError,
    ModelError,
    ModelMissingError,
)
from i2t_ros.models.lookup import describe_model

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:695e\nsize 3660092\n"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("m.onnx", LFS, "is a Git LFS pointer.*`git lfs pull`"),
        ("m.tflite", LFS, "is a Git LFS pointer.*`git lfs pull`"),
        ("m.xml", LFS, "is a Git LFS pointer.*`git lfs pull`"),
        ("m.onnx", b"\xef\xbb\xbf" + LFS.replace(b"\n", b"\r\n"), "is a Git LFS pointer"),
        ("m.onnx", b"\n<!DOCTYPE html><html>404</html>", r"is a web page \(HTML\)"),
        ("m.tflite", b"<html><body>", r"is a web page \(HTML\)"),
        ("m.onnx", b'{"message": "Not Found"}', "is a JSON text"),
        ("m.onnx", b"<?xml version='1.0'?><Error>AccessDenied</Error>", "is XML"),
        ("m.onnx", b"PK\x03\x04" + bytes(90), "is a zip archive"),
        ("m.onnx", gzip.compress(b"m", mtime=0), "is a compressed archive"),
        ("m.onnx", b"", "is empty"),
        ("m.onnx", bytes(4) + b"TFL3" + bytes(90), r"rename it to end in \.tflite"),
        ("m.tflite", b"\x08\x07" + bytes(90), "is not a TensorFlow Lite model"),
        ("m.xml", b"{}", "is not OpenVINO's XML"),
    ],
)
def test_what_came_instead_of_a_model(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ModelCorruptError, match=message) as caught:
        describe_model(str(path))
    assert "delete" not in str(caught.value)
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("m.pt", "a PyTorch checkpoint.*`yolo export model=m.pt format=onnx`"),
        ("m.PTH", "a PyTorch checkpoint"),
        ("m.engine", r"a TensorRT engine.*\.onnx file that it was built from"),
        ("m.plan", "a TensorRT engine"),
        ("m.h5", "TensorFlow's: convert it"),
        ("m.mlpackage", "Core ML's"),
        ("m.bin", r"give the \.xml file beside it"),
        ("m.onnx_data", r"give the \.onnx file beside it"),
        ("m.zip", "unpack it"),
    ],
)
def test_files_of_other_engines(tmp_path, monkeypatch, name, message):
    (tmp_path / name).write_bytes(b"weights")
    monkeypatch.chdir(tmp_path)
    for model in (name, str(tmp_path / name)):  # a name without a folder is a file's, too
        with pytest.raises(ModelError, match=rf"expected a file ending in \.onnx.*{message}"):
            describe_model(model)
    with pytest.raises(ModelMissingError, match="no such file"):
        describe_model(f"other{name}")
    with pytest.raises(ModelMissingError, match="cannot be read"):
        describe_model(f"{'long' * 99}{name}")


def damaged(change):
    model = onnx.load_from_string(tiny_models.constant_onnx({"images": NCHW}, {"output0": YOLOV8}))
    return change(model) or model.SerializeToString()


def newer_ir(model):
    model.ir_version = 99


def newer_opset(model):
    model.opset_import[0].version = 99


def new_operator(model):
    model.graph.node.append(onnx.helper.make_node("Novel", ["images"], ["more"]))


def for_tensorrt(model):
    node = onnx.helper.make_node("EfficientNMS_TRT", ["images"], ["more"], domain="TRT")
    model.graph.node.append(node)
    model.opset_import.append(onnx.helper.make_opsetid("TRT", 1))


def cut_off(model):
    whole = model.SerializeToString()
    return whole[: len(whole) // 2]


def weights_elsewhere(model):
    tensor = onnx.helper.make_tensor("w", 1, [3], np.zeros(3, np.float32).tobytes(), raw=True)
    onnx.external_data_helper.set_external_data(tensor, "m.onnx.data", 0, 12)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    model.graph.initializer.append(tensor)
    model.graph.node.append(onnx.helper.make_node("Identity", ["w"], ["more"]))
    model.graph.output.append(onnx.helper.make_tensor_value_info("more", 1, [3]))


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (newer_ir, BackendUnavailableError, "its IR is 99.*pip install --upgrade onnxruntime"),
        (
            newer_opset,
            BackendUnavailableError,
            "its opset is 99.*pip install --upgrade onnxruntime",
        ),
        (new_operator, BackendUnavailableError, "has the operator Novel.*--upgrade onnxruntime"),
        (for_tensorrt, BackendUnavailableError, "TRT:EfficientNMS_TRT.*without suppression"),
        (cut_off, ModelCorruptError, "of [0-9]+ bytes may be cut off or damaged"),
        (weights_elsewhere, ModelCorruptError, r"second file.*m\.onnx\.data: copy both"),
    ],
)
def test_files_that_onnx_runtime_refuses(tmp_path, monkeypatch, change, kind, message):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    monkeypatch.setattr("i2t_ros.optional.find_spec", lambda name: name == "onnxruntime" or None)
    path = tmp_path / "m.onnx"
    path.write_bytes(damaged(change))
    (tmp_path / "m.txt").write_text("person\ndog\ncat")
    with pytest.raises(kind, match=message) as caught:
        open_detector(str(path))
    assert "delete" not in str(caught.value)
    assert path.exists()


def test_a_file_that_is_too_new_for_one_backend_runs_on_another(tmp_path):
    pytest.importorskip("openvino", reason="openvino is not installed")
    path = tmp_path / "m.onnx"
    path.write_bytes(damaged(newer_ir))
    (tmp_path / "m.txt").write_text("person\ndog\ncat")
    detector = open_detector(str(path))
    assert detector.backend_name == "openvino"
    assert "not onnxruntime: " in detector.report


@pytest.mark.parametrize(
    ("inputs", "outputs", "metadata", "message"),
    [
        (((4, 3, 32, 64), np.float32), {}, {}, r"takes 4 images at once.*batch=1"),
        (((1, 3, 32, 64), np.int32), {}, {}, "is int32, expected float32, float16, uint8"),
        (((1, 3, 32, 64), np.float64), {}, {}, "is float64, expected float32"),
        (((1, 1, 32, 64), np.float32), {}, {}, "no input for a color image"),
        (NCHW, {}, {"task": "segment"}, "a segmentation model.*export it whole"),
        (NCHW, {}, {"task": "pose"}, "a pose model, and its outputs are not those of COCO's 17"),
        (NCHW, {}, {"task": "obb"}, r"rotated boxes \(OBB\): export a detection model"),
        (NCHW, {}, {"task": "classify"}, "a classifier: describe it with `task: classify`"),
        (
            NCHW,
            {"output0": YOLOV8, "output1": np.zeros((1, 32, 8, 16), np.float32)},
            {},
            "looks like a segmentation model",
        ),
        (NCHW, {"output": np.zeros((1, 1000), np.float32)}, {}, "looks like a classifier"),
        (
            NCHW,
            {f"o{n}": np.zeros((1, 3, n, n, 8), np.float32) for n in (2, 4, 8)},
            {},
            "maps of features.*without its last step",
        ),
        (NCHW, {"depth": np.zeros((1, 32, 64), np.float32)}, {}, "of no known family"),
    ],
)
def test_what_a_file_is_and_which_export_works(tmp_path, inputs, outputs, metadata, message):
    path = tmp_path / "m.onnx"
    outputs = outputs or {"output0": YOLOV8}
    path.write_bytes(tiny_models.constant_onnx({"images": inputs}, outputs, metadata))
    (tmp_path / "m.txt").write_text("person\ndog\ncat")
    with pytest.raises(ModelError, match=message) as caught:
        open_detector(str(path))
    assert "m.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dtype": "float16"}, "say `dtype: float32` in input.format"),
        ({"dtype": "uint8"}, "say `dtype: float32` in input.format"),
    ],
)
def test_a_description_of_another_type_is_answered(tmp_path, changed, message):
    path = tmp_path / "m.onnx"
    path.write_bytes(tiny_models.constant_onnx({"images": NCHW}, {"output0": YOLOV8}))
    (tmp_path / "m.yaml").write_text(f"labels: [a, b, c]\ninput: {{format: {changed}}}")
    with pytest.raises(I2tError, match=message):
        open_detector(str(path))
