"""Depth images from the bytes of messages, good and bad ones."""

import struct

import cv2
import numpy as np
import pytest
from depth_scenes import compressed, inverse, rvl

from i2t_ros.errors import ImageError, TruncatedImageError
from i2t_ros.vision import depth_codecs
from i2t_ros.vision.depth_codecs import Layout, decode_compressed_depth, depth_from_rows

MILLIMETERS = np.random.default_rng(0).integers(0, 65_536, (30, 41)).astype(np.uint16)
MILLIMETERS[5:20, 7:30] = 0
SMOOTH = np.add.outer(np.arange(30), np.arange(41)).astype(np.uint16) + 1500


@pytest.mark.parametrize("encoding", ["16UC1", "mono16", "32FC1"])
@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("padding", [0, 3])
def test_rows_of_an_image(encoding, big_endian, padding):
    dtype = np.dtype("u2" if encoding != "32FC1" else "f4").newbyteorder("<>"[big_endian])
    values = MILLIMETERS.astype(dtype)
    rows = [row.tobytes() + b"\xff" * padding for row in values]
    layout = Layout(41, 30, 41 * dtype.itemsize + padding, encoding, big_endian)
    depth = depth_from_rows(b"".join(rows), layout)
    np.testing.assert_array_equal(depth.pixels, MILLIMETERS)
    meters = depth.meters(np.arange(5), np.arange(41))
    assert meters.dtype == np.float32
    scale = 1 if encoding == "32FC1" else 1000
    expected = MILLIMETERS[:5] / scale
    np.testing.assert_allclose(meters, np.where(expected > 1000, 0, expected), rtol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"encoding": "bgr8"},
        {"encoding": "x" * 10_000},
        {"width": 0},
        {"height": 0},
        {"width": 2**32 - 1, "height": 2**32 - 1, "step": 2**32 - 1},
        {"step": 81},
        {"step": 83},
        {"height": 31},
        {"encoding": "32FC1"},
    ],
)
def test_images_that_do_not_fit_are_refused(change):
    layout = Layout(41, 30, 82, "16UC1", False)._replace(**change)
    with pytest.raises(ImageError) as error:
        depth_from_rows(MILLIMETERS.tobytes(), layout)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    "format", ["16UC1; compressedDepth png", "16UC1; compressedDepth", "16UC1"]
)
def test_png_of_millimeters(format):
    depth = decode_compressed_depth(compressed(MILLIMETERS), format)
    np.testing.assert_array_equal(depth.pixels, MILLIMETERS)
    assert depth.inverse is None


@pytest.mark.parametrize("pixels", [
    MILLIMETERS, SMOOTH, np.zeros((3, 5), np.uint16), np.full((3, 5), 65_535, np.uint16),
    np.array([[7]], np.uint16), np.array([[0, 9, 0, 0, 65_535, 1, 0]], np.uint16),
], ids=["noise", "smooth", "zeros", "far", "one", "runs"])  # fmt: skip
def test_rvl(pixels):
    depth = decode_compressed_depth(compressed(pixels, "rvl"), "16UC1; compressedDepth rvl")
    assert depth.pixels.dtype == np.uint16
    np.testing.assert_array_equal(depth.pixels, pixels)


def test_rvl_of_known_bytes():
    """Two zeros, three pixels 10, 12, 9, one zero: worked out by hand from the description."""
    # Groups: 2 | 3 | 20 = 4 + 2 x 8 | 4 | 5 | 1 | 0, with 8 where another group follows.
    word = 0x23C24510
    data = bytes(12) + struct.pack("<III", 6, 1, word)
    depth = decode_compressed_depth(data, "16UC1; compressedDepth rvl")
    assert depth.pixels.tolist() == [[0, 0, 10, 12, 9, 0]]


@pytest.mark.parametrize("packing", ["png", "rvl"])
def test_inverse_depth(packing):
    meters = np.linspace(0.5, 9.0, 30 * 41).reshape(30, 41)
    meters[4, 5] = np.nan
    meters[4, 6] = 50
    coded, quantization = inverse(meters)
    data = compressed(coded, packing, quantization)
    depth = decode_compressed_depth(data, f"32FC1; compressedDepth {packing}")
    found = depth.meters(np.arange(30), np.arange(41))
    meters[4, 5:7] = 0
    np.testing.assert_allclose(found, meters, rtol=0.01)


