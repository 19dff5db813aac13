"""Requests of the <SEP> protocol as bytes, and what its parser makes of them."""

from __future__ import annotations

from i2t_ros import errors
from i2t_ros.bridges.tcp.wire import RequestParser, WireRequest

JPEG = b"\xff\xd8\xff\xe0 not really a picture"
LIMIT = 1000


def drain(parser: RequestParser) -> list[WireRequest]:
    """Everything that the parser can say at this moment."""
    return list(iter(parser.next_request, None))


def parse(*chunks: bytes, finish: bool = False) -> list[WireRequest]:
    parser = RequestParser(LIMIT)
    found = []
    for chunk in chunks:
        parser.feed(chunk)
        found += drain(parser)
    if finish:
        parser.finish()
        found += drain(parser)
    return found


def only(found: list[WireRequest]) -> WireRequest:
    assert len(found) == 1
    return found[0]


def refused(*chunks: bytes, finish: bool = False) -> WireRequest:
    refusal = only(parse(*chunks, finish=finish))
    assert isinstance(refusal.content, errors.I2tError)
    return refusal


def v1(image: bytes = JPEG, extension: bytes = b".jpg") -> bytes:
    return b"%s<SEP>%d" % (extension, len(image)) + image


def v2(image: bytes = JPEG, options: bytes | None = None, extension: bytes = b".jpg") -> bytes:
    tail = b"" if options is None else b"<SEP>" + options
    return b"%s<SEP>%d%s\n" % (extension, len(image), tail) + image


def comparable(found: list[WireRequest]) -> list[tuple[object, ...]]:
    """Errors compare by identity; their code and text are what matters."""
    return [
        (item.version, item.content.code, str(item.content), item.keep_open)
        if isinstance(item.content, errors.I2tError)
        else (item.version, item.content, item.keep_open)
        for item in found
    ]
