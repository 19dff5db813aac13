"""Questions to a detector_node by its action: answers, feedback, cancellation, every bad end."""

import signal
import time

import hostile_vlm
import pytest
from ask_talk import ABORTED, CANCELED, SUCCEEDED, Asker, goal
from detector_talk import GREY, picture, show
from hostile_vlm import good, slow, status
from i2t_ros.srv import Describe
from lifecycle_msgs.msg import Transition
from lifecycle_talk import change
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String

from i2t_ros.nodes.detector.work import MOST_ANSWERS
from i2t_ros.nodes.lifecycle.deferred_action import MOST_GOALS, MOST_KNOWN

PROMPTLY = 2.0
"""Seconds, on a busy machine; a request would wait for 10, an answer for 60."""
WORDS = ["There", " is", " one", " person", "."]
TEXT = "".join(WORDS)


@pytest.fixture
def vlm():
    with hostile_vlm.serving(good(WORDS)) as server:
        yield server


@pytest.fixture
def detector(start, vlm):
    return start(model="fake", caption_url=vlm.url, caption_model="tiny", caption_timeout=60.0)


@pytest.fixture
def asker(peer, detector):
    asker = Asker(peer)
    yield asker
    asker.close()


def test_a_picture_is_asked_about_and_the_answer_comes_as_it_is_written(peer, vlm, asker, gate):
    vlm.play = good(WORDS, gate=gate)
    asked = asker.send(goal("How many people are there?", language="en", annotate=True))
    peer.until(lambda: asked.said, "the first word")
    assert (asked.said, asked.status) == (["There"], 0), "before the answer is whole"
    gate.set()
    result = asker.ended(asked).result
    assert (asked.status, result.success, result.error_code) == (SUCCEEDED, True, "")
    assert (result.answer.text, result.answer.model.split(" at ")[0]) == (TEXT, "tiny")
    assert result.answer.elapsed.sec + result.answer.elapsed.nanosec > 0
    assert result.answer.agreement in ("agrees", "unchecked")
    assert result.description.sentence == "I can see a person."
    assert result.annotated.format == "png"
    assert all(TEXT.startswith(text) for text in asked.said)
    told = vlm.next_asked()
    assert "How many people are there?" in told.text
    assert "person" in told.text, "what was detected grounds the answer"
    assert len(told.pictures) == 1


def test_a_camera_is_asked_about_and_so_is_one_that_has_shown_nothing(peer, asker):
    none_yet = asker.ask(image=CompressedImage())
    assert (none_yet.status, none_yet.result.error_code) == (ABORTED, "no_frame")
    sentences = peer.collect(String, "/detector_node/sentence")
    show(peer, peer.camera(), picture(GREY, stamp=7), lambda: sentences)
    result = asker.ask(image=CompressedImage()).result
    assert (result.answer.text, result.description.header.stamp.nanosec) == (TEXT, 7)


def test_every_bad_end_has_its_code_and_the_description_comes_all_the_same(vlm, asker):
    for fields, code in (
        ({"question": ""}, "invalid_request"),
        ({"question": " "}, "invalid_request"),
        ({"question": "?" * 3000}, "invalid_request"),
        ({"tasks": ["dance"]}, "unknown_task"),
        ({"camera": "rear", "image": CompressedImage()}, "unknown_camera"),
        ({"image": CompressedImage(data=b"GIF89a" + bytes(50))}, "unsupported_format"),
    ):
        asked = asker.ask(**fields)
        assert (asked.status, asked.result.success) == (ABORTED, False)
        assert asked.result.error_code == code, asked.result.message
        assert asked.result.message
    assert vlm.asked == []
    vlm.play = status(500, "out of memory")
    asked = asker.ask()
    assert (asked.status, asked.result.success) == (ABORTED, False)
    assert asked.result.error_code == "vlm_server_error"
    assert "out of memory" in asked.result.message
    assert asked.result.description.sentence == "I can see a person."
    assert [failure.task for failure in asked.result.description.failures] == ["question"]
    vlm.play = good(WORDS)
    assert asker.ask().status == SUCCEEDED


def test_describe_answers_questions_too(peer, vlm, detector):
    request = Describe.Request(image=goal().image, question="How many?")
    response = peer.call(Describe, "/detector_node/describe", request)
    assert (response.success, response.answer.text) == (True, TEXT)
    vlm.play = status(500)
    response = peer.call(Describe, "/detector_node/describe", request)
    assert (response.success, response.answer.text) == (True, "")
    failures = [(each.task, each.code) for each in response.description.failures]
    assert failures == [("question", "vlm_server_error")]


def test_without_a_server_a_question_has_its_own_error(peer, start):
    start(model="fake")
    request = Describe.Request(image=goal().image, question="How many?")
    response = peer.call(Describe, "/detector_node/describe", request)
    (failure,) = response.description.failures
    assert (failure.task, failure.code) == ("question", "vlm_off")
    assert response.description.sentence == "I can see a person."
    assert not [name for name, _ in peer.node.get_topic_names_and_types() if "/ask/" in name]


