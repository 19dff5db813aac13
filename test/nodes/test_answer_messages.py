"""Questions, answers and captions there and back through the messages, and what no node sends."""

from dataclasses import replace

import pytest
from i2t_ros.action import Ask
from i2t_ros.msg import CountCheck as CountCheckMsg
from i2t_ros.srv import Describe
from making import picture_of, scene_of
from std_msgs.msg import Header

from i2t_ros.errors import LanguageModelTimeError, ServiceError
from i2t_ros.nodes.messages.bounds import LONGEST_NAME, LONGEST_TEXT, MOST_FOUND
from i2t_ros.nodes.messages.descriptions import (
    description_from_msg,
    description_to_msg,
    goal_to_msg,
    reply_from_response,
    reply_from_result,
    request_from_msg,
    request_to_msg,
    response_to_msg,
    result_to_msg,
)
from i2t_ros.pipeline.asking import QUESTION
from i2t_ros.pipeline.tasks.caption import Caption
from i2t_ros.types import Answer, CountCheck, DescribeReply, DescribeRequest, Description, Picture

COUNTS = (CountCheck("dog", "perro", 2, 2), CountCheck("cat", "gato", 1, 3))
ANSWER = Answer("Dos perros y un gato.", "tiny at 127.0.0.1:1", 1.25, "disagrees", COUNTS)


def described(**failures):
    scene = replace(scene_of(64, 48), failures=failures)
    return Description(scene, "A sentence.", "es", "sentence", "fake", 0.5)


def test_a_question_comes_back_from_a_request_and_from_a_goal():
    request = DescribeRequest(
        picture=Picture(b"not looked at"),
        camera="front",
        tasks=("detect", "caption"),
        language="es",
        style="caption",
        spoken=True,
        min_score=0.25,
        annotate=True,
        question="¿Cuántos perros hay?",
    )
    for msg in (request_to_msg(request), goal_to_msg(request)):
        found = request_from_msg(msg)
        assert bytes(found.picture) == b"not looked at"
        assert replace(found, picture=None) == replace(request, picture=None)


def test_goals_have_all_fields_of_requests_but_one():
    goal, request = (kind.get_fields_and_field_types() for kind in (Ask.Goal, Describe.Request))
    assert request.pop("fresh")
    assert goal == request
    result, response = (
        kind.get_fields_and_field_types() for kind in (Ask.Result, Describe.Response)
    )
    assert response.pop("cached")
    assert result == response


def test_an_answer_comes_back():
    reply = DescribeReply(described(), picture_of(b"drawn", "png"), answer=ANSWER)
    for found in (
        reply_from_response(response_to_msg(Header(), reply)),
        reply_from_result(result_to_msg(Header(), reply)),
    ):
        assert found.answer == ANSWER
        assert bytes(found.annotated.data) == b"drawn"
        assert found.description.sentence == "A sentence."
    unasked = DescribeReply(described())
    assert reply_from_response(response_to_msg(Header(), unasked)).answer is None


def test_a_number_that_a_message_cannot_hold_is_the_largest():
    answer = replace(ANSWER, counts=(CountCheck("dog", "dog", 10**12, 2),))
    found = reply_from_result(result_to_msg(Header(), DescribeReply(described(), answer=answer)))
    assert found.answer.counts[0].answered == 2**32 - 1


def test_a_question_without_an_answer_is_no_success_but_has_the_description():
    late = LanguageModelTimeError("no whole answer within 20 s")
    result = result_to_msg(Header(), DescribeReply(described(**{QUESTION: late})))
    assert (result.success, result.error_code) == (False, "vlm_time_limit")
    assert (result.message, result.description.sentence) == (str(late), "A sentence.")
    with pytest.raises(LanguageModelTimeError, match="within 20 s"):
        reply_from_result(result)


def test_a_detector_that_calls_no_answer_a_success_is_not_believed():
    reply = DescribeReply(described(question=LanguageModelTimeError("late")), answer=ANSWER)
    result = result_to_msg(Header(), reply)
    result.answer.text = ""
    with pytest.raises(LanguageModelTimeError, match="late"):
        reply_from_result(result)
    result.description.failures = []
    with pytest.raises(ServiceError, match="no answer"):
        reply_from_result(result)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("agreement", "perhaps"),
        ("agreement", ""),
        ("text", "x" * (LONGEST_TEXT + 1)),
        ("model", "x" * (LONGEST_TEXT + 1)),
        ("counts", [CountCheckMsg()] * (MOST_FOUND + 1)),
        ("counts", [CountCheckMsg(class_id="x" * (LONGEST_NAME + 1))]),
        ("counts", [CountCheckMsg(label="x" * (LONGEST_NAME + 1))]),
    ],
)
def test_an_answer_that_no_detector_sends_is_refused(field, value):
    result = result_to_msg(Header(), DescribeReply(described(), answer=ANSWER))
    setattr(result.answer, field, value)
    with pytest.raises(ServiceError, match="the answer makes no sense"):
        reply_from_result(result)


def test_a_caption_comes_back_with_its_age():
    scene = scene_of(64, 48)
    scene = replace(scene, results={**scene.results, "caption": Caption("A dog.", 2.5)})
    msg = description_to_msg(Header(), replace(described(), scene=scene))
    assert (msg.caption, msg.caption_age.sec, msg.caption_age.nanosec) == ("A dog.", 2, 5 * 10**8)
    assert "caption" in msg.tasks
    assert msg.others == []
    assert description_from_msg(msg).scene.results["caption"] == Caption("A dog.", 2.5)
    msg.caption = "x" * (LONGEST_TEXT + 1)
    with pytest.raises(ServiceError, match="makes no sense"):
        description_from_msg(msg)
