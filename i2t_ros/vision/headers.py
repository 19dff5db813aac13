"""What the headers of encoded pictures say, and where the pictures end, without decoding them.

The parts of a file (JPEG's segments, the chunks of PNG and WebP) are walked by their lengths, so
what lies inside a part, such as a thumbnail, or behind the picture, such as a phone's video, is
never taken for the picture. A walk looks at a limited number of parts and copies none of them: on a
core of a server it takes at most 3 ms for 16 MB. Searches are made in slices, so that no thread
keeps Python's lock for more than a millisecond.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from i2t_ros.errors import TruncatedImageError, UnsupportedFormatError
from i2t_ros.types import ByteBuffer

MOST_CHUNKS = 2000
"""Of a PNG or WebP, and one more for each CHUNK bytes."""

CHUNK = 4096  # PNG writers begin a new one after 8 kB at the least

MOST_SEGMENTS = 2000
"""Of a JPEG. Color profiles have at most 255, and metadata of 16 MB, such as depth maps, 250."""

MOST_SCANS = 100
"""Of a JPEG. libjpeg's own progression has 10 scans, and mozjpeg tries out 64 to keep the best."""

MOST_PADDING = 65_536
"""Bytes between the segments of a JPEG, all together; cameras write a few at most."""

MOST_TAGS = 1000  # of EXIF; cameras write about twenty

SLICE = 131_072
"""Bytes that are searched at once; of the worst kind they take 0.5 ms."""

Part = tuple[int | bytes, int, int]
"""The code of a segment or the name of a chunk, and where in the file its content starts and ends.
"""

# Markers of JPEG (ITU-T T.81, table B.1). Of the frames only baseline, extended sequential and
# progressive ones with Huffman coding are read. Arithmetic coding has no limit to the time that a
# few bytes take; like the lossless and the hierarchical kinds, no browser reads it.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_READ_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_PROGRESSIVE = 0xC2
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # without a length
_END, _START_OF_SCAN, _APP1 = 0xD9, 0xDA, 0xE1
# Between segments, any number of 0xFF may stand before a marker. In entropy-coded data 0xFF is
# escaped and restart markers are part of it; codes that cannot stand there are damage.
_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_MARKER_AFTER_SCAN = re.compile(rb"\xff[\xc4\xcc\xd9-\xdd\xe0-\xef\xfe]")

_EXIF = b"Exif\0\0"
_ORIENTATION = 0x0112
_GRAY, _PALETTE = 0, 3  # PNG's color types; 4 is set if there is an alpha channel
_BITFIELDS = (3, 6)  # compressions of BMP: none, with masks that say where each color is


@dataclass(frozen=True, slots=True)
class Layout:
    """How a picture's pixels are stored.

    width, height  in pixels, before the picture is turned upright
    orientation    1 to 8, as EXIF has it; 1: upright
    bits           of a sample
    transparent    whether pixels may be transparent
    key            of a gray picture: the value that is transparent, if one is
    animated       whether it has several frames in a form that old versions of OpenCV refuse
    buffered       whether a decoder has to hold all of it before the first row is ready
    """

    width: int
    height: int
    orientation: int = 1
    bits: int = 8
    transparent: bool = False
    key: int | None = None
    animated: bool = False
    buffered: bool = False


def read_layout(data: "ByteBuffer", fmt: str) -> Layout:
    """Return the layout of a picture of this format.

    Raises TruncatedImageError if the header is cut or damaged, and UnsupportedFormatError if it has
    more parts than any writer makes.
    """
    try:
        return _READERS[fmt](memoryview(data).cast("B"))
    except (struct.error, IndexError) as error:
        raise TruncatedImageError(f"the {fmt} header is cut or damaged") from error


def check_complete(data: "ByteBuffer", fmt: str) -> int:
    """Return the number of a JPEG's scans, and 1 for other formats, without decoding the picture.

    Raises TruncatedImageError if the end of the picture is missing: OpenCV decodes what is left and
    fills the rest with gray, without an error. Also raises UnsupportedFormatError for more parts,
    or scans, than any writer makes.
    """
    view = memoryview(data).cast("B")
    try:
        scans = _ENDS[fmt](view)
    except struct.error:
        scans = 0
    if not scans:
        raise TruncatedImageError(f"the {fmt} picture is cut off after {len(view)} bytes")
    return int(scans)


def _too_many(fmt: str, what: str, most: int) -> UnsupportedFormatError:
    return UnsupportedFormatError(
        f"the {fmt} picture has more than {most} {what}, which no camera or editor writes"
    )


