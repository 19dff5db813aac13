"""Errors in callbacks: what has failed is told or refused, and all else goes on."""

import re
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from i2t_ros.msg import Description, ObjectCount, TaskFailure, TaskResult, TextRegion
from i2t_ros.srv import Describe
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState
from lifecycle_talk import go_through, in_this_process
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    ListParameters,
    SetParameters,
    SetParametersAtomically,
)
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.waitable import NumberOfEntities, Waitable
from std_srvs.srv import SetBool
from vision_msgs.msg import Classification, Detection2D, Detection2DArray, ObjectHypothesis
from vision_msgs.msg import ObjectHypothesisWithPose as Hypothesis

from i2t_ros.errors import ServiceError
from i2t_ros.nodes.bridge.node import BridgeNode
from i2t_ros.nodes.detector import node as detector_node
from i2t_ros.nodes.lifecycle import spinning
from i2t_ros.nodes.lifecycle.spinning import Pulse, SpinningThread
from i2t_ros.nodes.messages import descriptions
from i2t_ros.nodes.messages.descriptions import description_from_msg
from i2t_ros.nodes.messages.tasks import Converter
from i2t_ros.types import Detections

LIMIT = 60.0
DYING = Path(__file__).parent.parent / "support" / "dying_node.py"


class Untakable(Waitable):
    """Something that is always there to be taken, and cannot be."""

    def __init__(self, node):
        super().__init__(node.default_callback_group)
        self.taken, self.twice = 0, threading.Event()

    def get_num_entities(self):
        return NumberOfEntities()

    def add_to_wait_set(self, wait_set):
        pass

    def is_ready(self, wait_set):
        return not self.twice.is_set()

    def take_data(self):
        self.taken += 1
        if self.taken > 1:
            self.twice.set()
        raise ValueError("not\nto be\ntaken " + "x" * 1000)

    async def execute(self, data):
        raise AssertionError(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_what_cannot_be_taken_blocks_nothing_of_its_group(node, capfd):
    untakable, runs = Untakable(node), threading.Event()
    node.add_waitable(untakable)
    node.create_timer(0.01, runs.set)
    thread = SpinningThread(node)
    assert untakable.twice.wait(LIMIT)
    runs.clear()
    assert runs.wait(LIMIT)
    assert thread.close(LIMIT)
    line, *more = capfd.readouterr().err.splitlines()
    assert "a message cannot be taken: ValueError: not to be taken xxx" in line
    assert len(line) < 500
    assert not more, "one line a second"


def test_a_request_whose_callback_fails_is_refused_with_the_reason(peer):
    def fail(request, response):
        response.success = True
        return {}[request.data]

    peer.node.create_service(SetBool, "failing", fail)
    response = peer.call(SetBool, "failing", SetBool.Request())
    assert (response.success, response.message) == (False, "KeyError: False")


def test_a_request_about_very_many_parameters_is_refused_at_once(peer):
    peer.node.declare_parameter("here", 1)
    set_calls = []
    peer.node.add_on_set_parameters_callback(set_calls.append)
    many = [Parameter("here", value=2).to_parameter_msg()] * 1001

    def call(kind, name, **fields):
        return peer.call(kind, f"/peer/{name}", kind.Request(**fields))

    results = call(SetParameters, "set_parameters", parameters=many).results
    assert len(results) == len(many)
    result = call(SetParametersAtomically, "set_parameters_atomically", parameters=many).result
    for each in (results[0], results[-1], result):
        assert not each.successful
        assert "expected at most 1000 parameters in a request, got 1001" in each.reason
    names = ["here"] * 1001
    assert not call(GetParameters, "get_parameters", names=names).values
    assert not call(DescribeParameters, "describe_parameters", names=names).descriptors
    assert not call(ListParameters, "list_parameters", prefixes=names).result.names
    assert not any(set_calls), "the peer has only set no parameters at all"
    assert len(call(GetParameters, "get_parameters", names=names[1:]).values) == 1000


def test_transitions_are_refused_in_the_midst_of_one(peer, monkeypatch):
    work, begun, go_on = detector_node.Work, threading.Event(), threading.Event()

    def slow_work(*arguments):
        begun.set()
        assert go_on.wait(LIMIT)
        return work(*arguments)

    monkeypatch.setattr(detector_node, "Work", slow_work)
    results = []
    with in_this_process(model="fake") as node:
        starting = threading.Thread(target=lambda: results.append(node.trigger_configure()))
        starting.start()
        assert begun.wait(LIMIT)
        for change in (
            Transition(label="transition_success"),
            Transition(label="transition_error"),
            Transition(id=Transition.TRANSITION_CONFIGURE),
        ):
            request = ChangeState.Request(transition=change)
            assert not peer.call(ChangeState, "/detector_node/change_state", request).success
        go_on.set()
        starting.join(LIMIT)
        assert results == [TransitionCallbackReturn.SUCCESS]
        assert node._state_machine.current_state[0] == State.PRIMARY_STATE_INACTIVE


def test_a_process_whose_executor_has_died_ends_with_1(start, tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.zeros((8, 8, 3), np.uint8))
    node = start("source_node", script=DYING, source=tmp_path, ready=False)
    assert node.wait(LIMIT) == 1
    assert "the executor has ended" in node.log()


@pytest.fixture
def bridge(ros):
    """Return a bridge_node in this process, configured."""
    with in_this_process(BridgeNode, http=True, tcp_port=0, http_port=0) as node:
        go_through(node, "configure")
        yield node


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bridge_ends_if_the_thread_that_takes_the_answers_has_died(bridge):
    bridge._detector._node.executor.create_task(sys.exit)
    assert bridge.ended.wait(LIMIT)
    bridge.end()  # a signal that comes meanwhile
    assert bridge.exit_code == 1


def test_a_bridge_is_not_ready_while_one_of_its_nodes_is_stalled(peer, bridge, monkeypatch, capfd):
    httpx = pytest.importorskip("httpx")
    go_through(bridge, "activate")
    url = re.search(r"http://127\.0\.0\.1:\d+", capfd.readouterr().err)[0]
    peer.node.create_service(Describe, "detector_node/describe", lambda _, response: response)

    def readiness():
        reply = httpx.get(f"{url}/readyz")
        return reply.status_code, reply.json().get("error", {}).get("message", "")

    peer.until(lambda: readiness() == (200, ""), "ready")
    for pulse in (bridge._pulse, bridge._detector._pulse):
        with monkeypatch.context() as context:
            context.setattr(pulse, "stalled", lambda: "the node has been stalled for 60 s")
            assert readiness() == (503, "the node has been stalled for 60 s")


def test_a_pulse_tells_of_callbacks_that_do_not_run(node, monkeypatch):
    pulse, free = Pulse(node), threading.Event()
    assert pulse.stalled() == ""
    thread = SpinningThread(node)
    node.create_guard_condition(lambda: free.wait(LIMIT)).trigger()
    now = time.monotonic() + 60
    monkeypatch.setattr(spinning.time, "monotonic", lambda: now)
    assert pulse.stalled() == "the node has been stalled for 60 s"
    free.set()
    deadline = threading.Event()
    while pulse.stalled():
        assert not deadline.wait(0.05)
    assert thread.close(LIMIT)


NAN = float("nan")


def seen(center=1.0, size=2.0, score=0.5, number=""):
    found = Detection2D(id=number, results=[Hypothesis()])
    found.results[0].hypothesis = ObjectHypothesis(class_id="person", score=score)
    found.bbox.center.position.x = center
    found.bbox.size_x = size
    return found


@pytest.mark.parametrize(
    "fields",
    [
        {"tasks": ["detect"], "detections": Detection2DArray(detections=[found])}
        for found in (
            Detection2D(),
            seen(center=NAN),
            seen(size=float("inf")),
            seen(size=1e300),
            seen(score=NAN),
            seen(number="one"),
            seen(number="9" * 30),
        )
    ]
    + [
        {"tasks": ["text"], "texts": [TextRegion(score=NAN)]},
        {"sentence": "x" * 1_000_001},
        {"language": "x" * 256},
        {"tasks": ["detect", "x" * 256]},
        {"tasks": ["detect"], "objects": [ObjectCount(class_id="cat", label="x" * 256)]},
        {"tasks": ["text"], "texts": [TextRegion(text="x" * 600_000)] * 2},
        {"failures": [TaskFailure(task="text", message="x" * 600_000)] * 2},
        {"others": [TaskResult(task="depth", json="x" * 1_000_001)]},
        {
            "tasks": ["classify"],
            "classification": Classification(results=[ObjectHypothesis(score=-float("inf"))]),
        },
    ],
)
def test_a_description_that_makes_no_sense_is_an_error_of_its_own(fields):
    with pytest.raises(ServiceError, match="the description makes no sense: "):
        description_from_msg(Description(**fields))


def test_a_task_that_is_named_again_and_again_is_read_once(monkeypatch):
    read, cat = [], Detections([[0, 0, 1, 1]], [0.5], [0], ("cat",))
    reader = Converter(lambda *_: None, lambda _: read.append(1) or cat)
    monkeypatch.setattr(descriptions, "converter", lambda _: reader)
    found = description_from_msg(Description(tasks=["detect"] * 10_000))
    assert (len(read), list(found.scene.results)) == (1, ["detect"])
