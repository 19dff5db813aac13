import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from i2t_ros.vision.letterbox import Letterbox, TensorFormat, place


def picture(width, height, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def expected(image, to):
    """Do the same, step by step and without reusing anything."""
    at = place(image.shape[1], image.shape[0], to)
    padded = np.full((to.height, to.width, 3), to.pad, np.uint8)
    padded[at.top : at.top + at.height, at.left : at.left + at.width] = cv2.resize(
        image, (at.width, at.height), interpolation=cv2.INTER_LINEAR
    )
    if to.color == "rgb":
        padded = padded[:, :, ::-1]
    values = (padded - np.array(to.mean)) / np.array(to.std)
    return values.transpose(2, 0, 1)[None] if to.layout == "NCHW" else values[None]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("color", ["bgr", "rgb"])
@pytest.mark.parametrize("resize", ["letterbox", "letterbox_center", "stretch"])
@pytest.mark.parametrize("std", [(1.0, 1.0, 1.0), (58.0, 57.0, 57.5)])
def test_every_format_equals_the_plain_computation(layout, color, resize, std):
    mean = (0.0, 0.0, 0.0) if std[0] == 1.0 else (123.0, 116.0, 103.0)
    to = TensorFormat(
        96, 64, layout=layout, color=color, resize=resize, mean=mean, std=std, pad=114
    )
    letterbox = Letterbox(to)
    for width, height in [(640, 480), (96, 64), (50, 300), (640, 480), (3, 2)]:
        tensor, _ = letterbox(picture(width, height))
        assert tensor.shape == to.shape
        assert tensor.dtype == np.float32
        np.testing.assert_allclose(tensor, expected(picture(width, height), to), atol=1e-4)


def test_a_quantized_input_gets_the_pixels_themselves():
    to = TensorFormat(32, 32, layout="NHWC", color="rgb", dtype="uint8", resize="stretch")
    tensor, _ = Letterbox(to)(picture(64, 64))
    assert tensor.dtype == np.uint8
    np.testing.assert_array_equal(tensor, expected(picture(64, 64), to))


def test_nothing_of_the_picture_before_is_left():
    letterbox = Letterbox(TensorFormat(64, 64))
    letterbox(np.full((64, 64, 3), 200, np.uint8))
    tensor, placement = letterbox(np.full((16, 64, 3), 7, np.uint8))
    assert placement.height == 16
    assert (tensor[0, :, :16] == 7).all()
    assert (tensor[0, :, 16:] == 114).all()


@given(
    st.integers(1, 3000),
    st.integers(1, 3000),
    st.sampled_from(["letterbox", "letterbox_center", "stretch"]),
)
def test_a_picture_lies_inside_and_its_corners_come_back(width, height, resize):
    to = TensorFormat(416, 320, resize=resize)
    at = place(width, height, to)
    assert at.left >= 0
    assert at.top >= 0
    assert 1 <= at.width <= to.width - at.left
    assert 1 <= at.height <= to.height - at.top
    corners = np.array([[at.left, at.top, at.left + at.width, at.top + at.height]], np.float32)
    np.testing.assert_allclose(at.to_original(corners), [[0, 0, width, height]], rtol=1e-5)


def test_boxes_are_clipped_to_the_picture():
    at = place(640, 480, TensorFormat(416, 416))
    beyond = np.array([[-50, -50, 1000, 1000]], np.float32)
    np.testing.assert_array_equal(at.to_original(beyond), [[0, 0, 640, 480]])
    assert at.to_original(np.empty((0, 4), np.float32)).shape == (0, 4)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_not_an_image_is_refused(image):
    with pytest.raises(ValueError, match="expected an image"):
        Letterbox(TensorFormat(32, 32))(image)


def test_a_crop_is_the_middle():
    """A 400 x 200 picture for 100 x 100: the middle 175 x 175, its margin of 1/8 cut off."""
    image = np.zeros((200, 400, 3), np.uint8)
    image[13:187, 113:287] = 255
    to = TensorFormat(100, 100, resize="crop", crop=0.875)
    tensor, placement = Letterbox(to)(image)
    assert (tensor[0, :, 2:-2, 2:-2] == 255).all()
    inside = placement.to_original(np.array([[0, 0, 100, 100]], np.float32))
    np.testing.assert_allclose(inside, [[112.5, 12.5, 287.5, 187.5]], atol=2)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 500), (3000, 2), (224, 224)])
def test_a_crop_of_any_size_fills_the_input(width, height):
    to = TensorFormat(224, 160, resize="crop")
    tensor, _ = Letterbox(to)(np.full((height, width, 3), 9, np.uint8))
    assert (tensor == 9).all()
