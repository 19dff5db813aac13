"""The thread in which a node's callbacks run."""

import sys
import threading
import time

from rclpy.task import Future
from std_msgs.msg import String

from i2t_ros.nodes.lifecycle.spinning import SpinningThread

LIMIT = 60.0


def test_it_stops_although_nothing_happens(node):
    spinning = SpinningThread(node)
    assert spinning.is_alive()
    assert spinning.close(LIMIT)
    assert not spinning.is_alive()


def test_it_stops_at_any_moment_without_a_word(node, capfd):
    for _ in range(80):
        assert SpinningThread(node).close(LIMIT)
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


def test_an_error_in_a_callback_is_told_and_the_others_go_on(node, capfd):
    fails, goes_on = node.create_guard_condition(lambda: 1 / 0), threading.Event()
    works = node.create_guard_condition(goes_on.set)
    spinning = SpinningThread(node)
    fails.trigger()
    works.trigger()
    assert goes_on.wait(LIMIT)
    goes_on.clear()
    works.trigger()
    assert goes_on.wait(LIMIT)
    assert spinning.is_alive()
    assert spinning.close(LIMIT)
    err = capfd.readouterr().err
    assert "a callback failed: ZeroDivisionError: division by zero (test_spinning.py:" in err
    assert len(err.splitlines()) == 1


def test_a_coroutine_that_waits_costs_nothing(node):
    begun = threading.Event()

    async def wait():
        begun.set()
        await never

    spinning = SpinningThread(node)
    never = Future(executor=spinning._executor)
    spinning._executor.create_task(wait)
    assert begun.wait(LIMIT)
    clock = time.pthread_getcpuclockid(spinning.ident)
    before = time.clock_gettime(clock)
    threading.Event().wait(0.5)  # the time in which it would turn and turn
    assert time.clock_gettime(clock) - before < 0.1
    assert spinning.close(LIMIT)


def test_what_another_thread_destroys_is_no_error(node, capfd):
    spinning = SpinningThread(node)
    for _ in range(200):
        subscription = node.create_subscription(String, "topic", lambda _: None, 1)
        publisher = node.create_publisher(String, "topic", 1)
        node.destroy_subscription(subscription)
        node.destroy_publisher(publisher)
    assert spinning.is_alive()
    assert spinning.close(LIMIT)
    assert not capfd.readouterr().err
