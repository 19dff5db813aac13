"""ONNX Runtime's execution providers: which there are, how exact, and why one does not start."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import onnxruntime as ort

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.stderr import hold_stderr
from i2t_ros.errors import BackendUnavailableError
from i2t_ros.optional import needed_for

logger = logging.getLogger(__name__)

PROVIDERS = MappingProxyType(
    {
        "cpu": "CPUExecutionProvider",
        "cuda": "CUDAExecutionProvider",
        "tensorrt": "TensorrtExecutionProvider",
        "openvino": "OpenVINOExecutionProvider",
    }
)

AUTOMATIC = ("cuda", "cpu")
"""TensorRT compiles for minutes at the first start, so it is used only if it is asked for."""

PRECISIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cpu": ("f32",),
        "cuda": ("f32", "tf32", "f16"),
        "tensorrt": ("f32", "tf32", "f16", "bf16"),
        "openvino": ("f32", "f16", "bf16"),
    }
)
"""What each provider can compute in, beside ``auto``."""

REMEDY = MappingProxyType(
    {
        "cuda": 'pip install "onnxruntime-gpu[cuda,cudnn]" brings the libraries of CUDA and cuDNN, '
        "the driver comes with the system",
        "tensorrt": "pip install tensorrt, and name the folder of libnvinfer in LD_LIBRARY_PATH",
        "openvino": "pip install onnxruntime-openvino, and the driver of the device",
    }
)

TENSORRT_SETTINGS = MappingProxyType({"f16": "trt_fp16_enable", "bf16": "trt_bf16_enable"})

TF32_OVERRIDE = "NVIDIA_TF32_OVERRIDE"
"""0 in the environment forbids TF32 to NVIDIA's libraries in the whole process. They read it once,
at their first use. For TensorRT ONNX Runtime has no setting (microsoft/onnxruntime #26029, #28177),
for CUDA it has one since 1.18 (#19357)."""
CUDA_HAS_TF32_SETTING = (1, 18)

LONGEST_CAUSE = 300
"""Characters of a provider's complaint that no pattern knows."""

# A model of one Identity, opset 13: what it takes to find out whether a provider starts.
IDENTITY = bytes.fromhex(
    "08083a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a020801620f0a0179"
    "120a0a08080112040a02080142040a00100d"
)

# A line of ONNX Runtime's log, with the color that it ends on a line of its own.
_LOG_LINE = re.compile(
    r"^(?:\x1b\[[\d;]*m)?\d{4}-\d\d-\d\d [\d:.]+ \[[VIWEF]:onnxruntime:[^\n]*\n?"
    r"(?:(?:\x1b\[[\d;]*m)?\n|\x1b\[[\d;]*m\Z)*",
    re.MULTILINE,
)


def choose_providers(options: BackendOptions) -> list[str]:
    """Return the short names of the providers to use, best first; each of them starts.

    Raises BackendUnavailableError for one that does not although it was asked for, or that cannot
    compute as asked. One that nobody asked for is passed over with a warning.
    """
    names = _candidates(options)
    _rule_tf32(names, options.precision)
    started = []
    for name in names:
        cause = "" if name == "cpu" else _why_not(name, options)
        if not cause:
            started.append(name)
            continue
        problem = f"ONNX Runtime could not start the provider {name}: {cause}. {REMEDY[name]}"
        if options.providers or names == [name]:
            raise BackendUnavailableError(f"{problem}; or ask for another")
        _warn_once(f"{problem}. It runs on {names[-1]} instead")
    return started


def provider_settings(name: str, options: BackendOptions) -> dict[str, str]:
    """Return a provider's settings; it computes in float32 exactly unless ``precision`` says less.

    https://onnxruntime.ai/docs/execution-providers/ has a page for each provider's.
    """
    precision, device = options.precision, options.device
    if name == "openvino":
        device = device or "CPU"
        return {"device_type": device, **_openvino_precision(precision, device)}
    settings = {"device_id": device} if device and name != "cpu" else {}
    if name == "cuda" and _version() >= CUDA_HAS_TF32_SETTING:
        settings["use_tf32"] = "1" if precision == "tf32" else "0"
    if name == "tensorrt" and precision in TENSORRT_SETTINGS:
        settings[TENSORRT_SETTINGS[precision]] = "1"
    return settings


def as_half(path: Path) -> bytes:
    """Return an .onnx that computes in float16 and takes and gives float32, for CUDA.

    ONNX Runtime's own converter makes it; TensorRT and OpenVINO convert by themselves.
    """
    with needed_for("precision f16 on cuda", "pip install onnx; tensorrt does without"):
        from onnxruntime.transformers.float16 import (  # noqa: PLC0415 (only who asks needs onnx)
            convert_float_to_float16,
        )
    converted: bytes = convert_float_to_float16(str(path), keep_io_types=True).SerializeToString()
    return converted


def _candidates(options: BackendOptions) -> list[str]:
    """Return the providers to try, checked against those there are and what they can do."""
    wanted, available = options.providers, ort.get_available_providers()
    if unknown := [name for name in wanted if name not in PROVIDERS]:
        raise BackendUnavailableError(
            f"ONNX Runtime: unknown provider {', '.join(unknown)}; known: {', '.join(PROVIDERS)}"
        )
    if absent := [name for name in wanted if PROVIDERS[name] not in available]:
        there = [name for name, full in PROVIDERS.items() if full in available]
        raise BackendUnavailableError(
            f"this build of ONNX Runtime has no provider {', '.join(absent)}, only "
            f"{', '.join(there)}; onnxruntime-gpu brings cuda and tensorrt, onnxruntime-openvino "
            "brings openvino"
        )
    names = [name for name in wanted or AUTOMATIC if PROVIDERS[name] in available]
    if options.device and set(names) <= {"cpu"}:
        raise BackendUnavailableError(
            f"ONNX Runtime on {', '.join(names)} has no choice of device, got {options.device!r}"
        )
    able = [name for name in names if computes_in(name, options.precision)]
    if able[:1] != names[:1] and (wanted or not able):
        others = "; ".join(f"{name}: {', '.join(kinds)}" for name, kinds in PRECISIONS.items())
        raise BackendUnavailableError(
            f"ONNX Runtime on {names[0]} does not compute in {options.precision}; {others}"
        )
    return names if wanted else able


def computes_in(name: str, precision: str) -> bool:
    """Whether a provider can compute as asked."""
    return precision == "auto" or precision in PRECISIONS[name]


def _rule_tf32(names: Sequence[str], precision: str) -> None:
    """Keep TF32 out by the environment if a provider has no setting for that.

    It holds for every session of this process from then on, which loses nothing but speed.
    """
    if precision == "tf32" and os.environ.get(TF32_OVERRIDE) == "0":
        raise BackendUnavailableError(
            f"precision tf32: {TF32_OVERRIDE}=0 in the environment of this process forbids it. "
            "i2t_ros sets it for exact results on tensorrt: then another process is needed"
        )
    by_environment = {"tensorrt"} if _version() >= CUDA_HAS_TF32_SETTING else {"tensorrt", "cuda"}
    if precision != "tf32" and by_environment & set(names):
        os.environ[TF32_OVERRIDE] = "0"


def _openvino_precision(precision: str, device: str) -> dict[str, str]:
    """Return the setting. The provider's own has no bf16, and for a CPU no f16 either."""
    if precision in {"auto", "f32"}:  # ACCURACY: the model's own, whatever the device prefers
        return {"precision": "ACCURACY" if precision == "auto" else "FP32"}
    kind = re.split("[.:]", device, maxsplit=1)[0]
    return {"load_config": json.dumps({kind: {"INFERENCE_PRECISION_HINT": precision}})}


def _why_not(name: str, options: BackendOptions) -> str:
    """Return why a provider does not start, "" if it does.

    It is tried with a tiny model, so that whatever goes wrong is the provider's doing, and that
    what it has to say, a page to standard error, is held back for a moment and not for the minutes
    that TensorRT compiles. What is loaded for it the real model needs too.
    """
    if name in {"cuda", "tensorrt"}:
        _preload_libraries()
    settings = provider_settings(name, options)
    if name == "tensorrt":
        settings["trt_min_subgraph_size"] = "1000"  # nothing is compiled
    raised = ""
    with hold_stderr() as held:
        try:
            session = ort.InferenceSession(
                IDENTITY, providers=[(PROVIDERS[name], settings)], enable_fallback=0
            )
            if session.get_providers()[0] == PROVIDERS[name]:
                return ""
        except Exception as error:  # its errors have no base of their own
            raised = str(error)
        said = held.take(_LOG_LINE)
    return _cause(name, said, raised)


def _cause(name: str, said: str, raised: str) -> str:
    """Return one line of what a provider said to standard error and what it raised."""
    own_library = rf"libonnxruntime_providers_{name}\S* with error: (.+)"
    for pattern in (own_library, r" with error: (.+)", r"\[ERROR\] (.+)"):
        if found := re.search(pattern, said):
            return found[1].strip().removesuffix(": No such file or directory")
    text = " ".join(re.sub(r"\x1b\[[\d;]*m", "", raised or said).split())
    return text[:LONGEST_CAUSE] or "it does not say why"


def _preload_libraries() -> None:
    """Have CUDA and cuDNN found if they were installed by pip, which the system does not search.

    What ONNX Runtime prints of those it does not find is repeated by the provider, if it matters.
    """
    if not hasattr(ort, "preload_dlls"):  # before 1.21
        return
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            ort.preload_dlls()
    except Exception as error:  # whatever it is, the provider may still start
        logger.debug("ONNX Runtime's preload_dlls: %s", error)
    logger.debug("ONNX Runtime's preload_dlls printed: %s", printed.getvalue())


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in ort.__version__.split(".")[:2])


@lru_cache
def _warn_once(message: str) -> None:
    logger.warning(message)
