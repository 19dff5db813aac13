"""The task ``text``: what is written in a picture, where, in which colors, and translated."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.backends.base import Tensor
from i2t_ros.errors import I2tError, ScriptError
from i2t_ros.installation import how_to_fetch
from i2t_ros.language.facts import Fact, Style, TaskFacts
from i2t_ros.language.grammar import Language, clean
from i2t_ros.options import Checked, option
from i2t_ros.pipeline.grounding import quoted
from i2t_ros.pipeline.loading import Loaded, OpenOptions, open_model
from i2t_ros.pipeline.model_runner import ModelRunner, PreparedImage
from i2t_ros.pipeline.tasks.base import (
    Label,
    Outcome,
    Task,
    json_items,
    rounded_pixels,
    rounded_score,
)
from i2t_ros.pipeline.translation import TRANSLATORS, Translations, open_translations
from i2t_ros.types import Image, freeze_arrays
from i2t_ros.vision.colors import text_colors
from i2t_ros.vision.decoders.texts import Line
from i2t_ros.vision.drawing import DrawOptions, Pen, Plate
from i2t_ros.vision.fonts import can_draw

COLOR = (255, 190, 60)
SURE_TEXT = 0.9
"""Score from which a text is stated; below, the sentence says "may read". On 85 photos 49 of 53
texts from 0.9 on were right, 4 of 8 from 0.8 to 0.9, and 2 of 33 from 0.5 to 0.8 (docs/tasks.md).
"""

MODELS = {"korean": "ppocr_v5_korean", "cyrillic": "ppocr_v5_cyrillic"}
"""Script that the default model does not read -> the model that does."""

SCRIPTS = (*MODELS, "unknown")
"""What writing that is not read can be taken for."""

LEAST_SIDE = 8
"""Pixels; no letter can be read in a smaller picture."""


@dataclass(frozen=True, slots=True)
class TextSettings:
    """Which model reads, and who translates."""

    model: str = option(
        "auto",
        "for the task text: an entry of models.yaml, a path, or auto: Latin letters, Chinese and "
        "Japanese",
        name="text_model",
    )
    translator: str = option(
        "none",
        "the service that translates texts. They leave this machine, unless it is a LibreTranslate "
        "server on this machine; keys come from environment variables, see docs/tasks.md",
        choices=TRANSLATORS,
    )
    translator_url: str = option("http://127.0.0.1:5000", "URL of a LibreTranslate server")
    translator_timeout: float = option(
        3.0,
        "seconds for the translation of one image's texts; they stay untranslated after that",
        bounds=(0.1, 60.0),
    )


@dataclass(frozen=True, slots=True)
class TextOptions(Checked):
    """Which texts are wanted, and in which language if there is a translator."""

    min_score: float = option(
        0.8,
        "texts below this score are left out, 0 to 1",
        name="text_min_score",
        bounds=(0.0, 1.0),
        changes="live",
    )
    translate_to: str = option(
        "",
        "language of translations, BCP 47; empty: that of the sentence",
        changes="live",
        language=True,
    )
    translate_from: str = option(
        "",
        "language of the texts, BCP 47; empty: the translator finds out",
        changes="live",
        language=True,
    )


@dataclass(frozen=True, eq=False, slots=True)
class TextRegion:
    """One line of text found in an image.

    corners  (4, 2) float32, x and y in pixels, clockwise from the top left corner as it is read
    text_color, background_color  red, green, blue, each 0 to 255
    translation  empty if none was asked for or none could be had
    script  empty, or the one in which there is writing that could not be read: "korean",
            "cyrillic" or "unknown"; then ``text`` is empty, and ``score`` is that of the line
    """

    corners: NDArray[np.float32]
    text: str
    score: float
    text_color: tuple[int, int, int]
    background_color: tuple[int, int, int]
    translation: str = ""
    script: str = ""

    def __post_init__(self) -> None:
        """Check the corners; copy and freeze them."""
        freeze_arrays(self, corners=((4, 2), np.float32))


Texts: TypeAlias = tuple[TextRegion, ...]
"""The result: lines of text in reading order."""

SPOKEN_TEXTS = 6
"""Lines of text that a sentence reads out, the largest ones; the others are counted."""


@dataclass(frozen=True, slots=True)
class TextFact(Fact):
    """A line of text, and its translation if there is one; white space is single spaces.

    ``script`` is that of writing that could not be read, whose ``key`` is no text.
    """

    translation: str = ""
    script: str = ""
    score: float = field(default=1.0, compare=False)


@dataclass(frozen=True, slots=True)
class TextFacts(TaskFacts):
    """Lines of text in reading order; ``more`` counts those beyond the largest few."""

    section: ClassVar[str] = "texts"
    found: tuple[TextFact, ...]
    more: int = 0

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return a sentence that quotes the lines, and one that counts what it leaves out.

        What is doubtful is always called so, and writing that could not be read is mentioned.
        """
        read = [(fact.score, _quoted(fact, language)) for fact in self.found if not fact.script]
        sure = [text for score, text in read if score >= SURE_TEXT]
        doubtful = [text for score, text in read if score < SURE_TEXT]
        texts, hedged = (language.join(of, "texts") if of else "" for of in (sure, doubtful))
        parts = []
        if sure and doubtful:
            parts.append(language.phrase("texts.mixed", len(read), texts=texts, hedged=hedged))
        elif sure or doubtful:
            phrase = f"texts.{'plain' if sure else 'hedged'}"
            parts.append(language.phrase(phrase, len(read), texts=texts or hedged))
        if self.more:
            noun = language.noun("text")
            numerals = language.numerals(style, self.more)
            lines = language.count(noun, self.more, self.section, numerals)
            gender = language.gender(noun, self.more)
            parts.append(language.phrase("texts.more", self.more, gender, things=lines))
        parts += [language.phrase(f"texts.{fact.script}") for fact in self.found if fact.script]
        return parts


