"""Options: fields that say all about themselves, and dataclasses made from plain values."""

import array
import math
from dataclasses import dataclass, field
from datetime import date

import pytest

from i2t_ros.errors import InvalidRequestError
from i2t_ros.options import Option, check_options, from_values, option, options_of


def celsius(texts):
    """Read ["20C"]."""
    if not all(text.endswith("C") for text in texts):
        raise InvalidRequestError(f"oven: expected degrees such as 180C, got {texts!r}")
    return frozenset(int(text[:-1]) for text in texts)


@dataclass(frozen=True, slots=True)
class Oven:
    heat: frozenset[int] = option(frozenset(), "degrees", name="oven", read=celsius, changes="live")
    shelves: tuple[str, ...] = option(("low", "high"), "where it is put")
    door: float = option(0.5, "how far it is open", bounds=(0.0, 1.0))

    def __post_init__(self):
        if not 0 <= self.door <= 1:
            raise InvalidRequestError("door: expected 0 to 1")


@dataclass(frozen=True, slots=True)
class Cake:
    layers: int = option(2, "of sponge", name="floors", bounds=(1, 9))
    kind: str = option("plum", "what is in it", choices=("plum", "nut"))
    iced: bool = option(False, "with sugar")
    oven: Oven = field(default_factory=Oven)
    baker: str = "nobody"

    def __post_init__(self):
        check_options(self)


def test_options_are_those_of_the_dataclass_and_of_those_in_it_in_order():
    found = options_of(Cake)
    assert [each.name for each in found] == ["floors", "kind", "iced", "oven", "shelves", "door"]
    assert [each.default for each in found] == [2, "plum", False, [], ["low", "high"], 0.5]
    assert found[1].choices == ("plum", "nut")
    assert [each.changes for each in found[2:4]] == ["configure", "live"]
    assert [each.name for each in options_of(Oven, "my_")] == ["my_oven", "my_shelves", "my_door"]


def test_the_defaults_are_those_of_the_fields():
    assert from_values(Cake, {}) == Cake()
    plain = {each.name: each.default for each in options_of(Cake)}
    assert from_values(Cake, plain) == Cake()


def test_values_are_read_into_what_the_fields_hold():
    values = {"floors": 3, "oven": ["200C"], "shelves": ["top", "", "low"], "unknown": 1}
    cake = from_values(Cake, values, baker="me")
    assert (cake.layers, cake.baker) == (3, "me")
    assert cake.oven == Oven(frozenset({200}), ("top", "low"))


def test_a_prefix_stands_before_every_name():
    cake = from_values(Cake, {"my_floors": 4, "my_oven": ["90C"], "floors": 5}, "my_")
    assert (cake.layers, cake.oven.heat) == (4, {90})


def test_a_field_that_is_given_is_not_made():
    assert from_values(Cake, {"door": 0.9}, oven=Oven(door=0.1)).oven.door == 0.1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"my_floors": 0}, "my_floors: expected 1 to 9, got 0"),
        ({"my_kind": "air"}, "my_kind: expected one of plum, nut, got 'air'"),
        ({"my_door": 1.5}, "my_door: expected 0 to 1, got 1.5"),
        ({"my_door": float("nan")}, "my_door: expected 0 to 1, got nan"),
        ({"my_oven": ["hot"]}, r"oven: expected degrees such as 180C, got \['hot'\]"),
    ],
)
def test_what_is_not_allowed_is_named_as_it_is_called_outside(values, message):
    with pytest.raises(InvalidRequestError, match=message):
        from_values(Cake, values, "my_")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layers": 10}, "floors: expected 1 to 9, got 10"),
        ({"kind": "air"}, "kind: expected one of plum, nut, got 'air'"),
    ],
)
def test_a_dataclass_checks_itself(fields, message):
    with pytest.raises(InvalidRequestError, match=message):
        Cake(**fields)


