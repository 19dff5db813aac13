"""Encoded pictures to pixels and back, with limits that are checked before decoding."""

import contextlib
import re
import sys
import zlib
from collections.abc import Iterable
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import (
    EmptyImageError,
    ImageError,
    ImageTooLargeError,
    NotAnImageError,
    TruncatedImageError,
    UnsupportedFormatError,
)
from i2t_ros.types import ByteBuffer, Image, Picture, PictureHeader
from i2t_ros.vision.headers import (
    SLICE,
    Layout,
    check_complete,
    first_frame,
    png_pixels,
    read_layout,
)
from i2t_ros.vision.levels import GRAY16, to_8_bits

MAX_PIXELS = 40_000_000
"""Default limit of width x height: above 8K video (33 megapixels), 120 MB when decoded."""

MOST_REDUCED = 8
"""A JPEG may have this many times the pixels of the limit, if it is decoded at a smaller size: at
the default limit 320 megapixels, while phones take up to 200."""

MOST_REDUCED_BUFFERED = 2
"""The same of a JPEG that libjpeg holds in memory as a whole at 6 bytes a pixel: a progressive one,
or one with a scan for each color."""

MOST_SCANNED = 25
"""Scans of a JPEG x its pixels may be this many times the limit of pixels: each scan goes through
all pixels, and a few bytes are enough to make it slow. libjpeg's own progression has 10 scans, and
a picture of twice the limit may have 12."""

MOST_UNPACKED = 1032
"""What one byte of a PNG's compressed data can become at most (zlib's technical details)."""

HEAVY = 0.2
"""Seconds on a core of a server; see is_heavy()."""

# Nanoseconds for a pixel, measured with OpenCV 4.14; of PNG those with 16 bits take twice as long.
_READ_COST = {"jpeg": 7, "png": 30, "webp": 30, "bmp": 7}
_SCANNED_COST = 70  # of a JPEG with as many scans as it may have
_WRITE_COST = {"jpeg": 4, "png": 70, "webp": 100, "bmp": 3}

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
# How EXIF's orientations are turned upright: those that lie on their side are transposed first.
# 0 flips upside down, 1 left to right, -1 both.
_SIDEWAYS = (5, 6, 7, 8)
_FLIPS = {1: None, 2: 1, 3: -1, 4: 0, 5: None, 6: 1, 7: -1, 8: 0}

_READ = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
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
        picture.header, picture.layout = _parse_header(picture.data)
    return picture.header


def is_upright(picture: Picture) -> bool:
    """Return whether the pixels are stored upright, as EXIF says; raises what read_header does."""
    return _layout(picture).orientation == 1


def _layout(picture: Picture) -> Layout:
    if picture.layout is None:
        picture.header, picture.layout = _parse_header(picture.data)
    return cast(Layout, picture.layout)


def _parse_header(data: "ByteBuffer") -> tuple[PictureHeader, Layout]:
    fmt = picture_format(data)
    layout = read_layout(data, fmt)
    width, height = layout.width, layout.height
    if layout.orientation in _SIDEWAYS:
        width, height = height, width
    return PictureHeader(fmt, width, height), layout


def check_picture(picture: Picture, max_pixels: int = MAX_PIXELS) -> PictureHeader:
    """Return a picture's header, or refuse the picture before anything is decoded.

    Raises what read_header raises, and ImageTooLargeError.
    """
    header = read_header(picture)
    check_pixels(header.width, header.height, max_pixels)
    return header


def is_heavy(picture: Picture, annotate: bool = False) -> bool:
    """Return whether a picture keeps a processor core busy for more than HEAVY.

    An estimate from the first bytes, in 3 ms at most: also of a picture that will be refused. It is
    faster if the header has been read. annotate: whether it is drawn on and written again, too.
    """
    view = memoryview(picture.data).cast("B")
    try:
        fmt = picture_format(view)
        layout = picture.layout or read_layout(view if fmt == "jpeg" else view[:4096], fmt)
    except ImageError:
        return False
    cost = _SCANNED_COST if layout.buffered else _READ_COST[fmt]
    cost += annotate * _WRITE_COST[fmt]
    return cost * layout.width * layout.height > HEAVY * 1e9