@pytest.mark.parametrize("format", [
    "", "8UC1; compressedDepth png", "16UC1; compressedDepth jpeg", "16UC1; jpeg compressed bgr8",
    "bgr8; compressedDepth png", "x" * 10_000,
])  # fmt: skip
def test_other_formats_are_refused(format):
    with pytest.raises(ImageError, match="format: expected") as error:
        decode_compressed_depth(compressed(MILLIMETERS), format)
    assert len(str(error.value)) < 300


def png_of(pixels):
    return bytes(12) + cv2.imencode(".png", pixels)[1].tobytes()


BAD_PNGS = {
    "nothing": b"",
    "only the header": bytes(12),
    "no picture": bytes(100),
    "8 bits": png_of(np.zeros((4, 4), np.uint8)),
    "colors": png_of(np.zeros((4, 4, 3), np.uint16)),
    "jpeg": bytes(12) + cv2.imencode(".jpg", np.zeros((4, 4), np.uint8))[1].tobytes(),
    "cut": compressed(MILLIMETERS)[:-30],
    "damaged": compressed(MILLIMETERS).replace(b"IDAT", b"IDAT\0\0\0\0", 1),
}


@pytest.mark.parametrize("data", BAD_PNGS.values(), ids=BAD_PNGS)
def test_pngs_that_are_no_depth_are_refused(data):
    with pytest.raises(ImageError):
        decode_compressed_depth(data, "16UC1; compressedDepth png")


def test_a_png_that_is_too_large_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(depth_codecs, "MOST_PIXELS", 1000)
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(ImageError, match="limit"):
        decode_compressed_depth(compressed(MILLIMETERS), "16UC1")


def numbers(*words, width=6, height=1):
    return bytes(12) + struct.pack(f"<II{len(words)}I", width, height, *words)


BAD_RVLS = {
    "no size": bytes(15),
    "no numbers": numbers(),
    "no pixels": numbers(0x23C24510, width=0),
    "huge": numbers(0x23C24510, width=2**32 - 1, height=2**32 - 1),
    "more zeros than pixels": numbers(0x70000000),
    "fewer numbers than counted": numbers(0x07000000, width=7),
    "an endless number": numbers(*[0xFFFFFFFF] * 3),
    "a long number": numbers(0xFFFFFFFF, 0x10000000, width=100),
    "cut": compressed(MILLIMETERS, "rvl")[:-100],
    "much too long": numbers(*[0] * 20, width=2),
    "nothing but empty runs": numbers(*[0] * 4, width=20),
}


@pytest.mark.parametrize("data", BAD_RVLS.values(), ids=BAD_RVLS)
def test_rvls_that_are_damaged_are_refused(data):
    with pytest.raises(ImageError):
        decode_compressed_depth(data, "16UC1; compressedDepth rvl")


def test_an_rvl_of_too_many_runs_is_refused(monkeypatch):
    pixels = np.tile(np.array([0, 1], np.uint16), (10, 50))
    data = bytes(12) + rvl(pixels)
    assert decode_compressed_depth(data, "16UC1; compressedDepth rvl").pixels.any()
    monkeypatch.setattr(depth_codecs, "MOST_RUNS", 400)
    with pytest.raises(TruncatedImageError):
        decode_compressed_depth(data, "16UC1; compressedDepth rvl")


def test_random_bytes_raise_nothing_else():
    random = np.random.default_rng(5)
    good = [compressed(SMOOTH), compressed(SMOOTH, "rvl")]
    for trial in range(400):
        data = np.frombuffer(good[trial % 2], np.uint8).copy()
        data[random.integers(12, len(data), 5)] = random.integers(0, 256, 5)
        packing = ("png", "rvl")[trial % 2]
        try:
            depth = decode_compressed_depth(data, f"16UC1; compressedDepth {packing}")
        except ImageError:
            continue
        assert depth.pixels.ndim == 2


def test_numbers_of_inverse_depth_are_finite():
    data = compressed(MILLIMETERS, quantization=(float("nan"), 1.0))
    with pytest.raises(ImageError, match="finite"):
        decode_compressed_depth(data, "32FC1; compressedDepth png")
