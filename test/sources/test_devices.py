"""Cameras at this machine: what stands in their way, and what happens when one is lost."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from source_images import Pauses

from i2t_ros import sources
from i2t_ros.errors import SourceUnreadableError
from i2t_ros.sources import SourceOptions, devices, open_source, video


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
        self.name = name
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
        images = [lazy.read() for lazy in source.images(stop)]
    # The first image of each opening shows that it works and is not shown.
    assert len(images) == 3 + 2
    assert images[0].shape == (480, 640, 3)
    assert stop.pauses == [1.0, 2.0, 4.0, 1.0, 2.0]
    assert all(camera.released for camera in opened if camera.isOpened())
    assert "lost after 3 images; trying again in 1 s" in caplog.text
    assert "images arrive again" in caplog.text


def test_a_camera_that_comes_back_under_another_number_is_found(
    scripted, tmp_path, monkeypatch, caplog
):
    """By the link that udev keeps; device files are played by plain ones."""
    links = tmp_path / "by-id"
    links.mkdir()
    monkeypatch.setattr(devices, "BY_ID", links)
    monkeypatch.setattr(devices, "is_device", lambda path: True)
    monkeypatch.setattr(sources, "is_device", lambda path: True)
    for number in (0, 1, 2):
        (tmp_path / f"video{number}").touch()
    link, other = links / "usb-Maker_Camera_1-video-index0", links / "usb-Another-video-index0"
    link.symlink_to("../video0")
    other.symlink_to("../video1")
    opened = scripted(2, 2, 2)

    class Unplugged(Pauses):
        def wait(self, timeout=None):
            if not self.pauses:  # another camera takes its number
                link.unlink()
                other.unlink()
                other.symlink_to("../video0")
            elif len(self.pauses) == 1:
                link.symlink_to("../video2")
            return super().wait(timeout)

    source = open_source(str(tmp_path / "video0"))
    source.open()
    for lazy in source.images(Unplugged(3)):
        lazy.read()
    names = [Path(camera.name).name for camera in opened]
    assert names[:2] == ["video0", "video2"]
    assert "not connected; trying again" in caplog.text


def test_a_camera_without_a_link_is_its_number(scripted, monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "BY_ID", tmp_path / "none")
    opened = scripted(2)
    open_source("/dev/null").open()
    assert [camera.name for camera in opened] == ["/dev/null"]


def test_a_camera_is_asked_for_what_is_wanted_and_may_give_something_else(scripted, caplog):
    opened = scripted(2)
    options = SourceOptions(rate=15.0, width=800, height=600, pixel_format="MJPG")
    source = open_source("/dev/null", options)
    source.open()
    (camera,) = opened
    assert camera.settings[cv2.CAP_PROP_FRAME_WIDTH] == 800
    assert camera.settings[cv2.CAP_PROP_FPS] == 15.0
    assert camera.settings[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert "asked for 800x600, the camera gives 800x480" in caplog.text
    # Left as it is: scaled, it would no longer be what its calibration says.
    assert next(source.images(threading.Event())).read().shape == (480, 640, 3)
    source.close()
