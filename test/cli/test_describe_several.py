"""`i2t describe` of several pictures, folders, patterns, URLs and videos."""

import fcntl
import http.server
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
from making import describer_of, open_detector
from project import I2T

from i2t_ros.cli.main import main
from i2t_ros.errors import InferenceError
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.describer import Describer

GREY = np.full((48, 64, 3), 128, np.uint8)
PNG = cv2.imencode(".png", GREY)[1].tobytes()
SENTENCE = "I can see a person."


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return a working folder with three pictures, a file that is none, and a video of 3.5 s."""
    (tmp_path / "photos" / "more").mkdir(parents=True)
    for name in ("photos/a10.png", "photos/a9.png", "photos/more/b.png"):
        (tmp_path / name).write_bytes(PNG)
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    (tmp_path / "bad.jpg").write_text("hello")
    film = cv2.VideoWriter(
        str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48)
    )
    for _ in range(35):
        film.write(GREY)
    film.release()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def describe(*args):
    return main(["describe", "--model", "fake", *map(str, args)])


def sources(out):
    return [json.loads(line)["source"] for line in out.splitlines()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["bad.jpg", "photos/a9.png"], ["bad.jpg", "photos/a9.png"]),
        (["photos"], ["photos/a9.png", "photos/a10.png"]),
        (["photos/*"], ["photos/a9.png", "photos/a10.png", "photos/notes.txt"]),
        (["photos/a*.png"], ["photos/a9.png", "photos/a10.png"]),
        (["**/*.png"], ["photos/a9.png", "photos/a10.png", "photos/more/b.png"]),
        (["nothing*.png", "photos/more"], ["nothing*.png", "photos/more/b.png"]),
        (["film.avi", "photos/more"], ["film.avi"] * 4 + ["photos/more/b.png"]),
    ],
)
def test_words_stand_for_pictures_in_order(words, expected, capsys):
    describe(*words, "--json")
    assert sources(capsys.readouterr().out) == expected


def test_one_bad_picture_is_told_and_counted_and_the_others_go_on(capsys):
    assert describe("photos/a9.png", "bad.jpg", "none.jpg", "photos/a10.png", "--quiet") == 1
    out, err = capsys.readouterr()
    assert out == f"photos/a9.png: {SENTENCE}\nphotos/a10.png: {SENTENCE}\n"
    bad, none, total = err.splitlines()
    assert bad.startswith("i2t describe: bad.jpg: not a picture")
    assert none.startswith("i2t describe: none.jpg: cannot read none.jpg: No such file")
    assert total == "i2t describe: 2 failed, 2 described"
    assert describe("photos", "--quiet") == 0
    assert capsys.readouterr().err == ""
    assert describe("long" * 99, "photos/a9.png", "--quiet") == 1  # longer than a name may be
    assert capsys.readouterr().out == f"photos/a9.png: {SENTENCE}\n"


def test_several_have_a_heading_each(capsys):
    assert describe("photos") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"photos/a9.png\n{SENTENCE}\n\nobjects:\n")
    assert f"\n\nphotos/a10.png\n{SENTENCE}\n\nobjects:\n" in out


def test_json_lines_of_several_and_an_error_among_them(capsys):
    assert describe("photos/a9.png", "bad.jpg", "--json") == 1
    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert (good["source"], good["sentence"]) == ("photos/a9.png", SENTENCE)
    assert bad["source"] == "bad.jpg"
    assert bad["error"]["code"] == "not_an_image"


@pytest.mark.parametrize("word", ["photos/more", "photos/more/*.png"])
def test_a_folder_of_one_gets_the_form_of_several(word, folder, capsys):
    assert describe(word, "--json", "--save", "seen") == 0
    assert sources(capsys.readouterr().out) == ["photos/more/b.png"]
    assert (folder / "seen" / "b.png").is_file()


def test_a_name_without_an_ending_is_a_folder_for_drawings(folder):
    assert describe("photos/a9.png", "--save", "seen/") == 0
    assert (folder / "seen" / "a9.png").is_file()


@pytest.mark.parametrize(
    ("every", "times"), [(1, [0, 1, 2, 3]), ("1500ms", [0, 1.5, 3]), ("1:00", [0])]
)
def test_a_video_is_described_every_so_many_seconds(every, times, capsys):
    assert describe("film.avi", "--every", every, "--json") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [frame["time"] for frame in found] == pytest.approx(times, abs=0.1)
    assert {frame["hash"] for frame in found} == {None}


def test_a_frame_that_fails_does_not_end_its_video(monkeypatch, capsys):
    whole, frames = Describer.describe, iter(range(9))

    def second_fails(self, image, options, **how):
        if next(frames) == 1:
            raise InferenceError("out of memory")
        return whole(self, image, options, **how)

    monkeypatch.setattr(Describer, "describe", second_fails)
    assert describe("film.avi", "--json") == 1
    out, err = capsys.readouterr()
    found = [json.loads(line) for line in out.splitlines()]
    assert [frame["time"] for frame in found] == pytest.approx([0, 1, 2, 3], abs=0.1)
    assert ["error" in frame for frame in found] == [False, True, False, False]
    assert err.startswith("i2t describe: film.avi at 1.00 s: out of memory [inference_failed]\n")
    assert err.endswith("1 failed, 3 described\n")


@pytest.mark.parametrize("every", ["0", "-1", "nan", "inf", "x"])
def test_a_time_between_frames_that_is_none_is_wrong_usage(every, capsys):
    with pytest.raises(SystemExit) as ended:
        describe("film.avi", "--every", every)
    assert ended.value.code == 2
    assert "--every" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"plain text\n" * 90, bytes(5000)])
def test_what_is_no_video_is_an_error(folder, content, capsys):
    (folder / "film.mp4").write_bytes(content)
    assert describe("film.mp4") == 1
    assert "film.mp4" in capsys.readouterr().err


def test_drawings_of_several_go_to_a_folder(folder, capsys):
    (folder / "other").mkdir()
    (folder / "other" / "a9.jpg").write_bytes(cv2.imencode(".jpg", GREY)[1].tobytes())
    asked = ["photos/a9.png", "other/a9.jpg", "film.avi", "--every", 3]
    assert describe(*asked, "--save", "seen", "--quiet") == 0
    names = sorted(path.name for path in (folder / "seen").iterdir())
    assert names == ["a9-2.jpg", "a9.png", "film_00000.00s.jpg", "film_00003.00s.jpg"]
    assert all(cv2.imread(str(folder / "seen" / name)).shape == GREY.shape for name in names)


def test_a_picture_named_twice_has_one_drawing(folder, capsys):
    asked = ["photos/a9.png", "photos/more/b.png", "photos/a9.png"]
    assert describe(*asked, "--save", "seen", "--quiet") == 0
    assert sorted(path.name for path in (folder / "seen").iterdir()) == ["a9.png", "b.png"]


def test_a_name_cannot_steer_the_terminal(folder, capsys):
    (folder / "a\n\033[31m.png").write_bytes(PNG)
    assert describe("a\n\033[31m.png", "b\n\033[31m.png", "--quiet") == 1
    out, err = capsys.readouterr()
    assert out == f"a\ufffd\ufffd[31m.png: {SENTENCE}\n"
    assert len(err.splitlines()) == 2
    assert "\033" not in err


def test_an_empty_name_is_not_the_working_folder(capsys):
    assert describe("", "--quiet") == 1
    assert "got an empty one [source_missing]" in capsys.readouterr().err
    assert describe("photos", "--save", "seen.jpg") == 1
    assert "expected a folder for several pictures" in capsys.readouterr().err


def test_a_model_that_cannot_be_loaded_is_told_once(capsys):
    assert main(["describe", "photos", "--model", "nope"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("unknown_model") == 1


# --- the same as over HTTP


@pytest.fixture
def client(web):
    describer = describer_of(open_detector("fake"))
    with web(lambda request: describer.answer(request, DescribeOptions())).client() as client:
        yield client
    describer.close()


def test_the_json_is_that_of_the_http_reply(client, capsys):
    pytest.importorskip("fastapi")
    http = client.post("/v1/describe", content=PNG, headers={"content-type": "image/png"}).json()
    assert describe("photos/a9.png", "--json") == 0
    cli = json.loads(capsys.readouterr().out)
    assert list(cli) == list(http)
    assert list(cli["timings_ms"]) == list(http["timings_ms"])
    for each in (cli, http):
        del each["elapsed_ms"], each["timings_ms"]
    assert cli == http


@pytest.mark.parametrize(
    "content", [b"", b"hello", PNG[:60], b"GIF89a" + bytes(20), b"\xff\xd8\xff\xe0" + bytes(9)]
)
def test_an_error_is_that_of_the_http_reply(client, folder, content, capsys):
    reply = client.post("/v1/describe", content=content, headers={"content-type": "image/png"})
    (folder / "bad.jpg").write_bytes(content)
    assert describe("bad.jpg", "--json") == 1
    out, err = capsys.readouterr()
    assert reply.status_code >= 400
    assert json.loads(out) == reply.json()
    assert err.endswith(f"[{json.loads(out)['error']['code']}]\n")


# --- URLs


@contextmanager
def site(redirect=""):
    """Serve a picture and a redirect on the loopback; yield the URL."""

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            away = redirect and self.path == "/away"
            self.send_response(302 if away else 200)
            self.send_header("Location" if away else "Content-Type", redirect or "image/png")
            self.end_headers()
            self.wfile.write(b"" if away else PNG)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_picture_of_ones_own_network_is_fetched(capsys):
    pytest.importorskip("fastapi")
    with site() as url:
        assert describe(f"{url}/garden.png", "--quiet") == 0
        assert capsys.readouterr().out == f"{SENTENCE}\n"
        assert describe(f"{url}/garden.png", "photos/a9.png", "--json") == 0
        assert sources(capsys.readouterr().out) == [f"{url}/garden.png", "photos/a9.png"]


@pytest.mark.parametrize("target", ["http://127.0.0.2/x.png", "http://10.0.0.1/x", "file:///etc"])
def test_a_redirect_does_not_lead_elsewhere_into_the_network(target, capsys):
    pytest.importorskip("fastapi")
    with site(redirect=target) as url:
        assert describe(f"{url}/away", "--json") == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == "fetch_refused"
    assert err.endswith("[fetch_refused]\n")


@pytest.mark.parametrize("url", ["ftp://host/x.png", "http://", "rtsp://camera/1", "http://a b/"])
def test_what_is_not_fetched_is_refused(url, capsys):
    pytest.importorskip("fastapi")
    assert describe(url) == 1
    assert capsys.readouterr().err.endswith("[fetch_refused]\n")


# --- the console


def test_progress_is_on_a_terminal_only(folder):
    command = [I2T, "describe", "photos", "--model", "fake", "--json"]
    plain = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert plain.stderr == ""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    try:
        for quiet in ([], ["--quiet"]):
            shown = subprocess.run([*command, *quiet], stdout=-1, stderr=slave, timeout=60)
            assert sources(shown.stdout.decode()) == sources(plain.stdout)
            os.write(slave, b".")  # so that there is something to read
            assert (b"pictures" in os.read(master, 1 << 16)) == (not quiet)
    finally:
        os.close(master)
        os.close(slave)


def test_an_interrupt_ends_in_silence(folder):
    film = cv2.VideoWriter(str(folder / "long.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(3000):
        film.write(GREY)
    film.release()
    command = [I2T, "describe", "long.avi", "--every", "0.1", "--model", "fake", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err == b""
