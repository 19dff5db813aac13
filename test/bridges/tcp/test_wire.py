"""The codec of the <SEP> protocol, without a socket."""

from __future__ import annotations

import time

import pytest
from wire_parsing import JPEG, LIMIT, drain, only, parse, refused, v1, v2

from i2t_ros import errors
from i2t_ros.bridges.tcp import wire
from i2t_ros.bridges.tcp.wire import RequestParser, WireRequest
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.types import DescribeRequest, Picture

# --- requests


@pytest.mark.parametrize(
    "extension", [b".jpg", b"jpg", b".JPEG", b"Jpeg", b".png", b"BMP", b"webp"]
)
def test_a_version_1_request_has_no_options_and_wants_the_annotated_picture(extension):
    request = only(parse(v1(extension=extension)))
    assert request == WireRequest(
        1, DescribeRequest(picture=Picture(bytearray(JPEG)), annotate=True)
    )


def test_the_header_alone_says_nothing_yet_since_the_size_may_have_more_digits():
    parser = RequestParser(LIMIT)
    parser.feed(b".jpg<SEP>2")
    assert parser.next_request() is None
    assert parser.begun
    parser.feed(b"0")
    assert parser.next_request() is None
    parser.feed(JPEG[:20])
    request = parser.next_request()
    assert isinstance(request, WireRequest)
    assert request.content.picture.data == JPEG[:20]
    assert not parser.begun


def test_what_follows_a_version_1_request_is_ignored():
    parser = RequestParser(LIMIT)
    parser.feed(v1() + v1())
    assert len(drain(parser)) == 1
    parser.feed(v1() * 3)
    assert drain(parser) == []
    assert len(parser._buffer) == 0


def test_version_2_options_reach_the_request():
    options = b"lang=pt-BR;style=scene;spoken=1;annotate=0;min_score=0.25;tasks=text,detect"
    request = only(parse(v2(options=options)))
    assert request == WireRequest(
        2,
        DescribeRequest(
            picture=Picture(bytearray(JPEG)),
            language="pt-BR",
            style="scene",
            spoken=True,
            annotate=False,
            min_score=0.25,
            tasks=("text", "detect"),
        ),
        keep_open=True,
    )


@pytest.mark.parametrize("options", [None, b"", b";", b"lang=;style="])
def test_version_2_without_options(options):
    request = only(parse(v2(options=options)))
    assert request == WireRequest(
        2, DescribeRequest(picture=Picture(bytearray(JPEG)), annotate=True), keep_open=True
    )


@pytest.mark.parametrize("camera", ["", "front", "cámara 2"])
def test_size_zero_with_a_camera_asks_for_its_newest_frame(camera):
    request = only(parse(v2(b"", f"camera={camera}".encode())))
    assert request == WireRequest(2, DescribeRequest(camera=camera, annotate=True), keep_open=True)


def test_version_2_requests_follow_each_other_on_one_connection():
    found = parse(v2() + v2(JPEG * 2, b"lang=en") + v2(b"", b"camera=x"))
    assert [len(item.content.picture or b"") for item in found] == [len(JPEG), 2 * len(JPEG), 0]


def test_an_image_may_itself_look_like_a_header():
    image = b"\xff\xd8" + v2(options=b"lang=en")
    assert only(parse(v2(image))).content.picture.data == image


def test_a_picture_that_begins_like_half_a_separator_is_version_1():
    assert only(parse(b".jpg<SEP>4<svg")).content.picture.data == b"<svg"
    assert only(parse(b".jpg<SEP>4", b"<S", b"EN")).content.picture.data == b"<SEN"
    assert only(parse(b".jpg<SEP>3<SE", finish=True)).content.picture.data == b"<SE"


