"""Encoded pictures to pixels and back, with limits that hold before anything is decoded."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable

import cv2
import numpy as np
from PIL import BmpImagePlugin, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
from PIL import Image as PillowImage

from i2t_ros.errors import (
    EmptyImageError,
    ImageTooLargeError,
    NotAnImageError,
    TruncatedImageError,
    UnsupportedFormatError,
)
from i2t_ros.types import ByteBuffer, Image, Picture, PictureHeader

MAX_PIXELS = 40_000_000
"""Default limit of width x height: above 8K video (33 megapixels), 120 MB when decoded."""

FORMATS = ("jpeg", "png", "bmp", "webp")
"""The picture formats that are read and written."""

_ALIASES = {"jpg": "jpeg", "jpe": "jpeg", "dib": "bmp"}

# Formats that are told apart only to name them in an error.
_FOREIGN_SIGNATURES = {
    b"GIF8": "gif",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"\0\0\1\0": "ico",
    b"%PDF": "pdf",
    b"8BPS": "psd",
}

# EXIF's tag of how a picture is to be turned, and the values that exchange width and height.
_ORIENTATION = 0x0112
_ON_THEIR_SIDE = (5, 6, 7, 8)

# Pillow's readers by format, and not Image.open, whose own limit is a global setting and a warning.
_HEADER_READERS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "jpeg": JpegImagePlugin.JpegImageFile,
    "png": PngImagePlugin.PngImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
}


def canonical_format(name: str) -> str:
    """Return the format that an extension or format name means ("." and case do not matter).

    Raises UnsupportedFormatError.
    """
    key = name.strip().lower().lstrip(".")
    key = _ALIASES.get(key, key)
    if key not in FORMATS:
        raise UnsupportedFormatError(
            f"unsupported picture format {name!r}; supported are {', '.join(FORMATS)}"
        )
    return key


def picture_format(data: ByteBuffer) -> str:
    """Return the format of an encoded picture, told by its first bytes.

    Raises EmptyImageError, UnsupportedFormatError for a format that is known and not read here,
    NotAnImageError for anything else.
    """
    head = bytes(memoryview(data).cast("B")[:16])
    if not head:
        raise EmptyImageError("the picture has 0 bytes")
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith(b"BM"):
        return "bmp"
    foreign = next(
        (name for sign, name in _FOREIGN_SIGNATURES.items() if head.startswith(sign)), ""
    )
    if not foreign and head[4:8] == b"ftyp":
        foreign = "heif or video"
    if foreign:
        raise UnsupportedFormatError(
            f"unsupported picture format {foreign}; supported are {', '.join(FORMATS)}"
        )
    raise NotAnImageError(
        f"not a picture: the first bytes are {head[:8].hex(' ')}, "
        f"which is the beginning of none of {', '.join(FORMATS)}"
    )


def read_header(picture: Picture) -> PictureHeader:
    """Return format and upright size of a picture, read from its bytes the first time.

    Width and height are exchanged if EXIF says that the picture lies on its side, as decode_image
    turns it. Raises EmptyImageError, NotAnImageError, UnsupportedFormatError, and
    TruncatedImageError if the header is cut or broken.
    """
    if picture.header is None:
        picture.header = _parse_header(picture.data, picture_format(picture.data))
    return picture.header


def _parse_header(data: ByteBuffer, fmt: str) -> PictureHeader:
    try:
        with _HEADER_READERS[fmt](io.BytesIO(data)) as picture:
            width, height = map(int, picture.size)
            exif = picture.info.get("exif", b"")
    except Exception as error:  # Pillow's readers raise whatever broken bytes make them raise
        raise TruncatedImageError(f"the {fmt} header is cut or damaged: {error}") from error
    orientation = 1
    if exif:
        tags = PillowImage.Exif()
        with contextlib.suppress(Exception):  # broken EXIF is ignored by decoders, too
            tags.load(exif)
        orientation = tags.get(_ORIENTATION, 1)
    if orientation in _ON_THEIR_SIDE:
        width, height = height, width
    return PictureHeader(fmt, width, height)


def check_picture(picture: Picture, max_pixels: int = MAX_PIXELS) -> PictureHeader:
    """Return a picture's header; refuse what it shows to be unusable, before any decoding.

    Raises what read_header raises, and ImageTooLargeError.
    """
    header = read_header(picture)
    check_pixels(header.width, header.height, max_pixels)
    return header


def decode_image(picture: Picture | ByteBuffer, max_pixels: int = MAX_PIXELS) -> Image:
    """Decode a JPEG, PNG, BMP or WebP picture into a BGR image, upright as EXIF says.

    Raises EmptyImageError, NotAnImageError, UnsupportedFormatError, TruncatedImageError, and
    ImageTooLargeError, that one from the header, before memory for the pixels is taken.
    """
    if not isinstance(picture, Picture):
        picture = Picture(picture)
    fmt, width, height = check_picture(picture, max_pixels)
    check_complete(picture.data, fmt)
    try:
        image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise TruncatedImageError(f"the {fmt} picture is damaged: {error.err}") from error
    if image is None:
        raise TruncatedImageError(f"the {fmt} picture ({width}x{height}) is cut or damaged")
    return image.astype(np.uint8, copy=False)


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Raise EmptyImageError or ImageTooLargeError for a size that is not worked on."""
    if width < 1 or height < 1:
        raise EmptyImageError(f"the picture is {width}x{height} pixels")
    if width * height > max_pixels:
        raise ImageTooLargeError(
            f"the picture is {width}x{height}, {width * height} pixels; "
            f"the limit (max_pixels) is {max_pixels}"
        )


