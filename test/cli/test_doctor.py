"""`i2t models doctor FILE`: what it says of good and of bad files."""

import argparse
import json

import cv2
import numpy as np
import pytest
import tiny_models
import yaml
from own_models import CELLS, CENTER, FLOAT_NHWC, NCHW, YOLOV8, rows

from i2t_ros.cli import models
from i2t_ros.errors import InvalidRequestError
from i2t_ros.models.lookup import describe_model

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

ULTRALYTICS = {"names": "{0: 'person', 1: 'dog', 2: 'cat'}", "author": "Ultralytics"}


@pytest.fixture
def doctor(capsys):
    """Run the command; return its exit code and what it printed."""

    def run(*arguments):
        parser = argparse.ArgumentParser()
        models.add_parser(parser.add_subparsers())
        args = parser.parse_args(["models", "doctor", *map(str, arguments)])
        code = args.run(args)
        told = capsys.readouterr()
        assert not told.err
        return code, told.out

    return run


@pytest.fixture
def file(tmp_path):
    def write(inputs=NCHW, outputs=None, metadata=None, name="robot.onnx"):
        path = tmp_path / name
        outputs = outputs or {"output0": YOLOV8}
        path.write_bytes(tiny_models.constant_onnx({"images": inputs}, outputs, metadata))
        return path

    return write


def line(told, name):
    return next(text for text in told.splitlines() if text.startswith(f"{name} "))


def test_a_good_file(doctor, file, tmp_path):
    picture = tmp_path / "street.png"
    cv2.imwrite(str(picture), np.zeros((64, 128, 3), np.uint8))
    code, told = doctor(file(metadata=ULTRALYTICS), "--image", picture)
    assert code == 0
    assert line(told, "input").split(None, 1)[1] == "images (1, 3, 32, 64) float32"
    assert line(told, "output").split(None, 1)[1] == "output0 (1, 7, 42) float32"
    assert "metadata  author: Ultralytics" in told
    assert "Ultralytics YOLOv8" in line(told, "format")
    assert line(told, "labels").split(None, 1)[1] == "3, from the file's metadata: person, dog, cat"
    fed = line(told, "fed")
    assert "64x32, fitted in at the middle, padded with 114, NCHW, rgb, float32" in fed
    assert fed.endswith("(pixel - 0) / 255")
    assert "decoder yolov8 (normalized: False)" in line(told, "read")
    assert "ONNX Runtime" in line(told, "runs on")
    assert f"{picture}, 128x64" in line(told, "tried on")
    assert line(told, "values").endswith("(1, 7, 42): 0 to 32")
    assert "1 object(s) of 0.3 or more\n          dog 0.900 at 32 16 96 48" in told
    assert line(told, "usable").endswith("yes")


def test_the_description_that_it_prints_gives_the_same(doctor, file):
    path = file(FLOAT_NHWC, {"Identity": YOLOV8}, ULTRALYTICS)
    spec = describe_model(str(path))
    code, told = doctor(path, "--json")
    report = json.loads(told)
    assert code == 0
    assert report["reading"]["options"] == {"normalized": False}  # its values told
    path.with_suffix(".yaml").write_text(report["description"])
    assert yaml.safe_load(report["description"])["decoder"] == "yolov8"
    assert describe_model(str(path)) == spec


def test_it_names_the_format_that_the_values_ask_for(doctor, file):
    output = rows(CELLS, 8, [*CENTER, 0.9, 0, 1, 0])
    code, told = doctor(file(outputs={"output": output}, metadata=ULTRALYTICS))
    assert code == 0
    assert line(told, "format").endswith("YOLOX")
    assert line(told, "read").endswith("decoder yolov5")
    assert "a drawing, 640x480" in line(told, "tried on")


