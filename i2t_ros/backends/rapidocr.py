"""RapidOCR: finds and reads text with PaddleOCR's networks on ONNX Runtime.

The package contains three networks: one finds lines, one detects upside-down lines, and one reads.
Only a reading network for another language comes from the manifest.
"""

import importlib.metadata
import logging
import math
import unicodedata
from collections.abc import Sequence
from functools import cached_property
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
from i2t_ros.installation import how_to_install
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.types import Image
from i2t_ros.vision.decoders.texts import Unread, in_reading_order

# Contained in RapidOCR 3.10, 32 MB in all.
NETWORKS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}

LONGEST = 4
"""An image gets margins until its aspect ratio is at most this. RapidOCR enlarges the shorter side
to 736 pixels; a strip of 100 x 4000 would cost 2.6 GB and 12 s."""

SURE_LINE = 0.7
"""Score of the network that finds lines from which a line is there, even if none of it is read. On
85 photos, regions without writing that were not read had at most 0.64; most rendered lines in
scripts that the reading network does not know had 0.73 or more, few Russian ones less than 0.7."""

MOSTLY_BLANK = 0.84
"""Share of "no letter" in the answer for a line of which only punctuation is read, if it was
skipped: the network was trained to skip letters that it does not know. Lines that are read have
0.45 to 0.83, skipped ones with a comma or a full stop 0.9 and more."""

KOREAN = 0.45
LEAST_SEEN = 0.08
GREEK = 0.06
"""Which letters the network nearly saw where it skipped lines, summed up over its steps.

Korean: at least the share KOREAN of them, and the sum LEAST_SEEN, is Chinese and Japanese (Korean
pages had shares of 0.65 to 0.92, pages in other scripts up to 0.28). Cyrillic: of the others, at
least the share GREEK is Greek and not Latin (Cyrillic 0.07 and more; Arabic on both sides)."""

UPRIGHT = 1.5
"""A region this many times as high as wide is rotated before reading, as in RapidOCR."""


class RapidOcrBackend(Backend):
    """Reads lines of text: corners (N, 4, 2) float32, texts (N,) of str, scores (N,) float32.

    A line that cannot be read has an ``Unread`` in place of its text, "korean", "cyrillic" or
    "unknown", and its score says how sure it is that there is writing. Its input is the image
    itself.
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
                f"{how_to_install('rapidocr==3.10.0')}"
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
            self.model.tells_scripts = not files  # measured with RapidOCR's own network only
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
    """RapidOCR with our own sessions, and with the corners of each line in reading order.

    Lines that the reading network skips are kept if ``tells_scripts``.
    """

    text_rec: Any
    tells_scripts = False

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

    def build_final_output(
        self, ori_img: Any, det_res: Any, cls_res: Any, rec_res: Any, *rest: Any
    ) -> Any:
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
        if self.tells_scripts and det_res.boxes is not None and rec_res.txts is not None:
            self._mark_unread(det_res, rec_res)
        return super().build_final_output(ori_img, det_res, cls_res, rec_res, *rest)

    def _mark_unread(self, det_res: Any, rec_res: Any) -> None:
        """Put the script in place of the text of each line that has writing, but was skipped.

        All such lines of a picture get one script: a single short line says too little. If there is
        one, punctuation alone is what is left of other lines, too.
        """
        answers = {
            i: self._answer(rec_res.imgs[i])
            for i, (score, text) in enumerate(zip(det_res.scores, rec_res.txts, strict=True))
            if score >= SURE_LINE and _says_nothing(text)
        }
        skipped = {
            i: found
            for i, found in answers.items()
            if not rec_res.txts[i].strip() or found[:, 0].mean() >= MOSTLY_BLANK
        }
        if not skipped:
            return
        nearly = sum(found.sum(axis=0) for found in skipped.values())
        script = Unread(self._script(nearly))
        texts, scores = list(rec_res.txts), list(rec_res.scores)
        for i, text in enumerate(rec_res.txts):
            if i in skipped or (text.strip() and _says_nothing(text)):
                texts[i], scores[i] = script, float(det_res.scores[i])
        rec_res.txts, rec_res.scores = tuple(texts), tuple(scores)

    def _answer(self, line: Image) -> NDArray[np.float32]:
        """Return the reading network's probabilities for a line, (steps, characters)."""
        tensor = self.text_rec.resize_norm_img(line, line.shape[1] / line.shape[0])
        return np.asarray(self.text_rec.session(tensor[np.newaxis])[0])

    @cached_property
    def _alphabets(self) -> NDArray[np.float32]:
        """Which of the network's characters are Chinese or Japanese, Latin, Greek: ones, (3, N)."""
        characters = self.text_rec.postprocess_op.character  # also "blank"
        names = [unicodedata.name(c, "") if len(c) == 1 else "" for c in characters]
        alphabets = (("CJK ", "KATAKANA ", "HIRAGANA "), "LATIN ", "GREEK ")
        return np.array([[name.startswith(of) for name in names] for of in alphabets], np.float32)

    def _script(self, nearly: NDArray[np.float32]) -> str:
        """Return the script that the letters that the network nearly saw speak for."""
        chinese, latin, greek = self._alphabets @ nearly
        if chinese >= max(LEAST_SEEN, KOREAN * (chinese + latin + greek)):
            return "korean"
        return "cyrillic" if greek >= GREEK * (latin + greek) else "unknown"


def _says_nothing(text: str) -> bool:
    """Return whether a text has nothing but white space and punctuation."""
    return all(unicodedata.category(character)[0] in "ZPC" for character in text)


def _is_horizontal(corners: NDArray[Any]) -> bool:
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
