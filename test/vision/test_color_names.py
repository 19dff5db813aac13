"""The names of colors, against published charts and what is drawn."""

import cv2
import numpy as np
import pytest
from making import scene_of

from i2t_ros.types import COLORS, Detections, Mask
from i2t_ros.vision.color_names import color_of, colored

# What people called colors of screens, by the term alone or with light, pale, bright, vivid,
# medium, deep or dark: the XKCD survey, https://xkcd.com/color/rgb/.
SURVEY = {
    "black": "000000",
    "white": "ffffff fdfdfe",
    "gray": "929591 7d7f7c d8dcd6 363737",
    "red": "e50000 ff474c d9544d ff000d 9a0200 840000",
    "green": "15b01a 96f97b c7fdb5 01ff07 2fef10 39ad48 02590f 033500",
    "yellow": "ffff14 fffe7a ffff84 fffd01 d5b60a",
    "blue": "0343df 95d0fc d0fefe 0165fc 152eff 2c6fbb 040273 00035b",
    "brown": "653700 ad8150 b1916e 7f5112 410200 341c02",
    "purple": "7e1e9c bf77f6 b790d4 be03fd 9900fa 9e43a2 36013f 35063e",
    "pink": "ff81c0 ffd1df ffcfdc fe01b1 f36196 cb0162 cb416b",
    "orange": "f97306 fdaa48 ffa756 ff5b00 dc4d01 c65102",
}
SURVEYED = [(name, bytes.fromhex(c)) for name, line in SURVEY.items() for c in line.split()]

# Focal colors of English: the best examples that people choose. The chips are those of Heider,
# Universals in color naming and memory (1972), after Berlin and Kay, with black, white and middle
# gray, and their CIELAB values those of the World Color Survey,
# https://www1.icsi.berkeley.edu/wcs/data/cnum-maps/cnum-vhcm-lab-new.txt.
FOCAL = {
    "black": (15.60, -0.02, 0.02),
    "white": (96.00, -0.06, 0.06),
    "gray": (51.57, -0.03, 0.04),
    "red": (41.22, 59.50, 30.17),
    "green": (51.57, -52.69, 9.70),
    "yellow": (81.35, 7.28, 109.12),
    "blue": (51.57, -3.41, -48.08),
    "brown": (30.77, 18.18, 30.27),
    "purple": (30.77, 36.90, -32.14),
    "pink": (81.35, 23.18, 13.11),
    "orange": (61.70, 44.69, 79.79),
}

# X-Rite's ColorChecker Classic since November 2014, in sRGB, and what its patches may be called;
# https://www.xrite.com/service-support/new_color_specifications_for_colorchecker_sg_and_classic_charts
CHECKER = [
    ("dark skin", (116, 79, 65), "brown"),
    ("light skin", (197, 144, 127), "brown orange pink"),
    ("blue sky", (91, 121, 155), "blue"),
    ("foliage", (91, 108, 65), "green"),
    ("blue flower", (132, 127, 174), "blue purple"),
    ("bluish green", (95, 189, 172), "green blue"),
    ("orange", (224, 124, 51), "orange"),
    ("purplish blue", (70, 90, 166), "blue"),
    ("moderate red", (197, 80, 95), "red pink"),
    ("purple", (93, 58, 103), "purple"),
    ("yellow green", (155, 187, 62), "green yellow"),
    ("orange yellow", (227, 161, 44), "orange yellow"),
    ("blue", (41, 62, 144), "blue"),
    ("green", (59, 147, 72), "green"),
    ("red", (178, 54, 57), "red"),
    ("yellow", (236, 199, 30), "yellow"),
    ("magenta", (191, 80, 146), "pink purple"),
    ("cyan", (0, 133, 165), "blue"),
    ("white 9.5", (241, 242, 236), "white"),
    ("neutral 8", (201, 202, 201), "gray white"),
    ("neutral 6.5", (161, 163, 163), "gray"),
    ("neutral 5", (121, 121, 121), "gray"),
    ("neutral 3.5", (83, 84, 85), "gray"),
    ("black 2", (50, 50, 50), "black"),
]


def patch(red_green_blue, side=24):
    return np.full((side, side, 3), tuple(red_green_blue)[::-1], np.uint8)


