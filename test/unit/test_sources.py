"""Where images come from: each kind, as real as it can be had without a camera."""

import itertools
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from mjpeg_server import MjpegServer
from rtsp_server import RtspServer

from i2t_ros.errors import (
    ImageError,
    InvalidRequestError,
    SourceMissingError,
    SourceUnreadableError,
    TruncatedImageError,
)
from i2t_ros.sources import SourceOptions, devices, open_source, video

FAST = SourceOptions(rate=1000.0)
ONCE = SourceOptions(rate=1000.0, loop=False)
SHADES = range(0, 250, 50)


def image(shade, size=(64, 48)):
    return np.full((size[1], size[0], 3), shade, np.uint8)


def shade_of(pixels):
    return round(float(pixels.mean()) / 50) * 50


def take(source, count, stop=None):
    """Return the first shots, each read at its time."""
    source.open()
    shots = source.shots(stop or threading.Event())
    taken = [(shot.name, shot.read()) for shot in itertools.islice(shots, count)]
    shots.close()
    source.close()
    return taken


@pytest.fixture
def folder(tmp_path):
    """Return a folder of pictures in several formats, and what is none among them."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, shade in (("2.jpg", 0), ("10.png", 50), ("a.bmp", 100), ("B.WEBP", 150)):
        data = cv2.imencode(Path(name).suffix.lower(), image(shade))[1]
        (folder / name).write_bytes(data.tobytes())
    (folder / "notes.txt").write_text("no picture")
    (folder / "sub.jpg").mkdir()
    return folder


@pytest.fixture(params=[("film.avi", "MJPG"), ("film.mp4", "mp4v")], ids=["mjpg", "mp4v"])
def film(request, tmp_path):
    name, codec = request.param
    writer = cv2.VideoWriter(str(tmp_path / name), cv2.VideoWriter.fourcc(*codec), 10, (64, 48))
    for shade in SHADES:
        writer.write(image(shade))
    writer.release()
    return tmp_path / name


# Pictures


def test_a_folder_is_shown_in_the_order_of_its_names(folder):
    taken = take(open_source(str(folder), ONCE), 99)
    assert [name for name, _ in taken] == ["2.jpg", "10.png", "B.WEBP", "a.bmp"]
    assert [shade_of(pixels) for _, pixels in taken] == [0, 50, 150, 100]


def test_a_folder_begins_again_with_what_it_holds_by_then(folder):
    shots = open_source(str(folder), FAST).shots(threading.Event())
    assert [next(shots).name for _ in range(4)][-1] == "a.bmp"
    (folder / "2.jpg").unlink()
    assert next(shots).name == "10.png"
    shots.close()


def test_a_bad_picture_fails_once_and_is_left_out_until_it_changes(folder):
    (folder / "5.jpg").write_bytes(b"\xff\xd8\xff and no more")
    shots = open_source(str(folder), FAST).shots(threading.Event())
    names = []
    for shot in itertools.islice(shots, 5):
        names.append(shot.name)
        if shot.name == "5.jpg":
            with pytest.raises(TruncatedImageError, match=r"5\.jpg"):
                shot.read()
    assert names == ["2.jpg", "5.jpg", "10.png", "B.WEBP", "a.bmp"]
    (folder / "5.jpg").write_bytes((folder / "2.jpg").read_bytes())
    os.utime(folder / "5.jpg", (1, 1))
    assert [shot.name for shot in itertools.islice(shots, 2)] == ["2.jpg", "5.jpg"]
    shots.close()


def test_a_folder_in_which_nothing_can_be_read_is_an_error(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"hello")
    shots = open_source(str(tmp_path), FAST).shots(threading.Event())
    with pytest.raises(ImageError):
        next(shots).read()
    with pytest.raises(SourceUnreadableError, match="no picture"):
        next(shots)


def test_one_picture_is_decoded_once_and_again_when_it_changes(folder):
    path = folder / "10.png"
    shots = open_source(str(path), FAST).shots(threading.Event())
    first, second = next(shots).read(), next(shots).read()
    assert first is second
    cv2.imwrite(str(path), image(200))
    os.utime(path, (1, 1))
    assert shade_of(next(shots).read()) == 200
    shots.close()


def test_a_picture_file_is_handed_on_as_it_is(folder):
    for name, fmt in (("2.jpg", "jpeg"), ("10.png", "png")):
        shot = next(open_source(str(folder / name), FAST).shots(threading.Event()))
        assert shot.file().format == fmt
        assert shot.file().data == (folder / name).read_bytes()
    # Not where the file would show something else, or readers may not know it.
    smaller = open_source(str(folder / "2.jpg"), SourceOptions(width=32))
    assert next(smaller.shots(threading.Event())).file() is None
    assert next(open_source(str(folder / "a.bmp")).shots(threading.Event())).file() is None


def test_a_picture_that_exif_turns_is_not_handed_on(tmp_path):
    from PIL import Image  # noqa: PLC0415

    picture = Image.new("RGB", (64, 48))
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by 90 degrees
    picture.save(tmp_path / "turned.jpg", exif=exif)
    shot = next(open_source(str(tmp_path / "turned.jpg")).shots(threading.Event()))
    assert shot.file() is None
    assert shot.read().shape == (64, 48, 3)


# Videos


def test_a_video_is_shown_frame_by_frame_and_ends(film):
    taken = take(open_source(str(film), ONCE), 99)
    assert [name for name, _ in taken] == [f"frame {n}" for n in range(1, 6)]
    assert [shade_of(pixels) for _, pixels in taken] == list(SHADES)
    assert taken[0][1].shape == (48, 64, 3)
    assert taken[0][1].flags.c_contiguous


def test_a_video_begins_again(film):
    taken = take(open_source(film.as_uri(), FAST), 12)
    assert [shade_of(pixels) for _, pixels in taken] == [*SHADES, *SHADES, *SHADES][:12]


def test_a_video_has_its_own_rate(film, monkeypatch):
    rates = []
    pace = video.Pace
    monkeypatch.setattr(video, "Pace", lambda rate, stop: rates.append(rate) or pace(1000.0, stop))
    take(open_source(str(film)), 7)
    assert rates == [10.0]


@pytest.mark.parametrize(
    ("wanted", "shape"),
    [
        ({"width": 32, "height": 10}, (10, 32, 3)),
        ({"width": 128}, (96, 128, 3)),
        ({"height": 24}, (24, 32, 3)),
    ],
)
def test_images_are_scaled(film, folder, wanted, shape):
    for path in (film, folder):
        ((_, pixels),) = take(open_source(str(path), SourceOptions(rate=1000.0, **wanted)), 1)
        assert pixels.shape == shape


def test_a_stop_ends_it(film):
    stop = threading.Event()
    shots = open_source(str(film), FAST).shots(stop)
    next(shots)
    stop.set()
    assert list(shots) == []


# What is no source


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", SourceMissingError, "no source"),
        ("nowhere.mp4", SourceMissingError, "nowhere.mp4"),
        ("file:///nowhere/film.avi", SourceMissingError, "/nowhere/film.avi"),
        ("/dev/video97", SourceMissingError, "/dev/video97"),
        ("97", SourceMissingError, "/dev/video97"),
        ("videotestsrc ! appsink", SourceUnreadableError, "GStreamer"),
    ],
)
def test_what_is_not_there_is_named(text, error, message):
    with pytest.raises(error, match=message):
        open_source(text)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.mp4", b"hello\n" * 100, "no video"),
        ("empty.mp4", b"", "no video"),
        ("noise.avi", bytes(range(256)) * 40, "no video"),
        ("bad.jpg", b"\xff\xd8\xff\xe0 and no more", "bad.jpg"),
        ("empty.png", b"", "0 bytes"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceUnreadableError, match=message):
        open_source(str(tmp_path / name))


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(SourceMissingError, match="no pictures"):
        open_source(str(tmp_path))


def test_a_pixel_format_has_four_letters():
    with pytest.raises(InvalidRequestError, match="MJPEG"):
        SourceOptions(pixel_format="MJPEG")


# Cameras


def test_a_device_that_is_no_camera():
    source = open_source("/dev/null")
    with pytest.raises(SourceUnreadableError, match="/dev/null: cannot be opened"):
        source.open()


def test_a_device_that_another_program_has_open_names_it():
    code = "import sys; file = open('/dev/full'); print('open', flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as other:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(SourceUnreadableError, match=rf"in use by process {other.pid} \("):
            open_source("/dev/full").open()
        other.stdin.close()


def test_a_device_without_permission(monkeypatch):
    monkeypatch.setattr(devices.os, "access", lambda *_: False)
    with pytest.raises(SourceUnreadableError, match="group"):
        open_source("/dev/null")


class ScriptedCamera:
    """Stands for cv2.VideoCapture: each opening gives so many images, or does not succeed."""

    script: tuple = ()
    opened: list = []  # noqa: RUF012

    def __init__(self, name, api, settings=()):
        self.left = self.script[len(self.opened)] if len(self.opened) < len(self.script) else 0
        self.settings = {cv2.CAP_PROP_FRAME_WIDTH: 640, cv2.CAP_PROP_FRAME_HEIGHT: 480}
        self.released = False
        self.opened.append(self)

    def isOpened(self):  # noqa: N802
        return self.left > 0

    def grab(self):
        self.left -= 1
        return self.left >= 0

    def retrieve(self):
        return True, np.full((480, 640), 7, np.uint8)  # a camera in black and white

    def get(self, setting):
        return self.settings.get(setting, -1.0)

    def set(self, setting, value):
        if setting != cv2.CAP_PROP_FRAME_HEIGHT:  # a camera that has but one height
            self.settings[setting] = value

    def release(self):
        self.released = True


class Pauses(threading.Event):
    """A stop that is told how long is waited, and ends after so many pauses."""

    def __init__(self, most):
        super().__init__()
        self.pauses = []
        self.most = most

    def wait(self, timeout=None):
        self.pauses.append(timeout)
        if len(self.pauses) >= self.most:
            self.set()
        return self.is_set()


@pytest.fixture
def scripted(monkeypatch):
    def script(*openings):
        monkeypatch.setattr(ScriptedCamera, "script", openings)
        monkeypatch.setattr(ScriptedCamera, "opened", [])
        monkeypatch.setattr(video.cv2, "VideoCapture", ScriptedCamera)
        return ScriptedCamera.opened

    return script


def test_a_camera_that_is_lost_is_looked_for_with_growing_pauses(scripted, caplog):
    opened = scripted(4, 0, 0, 3)
    source = open_source("/dev/null")
    source.open()
    stop = Pauses(5)
    with caplog.at_level(logging.INFO, "i2t_ros"):
        shots = [shot.read() for shot in source.shots(stop)]
    # The first image of each opening shows that it works and is not shown.
    assert len(shots) == 3 + 2
    assert shots[0].shape == (480, 640, 3)
    assert stop.pauses == [1.0, 2.0, 4.0, 1.0, 2.0]
    assert all(camera.released for camera in opened if camera.isOpened())
    assert "lost after 3 images; trying again in 1 s" in caplog.text
    assert "images come again" in caplog.text


def test_a_camera_is_asked_for_what_is_wanted_and_may_give_something_else(scripted, caplog):
    opened = scripted(2)
    options = SourceOptions(rate=15.0, width=800, height=600, pixel_format="MJPG")
    source = open_source("/dev/null", options)
    source.open()
    (camera,) = opened
    assert camera.settings[cv2.CAP_PROP_FRAME_WIDTH] == 800
    assert camera.settings[cv2.CAP_PROP_FPS] == 15.0
    assert camera.settings[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert "asked for 800x600, it gives 800x480" in caplog.text
    # Left as it is: scaled, it would no longer be what its calibration says.
    assert next(source.shots(threading.Event())).read().shape == (480, 640, 3)
    source.close()


# Streams


@pytest.fixture
def jpeg():
    return cv2.imencode(".jpg", image(150))[1].tobytes()


def test_a_network_camera_over_rtsp(jpeg):
    server = RtspServer(jpeg)
    try:
        taken = take(open_source(server.url), 5)
    finally:
        server.close()
    assert [shade_of(pixels) for _, pixels in taken] == [150] * 5
    assert taken[0][1].shape == (48, 64, 3)


def test_a_stream_that_breaks_off_is_taken_up_again(jpeg, monkeypatch, caplog):
    monkeypatch.setattr(video, "PAUSES", (0.01,))
    server = MjpegServer(jpeg)
    try:
        shots = open_source(server.url).shots(threading.Event())
        with caplog.at_level(logging.INFO, "i2t_ros"):
            next(shots)
            server.drop()
            for shot in shots:
                if server.connections > 1:
                    assert shade_of(shot.read()) == 150
                    break
        shots.close()
    finally:
        server.close()
    assert "lost after" in caplog.text
    assert "images come again" in caplog.text


def test_a_stream_need_not_be_there_yet(jpeg, monkeypatch, caplog):
    server = MjpegServer(jpeg)
    server.close()
    port = server.server_address[1]
    appeared = []

    class Later(threading.Event):
        def wait(self, timeout=None):
            appeared.append(MjpegServer(jpeg, port=port))
            return self.is_set()

    try:
        shots = open_source(f"http://user:secret@127.0.0.1:{port}/stream.mjpg").shots(Later())
        assert shade_of(next(shots).read()) == 150
        shots.close()
    finally:
        for late in appeared:
            late.close()
    assert len(appeared) == 1
    assert f"http://127.0.0.1:{port}/stream.mjpg: it does not answer" in caplog.text
    assert "secret" not in caplog.text


def test_a_silent_server_is_given_up_in_time(caplog):
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/stream.mjpg"
        shots = open_source(url, SourceOptions(stream_timeout=0.2)).shots(Pauses(2))
        assert list(shots) == []
    assert "it does not answer; trying again in 1 s" in caplog.text


def test_of_a_live_stream_only_so_many_are_taken(jpeg):
    server = MjpegServer(jpeg, rate=100.0)
    try:
        numbers = [
            int(name.split()[1])
            for name, _ in take(open_source(server.url, SourceOptions(rate=20.0)), 6)
        ]
    finally:
        server.close()
    assert numbers[-1] - numbers[1] >= 12  # of 100 a second some 20 are taken: every fifth
