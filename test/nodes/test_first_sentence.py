"""What detector_node imports and reads until its first sentence; bench/ measures the time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT

SCRIPT = ROOT / "test" / "support" / "first_sentence.py"
# Engines, tasks, downloads and listeners that a default start has no use for.
UNUSED = {
    "ai_edge_litert",
    "boto3",
    "deep_translator",
    "fastapi",
    "filelock",
    "inflect",
    "matplotlib",
    "onnx",
    "openvino",
    "pandas",
    "pydantic",
    "rapidocr",
    "requests",
    "scipy",
    "skimage",
    "sqlalchemy",
    "sympy",
    "tqdm",
    "trackers",
    "tritonclient",
    "typeguard",
    "urllib3",
    "uvicorn",
}


def first_sentence(**parameters):
    """Return what test/support/first_sentence.py tells of a detector_node with these parameters."""
    given = [word for pair in parameters.items() for word in ("-p", "{}:={}".format(*pair))]
    command = [sys.executable, str(SCRIPT), "--ros-args", "-p", "offline:=true", *given]
    done = subprocess.run(command, cwd="/", check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def hovercraft(tmp_path):
    """Return a model that sees what no language has a word for."""
    model = tmp_path / "harbor.onnx"
    model.write_bytes(b"not looked at")
    model.with_suffix(".txt").write_text("hovercraft\n")
    model.with_suffix(".yaml").write_text(
        "{backends: [fake], input: {kind: image}, decoder: pixels}\n"
    )
    return model


def test_a_start_imports_no_engine_but_its_own(shared):
    told = first_sentence(model=shared / "models" / "yolox_nano.onnx")

    assert "onnxruntime" in told["modules"]
    assert not UNUSED & set(told["modules"])


def test_the_first_frame_waits_for_no_import(hovercraft):
    told = first_sentence(model=hovercraft)

    assert "inflect" in told["modules"], "its label is in no language"
    assert not told["late"]


def test_each_file_is_read_once(shared):
    told = first_sentence(model=shared / "models" / "yolox_nano.onnx")

    times = {Path(path).name: count for path, count in told["opened"].items()}
    # Its first bytes, and all of it for its SHA-256; ONNX Runtime opens it by itself.
    assert times["yolox_nano.onnx"] == 2
    assert times["models.yaml"] == 1
    assert times["en.yaml"] == 1
