"""Masks, their polygons and back, each compared with a picture in which every pixel is counted."""

import numpy as np
import pytest

from i2t_ros.types import Mask
from i2t_ros.vision import masks
from i2t_ros.vision.letterbox import Placement
from i2t_ros.vision.masks import (
    Grid,
    draw_masks,
    instance_map,
    masks_of,
    outlined_masks,
    outlines_of,
    polygons_of,
    scaled_masks,
)

SIZE = 160, 120


def whole(mask, size=SIZE):
    """Return a mask as an array of the whole image."""
    image = np.zeros(size[::-1], bool)
    height, width = mask.covered.shape
    image[mask.top : mask.top + height, mask.left : mask.left + width] = mask.covered
    return image


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def blob(seed, radius=(12, 50)):
    """Return a flower of three petals somewhere in the middle."""
    random = np.random.default_rng(seed)
    ys, xs = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    xs, ys = xs - random.uniform(70, 90), ys - random.uniform(55, 65)
    angle = np.arctan2(ys, xs) + random.uniform(0, 6)
    return np.hypot(xs, ys * random.uniform(0.8, 1.3)) < random.uniform(*radius) * (
        1 + 0.2 * np.sin(3 * angle)
    )


@pytest.mark.parametrize("seed", range(30))
def test_a_mask_comes_back_from_its_polygons(seed):
    drawn = blob(seed)
    polygons = polygons_of(Mask(7, 3, drawn[3:, 7:].copy()))
    (again,) = outlined_masks([polygons])
    assert iou(whole(again), drawn) > 0.98
    assert sum(map(len, polygons)) < 200
    assert all(line.dtype == np.float32 for line in polygons)


def test_sides_of_a_polygon_are_the_edges_of_pixels():
    covered = np.zeros((20, 30), bool)
    covered[4:12, 5:20] = True
    (line,) = polygons_of(Mask(100, 50, covered))
    assert line.min(axis=0).tolist() == [105, 54]
    assert line.max(axis=0).tolist() == [120, 62]
    (again,) = outlined_masks([[line]])
    assert (again.left, again.top, again.covered.shape) == (105, 54, (8, 15))
    assert again.covered.all()


def test_a_pixel_belongs_to_a_polygon_if_its_center_does():
    random = np.random.default_rng(1)
    for _ in range(40):
        line = random.uniform(2, 28, (random.integers(3, 9), 2)).astype(np.float32)
        (mask,) = outlined_masks([[line]])
        found = whole(mask, (30, 30))
        for row in range(30):
            for column in range(30):
                assert found[row, column] == is_inside(column + 0.5, row + 0.5, line.tolist())


def is_inside(x, y, line):
    """Count, point by point, the sides that a ray to the left crosses."""
    crossings = 0
    for (x0, y0), (x1, y1) in zip(line, [*line[1:], line[0]], strict=True):
        if (y0 <= y) != (y1 <= y):
            crossings += x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x
    return crossings % 2 == 1


def test_a_thing_in_two_parts_has_two_polygons_the_larger_first_and_holes_are_left_out():
    covered = np.zeros((40, 60), bool)
    covered[2:6, 2:6] = True
    covered[10:30, 10:50] = True
    covered[15:20, 20:30] = False
    large, small = polygons_of(Mask(0, 0, covered))
    assert large.min(axis=0).tolist() == [10, 10]
    assert small.min(axis=0).tolist() == [2, 2]
    (again,) = outlined_masks([(large, small)])
    assert whole(again).sum() == pytest.approx(16 + 20 * 40, abs=4)


def test_numbers_of_polygons_and_points_have_an_end(monkeypatch):
    grass = np.random.default_rng(2).random((300, 400)) < 0.5
    polygons = polygons_of(Mask(0, 0, grass))
    assert len(polygons) <= masks.MOST_POLYGONS
    assert max(map(len, polygons)) <= masks.MOST_POINTS
    specks = np.zeros((100, 100), bool)
    specks[::5, ::5] = specks[1::5, ::5] = specks[::5, 1::5] = specks[1::5, 1::5] = True
    assert len(polygons_of(Mask(0, 0, specks))) == masks.MOST_POLYGONS
    three = [Mask(0, 0, blob(seed)) for seed in range(3)]
    each = [sum(len(line) + 1 for line in polygons_of(mask)) for mask in three]
    monkeypatch.setattr(masks, "MOST_POINTS_OF_ALL", sum(each[:2]))
    assert [len(lines) for lines in outlines_of(three)] == [1, 1, 0]


