"""The thread in which a node's callbacks run."""

import sys
import threading

import pytest
from rclpy.node import Node

from i2t_ros.nodes.spinning import SpinningThread

LIMIT = 60.0


@pytest.fixture
def node(ros):
    node = Node("spun")
    yield node
    node.destroy_node()


@pytest.mark.parametrize("threads", [1, 3])
def test_it_stops_although_nothing_happens(node, threads):
    spinning = SpinningThread(node, threads)
    assert spinning.is_alive()
    assert spinning.close(LIMIT)
    assert not spinning.is_alive()


@pytest.mark.parametrize("threads", [1, 3])
def test_it_stops_at_any_moment_without_a_word(node, threads, capfd):
    for _ in range(40):
        assert SpinningThread(node, threads).close(LIMIT)
    assert not capfd.readouterr().err


def test_a_callback_that_does_not_end_is_told(node):
    begun, release = threading.Event(), threading.Event()
    node.create_timer(0.001, lambda: (begun.set(), release.wait(LIMIT)))
    spinning = SpinningThread(node)
    assert begun.wait(LIMIT)
    assert not spinning.close(0.05)
    release.set()
    assert spinning.close(LIMIT)


def test_turns_leave_nothing_behind(node):
    turns, blocks, enough = [0], {}, threading.Event()

    def turn():
        turns[0] += 1
        if turns[0] in {1000, 6000}:
            blocks[turns[0]] = sys.getallocatedblocks()
        again.trigger()
        if turns[0] > 6000:
            enough.set()

    again = node.create_guard_condition(turn)
    spinning = SpinningThread(node)
    again.trigger()
    assert enough.wait(LIMIT)
    assert spinning.close(LIMIT)
    assert blocks[6000] - blocks[1000] < 2500, "what each turn allocates, it has to give back"
