"""DeferredAction by itself: what ends a goal, what is kept of it, and what clients may do wrong."""

from concurrent.futures import Future

import pytest
from action_msgs.msg import GoalStatusArray
from action_msgs.srv import CancelGoal
from ask_talk import ABORTED, CANCELED, SUCCEEDED, Asker, goal
from i2t_ros.action import Ask
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_action_status_default

from i2t_ros.errors import BusyError
from i2t_ros.nodes.lifecycle import deferred_action
from i2t_ros.nodes.lifecycle.deferred_action import DeferredAction
from i2t_ros.nodes.messages.descriptions import SERVICE_QOS

UNKNOWN = 0


class Work:
    """What a DeferredAction has begun."""

    def __init__(self, msg, publish, stop):
        self.question, self.publish, self.stop = msg.question, publish, stop
        self.msg = msg
        self.future = Future()

    def done(self, text="Yes."):
        self.future.set_result(text)


class Served:
    """The action on the peer's node; its works, in their order."""

    def __init__(self, peer):
        self.works = []
        self._peer = peer
        self.action = DeferredAction(
            peer.node, Ask, "ask", begin=self._begin, answer=self._answer, qos=SERVICE_QOS
        )

    def _begin(self, msg, publish, stop):
        if not msg.question:
            raise BusyError("no question")
        work = Work(msg, publish, stop)
        with self._peer.changed:
            self.works.append(work)
            self._peer.changed.notify_all()
        return work.future

    @staticmethod
    def _answer(done):
        if error := done.exception():
            return Ask.Result(error_code=getattr(error, "code", "error"), message=str(error))
        result = Ask.Result(success=True)
        result.answer.text = done.result()
        return result

    def begun(self, count):
        self._peer.until(lambda: len(self.works) >= count, f"{count} begun")
        return self.works[count - 1]


@pytest.fixture
def served(peer):
    served = Served(peer)
    yield served
    served.action.close()


@pytest.fixture
def asker(peer, served):
    asker = Asker(peer, "ask")
    yield asker
    asker.close()


def test_the_first_end_counts(peer, served, asker):
    asked, works = [], []
    for i in range(3):
        asked.append(asker.send(goal(str(i))))
        works.append(served.begun(i + 1))
    works[0].done("Yes.")
    assert (asker.ended(asked[0]).status, asked[0].result.answer.text) == (SUCCEEDED, "Yes.")
    asker.cancel(asker.taken(asked[1]))
    assert asker.ended(asked[1]).status == CANCELED
    assert works[1].stop.is_set
    works[1].done("Too late.")
    served.action.end_all(BusyError("closed for today"))
    assert (asker.ended(asked[2]).status, asked[2].result.message) == (ABORTED, "closed for today")
    assert works[2].stop.is_set
    works[2].future.set_exception(ValueError("too late"))
    assert [one.status for one in asked] == [SUCCEEDED, CANCELED, ABORTED]
    assert not works[0].stop.is_set
    served.action.settle()


def test_work_that_fails_at_once_and_work_that_ends_at_once(served, asker):
    assert asker.ask("").result.message == "no question"
    instant = Future()
    instant.set_result("At once.")
    served.action._begin = lambda *_: instant
    assert asker.ask("Now?").result.answer.text == "At once."
    served.action._begin = None  # a mistake of this package's own
    assert asker.ask("Now?").result.error_code == "error"


def test_no_picture_is_kept_with_a_goal(served, asker):
    asker.send(goal("What?"))
    work = served.begun(1)
    assert work.question == "What?"
    assert (len(work.msg.image.data), work.msg.question) == (0, "")
    work.done()


def test_feedback_that_cannot_be_sent_harms_nothing(peer, served, asker):
    asked = asker.send(goal("What?"))
    work = served.begun(1)
    work.publish("no message")
    work.publish(Ask.Feedback(text="Y"))
    peer.until(lambda: asked.said == ["Y"], "feedback")
    work.done()
    assert asker.ended(asked).status == SUCCEEDED
    work.publish(Ask.Feedback(text="after the end"))
    assert asker.send(goal("Next?"))
    served.begun(2).done()
    assert asked.said == ["Y"]


def test_a_goal_of_the_same_id_is_rejected_and_the_first_goes_on(peer, served, asker):
    identity = Ask.Impl.SendGoalService.Request().goal_id
    identity.uuid = list(range(16))
    first = asker.taken(asker.send(goal("First?"), goal_uuid=identity))
    second = asker.send(goal("Second?"), goal_uuid=identity)
    peer.until(lambda: second.accepted is not None, "an answer")
    assert not second.accepted
    served.begun(1).done()
    assert asker.ended(first).status == SUCCEEDED
    assert len(served.works) == 1


def test_whoever_cancels_what_is_not_there_gets_an_answer(peer, served, asker):
    request = CancelGoal.Request()
    request.goal_info.goal_id.uuid = [7] * 16
    response = peer.call(CancelGoal, "ask/_action/cancel_goal", request)
    assert response.return_code == CancelGoal.Response.ERROR_UNKNOWN_GOAL_ID
    asked = [asker.taken(asker.send(goal(str(i)))) for i in range(3)]
    response = peer.call(CancelGoal, "ask/_action/cancel_goal", CancelGoal.Request())
    assert len(response.goals_canceling) == 3, "all of them"
    assert {asker.ended(one).status for one in asked} == {CANCELED}


def test_goals_are_forgotten_although_simulated_time_stands_still(peer, monkeypatch):
    monkeypatch.setattr(deferred_action, "KEPT", 1)
    peer.node.set_parameters([Parameter("use_sim_time", value=True)])
    served = Served(peer)
    states = peer.collect(GoalStatusArray, "ask/_action/status", qos_profile_action_status_default)
    asker = Asker(peer, "ask")
    asked = asker.send(goal("What?"))
    served.begun(1).done()
    asker.ended(asked)
    request = Ask.Impl.GetResultService.Request(goal_id=asked.handle.goal_id)
    answers = []

    def forgotten():
        answers.append(peer.call(Ask.Impl.GetResultService, "ask/_action/get_result", request))
        return answers[-1].status == UNKNOWN

    assert not forgotten()
    peer.until(forgotten, "the goal is forgotten")
    asker.ask("")
    assert len(states[-1].status_list) == 1
    assert len(served.action._known()) <= 2
    asker.close()
    served.action.close()
