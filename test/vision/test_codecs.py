import contextlib
import io
import struct
from array import array

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_files import bmp, exif, photo, png, segment
from PIL import Image as PillowImage
from PIL import ImageOps

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

PHOTO = photo()


def encoded(fmt):
    return bytes(encode_image(PHOTO, fmt).data)


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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fmt", ["jpeg", "png", "webp"])
def test_every_exif_orientation_is_followed_in_every_format(fmt, orientation):
    out, tags = io.BytesIO(), PillowImage.Exif()
    tags[0x0112] = orientation
    PillowImage.fromarray(PHOTO).save(out, fmt, exif=tags.tobytes(), quality=95)
    out.seek(0)
    upright = np.asarray(ImageOps.exif_transpose(PillowImage.open(out)).convert("RGB"))
    picture = Picture(out.getvalue())
    image = decode_image(picture)
    assert np.abs(image[..., ::-1].astype(int) - upright).mean() < 3
    assert read_header(picture)[1:] == (image.shape[1], image.shape[0])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
@pytest.mark.parametrize("fmt", ["png", "webp"])
def test_an_animation_shows_its_first_frame(fmt, mode):
    frames = [PillowImage.new("RGBA", (8, 6), color) for color in ("red", "lime", "blue")]
    first, *others = [frame.convert(mode) for frame in frames]
    out = io.BytesIO()
    first.save(out, fmt, save_all=True, append_images=others, lossless=True, duration=100)
    assert (decode_image(out.getvalue()) == (0, 0, 255)).all()
    with pytest.raises(TruncatedImageError):
        decode_image(out.getvalue()[:-30])


