"""Distances of objects in scenes whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from depth_scenes import (
    CAMERA,
    HEIGHT,
    WIDTH,
    compressed,
    depth_image,
    found,
    inverse,
    millimeters,
    person,
    plane,
)

from i2t_ros.types import Mask
from i2t_ros.vision.depth import DepthImage, Intrinsics, intrinsics, locate
from i2t_ros.vision.depth_codecs import decode_compressed_depth

SIZE = WIDTH, HEIGHT
PLANES, PEOPLE = 0.03, 0.1
"""Errors that are allowed, as shares of the distance."""


def z_of(objects, meters, size=SIZE, camera=CAMERA):
    """Return the depth of the first object, in meters."""
    depth = meters if isinstance(meters, DepthImage) else depth_image(meters)
    return float(locate(objects, size, depth, camera).positions[0, 2])


def mask_of(outline):
    return Mask(0, 0, outline)


@pytest.mark.parametrize("tiny", [1e-45, 1e-38, 1e-4])
def test_numbers_too_small_for_a_depth_are_none(tiny):
    meters = np.full((HEIGHT, WIDTH), 900.0, np.float32)
    meters[::2] = tiny
    assert z_of(found((200, 140, 440, 340)), DepthImage(meters)) == 900
    assert z_of(found((200, 140, 440, 340)), DepthImage(np.full_like(meters, tiny))) == 0


@pytest.mark.parametrize("z", [0.3, 1.0, 2.5, 8.0])
@pytest.mark.parametrize(("across", "down"), [(0, 0), (30, 0), (0, -45), (60, 0), (0, 70)])
@pytest.mark.parametrize("unit", ["float", "millimeters"])
@pytest.mark.parametrize("box", [(200, 140, 440, 340), (310, 230, 330, 250)])
def test_planes(z, across, down, unit, box):
    meters = plane(z, across, down)
    depth = depth_image(meters) if unit == "float" else DepthImage(millimeters(meters))
    assert z_of(found(box), depth) == pytest.approx(z, rel=PLANES)


@pytest.mark.parametrize(("across", "down"), [(0, 0), (40, 0), (0, 40)])
def test_a_plane_beside_the_axis_is_where_the_pinhole_model_has_it(across, down):
    meters = plane(2.0, across, down)
    objects = found((420, 300, 580, 420))  # its middle is at column 499.5, row 359.5
    expected = np.array([180 / 600, 120 / 600, 1]) * meters[360, 500]
    at = locate(objects, SIZE, depth_image(meters), CAMERA).positions[0]
    np.testing.assert_allclose(at, expected, rtol=PLANES)


@pytest.mark.parametrize("masked", [False, True], ids=["box", "mask"])
@pytest.mark.parametrize("wall", [None, 3.0, 4.0, 9.0, 0.0, np.nan, np.inf])
@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("height", [400, 160, 60])
def test_a_person_before_a_wall(masked, wall, noise, height):
    box, outline = person(height, width=height // 2)
    meters = plane(2.5 if wall is None else wall)  # None: as if she leaned on the wall
    meters[outline] = 2.3
    meters = meters * np.random.default_rng(1).normal(1, noise, meters.shape)
    objects = found(box, masks=(mask_of(outline),) if masked else None)
    assert z_of(objects, meters) == pytest.approx(2.3, rel=PEOPLE)


@pytest.mark.parametrize("masked", [False, True], ids=["box", "mask"])
def test_pixels_that_fly_between_a_person_and_the_wall(masked):
    """Depth cameras see such pixels along edges: a mixture of both depths."""
    box, outline = person()
    random = np.random.default_rng(2)
    meters = plane(5.0)
    meters[outline] = 2.0
    edge = outline ^ np.roll(outline, 3, axis=1)
    meters[edge] = random.uniform(2, 5, np.count_nonzero(edge))
    strays = random.random(meters.shape) < 0.01
    meters[strays] = random.uniform(0.3, 1.9, np.count_nonzero(strays))
    objects = found(box, masks=(mask_of(outline),) if masked else None)
    assert z_of(objects, meters) == pytest.approx(2.0, rel=PEOPLE)


@pytest.mark.parametrize("masked", [False, True], ids=["box", "mask"])
@pytest.mark.parametrize("behind", [2.2, 6.0])
def test_a_chair_of_bars(masked, behind):
    """A quarter of what its box holds is chair; the rest is what is seen between its bars."""
    meters, bars = plane(behind), np.zeros((HEIGHT, WIDTH), bool)
    for column in range(200, 360, 32):
        bars[150:390, column : column + 8] = True
    meters[bars] = 1.5
    objects = found((200, 150, 336, 390), masks=(mask_of(bars),) if masked else None)
    assert z_of(objects, meters) == pytest.approx(1.5, rel=PEOPLE)


def test_a_mask_that_is_too_wide_for_a_thin_thing():
    meters, wide = plane(4.0), np.zeros((HEIGHT, WIDTH), bool)
    wide[100:400, 300:318] = True
    meters[100:400, 306:312] = 1.2
    objects = found((300, 100, 318, 400), masks=(mask_of(wide),))
    assert z_of(objects, meters) == pytest.approx(1.2, rel=PEOPLE)


def test_a_small_object_has_a_mask_of_the_whole_picture():
    meters, outline = plane(6.0), np.zeros((HEIGHT, WIDTH), bool)
    meters[200:220, 301:308] = 2.0
    outline[200:220, 301:308] = True
    objects = found((300, 199, 309, 221), masks=(mask_of(outline),))
    assert z_of(objects, meters) == pytest.approx(2.0, rel=PLANES)


def test_a_mask_leaves_out_what_covers_the_object():
    meters, outline = plane(3.0), np.ones((HEIGHT, WIDTH), bool)
    meters[:, 300:340] = 1.0
    outline[:, 298:342] = False
    box = (200, 100, 440, 400)
    mask = Mask(200, 100, outline[100:400, 200:440])
    assert z_of(found(box), meters) == pytest.approx(1.0)  # a third of the middle of its box
    assert z_of(found(box, masks=(mask,)), meters) == pytest.approx(3.0)


@pytest.mark.parametrize("nothing", [0.0, np.nan, np.inf, -np.inf, -1.0, 2000.0])
def test_pixels_without_a_depth_are_left_out(nothing):
    meters = plane(2.0)
    holes = np.random.default_rng(3).random(meters.shape) < 0.85
    meters[holes] = nothing
    assert z_of(found((200, 140, 440, 340)), meters) == pytest.approx(2.0)


@pytest.mark.parametrize("nothing", [0.0, np.nan, np.inf])
def test_what_has_hardly_any_depth_is_not_known(nothing):
    meters = plane(2.0)
    holes = np.random.default_rng(3).random(meters.shape) < 0.95
    meters[holes] = nothing
    located = locate(found((200, 140, 440, 340)), SIZE, depth_image(meters), CAMERA)
    assert not np.concatenate(located).any()


def test_depths_without_any_surface_are_not_known():
    meters = np.geomspace(0.05, 900, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    np.random.default_rng(4).shuffle(meters.reshape(-1))
    levels = np.array([0.1, 0.3, 0.9, 2.7, 8.1, 24.3, 72.9, 218.7])  # an eighth at each
    meters = levels[np.searchsorted(np.geomspace(0.05, 900, 9)[1:-1], meters)]
    assert z_of(found((200, 140, 440, 340)), meters) == 0


@pytest.mark.parametrize("masked", [False, True], ids=["box", "mask"])
@pytest.mark.parametrize("depth_size", [(320, 240), (1280, 960), (848, 480), (212, 120)])
def test_depth_of_another_size_than_the_picture(masked, depth_size):
    box, outline = person()
    meters = plane(4.0)
    meters[outline] = 2.0
    width, height = depth_size
    rows, columns = np.arange(height) * HEIGHT // height, np.arange(width) * WIDTH // width
    depth = depth_image(meters[np.ix_(rows, columns)])
    objects = found(box, masks=(mask_of(outline),) if masked else None)
    same = locate(objects, SIZE, depth_image(meters), CAMERA)
    located = locate(objects, SIZE, depth, CAMERA)  # the intrinsics are those of the picture
    assert located.positions[0, 2] == pytest.approx(2.0, rel=PLANES)
    np.testing.assert_allclose(located.positions, same.positions, atol=0.1)
    np.testing.assert_allclose(located.sizes, same.sizes, rtol=0.02)


@pytest.mark.parametrize(
    "box", [(-50, -40, 60, 80), (600, 440, 700, 520), (0, 0, WIDTH, HEIGHT), (639, 479, 640, 480)]
)
def test_objects_at_the_edge(box):
    away = z_of(found(box), plane(2.0))
    small = (box[2] - box[0]) * (box[3] - box[1]) == 1  # one pixel is too few
    assert away == (0 if small else pytest.approx(2.0))


@pytest.mark.parametrize(
    "box", [(700, 500, 800, 600), (-90, -90, -10, -10), (5, 5, 5, 5), (1e9, 1e9, 2e9, 2e9)]
)
def test_boxes_of_nothing_are_not_known(box):
    assert z_of(found(box), plane(2.0)) == 0


@pytest.mark.parametrize(
    "mask",
    [
        Mask(0, 0, np.zeros((HEIGHT, WIDTH), bool)),
        Mask(0, 0, np.zeros((0, 0), bool)),
        Mask(900, 900, np.ones((50, 50), bool)),
        Mask(-90, -90, np.ones((50, 50), bool)),
    ],
    ids=["empty", "no size", "outside", "before"],
)
def test_masks_of_nothing_are_not_known(mask):
    assert z_of(found((200, 140, 440, 340), masks=(mask,)), plane(2.0)) == 0


def test_each_object_has_its_own():
    meters = plane(5.0)
    meters[100:200, 100:200] = 1.0
    meters[100:200, 400:500] = 0.0
    objects = found((100, 100, 200, 200), (400, 100, 500, 200), (100, 300, 200, 400))
    located = locate(objects, SIZE, depth_image(meters), CAMERA)
    np.testing.assert_allclose(located.positions[:, 2], [1, 0, 5])
    none = locate(found(), SIZE, depth_image(meters), CAMERA)
    assert none.positions.shape == (0, 3)


def test_the_box_in_space():
    meters = plane(4.0)
    meters[140:340, 200:440] = plane(2.0, across=20)[140:340, 200:440]
    box = found((200, 140, 440, 340))
    located = locate(box, SIZE, depth_image(meters), CAMERA)
    width, height, deep = located.sizes[0]
    assert (width, height) == pytest.approx((240 / 600 * 2, 200 / 600 * 2), rel=0.01)
    seen = meters[140:340, 260:380]  # the middle half of the columns
    assert deep == pytest.approx(seen.max() - seen.min(), rel=0.15)
    assert located.centers[0] == pytest.approx((0, 0, 2), abs=0.03)
    flat = locate(box, SIZE, depth_image(plane(2.0)), CAMERA)
    assert flat.sizes[0, 2] == pytest.approx(0.01)


def test_byte_orders_and_inverse_depth_are_read_alike():
    meters = plane(2.0, across=20)
    box = found((400, 140, 600, 340))
    expected = locate(box, SIZE, depth_image(meters), CAMERA).positions
    coded, quantization = inverse(meters)
    swapped = [
        DepthImage(meters.astype(">f4")),
        DepthImage(millimeters(meters).astype(">u2")),
        decode_compressed_depth(
            compressed(coded, quantization=quantization), "32FC1; compressedDepth png"
        ),
    ]
    for depth in swapped:
        np.testing.assert_allclose(locate(box, SIZE, depth, CAMERA).positions, expected, rtol=0.005)


def test_numbers_of_inverse_depth_that_make_no_sense():
    pixels = np.full((HEIGHT, WIDTH), 7, np.uint16)
    box = found((200, 140, 440, 340))
    for numbers in ((1.0, 7.0), (-1.0, 0.0), (3e38, 6.9999), (0.0, 0.0)):
        assert z_of(box, DepthImage(pixels, numbers)) == 0


def camera_info(fx=600.0, fy=500.0, cx=300.0, cy=200.0):
    return np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1])


def test_intrinsics_are_those_of_p_and_else_of_k():
    matrix, none = camera_info(), np.zeros(12)
    assert intrinsics(matrix, none, 640, 480) == Intrinsics(600, 500, 300, 200, 640, 480)
    assert intrinsics(camera_info(fx=1e308), none, 640, 480).fx == 1e308, "no warning either"
    projection = np.array([610, 0, 310, 0, 0, 510, 210, 0, 0, 0, 1, 0.0])
    assert intrinsics(matrix, projection, 640, 480) == Intrinsics(610, 510, 310, 210, 640, 480)


@pytest.mark.parametrize(
    ("matrix", "size"),
    [
        (np.zeros(9), (640, 480)),
        (camera_info(fx=-1), (640, 480)),
        (camera_info(cx=np.nan), (640, 480)),
        (camera_info(fy=np.inf), (640, 480)),
        (camera_info(), (0, 480)),
        (camera_info(fx=1e-300), (640, 480)),
        (camera_info(fy=0.4), (640, 480)),
        (camera_info(cx=1e308), (640, 480)),
        (camera_info(cy=-1e6), (640, 480)),
    ],
)
def test_cameras_that_do_not_exist_are_refused(matrix, size):
    with pytest.raises(ValueError, match="expected"):
        intrinsics(matrix, np.zeros(12), *size)


def test_positions_of_the_widest_camera_have_distances():
    matrix = camera_info(fx=0.64, fy=0.48, cx=-640e3, cy=480e3)
    camera = intrinsics(matrix, np.zeros(12), WIDTH, HEIGHT)
    far = depth_image(np.full((HEIGHT, WIDTH), 1000.0))
    objects = found((600, 10, 640, 40))
    placed = locate(objects, SIZE, far, camera)
    away = replace(objects, positions=placed.positions).distances()
    assert 1e9 < away[0] < 2e9
    assert np.isfinite(placed.sizes).all()


def test_scaled_intrinsics_see_the_same():
    half = CAMERA.scaled(320, 240)
    # Between the pixels 0 and 1 of the whole image is the center of pixel 0 of its half.
    assert half.point(0, 0, 2.0) == pytest.approx(CAMERA.point(0.5, 0.5, 2.0))
    assert half.point(319, 239, 2.0) == pytest.approx(CAMERA.point(638.5, 478.5, 2.0))
