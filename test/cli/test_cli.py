"""`i2t` as a user types it."""

import hashlib
import io
import json
import os
import signal
import subprocess

import cv2
import numpy as np
import pytest
from making import scene_of
from project import I2T, first_on_path
from translation_server import serving

from i2t_ros.cli.main import main
from i2t_ros.cli.tables import print_tables
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.types import Description

GREY = np.full((48, 64, 3), 128, np.uint8)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), GREY)
    return path


def describe(*args):
    return main(["describe", "--model", "fake", *map(str, args)])


def test_describe_prints_the_sentence_and_a_table(photo, capsys):
    assert describe(photo) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "I can see a person."
    assert out[2:5] == ["objects:", "label   count  max score", "person  1      0.9"]
    assert out[6:9] == ["detections:", "label   score  box", "person  0.9    16,12,48,36"]
    assert "fake on fake" in out[-1]


def test_describe_in_another_language(photo, capsys):
    assert describe(photo, "--language", "es", "--style", "list") == 0
    out = capsys.readouterr().out
    assert out.startswith("Se detectó el siguiente objeto: 1 persona.")
    assert "\npersona  0.9" in out


def test_describe_in_a_language_of_the_users_own(photo, tmp_path, capsys):
    (tmp_path / "es-MX.yaml").write_text("extends: es\nlabels: {person: {one: cuate, gender: m}}\n")
    assert describe(photo, "--language", "es-MX", "--language-folder", tmp_path) == 0
    assert capsys.readouterr().out.startswith("Veo un cuate.")


def test_what_is_in_doubt_is_said_to_be(shared, capsys):
    weights, picture = shared / "models" / "yolox_nano.onnx", shared / "images" / "cat_720p.jpg"
    asked = ["describe", str(picture), "--model", str(weights), "--min-score", "0.2"]
    assert main(asked) == 0
    assert capsys.readouterr().out.startswith("I can see a bed, a sink, and a cat.\n")
    assert main([*asked, "--hedge"]) == 0
    hedged = "I can see a cat, and probably also a bed and a sink.\n"
    assert capsys.readouterr().out.startswith(hedged)