def test_labels_of_the_command_line(doctor, file, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("1 person\n2 dog\n3 cat")
    code, told = doctor(file(), "--labels", names)
    assert code == 0
    assert f"3, from {names}: 1 person, 2 dog, 3 cat" in told
    assert "every label begins with a number" in line(told, "warning")
    names.write_text("person\ndog\n\n\n")
    code, told = doctor(file(), "--labels", names)
    assert code == 1
    assert "its labels are 2, but" in line(told, "problem")


def test_what_was_assumed_is_said(doctor, file):
    outputs = {"dets": np.zeros((1, 9, 5), np.float32), "labels": np.zeros((1, 9), np.int64)}
    code, told = doctor(file(outputs=outputs), "--labels", "coco80")
    assert code == 0
    assert "input.format: color, mean, std" in line(told, "warning")
    assert "--image PICTURE" in told


def test_infinity_is_a_warning_as_a_node_runs_such_a_model(doctor, file):
    logits = np.full((1, 9, 3), -np.inf, np.float32)  # classes that are ruled out
    logits[0, 0, 1] = 5
    boxes = np.full((1, 9, 4), 0.5, np.float32)
    code, told = doctor(file(outputs={"logits": logits, "pred_boxes": boxes}, metadata=ULTRALYTICS))
    assert (code, line(told, "usable").split()[-1]) == (0, "yes"), told
    assert "warning   its outputs hold infinity: " in told


@pytest.mark.parametrize(
    ("inputs", "outputs", "metadata", "message"),
    [
        (((4, 3, 32, 64), np.float32), None, ULTRALYTICS, "takes 4 images at once"),
        (NCHW, None, {"task": "pose"}, "a pose model"),
        (NCHW, {"output0": np.full_like(YOLOV8, np.nan)}, ULTRALYTICS, "NaN or infinity"),
        (NCHW, None, None, "nothing names its classes"),
    ],
)
def test_a_file_that_cannot_be_used(doctor, file, inputs, outputs, metadata, message):
    path = file(inputs, outputs, metadata)
    code, told = doctor(path)
    assert code == 1
    assert line(told, "input").split()[1] == "images"  # what it has is said all the same
    assert message in line(told, "problem")
    assert line(told, "usable").endswith("no")
    code, told = doctor(path, "--json")
    report = json.loads(told)
    assert (code, report["usable"]) == (1, False)
    assert message in report["problem"]["message"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("m.onnx", b"version https://git-lfs.github.com/spec/v1\n", "`git lfs pull`"),
        ("m.onnx", b"<!DOCTYPE html>", "a web page (HTML)"),
        ("m.onnx", b"\x08\x07cut", "may be cut off or damaged"),
        ("m.pt", b"PK\x03\x04", "a PyTorch checkpoint"),
        ("m.bin", b"what", "give the .xml file"),
        ("m.unknown", b"what", "expected a file ending in .onnx"),
    ],
)
def test_a_file_that_is_no_model(doctor, tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    code, told = doctor(tmp_path / name)
    assert code == 1
    assert message in line(told, "problem")


@pytest.mark.parametrize(
    "model", ["nowhere.onnx", "no_such_model", "~nobody_here/m.pt", f"{'long' * 99}.onnx", "."]
)
def test_a_model_that_is_not_there(doctor, model):
    code, told = doctor(model)
    assert code == 1
    assert line(told, "problem").rstrip("]").endswith(("[model_missing", "[unknown_model"))
    assert "bytes" not in told


def test_a_picture_that_is_not_there(doctor, file):
    code, told = doctor(file(metadata=ULTRALYTICS), "--image", "nowhere.jpg")
    assert code == 1
    assert (
        line(told, "problem").split(maxsplit=1)[1]
        == "cannot read nowhere.jpg: No such file or directory [bad_image]"
    )


def test_a_classifier_that_is_described(doctor, file):
    path = file(outputs={"output": np.array([[0.1, 0.7, 0.2]], np.float32)})
    path.with_suffix(".yaml").write_text(
        "{task: classify, decoder: probabilities, labels: [person, dog, cat],"
        " input: {format: {width: 64, height: 32, resize: crop}}}"
    )
    code, told = doctor(path)
    assert code == 0
    assert '"task": "classify"' in line(told, "found")
    assert "dog" in line(told, "found")
    for option in (["--labels", "coco80"], ["--backend", "openvino"], ["--url", "http://[::1]:1"]):
        code, told = doctor(path, *option)
        assert code == 1
        assert "--backend and --url are for detectors" in line(told, "problem")


def test_a_described_file_of_a_kind_that_no_backend_reads_is_not_an_entry(doctor, tmp_path):
    (tmp_path / "robot.uff").write_bytes(b"what")
    (tmp_path / "robot.yaml").write_text(
        "{labels: [person], backends: [jetson], input: {kind: image}, decoder: pixels}"
    )
    code, told = doctor(tmp_path / "robot.uff")
    assert code == 1
    assert line(told, "format").endswith("described by its .yaml")
    assert "is not installed" in line(told, "problem")


def test_an_entry_of_the_manifest(doctor, monkeypatch, shared):
    monkeypatch.setenv("I2T_MODEL_PATH", str(shared / "models"))
    code, told = doctor("yolox_nano", "--image", shared / "images" / "pets.jpg")
    assert code == 0
    assert line(told, "file").endswith("yolox_nano.onnx, 3.7 MB")
    assert "2 object(s)" in line(told, "found")


def test_its_options_want_a_model(doctor):
    with pytest.raises(InvalidRequestError, match="name a file"):
        doctor("--json")


def test_a_file_cannot_steer_the_terminal(doctor, file):
    _, told = doctor(file(metadata={**ULTRALYTICS, "author": "\x1b[2Jme\n"}))
    assert "\x1b" not in told
    assert "author: \N{REPLACEMENT CHARACTER}[2Jme" in told
