"""Cameras in the network: real servers for MJPEG and RTSP, which go away and come back."""

import itertools
import logging
import socket
import threading

import cv2
import numpy as np
import pytest
from mjpeg_server import MjpegServer
from rtsp_server import RtspServer
from source_images import Pauses, image, shade_of, take

from i2t_ros.sources import SourceOptions, open_source, video
from i2t_ros.vision.codecs import decode_image


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


@pytest.mark.skipif(
    cv2.__version__.startswith(("4.5.", "4.6.")), reason="OpenCV 4.6 goes on in the old size"
)
@pytest.mark.parametrize("kind", [MjpegServer, RtspServer])
def test_a_stream_that_changes_its_size_keeps_its_shape(jpeg, kind):
    server = kind(jpeg)
    try:
        images = open_source(server.url).images(threading.Event())
        assert next(images).read().shape == (48, 64, 3)
        server.show(cv2.imencode(".jpg", image(50, (128, 32)))[1].tobytes())
        some = itertools.islice(images, 500)
        later = next(lazy for lazy in some if lazy.read().shape != (48, 64, 3))
        assert later.read().shape == (32, 128, 3)
        assert shade_of(later.read()) == 50
        assert shade_of(decode_image(later.picture())) == 50  # not encoded anew
        images.close()
        options = SourceOptions(width=64)
        assert take(open_source(server.url, options), 1)[0][1].shape == (16, 64, 3)
    finally:
        server.close()


def test_of_a_frame_that_is_cut_the_rest_is_shown():
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    server = MjpegServer(cv2.imencode(".jpg", noise)[1].tobytes()[:-1000])
    try:
        images = open_source(server.url).images(threading.Event())
        lazy = next(images)
        assert lazy.read().shape == (48, 64, 3)
        assert lazy.picture() is None
    finally:
        server.close()


def test_a_stream_that_breaks_off_is_taken_up_again(jpeg, monkeypatch, caplog):
    monkeypatch.setattr(video, "PAUSES", (0.01,))
    server = MjpegServer(jpeg)
    try:
        images = open_source(server.url).images(threading.Event())
        with caplog.at_level(logging.INFO, "i2t_ros"):
            next(images)
            server.drop()
            for lazy in images:
                if server.connections > 1:
                    assert shade_of(lazy.read()) == 150
                    break
        images.close()
    finally:
        server.close()
    assert "lost after" in caplog.text
    assert "images arrive again" in caplog.text


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
        images = open_source(f"http://user:secret@127.0.0.1:{port}/stream.mjpg").images(Later())
        assert shade_of(next(images).read()) == 150
        images.close()
    finally:
        for late in appeared:
            late.close()
    assert len(appeared) == 1
    assert f"http://127.0.0.1:{port}/stream.mjpg: it does not answer" in caplog.text
    assert "secret" not in caplog.text


def test_a_silent_server_is_given_up_in_time(caplog):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/stream.mjpg"
        images = open_source(url, SourceOptions(stream_timeout=0.2)).images(Pauses(2))
        assert list(images) == []
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