def _quoted(fact: TextFact, language: Language) -> str:
    text = language.phrase("texts.quote", text=fact.key)
    if fact.translation:
        translation = language.phrase("texts.quote", text=fact.translation)
        text = language.phrase("texts.translation", text=text, translation=translation)
    return text


@dataclass(frozen=True, slots=True)
class TextJson:
    """One line of text."""

    text: str
    translation: str = field(metadata={"description": "empty if there is none"})
    score: float
    corners: list[list[float]] = field(
        metadata={"description": "x and y in pixels, clockwise from top left"}
    )
    text_color: str = field(metadata={"examples": ["#1a1a1a"]})
    background_color: str = field(metadata={"examples": ["#ffffff"]})
    script: str = field(
        default="",
        metadata={"description": "of writing that was not read: korean, cyrillic, unknown"},
    )


class TextTask(Task[TextSettings, TextOptions, Texts]):
    """Lines of text: where they are, their colors and their translation."""

    name = "text"
    settings = TextSettings
    options = TextOptions
    result_json: ClassVar[Mapping[str, Any]] = {"texts": list[TextJson]}

    def open(self, settings: TextSettings, how: OpenOptions) -> "TextReader":
        """Return a reader. Raises ModelError, BackendError, and InvalidRequestError."""
        translations = open_translations(
            settings.translator, settings.translator_url, settings.translator_timeout
        )
        make = partial(TextReader, translations=translations)
        return open_model(self.name, settings.model, make, how.of_other_tasks())

    def facts(self, result: Texts, size: tuple[int, int], style: Style) -> TaskFacts:
        """Return the lines that a sentence reads out; see Task."""
        readable = [region for region in result if clean(region.text)]
        largest = sorted(readable, key=lambda region: (-_height(region), clean(region.text)))
        spoken = tuple(
            TextFact(clean(region.text), translation=clean(region.translation), score=region.score)
            for region in reading_order(largest[:SPOKEN_TEXTS])
        )
        scripts = sorted({region.script for region in result if region.script})
        unread = tuple(TextFact(f"[{script}]", script=script) for script in scripts)
        return TextFacts(spoken + unread, len(readable) - len(spoken))

    def clues(self, result: Texts, size: tuple[int, int]) -> Sequence[str]:
        """Return each line of text, quoted; see Task."""
        texts = [quoted(text) for region in result if (text := clean(region.text))]
        return (
            ["Text that was read in the picture:", *(f"- {text}" for text in texts)]
            if texts
            else []
        )

    def draw(
        self, canvas: Image, result: Texts, pen: Pen, label: Label, options: DrawOptions
    ) -> None:
        """Outline each line."""
        for region in result:
            corners = np.rint(region.corners).astype(np.int32)
            line = pen.for_thing(_height(region), _height(region)).line
            cv2.polylines(canvas, [corners], True, COLOR, line, cv2.LINE_AA)

    def plates(
        self, canvas: Image, result: Texts, pen: Pen, label: Label, options: DrawOptions
    ) -> Sequence[Plate]:
        """Return the text of each line, which is left out if it would hide another line.

        A translation that finds no such place is written over its own line.
        """
        plates = []
        for region in result:
            (left, top), (right, bottom) = region.corners.min(axis=0), region.corners.max(axis=0)
            box = float(left), float(top), float(right), float(bottom)
            if region.translation and can_draw(region.translation):
                plates.append(Plate(region.translation, box, COLOR, "over"))
            else:
                plates.append(Plate(region.text or "?", box, COLOR, "free"))
        return plates

    def scaled(self, result: Texts, factors: NDArray[np.float32]) -> Texts:
        """Return the lines with other corners; see Task."""
        return tuple(replace(region, corners=region.corners * factors) for region in result)

    def to_json(self, result: Texts, label: Label) -> dict[str, Any]:
        """Return the lines in reading order; see Task."""
        items = (
            TextJson(
                region.text,
                region.translation,
                rounded_score(region.score),
                [rounded_pixels(corner) for corner in region.corners.tolist()],
                _hex(region.text_color),
                _hex(region.background_color),
                region.script,
            )
            for region in result
        )
        return {"texts": json_items(items)}

    def from_json(self, values: Mapping[str, Any]) -> Texts:
        """Return the lines; see Task."""
        colors = ("text_color", "background_color")
        return tuple(
            TextRegion(**item | {name: _color(item[name]) for name in colors})
            for item in values["texts"]
        )


