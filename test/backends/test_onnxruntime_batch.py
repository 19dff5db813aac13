"""Several images in one call of ONNX Runtime."""

import numpy as np
import pytest
import tiny_models
from msgspec.structs import replace

from i2t_ros.backends.base import MOST_CALLS, BackendOptions
from i2t_ros.backends.registry import load_backend
from i2t_ros.errors import ModelMismatchError
from i2t_ros.models.manifest import ModelInput, find_spec
from i2t_ros.vision.letterbox import TensorFormat

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def convolution(tmp_path, **model):
    pytest.importorskip("onnx", reason="onnx is not installed")
    path = tmp_path / "convolution.onnx"
    path.write_bytes(tiny_models.convolution_onnx(**model))
    form = TensorFormat(8, 8, layout="NCHW", color="rgb", dtype="float32", resize="stretch")
    spec = replace(
        find_spec("yolox_nano"), input=ModelInput(name="pictures", format=form), outputs=("scores",)
    )
    return load_backend("onnxruntime", spec, [path], BackendOptions(threads=2))


def test_images_in_one_call_give_what_each_gives_alone(tmp_path):
    backend = convolution(tmp_path)
    assert backend.batch == MOST_CALLS
    pictures = np.random.default_rng(0).uniform(0, 1, (3, 3, 8, 8)).astype(np.float32)
    (stacked,) = backend.infer([pictures])
    assert stacked.shape == (3, 4, 8, 8)
    alone = [backend.infer([pictures[i : i + 1]])[0] for i in range(3)]
    np.testing.assert_array_equal(stacked, np.concatenate(alone))


def test_a_model_for_one_image_takes_one(shared):
    path = shared / "models" / "yolox_nano.onnx"
    backend = load_backend("onnxruntime", find_spec("yolox_nano"), [path], BackendOptions())
    assert backend.batch == 1
    with pytest.raises(ModelMismatchError):
        backend.infer([np.zeros((2, 3, 416, 416), np.float32)])


def test_outputs_that_are_not_one_for_each_image_take_one(tmp_path):
    assert convolution(tmp_path, one_list=True).batch == 1


def test_outputs_that_are_not_what_they_say_are_refused(tmp_path, monkeypatch):
    backend = convolution(tmp_path)
    one_list = convolution(tmp_path, one_list=True)
    monkeypatch.setattr(backend, "model", one_list.model)
    with pytest.raises(ModelMismatchError, match=r"2 image\(s\) in, outputs of \[\(128, 4\)\]"):
        backend.infer([np.zeros((2, 3, 8, 8), np.float32)])
