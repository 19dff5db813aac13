"""What is particular to ONNX Runtime."""

import json
import logging
import os
from contextlib import ExitStack

import numpy as np
import pytest

from i2t_ros.backends.base import MOST_CALLS, BackendOptions
from i2t_ros.backends.cores import Cores
from i2t_ros.backends.registry import load_backend
from i2t_ros.errors import BackendMissingError, BackendUnavailableError, ModelCorruptError
from i2t_ros.models.manifest import find_spec

ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
providers = pytest.importorskip("i2t_ros.backends.onnxruntime_providers")

CPU = "CPUExecutionProvider"

# What onnxruntime-gpu 1.31.1 writes to descriptor 2 on a machine without CUDA's libraries.
PAGE = (
    "\x1b[1;31m2026-11-28 11:20:46.524346756 [E:onnxruntime:Default, provider_bridge_ort.cc:2458 "
    "operator()] /onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:2043 onnxruntime:"
    ":Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load "
    "library /opt/onnxruntime/capi/libonnxruntime_providers_cuda.so with error: {library}: cannot "
    "open shared object file: No such file or directory\n\x1b[m\n"
    "\x1b[0;93m2026-11-28 11:20:46.524390724 [W:onnxruntime:Default, onnxruntime_pybind_state.cc:"
    "1295 CreateExecutionProviderFactoryInstance] Failed to create CUDAExecutionProvider. Require "
    "cuDNN 9.* and CUDA 13.*. Please install all dependencies as mentioned in the GPU requirements "
    "page (https://onnxruntime.ai/), make sure they're in the PATH, and that your GPU is supported."
    "\x1b[m\n"
)


@pytest.fixture
def path(shared):
    return shared / "models" / "yolox_nano.onnx"


@pytest.fixture
def cores(monkeypatch):
    def set_to(number, limit=""):
        for module in ("i2t_ros.backends.cores", "i2t_ros.backends.onnxruntime"):
            monkeypatch.setattr(f"{module}.usable_cores", lambda: Cores(number, limit))

    return set_to


def load(path, **options):
    return load_backend("onnxruntime", find_spec("yolox_nano"), [path], BackendOptions(**options))


class Machine:
    """Stands in for ONNX Runtime on a machine whose providers start, or say why they do not.

    asked      what each session was given for its providers
    broken     provider -> what it writes to standard error, or raises, in place of starting
    preloaded  how often the libraries of CUDA were looked for
    """

    def __init__(self, monkeypatch, *there):
        self.asked, self.broken, self.preloaded = [], {}, 0
        self._start = ort.InferenceSession
        full = [providers.PROVIDERS[name].name for name in (*there, "cpu")]
        monkeypatch.setattr(ort, "get_available_providers", lambda: full)
        monkeypatch.setattr(ort, "InferenceSession", self.open)
        monkeypatch.setattr(ort, "preload_dlls", self.preload, raising=False)
        monkeypatch.delenv(providers.TF32_OVERRIDE, raising=False)
        monkeypatch.setattr(os, "environ", dict(os.environ))
        providers._warn_once.cache_clear()

    def open(self, model, *settings, providers, **_):
        given = [p if isinstance(p, tuple) else (p, {}) for p in providers]
        self.asked.append(given)
        session = self._start(model, *settings, providers=[CPU])
        complaint = self.broken.get(given[0][0])
        if isinstance(complaint, Exception):
            raise complaint
        if complaint:
            os.write(2, complaint.encode())
        else:
            session.get_providers = lambda: [name for name, _ in given]
        return session

    def preload(self):
        self.preloaded += 1
        print("Failed to load libcudnn.so.9")  # noqa: T201 (as the real one does)

    def settings(self, name):
        """Return what the last session was given for a provider."""
        return dict(self.asked[-1])[providers.PROVIDERS[name].name]


