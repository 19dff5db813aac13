"""Depth images from their bytes: rows of numbers, and what the transport compressedDepth makes.

Layouts: https://www.ros.org/reps/rep-0118.html for sensor_msgs/Image. For compressedDepth,
codec.cpp of https://github.com/ros-perception/image_transport_plugins; RVL is Wilson, Fast Lossless
Depth Image Compression, 2017 (https://doi.org/10.1145/3132272.3134144).
"""

from __future__ import annotations

import contextlib
import struct
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import TruncatedImageError, UnsupportedFormatError
from i2t_ros.types import ByteBuffer, Picture
from i2t_ros.vision.codecs import check_packed, check_picture, check_pixels
from i2t_ros.vision.depth import DepthImage
from i2t_ros.vision.headers import check_complete

MOST_PIXELS = 10_000_000
"""Of a depth image: registered to 4K video it has 8.3 million."""
MOST_RVL_PIXELS = 2_500_000
"""Of an RVL image, which takes some 80 bytes of memory for each: 1920x1080 has 2.1 million."""
MOST_RUNS = 300_000
"""Of an RVL image: each of them takes Python about a microsecond. One of 640x480 with noise has
some thousands."""
ENCODINGS: dict[str, np.dtype[Any]] = {
    "16UC1": np.dtype("u2"),
    "mono16": np.dtype("u2"),
    "32FC1": np.dtype("f4"),
}
"""Encoding of a depth image -> NumPy type; some drivers say mono16 where they mean millimeters."""
_HEADER = struct.Struct("<iff")  # format (unused), quantization A and B
_RVL_SIZE = struct.Struct("<II")  # width, height
_LONGEST = 8
"""Groups of three bits of a number in RVL: enough for MOST_RVL_PIXELS, and for any difference."""


class Layout(NamedTuple):
    """How the pixels of a sensor_msgs/Image lie in its data."""

    width: int
    height: int
    step: int
    encoding: str
    big_endian: bool


def depth_from_rows(data: ByteBuffer, layout: Layout) -> DepthImage:
    """Return a depth image that shares the memory of its data.

    Raises UnsupportedFormatError, EmptyImageError, ImageTooLargeError, TruncatedImageError.
    """
    width, height, step, encoding, big_endian = layout
    if encoding not in ENCODINGS:
        expected = ", ".join(ENCODINGS)
        raise UnsupportedFormatError(
            f"depth encoding: expected one of {expected}, got {encoding[:40]!r}"
        )
    check_pixels(width, height, MOST_PIXELS)
    dtype = ENCODINGS[encoding].newbyteorder(">" if big_endian else "<")
    view = memoryview(data).cast("B")
    row = width * dtype.itemsize
    if step < row or len(view) < step * (height - 1) + row:
        raise TruncatedImageError(
            f"depth image data: expected {height} rows of at least {row} bytes, got a step of "
            f"{step} and {len(view)} bytes"
        )
    return DepthImage(np.ndarray((height, width), dtype, view, strides=(step, dtype.itemsize)))


def decode_compressed_depth(data: ByteBuffer, format: str) -> DepthImage:
    """Return the depth image of a CompressedImage of the transport compressedDepth.

    format  as in the message: "16UC1; compressedDepth png", "32FC1; compressedDepth rvl", or
            without what follows the encoding, for png

    Raises ImageError.
    """
    encoding, _, rest = format.partition(";")
    encoding, packing = encoding.strip(), rest.split()[1:] or ["png"]
    known = encoding in ENCODINGS and packing[0] in ("png", "rvl")
    if not known or (rest and rest.split()[:1] != ["compressedDepth"]):
        raise UnsupportedFormatError(
            "format: expected 16UC1 or 32FC1, then '; compressedDepth png' or "
            f"'; compressedDepth rvl', got {format[:80]!r}"
        )
    view = memoryview(data).cast("B")
    if len(view) <= _HEADER.size:
        raise TruncatedImageError(f"compressedDepth: expected more than 12 bytes, got {len(view)}")
    _, a, b = _HEADER.unpack_from(view)
    unpack = _png if packing[0] == "png" else _rvl
    pixels = unpack(view[_HEADER.size :])
    if ENCODINGS[encoding].kind == "u":
        return DepthImage(pixels)
    if not np.isfinite((a, b)).all():
        raise TruncatedImageError(f"compressedDepth: expected finite numbers, got {a} and {b}")
    return DepthImage(pixels, (a, b))


