"""/v1/describe: every way to send a picture, every form of the answer."""

import asyncio
import struct
import threading
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from making import classes_of, scene_of

pytest.importorskip("fastapi")
from local_handlers import FakeHandler
from waiting import until
from web_support import BOXES, PICTURE, RectangleDescriber, assert_is_annotated, picture

from i2t_ros import types
from i2t_ros.bridges.http.routes.describe import in_header
from i2t_ros.errors import BusyError, NoFrameError
from i2t_ros.language import LANGUAGES
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.types import DescribeReply, Description, Detections, Picture
from i2t_ros.vision import codecs

RAW = {"content-type": "image/png"}
SENTENCE = "I can see a dog and a person."


def boxes_of(reply):
    return {found["class_id"]: found["box"] for found in reply["detections"]}


# --- ways to send it


def test_the_picture_as_the_body(client):
    reply = client.post("/v1/describe", content=PICTURE, headers=RAW)
    assert reply.status_code == 200
    data = reply.json()
    assert data["sentence"] == SENTENCE
    assert boxes_of(data) == BOXES
    assert data["objects"][0] == {"class_id": "dog", "label": "dog", "count": 1, "max_score": 0.9}
    assert (data["width"], data["height"]) == (320, 240)
    assert data["model"] == "rectangles"
    assert data["faces"] is data["texts"] is data["classification"] is data["annotated"] is None
    assert data["timings_ms"]["total"] >= data["elapsed_ms"] > 0
    assert (data["style"], data["tasks"]) == ("sentence", ["detect"])


URL_ENCODED = "application/x-www-form-urlencoded"  # what curl --data-binary says


@pytest.mark.parametrize("kind", ["application/octet-stream", "image/jpeg", URL_ENCODED, None])
def test_the_body_is_what_its_bytes_say(client, kind):
    headers = {"content-type": kind} if kind else {}
    request = client.build_request("POST", "/v1/describe", content=PICTURE, headers=headers)
    assert client.send(request).json()["sentence"] == SENTENCE


@pytest.mark.parametrize("field", ["image", "file", "whatever"])
def test_a_form_with_a_file_and_options(client, field):
    reply = client.post(
        "/v1/describe",
        files={field: ("../../etc/passwd", PICTURE, "text/plain")},
        data={"language": "es", "style": "list"},
    )
    assert reply.json()["sentence"] == "Se detectaron los siguientes objetos: 1 perro y 1 persona."
    assert reply.json()["language"] == "es"
    assert [entry["label"] for entry in reply.json()["objects"]] == ["perro", "persona"]


def test_options_of_the_form_win_over_those_of_the_query(client):
    reply = client.post(
        "/v1/describe?language=fr", files={"image": PICTURE}, data={"language": "de"}
    )
    assert reply.json()["sentence"] == "Ich sehe einen Hund und eine Person."


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language(client, language):
    reply = client.post(f"/v1/describe?language={language}", content=PICTURE, headers=RAW)
    assert reply.json()["language"] == language


def test_a_picture_of_some_megabytes_in_a_form(client):
    noise = np.random.default_rng(1).integers(0, 255, (1000, 1200, 3), np.uint8)
    large = cv2.imencode(".png", noise)[1].tobytes()
    assert len(large) > 3e6
    assert client.post("/v1/describe", files={"image": large}).status_code == 200


# --- forms of the answer


def test_a_link_to_the_annotated_picture(client):
    data = client.post("/v1/describe?annotate=1", content=PICTURE, headers=RAW).json()
    drawn = client.get(data["annotated"])
    assert drawn.headers["content-type"] == "image/png"
    assert_is_annotated(drawn.content)
    assert client.get("/v1/pictures/" + "0" * 64 + ".png").status_code == 404


@pytest.mark.parametrize(
    ("accept", "is_picture"),
    [
        ("image/*", True),
        ("image/png", True),
        ("image/avif,image/webp,image/*,*/*;q=0.8", True),
        ("application/json, image/*;q=0.5", False),
        ("*/*", False),
        ("text/html,image/*;q=nonsense", False),
    ],
)
def test_accept_decides_between_picture_and_json(client, accept, is_picture):
    reply = client.post("/v1/describe", content=PICTURE, headers={**RAW, "accept": accept})
    kind = reply.headers["content-type"]
    assert kind == ("image/png" if is_picture else "application/json")
    if is_picture:
        assert unquote(reply.headers["x-i2t-sentence"]) == SENTENCE
        assert_is_annotated(reply.content)


