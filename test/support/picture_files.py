"""Picture files, byte by byte."""

import struct
import zlib

import cv2
import numpy as np


def photo():
    """Return an image of 80x60 pixels."""
    noise = np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)
    return cv2.resize(noise, (80, 60), interpolation=cv2.INTER_LINEAR)


def segment(code, data):
    """Return a segment of a JPEG."""
    return bytes([0xFF, code]) + struct.pack(">H", len(data) + 2) + data


def exif(orientation, order="<", kind=3):
    """Return EXIF data that has an orientation and one tag before it."""
    value = struct.pack(order + ("I" if kind == 4 else "H"), orientation).ljust(4, b"\0")
    tags = struct.pack(order + "HHII", 0x0100, 4, 1, 80)
    tags += struct.pack(order + "HHI", 0x0112, kind, 1) + value
    sign = b"II*\0" if order == "<" else b"MM\0*"
    return sign + struct.pack(order + "IH", 8, 2) + tags + bytes(4)


def png_chunk(kind, data):
    """Return a chunk of a PNG."""
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(width, height, bits, color, rows, extra=()):
    """Return a PNG; ``rows`` are its bytes with a filter type before each row.

    color  0: gray, 2: color, 3: palette, 4: gray and alpha, 6: color and alpha
    extra  names and data of the chunks before the pixels
    """
    head = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    chunks = [(b"IHDR", head), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def bmp(samples):
    """Return a BMP of blue, green, red and alpha samples, uint8, whose masks name the alpha."""
    height, width = samples.shape[:2]
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    head = struct.pack("<IiiHHIIiiII", 108, width, -height, 1, 32, 3, samples.size, 0, 0, 0, 0)
    head = (head + struct.pack("<4I", *masks)).ljust(108, b"\0")
    return struct.pack("<2sIHHI", b"BM", 122 + samples.size, 0, 0, 122) + head + samples.tobytes()