@pytest.mark.parametrize("covered", [np.zeros((0, 0), bool), np.zeros((5, 7), bool)])
def test_nothing_has_no_polygon(covered):
    assert polygons_of(Mask(3, 4, covered)) == ()
    (again,) = outlined_masks([[]])
    assert not again.covered.any()
    assert polygons_of(again) == ()


def test_polygons_that_a_mask_was_made_of_are_its_own():
    line = np.float32([[1.25, 2], [30.75, 4], [20, 19.5]])
    (mask,) = outlined_masks([[line]])
    (again,) = polygons_of(mask)
    assert again is line


PLACEMENTS = [
    ((64, 48), Placement(0, 0, 64, 48, 160, 120)),  # stretched, or of the same shape
    ((64, 64), Placement(0, 8, 64, 48, 160, 120)),  # in the middle
    ((64, 64), Placement(0, 0, 64, 48, 160, 120)),  # at the top
    ((320, 240), Placement(0, 0, 320, 240, 160, 120)),  # larger than the image
    ((64, 48), Placement(-16, -12, 96, 72, 160, 120)),  # cropped
]


@pytest.mark.parametrize(("model", "at"), PLACEMENTS)
def test_logits_are_interpolated_between_the_centers_of_cells(model, at):
    random = np.random.default_rng(3)
    shape = model[1] // 4, model[0] // 4
    maps = random.normal(size=(2, *shape)).astype(np.float32)
    boxes = np.float32([[10.3, 20.7, 90.2, 100], [0, 0, 160, 120]])
    found = masks_of(
        lambda i, rows, columns: maps[i, rows, columns],
        [1, 0],
        boxes,
        Grid.of(shape, model, at),
        SIZE,
    )
    assert [(mask.left, mask.top, mask.covered.shape) for mask in found] == [
        (10, 20, (80, 81)),
        (0, 0, (120, 160)),
    ]
    for mask, logits in zip(found, maps[::-1], strict=True):
        expected = np.zeros(mask.covered.shape)
        for row in range(len(expected)):
            for column in range(expected.shape[1]):
                x = (mask.left + column + 0.5) * at.width / at.original_width + at.left
                y = (mask.top + row + 0.5) * at.height / at.original_height + at.top
                expected[row, column] = value_at(logits, x / 4 - 0.5, y / 4 - 0.5)
        clear = abs(expected) > 0.15  # OpenCV counts in 32nds of a cell
        assert clear.mean() > 0.7
        assert ((expected > 0) == mask.covered)[clear].all()


def value_at(logits, x, y):
    """Return the value between four centers of cells; beyond the outermost, theirs."""
    height, width = logits.shape
    x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    column, row = min(int(x), width - 2), min(int(y), height - 2)
    right, below = x - column, y - row
    upper = logits[row, column] * (1 - right) + logits[row, column + 1] * right
    lower = logits[row + 1, column] * (1 - right) + logits[row + 1, column + 1] * right
    return upper * (1 - below) + lower * below


def test_only_the_part_of_a_map_that_a_box_needs_is_asked_for():
    asked = []

    def logits(i, rows, columns):
        asked.append((rows.stop - rows.start, columns.stop - columns.start))
        return np.ones((rows.stop - rows.start, columns.stop - columns.start), np.float32)

    grid = Grid.of((160, 160), (640, 640), Placement(0, 0, 640, 640, 1280, 1280))
    (mask,) = masks_of(logits, [0], np.float32([[400, 800, 480, 840]]), grid, (1280, 1280))
    assert mask.covered.all()
    assert asked[0][0] <= 7
    assert asked[0][1] <= 12


