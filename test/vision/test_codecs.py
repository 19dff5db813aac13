import contextlib
import struct
import zlib
from array import array

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from i2t_ros.errors import (
    EmptyImageError,
    ImageError,
    ImageTooLargeError,
    NotAnImageError,
    TruncatedImageError,
    UnsupportedFormatError,
)
from i2t_ros.types import Picture
from i2t_ros.vision.codecs import (
    FORMATS,
    canonical_format,
    decode_image,
    encode_image,
    picture_format,
    read_header,
)

PHOTO = cv2.resize(
    np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8), (80, 60), interpolation=1
)


def encoded(fmt):
    return bytes(encode_image(PHOTO, fmt).data)


def png_header(width, height):
    """Return a valid PNG whose header promises any size."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("fmt", FORMATS)
def test_round_trip(fmt):
    data = encoded(fmt)
    assert picture_format(data) == fmt
    assert read_header(Picture(data)) == (fmt, 80, 60)
    image = decode_image(data)
    assert image.shape == PHOTO.shape
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    tolerance = 0 if fmt in ("png", "bmp") else 20
    assert np.abs(image.astype(int) - PHOTO).mean() <= tolerance


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("kind", [bytearray, memoryview, lambda data: array("B", data)])
def test_every_kind_of_buffer_is_read(fmt, kind):
    assert decode_image(kind(encoded(fmt))).shape == PHOTO.shape


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_picture_cut_anywhere_is_refused(fmt):
    data = encoded(fmt)
    for length in range(1, len(data) - 1, max(1, len(data) // 97)):
        with pytest.raises(ImageError):
            decode_image(data[:length])


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_picture_cut_in_the_middle_is_called_truncated(fmt):
    data = encoded(fmt)
    with pytest.raises(TruncatedImageError, match=f"the {fmt} .* cut"):
        decode_image(data[: len(data) // 2])


def test_a_jpeg_with_a_thumbnail_and_no_end_is_truncated():
    # The thumbnail inside the application segment has an end marker of its own.
    data = encoded("jpeg")
    segment = b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data
    whole = data[:2] + segment + data[2:]
    assert decode_image(whole).shape == PHOTO.shape
    with pytest.raises(TruncatedImageError):
        decode_image(whole[: -len(data) // 3])


def test_trailing_bytes_do_no_harm():
    assert decode_image(encoded("jpeg") + bytes(100)).shape == PHOTO.shape


def test_exif_orientation_is_followed():
    orientation = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)  # turn right to see it upright
    tiff = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + orientation + bytes(4)
    exif = b"Exif\0\0" + tiff
    data = encoded("jpeg")
    turned = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    assert decode_image(turned).shape == (80, 60, 3)
    assert read_header(Picture(turned)) == ("jpeg", 60, 80)


def test_grey_and_transparent_pictures_become_bgr():
    for image in (PHOTO[:, :, 0], np.dstack([PHOTO, PHOTO[:, :, 0]])):
        data = cv2.imencode(".png", image)[1].tobytes()
        assert decode_image(data).shape == PHOTO.shape


def test_a_bomb_is_refused_from_its_header():
    with pytest.raises(ImageTooLargeError, match=r"20000x20000.*max_pixels.*40000000"):
        decode_image(png_header(20_000, 20_000))


def test_the_limit_is_the_callers():
    with pytest.raises(ImageTooLargeError, match="80x60, 4800 pixels"):
        decode_image(encoded("png"), max_pixels=4799)
    assert decode_image(encoded("png"), max_pixels=4800).shape == PHOTO.shape


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"", EmptyImageError, "0 bytes"),
        (b"hello", NotAnImageError, "68 65 6c 6c 6f"),
        (b"GIF89a......", UnsupportedFormatError, "gif"),
        (b"\0\0\0\x18ftypheic....", UnsupportedFormatError, "heif"),
        (b"\xff\xd8\xff\xe0", TruncatedImageError, "jpeg"),
        (b"BM", TruncatedImageError, "bmp"),
    ],
)
def test_bad_bytes_have_their_own_error(data, error, message):
    with pytest.raises(error, match=message):
        decode_image(data)


@given(st.binary(max_size=300), st.sampled_from([b"", *(encoded(f)[:40] for f in FORMATS)]))
def test_no_bytes_at_all_raise_anything_else(data, head):
    with contextlib.suppress(ImageError):
        decode_image(head + data)


@pytest.mark.parametrize("name", [".jpg", "JPG", "jpeg", ".JPE", "jpeg "])
def test_extensions(name):
    assert canonical_format(name) == "jpeg"


@pytest.mark.parametrize("name", ["gif", "", "jp g", "../png"])
def test_unknown_extensions_are_named(name):
    with pytest.raises(UnsupportedFormatError, match="supported are jpeg, png, bmp, webp"):
        canonical_format(name)


def test_a_picture_too_wide_for_its_format_is_refused():
    with pytest.raises(ImageTooLargeError, match="20000x2 as webp"):
        encode_image(np.zeros((2, 20_000, 3), np.uint8), "webp")
