"""ONNX Runtime's execution providers: which exist, their precisions, and why one does not start."""

import contextlib
import io
import json
import logging
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import onnxruntime as ort

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.stderr import hold_stderr
from i2t_ros.errors import BackendUnavailableError
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for

logger = logging.getLogger(__name__)


class Provider(NamedTuple):
    """An execution provider.

    name        ONNX Runtime's own name for it
    precisions  those that it has besides ``auto``
    calls       how many may run on a GPU at once
    remedy      what makes it start
    """

    name: str
    precisions: tuple[str, ...]
    calls: int = 1
    remedy: str = ""


# InferenceSession.run() is thread-safe (microsoft/onnxruntime #114). CUDA gives each call its own
# stream, so the copies of one call overlap with the layers of another, and small layers overlap
# with each other. TensorRT holds a lock for its part of a call (#19301), so a second call overlaps
# only with the copies. The numbers of calls follow from that and are not measured; more calls take
# more GPU memory.
PROVIDERS: Mapping[str, Provider] = {
    "cpu": Provider("CPUExecutionProvider", ("f32",)),
    "cuda": Provider(
        "CUDAExecutionProvider",
        ("f32", "tf32", "f16"),
        4,
        f"{how_to_install('onnxruntime-gpu[cuda,cudnn]')} has the libraries of CUDA and cuDNN, "
        "the driver comes with the system",
    ),
    "tensorrt": Provider(
        "TensorrtExecutionProvider",
        ("f32", "tf32", "f16", "bf16"),
        2,
        f"{how_to_install('tensorrt')}, and put the folder of libnvinfer into LD_LIBRARY_PATH",
    ),
    "openvino": Provider(
        "OpenVINOExecutionProvider",
        ("f32", "f16", "bf16"),
        1,
        f"{how_to_install('onnxruntime-openvino')}, and the driver of the device",
    ),
}

AUTOMATIC = ("cuda", "cpu")
"""TensorRT compiles for minutes at the first start, so it is used only on request."""

TENSORRT_SETTINGS = {"f16": "trt_fp16_enable", "bf16": "trt_bf16_enable"}

TF32_OVERRIDE = "NVIDIA_TF32_OVERRIDE"
"""With the value 0, NVIDIA's libraries use no TF32 in the whole process. They read it at their
first use. ONNX Runtime has no setting for TensorRT (microsoft/onnxruntime #26029, #28177), and one
for CUDA since 1.18 (#19357)."""

LONGEST_CAUSE = 300
"""Most characters of an error message that matches no pattern."""

# A model of one Identity node, opset 13, to test whether a provider starts.
IDENTITY = bytes.fromhex(
    "08083a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a020801620f0a0179"
    "120a0a08080112040a02080142040a00100d"
)

# A line of ONNX Runtime's log, with the color reset that follows on a separate line.
_LOG_LINE = re.compile(
    rb"^(?:\x1b\[[\d;]*m)?\d{4}-\d\d-\d\d [\d:.]+ \[[VIWEF]:onnxruntime:[^\n]*\n?"
    rb"(?:(?:\x1b\[[\d;]*m)?\n|\x1b\[[\d;]*m\Z)*",
    re.MULTILINE,
)


def choose_providers(options: BackendOptions) -> list[str]:
    """Return the short names of the providers to use, best first; all of them start.

    Raises BackendUnavailableError for a requested provider that does not start, or lacks the
    requested precision. A provider that was not requested is skipped with a warning.
    """
    names = _candidates(options)
    # Forbid TF32 through the environment if a provider has no setting for it. This applies to every
    # later session of this process, which costs only speed.
    by_environment = {"tensorrt"} if _cuda_has_tf32_setting() else {"tensorrt", "cuda"}
    if options.precision != "tf32" and by_environment & set(names):
        os.environ[TF32_OVERRIDE] = "0"
    started = []
    for name in names:
        cause = "" if name == "cpu" else _why_not(name, options)
        if not cause:
            started.append(name)
            continue
        problem = (
            f"ONNX Runtime could not start the provider {name}: {cause}. {PROVIDERS[name].remedy}"
        )
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
        if precision in {"auto", "f32"}:  # ACCURACY: the model's own precision
            own = {"precision": "ACCURACY" if precision == "auto" else "FP32"}
        else:  # the plain setting has no bf16, and no f16 on a CPU
            kind = re.split("[.:]", device, maxsplit=1)[0]
            own = {"load_config": json.dumps({kind: {"INFERENCE_PRECISION_HINT": precision}})}
        return {"device_type": device, **own}
    settings = {"device_id": device} if device and name != "cpu" else {}
    if name == "cuda" and _cuda_has_tf32_setting():
        settings["use_tf32"] = "1" if precision == "tf32" else "0"
    if name == "tensorrt" and precision in TENSORRT_SETTINGS:
        settings[TENSORRT_SETTINGS[precision]] = "1"
    return settings


