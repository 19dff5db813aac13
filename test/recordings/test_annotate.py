"""`i2t annotate` as a user runs it: results, faults in the input, and going on after an end."""

import json
import subprocess

import cv2
import pytest
from annotating import BLACK, GRAY, annotate, command, make_pictures, tree
from bag_material import raw, write_bag
from film_material import Film
from waiting import until

OUTPUTS = ("--outputs", "jsonl")


@pytest.fixture
def pictures(tmp_path):
    return make_pictures(tmp_path / "pictures", 200)


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_picture_is_described_once_and_in_order(pictures, tmp_path):
    done = annotate(pictures, "--out", tmp_path / "out", *OUTPUTS)
    images = rows(tmp_path / "out/images.jsonl")
    assert [row["source"] for row in images] == [str(path) for path in sorted(pictures.iterdir())]
    assert images[0]["sentence"] == "I can see a person."
    assert [row["counts"] for row in images[:3]] == [{"person": 1}, {"person": 1}, {}]
    found = rows(tmp_path / "out/detections.jsonl")
    assert len(found) == 134
    assert found[0]["class_id"] == "person"
    assert found[0]["source"] == images[0]["source"]
    assert "200 images" in done.stdout
    assert not (tmp_path / "out/.i2t").exists()


def test_the_number_of_workers_changes_nothing(pictures, tmp_path):
    for number in (1, 3):
        annotate(pictures, "--out", tmp_path / f"out{number}", "--workers", number, *OUTPUTS)
    assert tree(tmp_path / "out1") == tree(tmp_path / "out3")


def test_what_is_done_is_not_done_again(pictures, tmp_path):
    out = tmp_path / "out"
    annotate(pictures, "--out", out, *OUTPUTS)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert "nothing has changed" in annotate(pictures, "--out", out, *OUTPUTS).stdout
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before


def test_results_of_another_command_are_not_replaced_unasked(pictures, tmp_path):
    out = tmp_path / "out"
    annotate(pictures, "--out", out, *OUTPUTS)
    before = tree(out)
    refused = annotate(pictures, "--out", out, *OUTPUTS, "--language", "es", code=2)
    assert "--overwrite" in refused.stderr
    assert tree(out) == before
    annotate(pictures, "--out", out, *OUTPUTS, "--language", "es", "--overwrite")
    assert "persona" in (out / "images.jsonl").read_text()


def test_files_that_are_no_longer_wanted_go_and_those_of_others_stay(pictures, tmp_path):
    out = tmp_path / "out"
    annotate(pictures, "--out", out, *OUTPUTS)
    made = json.loads((out / "annotate.json").read_text())
    made["files"] += ["sentences.old.srt", "../pictures/0000.png", "/etc/hostname"]
    (out / "annotate.json").write_text(json.dumps(made))
    (out / "sentences.old.srt").write_text("of an older version")
    (out / "own.txt").write_text("the user's")
    annotate(pictures, "--out", out, *OUTPUTS, "--language", "es", "--overwrite")
    assert not (out / "sentences.old.srt").exists()
    assert (out / "own.txt").exists()
    assert (pictures / "0000.png").exists()


def test_results_of_which_a_file_is_missing_are_made_again(pictures, tmp_path):
    # As after an end in the middle of --overwrite, which removes the older files first.
    out = tmp_path / "out"
    annotate(pictures, "--out", out, *OUTPUTS)
    before = tree(out)
    (out / "images.jsonl").unlink()
    assert "200 images described" in annotate(pictures, "--out", out, *OUTPUTS).stdout
    assert tree(out) == before


def test_nothing_is_left_in_the_folder_of_temporary_files(tmp_path, monkeypatch):
    packed = write_bag(
        tmp_path / "drive", [raw(i, "/front", GRAY) for i in range(3)], compression="file"
    )
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    done = annotate(packed, "--out", tmp_path / "out", "--outputs", "jsonl,recording")
    assert "3 images described" in done.stdout
    assert not [*folder.iterdir()]


def test_a_recording_that_has_changed_is_another_one(pictures, tmp_path):
    annotate(pictures, "--out", tmp_path / "out", *OUTPUTS)
    (pictures / "0000.png").unlink()
    assert "--overwrite" in annotate(pictures, "--out", tmp_path / "out", *OUTPUTS, code=2).stderr


