"""What holds for any bytes that come, however they are cut."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from wire_parsing import JPEG, LIMIT, comparable, drain, parse, v1, v2

from i2t_ros import errors
from i2t_ros.bridges.tcp import wire
from i2t_ros.bridges.tcp.wire import RequestParser
from i2t_ros.types import DescribeRequest

option_values = st.sampled_from(
    [
        "lang=es",
        "style=list",
        "spoken=1",
        "annotate=0",
        "min_score=0.5",
        "tasks=faces",
        "question=Is it; open?",
        "no=1",
        "annotate=7",
    ]
)
images = st.binary(min_size=0, max_size=300).map(lambda tail: JPEG[:4] + tail)
requests_2 = st.builds(
    lambda image, options, extension: v2(image, ";".join(options).encode(), extension),
    images,
    st.lists(option_values, max_size=3),
    st.sampled_from([b".jpg", b"PNG", b".gif"]),
) | st.sampled_from([v2(b"", b"camera=front"), v2(b""), b".jpg<SEP>5000\n"])
requests_1 = st.builds(v1, images, st.sampled_from([b".jpg", b"webp", b".gif"]))
streams = st.builds(
    lambda many, last: b"".join(many) + last, st.lists(requests_2, max_size=4), requests_1
)
mangled = st.builds(
    lambda stream, at, junk: stream[: at % (len(stream) + 1)] + junk + stream[at:],
    streams,
    st.integers(0, 20_000),
    st.binary(max_size=8) | st.sampled_from([b"<SEP>", b"\n", b"9" * 25, b"x" * 9100]),
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@settings(max_examples=300)
@given(streams | mangled, st.lists(st.integers(0, 10_000), max_size=12))
def test_any_cut_of_a_stream_gives_the_same_result(stream, places):
    whole = comparable(parse(stream, finish=True))
    assert comparable(parse(*cut(stream, places), finish=True)) == whole


@settings(max_examples=60)
@given(streams | mangled)
def test_byte_by_byte_gives_the_same_result(stream):
    whole = comparable(parse(stream, finish=True))
    assert comparable(parse(*[bytes([b]) for b in stream], finish=True)) == whole


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=600) | mangled, max_size=12), st.booleans())
def test_no_bytes_at_all_crash_it_or_make_it_keep_more_than_its_bound(chunks, finish):
    parser = RequestParser(LIMIT)
    for chunk in chunks:
        parser.feed(chunk)
        for found in drain(parser):
            refused = isinstance(found.content, errors.I2tError)
            assert refused or isinstance(found.content, DescribeRequest)
            wire.encode_error(found.version, found.content if refused else errors.I2tError())
        assert len(parser._buffer) <= wire.MAX_HEADER + LIMIT
        assert parser.version in (1, 2)
        assert parser.may_be_empty in (True, False)
    if finish:
        parser.finish()
        drain(parser)
        assert not parser.begun
        assert len(parser._buffer) == 0