def test_threads_are_those_that_this_process_may_use(path, cores):
    cores(2, "quota")
    assert "on cpu, threads: 2 of 2 cores (quota)" in load(path).report
    cores(1)
    assert "threads: 1 of 1 cores" in load(path).report
    assert "threads: 3 (asked for)" in load(path, threads=3).report


def together(backend, count=2):
    """Let so many calls meet; return the sessions that they were lent."""
    with ExitStack() as stack:
        return [stack.enter_context(backend._session(backend.model)) for _ in range(count)]


def threads_of(session):
    return session.get_session_options().intra_op_num_threads


@pytest.mark.parametrize(
    ("number", "wide", "concurrency"), [(2, 2, 2), (4, 4, 4), (16, 4, MOST_CALLS)]
)
def test_a_call_that_is_alone_has_several_threads_and_those_that_meet_one(
    path, cores, number, wide, concurrency
):
    cores(number)
    backend = load(path)
    assert backend.concurrency == concurrency
    alone, second, third = together(backend, 3)
    assert [threads_of(session) for session in (alone, second, third)] == [wide, 1, 1]
    assert second is third
    assert together(backend) == [alone, second], "it is loaded once"


def test_threads_that_are_asked_for_are_had(path, cores):
    cores(2)
    backend = load(path, threads=6)
    assert backend.concurrency == 6
    assert [threads_of(session) for session in together(backend)] == [6, 1]


def test_with_one_core_there_is_one_session(path, cores):
    cores(1)
    for backend in (load(path), load(path, threads=1)):
        assert backend.concurrency == 1
        first, second = together(backend)
        assert first is second
        assert threads_of(first) == 1


def test_a_file_that_has_gone_leaves_one_session(path, tmp_path):
    copy = tmp_path / "model.onnx"
    copy.write_bytes(path.read_bytes())
    backend = load(copy, threads=2)
    copy.unlink()
    first, second = together(backend)
    assert first is second


def test_a_file_that_is_cut_off(path, tmp_path):
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(ModelCorruptError, match=r"cut\.onnx: ONNX Runtime .* cannot load it"):
        load(cut)


def test_a_provider_of_ones_own_choice_that_does_not_start(path, monkeypatch, capfd):
    machine = Machine(monkeypatch, "cuda")
    machine.broken["CUDAExecutionProvider"] = PAGE.format(library="libcudnn.so.9")
    with pytest.raises(BackendUnavailableError) as raised:
        load(path, providers=("cuda", "cpu"))
    assert str(raised.value) == (
        "ONNX Runtime could not start the provider cuda: libcudnn.so.9: cannot open shared object "
        'file. pip install "onnxruntime-gpu[cuda,cudnn]" has the libraries of CUDA and cuDNN, '
        "the driver comes with the system; or ask for another"
    )
    assert capfd.readouterr() == ("", ""), "its page is not repeated"


def test_a_provider_that_nobody_asked_for_and_does_not_start(path, monkeypatch, capfd, caplog):
    machine = Machine(monkeypatch, "cuda")
    machine.broken["CUDAExecutionProvider"] = "of another thread\n" + PAGE.format(library="libx")
    with caplog.at_level(logging.WARNING):
        backends = [load(path), load(path)]
    assert [backend.device for backend in backends] == ["cpu", "cpu"]
    assert "on cpu" in backends[0].report
    (warning,) = [record.getMessage() for record in caplog.records]
    assert "provider cuda: libx: cannot open shared object file. pip install" in warning
    assert "It runs on cpu instead" in warning
    assert capfd.readouterr().err == "of another thread\n" * 2