def test_a_damaged_picture_costs_itself_and_is_listed(pictures, tmp_path):
    (pictures / "0007.png").write_bytes((pictures / "0006.png").read_bytes()[:60])
    (pictures / "0009.jpg").write_text("hello")
    done = annotate(pictures, "--out", tmp_path / "out", *OUTPUTS, code=1)
    assert "2 could not be read" in done.stderr
    assert "0007.png" in done.stderr
    assert "0009.jpg" in done.stderr
    assert len(rows(tmp_path / "out/images.jsonl")) == 199


def test_two_at_once_do_not_share_a_folder(pictures, tmp_path):
    out = tmp_path / "out"
    with subprocess.Popen(command(pictures, "--out", out, *OUTPUTS), stderr=-1) as first:
        until((out / ".i2t/plan.json").exists, "the plan is written")
        refused = annotate(pictures, "--out", out, *OUTPUTS, code=2)
        assert first.wait(60) == 0
    assert "another i2t annotate" in refused.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nothing.mcap"], "no such file"),
        (["notes.txt"], "expected a bag"),
        (["empty"], "no bags, videos or pictures"),
        (["*.txt"], "nothing that fits is a bag"),
        (["a.png", "--to", "1s", "--from", "2s"], "--to"),
        (["a.png", "--outputs", "jsonl,table"], "got table"),
        (["a.png", "--depth", "/image"], "--depth"),
        (["a.png", "--workers", "-1"], "--workers"),
        (["a.png", "--tasks", "smell"], "smell"),
        (["a.png", "--language", "tlh"], "tlh"),
        (["a.png", "--topics", "/front"], "--topics: only bags have topics"),
        (["a.png", "--depth", "/front=/depth"], "--depth: only bags have topics"),
        (["film.mp4", "--from", "2:00"], "no image is selected"),
    ],
)
def test_wrong_arguments_say_what_is_wrong_before_anything_is_done(
    tmp_path, monkeypatch, args, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()
    make_pictures(tmp_path / "some", 1).joinpath("0000.png").rename(tmp_path / "a.png")
    Film().write(tmp_path / "film.mp4")
    refused = annotate(*args, "--out", "out", code=2)
    assert words in refused.stderr
    assert not any(tmp_path.glob("out/*"))


def test_a_picture_that_ends_the_process_costs_itself(pictures, tmp_path, monkeypatch):
    # What a fault in native code does to a process, without the fault.
    hook = tmp_path / "site/sitecustomize.py"
    hook.parent.mkdir()
    hook.write_text(
        "import os, multiprocessing\n"
        "if multiprocessing.parent_process() or '--multiprocessing-fork' in os.sys.argv:\n"
        "    import cv2\n"
        "    decode = cv2.imdecode\n"
        "    def imdecode(data, *how):\n"
        "        image = decode(data, *how)\n"
        "        if image is not None and image[0, 0, 2] == 200:\n"
        "            os.kill(os.getpid(), 11)\n"
        "        return image\n"
        "    cv2.imdecode = imdecode\n"
    )
    poison = BLACK.copy()
    poison[..., 2] = 200
    cv2.imwrite(str(pictures / "0100.png"), poison)
    monkeypatch.setenv("PYTHONPATH", str(hook.parent))
    done = annotate(pictures, "--out", tmp_path / "out", *OUTPUTS, code=1)
    assert "1 could not be read" in done.stderr
    assert "image 37 of the part from picture 65 on" in done.stderr
    assert "died" in done.stderr
    assert len(rows(tmp_path / "out/images.jsonl")) == 199


def test_results_do_not_go_among_the_recordings(pictures, tmp_path):
    before = tree(pictures)
    assert "another folder" in annotate(pictures, "--out", pictures, *OUTPUTS, code=2).stderr
    assert tree(pictures) == before
    file = pictures / "0000.png"
    assert "got a file" in annotate(pictures, "--out", file, *OUTPUTS, code=2).stderr


def test_going_on_is_told(pictures, tmp_path):
    out = tmp_path / "out"
    with subprocess.Popen(command(pictures, "--out", out, *OUTPUTS), stderr=-1) as run:
        until(lambda: any((out / ".i2t/units").glob("*/*.jsonl")), "something is known")
        run.kill()
    assert "going on; " in annotate(pictures, "--out", out, *OUTPUTS).stderr
