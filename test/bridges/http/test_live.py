"""/v1/live: words of a camera as events, in the detector's words or in the viewer's."""

from dataclasses import replace

import pytest

pytest.importorskip("fastapi")
from streams import events, words_of
from waiting import until
from web_support import RectangleDescriber, picture

from i2t_ros.bridges.http.routes import live
from i2t_ros.errors import BackendMissingError, BusyError
from i2t_ros.types import DescribeReply, DescribeRequest, Picture


def test_live_words_as_the_detector_puts_them(bridge):
    with bridge.client() as client:
        said = events(client, "/v1/live?language=en&style=sentence", 3)
        assert next(said) == ("silence", {"camera": "front"})
        bridge.on_loop(bridge.hub.publish, "front", words=words_of([("person", (10, 10, 50, 90))]))
        name, data = next(said)
        assert name == "words"
        assert data["sentence"] == "I can see a person."
        assert data["camera"] == "front"
        assert next(said)[0] == "silence"
    assert bridge.describer.asked == []


def test_live_words_in_another_language_are_asked_for(web, monkeypatch):
    monkeypatch.setattr(live, "ASK_INTERVAL", 0.0)
    plain, asked = RectangleDescriber(), []

    def describe(request):
        asked.append(request)
        if len(asked) == 1:
            raise BusyError("later")
        frame = Picture(picture([("person", (10, 10, 50, 90))], size=(100, 100)))
        return plain(replace(request, camera="", picture=frame))

    bridge = web(describe)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    with bridge.client() as client:
        words = events(client, "/v1/live?language=es&style=list", 2)
        assert next(words) == ("silence", {"camera": "front"})
        for number in range(2):  # the first is lost: the detector is busy
            bridge.on_loop(bridge.hub.publish, "front", words=words_of([]))
            until(lambda: len(asked) > number, "it is asked")  # noqa: B023
        name, data = next(words)
    assert name == "words"
    assert data["sentence"] == "Se detectó el siguiente objeto: 1 persona."
    assert data["detections"][0]["label"] == "persona"
    assert asked[1] == DescribeRequest(camera="front", language="es", style="list")


def test_live_words_for_a_voice_are_asked_for_unless_they_are_for_one_already(web, monkeypatch):
    monkeypatch.setattr(live, "ASK_INTERVAL", 0.0)
    asked = []

    def describe(request):
        asked.append(request)
        return DescribeReply(replace(words_of([]), sentence="asked", spoken=True))

    bridge = web(describe)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    bridge.on_loop(bridge.hub.publish, "front", words=words_of([]))
    with bridge.client() as client:
        name, data = next(events(client, "/v1/live?spoken=1", 1))
    assert (name, data["sentence"], data["spoken"]) == ("words", "asked", True)
    assert all(request.spoken for request in asked)
    told = replace(words_of([]), sentence="told", spoken=True)
    bridge.on_loop(bridge.hub.publish, "front", words=told)
    with bridge.client() as client:
        assert next(events(client, "/v1/live?spoken=1", 1))[1]["sentence"] == "told"


def test_live_words_for_a_voice_are_refused_where_there_are_none(web):
    def describe(request):
        raise BackendMissingError("spoken needs a package")

    with web(describe).client() as client:
        reply = client.get("/v1/live?spoken=1")
    assert reply.json()["error"]["code"] == "backend_missing"
    assert reply.status_code >= 500


def test_live_words_of_a_websocket_camera_are_about_its_newest_frame(web):
    bridge = web()
    bridge.on_loop(bridge.hub.add, "esp", "websocket")
    bridge.on_loop(bridge.hub.publish, "esp", raw=picture([("kite", (10, 10, 60, 60))]))
    bridge.on_loop(bridge.hub.publish, "esp", words=words_of([]))
    with bridge.client() as client:
        assert (
            next(events(client, "/v1/live?language=fr", 1))[1]["objects"][0]["class_id"] == "kite"
        )
    assert bridge.describer.asked[0].fresh


def test_a_language_that_only_the_detector_knows(web):
    asked = []

    def describe(request):
        asked.append(request.language)
        return DescribeReply(replace(words_of([]), language=request.language))

    bridge = web(describe)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    with bridge.client() as client:
        assert next(events(client, "/v1/live?language=tlh", 1))[0] == "silence"
    assert asked == ["tlh"]