class TextReader(ModelRunner[TextOptions, list[TextRegion]]):
    """Reads text, names its colors, and has it translated if there is a translator."""

    options = TextOptions

    def __init__(self, loaded: Loaded, translations: Translations | None = None) -> None:
        self._translations = translations
        super().__init__(loaded)
        if translations is not None:
            self.report += f"; translated by {translations.name}"

    def run(self, image: Image, options: TextOptions, language: str = "") -> Outcome:
        """Return the texts in reading order; see Runner.

        If the translator fails, or writing could not be read, an error is the outcome's failure,
        and the texts are there.
        """
        if min(image.shape[:2]) < LEAST_SIDE:
            return Outcome(())
        regions: list[TextRegion] = super().run(image, options).result
        failure: I2tError | None = _unread(regions, self.spec.name)
        if self._translations is not None and regions:
            target = options.translate_to or language
            translated, failed = self._translations.translate(
                [region.text for region in regions], target, options.translate_from
            )
            failure = failed or failure
            regions = [
                replace(region, translation=translation)
                for region, translation in zip(regions, translated, strict=True)
            ]
        return Outcome(tuple(regions), failure)

    def _result(
        self, image: PreparedImage, outputs: list[Tensor], options: TextOptions
    ) -> list[TextRegion]:
        lines: list[Line] = self._decode(outputs, options.min_score)
        return reading_order(
            [
                TextRegion(*line[:3], *text_colors(image.inputs[0], line.corners), "", line.script)
                for line in lines
            ]
        )


def _unread(regions: Sequence[TextRegion], model: str) -> ScriptError | None:
    """Return the error that names the script of writing that was not read, and a model for it."""
    scripts = [region.script for region in regions if region.script]
    if not scripts:
        return None
    number = "1 line" if len(scripts) == 1 else f"{len(scripts)} lines"
    known = [script for script in MODELS if script in scripts]
    seems = f"what looks like {' and '.join(map(str.capitalize, known))}" if known else "a script"
    models = [MODELS[script] for script in known or MODELS]
    return ScriptError(
        f"{number} in {seems} that {model} does not read; "
        f"{' or '.join(f'`{how_to_fetch(name)}`' for name in models)}, then text_model (on the "
        f"command line --text-model) {' or '.join(models)}"
    )


def _hex(color: tuple[int, int, int]) -> str:
    """Return red, green, blue as "#rrggbb"."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def _color(text: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def reading_order(regions: Sequence[TextRegion]) -> list[TextRegion]:
    """Sort lines of text from top to bottom, and from left to right within a row.

    Two lines are in one row if the middle of the lower one lies above the foot of the upper one.
    Sorted by their tops alone, the words of a row would be shuffled by differences of a pixel.
    """
    remaining = sorted(regions, key=lambda region: (*_center(region)[::-1], clean(region.text)))
    ordered: list[TextRegion] = []
    while remaining:
        first = remaining[0]
        foot = _center(first)[1] + _height(first) / 2
        row = [region for region in remaining if _center(region)[1] < foot] or [first]
        ordered += sorted(row, key=lambda region: (*_center(region), clean(region.text)))
        remaining = remaining[len(row) :]
    return ordered


def _center(region: TextRegion) -> tuple[float, float]:
    # In plain Python, which is done with four corners before NumPy has begun.
    xs, ys = zip(*region.corners.tolist(), strict=True)
    return sum(xs) / 4, sum(ys) / 4


def _height(region: TextRegion) -> float:
    """Return the height of the letters in pixels: the mean of the line's two short ends."""
    top_left, top_right, bottom_right, bottom_left = region.corners.tolist()
    return (math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2
