"""Encoded pictures to pixels and back, with limits that are checked before decoding."""

import contextlib
import io
import re
import struct
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

# How FORMATS begin, and formats that are recognized only so that an error can name them.
_SIGNATURES = {
    "jpeg": rb"\xff\xd8\xff",
    "png": rb"\x89PNG\r\n\x1a\n",
    "webp": rb"RIFF....WEBP",
    "bmp": rb"BM",
    "gif": rb"GIF8",
    "tiff": rb"II\*\x00|MM\x00\*",
    "ico": rb"\x00\x00\x01\x00",
    "pdf": rb"%PDF",
    "psd": rb"8BPS",
    "heif or video": rb"....ftyp",
}

# The EXIF tag for rotation, and its values that swap width and height.
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)

# Not Image.open: its size limit is a global setting and only warns.
_HEADER_READERS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "jpeg": JpegImagePlugin.JpegImageFile,
    "png": PngImagePlugin.PngImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
}


def canonical_format(name: str) -> str:
    """Return the format for a file extension or format name; "." and case do not matter.

    Raises UnsupportedFormatError.
    """
    key = name.strip().lower().lstrip(".")
    key = _ALIASES.get(key, key)
    if key not in FORMATS:
        raise UnsupportedFormatError(
            f"unsupported picture format {name!r}; supported are {', '.join(FORMATS)}"
        )
    return key


def picture_format(data: "ByteBuffer") -> str:
    """Return the format of an encoded picture, by its first bytes.

    Raises EmptyImageError, UnsupportedFormatError for a known format that is not read here, and
    NotAnImageError for anything else.
    """
    head = bytes(memoryview(data).cast("B")[:16])
    if not head:
        raise EmptyImageError("the picture has 0 bytes")
    for name, signature in _SIGNATURES.items():
        if re.match(signature, head, re.DOTALL):
            return canonical_format(name)
    raise NotAnImageError(
        f"not a picture: the first bytes are {head[:8].hex(' ')}, "
        f"expected those of {', '.join(FORMATS)}"
    )


def read_header(picture: Picture) -> PictureHeader:
    """Return the format and upright size of a picture; its bytes are parsed only once.

    Width and height are swapped if EXIF says that the picture lies on its side, as decode_image
    rotates it. Raises EmptyImageError, NotAnImageError, UnsupportedFormatError, and
    TruncatedImageError if the header is cut or damaged.
    """
    if picture.header is None:
        picture.header, _ = _parse_header(picture.data)
    return picture.header


def is_upright(picture: Picture) -> bool:
    """Return whether the pixels are stored upright, as EXIF says; raises what read_header does."""
    return _parse_header(picture.data)[1]


def _parse_header(data: "ByteBuffer") -> tuple[PictureHeader, bool]:
    fmt = picture_format(data)
    try:
        with _HEADER_READERS[fmt](io.BytesIO(data)) as reader:
            width, height = map(int, reader.size)
            exif = reader.info.get("exif", b"")
    except Exception as error:  # on damaged bytes, Pillow's readers raise anything
        raise TruncatedImageError(f"the {fmt} header is cut or damaged: {error}") from error
    tags = PillowImage.Exif()
    with contextlib.suppress(Exception):  # decoders ignore damaged EXIF, too
        tags.load(exif)
    orientation = tags.get(_ORIENTATION, 1)
    if orientation in _SIDEWAYS:
        width, height = height, width
    return PictureHeader(fmt, width, height), orientation == 1


def check_picture(picture: Picture, max_pixels: int = MAX_PIXELS) -> PictureHeader:
    """Return a picture's header, or refuse the picture before anything is decoded.

    Raises what read_header raises, and ImageTooLargeError.
    """
    header = read_header(picture)
    check_pixels(header.width, header.height, max_pixels)
    return header


def decode_image(picture: "Picture | ByteBuffer", max_pixels: int = MAX_PIXELS) -> Image:
    """Decode a JPEG, PNG, BMP or WebP picture into a BGR image, upright as EXIF says.

    Raises EmptyImageError, NotAnImageError, UnsupportedFormatError, TruncatedImageError, and
    ImageTooLargeError. The size is checked in the header, before memory for the pixels is taken.
    """
    if not isinstance(picture, Picture):
        picture = Picture(picture)
    fmt, width, height = check_picture(picture, max_pixels)
    check_complete(picture.data, fmt)
    image = None
    with contextlib.suppress(cv2.error):
        image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise TruncatedImageError(f"the {fmt} picture ({width}x{height}) is cut or damaged")
    return image.astype(np.uint8, copy=False)


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Raise EmptyImageError or ImageTooLargeError for a size that cannot be processed."""
    if width < 1 or height < 1:
        raise EmptyImageError(f"the picture is {width}x{height} pixels")
    if width * height > max_pixels:
        raise ImageTooLargeError(
            f"the picture is {width}x{height}, {width * height} pixels; "
            f"the limit (max_pixels) is {max_pixels}"
        )


def encode_image(image: Image, fmt: str = "jpeg", quality: int = 90) -> Picture:
    """Encode a BGR image; ``quality``, 1 to 100, is for jpeg and webp.

    Raises UnsupportedFormatError for another format, and ImageTooLargeError if a side is longer
    than the format allows.
    """
    fmt = canonical_format(fmt)
    settings = {
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
        # Level 1 of 0 to 9: files a third larger than at the default level, several times faster.
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 1],
        "bmp": [],
    }[fmt]
    height, width = image.shape[:2]
    done = False
    with contextlib.suppress(cv2.error):  # or it returns False
        done, buffer = cv2.imencode(f".{fmt}", image, settings)
    if not done:
        raise ImageTooLargeError(
            f"cannot write {width}x{height} as {fmt}; is a side longer than the format allows?"
        )
    return Picture(buffer.data, PictureHeader(fmt, width, height))


def check_complete(data: "ByteBuffer", fmt: str) -> None:
    """Raise TruncatedImageError if the end of a picture is missing, without decoding it.

    OpenCV decodes what is left of a cut picture and fills the rest with gray, without an error.
    """
    view = memoryview(data).cast("B")
    if fmt == "jpeg":
        # In the entropy-coded data after a start-of-scan marker, 0xFF is always escaped. So an
        # end-of-image marker after the last start-of-scan marker is not that of a thumbnail.
        encoded = bytes(view)
        complete = encoded.rfind(b"\xff\xd9") > encoded.rfind(b"\xff\xda") >= 0
    elif fmt == "png":
        complete = b"IEND" in bytes(view)
    elif fmt == "webp":
        complete = len(view) >= 8 + int.from_bytes(view[4:8], "little")
    else:
        pixels_at = int.from_bytes(view[10:14], "little")
        complete = len(view) >= max(pixels_at + 1, _bmp_length(view))
    if not complete:
        raise TruncatedImageError(f"the {fmt} picture is cut off after {len(view)} bytes")


def _bmp_length(view: memoryview) -> int:
    """Return the length that the pixels of an uncompressed BMP need, or 0 if it is unknown."""
    if len(view) < 34:
        return 0
    # Where the pixels are, and then a BITMAPINFOHEADER, which an older header is shorter than.
    pixels_at, size, width, height, _, bits, compression = struct.unpack_from("<IIiiHHI", view, 10)
    if size < 40 or compression:
        return 0
    row = (abs(width) * bits + 31) // 32 * 4  # rows are padded to four bytes
    return int(pixels_at + row * abs(height))
