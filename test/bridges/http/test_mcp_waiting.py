"""wait_for: it is seen, it is not, the agent leaves, the bridge closes; by the SDK's client."""

import asyncio
import time

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("mcp")
from agents import agent, call, refusal, soon
from frame_sinks import Sink
from streams import words_of
from waiting import until
from web_support import picture
from websockets.sync.client import connect

from i2t_ros.bridges.http.mcp import waiting
from i2t_ros.types import Description, Scene

DOG, PERSON = (("dog", (10, 10, 50, 90)),), (("person", (60, 10, 90, 90)),)
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture
def bridge(web):
    bridge = web(mcp=True)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    return bridge


@pytest.fixture
def url(bridge):
    return f"{bridge.url}/mcp"


def show(bridge, boxes, camera="front"):
    bridge.on_loop(bridge.hub.publish, camera, words=words_of(boxes))


def tasks_of(bridge):
    tasks = bridge.on_loop(asyncio.all_tasks)
    return {task.get_coro().__qualname__.rpartition(".")[2] for task in tasks}


async def waits(bridge, number):
    await soon(lambda: bridge.services.viewers == number, f"{number} wait")


@MODES
def test_it_is_told_when_the_camera_shows_it(bridge, url, mode):
    async def talk(client):
        given = {"class": "person", "count": 1, "seconds": 600, "camera": "front"}
        wait = asyncio.create_task(client.call_tool("wait_for", given))
        await waits(bridge, 1)
        await asyncio.to_thread(show, bridge, DOG)
        front = bridge.hub.known("front").words
        await soon(lambda: not any(v.changed.is_set() for v in front.viewers), "it is looked at")
        assert not wait.done()
        await asyncio.to_thread(show, bridge, DOG + PERSON)
        return await wait

    seen = agent(talk, url, mode=mode).structured_content
    assert (seen["seen"], seen["count"], seen["camera"]) == (True, 1, "front")
    assert seen["in_view"] == {"dog": 1, "person": 1}
    assert seen["looked"] >= 1
    assert 0 < seen["after"] < 60
    assert seen["at"].endswith("+00:00")
    assert bridge.describer.asked == []  # the detector is not asked: it describes anyway
    until(lambda: bridge.services.viewers == 0, "nobody waits")


def test_what_is_in_view_already_is_told_at_once(bridge, url):
    show(bridge, DOG)
    assert call(url, "wait_for", **{"class": "dogs", "seconds": 600})["seen"]


def test_it_is_told_when_nothing_of_the_kind_is_in_view_any_more(bridge, url):
    show(bridge, DOG)
    seen = call(url, "wait_for", **{"class": "person", "count": 0, "seconds": 600})
    assert (seen["seen"], seen["count"], seen["in_view"]) == (True, 0, {"dog": 1})


@MODES
def test_after_the_time_it_is_told_what_was_in_view(bridge, url, mode):
    show(bridge, DOG)
    given = {"class": "dog", "count": 2, "seconds": 0.3}
    seen = call(url, "wait_for", {"mode": mode}, **given)
    assert (seen["seen"], seen["count"], seen["looked"]) == (False, 1, 1)
    assert 0.3 <= seen["after"] < 10


def test_a_camera_that_shows_nothing_is_told_from_one_that_shows_no_such_thing(url):
    seen = call(url, "wait_for", **{"class": "dog", "seconds": 0.1})
    assert (seen["seen"], seen["looked"]) == (False, 0)


def test_a_camera_nobody_looks_for_objects_with_is_an_error(bridge, url):
    words = Description(Scene(9, 9, {"text": ()}), "I can read nothing.", "en", "list", "ocr", 0.1)
    bridge.on_loop(bridge.hub.publish, "front", words=words)
    text = refusal(url, "wait_for", {"class": "dog", "seconds": 600})
    assert text.startswith("unknown_task: nothing has looked for objects, only for text")


@MODES
def test_progress_is_told_to_a_client_that_wants_it(bridge, url, mode, monkeypatch):
    monkeypatch.setattr(waiting, "TELL_INTERVAL", 0.0)
    said = []

    async def told(progress, total, message):
        said.append((progress, total, message))
        if len(said) == 1:
            await asyncio.to_thread(show, bridge, DOG)
        elif len(said) == 2:
            await asyncio.to_thread(show, bridge, DOG + PERSON)

    async def talk(client):
        given = {"class": "person", "seconds": 500}
        return await client.call_tool("wait_for", given, progress_callback=told)

    assert agent(talk, url, mode=mode).structured_content["seen"]
    assert said[0][1:] == (500, "waiting for a picture of camera front")
    assert said[1][1:] == (500, "person: 0 in view")
    assert said[0][0] <= said[1][0]


