"""Images of encodings that are not known here, through cv_bridge where it is installed."""

import functools
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image as ImageMsg

from i2t_ros.errors import ImageMessageError
from i2t_ros.vision.image_messages import unsupported

ADDED = ("rgba16", "bgra16")
"""What cv_bridge makes a picture of, in 3.2 (Humble) to 4.1 (Rolling), and image_messages.py does
not."""

# Not the types, such as 32FC1: cv_bridge converts them to no color. Its C++ part does not see long
# names, nor what is no word.
_NAME = re.compile(r"[A-Za-z]\w{0,31}", re.ASCII)
_TRIAL = """
from cv_bridge import CvBridge
from sensor_msgs.msg import Image
CvBridge().imgmsg_to_cv2(Image(height=1, width=1, encoding="rgb8", step=3, data=bytes(3)), "bgr8")
"""
_TRIAL_LIMIT = 60.0  # seconds
_LONGEST_REASON = 200  # characters


def pixel_size(encoding: str) -> int:
    """Return the bytes of a pixel; of an encoding that is not known here, the fewest."""
    return 8 if encoding in ADDED else 1


def converter(encoding: str) -> Callable[[ImageMsg], NDArray[Any]]:
    """Return what makes BGR pixels, of 8 or 16 bits, of an image whose rows have been checked.

    Raises ImageMessageError if cv_bridge is not there or may not be asked, and so does the
    converter if it cannot convert the image.
    """
    refusal = unsupported(encoding)
    if not _NAME.fullmatch(encoding):
        raise ImageMessageError(refusal)
    bridge, trouble = _bridge()
    if trouble:
        raise ImageMessageError(
            f"{refusal}; {' and '.join(ADDED)} with the ROS package cv_bridge, which {trouble}"
        )
    # cv_bridge would divide values of 16 bits by 257, but cameras seldom use all of them.
    wanted = "bgr16" if encoding.endswith("16") else "bgr8"

    def convert(msg: ImageMsg) -> NDArray[Any]:
        try:
            pixels = bridge.imgmsg_to_cv2(msg, desired_encoding=wanted)
        except Exception as error:  # CvBridgeError, and what Python, NumPy and OpenCV raise in it
            reason = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
            raise ImageMessageError(f"{refusal}; cv_bridge cannot convert it: {reason}") from error
        if not isinstance(pixels, np.ndarray):
            raise ImageMessageError(f"{refusal}; cv_bridge makes {type(pixels).__name__} of it")
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        if pixels.shape != (msg.height, msg.width, 3) or pixels.dtype not in (np.uint8, np.uint16):
            raise ImageMessageError(
                f"{refusal}; cv_bridge makes {pixels.dtype} of the shape {pixels.shape} of it"
            )
        return np.ascontiguousarray(pixels)

    return convert


@functools.cache
def _bridge() -> tuple[Any, str]:
    """Return a CvBridge and "", or None and what is wrong with it."""
    try:
        from cv_bridge import CvBridge  # noqa: PLC0415 (it may be missing, or broken)
    except ModuleNotFoundError as error:
        if error.name == "cv_bridge":
            return None, "is not installed (apt install ros-$ROS_DISTRO-cv-bridge)"
        return None, f"cannot be imported ({error})"
    except Exception as error:
        return None, f"cannot be imported ({type(error).__name__}: {error})"
    # Built for NumPy 1, it can be imported beside NumPy 2, but a conversion ends the process
    # (vision_opencv issue 535). So another process tries it first.
    part = sys.modules.get("cv_bridge.boost.cv_bridge_boost")
    built = not str(getattr(part, "__file__", "")).endswith(".py")
    if part is not None and built and np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        try:
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-c", _TRIAL],
                cwd="/",
                capture_output=True,
                timeout=_TRIAL_LIMIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, f"cannot be tried ({error})"
        if done.returncode:
            return None, (
                f"does not work with NumPy {np.__version__}: build it from source for this NumPy, "
                "or install a NumPy below 2"
            )
    return CvBridge(), ""