# --- refusals


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b".gif<SEP>5GIF89", "unsupported_format"),
        (b"<SEP>5\xff\xd8\xff\xe0x", "unsupported_format"),
        (b".jpg<SEP>0x", "empty_image"),
        (b".jpg<SEP>1001\xff", "image_too_large"),
        (b".jpg<SEP>" + b"9" * 19, "image_too_large"),
        (b".jpg<SEP>" + b"0" * 19, "image_too_large"),
        (b".jpg<SEP>-5", "invalid_request"),
        (b".jpg<SEP>ten", "invalid_request"),
        (b".jpg<SEP> 5", "invalid_request"),
        (b".jpg<SEP>+5", "invalid_request"),
        (".jpg<SEP>٥".encode(), "invalid_request"),
        (".jpg<SEP>５".encode(), "invalid_request"),
        (b".jpg<SEP>0x10", "empty_image"),
        (b".jpg<SEP>" + b"9" * 10_000, "image_too_large"),
        (b".jp\xff<SEP>5hello", "invalid_request"),
        (".jpgé<SEP>5hello".encode(), "invalid_request"),
        (b".jpg<SEP>\n", "invalid_request"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1:5001\r\n\r\n", "invalid_request"),
        (b"\x16\x03\x01" + bytes(200), "invalid_request"),
    ],
)
def test_version_1_refusals_end_the_conversation(data, code):
    refusal = refused(data, b"and more of it" * 10)
    assert (refusal.version, refusal.content.code, refusal.keep_open) == (1, code, False)


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        (b"colour=red", "invalid_request", "colour"),
        (b"lang=en;colour=red", "invalid_request", "colour"),
        (b"lang", "invalid_request", "lang"),
        (b"lang=en;lang=es", "invalid_request", "lang"),
        (b"lang=\x1b[31m", "invalid_request", "lang"),
        (b"lang=\xff", "invalid_request", "UTF-8"),
        (b"\xff=en", "invalid_request", "UTF-8"),
        (b"lang=\xed\xa0\x80", "invalid_request", "UTF-8"),
        (b"lang=\xc0\xaf", "invalid_request", "UTF-8"),
        (b"lang=a\0b", "invalid_request", "lang"),
        (b"min_score=" + b"9" * 1000, "invalid_request", "min_score"),
        ("min_score=٠".encode(), "invalid_request", "min_score"),
        (b"annotate=yes", "invalid_request", "annotate"),
        (b"min_score=nan", "invalid_request", "min_score"),
        (b"min_score=1.5", "invalid_request", "min_score"),
        (b"min_score=0_1", "invalid_request", "min_score"),
        (b"tasks=detect,fly", "unknown_task", "fly"),
        (b"camera=front", "invalid_request", "camera"),
    ],
)
def test_version_2_refusals_name_the_culprit_and_the_next_request_is_served(options, code, named):
    refusal, request = parse(v2(options=options) + v2())
    assert (refusal.version, refusal.content.code, refusal.keep_open) == (2, code, True)
    assert named in str(refusal.content)
    assert request.content.picture.data == JPEG


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (v2(extension=b".gif"), "unsupported_format"),
        (v2(b""), "empty_image"),
        (v2(b"", b"camera=front", b".png"), "unsupported_format"),
    ],
)
def test_version_2_refusals_of_the_picture_keep_the_connection(data, code):
    refusal, request = parse(data + v2())
    assert (refusal.version, refusal.content.code, refusal.keep_open) == (2, code, True)
    assert request.content.picture.data == JPEG


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b".jpg<SEP>1001\n\xff\xd8", "image_too_large"),
        (b".jpg<SEP>10<SEP>lang=" + b"x" * wire.MAX_OPTIONS, "invalid_request"),
    ],
)
def test_version_2_refusals_that_lose_the_framing_end_the_conversation(data, code):
    refusal = refused(data, b"\n" + v2())
    assert (refusal.version, refusal.content.code, refusal.keep_open) == (2, code, False)


def test_a_size_ends_at_the_first_byte_that_is_no_digit():
    assert only(parse(b".jpg<SEP>5e3+45")).content.picture.data == b"e3+45"
    assert only(parse(b".jpg<SEP>5_000_0")).content.picture.data == b"_000_"
    assert only(parse(b".jpg<SEP>0005hello")).content.picture.data == b"hello"


def test_an_abandoned_request_holds_nothing():
    for data, version in ((v1()[:-1], 1), (v2()[:-1], 2), (b".jpg<SEP>9<SEP>la", 2)):
        parser = RequestParser(LIMIT)
        parser.feed(data)
        assert drain(parser) == []
        assert parser.received == (len(JPEG) - 1 if JPEG[:-1] in data else 0)
        refusal = parser.refuse(errors.BusyError("too much"))
        assert (refusal.version, refusal.content.code) == (version, "busy")
        assert not refusal.keep_open
        parser.feed(b"more" + v2())
        assert drain(parser) == []
        assert not parser.begun
        assert len(parser._buffer) == parser.received == 0