@pytest.mark.parametrize(
    ("text", "is_whole"),
    [
        ("a" * 2048, True),
        ("a" * 2049, False),
        ("\uac1c" * 5000, False),
        ("\U0001f600 " * 900, False),
    ],
)
def test_a_text_in_a_header_is_never_longer_than_clients_read(text, is_whole):
    coded = in_header(text)
    assert len(coded) <= 2048
    assert coded.isascii()
    decoded = unquote(coded, errors="strict")
    assert decoded == text if is_whole else text.startswith(decoded.removesuffix("…"))
    assert len(decoded) > 200


def test_everything_that_can_be_found_is_in_the_reply(web):
    scene = scene_of(
        100,
        80,
        Detections([[1, 2, 3.04, 4]], [0.987654], [0], ("dog",), track_ids=[7]),
        classification=classes_of(("dog", "cat"), (0.75, 0.25)),
        faces=Faces([[5, 6, 25, 30]], [0.9], np.arange(10).reshape(1, 5, 2)),
        texts=(
            TextRegion(
                [[0, 0], [9, 0], [9, 5], [0, 5]], "ABIERTO", 0.8, (255, 0, 16), (1, 2, 3), "OPEN"
            ),
        ),
        failures={"text": BusyError("later")},
    )
    reply = DescribeReply(
        Description(scene, "Words.", "en", "scene", "everything", 0.5), cached=True
    )
    with web(lambda request: reply).client() as client:
        data = client.post("/v1/describe", content=PICTURE, headers=RAW).json()
    assert data["detections"] == [
        {"class_id": "dog", "label": "dog", "score": 0.9877, "box": [1, 2, 3, 4], "track_id": 7}
    ]
    assert data["classification"][0] == {"class_id": "dog", "label": "dog", "score": 0.75}
    assert data["faces"][0]["landmarks"] == {
        "right_eye": [0, 1],
        "left_eye": [2, 3],
        "nose": [4, 5],
        "right_mouth_corner": [6, 7],
        "left_mouth_corner": [8, 9],
    }
    assert data["texts"][0]["text_color"] == "#ff0010"
    assert data["texts"][0]["translation"] == "OPEN"
    assert data["failures"] == {"text": {"code": "busy", "message": "later"}}
    assert data["cached"] is True


def test_a_picture_is_hashed_once_and_its_header_parsed_once(web, history_settings, monkeypatch):
    """In the bridge and in a describer of the same process, with a history and without."""
    pytest.importorskip("sqlalchemy")
    counts = Counter()

    def counted(module, name):
        original = getattr(module, name)

        def call(*arguments):
            counts[name] += 1
            return original(*arguments)

        monkeypatch.setattr(module, name, call)

    hashed = types.hashlib.sha256
    monkeypatch.setattr(
        types,
        "hashlib",
        SimpleNamespace(sha256=lambda data: counts.update(["hash"]) or hashed(data)),
    )
    counted(codecs, "_parse_header")
    for settings in ({}, {"history": history_settings()}):
        with web(**settings).client() as client:
            drawn = 1 + ("history" in settings)  # which keeps the drawing under its own hash
            for path, hashes in (("/v1/describe", 1), ("/v1/describe?annotate=1", drawn)):
                counts.clear()
                assert client.post(path, content=PICTURE).status_code == 200
                assert counts == {"hash": hashes, "_parse_header": 1}
    counts.clear()
    with web().client() as client:  # nobody asks for its hash
        assert client.post("/v1/describe", content=PICTURE, headers={"accept": "image/*"})
    assert counts == {"_parse_header": 1}


# --- cameras


def test_a_camera_that_comes_over_ros_is_the_handlers(web):
    seen = []

    def describe(request):
        seen.append(request)
        return RectangleDescriber()(replace(request, picture=Picture(PICTURE), tasks=()))

    bridge = web(describe)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    with bridge.client() as client:
        data = client.get("/v1/describe?camera=front&language=es&min_score=0.5&tasks=detect").json()
        assert data["hash"] is None
        assert client.get("/v1/describe", headers={"accept": "image/*"}).content[:4] == b"\x89PNG"
    assert [request.camera for request in seen] == ["front", ""]
    assert (seen[0].language, seen[0].min_score, seen[0].tasks) == ("es", 0.5, ("detect",))
    assert seen[0].picture is None


