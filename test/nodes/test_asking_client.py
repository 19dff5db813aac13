"""The bridge's questions: they reach a detector by its action, and end when it does."""

import asyncio
import threading
import time

import hostile_vlm
import pytest
from action_msgs.srv import CancelGoal
from ask_talk import PNG
from hostile_vlm import good, slow, status
from lifecycle_msgs.msg import Transition
from lifecycle_talk import change
from rclpy.task import Future
from waiting import TIME_LIMIT, until

from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.errors import (
    CanceledError,
    DetectorUnreachableError,
    ImageError,
    InvalidRequestError,
    LanguageModelOffError,
    LanguageModelServerError,
    NotActiveError,
)
from i2t_ros.nodes.bridge.detector_client import DetectorClient
from i2t_ros.types import DescribeRequest, Picture

WORDS = ["There", " is", " one."]
REQUEST = DescribeRequest(picture=Picture(PNG), question="How many?")


class Bridge:
    """A DetectorClient with its loop, as a bridge_node has one."""

    def __init__(self, node, service="/detector_node/describe"):
        self.loop = LoopThread()
        self.loop.start()
        self.client = DetectorClient(node, service, self.loop, 2)

    def ask(self, request=REQUEST, told=lambda _: None):
        """Begin to ask."""
        return Asking(self.loop, self.client.ask(request, told))

    def close(self):
        self.loop.stop()
        self.client.close()


class Asking:
    """A question that the loop waits for."""

    def __init__(self, loop, coroutine):
        self._task = None
        self._loop = loop
        self._ended = threading.Event()
        self._coroutine = coroutine
        loop.post(self._begin)

    def _begin(self):
        self._task = asyncio.ensure_future(self._coroutine)
        self._task.add_done_callback(lambda _: self._ended.set())

    def cancel(self):
        self._loop.post(self._task.cancel)

    def result(self, limit=TIME_LIMIT):
        assert self._ended.wait(limit), "not answered in time"
        return self._task.result()

    def pending(self):
        return not self._ended.is_set()


@pytest.fixture
def vlm():
    with hostile_vlm.serving(good(WORDS)) as server:
        yield server


@pytest.fixture
def bridge(peer, monkeypatch):
    monkeypatch.setattr(peer.node, "end", lambda **_: None, raising=False)
    bridge = Bridge(peer.node)
    yield bridge
    bridge.close()


@pytest.fixture
def detector(start, vlm, bridge):
    detector = start(model="fake", caption_url=vlm.url, caption_timeout=60.0)
    until(lambda: bridge.client.ready() and bridge.client._asking.ready(), "the detector is found")
    return detector


def test_the_answer_comes_as_it_is_written_and_then_whole(vlm, bridge, detector, gate):
    vlm.play = good(WORDS, gate=gate)
    said, first = [], threading.Event()

    def told(text):
        said.append((text, threading.current_thread().name))
        first.set()

    asking = bridge.ask(told=told)
    assert first.wait(TIME_LIMIT)
    assert said == [("There", "i2t_bridges")], "on the loop"
    gate.set()
    reply = asking.result()
    assert reply.answer.text == "There is one."
    assert reply.description.sentence == "I can see a person."
    assert "How many?" in vlm.next_asked().text


def test_errors_are_those_of_the_detector_and_of_the_language_model(vlm, bridge, detector):
    with pytest.raises(InvalidRequestError, match="question"):
        bridge.ask(DescribeRequest(picture=REQUEST.picture)).result()
    with pytest.raises(ImageError):
        bridge.ask(DescribeRequest(picture=Picture(b"none"), question="What?")).result()
    vlm.play = status(500, "out of memory")
    with pytest.raises(LanguageModelServerError, match="out of memory"):
        bridge.ask().result()


def test_a_text_that_ros_has_no_bytes_for_is_an_error_and_no_more(bridge, detector):
    with pytest.raises(Exception, match="surrogates"):
        bridge.ask(DescribeRequest(picture=REQUEST.picture, question="\udc80")).result()
    assert bridge.ask().result().answer


