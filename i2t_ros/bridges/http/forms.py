"""The bodies that bring options: forms and JSON. Nothing here touches a socket or a file.

python-multipart, which Starlette has for forms, takes a minute for 16 MB of line ends in its
versions on robots (Ubuntu 24.04: 0.0.9), and Starlette writes files of a megabyte to the temporary
folder. A picture's form has few parts, so bytes.find is enough.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl

from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.types import ByteBuffer

MAX_TEXT = 1 << 16  # bytes of JSON, or of a form besides the file
MAX_FIELDS = 16
MAX_PARTS = MAX_FIELDS + 2  # of a multipart form, with those that are empty
MAX_PART_HEAD = 4096  # bytes of the headers of a part
MAX_BOUNDARY = 70  # bytes; RFC 2046, section 5.1.1
DISPOSITION = 'Content-Disposition: form-data; name="..."'

_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*')
_END_OF_LINE = re.compile(rb"[ \t]{0,70}\r\n")

Fields = dict[str, Any]


def read_multipart(body: bytearray, content_type: str) -> tuple[Fields, list[ByteBuffer]]:
    """Return the fields and the files of a form that are filled in.

    Browsers send the others too: empty, and a file that was not chosen without a name. What a file
    is called is of no interest otherwise. Raises HttpProblem for what is no form or has too much.
    """
    boundary = _parameters(content_type).get("boundary", "").encode("latin-1")
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        expected = f"a boundary of 1 to {MAX_BOUNDARY} characters in the Content-Type"
        raise _no_form(f"expected {expected}, got {len(boundary)}")
    fields: list[tuple[str, str]] = []
    files: list[ByteBuffer] = []
    size = 0  # of the fields
    for number, (head, start, end) in enumerate(_parts(body, boundary)):
        if number == MAX_PARTS:
            raise _no_form(f"expected at most {MAX_PARTS} parts, got more")
        name, file_name = _names(head)
        if file_name is not None:
            if file_name or end > start:
                files.append(body[start:end])
            continue
        size += len(name) + end - start
        if size > MAX_TEXT:
            raise too_much_text("the fields of a form, besides the file")
        try:
            fields.append((name, body[start:end].decode()))
        except UnicodeDecodeError:
            raise _no_form(
                f"field {name[:40]!r}: expected text in UTF-8; a file has a file name"
            ) from None
    if len(files) > 1:
        raise _no_form("expected one file, got more")
    return _filled_in(fields), files


def read_url_encoded(body: bytearray) -> tuple[Fields, list[ByteBuffer]]:
    """Return the fields of a form that are filled in, and no files; raises HttpProblem."""
    try:
        fields = parse_qsl(body.decode(), errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise _no_form(str(error)) from None
    return _filled_in(fields), []


def read_json(body: bytearray) -> tuple[Fields, list[ByteBuffer]]:
    """Return the keys of an object, and no files; raises HttpProblem."""
    try:
        value = json.loads(body, object_pairs_hook=_unique, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()  # half a character, as \ud800, is no text
    except (ValueError, RecursionError) as error:
        raise HttpProblem(400, f"JSON: {error}") from None
    if not isinstance(value, dict):
        raise HttpProblem(400, f"JSON: expected an object with a url, got {type(value).__name__}")
    return value, []


def too_much_text(what: str) -> HttpProblem:
    """Return the refusal of a form or JSON."""
    return HttpProblem(413, f"{what}: expected at most {MAX_TEXT} bytes, got more")


def _no_form(message: str) -> HttpProblem:
    return HttpProblem(400, f"form: {message}")


def _filled_in(fields: Sequence[tuple[str, str]]) -> Fields:
    try:
        return _unique([(name, value) for name, value in fields if value.strip()])
    except ValueError as error:
        raise _no_form(str(error)) from None


def _unique(pairs: Sequence[tuple[str, Any]]) -> Fields:
    found = dict(pairs)
    if len(found) < len(pairs):  # rare, and looking for it takes long
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"{name[:40]!r} is given more than once")
            seen.add(name)
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"expected a number, got {text}")


def _parts(body: bytearray, boundary: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield the headers of each part, and where its content begins and ends (RFC 2046, 5.1.1)."""
    separator = b"\r\n--" + boundary
    at = -2 if body.startswith(separator[2:]) else body.find(separator)
    if at == -1:
        raise _no_form("expected the boundary of the Content-Type before the first part")
    while True:
        at += len(separator)
        if body[at : at + 2] == b"--":
            return
        line_end = _END_OF_LINE.match(body, at)
        if line_end is None:
            raise _no_form("expected a line end, or -- at the end of the form, after a boundary")
        head = line_end.end()
        head_end = body.find(b"\r\n\r\n", head - 2, head + MAX_PART_HEAD)
        if head_end == -1:
            expected = f"at most {MAX_PART_HEAD} bytes of headers and an empty line"
            raise _no_form(f"expected {expected} at the beginning of a part")
        start = head_end + 4
        at = body.find(separator, start)
        if at == -1:
            raise _no_form("expected a boundary after the last part: the form is not complete")
        try:
            yield body[head:head_end].decode(), start, at
        except UnicodeDecodeError:
            raise _no_form("expected headers of parts in UTF-8") from None


def _names(head: str) -> tuple[str, str | None]:
    """Return the name of a part, and that of its file, or None if it is a field."""
    for line in head.split("\r\n"):
        header, colon, value = line.partition(":")
        if not colon:
            break
        if header.strip().lower() == "content-disposition":
            found = _parameters(value)
            if "name" in found:
                return found["name"], found.get("filename", found.get("filename*"))
            break
    raise _no_form(f"expected {DISPOSITION} in each part, got {head[:80]!r}")


def _parameters(value: str) -> dict[str, str]:
    """Return the parameters of a header by name in lower case (RFC 9110, section 5.6.6)."""
    found = {}
    at = value.find(";")
    while at >= 0 and (parameter := _PARAMETER.match(value, at)):
        name, quoted, plain = parameter.groups()
        found[name.lower()] = plain if quoted is None else quoted
        at = parameter.end()
    if 0 <= at < len(value.rstrip("; \t")):
        raise _no_form(
            f"expected name=value pairs with ; between them, got {value[at : at + 40]!r}"
        )
    return found
