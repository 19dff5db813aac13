"""Pictures: their parts changed, with lengths and checksums that mostly still hold."""

import io
import struct
import time
from random import Random

import cv2
import numpy as np
from bounds import PICTURE_MEMORY
from mutations import NUMBERS
from picture_files import bmp, exif, photo, png, png_chunk, segment
from PIL import Image
from target import Case, Target

from i2t_ros.errors import ImageError
from i2t_ros.types import Picture
from i2t_ros.vision.codecs import check_picture, decode_image, read_header
from i2t_ros.vision.headers import check_complete

Parts = list[tuple[bytes, bytes]]
"""A picture's format, then its parts: the kind of each, and what is in it."""

READING = 0.1
"""Seconds of processor time to find size and end of a picture of a few megabytes."""
MANY = (2, 100, 110, 5_000, 30_000)
WORDS = (
    b"\xff", b"\xff\xd8", b"\xff\xd9", b"\xff\xda", b"\xff\xc2", b"\xff\xd0", b"Exif\0\0", b"IHDR",
    b"IDAT", b"IEND", b"tRNS", b"eXIf", b"acTL", b"VP8X", b"VP8L", b"VP8 ", b"ANMF", b"EXIF",
    b"RIFF", b"BM",
)  # fmt: skip


def _saved(kind: str, **options) -> bytes:
    out = io.BytesIO()
    Image.fromarray(photo()[..., ::-1]).save(out, kind, **options)
    return out.getvalue()


def _corpus() -> list[bytes]:
    image, rows = photo(), b"".join(b"\0" + bytes(240) for _ in range(60))
    moving = [Image.fromarray(np.roll(image, shift)) for shift in (0, 9)]
    out = io.BytesIO()
    moving[0].save(out, "WEBP", save_all=True, append_images=moving[1:], duration=50)
    pictures = [
        _saved("JPEG"),
        _saved("JPEG", progressive=True, exif=b"Exif\0\0" + exif(6)),
        cv2.imencode(".jpg", image[..., 0], [cv2.IMWRITE_JPEG_RST_INTERVAL, 1])[1].tobytes(),
        _saved("PNG"),
        png(80, 60, 8, 2, rows, [(b"eXIf", exif(8)), (b"tEXt", b"Title\0x")]),
        png(80, 60, 16, 0, b"".join(b"\0" + bytes(160) for _ in range(60)), [(b"tRNS", b"\0\0")]),
        cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_BGR2BGRA))[1].tobytes(),
        _saved("WEBP", exif=exif(3)),
        _saved("WEBP", lossless=True),
        out.getvalue(),
        cv2.imencode(".bmp", image)[1].tobytes(),
        bmp(cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)),
    ]
    return pictures


def taken_apart(data: bytes) -> Parts:
    """Return the parts of a whole picture."""
    if data[:2] == b"\xff\xd8":
        return [(b"jpeg", b""), *_segments(data)]
    if data[:4] == b"\x89PNG":
        return [(b"png", b""), *_chunks(data, 8, ">I4s", 4)]
    if data[:4] == b"RIFF":
        return [(b"webp", b""), *_chunks(data, 12, "<4sI", 0)]
    return [(b"bmp", b""), (b"head", data[:14]), (b"info", data[14:54]), (b"rows", data[54:])]


def put_together(parts: Parts) -> bytes:
    """Return the picture of parts, each with its own length and checksum."""
    kind, body = parts[0][0], parts[1:]
    if kind == b"jpeg":
        return b"".join(
            content if code == b"raw" else segment(code[0], content[:65_533])
            for code, content in body
        )
    if kind == b"png":
        return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in body)
    if kind == b"webp":
        chunks = b"".join(
            name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
            for name, content in body
        )
        return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks
    return b"".join(content for _, content in body)


def _segments(data: bytes) -> Parts:
    parts, at = [(b"raw", data[:2])], 2
    while data[at + 1] != 0xD9:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        parts.append((data[at + 1 : at + 2], data[at + 4 : end]))
        at = end
        if parts[-1][0] == b"\xda":
            while data[end] != 0xFF or data[end + 1] in (0, *range(0xD0, 0xD8)):
                end += 1
            parts.append((b"raw", data[at:end]))
            at = end
    return [*parts, (b"raw", data[at:])]


def _chunks(data: bytes, at: int, form: str, tail: int) -> Parts:
    parts = []
    while at + 8 <= len(data):
        name, length = sorted(
            struct.unpack_from(form, data, at), key=lambda one: isinstance(one, int)
        )
        parts.append((name, data[at + 8 : at + 8 + length]))
        at += 8 + length + (tail or length % 2)
    return parts


class Pictures(Target):
    """Reads, checks and decodes JPEG, PNG, WebP and BMP."""

    name = "pictures"
    cases = 700
    memory = PICTURE_MEMORY

    def __init__(self, bounds, watch):
        super().__init__(bounds, watch)
        self._whole = _corpus()
        self._taken_apart = [taken_apart(data) for data in self._whole]
        for data, parts in zip(self._whole, self._taken_apart, strict=True):
            assert put_together(parts) == data

    def generate(self, random: Random) -> Case:
        if random.random() < 0.2:
            return [self.mutated(random, random.choice(self._whole), WORDS)]
        parts = list(random.choice(self._taken_apart))
        for _ in range(random.choice((1, 1, 2, 3))):
            self._change(random, parts)
        data = put_together(parts)[: self.bounds.largest]
        return [self.mutated(random, data, WORDS) if random.random() < 0.2 else data]

    def _change(self, random: Random, parts: Parts) -> None:
        at = random.randrange(1, len(parts)) if len(parts) > 1 else 0
        kind, content = parts[at]
        match random.randrange(7) if at else 0:
            case 0:  # of another picture
                others = random.choice(self._taken_apart)
                parts.insert(at + 1, random.choice(others[1:]))
            case 1:
                del parts[at]
            case 2:
                times = min(random.choice(MANY), self.bounds.largest // (len(content) + 12))
                parts[at:at] = [(kind, content)] * times
            case 3:
                parts[at] = (kind, _sized(random, content))
            case 4:
                empty = (random.choice((b"tEXt", b"\xe1", b"\xfe", kind))[: len(kind)], b"")
                parts[at:at] = [empty] * random.choice(MANY)
            case 5:
                parts.insert(random.randrange(1, len(parts)), parts.pop(at))
            case _:
                parts[at] = (kind, self.mutated(random, content, WORDS))

    def run(self, case: Case) -> None:
        data = b"".join(case)
        began = time.process_time()
        try:
            header = read_header(Picture(data))
            check_picture(Picture(data))
            check_complete(data, header.format)
        except ImageError:
            pass
        reading = time.process_time() - began
        assert reading < READING, f"its header took {reading:.2f} s"
        try:
            image = decode_image(data)
        except ImageError:
            return
        finally:
            took = time.process_time() - began
            assert took < self.bounds.cpu, f"decoding took {took:.1f} s"
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert image.shape[2] == 3
        wide, high = header.width, header.height
        assert image.shape[:2] == (high, wide) or image.shape[0] * image.shape[1] < wide * high


def _sized(random: Random, content: bytes) -> bytes:
    """Return content with a number, such as a width or an offset, that is another one."""
    at = random.randrange(min(len(content), 40) + 1)
    form = random.choice((">H", "<H", ">I", "<I"))
    value = random.choice((*NUMBERS, 3000, 6324, 20_000)) & (1 << 8 * struct.calcsize(form)) - 1
    return content[:at] + struct.pack(form, value) + content[at + struct.calcsize(form) :]
