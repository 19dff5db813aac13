"""RapidOCR itself: what it reads, how well, and how it fails."""

import logging
import shutil
import time
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pytest
from making import open_task
from ocr_lines import LINES, accuracy, page, read_lines, worn

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import load_backend
from i2t_ros.cli.setup import OURS
from i2t_ros.errors import (
    BackendUnavailableError,
    InferenceError,
    ModelCorruptError,
    ModelMissingError,
)
from i2t_ros.models.manifest import find_spec
from i2t_ros.pipeline.tasks.text import TextOptions

rapidocr = pytest.importorskip("rapidocr", reason='no OCR: pip install "i2t_ros[ocr]"')
NETWORKS = Path(rapidocr.__file__).parent / "models"
OPTIONS = TextOptions()


@pytest.fixture(scope="module")
def reader():
    made = open_task("text")
    yield made
    made.close()


def read(reader, image):
    return reader.run(image, OPTIONS, "en").result


# How well: docs/tasks.md gives the figures of more fonts and sizes.


@pytest.mark.parametrize("condition", [lambda image: image, worn], ids=["clean", "worn"])
@pytest.mark.parametrize(
    ("language", "least"), [("en", 0.99), ("es", 0.99), ("zh", 0.97), ("ja", 0.97)]
)
def test_lines_of_a_language_are_read(reader, font_file, language, least, condition):
    lines, size = LINES[language], 24
    image = condition(page(lines, font_file("".join(lines)), size))
    characters, _ = accuracy(read_lines(read(reader, image), lines, size), lines)
    assert characters >= least


@pytest.mark.parametrize(("language", "script"), [("ko", "korean"), ("ru", "cyrillic")])
@pytest.mark.parametrize("condition", [lambda image: image, worn], ids=["clean", "worn"])
def test_scripts_that_are_not_read_are_named(reader, font_file, language, script, condition):
    lines, size = LINES[language], 24
    image = condition(page(lines, font_file("".join(lines)), size))
    found, failure = reader.run(image, OPTIONS, "en")
    characters, exact = accuracy(read_lines(found, lines, size), lines)
    assert characters < 0.2
    assert exact == 0
    assert {region.script for region in found if not region.text} == {script}
    assert sum(region.script == script for region in found) >= len(lines) / 2
    assert f"i2t models fetch ppocr_v5_{script}" in str(failure)


def test_punctuation_of_lines_beside_one_that_is_not_read_is_no_text(
    reader, font_file, monkeypatch
):
    monkeypatch.setattr("i2t_ros.backends.rapidocr.MOSTLY_BLANK", 1.0)  # none is so by itself
    lines = ["Железнодорожный вокзал", "Осторожно, двери"]
    image = page(lines, font_file("".join(lines)), 24)
    found = reader.run(image, TextOptions(min_score=0), "en").result
    assert [(region.text, region.script) for region in found] == [("", "cyrillic")] * 2


@pytest.mark.parametrize("photo", ["pets.jpg", "cat_720p.jpg", "face.jpg", "kite_and_cold.jpg"])
def test_nothing_is_read_where_nothing_is_written(reader, shared, photo):
    image = cv2.imread(str(shared / "images" / photo))
    assert reader.run(image, OPTIONS, "en") == ((), None)


# Where


@pytest.mark.parametrize("angle", [0, 20, 90, 180, 200, 270])
def test_corners_begin_at_the_first_letter_whichever_way_the_line_runs(reader, render_line, angle):
    image, corners = render_line("Platform 24 open", 40, (0, 0, 0), (255, 255, 255), angle=angle)
    (region,) = read(reader, image)
    assert region.text == "Platform 24 open"
    assert np.abs(region.corners - corners).max() < 16


@pytest.mark.parametrize(
    ("letters", "background"),
    [
        ((0, 0, 0), (255, 255, 255)),
        ((250, 250, 250), (20, 60, 160)),
        ((200, 20, 30), (250, 250, 240)),
    ],
)
def test_the_colors_are_those_of_the_sign(reader, render_line, letters, background):
    image, _ = render_line("Gate 7", 40, letters, background, noise=4)
    (region,) = read(reader, image)
    assert np.abs(np.subtract(region.text_color, letters)).max() < 12
    assert np.abs(np.subtract(region.background_color, background)).max() < 12