def encode_image(image: Image, fmt: str = "jpeg", quality: int = 90) -> Picture:
    """Encode a BGR image. ``quality`` is 1 to 100, for jpeg and webp.

    Raises UnsupportedFormatError for a format that is not written here, and ImageTooLargeError for
    an image with a side longer than the format can hold.
    """
    fmt = canonical_format(fmt)
    settings = {
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
        # The second level of 9: a third larger than the default level and several times faster.
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 1],
        "bmp": [],
    }[fmt]
    try:
        done, buffer = cv2.imencode(f".{fmt}", image, settings)
    except cv2.error as error:
        raise ImageTooLargeError(
            f"cannot write {image.shape[1]}x{image.shape[0]} as {fmt}: {error.err}"
        ) from error
    if not done:
        raise ImageTooLargeError(f"cannot write {image.shape[1]}x{image.shape[0]} as {fmt}")
    return Picture(buffer.data, PictureHeader(fmt, image.shape[1], image.shape[0]))


def check_complete(data: ByteBuffer, fmt: str) -> None:
    """Raise TruncatedImageError for a picture whose end is missing, told without decoding it.

    OpenCV decodes what there is of a cut picture and fills the rest with gray, without an error.
    """
    view = memoryview(data).cast("B")
    if fmt == "jpeg":
        # In the entropy-coded data after a start-of-scan marker, 0xFF is always escaped, so an
        # end-of-image marker behind the last such marker is the real one and not a thumbnail's.
        complete = _rfind(view, b"\xff\xd9") > _rfind(view, b"\xff\xda") >= 0
    elif fmt == "png":
        complete = _rfind(view, b"IEND") >= 0
    elif fmt == "webp":
        complete = len(view) >= 8 + int.from_bytes(view[4:8], "little")
    else:
        pixels_at = int.from_bytes(view[10:14], "little")
        complete = len(view) >= max(pixels_at + 1, _bmp_length(view))
    if not complete:
        raise TruncatedImageError(f"the {fmt} picture is cut off after {len(view)} bytes")


def _rfind(view: memoryview, marker: bytes) -> int:
    """Return the last position of a marker, or -1."""
    return bytes(view).rfind(marker)


def _bmp_length(view: memoryview) -> int:
    """Return the length that the pixels of an uncompressed BMP need, or 0 where it does not say.

    Fields: BITMAPINFOHEADER, offsets 18 width, 22 height, 28 bits a pixel, 30 compression.
    """
    if len(view) < 34 or int.from_bytes(view[14:18], "little") < 40:
        return 0
    width = abs(int.from_bytes(view[18:22], "little", signed=True))
    height = abs(int.from_bytes(view[22:26], "little", signed=True))
    bits = int.from_bytes(view[28:30], "little")
    if int.from_bytes(view[30:34], "little") != 0:
        return 0
    row = (width * bits + 31) // 32 * 4  # rows are padded to four bytes
    return int.from_bytes(view[10:14], "little") + row * height
