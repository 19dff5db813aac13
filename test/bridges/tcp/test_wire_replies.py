"""Replies of the <SEP> protocol: headers as bytes, for both versions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i2t_ros import errors
from i2t_ros.bridges.tcp import wire
from i2t_ros.errors import I2tError
from i2t_ros.resources import config_path, load_yaml
from i2t_ros.vision import codecs


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


def error_of(call, *arguments):
    with pytest.raises(I2tError) as raised:
        call(*arguments)
    return raised.value


def refusal(data, max_image_bytes=1000):
    parser = wire.RequestParser(max_image_bytes)
    parser.feed(data)
    parser.finish()
    return parser.next_request().content


@pytest.mark.parametrize(
    "error",
    [
        refusal(b".jpg<SEP>0"),
        refusal(b".jpg<SEP>5000x"),
        refusal(b".jpg<SEP>500x"),
        refusal(b".jpg<SEP>" + b"9" * 19 + b"x"),
        refusal(b".gif<SEP>5GIF89"),
        refusal(b"GET / HTTP/1.1"),
        refusal(b".jpg<SEP>x"),
        error_of(codecs.picture_format, b""),
        error_of(codecs.picture_format, b"hello"),
        error_of(codecs.check_complete, b"\xff\xd8\xff" + bytes(9), "jpeg"),
        error_of(codecs.check_pixels, 0, 4, 9),
        error_of(codecs.check_pixels, 4, 4, 9),
    ],
    ids=str,
)
def test_what_a_client_of_version_1_did_wrong_is_said_in_spanish(error):
    assert wire.spanish_detail(str(error)) != str(error)
    reply = wire.encode_error(1, error).decode()
    assert not re.search(r"\b(expected|the|got|is|picture|size|of)\b", reply)
    for number in re.findall(r"\d+", str(error)):
        assert number in reply


def test_a_message_without_a_spanish_text_is_sent_as_it_is():
    assert wire.spanish_detail("the {size} engine: 100 % of it") == "the {size} engine: 100 % of it"


def test_spanish_texts_name_only_what_their_messages_name():
    details = load_yaml(config_path("tcp_details_es.yaml"))
    for message, text in details.items():
        assert set(re.findall(r"{\w+}", text)) <= set(re.findall(r"{\w+}", message)), message
        # A value may look like a part of the pattern, or of a text that is filled in.
        filled = re.sub(r"{\w+}", "{x} (.*)", message)
        assert wire.spanish_detail(filled) == re.sub(r"{\w+}", "{x} (.*)", text)
