"""The task ``text``: what is written in a picture, where, in which colours, and translated."""

from __future__ import annotations

from dataclasses import replace

from i2t_ros.errors import I2tError
from i2t_ros.pipeline.loading import Choice, Loaded, open_model
from i2t_ros.pipeline.tasks.base import TaskOptions
from i2t_ros.pipeline.tasks.facts_of_texts import reading_order
from i2t_ros.pipeline.translation import Translations
from i2t_ros.types import Image, Scene, Task, TextRegion
from i2t_ros.vision.colors import text_colors
from i2t_ros.vision.decoders.texts import TEXT_DECODERS, Line

LEAST_SIDE = 8
"""Pixels; no letter can be read in a smaller picture."""


def open_text(choice: Choice, translations: Translations | None = None) -> TextReader:
    """Return a reader; see opening.Choice. Raises ModelError and BackendError."""
    return open_model("text", choice, lambda loaded: TextReader(loaded, translations))


class TextReader:
    """Reads text, names its colours, and has it translated where there is a translator."""

    degraded = False

    def __init__(self, loaded: Loaded, translations: Translations | None = None) -> None:
        """Take over a loaded model."""
        self._backend = loaded.backend
        self._decode = TEXT_DECODERS[loaded.spec.decoder].function
        self._translations = translations
        self.name = loaded.name
        self.report = f"{loaded.name}: {loaded.report}"
        if translations is not None:
            self.report += f"; translated by {translations.name}"

    def run(self, image: Image, options: TaskOptions) -> Scene:
        """Return the texts in reading order; see TaskRunner.

        Where the translator fails, its error is in ``failures``, and the texts are there.
        """
        height, width = image.shape[:2]
        lines: list[Line] = []
        if min(height, width) >= LEAST_SIDE:
            lines = self._decode(self._backend.infer([image]), options.text.min_score)
        regions = reading_order([_region(image, line) for line in lines])
        failures: dict[Task, I2tError] = {}
        if self._translations is not None and regions:
            target = options.text.translate_to or options.language
            translated, error = self._translations.translate(
                [region.text for region in regions], target, options.text.translate_from
            )
            regions = [
                replace(region, translation=translation)
                for region, translation in zip(regions, translated, strict=True)
            ]
            if error is not None:
                failures["text"] = error
        return Scene(width, height, texts=tuple(regions), failures=failures)

    def close(self) -> None:
        """Release the backend; see TaskRunner."""
        self._backend.close()


def _region(image: Image, line: Line) -> TextRegion:
    text_color, background_color = text_colors(image, line.corners)
    return TextRegion(line.corners, line.text, line.score, text_color, background_color)