def test_masks_take_only_so_much_memory_and_the_best_have_it(monkeypatch):
    monkeypatch.setattr(masks, "MOST_PIXELS", 250)
    grid = Grid.of((4, 4), (16, 16), Placement(0, 0, 16, 16, 16, 16))
    boxes = np.float32([[0, 0, 10, 10], [0, 0, 10, 12], [0, 0, 16, 16]])
    found = masks_of(lambda i, r, c: np.ones((4, 4), np.float32), [0, 1, 2], boxes, grid, (16, 16))
    assert [mask.covered.sum() for mask in found] == [100, 120, 0]
    larger = scaled_masks(found, np.float32([1.5, 1.5]))
    assert [mask.covered.sum() for mask in larger] == [225, 0, 0]
    assert [len(polygons_of(mask)) for mask in larger] == [1, 1, 0]
    line = np.float32([[0, 0], [1e6, 0], [1e6, 1e6]])
    (huge,) = outlined_masks([[line]])
    assert huge.covered.size == 0
    assert polygons_of(huge)[0] is line


def test_outlines_that_cross_too_many_rows_have_empty_masks():
    # Up and down again and again in 100 x 20,000 pixels, and once without any width.
    columns = np.arange(2000, dtype=np.float32) % 100
    dense = np.stack([columns, np.float32([0, 20_000] * 1000)], axis=1)
    thin = np.float32([[5, 0], [5, 4e9], [5, 8]])
    usual = np.float32([[1, 1], [4, 1], [4, 3], [1, 3]])
    first, *huge = outlined_masks([[usual], [dense], [thin]])
    assert first.covered.sum() == 6
    assert [mask.covered.size for mask in huge] == [0, 0]
    assert polygons_of(huge[0])[0] is dense


@pytest.mark.parametrize("factors", [(2, 3), (0.5, 0.75)])
def test_masks_are_scaled_with_the_image(factors):
    drawn = blob(5, (40, 45))
    (scaled,) = scaled_masks([Mask(0, 0, drawn)], np.float32(factors))
    size = round(SIZE[0] * factors[0]), round(SIZE[1] * factors[1])
    columns = ((np.arange(size[0]) + 0.5) / factors[0]).astype(int)
    rows = ((np.arange(size[1]) + 0.5) / factors[1]).astype(int)
    assert iou(whole(scaled, size), drawn[rows][:, columns]) > 0.96
    (outlined,) = scaled_masks(
        outlined_masks([polygons_of(Mask(0, 0, drawn))]), np.float32(factors)
    )
    assert iou(whole(outlined, size), drawn[rows][:, columns]) > 0.96
    assert outlined.polygons is not None


def test_of_what_is_too_wide_for_opencv_only_the_outline_is_scaled():
    (scaled,) = scaled_masks([Mask(0, 0, np.ones((3, 40_000), bool))], np.float32([2, 2]))
    assert scaled.covered.size == 0
    assert polygons_of(scaled)[0].max(axis=0).tolist() == [80_000, 6]


def test_the_first_is_on_top_of_the_map_of_instances():
    left, right = np.ones((10, 20), bool), np.ones((12, 20), bool)
    left[0, 0] = False
    numbers = instance_map([Mask(5, 5, left), Mask(15, 4, right)], (40, 30))
    assert numbers.dtype == np.uint16
    assert numbers.shape == (30, 40)
    assert numbers[5, 5] == 0
    assert (numbers == 1).sum() == 199
    assert (numbers == 2).sum() == 240 - 100
    assert numbers[6, 20] == 1


def test_a_mask_is_drawn_translucent_with_its_outline():
    canvas = np.full((60, 80, 3), 100, np.uint8)
    nothing = Mask(0, 0, np.zeros((0, 0), bool))
    draw_masks(canvas, [Mask(20, 10, np.ones((30, 40), bool)), nothing], [(0, 0, 255)] * 2, 1)
    assert canvas[5, 5].tolist() == [100, 100, 100]
    assert canvas[25, 40].tolist() == [60, 60, 162]
    assert canvas[25, 20].tolist() == pytest.approx([0, 0, 255], abs=80)
