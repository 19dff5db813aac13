import numpy as np
import pytest

from i2t_ros.errors import InvalidRequestError
from i2t_ros.vision.levels import check_gray16, to_8_bits

THERMAL = np.linspace(7000, 7900, 4800).reshape(60, 80).astype(np.uint16)


def stretched(pixels, how="percentiles"):
    return to_8_bits(pixels, how, gray=True).astype(int)


@pytest.mark.parametrize("how", ["percentiles", "range", "7000-7900"])
@pytest.mark.parametrize("scale", [1, 3, 8])
def test_values_that_use_a_part_of_the_scale_fill_it(how, scale):
    if how == "7000-7900":
        how = f"{7000 * scale}-{7900 * scale}"
    result = stretched(THERMAL * scale, how)
    assert (result.min(), result.max()) == (0, 255)
    assert (np.diff(result.ravel()) >= 0).all(), "what is brighter stays brighter"
    assert np.abs(result - (THERMAL - 7000.0) / 900 * 255).max() <= (
        3 if how == "percentiles" else 1
    )


def test_defective_pixels_do_not_make_the_others_gray():
    pixels = THERMAL.copy()
    pixels[0, :10], pixels[5, :10] = 65535, 0
    assert np.std(stretched(pixels)) > 60
    assert np.std(stretched(pixels, "range")) < 15


def test_full_keeps_the_scale():
    pixels = np.array([[0, 128, 129, 32768, 65407, 65535]], np.uint16)
    assert (stretched(pixels, "full") == np.rint(pixels / 257)).all()
    assert (stretched(pixels) == np.rint(pixels / 257)).all(), "the scale is used"


@pytest.mark.parametrize("how", ["percentiles", "range", "full"])
@pytest.mark.parametrize("value", [0, 7000, 65535])
def test_an_image_of_one_value_is_not_stretched(how, value):
    assert (stretched(np.full((4, 5), value, np.uint16), how) == round(value / 257)).all()


@pytest.mark.parametrize(("most", "scale"), [(1023, 1023), (1024, 4095), (16_383, 16_383)])
def test_colors_are_scaled_by_the_bits_in_use(most, scale):
    pixels = np.array([[[0, most // 2, most]]], np.uint16)
    result = to_8_bits(pixels, "percentiles", gray=False)
    assert result.shape == pixels.shape
    assert np.abs(result - pixels * (255 / scale)).max() <= 0.5
    assert to_8_bits(pixels, "full", gray=False).max() == round(most / 257)


@pytest.mark.parametrize(
    "how", ["", "max", "7900-7000", "7-7", "0-65536", "-1-5", "1-2-3", "9" * 99]
)
def test_other_words_and_ranges_are_refused(how):
    with pytest.raises(InvalidRequestError, match="gray16: expected percentiles, range, full"):
        check_gray16(how)
