"""Encodings that are left to cv_bridge, and what both know, compared with the cv_bridge of PyPI.

That one is written in Python, and converts nothing that image_messages.py does not; the encodings
that ROS's adds are converted here by stand-ins.
"""

import importlib
import os
import sys

import numpy as np
import pytest
from sensor_msgs.msg import Image

from i2t_ros.errors import ImageMessageError, ImageTooLargeError
from i2t_ros.nodes.messages import other_encodings
from i2t_ros.nodes.messages.images import image_from_msg
from i2t_ros.vision.image_messages import ENCODINGS

LIMIT = 40_000_000
RGBA16 = np.random.default_rng(4).integers(0, 65_536, (6, 8, 4), np.uint16)
WORKS = """
import sys
import numpy as np

class CvBridgeError(TypeError):
    pass

class CvBridge:
    asked = []

    def imgmsg_to_cv2(self, msg, desired_encoding="passthrough"):
        self.asked.append((msg.encoding, desired_encoding))
        if msg.encoding == "nv21":
            return np.full((msg.height, msg.width, 3), 7, np.uint8)
        if msg.encoding == "flat":
            return np.zeros((msg.height, msg.width), np.uint8)
        if msg.encoding == "floats":
            return np.zeros((msg.height, msg.width, 3), np.float32)
        if msg.encoding == "none":
            return None
        if msg.encoding == "lists":
            return [[[0, 0, 0]] * msg.width] * msg.height
        if msg.encoding not in ("rgba16", "bgra16", "rgb8"):
            raise CvBridgeError(f"Unrecognized image encoding [{msg.encoding}]")
        if msg.encoding == "rgb8":
            return np.zeros((1, 1, 3), np.uint8)
        kind = ">u2" if msg.is_bigendian else "<u2"
        pixels = np.ndarray((msg.height, msg.step // 8, 4), kind, msg.data)[:, : msg.width]
        return pixels[..., [2, 1, 0] if msg.encoding == "rgba16" else [0, 1, 2]]
"""


@pytest.fixture
def cv_bridge(tmp_path, monkeypatch):
    """Return a function that installs a cv_bridge of this text, and modules of it."""

    def install(text, **modules):
        folder = tmp_path / "cv_bridge"
        (folder / "boost").mkdir(parents=True)
        (folder / "__init__.py").write_text(text)
        (folder / "boost" / "__init__.py").touch()
        for name, code in modules.items():
            (folder / "boost" / f"{name}.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return tmp_path

    def forget():
        other_encodings._bridge.cache_clear()
        names = [name for name in sys.modules if name.split(".")[0] == "cv_bridge"]
        return {name: sys.modules.pop(name) for name in names}

    before = forget()
    yield install
    forget()
    sys.modules.update(before)


def image(encoding, pixels=RGBA16, padding=0):
    rows = pixels.reshape(len(pixels), -1).view(np.uint8)
    rows = np.hstack([rows, np.zeros((len(rows), padding), np.uint8)])
    height, width = pixels.shape[:2]
    msg = Image(height=height, width=width, encoding=encoding, step=rows.shape[1])
    msg.data.frombytes(rows.tobytes())
    return msg


@pytest.mark.parametrize("padding", [0, 16])
@pytest.mark.parametrize("encoding", other_encodings.ADDED)
def test_what_only_cv_bridge_knows(cv_bridge, encoding, padding):
    cv_bridge(WORKS)
    colors = RGBA16[..., [2, 1, 0] if encoding == "rgba16" else [0, 1, 2]]
    found = image_from_msg(image(encoding, padding=padding), LIMIT)
    assert (found == image_from_msg(image("bgr16", colors.copy()), LIMIT)).all()
    dim = image_from_msg(image(encoding, RGBA16 // 16), LIMIT)  # a camera of 12 bits
    assert np.abs(dim.astype(int) - found).max() <= 1
    assert found.flags.c_contiguous


@pytest.mark.parametrize("encoding", other_encodings.ADDED)
def test_both_orders_of_bytes_are_the_same_picture(cv_bridge, encoding):
    cv_bridge(WORKS)
    swapped = image(encoding, RGBA16.byteswap())
    swapped.is_bigendian = 1
    little = image_from_msg(image(encoding), LIMIT)
    assert (image_from_msg(swapped, LIMIT) == little).all()


def test_what_a_later_cv_bridge_knows(cv_bridge):
    cv_bridge(WORKS)
    pixels = np.zeros((9, 8, 1), np.uint8)
    msg = image("nv21", pixels)
    msg.height = 6
    assert (image_from_msg(msg, LIMIT) == np.full((6, 8, 3), 7)).all()


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"step": 63}, ImageMessageError, "at least 64 bytes for 8 pixels of rgba16, got 63"),
        ({"height": 7}, ImageMessageError, "expected 448 bytes .7 rows of 64., got 384"),
        ({"width": 2**31, "step": 2**32 - 1}, ImageTooLargeError, "max_pixels"),
        ({"encoding": "32FC1"}, ImageMessageError, "'32FC1' is not supported; supported are bgr8"),
        ({"encoding": "8UC999999999"}, ImageMessageError, "'8UC999999999' is not supported"),
        ({"encoding": "x" * 33}, ImageMessageError, "'x{33}' is not supported; supported are bgr8"),
        ({"encoding": "x" * 10**6}, ImageMessageError, "'x{80}' is not supported"),
        ({"encoding": "a\0b"}, ImageMessageError, "is not supported"),
        ({"encoding": "é"}, ImageMessageError, "is not supported"),
        ({"encoding": ""}, ImageMessageError, "'' is not supported"),
    ],
)
def test_what_does_not_fit_never_reaches_cv_bridge(cv_bridge, changes, error, text):
    cv_bridge(WORKS)
    image_from_msg(image("rgba16"), LIMIT)
    asked = importlib.import_module("cv_bridge").CvBridge.asked
    assert asked == [("rgba16", "bgr16")]
    msg = image("rgba16")
    for name, value in changes.items():
        setattr(msg, name, value)
    with pytest.raises(error, match=text):
        image_from_msg(msg, LIMIT)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("jpeg", r"cv_bridge cannot convert it: CvBridgeError: Unrecognized .* \[jpeg\]"),
        ("flat", r"cv_bridge makes uint8 of the shape \(6, 8\) of it"),
        ("floats", "cv_bridge makes float32 of the shape"),
        ("none", "cv_bridge makes NoneType of it"),
        ("lists", "cv_bridge makes list of it"),
    ],
)
def test_what_cv_bridge_cannot_convert_either(cv_bridge, encoding, text):
    cv_bridge(WORKS)
    with pytest.raises(ImageMessageError, match=text) as caught:
        image_from_msg(image(encoding), LIMIT)
    assert "yuyv" in str(caught.value)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (None, "rgba16 and bgra16 with the ROS package cv_bridge, which is not installed .apt"),
        ("import nothing_of_this_name", "which cannot be imported .No module named 'nothing_"),
        ("raise AttributeError('_ARRAY_API not found')", "imported .AttributeError: _ARRAY_API"),
    ],
)
def test_without_a_cv_bridge_the_error_says_what_it_would_add(cv_bridge, monkeypatch, code, text):
    if code is None:
        monkeypatch.setitem(sys.modules, "cv_bridge", None)
    else:
        cv_bridge(code)
    for encoding in (*other_encodings.ADDED, "nv24"):
        with pytest.raises(ImageMessageError, match=text) as caught:
            image_from_msg(image(encoding), LIMIT)
        assert f"'{encoding}' is not supported; supported are bgr8, " in str(caught.value)


