"""RapidOCR: finds and reads text with PaddleOCR's networks on ONNX Runtime.

The package contains three networks: one finds lines, one detects upside-down lines, and one reads.
Only a reading network for another language comes from the manifest.
"""

import importlib.metadata
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import rapidocr
from numpy.typing import NDArray
from omegaconf import flag_override

from i2t_ros.backends.base import Backend, BackendOptions, Tensor
from i2t_ros.backends.cores import backend_threads
from i2t_ros.errors import BackendUnavailableError, ModelCorruptError
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.types import Image
from i2t_ros.vision.decoders.texts import in_reading_order

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


class RapidOcrBackend(Backend):
    """Reads lines of text: corners (N, 4, 2) float32, texts (N,) of str, scores (N,) float32.

    Its input is the image itself.
    """

    title = "RapidOCR"
    version = importlib.metadata.version("rapidocr")

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the networks and read a page once.

        ``files`` has the reading network; if it is empty, RapidOCR's own is used. Raises
        BackendUnavailableError if a network is missing from RapidOCR, and ModelCorruptError if one
        cannot be used.
        """
        own = Path(rapidocr.__file__).parent / "models"  # with a path, RapidOCR downloads nothing
        networks = {part: own / name for part, name in NETWORKS.items()}
        if lacks := [str(file) for file in networks.values() if not file.is_file()]:
            raise BackendUnavailableError(
                f"RapidOCR {self.version} lacks {', '.join(lacks)}; a version that works: "
                "pip install --force-reinstall rapidocr==3.10.0"
            )
        networks["Rec"] = files[0] if files else networks["Rec"]
        threads = backend_threads(options.threads)
        settings: dict[str, Any] = {f"{part}.model_path": str(networks[part]) for part in networks}
        settings["Global.log_level"] = "error"  # otherwise it warns of every image without text
        settings["Global.text_score"] = 0.0  # the decoder applies the minimum score
        # _with_margins does that, also for tall images
        settings["Global.use_vertical_padding"] = False
        settings["EngineConfig.onnxruntime.intra_op_num_threads"] = threads.number
        # Without RapidOCR's own handler, its lines go where all logs go.
        logger = logging.getLogger("RapidOCR")
        logger.handlers.clear()
        logger.propagate = True
        self.report = (
            f"RapidOCR {self.version} on cpu, reading with {networks['Rec'].name}, {threads.report}"
        )
        # A page with a word; without one, not all three networks are loaded.
        page = np.full((320, 320, 3), 255, np.uint8)
        cv2.putText(page, "Page", (40, 180), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 0, 0), 4)
        try:
            self.model = _Reader(params=settings)
            self.model(page)
        except Exception as error:  # its errors have no common base class
            listed = ", ".join(map(str, networks.values()))
            raise ModelCorruptError(
                f"RapidOCR {self.version} cannot use one of {listed}: {error}"
            ) from error

    def run(self, model: "_Reader", inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the lines of one image; see Backend."""
        image, margins = _with_margins(inputs[0])
        found: Any = model(image)
        if found.boxes is None:
            found.boxes, found.txts, found.scores = [], (), ()
        corners = np.asarray(found.boxes, np.float32).reshape(-1, 4, 2) - margins
        height, width = inputs[0].shape[:2]
        return [
            np.clip(corners, 0, [width, height], dtype=np.float32),
            np.array(found.txts, object),
            np.array(found.scores, np.float32),
        ]


class _Reader(rapidocr.RapidOCR):
    """RapidOCR with our own sessions, and with the corners of each line in reading order."""

    def _initialize(self, cfg: Any) -> None:
        """Give each network a session whose threads sleep when they have nothing to do.

        By default they spin for a while, which mostly slows down the other two networks of the same
        image. Sleeping reduced the CPU time from 1.4 s to 1.1 s.
        """
        settings = cfg.EngineConfig.onnxruntime
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.enable_cpu_mem_arena = settings.enable_cpu_mem_arena
        options.intra_op_num_threads = settings.intra_op_num_threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        with flag_override(cfg, ["struct", "allow_objects"], [False, True]):
            for part in NETWORKS:
                cfg[part].session = ort.InferenceSession(
                    cfg[part].model_path, options, providers=["CPUExecutionProvider"]
                )
        super()._initialize(cfg)

    def build_final_output(self, ori_img: Any, det_res: Any, cls_res: Any, *rest: Any) -> Any:
        """Order the corners here, where it is still known which lines were rotated."""
        if det_res.boxes is not None and cls_res.cls_res is not None:
            lines = zip(det_res.boxes, cls_res.cls_res, strict=True)
            det_res.boxes = np.array(
                [
                    in_reading_order(
                        corners,
                        horizontal=_is_horizontal(corners),
                        flipped=label == "180" and score > self.cfg.Cls.cls_thresh,
                    )
                    for corners, (label, score) in lines
                ]
            )
        return super().build_final_output(ori_img, det_res, cls_res, *rest)


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
    top, left = down // 2, across // 2
    if across or down:
        image = cv2.copyMakeBorder(
            image, top, down - top, left, across - left, cv2.BORDER_REPLICATE
        ).astype(np.uint8, copy=False)
    return image, np.array([left, top], np.float32)