def decode_image(
    picture: "Picture | ByteBuffer", max_pixels: int = MAX_PIXELS, gray16: str = GRAY16
) -> Image:
    """Decode a JPEG, PNG, BMP or WebP picture into a BGR image, upright as EXIF says.

    Of an animation it is the first frame. Transparent pixels are laid on white. 16-bit gray becomes
    8-bit as ``gray16`` says, see levels.to_8_bits. A JPEG of more than ``max_pixels`` is decoded at
    a half or less of its width and height; see MOST_REDUCED.

    Raises EmptyImageError, NotAnImageError, UnsupportedFormatError, TruncatedImageError, and
    ImageTooLargeError. The size is checked in the header, before memory for the pixels is taken: at
    most 17 bytes a pixel while decoding, with OpenCV 4.14, of a PNG with 16 bits and transparency,
    and 7 of most pictures. What would take longer than the largest picture of an honest writer is
    refused before decoding, too.
    """
    if not isinstance(picture, Picture):
        picture = Picture(picture)
    layout = _layout(picture)
    fmt, width, height = read_header(picture)
    reduction = _reduction(fmt, layout, max_pixels)
    scans, limit = check_complete(picture.data, fmt), MOST_SCANNED * max_pixels
    if scans > 1 and scans * layout.width * layout.height > limit:
        raise UnsupportedFormatError(
            f"the jpeg picture ({width}x{height}) has {scans} scans; the limit for that size is "
            f"{limit // (layout.width * layout.height)}"
        )
    data = picture.data
    if fmt == "png":
        data = check_packed(data, layout)
    image = None
    with contextlib.suppress(cv2.error):
        image = _to_bgr(_decode(data, layout, reduction), fmt, layout, gray16)
    if image is None:
        raise TruncatedImageError(f"the {fmt} picture ({width}x{height}) is cut or damaged")
    return _turned_upright(image, layout.orientation)


def check_packed(data: "ByteBuffer", layout: Layout) -> "ByteBuffer":
    """Return a PNG with only what its pixels need, or refuse it if they unpack to much more.

    libpng unpacks all of it: 10 MB can become 10 GB, for 20 s. Raises UnsupportedFormatError.
    """
    data, packed = png_pixels(data)
    _check_unpacked(packed, layout)
    return data


def _check_unpacked(packed: Iterable[memoryview], layout: Layout) -> None:
    # Four samples a pixel, and for each row of an interlaced picture a filter and some padding.
    most = layout.width * layout.height * 4 * layout.bits // 8 + 4 * layout.height + 1024
    if sum(map(len, packed)) * MOST_UNPACKED <= max(most, 50_000_000):  # 0.1 s
        return
    unpacker, length = zlib.decompressobj(), 0
    with contextlib.suppress(zlib.error):  # libpng tells damage from what may be passed over
        for part in packed:
            for start in range(0, len(part), SLICE):
                rest: ByteBuffer = part[start : start + SLICE]
                while len(rest) and length <= most and not unpacker.eof:
                    length += len(unpacker.decompress(rest, 2**20))
                    rest = unpacker.unconsumed_tail
    if length > most:
        raise UnsupportedFormatError(
            f"the png picture ({layout.width}x{layout.height}) has more compressed data than its "
            "pixels need, which no camera or editor writes"
        )


