"""Skeletons on the page, in a real browser: the limbs of the drawings, where they belong."""

import numpy as np
from browser_page import DESKTOP
from making import scene_of
from web_support import PICTURE

from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.pipeline.tasks.pose import COLORS, MIDDLE_COLOR, Poses, limb_color
from i2t_ros.types import Description
from i2t_ros.vision.postures import KEY_POINTS, LIMBS, SURE

LINES = """
return [...document.querySelectorAll("#overlay line")].map((line) => [
  ...["x1", "y1", "x2", "y2"].map((name) => Number(line.getAttribute(name))),
  getComputedStyle(line).stroke, getComputedStyle(line).vectorEffect,
]);
"""
POINTS = np.arange(34, dtype=np.float32).reshape(1, 17, 2) * [5, 4]


def drawn(page, scores):
    """Return the lines of one person's skeleton, as a set."""
    poses = Poses([[10, 10, 200, 180]], [0.9], POINTS, [scores], (("sitting",),))
    scene = scene_of(320, 240, poses=poses)
    page.call(
        "overlay",
        "drawOverlay",
        description_to_json(Description(scene, "Somebody.", "en", "sentence", "", 0.0)),
    )
    return {
        (*(round(v, 1) for v in ends), color, effect) for *ends, color, effect in page.run(LINES)
    }


def expected(names):
    at = dict(zip(KEY_POINTS, POINTS[0].tolist(), strict=True))
    lines = set()
    for start, end in LIMBS:
        if start in names and end in names:
            blue, green, red = limb_color(start, end)
            color = f"rgb({red}, {green}, {blue})"
            lines.add((*at[start], *at[end], color, "non-scaling-stroke"))
    return lines


def test_a_skeleton_has_the_certain_limbs_in_the_colors_of_the_drawings(bridge, open_page):
    page = open_page(bridge(), size=DESKTOP)
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    assert len({*COLORS.values(), MIDDLE_COLOR}) == 3
    assert drawn(page, np.full(17, SURE + 0.01)) == expected(KEY_POINTS)
    unsure = np.where(np.arange(17) % 3 == 0, SURE - 0.01, 0.9)
    certain = [name for name, score in zip(KEY_POINTS, unsure, strict=True) if score >= SURE]
    assert 0 < len(expected(certain)) < len(LIMBS)
    assert drawn(page, unsure) == expected(certain)
    assert drawn(page, np.zeros(17)) == set()