@pytest.mark.parametrize(
    "request_",
    [b".jpg<SEP>4\n\xff\xd8\xff\xe0", b".jpg<SEP>0\n", b".jpg<SEP>4<SEP>no=1\n\xff\xd8\xff\xe0"],
)
def test_what_follows_a_request_costs_nothing(request_):
    parser = RequestParser(LIMIT)
    parser.feed(request_ * 1_000_000)
    began = time.process_time()
    for _ in range(5000):
        assert parser.next_request()
    assert time.process_time() - began < 1.0  # copying it each time takes several seconds


@pytest.mark.parametrize(
    "data",
    [
        b"a" * (16 << 20),
        b"<SEP>" * (3 << 20),
        b".jpg<SEP>" * (1 << 20),
        b".jpg<SEP>5<SEP>" + b";" * (16 << 20),
        b".jpg<SEP>" + b"5" * (16 << 20),
    ],
)
def test_sixteen_megabytes_of_nothing_are_refused_at_their_first_bytes(data):
    began = time.process_time()
    assert refused(data)
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("data", [v2(bytes(900)), b".jpg<SEP>5<SEP>" + b";" * 9000])
def test_byte_by_byte_costs_no_more_than_the_header_each_time(data):
    parser = RequestParser(LIMIT)
    began = time.process_time()
    for byte in data * 10:
        parser.feed(bytes([byte]))
        drain(parser)
        assert parser.received <= LIMIT
        assert len(parser._buffer) <= LIMIT + wire.MAX_HEADER
    assert time.process_time() - began < 2.0


def test_a_refused_picture_is_dropped_as_it_comes():
    parser = RequestParser(LIMIT)
    parser.feed(v2(bytes(900), b"no=1")[:-1])
    assert drain(parser) == []
    assert len(parser._buffer) == 0
    assert parser.begun
    parser.feed(b"\0")
    assert only(drain(parser)).content.code == "invalid_request"


@pytest.mark.parametrize(
    ("data", "version", "code"),
    [
        (b".jp", 1, "invalid_request"),
        (b".jpg<SEP>", 1, "invalid_request"),
        (b".jpg<SEP>0", 1, "empty_image"),
        (b".jpg<SEP>0<SE", 1, "empty_image"),
        (b".jpg<SEP>10", 1, "truncated_image"),
        (b".jpg<SEP>10\xff\xd8", 1, "truncated_image"),
        (b".jpg<SEP>10\n\xff\xd8", 2, "truncated_image"),
        (b".jpg<SEP>10<SEP>lang=en", 2, "invalid_request"),
        (b".jpg<SEP>10<SEP>no=1\n\xff\xd8", 2, "invalid_request"),
    ],
)
def test_the_end_of_the_stream_within_a_request_is_refused(data, version, code):
    refusal = refused(data, finish=True)
    assert (refusal.version, refusal.content.code, refusal.keep_open) == (version, code, False)


@pytest.mark.parametrize("data", [b"GET / HT", b"\x16", b"\n", b".jpg\0<SEP>", b"\xff\xd8<SEP>5"])
def test_other_protocols_are_refused_at_their_first_stray_byte(data):
    assert refused(data).content.code == "invalid_request"


def test_the_end_of_the_stream_between_requests_is_no_error():
    assert parse(finish=True) == []
    assert len(parse(v2(), finish=True)) == 1


@pytest.mark.parametrize(
    ("data", "empty", "version"),
    [
        (b"", False, 1),
        (b".jpg<SEP>", False, 1),
        (b".jpg<SEP>0", True, 1),
        (b".jpg<SEP>00", True, 1),
        (b".jpg<SEP>0<SE", True, 1),
        (b".jpg<SEP>05", False, 1),
        (b".jpg<SEP>0<SEP>camera=", False, 2),
        (b".jpg<SEP>5\n", False, 2),
    ],
)
def test_only_size_zero_may_be_ended_by_silence(data, empty, version):
    parser = RequestParser(LIMIT)
    parser.feed(data)
    assert parser.next_request() is None
    assert parser.may_be_empty is empty
    assert parser.version == version


def test_the_tasks_option_knows_every_task():
    request = only(parse(v2(options=b"tasks=" + ",".join(TASKS).encode())))
    assert request.content.tasks == tuple(TASKS)
