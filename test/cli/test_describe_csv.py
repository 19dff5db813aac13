"""`i2t describe --csv`: a row for each object."""

import csv
import io
from dataclasses import replace

import cv2
import numpy as np
import pytest

from i2t_ros.cli.main import main
from i2t_ros.pipeline.describer import Describer
from i2t_ros.types import Detections

GRAY = np.full((48, 64, 3), 128, np.uint8)
HEADS = (
    "source,seconds,class_id,label,score,left,top,right,bottom,track_id,distance,x,y,z,color\r\n"
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return a working folder with two pictures, a file that is none, and a video of 2.5 s."""
    for name in ("a.png", "b,1.png"):
        cv2.imwrite(str(tmp_path / name), GRAY)
    (tmp_path / "bad.jpg").write_text("hello")
    film = cv2.VideoWriter(
        str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48)
    )
    for _ in range(25):
        film.write(GRAY)
    film.release()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def describe(*args):
    return main(["describe", "--model", "fake", "--csv", *map(str, args)])


def rows_of(capsys):
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))


@pytest.fixture
def found(monkeypatch):
    """Return a function that sets which objects are found in every picture."""

    def put(detections):
        whole = Describer.describe

        def changed(self, *args, **how):
            seen = whole(self, *args, **how)
            return replace(seen, scene=seen.scene.with_detections(detections))

        monkeypatch.setattr(Describer, "describe", changed)

    return put


def test_a_picture_is_a_table_as_the_standard_has_it(capsys):
    assert describe("a.png") == 0
    row = "a.png,,person,person,0.9,16.0,12.0,48.0,36.0,,,,,,\r\n"
    assert capsys.readouterr().out == HEADS + row


def test_several_pictures_and_videos_are_one_table(capsys):
    assert describe("b,1.png", "film.avi", "--language", "es") == 0
    rows = rows_of(capsys)
    assert [row["source"] for row in rows] == ["b,1.png", *["film.avi"] * 3]
    assert [float(row["seconds"] or -1) for row in rows] == pytest.approx([-1, 0, 1, 2], abs=0.1)
    assert {(row["class_id"], row["label"]) for row in rows} == {("person", "persona")}


def test_every_column_that_is_known_is_there(found, capsys):
    places = [[3.0, 0.0, 4.0], [0.0, 0.0, 0.0]]
    found(
        Detections(
            *([[1, 2, 3, 4]] * 2, [0.5, 0.4], [0, 1], ("dog", "cat"), [7, -1], places),
            colors=("brown", ""),
        )
    )
    assert describe("a.png") == 0
    dog, cat = rows_of(capsys)
    known = ("track_id", "distance", "x", "y", "z", "color")
    assert [dog[name] for name in known] == ["7", "5.0", "3.0", "0.0", "4.0", "brown"]
    assert [cat[name] for name in known] == [""] * 6


def test_pictures_without_objects_have_no_row(found, capsys):
    found(Detections.empty(("dog",)))
    assert describe("a.png", "b,1.png") == 0
    assert capsys.readouterr().out == HEADS


def test_what_cannot_be_described_is_told_beside_the_table(capsys):
    assert describe("bad.jpg", "a.png") == 1
    out, err = capsys.readouterr()
    assert out.startswith(HEADS)
    assert out.count("\r\n") == 2
    assert "bad.jpg: not a picture" in err
    assert describe("bad.jpg") == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("label", "cell"),
    [
        ("=1+2", "'=1+2"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-", "-"),
        ("x=1", "x=1"),
        ('6" nail, long', '6" nail, long'),
        ("two\nlines\x1b[31m", "two\N{REPLACEMENT CHARACTER}lines\N{REPLACEMENT CHARACTER}[31m"),
    ],
)
def test_words_of_a_model_are_neither_formulas_nor_commands(label, cell, found, capsys):
    found(Detections([[1, 2, 3, 4]], [0.5], [0], (label,)))
    assert describe("a.png") == 0
    (row,) = rows_of(capsys)
    assert row["class_id"] == cell


def test_numbers_below_zero_stay_numbers(found, capsys):
    found(Detections([[-1, 2, 3, 4]], [0.5], [0], ("dog",), positions=[[-3, 0, 4]]))
    assert describe("a.png") == 0
    (row,) = rows_of(capsys)
    assert (row["left"], row["x"]) == ("-1.0", "-3.0")


def test_a_task_has_to_find_objects(capsys):
    assert describe("a.png", "--tasks", "faces,classify") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "--csv: expected a task that finds objects (detect" in err
    assert "got faces, classify [invalid_request]" in err


def test_there_is_one_form(capsys):
    with pytest.raises(SystemExit) as ended:
        describe("a.png", "--json")
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_the_drawing_is_saved_without_a_word_in_the_table(folder, capsys):
    assert describe("a.png", "--save", "seen.png") == 0
    assert capsys.readouterr().out.startswith(HEADS)
    assert (folder / "seen.png").is_file()
