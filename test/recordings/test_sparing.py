"""What is in the folder of the results, or is to be looked at, is never lost to them."""

import json

from annotating import annotate, make_pictures, tree


def test_files_of_somebody_else_are_not_replaced_unasked(tmp_path):
    pictures = make_pictures(tmp_path / "pictures", 1)
    out = tmp_path / "out"
    out.mkdir()
    (out / "coco.json").write_text("the truth")
    assert "coco.json" in annotate(pictures, "--out", out, code=1).stderr
    assert (out / "coco.json").read_text() == "the truth"
    annotate(pictures, "--out", out, "--overwrite")
    assert json.loads((out / "coco.json").read_text())["images"]


def test_a_recording_is_not_replaced_by_its_own_drawn_form(tmp_path):
    pictures = make_pictures(tmp_path / "annotated", 1)
    before = tree(pictures)
    failed = annotate(pictures, "--out", tmp_path, "--overwrite", code=1)
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
