"""What is particular to LiteRT: numbers in 8 bits at both ends."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
import tiny_models
from msgspec.structs import replace

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import load_backend
from i2t_ros.errors import ModelCorruptError, ModelMismatchError
from i2t_ros.models.manifest import ModelInput, find_spec
from i2t_ros.vision.decoders.classes import probabilities
from i2t_ros.vision.letterbox import Letterbox, TensorFormat

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")

RAW = TensorFormat(8, 8, layout="NHWC", color="rgb", dtype="uint8", resize="stretch")
REAL = replace(RAW, dtype="float32", std=(255.0, 255.0, 255.0))


def tiny(tmp_path, form):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tiny_models.quantized_ssd())
    spec = replace(
        find_spec("ssd_mobilenet_v1"),
        input=ModelInput(name="image", format=form),
        outputs=("boxes", "classes", "scores", "count"),
        backends=("litert",),
    )
    return load_backend("litert", spec, [path], BackendOptions())


@pytest.mark.parametrize("form", [RAW, REAL], ids=["pixels", "real numbers"])
def test_a_quantized_input_takes_pixels_or_real_numbers(tmp_path, form):
    image = np.zeros((8, 8, 3), np.uint8)
    image[0, 0] = (7, 200, 128)  # blue, green, red
    boxes, classes, scores, count = tiny(tmp_path, form).infer([Letterbox(form)(image)[0]])
    np.testing.assert_array_equal(boxes, tiny_models.BOXES)
    np.testing.assert_array_equal(classes, tiny_models.CLASSES)
    np.testing.assert_array_equal(count, tiny_models.COUNT)
    np.testing.assert_allclose(scores, [[128 / 255, 200 / 255]], atol=1e-6)


def test_real_numbers_out_of_range_are_clipped(tmp_path):
    picture = np.full((1, 8, 8, 3), 9.0, np.float32)
    np.testing.assert_allclose(tiny(tmp_path, REAL).infer([picture])[2], [[1.0, 1.0]])


def test_another_size_is_refused_when_it_is_loaded(tmp_path):
    with pytest.raises(ModelMismatchError, match=r"the model takes \(1, 8, 8, 3\) uint8"):
        tiny(tmp_path, replace(RAW, width=9))


def test_it_writes_nothing_to_the_terminal_when_all_is_well(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tiny_models.quantized_ssd())
    # LiteRT writes some lines once in a process.
    code = (
        "import pathlib, sys; from i2t_ros.backends import litert\n"
        "litert.read_facts(pathlib.Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_file_that_is_cut_off(tmp_path):
    path = tmp_path / "cut.tflite"
    path.write_bytes(tiny_models.quantized_ssd()[:100])
    with pytest.raises(ModelCorruptError, match=r"cut\.tflite: LiteRT cannot load it"):
        load_backend("litert", find_spec("mobilenet_v2_quantized"), [path], BackendOptions())


@pytest.mark.parametrize(
    ("photo", "label"),
    [("000000104455", "zebra"), ("000000318080", "brown bear"), ("000000047112", "pizza")],
)
def test_a_real_classifier_in_8_bits(shared, photo, label):
    spec = find_spec("mobilenet_v2_quantized")
    path = shared / "models" / spec.files[0].name
    backend = load_backend("litert", spec, [path], BackendOptions())
    image = cv2.imread(str(shared / "coco_tiny" / "val2017" / f"{photo}.jpg"))
    found = probabilities(backend.infer([Letterbox(spec.input.format)(image)[0]]))
    assert spec.labels[found.argmax()] == label
    assert found.max() > 0.9
    assert found.sum() == pytest.approx(1.0, abs=0.02)