def test_a_provider_that_raises(path, monkeypatch, capfd):
    machine = Machine(monkeypatch, "tensorrt", "cuda")
    machine.broken["TensorrtExecutionProvider"] = RuntimeError("no\n libnvinfer " + "at all " * 99)
    with pytest.raises(
        BackendUnavailableError, match="provider tensorrt: no libnvinfer at"
    ) as raised:
        load(path, providers=("tensorrt", "cuda"))
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600
    machine.broken["TensorrtExecutionProvider"] = PAGE.format(library="").replace(
        "Failed to load library /opt/onnxruntime/capi/libonnxruntime_providers_cuda.so with error: "
        ": cannot open shared object file: No such file or directory",
        "[ERROR] [OpenVINO] CPU only supports FP32",
    )
    with pytest.raises(BackendUnavailableError, match=r"tensorrt: \[OpenVINO\] CPU only supports"):
        load(path, providers=("tensorrt",))
    machine.broken["TensorrtExecutionProvider"] = "nothing that a pattern knows\n"
    with pytest.raises(BackendUnavailableError, match="tensorrt: it gives no reason"):
        load(path, providers=("tensorrt",))
    assert capfd.readouterr().err == "nothing that a pattern knows\n"


def test_a_provider_that_starts_and_then_does_not_take_the_model(path, monkeypatch):
    machine = Machine(monkeypatch, "cuda")
    start = machine.open

    def fall_back(model, *settings, **kwargs):
        session = start(model, *settings, **kwargs)
        if isinstance(model, str):
            session.get_providers = lambda: [CPU]
        return session

    monkeypatch.setattr(ort, "InferenceSession", fall_back)
    with pytest.raises(BackendUnavailableError, match="on the provider cuda and took cpu"):
        load(path, providers=("cuda", "cpu"))
    assert load(path).device == "cpu"
    with pytest.raises(BackendUnavailableError, match="on the provider cuda and took cpu"):
        load(path, precision="tf32")


def test_the_libraries_of_cuda_are_looked_for_only_with_cuda(path, monkeypatch, capfd):
    machine = Machine(monkeypatch)
    load(path)
    assert machine.preloaded == 0
    machine = Machine(monkeypatch, "cuda")
    assert load(path).device == "cuda"
    assert machine.preloaded == 1
    assert capfd.readouterr().out == ""
    load(path, providers=("cpu",))
    assert machine.preloaded == 1


def test_looking_for_them_may_fail_or_be_unknown(path, monkeypatch):
    Machine(monkeypatch, "cuda")
    monkeypatch.setattr(ort, "preload_dlls", lambda: 1 / 0)
    assert load(path).device == "cuda"
    monkeypatch.delattr(ort, "preload_dlls")
    assert load(path).device == "cuda"


def test_several_calls_in_flight_on_a_gpu_share_its_session(path, monkeypatch):
    Machine(monkeypatch, "cuda", "tensorrt")
    for name in ("cuda", "tensorrt"):
        backend = load(path, providers=(name,))
        assert backend.concurrency > 1
        first, second = together(backend)
        assert first is second


def test_float32_is_exact_on_every_provider(path, monkeypatch):
    machine = Machine(monkeypatch, "cuda", "tensorrt", "openvino")
    for precision in ("auto", "f32"):
        load(path, precision=precision)
        assert machine.settings("cuda") == {"use_tf32": "0"}
        assert providers.TF32_OVERRIDE not in os.environ, "CUDA needs no such thing"
    load(path, providers=("openvino",))
    assert machine.settings("openvino") == {"device_type": "CPU", "precision": "ACCURACY"}
    load(path, providers=("openvino",), precision="f32", device="GPU.1")
    assert machine.settings("openvino") == {"device_type": "GPU.1", "precision": "FP32"}
    load(path, providers=("tensorrt", "cuda"))
    assert machine.settings("tensorrt") == {}
    assert machine.settings("cuda") == {"use_tf32": "0"}
    assert os.environ[providers.TF32_OVERRIDE] == "0"


