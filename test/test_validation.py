"""What a file holds is taken as it is meant or refused by the name of the field."""

import re
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from i2t_ros.errors import ModelError
from i2t_ros.validation import Structure, convert, read_mapping


class Side(Structure, frozen=True):
    length: Annotated[int, Meta(ge=1)]
    unit: Literal["m", "mm"] = "m"


class Shape(Structure, frozen=True):
    name: str
    sides: tuple[Side, ...] = ()
    color: str | tuple[str, ...] = ""
    scale: float = 1.0
    closed: bool = False
    notes: dict[str, int | dict[str, int]] = {}  # noqa: RUF012 (msgspec copies it)
    frame: Side | None = None
    tags: list[str] = []  # noqa: RUF012 (as above)


def test_what_is_right_becomes_a_structure():
    content: dict[str, Any] = {
        "name": "box",
        "sides": [{"length": 2}],
        "color": ["red"],
        "scale": 2,
        "notes": {"a": 1, "b": {"c": 2}},
        "frame": {"length": 1, "unit": "mm"},
    }
    shape = convert(content, Shape, "here", ModelError)
    assert shape.sides == (Side(2),)
    assert shape.color == ("red",)
    assert (shape.scale, type(shape.scale)) == (2.0, float)
    assert shape.frame == Side(1, "mm")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (7, "expected a mapping, got 7"),
        ({}, "missing name"),
        (
            {"name": "x", "nmae": 1, "b": 2},
            "unknown field b, nmae (did you mean name?); known: closed, color, frame",
        ),
        ({"name": True}, "name: expected a text, got True"),
        ({"name": None}, "name: expected a text, got None"),
        ({"name": "x", "closed": 1}, "closed: expected true or false, got 1"),
        ({"name": "x", "scale": "2"}, "scale: expected a number, got '2'"),
        ({"name": "x", "scale": True}, "scale: expected a number, got True"),
        ({"name": "x", "color": 3}, "color: expected a text or a list, got 3"),
        ({"name": "x", "color": ["a", 3]}, "color[1]: expected a text, got 3"),
        ({"name": "x", "sides": {}}, "sides: expected a list, got {}"),
        ({"name": "x", "sides": [{"length": 1}, {}]}, "sides[1]: missing length"),
        ({"name": "x", "sides": [{"length": 0}]}, "sides[0].length: expected a whole number >= 1"),
        (
            {"name": "x", "sides": [{"length": 1.5}]},
            "sides[0].length: expected a whole number, got",
        ),
        (
            {"name": "x", "frame": {"length": 1, "unit": "ft"}},
            "frame.unit: expected one of m, mm, got 'ft'",
        ),
        ({"name": "x", "frame": {"lenght": 1}}, "frame: missing length"),
        ({"name": "x", "notes": {"a": 1, "b": {"c": "d"}}}, "notes.b.c: expected a whole number"),
        ({"name": "x", "notes": {"a": 1, 2: 3}}, "notes: a key: expected a text, got 2"),
        ({"name": "x", "tags": ["a", 1]}, "tags[1]: expected a text, got 1"),
        ({"name": "x", 2: 3}, "a key: expected a text, got 2"),
    ],
)
def test_what_is_wrong_is_named(content, message):
    with pytest.raises(ModelError) as caught:
        convert(content, Shape, "shapes.yaml: mine", ModelError)
    assert str(caught.value).startswith(f"shapes.yaml: mine: {message}")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.floats(0, 2) | st.sampled_from(["m", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["length", "unit", "a", 7]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*Shape.__struct_fields__, "b"]), ANYTHING))
def test_whatever_comes_is_taken_or_refused_by_its_name(content):
    try:
        convert({"name": "x", **content}, Shape, "here", ModelError)
        said = "expected, got"
    except ModelError as error:
        said = str(error)
    assert re.search(r"missing|unknown field|expected.*, got", said)


@pytest.mark.parametrize("text", ["- a list", "a: [", "", b"\xff"])
def test_what_is_no_mapping_is_named_by_its_file(tmp_path, text):
    path = tmp_path / "shapes.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ModelError, match=f"{path}: (expected a mapping|cannot be read)"):
        read_mapping(path, ModelError)