def test_corners_end_at_the_picture(reader):
    image = np.full((40, 900, 3), 255, np.uint8)
    cv2.putText(image, "Platform 24", (2, 34), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 2)
    (region,) = read(reader, image)
    assert region.text == "Platform 24"
    assert (region.corners >= 0).all()
    assert (region.corners <= [900, 40]).all()


def test_a_tall_strip_is_read_and_costs_little(reader):
    strip = np.full((100, 3000, 3), 255, np.uint8)
    cv2.putText(strip, "Platform 24", (20, 70), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 0, 0), 4)
    started = time.process_time()  # whatever else the machine does
    (region,) = read(reader, np.ascontiguousarray(np.rot90(strip)))
    assert region.text == "Platform 24"
    assert time.process_time() - started < 20  # of two cores; RapidOCR by itself: 12 s and 2.6 GB


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 2000), (2000, 9), (31, 33)])
def test_pictures_of_any_size_are_searched(reader, size):
    assert read(reader, np.full((*size, 3), 90, np.uint8)) == ()


# How fast


def test_a_photo_with_20_texts_takes_less_than_5_seconds(reader, shared):
    image = cv2.imread(str(shared / "images" / "cat_720p.jpg"))
    for i in range(20):
        at = (40 + i % 2 * 600, 60 + i // 2 * 66)
        cv2.putText(image, f"Line {i:02}: mind the gap", at, 0, 1, (255, 255, 255), 3, cv2.LINE_AA)
    started = time.process_time()  # whatever else the machine does
    found = read(reader, image)
    assert time.process_time() - started < 10  # of two cores, so 5 s
    assert len(found) >= 20
    assert sum("mind the gap" in region.text for region in found) >= 18


# Models


def own_model(folder, content=None):
    """Return the path of a reading network of a user's own, with its description."""
    path = folder / "own.onnx"
    if content is None:
        shutil.copy(NETWORKS / "PP-OCRv6_rec_small.onnx", path)
    else:
        path.write_bytes(content)
    path.with_suffix(".yaml").write_text(
        "task: text\nbackends: [rapidocr]\ninput: {kind: image}\ndecoder: lines\nlabels: []\n"
    )
    return str(path)


def test_a_reading_network_of_ones_own_is_used(tmp_path, render_line):
    made = open_task("text", own_model(tmp_path))
    assert "own.onnx" in made.report
    image, _ = render_line("Gate 7", 40, (0, 0, 0), (255, 255, 255))
    assert [region.text for region in read(made, image)] == ["Gate 7"]
    made.close()


def test_a_reading_network_that_is_none_is_refused(tmp_path):
    with pytest.raises(ModelCorruptError, match=r"cannot use one of .*own\.onnx"):
        open_task("text", own_model(tmp_path, b"not a network"))


def test_korean_has_a_model_that_can_be_had(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("I2T_MODEL_PATH", "")
    with pytest.raises(ModelMissingError, match="i2t models fetch ppocr_v5_korean"):
        open_task("text", "ppocr_v5_korean", offline=True)


def test_an_installation_that_lacks_a_network_is_told_and_downloads_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(rapidocr, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(BackendUnavailableError, match=r"lacks .*PP-OCRv6_det_small\.onnx"):
        load_backend("rapidocr", find_spec("ppocr_v6"), [], BackendOptions())


def test_a_failure_of_the_engine_has_its_code(monkeypatch, render_line):
    made = open_task("text")

    def broken(*_, **__):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(made._backend, "model", broken)
    with pytest.raises(InferenceError, match="RapidOCR failed: out of memory"):
        read(made, np.full((50, 50, 3), 255, np.uint8))


# How it fits in


def test_it_does_not_write_to_the_console_by_itself(reader, capfd):
    assert read(reader, np.full((64, 64, 3), 255, np.uint8)) == ()
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("RapidOCR").handlers == []


def test_it_brings_no_second_opencv():
    installed = {
        name
        for name in ("opencv-python", "opencv-contrib-python", "opencv-python-headless")
        for found in metadata.distributions(name=name)
        if found.read_text("INSTALLER") != OURS  # that stands for apt's
    }
    assert installed <= {"opencv-python-headless"}
    if installed:  # not apt's
        assert "GUI:                           NONE" in cv2.getBuildInformation()


def test_threads_of_the_engine_can_be_chosen(render_line):
    made = open_task("text", options=BackendOptions(threads=1))
    image, _ = render_line("Gate 7", 40, (0, 0, 0), (255, 255, 255))
    assert [region.text for region in read(made, image)] == ["Gate 7"]
    made.close()
