"""Images of every encoding against references computed by other means."""

from functools import partial

import cv2
import numpy as np
import pytest
from i2t_ros.msg import Description, Face
from i2t_ros.srv import Describe
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D

from i2t_ros.errors import (
    EmptyImageError,
    ImageMessageError,
    ImageTooLargeError,
    NotAnImageError,
    ServiceError,
    UnsupportedFormatError,
)
from i2t_ros.nodes.bridge.cameras import _jpeg_of
from i2t_ros.nodes.messages.descriptions import description_from_msg, request_from_msg
from i2t_ros.nodes.messages.images import (
    encoded_to_msg,
    frame_from_msg,
    image_from_msg,
    image_to_msg,
    shown_by_msg,
)
from i2t_ros.vision.codecs import decode_image, encode_image

LIMIT = 40_000_000
RNG = np.random.default_rng(1)
BGR = RNG.integers(0, 256, (6, 8, 3), np.uint8)


def message(array, encoding, *, padding=0, bigendian=False):
    """Return an image message with ``padding`` bytes of rubbish behind each row."""
    array = np.ascontiguousarray(array)
    height, width = array.shape[:2]
    rows = array.reshape(height, -1).view(np.uint8)
    rows = np.hstack([rows, np.full((height, padding), 77, np.uint8)])
    msg = Image(height=height, width=width, encoding=encoding, step=rows.shape[1])
    msg.is_bigendian = int(bigendian)
    msg.data.frombytes(rows.tobytes())
    return msg


COLOURS = {
    "bgr8": BGR,
    "8UC3": BGR,
    "rgb8": BGR[..., ::-1],
    "bgra8": np.dstack([BGR, BGR[..., :1]]),
    "8UC4": np.dstack([BGR, BGR[..., :1]]),
    "rgba8": np.dstack([BGR[..., ::-1], BGR[..., :1]]),
}


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", COLOURS)
def test_colours(encoding, padding):
    image = image_from_msg(message(COLOURS[encoding], encoding, padding=padding), LIMIT)
    assert image.flags.c_contiguous
    assert image.dtype == np.uint8
    assert (image == BGR).all()


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_grey(encoding):
    image = image_from_msg(message(BGR[..., 0], encoding, padding=3), LIMIT)
    assert (image == BGR[..., :1]).all()


@pytest.mark.parametrize("bigendian", [False, True])
@pytest.mark.parametrize("encoding", ["mono16", "16UC1"])
def test_sixteen_bits_are_scaled_so_that_white_stays_white(encoding, bigendian):
    values = np.array([[0, 128, 129, 32768, 65407, 65535]], np.uint16)
    stored = values.astype(">u2" if bigendian else "<u2")
    msg = message(stored, encoding, padding=2, bigendian=bigendian)
    for gray16 in ("full", "percentiles", "range"):
        image = image_from_msg(msg, LIMIT, gray16)
        assert image[0, :, 0].tolist() == np.rint(values[0] / 257).astype(int).tolist()
        assert image[0, -1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("encoding", ["mono16", "16UC1"])
def test_a_thermal_image_looks_like_the_same_values_in_a_png(encoding):
    values = np.linspace(7000, 7900, 48).reshape(6, 8).astype(np.uint16)
    picture = cv2.imencode(".png", values)[1].tobytes()
    for gray16 in ("percentiles", "range", "7000-7900", "full"):
        image = image_from_msg(message(values, encoding), LIMIT, gray16)
        assert (image == decode_image(picture, gray16=gray16)).all()
        assert image.max() == (31 if gray16 == "full" else 255)


@pytest.mark.parametrize("encoding", ["bgr16", "rgb16", "bayer_rggb16"])
def test_colors_of_twelve_bits_are_not_nearly_black(encoding):
    values = np.full((6, 8, 1 if "bayer" in encoding else 3), 4095, np.uint16)
    assert (image_from_msg(message(values, encoding), LIMIT) == 255).all()


@pytest.mark.parametrize(
    ("format", "data", "text"),
    [
        ("16UC1; compressedDepth", bytes(12) + b"\x89PNG\r\n\x1a\n", "compressedDepth', a depth"),
        ("32FC1; compressedDepth rvl", bytes(20), "compressedDepth rvl', a depth image"),
        ("h264", b"\0\0\0\1\x67", "'h264', a part of a video stream"),
        ("H.265", b"\0\0\0\1\x40", r"'H\.265', a part of a video stream"),
        ("hevc; bgr8", b"\0\0\0\1\x40", "a part of a video stream"),
        ("tiff", b"II*\0", "format is 'tiff': unsupported picture format 'tiff'"),
        ("x" * 9999, b"hello", "format is 'x{80}': not a picture"),
    ],
)
def test_what_is_no_picture_is_named_by_its_format(format, data, text):
    msg = CompressedImage(format=format, data=data)
    for read in (image_from_msg, partial(shown_by_msg, gray16="full")):
        with pytest.raises((NotAnImageError, UnsupportedFormatError), match=text):
            read(msg, LIMIT)


def test_a_picture_is_taken_whatever_its_format_says():
    msg = CompressedImage(format="h264", data=cv2.imencode(".png", BGR)[1].tobytes())
    assert (image_from_msg(msg, LIMIT) == BGR).all()


def test_a_large_jpeg_keeps_its_size_beside_fewer_pixels():
    msg = CompressedImage(format="jpeg", data=cv2.imencode(".jpg", BGR)[1].tobytes())
    image, size = frame_from_msg(msg, 12, "full")
    assert (image.shape, size) == ((3, 4, 3), (8, 6))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer(pattern, depth):
    # A mosaic of one colour: every pixel of the result away from the border has that colour.
    colour = {"r": 200, "g": 100, "b": 50}
    tile = np.array([colour[c] for c in pattern]).reshape(2, 2)
    mosaic = np.tile(tile, (6, 6))
    mosaic = mosaic.astype(np.uint8) if depth == 8 else (mosaic * 257).astype(np.uint16)
    image = image_from_msg(message(mosaic, f"bayer_{pattern}{depth}"), LIMIT)
    assert (image[3:-3, 3:-3] == (50, 100, 200)).all()


@pytest.mark.parametrize("encoding", ["yuv422", "uyvy", "yuv422_yuy2", "yuyv"])
def test_yuv(encoding):
    # ITU-R BT.601, studio swing: y 81, u 90, v 240 is pure red.
    luma_first = encoding in ("yuv422_yuy2", "yuyv")
    pair = [81, 90, 81, 240] if luma_first else [90, 81, 240, 81]
    pixels = np.tile(np.array(pair, np.uint8).reshape(1, 2, 2), (4, 3, 1))
    image = image_from_msg(message(pixels, encoding), LIMIT).astype(int)
    assert np.abs(image - (0, 0, 255)).max() <= 2


def test_a_bgr8_image_is_not_copied():
    msg = message(BGR, "bgr8")
    image = image_from_msg(msg, LIMIT)
    assert np.shares_memory(image, np.frombuffer(msg.data, np.uint8))


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"encoding": "32FC1"}, ImageMessageError, "'32FC1' is not supported; supported are bgr8"),
        ({"encoding": "jpeg"}, ImageMessageError, "'jpeg'"),
        ({"encoding": "x" * 10**6}, ImageMessageError, "^image encoding 'x{80}' is not supported"),
        ({"step": 23}, ImageMessageError, "at least 24 bytes for 8 pixels of bgr8, got 23"),
        ({"step": 0}, ImageMessageError, "got 0"),
        ({"height": 7}, ImageMessageError, "expected 168 bytes .7 rows of 24., got 144"),
        ({"header": Header(frame_id="x" * 256)}, ImageMessageError, "at most 255 .* got 256"),
        ({"width": 0}, EmptyImageError, "0x6"),
        ({"height": 0}, EmptyImageError, "8x0"),
        ({"width": 2**31, "height": 2**31, "step": 2**32 - 1}, ImageTooLargeError, "max_pixels"),
        ({"width": 2**32 - 1, "height": 1, "step": 0}, ImageTooLargeError, "max_pixels"),
        ({"width": 2**31}, ImageTooLargeError, "max_pixels"),
        ({"step": 2**32 - 1}, ImageMessageError, r"expected 25769803770 bytes .6 rows of 42949"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(changes, error, text):
    msg = message(BGR, "bgr8")
    for name, value in changes.items():
        setattr(msg, name, value)
    with pytest.raises(error, match=text):
        image_from_msg(msg, LIMIT)


@pytest.mark.parametrize("words", ["a ", "x", "h264 "])
def test_a_long_format_is_cut(words):
    message = CompressedImage(format=words * 10**6)
    message.data.frombytes(b"no picture")
    with pytest.raises(NotAnImageError) as caught:
        image_from_msg(message, LIMIT)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["faces", "tasks", "detections"])