@pytest.mark.parametrize("at", [(0, 0), (4, 2), (8, 2)])
def test_an_animation_whose_first_frame_is_smaller(at):
    frames = [PillowImage.new("RGB", (4, 4), color) for color in ("red", "lime")]
    out = io.BytesIO()
    frames[0].save(out, "webp", save_all=True, append_images=frames[1:], lossless=True)
    data = bytearray(out.getvalue())
    data[24:30] = bytes([7, 0, 0, 5, 0, 0])  # the canvas: 8 x 6, each less one
    start = data.index(b"ANMF") + 8
    data[start : start + 6] = bytes([at[0] // 2, 0, 0, at[1] // 2, 0, 0])
    if at == (8, 2):
        with pytest.raises(TruncatedImageError):
            decode_image(bytes(data))
        return
    expected = np.full((6, 8, 3), 255, np.uint8)
    expected[at[1] : at[1] + 4, at[0] : at[0] + 4] = (0, 0, 255)
    np.testing.assert_array_equal(decode_image(bytes(data)), expected)


INK = np.zeros((6, 8), bool)
INK[2:4, 2:6] = True


def saved(image, fmt, **how):
    out = io.BytesIO()
    image.save(out, fmt, **how)
    return out.getvalue()


def rows_of(samples):
    """Return the rows of a PNG, most significant byte first, without a filter."""
    return b"".join(b"\0" + np.ascontiguousarray(row).tobytes() for row in samples)


def transparent(most, channels, dtype):
    """Return samples of black letters on nothing; what is transparent is black, too."""
    samples = np.zeros((6, 8, channels), dtype)
    samples[INK, -1] = most
    return samples


def palette(transparency):
    image = PillowImage.fromarray(np.where(INK, 1, 0).astype(np.uint8))
    image.putpalette([0, 0, 0, 0, 0, 0])
    return saved(image, "PNG", transparency=transparency)


RGBA = PillowImage.fromarray(transparent(255, 4, np.uint8))
BITS = np.where(INK, 0, 255).astype(np.uint8)
ON_NOTHING = {
    "png": saved(RGBA, "PNG"),
    "png of gray and alpha": saved(RGBA.convert("LA"), "PNG"),
    "png of 16 bits": png(8, 6, 16, 6, rows_of(transparent(65535, 4, ">u2"))),
    "png of 16 bits, gray": png(8, 6, 16, 4, rows_of(transparent(65535, 2, ">u2"))),
    "palette": palette(bytes([0, 255])),
    "palette, one color": palette(0),
    "gray with a color that is transparent": png(
        8, 6, 8, 0, rows_of(np.where(INK, 0, 9).astype(np.uint8)), [(b"tRNS", b"\0\x09")]
    ),
    "16-bit gray with such a color": png(
        8, 6, 16, 0, rows_of(np.where(INK, 0, 2).astype(">u2")), [(b"tRNS", b"\0\2")]
    ),
    "one bit with such a color": png(
        8, 6, 1, 0, rows_of(np.packbits(~INK, axis=1)), [(b"tRNS", b"\0\1")]
    ),
    "colors with such a color": png(
        8,
        6,
        8,
        2,
        rows_of(np.where(INK[..., None], 0, [1, 2, 3]).astype(np.uint8)),
        [(b"tRNS", b"\0\1\0\2\0\3")],
    ),
    "webp": saved(RGBA, "WEBP", lossless=True, exact=True),
    "lossy webp": saved(RGBA, "WEBP", quality=100),
    "animated webp": saved(
        RGBA, "WEBP", save_all=True, append_images=[RGBA.rotate(90)], duration=9, lossless=True
    ),
    "bmp": bmp(transparent(255, 4, np.uint8)),
}


@pytest.mark.parametrize("kind", ON_NOTHING)
def test_what_is_transparent_is_laid_on_white(kind):
    image = decode_image(ON_NOTHING[kind])
    expected = np.where(INK, 0, 255)
    assert np.abs(image.astype(int) - expected[..., None]).max() <= (8 if "lossy" in kind else 0)


def test_what_is_half_transparent_is_mixed_with_white():
    values = np.array([0, 1, 100, 127, 254, 255], np.uint8)
    samples = np.dstack([*np.meshgrid(values, values)] * 2)[..., [0, 0, 0, 1]]
    image = decode_image(cv2.imencode(".png", np.ascontiguousarray(samples))[1].tobytes())
    color, alpha = samples[..., 0].astype(float), samples[..., 3] / 255
    assert np.abs(image[..., 0] - (color * alpha + 255 * (1 - alpha))).max() <= 1


def test_a_bmp_whose_transparency_is_unset_is_opaque():
    samples = np.dstack([PHOTO, np.zeros(PHOTO.shape[:2], np.uint8)])
    assert (decode_image(bmp(samples)) == PHOTO).all()


@pytest.mark.parametrize("channels", [1, 4])
def test_opaque_pictures_become_bgr_as_they_are(channels):
    samples = PHOTO[..., 0] if channels == 1 else np.dstack([PHOTO, np.full((60, 80), 255)])
    image = decode_image(cv2.imencode(".png", samples.astype(np.uint8))[1].tobytes())
    assert (image == (PHOTO[..., :1] if channels == 1 else PHOTO)).all()


def test_sixteen_bit_gray_becomes_visible_as_the_option_says():
    thermal = np.linspace(7000, 7900, 4800).reshape(60, 80).astype(np.uint16)
    data = cv2.imencode(".png", thermal)[1].tobytes()
    assert decode_image(data, gray16="full").max() == 31
    assert decode_image(data).min() == 0
    assert decode_image(data).max() == 255
    assert decode_image(data, gray16="7000-8800").max() == 128


def large_jpeg(width, height, *, progressive=False):
    """Return a JPEG whose left half is black and whose lower half is blue."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, width // 2 :] = 255
    image[height // 2 :, :, 0] = 255
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)])[
        1
    ].tobytes()


@pytest.mark.parametrize(
    ("limit", "size"), [(48_000, (160, 300)), (47_999, (80, 150)), (6000, (40, 75))]
)
@pytest.mark.parametrize("progressive", [False, True])
def test_a_large_jpeg_is_decoded_at_a_smaller_size(limit, size, progressive):
    picture = Picture(large_jpeg(300, 160, progressive=progressive))
    if progressive and limit < 24_000:
        with pytest.raises(ImageTooLargeError, match=r"progressive jpeg.*, 12000"):
            decode_image(picture, limit)
        return
    image = decode_image(picture, limit)
    assert image.shape[:2] == size
    assert read_header(picture) == ("jpeg", 300, 160)
    height, width = size
    corner = image[height // 4, width // 4], image[height * 3 // 4, width * 3 // 4]
    assert np.abs(np.array(corner, int) - [(0, 0, 0), (255, 255, 255)]).max() < 10


def test_a_large_jpeg_on_its_side_is_decoded_upright():
    data = large_jpeg(300, 160)
    turned = data[:2] + segment(0xE1, b"Exif\0\0" + exif(6)) + data[2:]
    image = decode_image(turned, 20_000)
    assert image.shape == (150, 80, 3)
    assert image[40, 60].max() < 10, "the black corner is at the upper right"


def test_a_jpeg_beyond_what_is_decoded_smaller_is_refused():
    with pytest.raises(ImageTooLargeError, match=r"300x160, .*is 5999; of a jpeg.*, 47992"):
        decode_image(large_jpeg(300, 160), 5999)


@pytest.mark.parametrize("fmt", ["png", "webp", "bmp"])
def test_only_a_jpeg_is_decoded_at_a_smaller_size(fmt):
    with pytest.raises(ImageTooLargeError, match="4799; only a jpeg is decoded at a smaller size"):
        decode_image(encoded(fmt), max_pixels=4799)


def test_a_phones_48_megapixels_fit_into_the_default_limit():
    data = bytearray(encoded("jpeg"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 6000, 8000)
    assert decode_image(bytes(data)).shape == (3000, 4000, 3)


def test_a_bomb_is_refused_from_its_header():
    with pytest.raises(ImageTooLargeError, match=r"20000x20000.*max_pixels.*40000000"):
        decode_image(png(20_000, 20_000, 8, 2, bytes(1000)))


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