def test_a_websocket_cameras_newest_frame_is_sent_to_the_handler(web):
    bridge = web()
    bridge.on_loop(bridge.hub.add, "esp", "websocket")
    with bridge.client() as client:
        reply = client.get("/v1/describe?camera=esp")
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "no_frame")
        bridge.on_loop(bridge.hub.publish, "esp", raw=picture([("kite", (10, 10, 60, 60))]))
        assert client.get("/v1/describe").json()["sentence"] == "I can see a kite."
    # Frames follow one another: they have no place in a cache.
    assert [request.fresh for request in bridge.describer.asked] == [True]


def test_without_a_name_the_first_camera_that_has_a_frame_is_described(web):
    plain, asked = RectangleDescriber(), []

    def describe(request):
        asked.append(request.camera)
        if request.picture is None:
            raise NoFrameError(f"camera {request.camera or 'image'}: no image has come yet")
        return plain(request)

    bridge = web(describe)
    for name, transport in (("image", "topic"), ("rear", "topic"), ("esp", "websocket")):
        bridge.on_loop(bridge.hub.add, name, transport)
    with bridge.client() as client:
        reply = client.get("/v1/describe")
        assert reply.status_code == 503
        assert reply.json()["error"]["message"] == "camera image: no image has come yet"
        bridge.on_loop(bridge.hub.publish, "esp", raw=picture([("kite", (10, 10, 60, 60))]))
        assert client.get("/v1/describe").json()["sentence"] == "I can see a kite."
        assert client.get("/v1/describe?camera=image").status_code == 503
    assert asked == ["", "rear", "", "rear", "", "image"]


# --- busy, slow, broken


@pytest.mark.parametrize("query", ["", "?annotate=1"])
def test_large_pictures_leave_half_of_the_places_to_others(web, query):
    go_on, asked = threading.Event(), []
    large = b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 5600, 5600, 1, 24, 0)

    class Slow(FakeHandler):
        async def describe(self, request):
            asked.append(len(request.picture))
            if len(request.picture) == len(large):
                await asyncio.to_thread(go_on.wait, 20)
            return await super().describe(request)

    bridge = web(handler=Slow(), max_requests=4)

    def ask():
        with bridge.client() as client:
            client.post(f"/v1/describe{query}", content=large)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(asked) == 2, "two large pictures are with the handler")
    with bridge.client() as client:
        refused = client.post(f"/v1/describe{query}", content=large)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "busy")
        assert client.post(f"/v1/describe{query}", content=PICTURE).status_code == 200
    go_on.set()
    for thread in threads:
        thread.join(20)


def test_more_requests_than_allowed_are_busy_and_the_others_are_served(web):
    go_on, asked = threading.Event(), []

    def slow(request):
        asked.append(request)
        assert go_on.wait(20)
        return RectangleDescriber()(request)

    bridge = web(slow, max_requests=2)
    results = []

    def ask():
        with bridge.client() as client:
            results.append(client.post("/v1/describe", content=PICTURE, headers=RAW).status_code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(asked) == 2, "two requests are with the handler")
    with bridge.client() as client:
        refused = client.post("/v1/describe", content=PICTURE, headers=RAW)
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "busy"
    assert refused.headers["retry-after"] == "1"
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert results == [200, 200]
    assert bridge.metric("i2t_descriptions_total", result="busy") == 1
    assert bridge.metric("i2t_descriptions_total", result="ok") == 2


def test_a_handler_that_takes_too_long(web):
    stop = threading.Event()
    with web(lambda request: stop.wait(20), request_time=0.1).client() as client:
        reply = client.post("/v1/describe", content=PICTURE, headers=RAW)
        stop.set()
    assert reply.status_code == 504
    assert reply.json()["error"]["code"] == "time_limit"


def test_a_handler_that_breaks_shows_nothing_of_itself(web, caplog):
    def broken(request):
        raise ZeroDivisionError("secret of the machine")

    with web(broken).client() as client:
        reply = client.post("/v1/describe", content=PICTURE, headers=RAW)
    assert reply.status_code == 500
    assert reply.json()["error"]["code"] == "error"
    assert "secret" not in reply.text
    assert "secret of the machine" in caplog.text


def test_the_annotated_picture_of_a_webp_is_a_webp(web):
    webp = picture([("dog", (40, 60, 140, 200))], extension=".webp")
    drawn = Picture(webp)
    plain = RectangleDescriber()

    def describe(request):
        return DescribeReply(plain(request).description, drawn)

    with web(describe).client() as client:
        reply = client.post("/v1/describe", content=webp, headers={"accept": "image/*"})
    assert reply.headers["content-type"] == "image/webp"
