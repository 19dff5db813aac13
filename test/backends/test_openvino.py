"""What is particular to OpenVINO."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import load_backend
from i2t_ros.errors import BackendUnavailableError
from i2t_ros.models.manifest import find_spec

ov = pytest.importorskip("openvino", reason="openvino is not installed")


@pytest.fixture
def path(shared):
    return shared / "models" / "yolox_nano.onnx"


def load(path, **options):
    return load_backend("openvino", find_spec("yolox_nano"), [path], BackendOptions(**options))


def picture(seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 255, (1, 3, 416, 416)).astype(np.float32)


def check_calls_at_once(backend, callers):
    one_by_one = [backend.infer([picture(seed)])[0] for seed in range(callers)]
    go = threading.Barrier(callers)

    def call(seed):
        go.wait(30)
        return backend.infer([picture(seed)])[0]

    with ThreadPoolExecutor(callers) as threads:
        for ours, alone in zip(threads.map(call, range(callers)), one_by_one, strict=True):
            np.testing.assert_allclose(ours, alone, rtol=1e-5, atol=1e-5)


def test_a_caller_too_many_waits(path):
    backend = load(path)
    assert backend.concurrency == 1
    check_calls_at_once(backend, 3)


def test_as_many_calls_at_once_as_the_device_makes_use_of(path, monkeypatch):
    ask = ov.CompiledModel.get_property

    def answer(model, name):
        return 3 if name == "OPTIMAL_NUMBER_OF_INFER_REQUESTS" else ask(model, name)

    monkeypatch.setattr(ov.CompiledModel, "get_property", answer)
    backend = load(path)
    assert backend.concurrency == 3
    requests = [backend.model.get_nowait() for _ in range(3)]
    assert len(set(map(id, requests))) == 3
    for request in requests:
        backend.model.put(request)
    check_calls_at_once(backend, 3)


def test_a_precision_that_it_lacks(path):
    with pytest.raises(BackendUnavailableError, match="no precision 'tf32', only auto, f32, f16"):
        load(path, precision="tf32")


def test_threads_are_told(path):
    assert "threads: 1 (asked for)" in load(path, threads=1).report
