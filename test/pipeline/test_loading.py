"""Which model and backend a task gets, and what it is told if it gets none."""

import os

import numpy as np
import pytest
from making import open_detector
from msgspec.structs import replace

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import is_installed
from i2t_ros.errors import (
    BackendMissingError,
    BackendUnavailableError,
    InvalidRequestError,
    ModelCacheError,
    ModelCorruptError,
    ModelDownloadError,
    ModelMissingError,
    UnknownModelError,
)
from i2t_ros.models.manifest import find_spec

PACKAGED = "ssd_mobilenet_v2_openimages"


@pytest.fixture
def no_models(monkeypatch, tmp_path):
    """Give the test an empty cache, and downloads that fail and are counted."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("I2T_MODEL_PATH", raising=False)
    monkeypatch.delenv("I2T_OFFLINE", raising=False)
    tried = []

    def download(file, _target, **_):
        tried.append(file.name)
        raise ModelDownloadError("no network")

    monkeypatch.setattr("i2t_ros.models.download.download", download)
    return tried


@pytest.fixture
def yolox_at_hand(monkeypatch, shared, no_models):
    monkeypatch.setenv("I2T_MODEL_PATH", str(shared / "models"))
    return no_models


def test_auto_takes_what_is_at_hand(yolox_at_hand):
    opened = open_detector()
    assert opened.spec.name == "yolox_nano"
    assert opened.backend_name == "onnxruntime"
    assert opened.name == "yolox_nano on onnxruntime (cpu)"
    assert "the best at hand" in opened.report
    assert not opened.degraded
    assert yolox_at_hand == []
    assert len(opened.detect(np.full((100, 200, 3), 90, np.uint8))) == 0


def test_auto_without_anything_is_degraded_and_says_why(no_models):
    opened = open_detector()
    assert opened.name == "opencv_people_faces on opencv (cpu)"
    assert opened.degraded
    assert "no network" in opened.report
    best, packaged = (find_spec(name).files[0].name for name in ("yolox_nano", PACKAGED))
    assert no_models == ([best, packaged] if is_installed("litert") else [best])


@pytest.mark.parametrize(
    "failure", [ModelDownloadError("the host is not reached"), ModelCorruptError("a proxy's page")]
)
def test_auto_takes_what_a_package_carries_where_urls_fail(no_models, monkeypatch, shared, failure):
    """Of all models that are not here, it tries the best, and the best that a registry has."""
    real = find_spec("yolox_nano")
    package = find_spec(PACKAGED).files[0].package
    packed = (replace(real.files[0], name="packed.onnx", package=package),)
    ranked = [
        real,
        replace(real, name="second", auto=3),
        replace(real, name="third", files=packed, auto=4),
        replace(real, name="fourth", files=packed, auto=5),
    ]
    monkeypatch.setattr("i2t_ros.pipeline.loading.ranked_models", lambda task: ranked)

    def download(file, target, **_):
        no_models.append(file.name)
        if file.package is None:
            raise failure
        target.parent.mkdir(parents=True)
        target.symlink_to(shared / "models" / "yolox_nano.onnx")

    monkeypatch.setattr("i2t_ros.models.download.download", download)
    opened = open_detector()
    assert opened.spec.name == "third"
    assert not opened.degraded
    assert f"downloaded; passed over: {failure}" in opened.report
    assert no_models == ["yolox_nano.onnx", "packed.onnx"]


def test_auto_tries_no_package_if_nothing_can_be_stored(no_models, monkeypatch):
    def download(file, _target, **_):
        no_models.append(file.name)
        raise ModelCacheError("the disk is full")

    monkeypatch.setattr("i2t_ros.models.download.download", download)
    assert open_detector().degraded
    assert no_models == ["yolox_nano.onnx"]


def test_auto_offline_tries_no_download(no_models):
    opened = open_detector(offline=True)
    assert opened.degraded
    assert "i2t models fetch yolox_nano" in opened.report
    assert no_models == []


def test_auto_steps_over_a_corrupt_file_and_says_so(no_models, monkeypatch, tmp_path):
    monkeypatch.setenv("I2T_MODEL_PATH", str(tmp_path))
    (tmp_path / "yolox_nano.onnx").write_bytes(b"not this")
    opened = open_detector()
    assert opened.degraded
    assert "expected 3660092 bytes, got 8" in opened.report


def test_auto_tells_what_it_passed_over(yolox_at_hand, monkeypatch, tmp_path):
    monkeypatch.setenv("I2T_MODEL_PATH", f"{tmp_path}:{os.environ['I2T_MODEL_PATH']}")
    (tmp_path / "yolox_nano.onnx").write_bytes(b"not this")
    real = find_spec("yolox_nano")
    copy = replace(real, name="copy", files=(replace(real.files[0], name="copy.onnx"),), auto=9)
    os.symlink(yolox_path(), tmp_path / "copy.onnx")
    monkeypatch.setattr("i2t_ros.pipeline.loading.ranked_models", lambda task: [real, copy])
    opened = open_detector()
    assert opened.spec.name == "copy"
    assert "passed over" in opened.report
    assert "expected 3660092 bytes, got 8" in opened.report


def yolox_path():
    return os.path.join(os.environ["I2T_MODEL_PATH"].split(":")[-1], "yolox_nano.onnx")


def test_auto_with_a_named_backend_does_not_replace_it(no_models):
    with pytest.raises(BackendUnavailableError, match=r"nothing runs as asked: .*no network"):
        open_detector(backend="onnxruntime")


def test_auto_with_a_named_backend_speaks_of_its_models_alone(no_models):
    with pytest.raises(BackendUnavailableError) as caught:
        open_detector(backend="jetson")
    assert "jetson-inference" in str(caught.value)
    assert "yolo" not in str(caught.value)


def test_auto_with_a_backend_that_no_ranked_model_lists_says_what_to_do(no_models):
    with pytest.raises(
        BackendUnavailableError, match=r"do not list rapidocr\. Name the model .*--mod"
    ):
        open_detector(backend="rapidocr")
    assert no_models == []


@pytest.mark.parametrize("place", ["", "models"])
@pytest.mark.parametrize("options", [{"device": "nowhere"}, {"providers": ("cuda",)}])
def test_auto_downloads_nothing_for_a_choice_that_no_backend_has(
    no_models, monkeypatch, shared, place, options
):
    if place:
        monkeypatch.setenv("I2T_MODEL_PATH", str(shared / place))
    with pytest.raises(BackendUnavailableError) as caught:
        open_detector(options=BackendOptions(**options))
    assert str(caught.value).startswith("model auto: nothing runs as asked: yolox_nano: ")
    assert "jetson" not in str(caught.value)
    assert no_models == []


def test_auto_with_a_server_does_not_replace_it(no_models):
    if not is_installed("triton"):
        pytest.skip("tritonclient is not installed")
    options = BackendOptions(url="http://127.0.0.1:1", timeout=1.0)
    with pytest.raises(BackendUnavailableError, match=r"nothing runs as asked: .*Triton at http"):
        open_detector(options=options)


def test_a_named_model_is_never_replaced(no_models):
    with pytest.raises(ModelDownloadError):
        open_detector("yolox_nano")
    with pytest.raises(ModelMissingError):
        open_detector("yolox_nano", offline=True)
    with pytest.raises(UnknownModelError):
        open_detector("yolox_nono")


def test_a_named_model_asked_for_by_name_is_not_degraded():
    assert not open_detector("opencv_people_faces").degraded


def test_a_corrupt_path_is_named(tmp_path, shared):
    original = (shared / "models" / "yolox_nano.onnx").read_bytes()
    path = tmp_path / "broken.onnx"
    path.write_bytes(original[:5000])
    (tmp_path / "broken.yaml").write_text(
        "input: {format: {width: 416, height: 416}}\ndecoder: yolox\nlabels: coco80\n"
        "backends: [onnxruntime]\n"
    )
    with pytest.raises(ModelCorruptError, match=r"broken\.onnx: ONNX Runtime .* cannot load it"):
        open_detector(str(path))


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("opencv", "yolox_nano does not run on opencv; it runs on onnxruntime"),
        ("tensorflow", "there is no backend 'tensorflow'; known: onnxruntime"),
    ],
)
def test_a_backend_that_cannot(yolox_at_hand, backend, message):
    with pytest.raises(BackendUnavailableError, match=message):
        open_detector("yolox_nano", backend)


def test_an_engine_that_is_not_installed_says_how_to_get_it(yolox_at_hand, monkeypatch):
    monkeypatch.setattr("i2t_ros.optional.find_spec", lambda _: None)
    with pytest.raises(BackendMissingError, match="pip install onnxruntime"):
        open_detector("yolox_nano")


def test_options_reach_the_engine(yolox_at_hand):
    opened = open_detector("yolox_nano", options=BackendOptions(threads=1))
    assert "threads: 1" in opened.report


@pytest.mark.parametrize(
    ("backend", "options", "message"),
    [
        (
            "auto",
            BackendOptions(providers=("gpu",)),
            "has no provider gpu, only cpu; onnxruntime-gpu has cuda",
        ),
        ("auto", BackendOptions(providers=("cuda",)), "has no provider cuda, only cpu"),
        ("onnxruntime", BackendOptions(precision="bf16"), "on cpu does not compute in bf16; cpu"),
        ("openvino", BackendOptions(precision="tf32"), "OpenVINO has no precision 'tf32', only"),
        ("onnxruntime", BackendOptions(device="0"), "on cpu has no choice of device, got '0'"),
        ("onnxruntime", BackendOptions(url="robot:8000"), "onnxruntime has no choice of url"),
        (
            "auto",
            BackendOptions(url="robot:8000", precision="f16"),
            "yolox_nano runs on .*: none has a choice of precision and url",
        ),
    ],
)
def test_a_choice_that_cannot_be_had_is_refused(yolox_at_hand, backend, options, message):
    with pytest.raises(BackendUnavailableError, match=message):
        open_detector("yolox_nano", backend, options=options)


def test_a_choice_decides_between_engines(yolox_at_hand):
    if not is_installed("openvino"):
        pytest.skip("openvino is not installed")
    opened = open_detector("yolox_nano", options=BackendOptions(precision="f32"))
    assert opened.backend_name == "onnxruntime"
    opened = open_detector("yolox_nano", options=BackendOptions(precision="bf16"))
    assert opened.backend_name == "openvino"
    assert "not onnxruntime: ONNX Runtime on cpu does not compute in bf16" in opened.report
    with pytest.raises(BackendUnavailableError, match="finds no device TPU, only CPU"):
        open_detector(
            "yolox_nano", "openvino", options=BackendOptions(precision="f32", device="TPU")
        )
    with pytest.raises(InvalidRequestError, match="expected one of auto, f32, tf32, f16, bf16"):
        BackendOptions(precision="f8")
