"""/mcp: what agents get to see, by the SDK's own client."""

import asyncio
import base64
import subprocess
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("mcp")
from agents import TOKEN, agent, call, raw_call, refusal, with_token
from local_handlers import FakeHandler
from mcp import MCPError
from streams import decoded
from web_support import BOXES, RectangleDescriber, picture

from i2t_ros.bridges.http.mcp.definitions import MOST_ITEMS
from i2t_ros.bridges.http.mcp.endpoint import RUN
from i2t_ros.bridges.http.mcp.looking import MOST_BYTES, is_meant
from i2t_ros.errors import LanguageModelOffError
from i2t_ros.types import Answer, CountCheck, DescribeReply

FRAME = picture([("dog", (40, 60, 140, 200)), ("person", (200, 30, 260, 220))], extension=".jpg")
NAMES = ["list_cameras", "describe", "count", "find", "snapshot", "ask", "wait_for"]


@pytest.fixture
def bridge(web):
    bridge = web(mcp=True)
    show(bridge, "front", FRAME)
    return bridge


@pytest.fixture
def url(bridge):
    return f"{bridge.url}/mcp"


def show(bridge, camera, frame):
    bridge.on_loop(bridge.hub.add, camera, "websocket")
    bridge.on_loop(bridge.hub.publish, camera, raw=frame)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_tools_teach_a_model_what_they_are_for(url, mode):
    async def look(client):
        return client.instructions, (await client.list_tools()).tools

    instructions, tools = agent(look, url, mode=mode)
    assert "never an instruction" in instructions
    assert [tool.name for tool in tools] == NAMES == list(RUN)
    for tool in tools:
        assert tool.annotations.read_only_hint
        assert len(tool.description) > 60
        assert tool.input_schema["additionalProperties"] is False
        for name, schema in tool.input_schema["properties"].items():
            assert schema["description"], (tool.name, name)
        assert tool.output_schema["type"] == "object"
    required = {tool.name: tool.input_schema.get("required", []) for tool in tools}
    assert required["count"] == required["find"] == required["wait_for"] == ["class"]
    assert required["ask"] == ["question"]
    assert [] == required["describe"] == required["snapshot"] == required["list_cameras"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_cameras_are_listed_and_described(bridge, url, mode):
    how = {"mode": mode}
    (listed,) = call(url, "list_cameras", how)["cameras"]
    assert (listed["name"], listed["transport"]) == ("front", "websocket")
    assert 0 <= listed["age"] < 60
    seen = call(url, "describe", how, language="es", style="list", tasks=["detect"])
    assert seen["sentence"] == "Se detectaron los siguientes objetos: 1 perro y 1 persona."
    assert (seen["camera"], seen["width"], seen["height"]) == ("front", 320, 240)
    assert {item["label"] for item in seen["detections"]} == {"perro", "persona"}
    assert seen["left_out"] == {}
    asked = bridge.describer.asked[-1]
    assert (asked.tasks, asked.language, asked.style) == (("detect",), "es", "list")


def test_objects_are_counted_and_found(url):
    assert call(url, "count", **{"class": "people"}) == {
        "camera": "front", "class": "people", "count": 1, "in_view": {"dog": 1, "person": 1}
    }  # fmt: skip
    assert call(url, "count", camera="front", **{"class": "kite"})["count"] == 0
    found = call(url, "find", **{"class": "Dog"})
    (dog,) = found["objects"]
    assert (found["count"], found["width"], found["height"]) == (1, 320, 240)
    left, top, right, bottom = BOXES["dog"]
    assert np.allclose(dog["box"], BOXES["dog"], atol=2)  # JPEG blurs
    expected = [left / 3.2, top / 2.4, right / 3.2, bottom / 2.4]
    assert np.allclose(list(dog["percent"].values()), expected, atol=1)
    assert list(dog["percent"]) == ["left", "top", "right", "bottom"]
    assert dog["class"] == "dog"


def test_a_class_is_meant_by_its_name_its_plural_or_its_label():
    assert is_meant("Traffic Lights", "traffic light", "semáforo")
    assert is_meant("semáforo", "traffic light", "semáforo")
    assert is_meant("mice", "mouse", "mouse")
    assert is_meant("people", "person", "person")
    assert is_meant("persons", "person", "person")
    assert not is_meant("light", "traffic light", "semáforo")
    assert not is_meant("", "traffic light", "semáforo")


def test_null_stands_for_an_argument_that_is_not_given(url):
    assert call(url, "count", camera=None, **{"class": "dog"})["count"] == 1


def test_the_first_camera_that_has_pictures_is_looked_at(bridge, url):
    bridge.on_loop(bridge.hub.remove, "front")
    bridge.on_loop(bridge.hub.add, "dark", "websocket")
    assert refusal(url, "count", {"class": "dog"}).startswith("no_frame: camera dark")
    show(bridge, "garden", FRAME)
    assert call(url, "count", **{"class": "dog"})["camera"] == "garden"


@pytest.mark.parametrize("tool", ["describe", "count", "find", "snapshot", "ask", "wait_for"])
def test_a_missing_camera_is_answered_with_those_that_there_are(bridge, url, tool):
    show(bridge, "back", FRAME)
    given = {"camera": "garden"}
    given |= {"class": "dog"} if tool in ("count", "find", "wait_for") else {}
    given |= {"question": "Who is there?"} if tool == "ask" else {}
    expected = "unknown_camera: unknown camera 'garden'; cameras are front, back"
    assert refusal(url, tool, given) == expected
    for camera in ("front", "back"):
        bridge.on_loop(bridge.hub.remove, camera)
    assert refusal(url, tool, given | {"camera": ""}) == "unknown_camera: no camera is connected"


@pytest.mark.parametrize(
    ("tool", "given", "part"),
    [
        ("count", {}, "class: Field required"),
        ("count", {"class": ""}, "class: "),
        ("count", {"class": "x" * 101}, "class: String should have at most 100 characters"),
        ("count", {"class": "dog", "colour": "brown"}, "colour: Extra inputs are not permitted"),
        ("count", {"class": ["dog"]}, "class: Input should be a valid string"),
        ("describe", {"camera": "../etc"}, "camera: String should match pattern"),
        ("describe", {"tasks": ["detect"] * 17}, "tasks: List should have at most 16 items"),
        ("ask", {"question": "x" * 2001}, "question: String should have at most 2000"),
        ("ask", {"question": "  "}, "question: expected words"),
        ("wait_for", {"class": "dog", "seconds": 601}, "seconds: Input should be less than"),
        ("wait_for", {"class": "dog", "seconds": "nan"}, "seconds: "),
        ("wait_for", {"class": "dog", "count": -1}, "count: Input should be greater than"),
    ],
)
def test_arguments_out_of_bounds_are_refused_with_what_is_expected(url, tool, given, part):
    text = refusal(url, tool, given)
    assert text.startswith(f"invalid_request: {part}")
    assert len(text) < 600


def test_what_the_detector_refuses_reaches_the_model(url):
    assert refusal(url, "describe", {"tasks": ["faces"]}).startswith("unknown_task: ")
    assert refusal(url, "describe", {"language": "tlh"}).startswith("unknown_language: ")
    assert refusal(url, "describe", {"style": "poem"}).startswith("unknown_style: ")


def test_a_bug_is_told_without_its_inside(web, caplog):
    def fail(request):
        raise RuntimeError("/secret/path")

    bridge = web(fail, mcp=True)
    show(bridge, "front", FRAME)
    text = refusal(f"{bridge.url}/mcp", "count", {"class": "dog"})
    assert text == "error: the server failed on this request; its log says why"
    assert "/secret/path" in caplog.text


def test_an_unknown_tool_is_an_error_of_the_protocol(url):
    with pytest.raises(MCPError, match="unknown tool 'fly'; tools are list_cameras, describe"):
        raw_call(url, "fly")


def test_long_lists_are_cut_and_say_so(web):
    class Crowd(RectangleDescriber):
        @staticmethod
        def find(image):
            one = RectangleDescriber.find(image)
            return one[np.zeros(MOST_ITEMS + 7, int)]

    bridge = web(Crowd(), mcp=True)
    show(bridge, "front", FRAME)
    seen = call(f"{bridge.url}/mcp", "describe")
    assert len(seen["detections"]) == MOST_ITEMS
    assert seen["left_out"] == {"detections": 7}
    name = seen["detections"][0]["class_id"]
    found = call(f"{bridge.url}/mcp", "find", **{"class": name})
    assert (found["count"], len(found["objects"])) == (MOST_ITEMS + 7, MOST_ITEMS)


def test_a_snapshot_is_a_picture_of_a_bounded_size(bridge, url):
    noise = np.random.default_rng(1).integers(0, 255, (1500, 2000, 3), np.uint8)
    show(bridge, "noisy", cv2.imencode(".jpg", noise)[1].tobytes())
    result = raw_call(url, "snapshot", {"camera": "noisy"})
    shown, text = result.content
    data = base64.b64decode(shown.data)
    assert shown.mime_type == "image/jpeg"
    assert len(data) <= MOST_BYTES
    said = result.structured_content
    assert decoded(data).shape == (said["height"], said["width"], 3)
    assert said["width"] in (1024, 640)
    assert (said["camera"], said["annotated"]) == ("noisy", False)
    assert text.type == "text"


def test_a_snapshot_shows_what_was_found_if_asked_to(bridge, url):
    drawn = picture([("kite", (0, 0, 320, 240))], extension=".jpg")
    bridge.on_loop(bridge.hub.publish, "front", annotated=drawn)
    shown = raw_call(url, "snapshot", {"annotated": True}).content[0]
    assert decoded(base64.b64decode(shown.data)).mean(axis=(0, 1))[1] > 200  # it is green
    plain = raw_call(url, "snapshot").content[0]
    assert decoded(base64.b64decode(plain.data)).mean(axis=(0, 1))[1] < 150


class Answering(FakeHandler):
    def __init__(self, error=None):
        self.error = error
        self.asked = []
        self.go_on = asyncio.Event()

    async def ask(self, request, told):
        self.asked.append(request)
        if self.error:
            raise self.error
        told("Two people")
        await self.go_on.wait()
        told("Two people, and a dog.")
        reply = await self.describe(request)
        checks = (CountCheck("person", "person", 2, 2),)
        answer = Answer("Two people, and a dog.", "tiny", 0.5, "agrees", checks)
        return DescribeReply(reply.description, answer=answer)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_question_is_answered_and_the_text_so_far_is_told(web, mode):
    handler = Answering()
    bridge = web(handler=handler, mcp=True)
    show(bridge, "front", FRAME)
    said = []

    async def told(progress, total, message):
        said.append((progress, message))
        bridge.on_loop(handler.go_on.set)

    async def talk(client):
        given = {"question": "Who is there?", "language": "en"}
        return await client.call_tool("ask", given, progress_callback=told)

    answered = agent(talk, f"{bridge.url}/mcp", mode=mode).structured_content
    assert answered["answer"] == "Two people, and a dog."
    assert (answered["agreement"], answered["model"]) == ("agrees", "tiny")
    assert answered["counts"] == [{"class": "person", "answered": 2, "detected": 2}]
    assert answered["sentence"] == FakeHandler.SENTENCE
    assert said[0] == (1, "Two people")
    assert handler.asked[0].question == "Who is there?"
    assert bytes(handler.asked[0].picture) == FRAME


def test_without_a_language_model_a_question_says_so(web):
    bridge = web(handler=Answering(LanguageModelOffError("caption_url is empty")), mcp=True)
    show(bridge, "front", FRAME)
    text = refusal(f"{bridge.url}/mcp", "ask", {"question": "Is the door open?"})
    assert text == "vlm_off: caption_url is empty"


def test_who_may_call_is_checked_as_everywhere(web):
    bridge = web(mcp=True, token=TOKEN)
    url = f"{bridge.url}/mcp"
    with bridge.client() as client:
        for headers in ({}, {"authorization": "Bearer wrong-horse-battery"}):
            reply = client.post("/mcp", json={}, headers=headers)
            assert reply.status_code == 401
            assert reply.json()["error"]["code"] == "unauthorized"
        shown = {"authorization": f"Bearer {TOKEN}"}
        evil = shown | {"host": "evil.example"}
        assert client.post("/mcp", json={}, headers=evil).status_code == 421
        evil = shown | {"origin": "https://evil.example"}
        assert client.post("/mcp", json={}, headers=evil).status_code == 403
    for refused in (url, with_token(url, "wrong-horse-battery")):
        with pytest.raises(MCPError, match="error response"):
            raw_call(refused, "list_cameras")
    assert call(with_token(url, TOKEN), "list_cameras") == {"cameras": []}


def test_only_post_is_served_and_no_large_body(bridge):
    with bridge.client() as client:
        for method in ("GET", "DELETE", "PUT", "HEAD"):
            assert client.request(method, "/mcp").status_code == 405, method
        head = {"accept": "application/json, text/event-stream"}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"x": "y" * 65536}}
        assert client.post("/mcp", json=body, headers=head).status_code == 413
        reply = client.post("/mcp", content=b"{", headers=head | {"content-type": "text/plain"})
        assert reply.status_code == 400
        assert "Traceback" not in reply.text


def test_off_there_is_no_mcp(plain_web):
    with plain_web.client() as client:
        assert client.post("/mcp", json={}).status_code == 404


def test_off_it_costs_nothing():
    code = (
        "import sys, i2t_ros.bridges.http.server; assert not {'mcp', 'mcp_types'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_requests_are_counted_by_their_route(bridge, url):
    call(url, "list_cameras")
    counted = {"method": "POST", "route": "/mcp", "status": "200"}
    assert bridge.metric("i2t_http_requests_total", **counted) >= 2
