"""Units are told in their order, whatever the order in which they become ready."""

import threading

import pytest

from i2t_ros.recordings.base import Span
from i2t_ros.recordings.work.in_order import InOrder
from i2t_ros.recordings.work.job import Unit

UNITS = [Unit(0, number, Span(number, number + 1, 1)) for number in range(4)]


def test_units_are_told_in_order():
    told = []

    def tell(unit):
        told.append(unit.number)
        return 10

    with InOrder(tell, UNITS) as order:
        for number in (2, 0, 3, 1):
            order.ready(UNITS[number])
        order.finish(lambda number: None)
    assert told == [0, 1, 2, 3]
    assert order.done == 40


def test_a_unit_is_told_while_others_are_looked_at():
    first = threading.Event()

    def tell(unit):
        first.set()
        return 1

    with InOrder(tell, UNITS) as order:
        order.ready(UNITS[0])
        assert first.wait(30)
    assert order.done == 1


def tell_all(tell):
    with InOrder(tell, UNITS) as order:
        for unit in UNITS:
            order.ready(unit)
        order.finish(lambda number: None)


def test_what_telling_raises_is_raised():
    def tell(unit):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        tell_all(tell)


def test_an_error_elsewhere_ends_the_thread():
    def interrupted():
        with InOrder(lambda unit: 1, UNITS):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not [each for each in threading.enumerate() if each.name == "i2t-telling"]


def test_without_units_there_is_nothing_to_wait_for():
    with InOrder(lambda unit: 1, []) as order:
        order.finish(lambda number: None)
    assert order.done == 0
