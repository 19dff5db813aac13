"""Colors of letters and background, against the colors that were rendered."""

import itertools

import cv2
import numpy as np
import pytest

from i2t_ros.vision.colors import text_colors

LIMIT = 10.0
"""CIE 1976 color difference; some 2 can just be seen side by side."""

# Letters on background: dark on light, light on dark, colored, low contrast, equal lightness.
PAIRS = [
    ((0, 0, 0), (255, 255, 255)),
    ((255, 255, 255), (0, 0, 0)),
    ((60, 60, 60), (235, 235, 225)),
    ((255, 255, 255), (200, 20, 30)),
    ((250, 220, 0), (10, 10, 10)),
    ((200, 30, 30), (245, 245, 245)),
    ((20, 60, 200), (255, 230, 90)),
    ((255, 255, 255), (0, 110, 60)),
    ((230, 120, 20), (30, 30, 90)),
    ((0, 140, 140), (250, 200, 210)),
    ((128, 0, 128), (0, 200, 0)),
    ((200, 30, 30), (60, 120, 60)),
    ((120, 120, 120), (150, 150, 150)),
    ((90, 90, 110), (60, 60, 70)),
    ((180, 180, 170), (210, 205, 200)),
]
SIZES = (14, 24, 60)
ANGLES = (0, 7, -30, 90)
NOISES = (0, 8)


def difference(found, true):
    lab = [cv2.cvtColor(np.float32([[c]]) / 255, cv2.COLOR_RGB2LAB)[0, 0] for c in (found, true)]
    return float(np.linalg.norm(lab[0] - lab[1]))


@pytest.fixture
def share_within(render_line):
    """Return the function that says how many renderings have both colors within a limit."""

    def share(limit, sizes, jpeg=0):
        good = []
        for pair, size, angle, noise in itertools.product(PAIRS, sizes, ANGLES, NOISES):
            image, corners = render_line(
                "Exit 24h", size, *pair, angle=angle, noise=noise, jpeg=jpeg
            )
            found = text_colors(image, corners)
            good.append(max(map(difference, found, pair)) <= limit)
        return sum(good) / len(good), len(good)

    return share


def test_both_colors_are_found_in_nearly_all_of_360_renderings(share_within):
    share, count = share_within(LIMIT, SIZES)
    assert count == 360
    assert share >= 0.95


def test_jpeg_spoils_little_although_it_keeps_half_of_the_color_resolution(share_within):
    # Of thinner letters, too few pixels keep a color at all: 53 % at 14 pixels.
    share, _ = share_within(LIMIT, [24, 60], jpeg=90)
    assert share >= 0.9


@pytest.mark.parametrize("angle", [0, 45, 180])
def test_dark_on_light_is_not_taken_for_light_on_dark(render_line, angle):
    black, white = (0, 0, 0), (255, 255, 255)
    # Bold capitals cover much of their line.
    letters, background = text_colors(
        *render_line("MWMHB", 40, black, white, angle=angle, bold=True)
    )
    assert (max(letters) < 30, min(background) > 225) == (True, True)
    letters, background = text_colors(
        *render_line("MWMHB", 40, white, black, angle=angle, bold=True)
    )
    assert (min(letters) > 225, max(background) < 30) == (True, True)


def test_an_uneven_background_has_its_middle_color(render_line):
    image, corners = render_line("Exit", 40, (255, 255, 255), (30, 60, 120))
    ramp = np.linspace(-20, 20, image.shape[1])[None, :, None]
    shaded = np.clip(image + ramp, 0, 255).astype(np.uint8)
    letters, background = text_colors(shaded, corners)
    assert difference(letters, (255, 255, 255)) < 15
    assert difference(background, (30, 60, 120)) < 15


def test_one_color_is_letters_and_background():
    image = np.full((40, 60, 3), (10, 20, 30), np.uint8)
    corners = np.float32([[5, 5], [50, 5], [50, 30], [5, 30]])
    assert text_colors(image, corners) == ((30, 20, 10), (30, 20, 10))


@pytest.mark.parametrize(
    "corners",
    [[[-50, -50], [-10, -50], [-10, -20], [-50, -20]], [[500, 5], [600, 5], [600, 30], [500, 30]]],
)
def test_a_region_outside_of_the_image_is_black(corners):
    image = np.full((40, 60, 3), 200, np.uint8)
    assert text_colors(image, np.float32(corners)) == ((0, 0, 0), (0, 0, 0))


def test_a_region_partly_outside_counts_its_visible_part(render_line):
    image, corners = render_line("Exit 24h", 40, (200, 30, 30), (245, 245, 245))
    left = int(corners[:, 0].mean())
    letters, background = text_colors(image[:, left:], corners - np.float32([left, 0]))
    assert difference(letters, (200, 30, 30)) < LIMIT
    assert difference(background, (245, 245, 245)) < LIMIT


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_region_of_a_few_pixels_has_colors(size):
    image = np.full((40, 60, 3), 77, np.uint8)
    corners = np.float32([[5, 5], [5 + size, 5], [5 + size, 5 + size], [5, 5 + size]])
    assert text_colors(image, corners) == ((77, 77, 77), (77, 77, 77))


def test_the_image_is_not_written_to(render_line):
    image, corners = render_line("Exit", 24, (0, 0, 0), (255, 255, 255))
    image.flags.writeable = False
    text_colors(image, corners)