def photographed(red_green_blue, light, seed=0):
    """Return a patch as a camera sees it: less light, noise, and the blocks of a JPEG."""
    linear = (patch(red_green_blue) / 255.0) ** 2.2 * light
    noise = np.random.default_rng(seed).normal(0, 8, linear.shape)
    seen = np.clip(255 * linear ** (1 / 2.2) + noise, 0, 255).astype(np.uint8)
    return cv2.imdecode(cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, 75])[1], 1)


def share(right):
    right = list(right)
    return sum(right) / len(right)


def test_the_charts_have_every_term():
    assert set(SURVEY) == set(FOCAL) == set(COLORS)


def test_colors_of_screens_have_the_names_that_people_gave_them():
    assert share(color_of(patch(color)) == name for name, color in SURVEYED) >= 0.93


@pytest.mark.parametrize(("light", "least"), [(1.0, 0.92), (0.8, 0.88), (0.6, 0.82)])
def test_noise_jpeg_and_less_light_change_few_names(light, least):
    found = [(name, color_of(photographed(color, light))) for name, color in SURVEYED]
    assert share(name == seen for name, seen in found) >= least


def test_ten_of_eleven_focal_colors_have_their_name_and_the_other_none():
    seen = {}
    for name, lab in FOCAL.items():
        bgr = cv2.cvtColor(np.float32([[lab]]), cv2.COLOR_LAB2BGR)[0, 0]
        seen[name] = color_of(patch(np.rint(255 * bgr.clip(0, 1)).astype(np.uint8)[::-1]))
    # 5R 8/6 lies between pink and orange for the people that the model was fitted to.
    assert seen == {name: "" if name == "pink" else name for name in COLORS}


@pytest.mark.parametrize(("name", "color", "names"), CHECKER, ids=[row[0] for row in CHECKER])
@pytest.mark.parametrize("seed", [1, 2])
def test_patches_of_a_color_chart_have_their_names(name, color, names, seed):
    assert color_of(patch(color)) in names.split()
    assert color_of(photographed(color, 1.0, seed)) in names.split()


def test_a_color_stands_out_or_there_is_none():
    half = patch((200, 30, 30))
    half[12:] = patch((30, 60, 200))[12:]
    assert color_of(half) == ""
    half[4:12] = half[:8]
    half[12:18] = half[:6]
    assert color_of(half) == "red"


def test_light_and_shadow_on_black_gray_and_white_are_no_second_color():
    shirt, stripes = patch((240, 240, 240)), patch((240, 240, 240))
    shirt[13:] = patch((170, 170, 170))[13:]
    stripes[13:] = patch((20, 20, 20))[13:]
    assert [color_of(shirt), color_of(stripes)] == ["white", ""]


def test_few_pixels_have_no_color():
    assert color_of(patch((200, 30, 30), 4)) == "red"
    assert color_of(patch((200, 30, 30), 3)) == ""
    assert color_of(np.zeros((0, 24, 3), np.uint8)) == ""


def test_gray_parts_do_not_hide_the_color_of_a_thing():
    car = patch((200, 30, 30))
    car[11:] = patch((90, 90, 90))[11:]  # more than half of it is windows and wheels
    assert color_of(car) == "red"


GRASS, RED, BLUE, SKIN = (60, 140, 50), (200, 30, 30), (30, 60, 200), (197, 144, 127)
BROWN, YELLOW = (101, 55, 0), (255, 255, 20)


def drawn(*parts, size=(120, 160)):
    """Return an image of grass with rectangles on it: box, color."""
    image = np.empty((*size, 3), np.uint8)
    image[:] = GRASS[::-1]
    for (left, top, right, bottom), color in parts:
        image[top:bottom, left:right] = color[::-1]
    return image


def colors_of(image, boxes, label="car", masks=None):
    found = Detections(
        boxes, [0.9] * len(boxes), [0] * len(boxes), (label,), masks=masks and tuple(masks)
    )
    scene = scene_of(image.shape[1], image.shape[0], found)
    return colored(scene, image).detections.colors


def test_without_a_mask_the_middle_of_the_box_counts():
    ball = (60, 40, 100, 80)  # in a box of twice its size, so that three quarters are grass
    assert colors_of(drawn((ball, RED)), [(40, 20, 120, 100)]) == ("red",)


