"""Text as coverage masks, in every script that the machine has a font for."""

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import (
    ImageDraw,
    ImageFile,  # noqa: F401 (Pillow would import it with the first label)
    ImageFont,
)

# Fonts of Debian, Ubuntu, Fedora and Alpine that cover the languages of the sentences. The first
# one that exists and has every character of a text is used.
FONT_FILES = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
    "/usr/share/fonts/truetype/unfonts-core/UnDotum.ttf",
)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def text_mask(text: str, size: int) -> NDArray[np.uint8]:
    """Return the coverage (0 to 255) of one line of text, height x width uint8.

    ``size`` is the height of the font in pixels. If no font of this machine has every character,
    the characters outside ASCII become "?".
    """
    font, drawable = _font_for(text, size)
    left, top, right, bottom = font.getbbox(drawable)
    # The height is that of the font, not of the text, so that all labels of one size line up.
    line = font.getbbox("Ag" if drawable.isascii() else drawable)
    top, bottom = min(top, line[1]), max(bottom, line[3])
    canvas = PillowImage.new("L", (max(1, round(right - left)), max(1, round(bottom - top))))
    ImageDraw.Draw(canvas).text((-left, -top), drawable, fill=255, font=font)
    return np.array(canvas, np.uint8)


@functools.lru_cache(maxsize=512)
def can_draw(text: str) -> bool:
    """Return whether a font of this machine has every character of ``text``."""
    return _font_for(text, 12)[1] == text


def _font_for(text: str, size: int) -> tuple[Font, str]:
    """Return a font and the text as that font can draw it."""
    for path in FONT_FILES:
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
    font = ImageFont.truetype(path, 16)
    # An unassigned character, so this is how the font draws a missing glyph.
    missing = bytes(font.getmask("\U000effff"))
    return all(
        character.isspace() or bytes(font.getmask(character)) != missing for character in characters
    )