def test_cancel_ends_the_goal_and_the_model(peer, vlm, asker, gate):
    vlm.play = good(WORDS, gate=gate)
    asked = asker.send(goal())
    at_server = vlm.next_asked()
    peer.until(lambda: asked.said, "the first word")
    began = time.monotonic()
    asker.cancel(asked)
    result = asker.ended(asked).result
    assert at_server.closed.wait(PROMPTLY), "the server knows that nobody listens"
    assert time.monotonic() - began < PROMPTLY
    assert (asked.status, result.success, result.error_code) == (CANCELED, False, "canceled")
    vlm.play = good(WORDS)
    assert asker.ask().status == SUCCEEDED


def test_goals_are_canceled_that_wait_for_others(peer, vlm, asker, gate):
    vlm.play = slow(gate, WORDS)
    first = [asker.send(goal(f"first {i}")) for i in range(MOST_ANSWERS)]
    for _ in first:
        vlm.next_asked()
    waiting = [asker.send(goal(f"later {i}")) for i in range(3)]
    for asked in waiting:
        asker.taken(asked)
    began = time.monotonic()
    for asked in waiting[:2]:
        asker.cancel(asked)
    assert [asker.ended(asked).status for asked in waiting[:2]] == [CANCELED, CANCELED]
    assert time.monotonic() - began < PROMPTLY
    assert [asked.status for asked in (*first, waiting[2])] == [0] * 5
    gate.set()
    assert {asker.ended(asked).status for asked in (*first, waiting[2])} == {SUCCEEDED}
    questions = [asked.text for asked in vlm.asked]
    assert not any("later 0" in text or "later 1" in text for text in questions)
    assert any("later 2" in text for text in questions)


def test_an_ended_goal_cannot_be_canceled(peer, asker):
    asked = asker.ask()
    asker.cancel(asked)
    assert asker.ask().status == SUCCEEDED
    assert asked.status == SUCCEEDED


def test_a_goal_beyond_the_queue_is_busy(peer, vlm, start, gate):
    start(model="fake", caption_url=vlm.url, max_waiting_requests=0, caption_timeout=60.0)
    asker = Asker(peer)
    vlm.play = slow(gate, WORDS)
    asked = []
    for _ in range(MOST_ANSWERS):  # one by one: no picture may wait to be looked at, either
        asked.append(asker.send(goal()))
        vlm.next_asked()
    one_more = asker.ask()
    assert (one_more.status, one_more.result.error_code) == (ABORTED, "busy")
    gate.set()
    assert {asker.ended(each).status for each in asked} == {SUCCEEDED}
    asker.close()


def test_a_flood_of_goals_is_told_that_the_node_is_busy_and_then_refused(peer, vlm, start):
    start(model="fake", caption_url=vlm.url)
    asker = Asker(peer)
    sent = [asker.send(goal("")) for _ in range(MOST_KNOWN + 20)]
    peer.until(lambda: all(each.status or each.accepted is False for each in sent), "all end")
    codes = [each.result.error_code for each in sent if each.accepted]
    assert 0 < codes.count("invalid_request") <= MOST_GOALS
    assert codes.count("busy") >= MOST_KNOWN - 2 * MOST_GOALS
    assert sum(not each.accepted for each in sent) >= 20
    assert peer.call(Describe, "/detector_node/describe", Describe.Request()).error_code
    asker.close()


@pytest.mark.parametrize("transition", ["deactivate", "shutdown"])
def test_goals_end_with_the_nodes_activity(peer, vlm, asker, gate, transition):
    vlm.play = good(WORDS, gate=gate)
    asked = asker.send(goal())
    at_server = vlm.next_asked()
    began = time.monotonic()
    change(peer, getattr(Transition, f"TRANSITION_{TRANSITIONS[transition]}"))
    assert (asker.ended(asked).status, asked.result.error_code) == (ABORTED, "not_active")
    assert at_server.closed.wait(PROMPTLY)
    assert time.monotonic() - began < PROMPTLY
    assert asker.ask().result.error_code == "not_active"


TRANSITIONS = {"deactivate": "DEACTIVATE", "shutdown": "ACTIVE_SHUTDOWN"}


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_goals_end_with_the_process_which_ends_at_once(peer, vlm, detector, asker, gate, sign):
    vlm.play = slow(gate)
    asked = [asker.send(goal()) for _ in range(MOST_ANSWERS + 2)]
    at_server = [vlm.next_asked() for _ in range(MOST_ANSWERS)]
    for each in asked:
        asker.taken(each)
    peer.processes.remove(detector)
    began = time.monotonic()
    assert detector.stop(sign) == 0
    assert time.monotonic() - began < PROMPTLY + 1
    assert {asker.ended(each).result.error_code for each in asked} == {"not_active"}
    assert all(each.closed.wait(PROMPTLY) for each in at_server)
    assert "ERROR" not in detector.log()
