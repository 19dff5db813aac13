"""docs/wire_protocol.md: its examples are executed, its tables compared."""

from __future__ import annotations

import dataclasses
import re
import socket

import pytest
from local_handlers import FakeHandler, answered
from making import picture_of
from project import ROOT

from i2t_ros import errors
from i2t_ros.bridges.tcp import wire
from i2t_ros.bridges.tcp.limits import TcpLimits
from i2t_ros.types import Answer, Picture
from i2t_ros.vision.codecs import FORMATS, canonical_format

TEXT = (ROOT / "docs" / "wire_protocol.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```wire\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
TIME_LIMIT = 20.0


def unescaped(text):
    """Bytes of an example's line."""
    simple = {b"n": b"\n", b"r": b"\r"}
    return re.sub(
        rb"\\(?:x([0-9a-f]{2})|([nr]))",
        lambda m: bytes([int(m[1], 16)]) if m[1] else simple[m[2]],
        text.encode(),
    )


def every_error(root=errors.I2tError):
    yield root
    for child in root.__subclasses__():
        yield from every_error(child)


ERRORS = {error.code: error for error in every_error()}


class Example:
    """What the lines of one example say."""

    def __init__(self, text):
        self.sent = self.expected = b""
        self.silence = self.end = False
        self.closes = None
        self.answers = []
        for line in text.splitlines():
            self._read(line[:2], line[3:])
        assert self.closes is not None, "an example says whether the server closes"

    def _read(self, who, what):
        if who == "H:":
            left, _, right = what.partition(" |")
            known = ERRORS.get(left)
            right = right.removeprefix(" ")
            self.answers.append(known(right) if known else (left, unescaped(right)))
        elif what in ("(close)", "(open)"):
            self.closes = what == "(close)"
        elif what in ("(silence)", "(end)"):
            self.silence, self.end = what == "(silence)", what == "(end)"
        elif who == "C:":
            self.sent += unescaped(what)
        else:
            assert who == "S:", f"expected C:, H: or S:, got {who!r}"
            self.expected += unescaped(what)


class Scripted(FakeHandler):
    """Gives the answers of an example."""

    def __init__(self, answers):
        self._answers = iter(answers)

    async def describe(self, request):
        answer = next(self._answers)
        if isinstance(answer, errors.I2tError):
            raise answer
        sentence, picture = answer
        request = dataclasses.replace(request, picture=request.picture or Picture(b"\xff\xd8\xff"))
        reply = await super().describe(request)
        description = dataclasses.replace(reply.description, sentence=sentence)
        annotated = picture_of(picture, reply.annotated.format) if picture else None
        return dataclasses.replace(reply, description=description, annotated=annotated)

    async def ask(self, request, told):
        reply = await self.describe(request)
        return answered(reply, Answer(reply.description.sentence, "fake-vlm", 0.5), told)


@pytest.fixture(params=EXAMPLES, ids=range(len(EXAMPLES)))
def example(request):
    return Example(request.param)


def test_there_are_examples_of_both_versions_and_outcomes():
    assert len(EXAMPLES) >= 15
    examples = [Example(text) for text in EXAMPLES]
    assert {example.closes for example in examples} == {True, False}
    assert {b"\n" in example.expected for example in examples} == {True, False}


def converse(example, *chunks):
    """Let the codec alone hold the conversation; return its bytes and whether it would go on."""
    parser = wire.RequestParser(TcpLimits().max_image_bytes)
    answers = iter(example.answers)
    said, goes_on = b"", True

    def reply_to_all():
        nonlocal said, goes_on
        while (found := parser.next_request()) is not None:
            answer = found.content if isinstance(found.content, errors.I2tError) else next(answers)
            if isinstance(answer, errors.I2tError):
                said += wire.encode_error(found.version, answer)
            else:
                sentence, picture = answer
                said += wire.encode_success(found.version, sentence, len(picture)) + picture
            goes_on = found.keep_open

    for chunk in chunks:
        parser.feed(chunk)
        reply_to_all()
    if example.end or example.silence:
        assert parser.may_be_empty or example.end
        parser.finish()
        reply_to_all()
    assert next(answers, None) is None, "the handler was not asked as often as the example says"
    return said, goes_on


def test_the_codec_does_as_the_example_says_however_it_is_cut(example):
    sent = example.sent
    for place in range(len(sent) + 1):
        said, goes_on = converse(example, sent[:place], sent[place:])
        assert said == example.expected
        assert goes_on is not example.closes


def test_the_listener_does_as_the_example_says(serve, example):
    server = serve(Scripted(example.answers), empty_time=0.05)
    with socket.create_connection(("127.0.0.1", server.port), TIME_LIMIT) as sock:
        sock.sendall(example.sent)
        if example.end:
            sock.shutdown(socket.SHUT_WR)
        said = b""
        while len(said) < len(example.expected):
            data = sock.recv(len(example.expected) - len(said))
            assert data, f"closed after {said}"
            said += data
        assert said == example.expected
        if not example.closes:
            sock.sendall(b".gif<SEP>0\n")  # still listening: refused without the handler
            assert sock.recv(1000).endswith(b"webp\n")
            sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""


def table(first_column):
    """Rows of the table whose header begins with ``first_column``; names without marks."""
    start = TEXT.index(f"| {first_column} |")
    rows = TEXT[start:].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [[name.strip("`"), *others] for name, *others in cells]


def test_the_limits_are_those_of_the_listener():
    documented = {name: float(default) for name, default, _ in table("name")}
    defaults = dataclasses.asdict(TcpLimits())
    assert documented == {f"tcp_{name}": float(value) for name, value in defaults.items()}


def test_the_options_are_those_of_the_codec():
    parser = wire.RequestParser(100)
    parser.feed(b".jpg<SEP>0<SEP>no=1\n")
    known = str(parser.next_request().content).partition("expected ")[2]
    assert [row[0] for row in table("option")] == known.split(", ")


def test_the_bounds_of_the_header_are_those_of_the_codec():
    rows = dict(table("part"))
    assert f"At most {wire.MAX_EXTENSION} bytes" in rows["ext"]
    assert f"1 to {wire.MAX_DIGITS} decimal digits" in rows["size"]
    assert f"at most {wire.MAX_OPTIONS} bytes" in rows["options"]
    named = re.findall("`([a-z]+)`", rows["ext"])
    assert {canonical_format(extension) for extension in named} == set(FORMATS)
    assert f"by default {wire.DEFAULT_PORT}" in TEXT
    for bound in wire.MAX_REPLY_HEADER.values():
        assert f"at most {bound} bytes" in TEXT