def test_a_description_of_more_than_any_detector_finds_makes_no_sense(name):
    msg = Description()
    found = {"faces": Face(), "tasks": "detect", "detections": Detection2D()}[name]
    owner = msg.detections if name == "detections" else msg
    setattr(owner, name, [found] * 10_001)
    with pytest.raises(ServiceError, match="a list has 10001 entries, expected at most 10000"):
        description_from_msg(msg)


@pytest.mark.parametrize(("fmt", "side"), [("png", 2700), ("webp", 2700), ("bmp", 5500)])
def test_a_picture_that_takes_long_is_not_decoded_in_the_executor_of_a_bridge(fmt, side):
    small, large = np.zeros((60, 80, 3), np.uint8), np.zeros((side, side, 3), np.uint8)
    message = encoded_to_msg(Header(), encode_image(small, fmt))
    assert _jpeg_of(message)[:2] == b"\xff\xd8"
    message = encoded_to_msg(Header(), encode_image(large, fmt))
    with pytest.raises(ImageTooLargeError, match=f"a {fmt} picture of {side}x{side} is too large"):
        _jpeg_of(message)


def test_a_long_name_of_a_frame_is_refused_wherever_it_is_written():
    """It is repeated in the message of each object that is found."""
    image = CompressedImage(format="jpeg", header=Header(frame_id="x" * 10**7))
    image.data.frombytes(cv2.imencode(".jpg", BGR)[1].tobytes())
    for ask in (
        lambda: image_from_msg(image, LIMIT),
        lambda: request_from_msg(Describe.Request(image=image)),
    ):
        with pytest.raises(ImageMessageError, match="at most 255 characters, got 10000000"):
            ask()


def test_an_odd_width_cannot_be_yuv():
    with pytest.raises(ImageMessageError, match="7x6 cannot be yuv422"):
        image_from_msg(message(np.zeros((6, 7, 2), np.uint8), "yuv422"), LIMIT)


def test_the_last_row_may_lack_its_padding():
    msg = message(BGR, "bgr8", padding=8)
    del msg.data[-8:]
    assert (image_from_msg(msg, LIMIT) == BGR).all()


def test_round_trip():
    header = Header(frame_id="optical")
    msg = image_to_msg(header, BGR)
    assert msg.header == header
    assert (image_from_msg(msg, LIMIT) == BGR).all()