def _orientation(tiff: memoryview) -> int:
    """Return the orientation of EXIF data; 1 if there is none, or a damaged one."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(tiff[:2]))
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (number,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(min(number, MOST_TAGS)):
            tag, kind = struct.unpack_from(f"{order}HH", tiff, at + 2 + 12 * entry)
            if tag == _ORIENTATION:
                size = "I" if kind == 4 else "H"  # LONG; or SHORT, as it should be
                (value,) = struct.unpack_from(order + size, tiff, at + 10 + 12 * entry)
                return value if 1 <= value <= 8 else 1  # as EXIF defines it
    except struct.error:  # decoders ignore damaged EXIF, too
        pass
    return 1


def _jpeg_segments(view: memoryview) -> Iterator[Part]:
    """Yield the segments up to the end marker, or up to where the data is cut or damaged."""
    at, padding, in_scan, scans = 2, MOST_PADDING, False, 0
    for _ in range(MOST_SEGMENTS):
        wanted, limit = (_MARKER, at + padding + 2)
        if in_scan:
            wanted, limit = (_MARKER_AFTER_SCAN, len(view))
        found = _search(wanted, view, at, limit)
        if found is None:
            return
        if not in_scan:
            padding -= found.start() - at
        at, code = found.end(), view[found.end() - 1]
        in_scan = code == _START_OF_SCAN
        if code == _END:
            yield code, at, at
            return
        if code in _ALONE:
            continue
        if len(view) < at + 2:
            return
        end = at + max(2, int.from_bytes(view[at : at + 2], "big"))
        if end > len(view):
            return
        scans += code == _START_OF_SCAN
        if scans > MOST_SCANS:
            raise _too_many("jpeg", "scans", MOST_SCANS)
        yield code, at + 2, end
        at = end
    raise _too_many("jpeg", "segments", MOST_SEGMENTS)


def _search(pattern: re.Pattern[bytes], view: memoryview, at: int, end: int) -> Any:
    """Return the first match of a pattern of two bytes; other threads may run between slices."""
    for start in range(at, min(end, len(view)), SLICE):
        found = pattern.search(view, start, min(end, start + SLICE + 1))
        if found is not None:
            return found
    return None


def _jpeg_layout(view: memoryview) -> Layout:
    orientation = frame = None
    for code, start, end in _jpeg_segments(view):
        if code == _APP1 and orientation is None and bytes(view[start : start + 6]) == _EXIF:
            orientation = _orientation(view[start + 6 : end])
        elif code in _START_OF_FRAME and frame is None:
            if code not in _READ_FRAMES:
                raise UnsupportedFormatError(
                    f"the jpeg picture is of a kind that is not read, frame marker 0x{code:02x}; "
                    "expected baseline or progressive with Huffman coding"
                )
            bits, height, width, components = struct.unpack_from(">BHHB", view, start)
            frame = width, height, bits
            progressive = code == _PROGRESSIVE
        elif code == _START_OF_SCAN:
            if frame is None:
                break
            width, height, bits = frame
            buffered = progressive or view[start] < components
            return Layout(width, height, orientation or 1, bits, buffered=buffered)
    raise TruncatedImageError("the jpeg header is cut or damaged: it has no frame or no scan")


def _jpeg_ends(view: memoryview) -> int:
    scans, code = 0, None
    for code, _, _ in _jpeg_segments(view):
        scans += code == _START_OF_SCAN
    return scans if code == _END else 0


def _png_chunks(view: memoryview) -> Iterator[Part]:
    """Yield the chunks that are whole, up to the end chunk."""
    at, most = 8, MOST_CHUNKS + len(view) // CHUNK
    for _ in range(most):
        if len(view) < at + 12:
            return
        length, name = struct.unpack_from(">I4s", view, at)
        if length > len(view) - at - 12:
            return
        yield name, at + 8, at + 8 + length
        if name == b"IEND":
            return
        at += 12 + length
    raise _too_many("png", "chunks", most)


def _png_layout(view: memoryview) -> Layout:
    name, width, height, bits, color = struct.unpack_from(">4sIIBB", view, 12)
    if name != b"IHDR":
        raise TruncatedImageError("the png header is cut or damaged")
    orientation, transparent, key = None, bool(color & 4), None
    for name, start, end in _png_chunks(view):
        if name == b"eXIf" and orientation is None:
            orientation = _orientation(view[start:end])
        elif name == b"tRNS" and color == _GRAY:
            (key,) = struct.unpack_from(">H", view, start)
        elif name == b"tRNS":
            transparent = True
    return Layout(width, height, orientation or 1, bits, transparent, key)


def _png_ends(view: memoryview) -> bool:
    return any(name == b"IEND" for name, _, _ in _png_chunks(view))


def png_pixels(data: "ByteBuffer") -> "tuple[ByteBuffer, list[memoryview]]":
    """Return a PNG with only what its pixels need, and its compressed data, part by part.

    Texts and color profiles are left out: decoders unpack them, a few bytes to megabytes each. So
    are the frames of an animation, of which the still image is shown as by older decoders.
    """
    view = memoryview(data).cast("B")
    kept, packed, dropped = [view[:8]], [], False
    for name, start, end in _png_chunks(view):
        needed = name == b"tRNS" or bytes(name)[:1].isupper()  # critical chunks are in capitals
        dropped |= not needed
        if needed:
            kept.append(view[start - 8 : end + 4])
        if name == b"IDAT":
            packed.append(view[start:end])
    return b"".join(kept) if dropped else data, packed


def _webp_chunks(view: memoryview) -> Iterator[Part]:
    """Yield the chunks that are whole, up to the end that the first one announces."""
    at, end = 12, min(len(view), 8 + int.from_bytes(view[4:8], "little"))
    most = MOST_CHUNKS + len(view) // CHUNK
    for _ in range(most):
        if end < at + 8:
            return
        name, length = struct.unpack_from("<4sI", view, at)
        if length > end - at - 8:
            return
        yield name, at + 8, at + 8 + length
        at += 8 + length + length % 2
    raise _too_many("webp", "chunks", most)


def first_frame(data: "ByteBuffer") -> tuple[int, int, bytes]:
    """Return where in an animated WebP its first frame lies, left and top, and the frame as a WebP.

    Of https://developers.google.com/speed/webp/docs/riff_container, "Animation". Raises
    TruncatedImageError if there is none.
    """
    view = memoryview(data).cast("B")
    for name, start, end in _webp_chunks(view):
        if name == b"ANMF" and end >= start + 16:
            left, top = (
                2 * int.from_bytes(view[at : at + 3], "little") for at in (start, start + 3)
            )
            size = bytes(view[start + 6 : start + 12])  # less one, as at the start of a file
            flags = bytes([16, 0, 0, 0])  # transparency
            body = b"WEBPVP8X" + struct.pack("<I", 10) + flags + size + view[start + 16 : end]
            return left, top, b"RIFF" + struct.pack("<I", len(body)) + body
    raise TruncatedImageError("the webp picture is cut or damaged: it has no frame")


def _webp_layout(view: memoryview) -> Layout:
    first, start = bytes(view[12:16]), 20
    if first == b"VP8X":
        (flags,) = struct.unpack_from("<B", view, start)
        width = 1 + int.from_bytes(view[start + 4 : start + 7], "little")
        height = 1 + int.from_bytes(view[start + 7 : start + 10], "little")
        orientation = None
        for name, at, end in _webp_chunks(view):
            if name == b"EXIF" and orientation is None:
                prefix = 6 if bytes(view[at : at + 6]) == _EXIF else 0  # as in JPEG; not needed
                orientation = _orientation(view[at + prefix : end])
        transparent, animated = bool(flags & 16), bool(flags & 2)
        return Layout(width, height, orientation or 1, transparent=transparent, animated=animated)
    if first == b"VP8L":
        sign, bits = struct.unpack_from("<BI", view, start)
        if sign == 0x2F:  # VP8L's signature
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
            return Layout(width, height, transparent=bool(bits >> 28 & 1))
    elif first == b"VP8 " and bytes(view[start + 3 : start + 6]) == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", view, start + 6)
        return Layout(width & 0x3FFF, height & 0x3FFF)
    raise TruncatedImageError("the webp header is cut or damaged")


def _webp_ends(view: memoryview) -> bool:
    (size,) = struct.unpack_from("<I", view, 4)
    images = (b"VP8 ", b"VP8L", b"ANMF")
    return len(view) >= 8 + size and any(name in images for name, _, _ in _webp_chunks(view))


def _bmp_layout(view: memoryview) -> Layout:
    (size,) = struct.unpack_from("<I", view, 14)
    if size == 12:  # of OS/2's old header
        return Layout(*struct.unpack_from("<HH", view, 18))
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", view, 18)
    masked = size >= 56 and bits == 32 and compression in _BITFIELDS
    alpha = masked and struct.unpack_from("<I", view, 66)[0]
    # The height is negative if the first row is the top one.
    return Layout(max(0, width), abs(height), transparent=bool(alpha))


def _bmp_ends(view: memoryview) -> bool:
    pixels_at, size = struct.unpack_from("<II", view, 10)
    form = "<HHHH" if size == 12 else "<iiHHI"
    width, height, _, bits, *compression = struct.unpack_from(form, view, 18)
    packed = bool(compression) and compression[0] not in (0, *_BITFIELDS)  # of unknown length
    row = 0 if packed else (abs(width) * bits + 31) // 32 * 4  # padded to four bytes
    return len(view) >= int(pixels_at + max(1, row * abs(height)))


_READERS: dict[str, Callable[[memoryview], Layout]] = {
    "jpeg": _jpeg_layout,
    "png": _png_layout,
    "webp": _webp_layout,
    "bmp": _bmp_layout,
}
_ENDS: dict[str, Callable[[memoryview], int]] = {
    "jpeg": _jpeg_ends,
    "png": _png_ends,
    "webp": _webp_ends,
    "bmp": _bmp_ends,
}