def test_with_a_mask_what_it_covers_counts_but_for_its_rim():
    ring = ((40, 20, 120, 100), BLUE), ((70, 50, 90, 70), RED)  # red in the middle
    covered = np.ones((80, 80), bool)
    covered[25:55, 25:55] = False
    image = drawn(*ring)
    assert colors_of(image, [(40, 20, 120, 100)], masks=[Mask(40, 20, covered)]) == ("blue",)
    rod = np.zeros((120, 160), bool)
    rod[20:100, 78:82] = True  # thinner than its rim would be, in a mask of the whole image
    image = drawn(((78, 20, 82, 100), RED))
    assert colors_of(image, [(70, 20, 90, 100)], masks=[Mask(0, 0, rod)]) == ("red",)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("label", ["person", "Woman"])
def test_the_color_of_people_is_that_of_their_clothes(label, masked):
    head, shirt, legs = (70, 0, 90, 20), (60, 20, 100, 60), (65, 60, 95, 100)
    image = drawn((head, SKIN), (shirt, RED), (legs, BLUE))
    covered = np.zeros((100, 40), bool)
    for left, top, right, bottom in (head, shirt, legs):
        covered[top:bottom, left - 60 : right - 60] = True
    masks = [Mask(60, 0, covered)] if masked else None
    assert colors_of(image, [(60, 0, 100, 100)], label, masks) == ("red",)


def test_of_a_bust_the_clothes_are_lower():
    head, shirt = (60, 0, 100, 50), (40, 50, 120, 100)
    image = drawn((head, SKIN), (shirt, BLUE))
    assert colors_of(image, [(40, 0, 120, 100)], "person") == ("blue",)


def test_colors_that_are_all_around_are_not_the_color_of_a_thing():
    box = (40, 20, 120, 100)
    fence = [((x, 20, x + 8, 100), RED) for x in range(40, 120, 20)]  # more grass than fence
    assert colors_of(drawn(*fence), [box]) == ("",)
    assert colors_of(drawn(((30, 10, 130, 110), RED)), [box]) == ("red",)  # a box within the thing
    in_colored_light = drawn(((0, 0, 160, 120), BROWN))
    whole = [Mask(40, 20, np.ones((80, 80), bool))]
    assert colors_of(in_colored_light, [box], masks=whole) == ("brown",)
    in_colored_light[20:100, 40:120:2] = 255
    assert colors_of(in_colored_light, [box], masks=whole) == ("",)
    assert colors_of(drawn((box, BROWN)), [box], masks=whole) == ("brown",)


def test_without_a_mask_a_color_needs_half_of_the_votes():
    box = (40, 20, 120, 100)
    parts = ((40, 20, 120, 59), RED), ((40, 59, 120, 81), BLUE), ((40, 81, 120, 100), YELLOW)
    whole = [Mask(40, 20, np.ones((80, 80), bool))]
    assert colors_of(drawn(*parts), [box], masks=whole) == ("red",)
    middle = [
        ((left, 20 + (top + 20) // 2, right, 20 + (bottom + 20) // 2), color)
        for (left, top, right, bottom), color in parts
    ]
    assert colors_of(drawn(*middle), [box]) == ("",)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("skin", [SKIN, (116, 79, 65), (224, 172, 140)])
def test_skin_is_not_the_color_of_clothes(skin, masked):
    box = (60, 0, 100, 100)
    masks = [Mask(60, 0, np.ones((100, 40), bool))] if masked else None
    bare = drawn((box, skin))
    assert colors_of(bare, [box], "person", masks) == ("",)
    assert colors_of(bare, [box], "dog", masks) in {("brown",), ("orange",), ("pink",)}
    top = drawn((box, skin), ((60, 35, 100, 100), RED))
    assert colors_of(top, [box], "person", masks) == ("red",)


@pytest.mark.parametrize("masked", [False, True])
def test_screens_vessels_of_other_things_and_stripes_have_no_color(masked):
    box = (40, 20, 120, 100)
    masks = [Mask(40, 20, np.ones((80, 80), bool))] if masked else None
    labels = ("tv", "Laptop", "cell phone", "bowl", "wine glass", "zebra", "cup")
    found = [colors_of(drawn((box, RED)), [box], label, masks)[0] for label in labels]
    assert found == ["", "", "", "", "", "", "red"]


def test_what_leaves_the_image_is_judged_by_what_is_there():
    image = drawn(((0, 0, 50, 60), RED))
    boxes = [(-40, -50, 50, 60), (200, 200, 260, 260), (10, 10, 11, 11)]
    assert colors_of(image, boxes) == ("red", "", "")


def test_a_scene_without_objects_stays_as_it_is():
    scene = scene_of(160, 120)
    assert colored(scene, drawn()) is scene
    assert colors_of(drawn(), []) == ()
