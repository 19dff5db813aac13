"""The hub: the newest of every camera for any number of viewers, and nothing else."""

import asyncio

import pytest

from i2t_ros.bridges import camera_hub
from i2t_ros.bridges.camera_hub import CameraHub
from i2t_ros.errors import BusyError, InvalidRequestError, UnknownCameraError


@pytest.fixture
def changes():
    return []


@pytest.fixture
def hub(changes):
    return CameraHub(max_cameras=3, on_change=lambda: changes.append(1))


def test_the_newest_is_kept_and_seen_once(hub):
    async def main():
        camera = hub.add("front")
        hub.publish("front", raw=b"1")
        hub.publish("front", raw=b"2")
        with camera.raw.view() as viewer:
            assert (await viewer.next(5)).item == b"2"
            assert await viewer.next(0) is None
            hub.publish("front", raw=b"3")
            shot = await viewer.next(5)
            assert (shot.item, shot.number) == (b"3", 3)
        assert camera.raw.count == 3

    asyncio.run(main())


def test_a_viewer_waits_for_what_comes_and_a_slow_one_misses_the_rest(hub):
    async def main():
        camera = hub.add("front")
        with camera.annotated.view() as quick, camera.annotated.view() as slow:
            seen = []
            for number in range(100):
                waiting = asyncio.ensure_future(quick.next(5))
                await asyncio.sleep(0)
                hub.publish("front", annotated=b"%d" % number)
                seen.append((await waiting).item)
            assert seen == [b"%d" % number for number in range(100)]
            assert (await slow.next(5)).item == b"99"
            assert await slow.next(0.01) is None

    asyncio.run(main())


def test_every_camera_and_viewer_that_comes_or_goes_is_announced(hub, changes):
    camera = hub.add("front")
    assert len(changes) == 1
    with camera.raw.view(), camera.words.view():
        with camera.raw.view():
            assert (camera.viewers, len(changes)) == (3, 4)
        assert (camera.viewers, len(changes)) == (2, 5)
    assert (camera.viewers, len(changes)) == (0, 7)
    hub.publish("front", raw=b"1")
    assert len(changes) == 7
    hub.remove("front")
    assert len(changes) == 8


def test_a_camera_that_leaves_takes_its_pictures_with_it_and_may_come_back(hub):
    async def main():
        hub.add("esp", "websocket")
        hub.publish("esp", raw=b"old")
        with hub.waiting_for("esp") as camera, camera.raw.view() as viewer:
            hub.remove("esp")
            assert await viewer.next(5) is None
            assert not camera.online
            hub.publish("esp", raw=b"from nobody")
            assert hub.add("esp", "websocket") is camera
            hub.publish("esp", raw=b"new")
            assert (await viewer.next(5)).item == b"new"
            hub.remove("esp")
        with pytest.raises(UnknownCameraError):
            hub.find("esp")

    asyncio.run(main())


def test_finding_cameras(hub):
    with pytest.raises(UnknownCameraError, match="no camera is connected"):
        hub.find()
    hub.add("front")
    hub.add("rear")
    assert hub.find().name == "front"
    assert hub.find("rear").name == "rear"
    with pytest.raises(UnknownCameraError, match=r"'side'; cameras are front, rear"):
        hub.find("side")
    hub.remove("front")
    assert hub.find().name == "rear"
    hub.remove("never there")


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a/b", "../a", "a b", "é", "x" * 65])
def test_names_that_could_not_stand_in_a_topic_or_a_url(hub, name):
    with pytest.raises(InvalidRequestError, match="letters, digits and underscores"):
        hub.add(name)


def test_a_camera_that_comes_back_has_its_place_again(hub, monkeypatch):
    for name in ("a", "b"):
        hub.add(name)
    hub.remove("a")
    assert [camera.name for camera in hub.online] == ["b"]
    hub.add("a")
    assert [camera.name for camera in hub.online] == ["a", "b"]
    # Not those of any number of cameras; but those that are there keep theirs.
    monkeypatch.setattr(camera_hub, "MAX_PLACES", 3)
    hub.remove("b")
    for name in ("c", "d", "e"):
        hub.add(name)
        hub.remove(name)
    hub.add("b")
    hub.add("c")
    assert [camera.name for camera in hub.online] == ["a", "b", "c"]
    assert len(hub._places) == 3


def test_there_are_only_so_many_and_those_nobody_waits_for_are_forgotten(hub):
    for name in ("a", "b"):
        hub.add(name)
    with hub.waiting_for("c"), pytest.raises(BusyError):
        hub.add("d")
    hub.add("d")
    hub.remove("d")
    hub.add("e")
