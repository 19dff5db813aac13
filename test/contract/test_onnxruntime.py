"""What is particular to ONNX Runtime."""

import pytest

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import load_backend
from i2t_ros.errors import BackendUnavailableError, ModelCorruptError
from i2t_ros.models.manifest import find_spec

ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


@pytest.fixture
def path(shared):
    return shared / "models" / "yolox_nano.onnx"


def load(path, **options):
    return load_backend("onnxruntime", find_spec("yolox_nano"), [path], BackendOptions(**options))


def test_a_provider_that_does_not_start_is_told(path, monkeypatch):
    """ONNX Runtime takes the CPU in silence where a provider's libraries are missing."""
    everything = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    start = ort.InferenceSession
    monkeypatch.setattr(ort, "get_available_providers", lambda: everything)
    monkeypatch.setattr(
        ort,
        "InferenceSession",
        lambda *args, **_: start(*args, providers=["CPUExecutionProvider"]),
    )
    with pytest.raises(BackendUnavailableError, match="could not start the provider cuda and took"):
        load(path, providers=("cuda", "cpu"))
    backend = load(path)  # what nobody asked for may fail, and the report is honest
    assert backend.device == "cpu"
    assert "on cpu" in backend.report


def test_a_device_is_handed_to_the_provider(path, monkeypatch):
    handed_over = []
    start = ort.InferenceSession

    def record(*args, providers):
        handed_over.extend(providers)
        return start(*args, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(
        ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr(ort, "InferenceSession", record)
    load(path, device="1")
    assert handed_over == [
        ("CUDAExecutionProvider", {"device_id": "1"}),
        ("CPUExecutionProvider", {}),
    ]


def test_a_file_that_is_cut_off(path, tmp_path):
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(ModelCorruptError, match=r"cut\.onnx: ONNX Runtime .* cannot load it"):
        load(cut)


def test_threads_are_those_of_this_process(path, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    assert "threads: 1" in load(path).report


def together(backend):
    """Let two calls meet; return the sessions that they were lent."""
    with backend._session() as first, backend._session() as second:
        return first, second


def threads_of(session):
    return session.get_session_options().intra_op_num_threads


def test_calls_that_meet_have_half_of_the_threads(path):
    backend = load(path, threads=4)
    assert backend.concurrency == 2
    with backend._session() as alone:
        assert threads_of(alone) == 4
    first, second = together(backend)
    assert first is alone
    assert threads_of(second) == 2
    assert together(backend)[1] is second, "it is loaded once"
    with backend._session() as again:
        assert again is alone


def test_with_one_thread_there_is_one_session(path):
    backend = load(path, threads=1)
    assert backend.concurrency == 1
    first, second = together(backend)
    assert first is second


def test_a_file_that_has_gone_leaves_one_session(path, tmp_path):
    copy = tmp_path / "model.onnx"
    copy.write_bytes(path.read_bytes())
    backend = load(copy, threads=2)
    copy.unlink()
    first, second = together(backend)
    assert first is second
