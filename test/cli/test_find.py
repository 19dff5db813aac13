"""`i2t find`."""

import json
import shlex

import pytest
from told_material import stream_of, told_all, told_of, write

from i2t_ros.cli.main import main
from i2t_ros.recordings.writing.jsonl import JsonLinesWriter


@pytest.fixture
def folder(tmp_path):
    """Return a folder with results: of a bag, a video and a picture."""
    bag = stream_of("drive.front", "bag", source="my drive", topic="/front")
    film = stream_of("film", recording=1)
    photos = stream_of("photos", "pictures", recording=2)
    images = [
        *told_all(bag, [(0, {}), (83.4, {"person": 2, "dog": 1}), (90, {"dog": 1}), (95, {})]),
        *told_all(film, [(0, {"cat": 2}), (5, {})]),
        told_of(photos, 0, None, {"dog": 2}, source="photos/a b.jpg"),
    ]
    write(JsonLinesWriter, tmp_path, images)
    return tmp_path


def run(*args):
    return main(["find", *map(str, args)])


def test_a_moment_is_a_line(folder, capsys):
    (folder / "report.html").touch()
    assert run(folder, "two people and a dog") == 0
    assert capsys.readouterr().out == (
        "1:23.400–1:30.000  my drive  /front  I can see two people and a dog.  "
        f"{(folder / 'report.html').as_uri()}#stream=drive.front&t=83.4  "
        "ros2 bag play 'my drive' --start-offset 83.4\n"
    )


def test_without_a_report_no_link_leads_to_it(folder, capsys):
    assert run(folder, "two cats") == 0
    assert capsys.readouterr().out == (
        "0:00.000–0:05.000  film.mp4  I can see two cats.  mpv --start=0 film.mp4\n"
    )


def test_a_picture_is_its_file(folder, capsys):
    assert run(folder, "two dogs") == 0
    assert capsys.readouterr().out == "photos/a b.jpg  I can see two dogs.\n"


def test_json_has_a_moment_a_line(folder, capsys):
    (folder / "report.html").touch()
    assert run(folder, "--class", "dog", "--json") == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "from": 83.4,
        "to": 95.0,
        "source": "my drive",
        "topic": "/front",
        "stream": "drive.front",
        "counts": {"dog": 1, "person": 2},
        "sentence": "I can see two people and a dog.",
        "report": f"{(folder / 'report.html').as_uri()}#stream=drive.front&t=83.4",
        "open": "ros2 bag play 'my drive' --start-offset 83.4",
    }
    assert (second["from"], second["to"], second["open"]) == (None, None, "photos/a b.jpg")
    assert second["report"].endswith("#stream=photos&picture=photos%2Fa%20b.jpg")


@pytest.mark.parametrize(
    ("args", "number"),
    [
        (["dog"], 2),
        (["dog", "--exactly"], 1),
        (["dog", "--limit", 1], 1),
        (["dog", "--for", "10s"], 1),
        (["dog", "--for", "12s"], 0),
        (["dog", "--source", "my drive"], 1),
        (["dog", "--source", "./my drive/", "--source", "film.mp4"], 1),
        (["dog", "--source", "photos/"], 1),
        (["dog", "--source", "photos/a b.jpg"], 1),
        (["dog", "--source", "."], 2),
        (["dog", "--topic", "/front"], 1),
        (["dog", "--source", "photos", "--topic", "/front"], 0),
        (["--class", "person", "--for", "1s", "two dogs"], 0),
        (["--for", "1s", "--class", "person", "a dog"], 1),
        (["--class", "dog", "--min", 2], 1),
        (["--class", "dog", "--max", 1, "--class", "person", "--min", 1], 1),
        (["--class", "dog", "--class", "person", "--max", 0], 2),
        (["dog", "--class", "person"], 1),
        (["dos perros", "--language", "es"], 1),
        (["--class", "zebra"], 0),
    ],
    ids=str,
)
def test_what_is_asked_for_is_found(args, number, folder, capsys):
    assert run(folder, *args) == (0 if number else 1)
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == number
    assert ("nothing found" in told.err) == (not number)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ([], "expected what to find"),
        (["--exactly", "--class", "dog"], "--exactly: expected words"),
        (["two unicorns"], "not understood: unicorns"),
        (["--class", "dgo"], "did you mean dog"),
        (["dog", "--language", "xx"], "language 'xx'"),
        (
            ["dog", "--source", "my drive", "--source", "photo"],
            "--source 'photo': no such source. "
            "Sources in these recordings: 'my drive', 'film.mp4', 'photos'",
        ),
        (["dog", "--source", ""], "--source '': no such source"),
        (["dog", "--source", "/my drive"], "--source '/my drive': no such source"),
        (
            ["dog", "--topic", "/rear"],
            "--topic '/rear': no such topic. Topics in these recordings: '/front'",
        ),
    ],
    ids=str,
)
def test_an_error_is_told_with_another_code_than_nothing(args, error, folder, capsys):
    assert run(folder, *args) == 2
    told = capsys.readouterr()
    assert error in told.err
    assert told.out == ""


def test_a_folder_without_results_says_how_to_make_them(tmp_path, capsys):
    assert run(tmp_path, "dog") == 2
    assert "i2t annotate RECORDING --out" in capsys.readouterr().err
    assert run(tmp_path / "nowhere", "dog") == 2
    assert "no such folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--min", 2], "--min: expected a --class before it"),
        (["--class", "dog", "--min", 3, "--max", 2], "--min 3 is more than --max 2"),
        (["--class", "dog", "--min", "-1"], "expected a number of 0 or more"),
        (["dog", "--limit", 0], "expected a number of 1 or more"),
        (["dog", "--for", "long"], "expected a time such as"),
        (["two", "dogs"], "put all WORDS together in quotes"),
        (["--exactly", "two", "dogs"], "put all WORDS together in quotes"),
        (["dog", "--colour", "red"], "unrecognized arguments: --colour red"),
    ],
    ids=str,
)
def test_wrong_usage_is_explained(args, error, folder, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(folder, *args)
    assert error in " ".join(capsys.readouterr().err.split())


def test_damaged_lines_are_told(folder, capsys):
    with (folder / "images.jsonl").open("a") as file:
        file.write('{"source":"cut o')
    assert run(folder, "dog") == 0
    assert "1 damaged lines" in capsys.readouterr().err


def test_names_from_a_file_neither_steer_the_terminal_nor_the_shell(folder, capsys):
    odd = "-x\x1b[2J; rm $HOME\n"
    stream = stream_of("a/b&c#d", source=odd)
    write(JsonLinesWriter, folder, [told_of(stream, 0, 1, {"dog": 1}, sentence="\x1b]0;x\x07")])
    assert run(folder, "dog") == 0
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "\x1b" not in line
    command = shlex.split(line[line.index("mpv") :])
    assert command == ["mpv", "--start=1", "./" + odd.replace("\x1b", "�").replace("\n", "�")]
