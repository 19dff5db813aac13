"""From the pixels of an image to a model's input tensor, and from its coordinates back."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from i2t_ros.types import Image
from i2t_ros.validation import Structure

Side = Annotated[int, Meta(ge=1)]


class TensorFormat(Structure, frozen=True):
    """The input tensor of a model, for one image at a time.

    width, height  of the input, in pixels
    resize   letterbox: keep the aspect ratio, image at the top left, the rest filled with ``pad``;
             letterbox_center: the same with the image in the middle; stretch: fill the input
             without keeping the ratio; crop: the middle of the image, less a margin
    mean, std      per channel in ``color`` order; an element is ``(pixel - mean) / std``, with
                   pixels from 0 to 255
    pad      0 to 255, before mean and std
    crop     the fraction of the largest fitting middle that is kept, 0 to 1; 0.875 is the 224 of
             256 pixels with which ImageNet classifiers are evaluated
    """

    width: Side
    height: Side
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    color: Literal["bgr", "rgb"] = "bgr"
    dtype: Literal["float32", "float16", "uint8"] = "float32"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    resize: Literal["letterbox", "letterbox_center", "stretch", "crop"] = "letterbox"
    pad: Annotated[int, Meta(ge=0, le=255)] = 114
    crop: Annotated[float, Meta(gt=0, le=1)] = 0.875

    def __post_init__(self) -> None:
        if not np.isfinite([*self.mean, *self.std]).all() or 0 in self.std:
            raise ValueError(
                f"mean, std: expected finite numbers, and no std of 0, got {self.mean}, {self.std}"
            )

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the tensor, with a batch size of 1."""
        if self.layout == "NCHW":
            return (1, 3, self.height, self.width)
        return (1, self.height, self.width, 3)

    @property
    def normalizes(self) -> bool:
        """Whether elements differ from the pixel values."""
        return self.mean != (0.0, 0.0, 0.0) or self.std != (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Placement:
    """Where the image lies in the model's input, in pixels of the input.

    Pixel x of the original image is at ``left + x * width / original_width``. ``left`` and ``top``
    are negative if the image is cropped.
    """

    left: int
    top: int
    width: int
    height: int
    original_width: int
    original_height: int

    @cached_property
    def _back(self) -> tuple[NDArray[np.float32], ...]:
        """The arrays for the way back, made once for all images of a size."""
        offset = (self.left, self.top)
        scale = (self.original_width / self.width, self.original_height / self.height)
        limit = (self.original_width, self.original_height)
        return tuple(np.array(pair * 2, np.float32) for pair in (offset, scale, limit))

    def to_original(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (N, 4) xyxy boxes of the input in pixels of the original image, clipped to it."""
        offset, scale, limit = self._back
        moved: NDArray[np.float32] = boxes - offset
        moved *= scale
        np.maximum(moved, 0, out=moved)
        return np.minimum(moved, limit, out=moved)

    def points_to_original(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (..., 2) points of the input in pixels of the original image, not clipped."""
        offset, scale, _ = self._back
        return np.asarray((points - offset[:2]) * scale[:2])


def place(width: int, height: int, to: TensorFormat) -> Placement:
    """Return where an image of ``width`` x ``height`` pixels goes in the input.

    Letterboxed sides are rounded down, as the authors of YOLOX do, to at least one pixel.
    """
    if to.resize == "stretch":
        inner_width, inner_height = to.width, to.height
    elif to.resize == "crop":
        scale = max(to.width / width, to.height / height) / to.crop
        inner_width, inner_height = round(width * scale), round(height * scale)
    else:
        scale = min(to.width / width, to.height / height)
        inner_width = max(1, min(to.width, int(width * scale)))
        inner_height = max(1, min(to.height, int(height * scale)))
    left, top = (to.width - inner_width) // 2, (to.height - inner_height) // 2
    if to.resize == "letterbox":
        left = top = 0
    return Placement(left, top, inner_width, inner_height, width, height)


def _visible_part(start: int, length: int, model: int, image: int) -> slice:
    """Return the rows, or columns, of the image that the model gets: all, unless cropped.

    start, length  where the whole image lies in the model's input
    model, image   the sides of both, all in pixels
    """
    first = max(0, -start) * image // length
    return slice(first, max(first + 1, (model - start) * image // length))


class Letterbox:
    """Writes images into one tensor, which is reused.

    The tensor that a call returns is valid until the next call. Use one Letterbox per thread.
    """

    def __init__(self, to: TensorFormat) -> None:
        self._to = to
        self._padded = np.empty((to.height, to.width, 3), np.uint8)
        self._tensor: NDArray[Any] = np.empty(to.shape, to.dtype)
        # Height x width x 3, in either layout.
        self._pixels = self._tensor[0]
        if to.layout == "NCHW":
            self._pixels = self._pixels.transpose(1, 2, 0)
        self._planes = [np.empty((to.height, to.width), np.uint8) for _ in range(3)]
        self._shape: tuple[int, ...] = ()

    def __call__(self, image: Image) -> tuple[NDArray[Any], Placement]:
        """Return ``image`` as the model's input, and where the image lies in it."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise ValueError(
                "expected an image of height x width x 3, uint8 and not empty, got shape "
                f"{image.shape}, {image.dtype}"
            )
        if image.shape != self._shape:
            self._shape = image.shape
            self._lay_out(image.shape[1], image.shape[0])
        visible, window = image[self._visible], self._window
        if visible.shape in (window.shape, (1, 1, 3)):  # OpenCV 4.5.4 cannot resize a single pixel
            window[...] = visible
        else:
            size = (window.shape[1], window.shape[0])
            cv2.resize(visible, size, dst=window, interpolation=cv2.INTER_LINEAR)
        self._convert()
        return self._tensor, self._placement

    def _lay_out(self, width: int, height: int) -> None:
        """Prepare for images of one size: the padding is written once, not for every image."""
        at = self._placement = place(width, height, self._to)
        self._padded.fill(self._to.pad)
        self._aim(slice(None), slice(None))
        self._convert()
        rows = _visible_part(at.top, at.height, self._to.height, height)
        self._visible = rows, _visible_part(at.left, at.width, self._to.width, width)
        self._aim(
            slice(max(0, at.top), at.top + at.height), slice(max(0, at.left), at.left + at.width)
        )

    def _aim(self, rows: slice, columns: slice) -> None:
        """Choose the part of the input that ``_convert`` writes; all array views are made here."""
        self._window = self._padded[rows, columns]
        self._split = [plane[rows, columns] for plane in self._planes]
        channels = (0, 1, 2) if self._to.color == "bgr" else (2, 1, 0)
        self._targets = [
            (
                self._split[channel],
                self._pixels[rows, columns, i],
                np.float32(1 / self._to.std[i]),
                np.float32(self._to.mean[i] / self._to.std[i]),
            )
            for i, channel in enumerate(channels)
        ]

    def _convert(self) -> None:
        """Turn the window's pixels into elements of the tensor.

        For 416x416, splitting into planes and then converting each took 0.04 ms. Copying the
        transposed view took 0.10 ms, and cv2.dnn.blobFromImage 1.6 ms.
        """
        cv2.split(self._window, self._split)
        for plane, target, scale, shift in self._targets:
            if self._to.normalizes:
                np.multiply(plane, scale, out=target, casting="unsafe")
                np.subtract(target, shift, out=target)
            else:
                np.copyto(target, plane)
