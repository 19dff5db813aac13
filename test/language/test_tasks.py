"""A task that the language package has never heard of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from i2t_ros.language import ObjectCount, TaskFacts, compose, compose_changes
from i2t_ros.language.changes import ChangeTracker
from i2t_ros.language.facts import Fact

DOGS = ObjectCount("dog", 2, 0.9, 0.9)


@dataclass(frozen=True, slots=True)
class Door(Fact):
    open: bool = False


@dataclass(frozen=True, slots=True)
class DoorFacts(TaskFacts):
    section: ClassVar[str] = "doors"
    found: tuple[Door, ...]

    def sentences(self, language, style, hedge):
        return [f"{door.key} is {'open' if door.open else 'shut'}." for door in self.found]


@dataclass(frozen=True, slots=True)
class AnimalFacts(TaskFacts):
    section: ClassVar[str] = "animals"

    def sentences(self, language, style, hedge):
        return ["animals are here."]


FRONT, BACK = Door("front door", open=True), Door("back door")


def test_each_task_has_its_say_in_the_order_of_the_tasks() -> None:
    doors, animals = DoorFacts((FRONT, BACK)), AnimalFacts((DOGS,))

    assert compose([animals, doors]) == ("Animals are here. Front door is open. Back door is shut.")
    assert compose([doors, AnimalFacts(())]) == "Front door is open. Back door is shut."


def test_a_task_without_a_phrase_of_its_own_for_nothing_says_what_all_say() -> None:
    assert compose([DoorFacts(())]) == "I don't see anything I recognize."
    assert compose([DoorFacts(())], style="list") == "No objects were detected."
    assert compose([]) == "I was not able to analyze this picture."


def test_what_is_counted_is_said_together_and_the_rest_by_its_task() -> None:
    cat = ObjectCount("cat", 1, 0.9, 0.9)
    facts = [DoorFacts((FRONT,)), AnimalFacts((DOGS,)), AnimalFacts((cat,))]

    assert compose(facts, style="changes") == (
        "Two dogs and a cat have come into view. Front door is open."
    )


def test_changes_are_of_each_task_by_itself() -> None:
    tracker = ChangeTracker(hold=0.0)
    dog = ObjectCount("dog", 1, 0.9, 0.9)

    first = tracker.update([DoorFacts((FRONT,)), AnimalFacts((DOGS,))], 0.0)
    assert (first.appeared, first.left) == ((DoorFacts((FRONT,)), AnimalFacts((DOGS,))), ())
    second = tracker.update([DoorFacts((BACK,)), AnimalFacts((DOGS,))], 1.0)
    assert (second.appeared, second.left) == ((DoorFacts((BACK,)),), (DoorFacts((FRONT,)),))
    assert compose_changes(second) == "Back door is shut."
    third = tracker.update([AnimalFacts((dog,))], 2.0)
    assert (third.appeared, third.left) == ((), (AnimalFacts((dog,)),))
    assert compose_changes(third) == "A dog has gone out of view."
    assert not tracker.update([DoorFacts((BACK,)), AnimalFacts((dog,))], 3.0)


def test_what_left_is_in_the_order_of_the_alphabet() -> None:
    tracker = ChangeTracker(hold=0.0)
    tracker.update([DoorFacts((FRONT, BACK))], 0.0)

    assert tracker.update([DoorFacts(())], 1.0).left == (DoorFacts((BACK, FRONT)),)
