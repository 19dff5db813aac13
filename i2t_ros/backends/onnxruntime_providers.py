"""ONNX Runtime's execution providers: which exist, their precisions, and why one does not start."""

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
"""TensorRT compiles for minutes at the first start, so it is used only on request."""

PRECISIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cpu": ("f32",),
        "cuda": ("f32", "tf32", "f16"),
        "tensorrt": ("f32", "tf32", "f16", "bf16"),
        "openvino": ("f32", "f16", "bf16"),
    }
)
"""The precisions of each provider, besides ``auto``."""

REMEDY = MappingProxyType(
    {
        "cuda": 'pip install "onnxruntime-gpu[cuda,cudnn]" has the libraries of CUDA and cuDNN, '
        "the driver comes with the system",
        "tensorrt": "pip install tensorrt, and put the folder of libnvinfer into LD_LIBRARY_PATH",
        "openvino": "pip install onnxruntime-openvino, and the driver of the device",
    }
)

TENSORRT_SETTINGS = MappingProxyType({"f16": "trt_fp16_enable", "bf16": "trt_bf16_enable"})

TF32_OVERRIDE = "NVIDIA_TF32_OVERRIDE"
"""With the value 0, NVIDIA's libraries use no TF32 in the whole process. They read it at their
first use. ONNX Runtime has no setting for TensorRT (microsoft/onnxruntime #26029, #28177), and one
for CUDA since 1.18 (#19357)."""
CUDA_HAS_TF32_SETTING = (1, 18)

LONGEST_CAUSE = 300
"""Most characters of an error message that matches no pattern."""

# A model of one Identity node, opset 13, to test whether a provider starts.
IDENTITY = bytes.fromhex(
    "08083a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a020801620f0a0179"
    "120a0a08080112040a02080142040a00100d"
)

# A line of ONNX Runtime's log, with the color reset that follows on a separate line.
_LOG_LINE = re.compile(
    r"^(?:\x1b\[[\d;]*m)?\d{4}-\d\d-\d\d [\d:.]+ \[[VIWEF]:onnxruntime:[^\n]*\n?"
    r"(?:(?:\x1b\[[\d;]*m)?\n|\x1b\[[\d;]*m\Z)*",
    re.MULTILINE,
)


def choose_providers(options: BackendOptions) -> list[str]:
    """Return the short names of the providers to use, best first; all of them start.

    Raises BackendUnavailableError for a requested provider that does not start, or lacks the
    requested precision. A provider that was not requested is skipped with a warning.
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
    """Return a provider's settings: exact float32 unless ``precision`` allows less.

    https://onnxruntime.ai/docs/execution-providers/ has a page for each provider.
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
    """Return an .onnx file that computes in float16, with float32 inputs and outputs, for CUDA.

    ONNX Runtime's own converter makes it; TensorRT and OpenVINO convert by themselves.
    """
    with needed_for("precision f16 on cuda", "pip install onnx; tensorrt does without"):
        from onnxruntime.transformers.float16 import (  # noqa: PLC0415 (only who asks needs onnx)
            convert_float_to_float16,
        )
    converted: bytes = convert_float_to_float16(str(path), keep_io_types=True).SerializeToString()
    return converted


def _candidates(options: BackendOptions) -> list[str]:
    """Return the providers to try; raises BackendUnavailableError if the request cannot be met."""
    wanted, available = options.providers, ort.get_available_providers()
    if unknown := [name for name in wanted if name not in PROVIDERS]:
        raise BackendUnavailableError(
            f"ONNX Runtime: unknown provider {', '.join(unknown)}; known: {', '.join(PROVIDERS)}"
        )
    if absent := [name for name in wanted if PROVIDERS[name] not in available]:
        there = [name for name, full in PROVIDERS.items() if full in available]
        raise BackendUnavailableError(
            f"this build of ONNX Runtime has no provider {', '.join(absent)}, only "
            f"{', '.join(there)}; onnxruntime-gpu has cuda and tensorrt, onnxruntime-openvino "
            "has openvino"
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
    """Return whether a provider has a precision."""
    return precision == "auto" or precision in PRECISIONS[name]


def _rule_tf32(names: Sequence[str], precision: str) -> None:
    """Forbid TF32 through the environment if a provider has no setting for it.

    This applies to every later session of this process, which costs only speed.
    """
    if precision == "tf32" and os.environ.get(TF32_OVERRIDE) == "0":
        raise BackendUnavailableError(
            f"precision tf32: {TF32_OVERRIDE}=0 in the environment of this process forbids it. "
            "i2t_ros sets it for exact results on tensorrt; use another process for tf32"
        )
    by_environment = {"tensorrt"} if _version() >= CUDA_HAS_TF32_SETTING else {"tensorrt", "cuda"}
    if precision != "tf32" and by_environment & set(names):
        os.environ[TF32_OVERRIDE] = "0"


def _openvino_precision(precision: str, device: str) -> dict[str, str]:
    """Return the setting; the plain one has no bf16, and no f16 on a CPU."""
    if precision in {"auto", "f32"}:  # ACCURACY: the model's own precision
        return {"precision": "ACCURACY" if precision == "auto" else "FP32"}
    kind = re.split("[.:]", device, maxsplit=1)[0]
    return {"load_config": json.dumps({kind: {"INFERENCE_PRECISION_HINT": precision}})}


def _why_not(name: str, options: BackendOptions) -> str:
    """Return why a provider does not start, or "" if it does.

    The test uses a tiny model, so that any error is the provider's. Standard error, where it prints
    a page, is then held back only for a moment, not for the minutes that TensorRT compiles. The
    real model needs the same libraries, so no loading is wasted.
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
        except Exception as error:  # its errors have no common base class
            raised = str(error)
        said = held.take(_LOG_LINE)
    return _cause(name, said, raised)


def _cause(name: str, said: str, raised: str) -> str:
    """Return the reason in one line, from standard error or else from the exception."""
    own_library = rf"libonnxruntime_providers_{name}\S* with error: (.+)"
    for pattern in (own_library, r" with error: (.+)", r"\[ERROR\] (.+)"):
        if found := re.search(pattern, said):
            return found[1].strip().removesuffix(": No such file or directory")
    text = " ".join(re.sub(r"\x1b\[[\d;]*m", "", raised or said).split())
    return text[:LONGEST_CAUSE] or "it gives no reason"


def _preload_libraries() -> None:
    """Load CUDA and cuDNN if pip installed them, where the system does not search for libraries.

    ONNX Runtime prints which ones it does not find; if it matters, the provider's error says so.
    """
    if not hasattr(ort, "preload_dlls"):  # before 1.21
        return
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            ort.preload_dlls()
    except Exception as error:  # the provider may still start
        logger.debug("ONNX Runtime's preload_dlls: %s", error)
    logger.debug("ONNX Runtime's preload_dlls printed: %s", printed.getvalue())


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in ort.__version__.split(".")[:2])


@lru_cache
def _warn_once(message: str) -> None:
    logger.warning(message)