@pytest.mark.parametrize("text", ["de\0", "de\r\nX-Evil: 1", "\x1b[2J", "d\x85", "\t"])
def test_texts_have_no_control_characters(text):
    for own, value in (
        (Option("translate_to", "", "a language", language=True), text),
        (Option("allow_classes", [], "classes"), ["dog", text]),
    ):
        with pytest.raises(InvalidRequestError, match=f"{own.name}: expected text without control"):
            own.check(value)
    Option("label", "", "a text").check("می\u200cخواهم")  # a joiner is no control character


def test_a_default_is_shown_to_people():
    assert [each.shown for each in options_of(Cake)][:3] == ["2", "plum", "False"]

    @dataclass
    class Empty:
        text: str = option("", "nothing")
        many: tuple[str, ...] = option((), "nothing")

    assert [each.shown for each in options_of(Empty)] == ["(empty)", "(empty)"]


MEANT = [
    ("plum", 0, "0"),
    ("plum", 1.5, "1.5"),
    ("plum", "no", "no"),
    (2, 2.0, 2),
    (2, "7", 7),
    (2, 2**60 + 1, 2**60 + 1),
    (0.5, 1, 1.0),
    (0.5, "0.25", 0.25),
    (False, 1, True),
    (True, 0, False),
    (False, "yes", True),
    (True, "Off", False),
    ([], None, []),
    ([], "", []),
    ([], [""], [""]),
    ([], [], []),
    (["detect"], "detect", ["detect"]),
    (["detect"], "detect, faces", ["detect", "faces"]),
    (["detect"], "[front, '0']", ["front", "0"]),
    ([], 0, ["0"]),
    ([], array.array("q", [1, 2]), ["1", "2"]),
    ([], [0.5], ["0.5"]),
]


@pytest.mark.parametrize(("default", "given", "expected"), MEANT)
def test_what_yaml_has_read_as_another_type_is_taken_for_what_is_meant(default, given, expected):
    got = Option("cake", default, "").meant(given)
    assert (got, type(got)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("default", "given", "message"),
    [
        ("plum", [], "cake: expected a text, got []"),
        ("plum", None, "cake: expected a text, got []"),
        ("plum", True, "got true: YAML reads true, yes, on and y so.*: -p \"cake:='yes'\""),
        ("plum", False, "got false: YAML reads false, no, off and n so.*: -p \"cake:='no'\""),
        ([], [True], "got true: YAML reads"),
        ([], [b"x"], "cake: expected a text, got b'x'"),
        ([], [["dog"]], "cake: expected a text, got ['dog']"),
        ([], {"dog": 1}, "cake: expected a text, got {'dog': 1}"),
        ([], date(2024, 1, 1), "cake: expected a text, got datetime.date"),
        (0.5, date(2024, 1, 1), "cake: expected a number, got datetime.date"),
        (2, 2.5, "cake: expected a whole number, got 2.5"),
        (2, True, "cake: expected a whole number, got True"),
        (2, "two", "cake: expected a whole number, got 'two'"),
        (2, math.inf, "cake: expected a whole number, got inf"),
        (0.5, "nan", "cake: expected a number, got 'nan'"),
        (0.5, [0.5], "cake: expected a number, got "),
        (0.5, None, "cake: expected a number, got "),
        (False, 2, "cake: expected true or false, got 2"),
        (False, "maybe", "cake: expected true or false, got 'maybe'"),
        (False, [True], "cake: expected true or false, got "),
    ],
)
def test_what_may_mean_anything_is_refused_and_the_quoting_is_named(default, given, message):
    with pytest.raises(InvalidRequestError, match=message.replace("[", r"\[")):
        Option("cake", default, "").meant(given)


def test_no_is_norwegian_where_a_language_is_expected():
    assert Option("language", "en", "", language=True).meant(False) == "no"
    with pytest.raises(InvalidRequestError, match="expected a text, got true"):
        Option("language", "en", "", language=True).meant(True)