def as_half(path: Path) -> bytes:
    """Return an .onnx file that computes in float16, with float32 inputs and outputs, for CUDA.

    ONNX Runtime's own converter makes it; TensorRT and OpenVINO convert by themselves.
    """
    with needed_for("precision f16 on cuda", f"{how_to_install('onnx')}; tensorrt does without"):
        from onnxruntime.transformers.float16 import convert_float_to_float16  # noqa: PLC0415 (only who asks needs onnx)
    converted: bytes = convert_float_to_float16(str(path), keep_io_types=True).SerializeToString()
    return converted


def computes_in(name: str, precision: str) -> bool:
    """Return whether a provider has a precision."""
    return precision == "auto" or precision in PROVIDERS[name].precisions


def _candidates(options: BackendOptions) -> list[str]:
    """Return the providers to try; raises BackendUnavailableError if the request cannot be met."""
    wanted, precision = options.providers, options.precision
    available = ort.get_available_providers()
    there = [name for name, provider in PROVIDERS.items() if provider.name in available]
    if absent := [name for name in wanted if name not in there]:
        raise BackendUnavailableError(
            f"this build of ONNX Runtime has no provider {', '.join(absent)}, only "
            f"{', '.join(there)}; onnxruntime-gpu has cuda and tensorrt, onnxruntime-openvino "
            "has openvino"
        )
    names = [name for name in wanted or AUTOMATIC if name in there]
    if options.device and set(names) <= {"cpu"}:
        raise BackendUnavailableError(
            f"ONNX Runtime on {', '.join(names)} has no choice of device, got {options.device!r}"
        )
    able = [name for name in names if computes_in(name, precision)]
    if able[:1] != names[:1] and (wanted or not able):
        others = "; ".join(f"{name}: {', '.join(p.precisions)}" for name, p in PROVIDERS.items())
        raise BackendUnavailableError(
            f"ONNX Runtime on {names[0]} does not compute in {precision}; {others}"
        )
    if precision == "tf32" and os.environ.get(TF32_OVERRIDE) == "0":
        raise BackendUnavailableError(
            f"precision tf32: {TF32_OVERRIDE}=0 in the environment of this process forbids it. "
            "i2t_ros sets it for exact results on tensorrt; use another process for tf32"
        )
    return names if wanted else able


def _why_not(name: str, options: BackendOptions) -> str:
    """Return why a provider does not start, in one line, or "" if it does.

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
    with hold_stderr(_LOG_LINE) as held:
        try:
            session = ort.InferenceSession(
                IDENTITY, providers=[(PROVIDERS[name].name, settings)], enable_fallback=0
            )
            if session.get_providers()[0] == PROVIDERS[name].name:
                return ""
        except Exception as error:  # its errors have no common base class
            raised = str(error)
    said = b"".join(held).decode(errors="replace")
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
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            ort.preload_dlls()
    except Exception as error:  # before 1.21 there is none; and the provider may still start
        logger.debug("ONNX Runtime's preload_dlls: %s", error)
    logger.debug("ONNX Runtime's preload_dlls printed: %s", printed.getvalue())


def _cuda_has_tf32_setting() -> bool:
    return tuple(map(int, ort.__version__.split(".")[:2])) >= (1, 18)


@lru_cache
def _warn_once(message: str) -> None:
    logger.warning(message)