def test_less_is_had_by_name(path, monkeypatch):
    machine = Machine(monkeypatch, "cuda", "tensorrt", "openvino")
    assert "on cuda, precision tf32" in load(path, precision="tf32").report
    assert machine.settings("cuda") == {"use_tf32": "1"}
    load(path, providers=("tensorrt",), precision="tf32")
    assert machine.settings("tensorrt") == {}
    assert providers.TF32_OVERRIDE not in os.environ
    load(path, providers=("tensorrt",), precision="f16", device="1")
    assert machine.settings("tensorrt") == {"device_id": "1", "trt_fp16_enable": "1"}
    load(path, providers=("tensorrt",), precision="bf16")
    assert machine.settings("tensorrt") == {"trt_bf16_enable": "1"}
    load(path, providers=("openvino",), precision="bf16", device="GPU.1")
    wanted = machine.settings("openvino")["load_config"]
    assert json.loads(wanted) == {"GPU": {"INFERENCE_PRECISION_HINT": "bf16"}}


def test_tf32_after_tensorrt_kept_it_out(path, monkeypatch):
    Machine(monkeypatch, "cuda", "tensorrt")
    load(path, providers=("tensorrt",))
    with pytest.raises(BackendUnavailableError, match="NVIDIA_TF32_OVERRIDE=0 in the environment"):
        load(path, precision="tf32")


def test_before_1_18_cuda_is_exact_by_the_environment(path, monkeypatch):
    machine = Machine(monkeypatch, "cuda")
    monkeypatch.setattr(ort, "__version__", "1.16.3")
    load(path)
    assert machine.settings("cuda") == {}
    assert os.environ[providers.TF32_OVERRIDE] == "0"


@pytest.mark.parametrize(
    ("there", "options", "message"),
    [
        (
            (),
            {"precision": "f16"},
            "on cpu does not compute in f16; cpu: f32; cuda: f32, tf32, f16",
        ),
        ((), {"precision": "tf32"}, "on cpu does not compute in tf32"),
        (("cuda",), {"precision": "bf16"}, "on cuda does not compute in bf16"),
        (("cuda",), {"precision": "f16", "providers": ("cpu", "cuda")}, "on cpu does not compute"),
    ],
)
def test_a_precision_that_cannot_be_had_is_refused(path, monkeypatch, there, options, message):
    Machine(monkeypatch, *there)
    with pytest.raises(BackendUnavailableError, match=message):
        load(path, **options)


def test_a_precision_that_only_the_broken_provider_has_is_not_dropped(path, monkeypatch):
    machine = Machine(monkeypatch, "cuda")
    machine.broken["CUDAExecutionProvider"] = PAGE.format(library="libcudnn.so.9")
    with pytest.raises(BackendUnavailableError, match=r"provider cuda: libcudnn\.so\.9"):
        load(path, precision="tf32")


def test_half_precision_on_cuda_is_a_converted_file(path, monkeypatch):
    """The provider is a stand-in, but the file is the real one: its results differ, and little."""
    pytest.importorskip("onnx", reason="onnx is not installed")
    rng = np.random.default_rng(0)
    picture = rng.uniform(0, 255, (1, 3, 416, 416)).astype(np.float32)
    (exact,) = load(path).infer([picture])
    Machine(monkeypatch, "cuda")
    (half,) = load(path, precision="f16").infer([picture])
    assert half.dtype == np.float32
    scores, of_half = exact[0, :, 4], half[0, :, 4]
    assert 1e-5 < np.abs(scores - of_half).max() < 0.02


def test_half_precision_on_cuda_needs_onnx(path, monkeypatch):
    Machine(monkeypatch, "cuda")
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime.transformers.float16", None)
    with pytest.raises(BackendMissingError, match="pip install onnx; tensorrt does without"):
        load(path, precision="f16")


def test_a_device_is_handed_to_the_provider(path, monkeypatch):
    machine = Machine(monkeypatch, "cuda")
    load(path, device="1")
    assert machine.asked[-1] == [
        ("CUDAExecutionProvider", {"device_id": "1", "use_tf32": "0"}),
        (CPU, {}),
    ]


def test_the_model_that_providers_are_tried_with_is_one():
    session = ort.InferenceSession(providers.IDENTITY, providers=[CPU])
    given = np.array([4.0], np.float32)
    np.testing.assert_array_equal(session.run(None, {"x": given})[0], given)
