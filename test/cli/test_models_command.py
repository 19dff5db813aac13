import argparse

import pytest

from i2t_ros.cli import models
from i2t_ros.errors import ModelMissingError
from i2t_ros.models.lookup import cache_file
from i2t_ros.models.manifest import find_spec


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """Give each test an empty cache, no folders, and no network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("I2T_OFFLINE", "1")
    monkeypatch.delenv("I2T_MODEL_PATH", raising=False)


def i2t(*arguments):
    parser = argparse.ArgumentParser()
    models.add_parser(parser.add_subparsers())
    args = parser.parse_args(["models", *arguments])
    return args.run(args)


def row(text, name):
    return next(line for line in text.splitlines() if line.startswith(f"{name} "))


def test_list_says_where_each_model_is(capsys):
    assert i2t("list") == 0
    listed = capsys.readouterr().out
    cells = [cell for cell in row(listed, "yolox_nano").split("  ") if cell]
    assert [cell.strip() for cell in cells][:5] == [
        "yolox_nano",
        "detect",
        "3.7 MB",
        "Apache-2.0",
        "i2t models fetch yolox_nano",
    ]
    assert "with the backend" in row(listed, "opencv_people_faces")


def test_list_of_what_is_here(capsys, monkeypatch, shared):
    monkeypatch.setenv("I2T_MODEL_PATH", str(shared / "models"))
    i2t("list")
    assert f"at hand: {shared / 'models'}" in row(capsys.readouterr().out, "yolox_nano")


def test_path_and_fetch_print_the_file(capsys, shared):
    spec = find_spec("yolox_nano")
    cached = cache_file(spec, spec.files[0])
    cached.parent.mkdir(parents=True)
    cached.symlink_to(shared / "models" / "yolox_nano.onnx")
    assert i2t("path", "yolox_nano") == 0
    assert i2t("fetch", "yolox_nano") == 0
    assert capsys.readouterr().out == f"{cached}\n{cached}\n"
    i2t("list")
    assert "cached" in row(capsys.readouterr().out, "yolox_nano")


def test_fetch_of_what_needs_no_file(capsys):
    assert i2t("fetch", "opencv_people_faces") == 0
    assert "nothing to fetch" in capsys.readouterr().out


def test_path_never_downloads(monkeypatch):
    monkeypatch.delenv("I2T_OFFLINE")
    with pytest.raises(ModelMissingError):
        i2t("path", "yolox_nano")


def test_verify_tells_good_from_bad(capsys, monkeypatch, shared, tmp_path):
    monkeypatch.setenv("I2T_MODEL_PATH", str(shared / "models"))
    assert i2t("verify") == 0
    assert f"yolox_nano: {shared / 'models' / 'yolox_nano.onnx'}: ok" in capsys.readouterr().out
    spec = find_spec("yolox_nano")
    cached = cache_file(spec, spec.files[0])
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"cut sho")
    assert i2t("verify", "yolox_nano") == 1
    assert f"{cached}: expected 3660092 bytes, got 7" in capsys.readouterr().out
    assert cached.exists()


def test_verify_of_what_is_not_here(capsys):
    assert i2t("verify") == 0
    assert i2t("verify", "yolox_nano") == 1
    assert "i2t models fetch yolox_nano" in capsys.readouterr().out


def test_doctor_says_what_runs_and_what_is_missing(capsys, monkeypatch, shared):
    monkeypatch.setenv("I2T_MODEL_PATH", str(shared / "models"))
    monkeypatch.setattr("i2t_ros.optional.find_spec", only("onnxruntime", "cv2"))
    assert i2t("doctor") == 0
    told = capsys.readouterr().out
    assert "cpu" in row(told, "onnxruntime")
    assert 'pip install "i2t_ros[openvino]"' in row(told, "openvino")
    assert "github.com/dusty-nv/jetson-inference" in row(told, "jetson")
    assert "i2t models fetch yolox_s" in row(told, "yolox_s")
    assert "offline: I2T_OFFLINE forbids downloads" in told
    assert "auto, with what is here: yolox_nano on onnxruntime (cpu)" in told
    assert i2t("doctor", "--backend", "opencv") == 1
    assert "with what is here: opencv_people_faces on opencv" in capsys.readouterr().out


def test_doctor_of_a_bare_machine(capsys, monkeypatch):
    monkeypatch.setattr("i2t_ros.optional.find_spec", only("cv2"))
    assert i2t("doctor") == 1
    told = capsys.readouterr().out
    assert "not installed" in row(told, "onnxruntime")
    assert "auto, with what is here: opencv_people_faces on opencv (cpu): DEGRADED" in told


def only(*modules):
    return lambda name: name if name in modules else None
