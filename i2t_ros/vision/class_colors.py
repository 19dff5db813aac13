"""The colors of classes, far apart for classes that are seen together."""

import colorsys
import functools
import zlib

from i2t_ros.resources import config_path

Color = tuple[int, int, int]
"""Blue, green, red; 0 to 255."""

HUES = (
    *(30, 280, 220, 90, 180, 320, 350, 150, 60, 120, 210, 250, 180, 90, 290, 350, 320, 120, 210),
    *(250, 150, 60, 20, 290, 90, 180, 350, 120, 150, 230, 320, 60, 260, 290, 0, 190, 90, 150, 330),
    *(60, 260, 120, 290, 190, 220, 90, 320, 150, 350, 120, 280, 250, 190, 160, 30, 60, 0, 220, 150),
    *(250, 320, 290, 90, 190, 280, 60, 160, 250, 220, 130, 20, 350, 280, 310, 180, 250, 80, 120),
    *(210, 150),
)
"""Hues in degrees, by class index.

Found by simulated annealing for the 80 classes of COCO: 30 degrees or more lie between any two of a
laid table, a street, a living room, a desk, a kitchen, a ball game, a beach, animals and fruit, and
of most eight classes in a row, so that the table also serves models with classes of their own.
"""


@functools.cache
def class_color(label: str, class_id: int | None = None) -> Color:
    """Return the color of a class: bright and saturated, so that it stands out in photos.

    A class of COCO has one color in all models, whatever its index there. Any other has that of its
    index in the model's table, or of its name's CRC-32 if no index is known.
    """
    index = _coco_indices().get(label, class_id)
    if index is None:
        index = zlib.crc32(label.encode())
    red, green, blue = colorsys.hsv_to_rgb(HUES[index % len(HUES)] / 360, 0.75, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)


def named_colors() -> dict[str, Color]:
    """Return the colors of the classes that have one whatever their index, by name."""
    return {name: class_color(name) for name in _coco_indices()}


@functools.cache
def _coco_indices() -> dict[str, int]:
    names = (config_path("labels") / "coco80.txt").read_text("utf-8").split("\n")
    return {name.strip(): index for index, name in enumerate(names) if name.strip()}