def test_whoever_is_cancelled_stops_the_model_and_frees_the_place(vlm, bridge, detector, gate):
    vlm.play = slow(gate)
    asking = [bridge.ask() for _ in range(2)]
    at_server = [vlm.next_asked() for _ in asking]
    for each in asking:
        each.cancel()
    for each in asking:
        with pytest.raises(asyncio.CancelledError):
            each.result(TIME_LIMIT)
    assert all(each.closed.wait(TIME_LIMIT) for each in at_server)
    vlm.play = good(WORDS)
    assert bridge.ask().result().answer.text == "There is one."


def test_closing_the_bridge_stops_the_model(vlm, peer, monkeypatch, detector, gate):
    monkeypatch.setattr(peer.node, "end", lambda **_: None, raising=False)
    vlm.play = slow(gate)
    bridge = Bridge(peer.node)
    until(bridge.client._asking.ready, "the detector is found")
    bridge.ask()
    at_server = vlm.next_asked()
    began = time.monotonic()
    bridge.close()
    assert time.monotonic() - began < 10  # FAREWELL is 2
    assert at_server.closed.wait(TIME_LIMIT)


def test_another_client_may_cancel_all_goals(vlm, peer, bridge, detector, gate):
    vlm.play = slow(gate)
    asking = bridge.ask()
    vlm.next_asked()
    peer.call(CancelGoal, "/detector_node/ask/_action/cancel_goal", CancelGoal.Request())
    with pytest.raises(CanceledError):
        asking.result()


def test_without_a_detector_there_is_no_waiting(bridge):
    with pytest.raises(DetectorUnreachableError, match="describe; start detector_node"):
        bridge.ask().result(2)


def test_a_detector_that_ends_says_so(vlm, peer, bridge, detector, gate):
    vlm.play = slow(gate)
    asking = bridge.ask()
    vlm.next_asked()
    peer.processes.remove(detector)
    detector.stop()
    with pytest.raises((NotActiveError, DetectorUnreachableError)):
        asking.result(3)
    with pytest.raises(DetectorUnreachableError):
        bridge.ask().result(3)


def test_a_detector_that_was_killed_is_missed_as_soon_as_ros_notices(
    vlm, peer, bridge, detector, gate
):
    vlm.play = slow(gate)
    asking = bridge.ask()
    vlm.next_asked()
    peer.processes.remove(detector)
    detector.kill()
    with pytest.raises(DetectorUnreachableError):
        asking.result(60)
    assert not bridge.client.ready()


def test_a_question_is_asked_again_of_the_detector_that_comes_next(
    vlm, peer, bridge, detector, start, gate
):
    vlm.play = slow(gate)
    asking = bridge.ask()
    vlm.next_asked()
    peer.processes.remove(detector)
    detector.kill()
    vlm.play = good(WORDS)
    start(model="fake", caption_url=vlm.url)
    assert asking.result().answer.text == "There is one."


def test_a_detector_that_is_not_active_says_so(peer, bridge, detector):
    change(peer, Transition.TRANSITION_DEACTIVATE)
    with pytest.raises(NotActiveError):
        bridge.ask().result(3)


def test_questions_wait_for_one_another_and_hold_up_no_description(vlm, bridge, detector, gate):
    vlm.play = slow(gate, WORDS)
    asking = [bridge.ask() for _ in range(3)]
    for _ in range(2):
        vlm.next_asked()
    plain = DescribeRequest(picture=REQUEST.picture)
    reply = bridge.loop.call(bridge.client.describe(plain), TIME_LIMIT)
    assert reply.description.sentence == "I can see a person."
    assert all(each.pending() for each in asking)
    assert len(vlm.asked) == 2
    gate.set()
    assert [each.result().answer.text for each in asking] == ["There is one."] * 3


@pytest.mark.parametrize("lost", ["send_goal_async", "_get_result_async"])
def test_a_response_that_ros_threw_away_is_asked_for_again(monkeypatch, bridge, detector, lost):
    client = bridge.client._asking._client
    ask, asked = getattr(client, lost), []

    def lossy(*arguments, **options):
        asked.append(arguments)
        return Future() if len(asked) == 1 else ask(*arguments, **options)

    monkeypatch.setattr(client, lost, lossy)
    assert bridge.ask().result().answer.text == "There is one."
    assert len(asked) == 2


def test_a_detector_without_a_language_model_has_no_action_and_says_what_to_set(bridge, start):
    start(model="fake")
    until(bridge.client.ready, "the service is found")
    with pytest.raises(LanguageModelOffError, match="caption_url"):
        bridge.ask().result()
