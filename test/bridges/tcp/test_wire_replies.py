"""Replies of the <SEP> protocol: headers as bytes, for both versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i2t_ros import errors
from i2t_ros.bridges.tcp import wire


def test_success_headers():
    sentence = "Se detectaron los siguientes objetos: 2 personas y 1 perro."
    assert wire.encode_success(1, sentence, 9) == b"True<SEP>9<SEP>" + sentence.encode()
    assert wire.encode_success(2, sentence, 0) == b"True<SEP>0<SEP>" + sentence.encode() + b"\n"


def test_error_replies():
    error = errors.BusyError("8 requests wait already")
    assert wire.encode_error(1, error).decode() == (
        "False<SEP>0<SEP>Ocurrió el siguiente error: "
        "el servidor está ocupado, inténtelo de nuevo (8 requests wait already)"
    )
    assert wire.encode_error(2, error) == b"False<SEP>0<SEP>busy<SEP>8 requests wait already\n"


def test_text_read_in_a_picture_cannot_forge_a_header():
    header = wire.encode_success(2, "The sign reads\n<SEP>\r\x85\u2028stop", 3)
    assert header == b"True<SEP>3<SEP>The sign reads < SEP >   stop\n"
    assert wire.encode_error(2, errors.I2tError("a<SEP>b\nc")).count(b"<SEP>") == 3


def test_spaces_that_languages_use_are_kept():
    assert "«\u202foui\u202f»\u3000はい".encode() in wire.encode_success(
        1, "«\u202foui\u202f»\u3000はい", 1
    )


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("letter", ["a", "ñ", "犬", "🐕"])
@pytest.mark.parametrize("extra", range(4))
def test_a_long_sentence_is_cut_between_two_characters(version, letter, extra):
    header = wire.encode_success(version, "x" * extra + letter * 70_000, 123_456)
    assert wire.MAX_REPLY_HEADER[version] - 4 < len(header) <= wire.MAX_REPLY_HEADER[version]
    assert header.decode().rstrip("\n").endswith(letter + "…")


@given(st.text(max_size=50), st.sampled_from([1, 2]))
def test_any_text_at_all_makes_a_sound_header(text, version):
    header = wire.encode_success(version, text, 7).decode()
    assert header.split("<SEP>", 2)[:2] == ["True", "7"]
    assert header.count("<SEP>") == 2
    assert header.count("\n") == version - 1


def every_error(root=errors.I2tError):
    yield root
    for child in root.__subclasses__():
        yield from every_error(child)


def test_every_error_has_its_reason_in_spanish():
    codes = {error.code for error in every_error() if error.__module__ == errors.__name__}
    assert codes == set(wire.spanish_reasons())
