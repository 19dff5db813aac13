"""RapidOCR: finds and reads text with PaddleOCR's networks on ONNX Runtime.

The package contains three networks: one finds lines, one detects upside-down lines, and one reads.
Only a reading network for another language comes from the manifest.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import rapidocr
from numpy.typing import NDArray
from omegaconf import flag_override

from i2t_ros.backends.base import BackendOptions, Tensor
from i2t_ros.backends.cores import backend_threads
from i2t_ros.errors import BackendUnavailableError, InferenceError, ModelCorruptError
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.types import Image
from i2t_ros.vision.decoders import in_reading_order

# Contained in RapidOCR 3.10, 32 MB in all.
NETWORKS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}

LONGEST = 4
"""An image gets margins until its aspect ratio is at most this. RapidOCR enlarges the shorter side
to 736 pixels; a strip of 100 x 4000 would cost 2.6 GB and 12 s."""

UPRIGHT = 1.5
"""A region this many times as high as wide is rotated before reading, as in RapidOCR."""


class RapidOcrBackend:
    """Reads lines of text: corners (N, 4, 2) float32, texts (N,) of str, scores (N,) float32.

    Its input is the image itself.
    """

    device = "cpu"
    concurrency = 1
    batch = 1

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the networks and read a page once.

        ``files`` has the reading network; if it is empty, RapidOCR's own is used. Raises
        BackendUnavailableError if a network is missing from RapidOCR, and ModelCorruptError if one
        cannot be used.
        """
        networks = {part: _own_network(file) for part, file in NETWORKS.items()}
        networks["Rec"] = files[0] if files else networks["Rec"]
        threads = backend_threads(options.threads)
        settings: dict[str, Any] = {f"{part}.model_path": str(networks[part]) for part in networks}
        settings["Global.log_level"] = "error"  # otherwise it warns of every image without text
        settings["Global.text_score"] = 0.0  # the decoder applies the minimum score
        settings["Global.use_vertical_padding"] = (
            False  # _with_margins does that, also for tall images
        )
        settings["EngineConfig.onnxruntime.intra_op_num_threads"] = threads.number
        _remove_console_handler()
        self.report = (
            f"RapidOCR {version('rapidocr')} on cpu, reading with {networks['Rec'].name}, "
            f"{threads.report}"
        )
        self._reader: _Reader | None = None
        try:
            self._reader = _Reader(params=settings)
            self._reader(_page())
        except Exception as error:  # its errors have no common base class
            listed = ", ".join(map(str, networks.values()))
            raise ModelCorruptError(
                f"RapidOCR {version('rapidocr')} cannot use one of {listed}: {error}"
            ) from error

    def infer(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the lines of one image; see Backend."""
        if self._reader is None:
            raise InferenceError("rapidocr: used after close()")
        image, margins = _with_margins(inputs[0])
        try:
            found: Any = self._reader(image)
        except Exception as error:  # its errors have no common base class
            raise InferenceError(f"RapidOCR failed: {error}") from error
        if found.boxes is None:
            found.boxes, found.txts, found.scores = [], (), ()
        corners = np.asarray(found.boxes, np.float32).reshape(-1, 4, 2) - margins
        height, width = inputs[0].shape[:2]
        return [
            np.clip(corners, 0, [width, height], dtype=np.float32),
            np.array(found.txts, object),
            np.array(found.scores, np.float32),
        ]

    def close(self) -> None:
        """Release the networks; see Backend."""
        self._reader = None


def engine() -> tuple[str, tuple[str, ...]]:
    """Return the library's version and its devices, for `i2t models doctor`."""
    return version("rapidocr"), ("cpu",)


class _Reader(rapidocr.RapidOCR):
    """RapidOCR with our own sessions, and with the corners of each line in reading order."""

    def _initialize(self, cfg: Any) -> None:
        """Give each network a session; only so can the waiting of its threads be set."""
        settings = cfg.EngineConfig.onnxruntime
        with flag_override(cfg, ["struct", "allow_objects"], [False, True]):
            for part in NETWORKS:
                cfg[part].session = _session(
                    cfg[part].model_path,
                    settings.intra_op_num_threads,
                    settings.enable_cpu_mem_arena,
                )
        super()._initialize(cfg)

    def build_final_output(self, ori_img: Any, det_res: Any, cls_res: Any, *rest: Any) -> Any:
        """Order the corners here, where it is still known which lines were rotated."""
        if det_res.boxes is not None and cls_res.cls_res is not None:
            least = self.cfg.Cls.cls_thresh
            det_res.boxes = np.array(
                [
                    in_reading_order(
                        corners,
                        horizontal=_is_horizontal(corners),
                        flipped=label == "180" and score > least,
                    )
                    for corners, (label, score) in zip(det_res.boxes, cls_res.cls_res, strict=True)
                ]
            )
        return super().build_final_output(ori_img, det_res, cls_res, *rest)


def _session(path: str, threads: int, arena: bool) -> ort.InferenceSession:
    """Return a session whose threads sleep when they have nothing to do.

    By default they spin for a while, which mostly slows down the other two networks of the same
    image. Sleeping reduced the CPU time from 1.4 s to 1.1 s.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = arena
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _is_horizontal(corners: np.ndarray[Any, Any]) -> bool:
    """Return whether RapidOCR reads the line without rotating it by 90 degrees."""
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    width, height = int(max(sides[0], sides[2])), int(max(sides[1], sides[3]))
    return height / max(width, 1) < UPRIGHT


def _with_margins(image: Image) -> tuple[Image, NDArray[np.float32]]:
    """Return an image that is not too long, and the offset (x, y) of its contents in pixels."""
    height, width = image.shape[:2]
    across = max(0, math.ceil(height / LONGEST) - width)
    down = max(0, math.ceil(width / LONGEST) - height)
    if across or down:
        image = cv2.copyMakeBorder(
            image,
            down // 2,
            down - down // 2,
            across // 2,
            across - across // 2,
            cv2.BORDER_REPLICATE,
        ).astype(np.uint8)
    return image, np.array([across // 2, down // 2], np.float32)


def _own_network(name: str) -> Path:
    """Return the file of one of RapidOCR's networks; with a path, RapidOCR downloads nothing."""
    file = Path(rapidocr.__file__).parent / "models" / name
    if not file.is_file():
        raise BackendUnavailableError(
            f"RapidOCR {version('rapidocr')} lacks {file}; a version that works: "
            "pip install --force-reinstall rapidocr==3.10.0"
        )
    return file


def _remove_console_handler() -> None:
    """Remove the handler of RapidOCR's logger, so that its lines go where all logs go."""
    logger = logging.getLogger("RapidOCR")
    logger.handlers.clear()
    logger.propagate = True


def _page() -> Image:
    """Return a page with a word; without one, not all three networks are loaded."""
    page = np.full((320, 320, 3), 255, np.uint8)
    cv2.putText(page, "Page", (40, 180), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 0, 0), 4)
    return page
