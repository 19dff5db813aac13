"""Text as coverage masks, in every script that the machine has a font for."""

import functools
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import (
    ImageDraw,
    ImageFile,  # noqa: F401 (Pillow would import it with the first label)
    ImageFont,
    features,
)

# Fonts of Debian, Ubuntu, Fedora, Alpine and Arch that cover the languages of the sentences. The
# first one that exists and has every character of a text is used: labels have digits and "%", which
# the Arabic fonts of Noto lack.
FONT_FILES = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",  # Latin, Cyrillic, Arabic
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
    "/usr/share/fonts/truetype/unfonts-core/UnDotum.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",  # Latin, Cyrillic
    "/usr/share/fonts/google-noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/google-noto-vf/NotoSans[wght].ttf",
    "/usr/share/fonts/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansDevanagari-Regular.ttf",
    "/usr/share/fonts/google-noto/NotoSansDevanagari-Regular.ttf",
    "/usr/share/fonts/google-noto-vf/NotoSansDevanagari[wght].ttf",
    "/usr/share/fonts/noto/NotoSansDevanagari-Regular.ttf",
    "/usr/share/fonts/truetype/lohit-devanagari/Lohit-Devanagari.ttf",
    "/usr/share/fonts/lohit-devanagari-fonts/Lohit-Devanagari.ttf",
    "/usr/share/fonts/truetype/freefont/FreeSans.ttf",  # Latin, Cyrillic, Devanagari
    "/usr/share/fonts/truetype/freefont/FreeSerif.ttf",  # these and Arabic
    "/usr/share/fonts/gnu-free/FreeSans.ttf",
    "/usr/share/fonts/gnu-free/FreeSerif.ttf",
)

_ORDERED = r"\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
"""Hebrew, Arabic and others, as a part of a regular expression."""
_RIGHT_TO_LEFT = re.compile(f"[{_ORDERED}]")
_SHAPED = re.compile(rf"[{_ORDERED}\u0900-\u109f\u1780-\u1aaf]")
"""These, Devanagari to Burmese, and Khmer to Tai Tham: letters change and move beside others."""

_BASIC: Any = 0  # ImageFont.Layout.BASIC; Pillow 9.0, of Ubuntu 22.04, has it by another name
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def text_mask(text: str, size: int) -> NDArray[np.uint8]:
    """Return the coverage (0 to 255) of one line of text, height x width uint8.

    ``size`` is the height of the font in pixels. If no font of this machine has every character,
    or Pillow cannot join and order them here, the characters outside ASCII become "?".
    """
    # Raqm refuses what ends a line or a paragraph; a translation may have it.
    font, drawable = _font_for(" ".join(text.splitlines()), size)
    left, top, right, bottom = font.getbbox(drawable)
    # The height is that of the font, not of the text, so that all labels of one size line up.
    line = font.getbbox("Ag" if drawable.isascii() else drawable)
    top, bottom = min(top, line[1]), max(bottom, line[3])
    canvas = PillowImage.new("L", (max(1, round(right - left)), max(1, round(bottom - top))))
    ImageDraw.Draw(canvas).text((-left, -top), drawable, fill=255, font=font)
    return np.array(canvas, np.uint8)


@functools.lru_cache(maxsize=512)
def can_draw(text: str) -> bool:
    """Return whether a font of this machine has every character of ``text``.

    Arabic and Devanagari also need Pillow to shape them (``can_shape``): letters that are neither
    joined nor in order are worse than a label in English.
    """
    return _font_for(text, 12)[1] == text


def right_to_left(text: str) -> bool:
    """Return whether a text has letters that are written from right to left."""
    return bool(_RIGHT_TO_LEFT.search(text))


@functools.cache
def can_shape() -> bool:
    """Return whether Pillow joins and orders letters: by Raqm, which needs FriBiDi at run time.

    Wheels of Pillow have Raqm in them, but load the system's FriBiDi (libfribidi0 of Debian).
    """
    return bool(features.check("raqm"))


def _font_for(text: str, size: int) -> tuple[Font, str]:
    """Return a font and the text as that font can draw it."""
    for path in FONT_FILES if can_shape() or not _SHAPED.search(text) else ():
        if covers(path, frozenset(text)):
            return _font(path, size), text
    font = _built_in_font(size)
    # Pillow's own TrueType font, Aileron, is a Latin one; the bitmap of old versions is not.
    if isinstance(font, ImageFont.FreeTypeFont) and all(ord(letter) < 0x180 for letter in text):
        return font, text
    return font, text.encode("ascii", "replace").decode()


@functools.lru_cache(maxsize=32)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a font that is loaded once: that takes longer than writing a label with it."""
    return ImageFont.truetype(path, size)


@functools.lru_cache(maxsize=32)
def _built_in_font(size: int) -> Font:
    """Return Pillow's built-in font; before Pillow 10.1 it is a bitmap of one size."""
    try:
        return ImageFont.load_default(size)
    except TypeError:
        return ImageFont.load_default()


@functools.lru_cache(maxsize=1024)
def covers(path: str, characters: frozenset[str]) -> bool:
    """Return whether a font file exists and has its own glyph for every character."""
    if not Path(path).is_file():
        return False
    # One glyph for a character: Raqm would put a dotted circle before a vowel sign.
    font = ImageFont.truetype(path, 16, layout_engine=_BASIC)
    # An unassigned character, so this is how the font draws a missing glyph.
    missing = bytes(font.getmask("\U000effff"))
    return all(
        character.isspace() or _invisible(character) or bytes(font.getmask(character)) != missing
        for character in characters
    )


def _invisible(character: str) -> bool:
    """Return whether a character only directs others, as marks of direction do; Raqm hides it."""
    return can_shape() and unicodedata.category(character) == "Cf"
