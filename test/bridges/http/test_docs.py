"""docs/http_api.md and docs/coming_from: examples are executed with curl, tables compared."""

import contextlib
import re
import shutil
import subprocess
import threading

import cv2
import numpy as np
import pytest
from making import FIELDS, classes_of, scene_of
from project import ROOT

from i2t_ros.pipeline.telling import tell

pytest.importorskip("fastapi")
from frame_sinks import Sink
from waiting import TIME_LIMIT, until

from i2t_ros import errors
from i2t_ros.bridges.http import metrics, problems
from i2t_ros.bridges.http.settings import DEFAULT_PORT, FetchSettings
from i2t_ros.errors import UnknownCameraError
from i2t_ros.options import options_of
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.types import (
    Answer,
    CountCheck,
    DescribeReply,
    DescribeRequest,
    Description,
    Detections,
)
from i2t_ros.vision.codecs import decode_image, encode_image

DOCS = ROOT / "docs"
TEXT = (DOCS / "http_api.md").read_text("utf-8")
NODES = (DOCS / "nodes.md").read_text("utf-8")
PAGES = (DOCS / "http_api.md", *sorted((DOCS / "coming_from").glob("*.md")))
EXAMPLES = [
    example
    for page in PAGES
    for example in re.findall(
        r"(?:^<!-- (with [^\n]*) -->\n)?^```console\n(.*?)^```",
        page.read_text("utf-8"),
        re.M | re.S,
    )
]
URL = f"http://127.0.0.1:{DEFAULT_PORT}"
PHOTO = cv2.imencode(".jpg", np.full((600, 512, 3), 120, np.uint8))[1].tobytes()
FOUND = Detections(
    [[8.1, 41.1, 512, 581.1], [221.6, 407.1, 295.6, 530]],
    [0.9401, 0.8752],
    [0, 1],
    ("person", "tie"),
)
CLASSES = classes_of(("military uniform", "suit"), (0.3008, 0.2))
FACES = Faces([[200, 80, 330, 260]], [0.93])
SETTINGS = {
    "": {},
    "with a camera called door": {},
    "with a token": {"token": "correct-horse-battery"},
    "with URLs": {"fetch": FetchSettings()},
}


def describe(request):
    """See in every picture what the photo of the page shows."""
    if request.camera:
        raise UnknownCameraError(f"unknown camera {request.camera!r}; cameras are image")
    options = DescribeOptions().for_request(request)
    image = decode_image(request.picture)
    found = {"detections": FOUND, "classification": CLASSES, "faces": FACES}
    wanted = {name: found[name] for name in found if FIELDS[name] in (request.tasks or ["detect"])}
    scene = scene_of(image.shape[1], image.shape[0], **wanted)
    sentence = tell(scene, options)
    drawn = encode_image(image, request.picture.format) if request.annotate else None
    description = Description(scene, sentence, options.language, options.style, "fake", 0.01)
    return DescribeReply(description, drawn)


def answer(reply):
    """See one person too many."""
    check = CountCheck("person", "person", 2, 1)
    return Answer("There are two people.", "fake-vlm", 0.5, "disagrees", (check,))


@contextlib.contextmanager
def camera(bridge):
    """Send the photo as a camera called door, again and again, while the context lasts."""
    from websockets.sync.client import connect  # noqa: PLC0415

    stop = threading.Event()

    def send():
        with connect(bridge.url.replace("http", "ws") + "/ws/door", compression=None) as socket:
            while not stop.wait(0.05):
                socket.send(PHOTO)

    sending = threading.Thread(target=send)
    sending.start()
    try:
        until(lambda: bridge.metric("i2t_websocket_frames_total", result="taken"), "a frame")
        yield
    finally:
        stop.set()
        sending.join(TIME_LIMIT)


def steps(example):
    """Return the commands of an example, each with the reply that the page shows."""
    parts = re.split(r"^\$ (.*)\n", example, flags=re.M)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def tight(text):
    return re.sub(r"\s+", "", text)


def matches(shown, reply):
    """Return whether a reply is the one shown, but for blanks and what ``...`` leaves out."""
    pattern = ".*?".join(map(re.escape, tight(shown).split("...")))
    return re.fullmatch(pattern, tight(reply), re.S) is not None


@pytest.mark.parametrize(("kind", "example"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_work(web, history_settings, tmp_path, kind, example):
    if shutil.which("curl") is None:
        pytest.skip("no curl: apt install curl")
    (tmp_path / "photo.jpg").write_bytes(PHOTO)
    if kind == "with a history":
        pytest.importorskip("sqlalchemy")
        settings = {"history": history_settings()}
    else:
        settings = SETTINGS[kind]
    sink = Sink(describe)
    bridge = web(describe, sink=sink, answer=answer, **settings)
    sink.hub = bridge.hub
    with camera(bridge) if kind == "with a camera called door" else contextlib.nullcontext():
        for command, shown in steps(example):
            assert command.startswith("curl ")
            done = subprocess.run(
                ["sh", "-c", command.replace(URL, bridge.url)],
                cwd=tmp_path, capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            reply = done.stdout.replace(bridge.url, URL)
            assert matches(shown, reply), f"{command}\nexpected {shown}\ngot {reply}{done.stderr}"


def test_there_are_examples_of_everything():
    assert {kind for kind, _ in EXAMPLES} == {*SETTINGS, "with a history"}
    commands = " ".join(command for _, example in EXAMPLES for command, _ in steps(example))
    for path in ("/v1/describe", "/v1/ask", "/v1/cameras", "/v1/models", "/healthz", "/readyz",
                 "/metrics", "/upload", "/snapshot", "/v1/live", "/v1/history"):  # fmt: skip
        assert path in commands, path


def every_error(root=errors.I2tError):
    yield root
    for child in root.__subclasses__():
        yield from every_error(child)


def rows(first_column):
    """Return the rows of the table whose header begins with ``first_column``."""
    start = TEXT.index(f"| {first_column} |")
    lines = TEXT[start:].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_errors_are_those_of_the_listener():
    table = {int(status): re.findall(r"`(\w+)`", text) for status, text in rows("status")}
    expected = {status: {code} for status, (code, _) in problems.REFUSALS.items()}
    # Bases that nobody raises have no place in the table, unless they stand for all the rest.
    bases = {"ImageError", "RequestError", "ModelError", "BackendError", "SourceError"}
    for error in every_error():
        if error.__name__ not in bases:
            expected.setdefault(problems.status_of(error("why")), set()).add(error.code)
    for status, codes in expected.items():
        assert codes <= set(table.get(status, ())), (status, codes, table.get(status))


def test_the_options_and_metrics_are_those_of_the_listener():
    assert [row[0].strip("`") for row in rows("option")] == [
        option.name for option in options_of(DescribeRequest) if option.name != "camera"
    ]
    named = set(re.findall(r"`(i2t_\w+)`", TEXT.split("| metric |")[1].split("\n\n")[0]))
    registry = metrics.Metrics(None, lambda: 0, lambda: 0).registry
    counted = {
        f"{m.name}_total" if m.type == "counter" else m.name for m in metric_families(registry)
    }
    assert named == counted


def metric_families(registry):
    """Return what is registered, without asking for values."""
    return [family for c in set(registry._collector_to_names) for family in c.describe()]


@pytest.mark.parametrize("page", ["http_api.md", "esp32_cam.md"])
def test_parameters_that_are_named_exist(page):
    text = (DOCS / page).read_text("utf-8")
    for name in set(re.findall(r"\b(http_[a-z_0-9]+)\b(?!\.)", text)):
        assert f"| `{name}` |" in NODES or name == "http_api", name