def _png(data: memoryview) -> NDArray[np.uint16]:
    picture = Picture(data)
    fmt, width, height = check_picture(picture, MOST_PIXELS)
    if fmt != "png" or picture.layout.bits != 16:
        raise UnsupportedFormatError(
            f"compressedDepth: expected a png of 16 bits, got a {fmt} of {picture.layout.bits}"
        )
    check_complete(data, fmt)
    pixels: NDArray[Any] | None = None
    with contextlib.suppress(cv2.error):
        packed = np.frombuffer(check_packed(data, picture.layout), np.uint8)
        pixels = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise TruncatedImageError(f"the png picture ({width}x{height}) is cut or damaged")
    if pixels.ndim != 2 or pixels.dtype != np.uint16:
        got = f"{pixels.dtype} {pixels.shape}"
        raise UnsupportedFormatError(f"compressedDepth: expected a png of 16-bit gray, got {got}")
    return pixels


def _rvl(data: memoryview) -> NDArray[np.uint16]:
    """Return the pixels of an RVL image.

    Numbers are groups of three bits, the lowest first, each in four bits whose highest says that
    another group follows; eight of these are in a 32-bit word, the first in its highest bits. The
    numbers are: how many zeros, how many other pixels, then the difference of each of these from
    the one before, with its sign in the lowest bit; and so on.
    """
    if len(data) < _RVL_SIZE.size:
        raise TruncatedImageError(f"rvl: expected the size in 8 bytes, got {len(data)}")
    width, height = _RVL_SIZE.unpack_from(data)
    check_pixels(width, height, MOST_RVL_PIXELS)
    pixels = width * height
    if len(data) > 3 * pixels + 16:
        raise TruncatedImageError(
            f"rvl: expected up to 3 bytes for each of {width}x{height} pixels, got {len(data)}"
        )
    numbers = _rvl_numbers(data[_RVL_SIZE.size :])
    runs: list[tuple[int, int, int]] = []
    counts, at, pixel = numbers.tolist(), 0, 0
    while pixel < pixels and at + 1 < len(counts) and len(runs) < MOST_RUNS:
        pixel, others = pixel + counts[at], counts[at + 1]
        runs.append((at + 2, pixel, others))
        pixel, at = pixel + others, at + 2 + others
    if pixel != pixels or at > len(counts):
        raise TruncatedImageError(f"rvl: the {width}x{height} image is cut or damaged")
    starts, places, lengths = np.array(runs).T
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    coded = numbers[np.repeat(starts, lengths) + within]
    out = np.zeros(pixels, np.uint16)
    differences = (coded >> 1) ^ -(coded & 1)
    out[np.repeat(places, lengths) + within] = np.cumsum(differences).astype(np.uint16)
    return out.reshape(height, width)


def _rvl_numbers(data: memoryview) -> NDArray[np.int32]:
    """Return the numbers in words of RVL."""
    words = np.frombuffer(data, "<u4", len(data) // 4)
    groups = ((words[:, None] >> np.arange(28, -4, -4, dtype=np.uint32)) & 15).astype(np.uint8)
    groups = groups.ravel()
    ends = np.flatnonzero(groups < 8).astype(np.int32)
    if not len(ends):
        return np.zeros(0, np.int32)
    starts = np.concatenate([np.zeros(1, np.int32), ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > _LONGEST:
        raise TruncatedImageError("rvl: expected numbers of up to 24 bits, got a longer one")
    values = groups[: ends[-1] + 1].astype(np.int32) & 7
    values <<= 3 * (np.arange(len(values), dtype=np.int32) - np.repeat(starts, lengths))
    return np.asarray(np.add.reduceat(values, starts), np.int32)
