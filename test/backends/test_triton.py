"""The Triton backend against a real server, and against servers that misbehave."""

import threading
import time

import numpy as np
import pytest
from making import open_detector
from msgspec.structs import replace
from ports import free_port
from triton_process import serving

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import load_backend
from i2t_ros.errors import BackendUnavailableError, InferenceError, ModelMismatchError
from i2t_ros.models.manifest import find_spec

pytest.importorskip("tritonclient", reason="tritonclient is not installed")

SPEC = find_spec("yolox_nano")
SCHEMES = ["http", "grpc"]


def load(url, timeout=5.0, **changes):
    spec = replace(SPEC, **changes)
    return load_backend("triton", spec, [], BackendOptions(url=url, timeout=timeout))


def pictures(count):
    rng = np.random.default_rng(0)
    return [rng.uniform(0, 255, (1, 3, 416, 416)).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_server_answers_as_the_engine_here_does(triton, shared, scheme):
    path = shared / "models" / "yolox_nano.onnx"
    here = load_backend("onnxruntime", SPEC, [path], BackendOptions())
    remote = load(triton[scheme])
    for picture in pictures(3):
        np.testing.assert_allclose(remote.infer([picture]), here.infer([picture]), atol=2e-3)


def test_a_url_chooses_the_server_without_any_file_here(triton, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("I2T_MODEL_PATH", raising=False)
    detector = open_detector("yolox_nano", options=BackendOptions(url=triton["grpc"]), offline=True)
    assert detector.backend_name == "triton"
    assert "Triton 2." in detector.report
    assert len(detector.detect(np.zeros((480, 640, 3), np.uint8))) == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_several_detectors_share_one_server(triton, shared, scheme):
    """Made in one thread, used in others; each gets the answers to its own pictures."""
    path = shared / "models" / "yolox_nano.onnx"
    here = load_backend("onnxruntime", SPEC, [path], BackendOptions())
    given = pictures(4)
    wanted = [here.infer([picture])[0] for picture in given]
    backends = [load(triton[scheme]), load(triton[scheme])]
    got, go = {}, threading.Barrier(4)

    def work(i):
        go.wait(5)
        got[i] = [backends[i % 2].infer([given[i]])[0] for _ in range(3)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for i in range(4):
        for answer in got[i]:
            np.testing.assert_allclose(answer, wanted[i], atol=2e-3)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_error_of_the_server_is_passed_on(triton, scheme):
    backend = load(triton[scheme], engine_model="fails")
    with pytest.raises(InferenceError, match="this model fails on purpose"):
        backend.infer(pictures(1))
    black = np.zeros((1, 3, 416, 416), np.float32)
    assert backend.infer([black])[0].shape == (1, 3549, 85)


def test_an_answer_that_takes_too_long(triton):
    backends = [load(triton[scheme], timeout=1.0, engine_model="slow") for scheme in SCHEMES]
    for backend in backends:
        started = time.monotonic()
        with pytest.raises(InferenceError):
            backend.infer(pictures(1))
        assert time.monotonic() - started < 4


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_model_that_the_server_lacks(triton, scheme):
    with pytest.raises(BackendUnavailableError, match="does not serve nonsense"):
        load(triton[scheme], engine_model="nonsense")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_as_many_images_in_a_call_as_the_server_takes(triton, scheme):
    backend = load(triton[scheme])
    assert backend.batch == 4
    given = pictures(3)
    (stacked,) = backend.infer([np.concatenate(given)])
    alone = np.concatenate([backend.infer([picture])[0] for picture in given])
    np.testing.assert_allclose(stacked, alone, atol=2e-3)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_model_that_is_another(triton, scheme):
    with pytest.raises(
        ModelMismatchError, match="no input named pictures, the model has 1: images"
    ):
        load(triton[scheme], input=replace(SPEC.input, name="pictures"))
    with pytest.raises(ModelMismatchError, match="no output named boxes, the model has 1: output"):
        load(triton[scheme], outputs=("boxes",))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nobody_listens(scheme):
    with pytest.raises(BackendUnavailableError, match="does not serve yolox_nano"):
        load(f"{scheme}://127.0.0.1:{free_port()}", timeout=2.0)


@pytest.mark.parametrize("url", ["", "http://", "ftp://robot:8000"])
def test_an_address_that_is_none(url):
    with pytest.raises(BackendUnavailableError, match="expected a url such as"):
        load(url)


def test_a_server_that_restarts(triton_python, shared):
    """Work fails while it is away and goes on when it is back, without anybody's help."""
    model = shared / "models" / "yolox_nano.onnx"
    http, grpc = free_port(), free_port()
    urls = {"http": f"http://127.0.0.1:{http}", "grpc": f"grpc://127.0.0.1:{grpc}"}
    with serving(triton_python, model, http, grpc):
        backends = [load(url, timeout=2.0) for url in urls.values()]
        for backend in backends:
            backend.infer(pictures(1))
    for backend in backends:
        with pytest.raises(InferenceError):
            backend.infer(pictures(1))
    with serving(triton_python, model, http, grpc):
        for backend in backends:
            assert backend.infer(pictures(1))[0].shape == (1, 3549, 85)