def test_describe_as_json(photo, capsys):
    assert describe(photo, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["sentence"] == "I can see a person."
    assert result["objects"] == [
        {"class_id": "person", "label": "person", "count": 1, "max_score": 0.9}
    ]
    person = {"class_id": "person", "label": "person", "score": 0.9, "box": [16, 12, 48, 36]}
    assert result["detections"] == [person]
    assert (result["width"], result["height"]) == (64, 48)
    assert result["faces"] is result["texts"] is result["classification"] is None
    assert result["hash"] == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert result["cached"] is False
    assert result["failures"] == {}


@pytest.fixture
def sign(at_hand, people_and_sign, tmp_path):
    path = tmp_path / "sign.png"
    cv2.imwrite(str(path), people_and_sign)
    return path


def test_every_task_has_its_table(sign, capsys):
    pytest.importorskip("rapidocr")
    pytest.importorskip("ai_edge_litert")
    asked = ["--tasks", "detect,classify,faces,text", "--top-k", "3", "--classify-min-score", "0"]
    assert main(["describe", str(sign), *asked]) == 0
    out = capsys.readouterr().out
    assert "There are four faces in the picture. The text reads “Platform 24.”" in out
    tables = {rows[0]: rows[1:] for table in out.split("\n\n")[1:-1] if (rows := table.split("\n"))}
    assert [*tables] == ["objects:", "detections:", "faces:", "texts:", "classification:"]
    assert [len(table) - 1 for table in tables.values()] == [1, 4, 4, 1, 3]
    assert "right eye" in tables["faces:"][0]
    heads, text = tables["texts:"]
    assert heads.split() == ["text", "score", "corners", "text", "color", "background", "color"]
    assert text.startswith("Platform 24  ")
    letters, board = text.split()[-2:]
    # White letters on a blue board.
    assert all(int(letters[i : i + 2], 16) > 240 for i in (1, 3, 5))
    assert int(board[5:], 16) > int(board[1:3], 16)


def test_every_task_is_in_the_json(sign, capsys):
    pytest.importorskip("rapidocr")
    assert main(["describe", str(sign), "--tasks", "faces,text", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["detections"] is result["objects"] is None
    assert len(result["faces"]) == 4
    assert set(result["faces"][0]["landmarks"]) == {
        "right_eye",
        "left_eye",
        "nose",
        "right_mouth_corner",
        "left_mouth_corner",
    }
    (text,) = result["texts"]
    assert (text["text"], text["translation"]) == ("Platform 24", "")
    assert len(text["corners"]) == 4
    assert text["background_color"].startswith("#")


def test_a_task_that_fails_is_told_beside_what_the_others_found(sign, capsys):
    args = ["--tasks", "faces,classify", "--classify-model", "resnet50_v2"]
    assert main(["describe", str(sign), *args, "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert len(result["faces"]) == 4
    assert result["failures"]["classify"]["code"] == "model_missing"
    assert captured.err.startswith("i2t describe: classify: resnet50_v2 is not on this machine")
    assert captured.err.endswith("[model_missing]\n")


def test_a_detector_that_cannot_be_had_is_told_beside_what_the_others_found(sign, capsys):
    args = ["--tasks", "detect,faces", "--model", "yolov3"]
    assert main(["describe", str(sign), *args, "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert len(result["faces"]) == 4
    assert result["detections"] is None
    assert result["failures"]["detect"]["code"] == "model_missing"
    assert captured.err.startswith("i2t describe: detect: yolov3 is not on this machine")
    others = ["--tasks", "detect,classify", "--model", "yolov3", "--classify-model", "resnet50_v2"]
    assert main(["describe", str(sign), *others]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("i2t describe: yolov3 is not on this machine")


def test_a_task_that_fails_alone_is_an_error(sign, capsys):
    args = ["--tasks", "classify", "--classify-model", "resnet50_v2"]
    assert main(["describe", str(sign), *args]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("[model_missing]\n")


def test_faces_and_texts_have_thresholds_of_their_own(sign, capsys):
    pytest.importorskip("rapidocr")
    args = ["--tasks", "faces, text", "--face-min-score", "0.999", "--text-min-score", "1"]
    assert main(["describe", str(sign), *args, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["faces"], result["texts"]) == ([], [])
    assert main(["describe", str(sign), "--text-min-score", "2"]) == 1
    assert "text_min_score: expected 0 to 1" in capsys.readouterr().err


def test_columns_stand_below_one_another_whatever_the_script(capsys):
    regions = tuple(
        TextRegion(np.zeros((4, 2)), text, 0.9, (0, 0, 0), (255, 255, 255))
        for text in ("Exit", "紧急出口", "비상구")
    )
    print_tables(Description(scene_of(9, 9, texts=regions), "", "en", "list", "reader", 0.0))
    lines = capsys.readouterr().out.split("\n")[3:6]
    ends = [sum(2 if ord(c) > 0x1100 else 1 for c in line.split("0.9")[0]) for line in lines]
    assert len(set(ends)) == 1


def test_texts_are_translated_and_a_failing_translator_is_told(sign, capsys):
    pytest.importorskip("rapidocr")
    args = ["describe", str(sign), "--tasks", "text", "--translator", "libretranslate"]

    def answer(asked):
        translated = [text.replace("Platform", "Andén") for text in asked.body["q"]]
        return 200, "application/json", json.dumps({"translatedText": translated})

    with serving(answer) as (url, asked):
        assert main([*args, "--translator-url", url, "--language", "es"]) == 0
    out = capsys.readouterr().out
    assert "\nPlatform 24  Andén 24  " in out
    assert "«Andén 24»" in out
    assert asked[0].body["target"] == "es"
    assert main([*args, "--translator-url", url]) == 0  # the server is gone
    captured = capsys.readouterr()
    assert "“Platform 24.”" in captured.out
    assert captured.err.startswith(f"i2t describe: text: {url}/translate: no answer")
    assert captured.err.endswith("[translation_failed]\n")


@pytest.mark.parametrize("name", ["seen.jpg", "seen.PNG", "seen.bmp", "seen.webp"])
def test_describe_saves_the_annotated_picture(photo, tmp_path, capsys, name):
    saved = tmp_path / name
    assert describe(photo, "--save", saved) == 0
    assert f"saved {saved}" in capsys.readouterr().out
    image = cv2.imread(str(saved))
    assert image.shape == GREY.shape
    assert np.abs(image.astype(int) - GREY).max() > 50


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_image"),
        (b"hello", "not_an_image"),
        (cv2.imencode(".jpg", GREY)[1].tobytes()[:300], "truncated_image"),
        (b"GIF89a" + bytes(20), "unsupported_format"),
    ],
)
def test_a_bad_picture_is_an_error_that_can_be_read(tmp_path, capsys, content, code):
    path = tmp_path / "bad.jpg"
    path.write_bytes(content)
    assert describe(path) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("i2t describe: ")
    assert captured.err.endswith(f"[{code}]\n")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--language", "tlh"], "[unknown_language]"),
        (["--min-score", "7"], "[invalid_request]"),
        (["--save", "seen.gif"], "[unsupported_format]"),
        (
            ["--save", "/nowhere/seen.jpg"],
            "cannot write /nowhere/seen.jpg: No such file or directory [bad_image]",
        ),
        (["--model", "nope"], "[unknown_model]"),
        (["--model", "/nowhere/model.onnx"], "/nowhere/model.onnx"),
        (["--backend", "abacus"], "abacus"),
        (["--tasks", "detect,smell"], "unknown task 'smell'"),
        (["--tasks", ""], "no task; tasks are detect"),
        (["--top-k", "0"], "top_k: expected 1 to 10000, got 0"),
        (["--allow-classes", "persons"], "fake has no class 'persons'; did you mean 'person'?"),
        (["--deny-classes", "persn"], "fake has no class 'persn'; did you mean 'person'?"),
        (["--class-min-scores", "[person=0.6]"], "class_min_scores: expected CLASS=SCORE"),
        (["--language-folder", "/nowhere"], "language folder /nowhere: expected a folder"),
    ],
)
def test_a_bad_argument_is_an_error_that_can_be_read(photo, capsys, args, message):
    assert describe(photo, *args) == 1
    assert message in capsys.readouterr().err


def test_a_missing_file_is_named(capsys):
    assert describe("/nowhere/photo.jpg") == 1
    assert (
        "cannot read /nowhere/photo.jpg: No such file or directory [bad_image]"
        in capsys.readouterr().err
    )


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for command in ("describe", "say", "models", "client", "run"):
        assert command in out


def test_the_installed_program_reads_standard_input(photo):
    done = subprocess.run(
        [I2T, "describe", "-", "--model", "fake"],
        input=photo.read_bytes(),
        capture_output=True,
        timeout=60,
    )
    assert done.stdout.startswith(b"I can see a person.\n"), done.stderr


def test_without_network_the_built_in_detectors_serve(photo, tmp_path):
    # Nothing at hand, and every connection refused: what a first start without network meets.
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path),
        "I2T_MODEL_PATH": "",
        "https_proxy": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        [I2T, "describe", photo], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "opencv_people_faces on opencv" in done.stdout
    assert "DEGRADED" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "needs", "number", "code"),
    [
        (["describe", "photo.png"], "cv2", signal.SIGINT, 130),
        (["--verbose", "models", "list"], "cv2", signal.SIGINT, 130),
        (["run"], "yaml", signal.SIGINT, 0),
        (["run", "--http"], "yaml", signal.SIGTERM, 0),
        (["--verbose", "run"], "yaml", signal.SIGHUP, 0),
    ],
)
def test_a_signal_during_the_imports_ends_a_command_quietly(
    tmp_path, arguments, needs, number, code
):
    # It stands in the place of a module that takes long to import.
    slow = "import signal, sys; sys.stdout.write('importing'); sys.stdout.flush(); signal.pause()"
    (tmp_path / f"{needs}.py").write_text(slow)
    environment = {**os.environ, "PYTHONPATH": first_on_path(tmp_path)}
    command = [I2T, *arguments]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **output) as started:
        assert started.stdout.read(9) == b"importing"
        started.send_signal(number)
        assert started.wait(20) == code
        assert started.stdout.read() == b""


def test_an_ascii_terminal_gets_escapes(monkeypatch, capsys):
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", ascii_only)
    assert main(["say", "--language", "ko", "dog=1"]) == 0
    ascii_only.flush()
    assert ascii_only.buffer.getvalue().startswith(b"\\uac1c")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_streams_that_are_closed(photo, tmp_path, closed):
    saved = tmp_path / "saved.png"
    script = f'"$@" --model fake --save {saved} {closed}'
    command = ["sh", "-c", script, "sh", I2T, "describe", photo]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert cv2.imread(str(saved)).shape == GREY.shape


@pytest.mark.parametrize(
    ("redirected", "reason"),
    [
        ("<&-", "standard input is closed"),
        ("0>none", "Bad file descriptor"),
        ("</dev/null", "0 bytes"),
    ],
)
def test_standard_input_without_a_picture(tmp_path, redirected, reason):
    command = ["sh", "-c", f"{I2T} describe - --model fake {redirected}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("i2t describe: ")
    assert reason in line
