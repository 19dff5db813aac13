"""What is in the folder of the results, or is to be looked at, is never lost to them."""

import json
import os
import shutil

import numpy as np
import pytest

pytest.importorskip("zstandard")
import zstandard
from annotating import annotate, make_pictures, tree
from bag_material import raw, write_bag


def test_files_of_somebody_else_are_not_replaced_unasked(tmp_path):
    pictures = make_pictures(tmp_path / "pictures", 1)
    out = tmp_path / "out"
    out.mkdir()
    (out / "coco.json").write_text("the truth")
    assert "coco.json" in annotate(pictures, "--out", out, code=2).stderr
    assert (out / "coco.json").read_text() == "the truth"
    annotate(pictures, "--out", out, "--overwrite")
    assert json.loads((out / "coco.json").read_text())["images"]


def test_a_recording_is_not_replaced_by_its_own_drawn_form(tmp_path):
    pictures = make_pictures(tmp_path / "annotated", 1)
    before = tree(pictures)
    failed = annotate(pictures, "--out", tmp_path, "--overwrite", code=2)
    assert "would be replaced" in failed.stderr
    assert tree(pictures) == before


def test_nothing_but_results_is_removed_whatever_the_list_of_them_says(tmp_path):
    pictures = make_pictures(tmp_path / "pictures", 1)
    out = tmp_path / "beside" / "out"
    annotate(pictures, "--out", out, "--outputs", "jsonl")
    mine = [tmp_path / "beside" / "mine.txt", out / "mine.txt", out / "annotated.txt"]
    for file in mine:
        file.write_text("mine")
    made = json.loads((out / "annotate.json").read_text())
    made["files"] = ["..", ".", "", "../mine.txt", "mine.txt", "/", "x/../../mine.txt"]
    (out / "annotate.json").write_text(json.dumps(made))
    annotate(pictures, "--out", out, "--outputs", "report", "--overwrite")
    assert [file.read_text() for file in mine] == ["mine"] * 3


def test_bags_of_the_same_name_do_not_share_a_folder(tmp_path):
    image = np.full((24, 32, 3), 90, np.uint8)
    named = [
        write_bag(tmp_path / str(n) / "drive", [raw(0, topic, image) for topic in topics])
        for n, topics in enumerate((("/a", "/b"), ("/c", "/d"), ("/e",)))
        if not (tmp_path / str(n)).mkdir()
    ]
    annotate(*named, "--out", tmp_path / "out", "--outputs", "recording")
    folders = sorted(path.name for path in (tmp_path / "out").glob("annotated*"))
    assert folders == ["annotated.drive", "annotated.drive-2", "annotated.drive-3"]


def test_unpacked_bags_do_not_stay(tmp_path, monkeypatch):
    image = np.full((24, 32, 3), 90, np.uint8)
    bag = write_bag(tmp_path / "bag", [raw(0, "/front", image)], storage="sqlite3")
    packed = tmp_path / "drive.db3.zstd"
    packed.write_bytes(zstandard.compress(next(bag.glob("*.db3")).read_bytes()))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    annotate(packed, "--out", tmp_path / "out")
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "out" / ".i2t").exists()


def test_names_that_are_no_utf_8_cost_nothing(tmp_path):
    pictures = make_pictures(tmp_path / "pictures", 2)
    odd = os.path.join(os.fsencode(pictures), b"0000b\xff.png")
    shutil.copy(pictures / "0000.png", odd)
    annotate(pictures, "--out", tmp_path / "out")
    lines = (tmp_path / "out" / "images.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert rows[2]["source"].endswith("0001.png")
    assert rows[1]["source"].endswith("0000b\\xff.png")
    drawn = os.listdir(os.fsencode(tmp_path / "out" / "annotated"))
    assert sorted(drawn) == [b"0000.png", b"0000b\xff.png", b"0001.png"]
    failed = annotate(os.fsdecode(odd), "--out", tmp_path / "other", code=2)
    assert "expected a name in UTF-8" in failed.stderr
    assert "Traceback" not in failed.stderr