@pytest.mark.parametrize(("ending", "works"), [("pass", True), ("import os; os.abort()", False)])
def test_a_cv_bridge_for_another_numpy_ends_a_process_but_not_this_one(cv_bridge, ending, works):
    """The stand-in for its C++ part ends every process but this one."""
    here = f"import os, sys\nif os.getpid() != {os.getpid()}: {ending}\n"
    built = here + '__file__ = "cv_bridge_boost.cpython-311-x86_64-linux-gnu.so"\n'
    cv_bridge(WORKS + "\nfrom cv_bridge.boost import cv_bridge_boost\n", cv_bridge_boost=built)
    for _ in range(2):
        if works or np.lib.NumpyVersion(np.__version__) < "2.0.0":
            image_from_msg(image("rgba16"), LIMIT)
            continue
        with pytest.raises(ImageMessageError, match="which does not work with NumPy 2"):
            image_from_msg(image("rgba16"), LIMIT)
    assert other_encodings._bridge.cache_info().misses == 1  # and one process


# What the cv_bridge of PyPI converts to bgr8, of what images.py knows, with its channels.
BOTH = {
    "bgr8": 3, "rgb8": 3, "bgra8": 4, "rgba8": 4, "mono8": 1,
    "bayer_rggb8": 1, "bayer_bggr8": 1, "bayer_gbrg8": 1,
}  # fmt: skip


@pytest.mark.parametrize("size", [(6, 8), (2, 2), (480, 640)])
@pytest.mark.parametrize("encoding", BOTH)
def test_both_make_the_same_of_what_both_know(encoding, size):
    cv_bridge = pytest.importorskip("cv_bridge")
    pixels = np.random.default_rng(5).integers(0, 256, (*size, BOTH[encoding]), np.uint8)
    msg = image(encoding, pixels)
    theirs = cv_bridge.CvBridge().imgmsg_to_cv2(msg, desired_encoding="bgr8")
    assert (image_from_msg(msg, LIMIT) == theirs).all()


@pytest.mark.parametrize(
    ("encoding", "channels"), [("8UC1", 1), ("8UC3", 3), ("mono16", 1), ("bgr16", 3)]
)
def test_both_read_the_same_numbers(encoding, channels):
    """It converts none of these to bgr8, but hands out what the bytes mean."""
    cv_bridge = pytest.importorskip("cv_bridge")
    kind, scale = (np.uint16, 257) if encoding.endswith("16") else (np.uint8, 1)
    values = np.random.default_rng(6).integers(0, np.iinfo(kind).max, (6, 8, channels), kind)
    msg = image(encoding, values)
    theirs = np.atleast_3d(cv_bridge.CvBridge().imgmsg_to_cv2(msg))
    expected = np.broadcast_to(np.rint(theirs / scale), (6, 8, 3))
    assert (image_from_msg(msg, LIMIT, "full") == expected).all()


def test_what_pypis_cv_bridge_does_not_know_is_refused_with_its_reason():
    pytest.importorskip("cv_bridge")
    other_encodings._bridge.cache_clear()
    with pytest.raises(ImageMessageError, match=r"'rgba16' is not supported.*cannot convert"):
        image_from_msg(image("rgba16"), LIMIT)


def test_there_is_nothing_that_both_claim():
    assert not set(other_encodings.ADDED) & set(ENCODINGS)
