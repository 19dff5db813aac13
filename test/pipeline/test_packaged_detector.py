"""Real weights on a machine that has nothing but a package registry."""

from pathlib import Path

import cv2
import pytest


@pytest.fixture(scope="module")
def portrait():
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib, for its photo")
    folder = Path(matplotlib.__file__).parent / "mpl-data" / "sample_data"
    return cv2.imread(str(folder / "grace_hopper.jpg"))


def test_the_photo_of_the_demo_shows_a_person(packaged_detector, portrait):
    found = packaged_detector.detect(portrait)
    assert found.class_names() == ["person"]
    left_top, right_bottom = found.boxes[0, :2], found.boxes[0, 2:]
    assert (left_top < (100, 60)).all()
    assert (right_bottom > (400, 550)).all()