def _reduction(fmt: str, layout: Layout, max_pixels: int) -> int:
    """Return 1, 2, 4 or 8: by how much width and height are divided to keep to the limit.

    Raises EmptyImageError and ImageTooLargeError.
    """
    width, height, times = layout.width, layout.height, 1
    if fmt == "jpeg":
        times = MOST_REDUCED_BUFFERED if layout.buffered else MOST_REDUCED
    check_pixels(width, height, sys.maxsize)
    if width * height > times * max_pixels:
        hint = "only a jpeg is decoded at a smaller size"
        if times > 1:
            kind = "progressive jpeg" if layout.buffered else "jpeg"
            hint = f"of a {kind}, which is decoded at a smaller size, {times * max_pixels}"
        raise ImageTooLargeError(f"{_too_large(width, height, max_pixels)}; {hint}")
    reduction = 1
    while -(-width // reduction) * -(-height // reduction) > max_pixels and reduction < 8:
        reduction *= 2
    return reduction


def _decode(data: "ByteBuffer", layout: Layout, reduction: int) -> NDArray[Any] | None:
    """Return the stored pixels: gray, BGR or BGRA, of 8 or 16 bits; None if they are damaged."""
    if layout.animated:
        # OpenCV refuses animated WebP up to 4.10.
        left, top, still = first_frame(data)
        size = read_layout(still, "webp")
        right, bottom = left + size.width, top + size.height
        if right > layout.width or bottom > layout.height:
            return None
        frame = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_UNCHANGED)
        if frame is None or (size.width, size.height) == (layout.width, layout.height):
            return frame
        shown = np.zeros((layout.height, layout.width, 4), np.uint8)  # transparent around it
        part = shown[top:bottom, left:right]
        part[..., 3] = 255
        part[..., : frame.shape[2]] = frame
        return shown
    # OpenCV 4.5 and 4.6 do not know EXIF of every format; here it is the same with all versions.
    flags = _READ[reduction] | cv2.IMREAD_IGNORE_ORIENTATION
    if layout.bits == 16 or layout.transparent:
        flags = cv2.IMREAD_UNCHANGED
    pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    return pixels


def _to_bgr(pixels: NDArray[Any] | None, fmt: str, layout: Layout, gray16: str) -> Image | None:
    if pixels is None:
        return None
    key = None
    if layout.key is not None:
        gray = pixels if pixels.ndim == 2 else pixels[..., 0]
        scale = 255 // (2**layout.bits - 1) if layout.bits < 8 else 1
        key = gray == layout.key * scale
    if pixels.dtype == np.uint16:
        pixels = to_8_bits(pixels, gray16, gray=pixels.ndim == 2)
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    elif pixels.shape[2] == 4:
        pixels = _on_white(pixels, fmt)
    if key is not None:
        np.copyto(pixels, 255, where=key[..., None])  # an index would take 16 bytes a pixel
    return pixels.astype(np.uint8, copy=False)


def _on_white(bgra: NDArray[np.uint8], fmt: str) -> Image:
    """Return pixels laid on white, as a viewer shows them: color x alpha + 255 x (1 - alpha)."""
    bgr, alpha = bgra[..., :3], bgra[..., 3]
    if alpha.min() == 255 or (fmt == "bmp" and not alpha.any()):  # BMP: some leave it unset
        return np.ascontiguousarray(bgr)
    # In place, where that is possible: a large picture takes much memory here.
    shown, shares = np.ascontiguousarray(bgr), cv2.cvtColor(alpha.copy(), cv2.COLOR_GRAY2BGR)
    cv2.multiply(shown, shares, shown, scale=1 / 255)
    cv2.add(shown, cv2.bitwise_not(shares, shares), shown)
    return shown


def _turned_upright(image: Image, orientation: int) -> Image:
    """Return the image as a viewer shows it; ``orientation`` is that of EXIF, 1 to 8."""
    if orientation in _SIDEWAYS:
        image = cast(Image, cv2.transpose(image))
    flip = _FLIPS[orientation]
    return image if flip is None else cast(Image, cv2.flip(image, flip))


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Raise EmptyImageError or ImageTooLargeError for a size that cannot be processed."""
    if width < 1 or height < 1:
        raise EmptyImageError(f"the picture is {width}x{height} pixels")
    if width * height > max_pixels:
        raise ImageTooLargeError(_too_large(width, height, max_pixels))


def _too_large(width: int, height: int, max_pixels: int) -> str:
    return (
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