def test_a_websocket_camera_is_followed_through_the_detector(web):
    sink = Sink()
    bridge = web(sink=sink, mcp=True)
    sink.hub = bridge.hub
    frame = picture(DOG, size=(100, 100), extension=".jpg")
    with connect(bridge.url.replace("http", "ws") + "/ws/door", compression=None) as camera:

        async def talk(client):
            await soon(lambda: bridge.hub.online, "the camera is there")
            given = {"class": "dog", "seconds": 600}
            wait = asyncio.create_task(client.call_tool("wait_for", given))
            await waits(bridge, 1)
            await asyncio.to_thread(camera.send, frame)
            return await wait, await client.call_tool("count", {"class": "dog"})

        waited, counted = agent(talk, f"{bridge.url}/mcp")
    assert waited.structured_content["seen"]
    assert waited.structured_content["camera"] == "door"
    assert counted.structured_content["count"] == 1


def test_an_agent_that_gives_up_ends_its_wait(bridge, url):
    async def talk(client):
        given = {"class": "dog", "seconds": 600}
        wait = asyncio.create_task(client.call_tool("wait_for", given))
        await waits(bridge, 1)
        wait.cancel()
        await waits(bridge, 0)
        return await client.call_tool("list_cameras", {})  # the others go on

    assert not agent(talk, url).is_error


@MODES
def test_an_agent_that_leaves_ends_its_wait(bridge, url, mode):
    async def talk(client):
        wait = asyncio.create_task(client.call_tool("wait_for", {"class": "dog", "seconds": 600}))
        await waits(bridge, 1)
        return wait

    agent(talk, url, mode=mode)
    until(lambda: bridge.services.viewers == 0, "the wait has ended")
    ours = {"live", "call", "_run"}  # the last one is what /mcp itself runs in
    until(lambda: tasks_of(bridge) <= ours, "nothing of it is left")


@MODES
def test_two_agents_wait_at_once_each_for_its_own(bridge, url, mode):
    async def talk(*clients):
        tasks = [
            asyncio.create_task(client.call_tool("wait_for", {"class": name, "seconds": 600}))
            for client, name in zip(clients, ("dog", "person"), strict=True)
        ]
        await waits(bridge, 2)
        await asyncio.to_thread(show, bridge, PERSON)
        person = await tasks[1]
        assert not tasks[0].done()
        await asyncio.to_thread(show, bridge, DOG)
        return await tasks[0], person

    dog, person = agent(talk, url, url, mode=mode)
    assert dog.structured_content["class"] == "dog"
    assert person.structured_content["in_view"] == {"person": 1}


def test_waits_are_viewers_and_have_their_limit(web):
    bridge = web(mcp=True, max_viewers=1)
    bridge.on_loop(bridge.hub.add, "front", "topic")

    async def talk(client):
        given = {"class": "dog", "seconds": 600}
        wait = asyncio.create_task(client.call_tool("wait_for", given))
        await waits(bridge, 1)
        refused = await client.call_tool("wait_for", given)
        wait.cancel()
        return refused

    refused = agent(talk, f"{bridge.url}/mcp")
    assert refused.is_error
    assert refused.content[0].text.startswith("busy: 1 viewer already, the limit")


def test_a_wait_outlives_the_limits_on_headers_and_bodies(web):
    quick = dict.fromkeys(("header_time", "idle_time", "receive_time", "send_time"), 0.2)
    bridge = web(mcp=True, request_time=0.2, **quick)
    bridge.on_loop(bridge.hub.add, "front", "topic")

    async def told(*progress):
        """Have the reply begin at once: it is a stream then."""

    async def talk(client):
        await client.list_tools()  # on the connection that the next one uses again
        given = {"class": "dog", "seconds": 1.5}
        return [
            (await client.call_tool("wait_for", given, progress_callback=how)).structured_content
            for how in (None, told)
        ]

    for seen in agent(talk, f"{bridge.url}/mcp"):
        assert (seen["seen"], seen["looked"]) == (False, 0)
        assert seen["after"] >= 1.5


@MODES
def test_closing_the_bridge_ends_waits_in_time_and_leaves_nothing(bridge, url, mode):
    async def talk(client):
        given = {"class": "dog", "seconds": 600}
        wait = asyncio.create_task(client.call_tool("wait_for", given))
        await waits(bridge, 1)
        began = time.monotonic()
        await asyncio.to_thread(bridge.loop.call, bridge.server.close(), 20)
        return await wait, time.monotonic() - began

    ended, seconds = agent(talk, url, mode=mode)
    assert ended.is_error
    assert ended.content[0].text.startswith("not_active: the bridge is closing")
    assert seconds < bridge.server.drain_time
    assert tasks_of(bridge) == {"live", "call"}  # the loop itself, and the question
