"""Forms and JSON: what is read of them, and what hostile ones cost."""

import tempfile
import time

import pytest

pytest.importorskip("fastapi")
from http_talk import head, raw
from web_support import PICTURE

from i2t_ros.bridges.http import forms
from i2t_ros.bridges.http.forms import read_json, read_multipart, read_url_encoded
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.settings import FetchSettings

KIND = "multipart/form-data; boundary=x"
LARGE = 16 << 20
LONG = "b" * 70  # the longest boundary there may be


def part(content=b"", disposition=b'form-data; name="f"', more=b"", boundary=b"x"):
    head = b"--%s\r\nContent-Disposition: %s\r\n%s\r\n" % (boundary, disposition, more)
    return head + content + b"\r\n"


def file(content=PICTURE):
    return part(content, b'form-data; name="f"; filename="a.png"')


def form(*parts, end=b"--x--\r\n"):
    return bytearray(b"".join(parts) + end)


def refused(read, *arguments):
    with pytest.raises(HttpProblem) as caught:
        read(*arguments)
    return caught.value.status_code


# --- what is read


@pytest.mark.parametrize(
    ("body", "kind", "fields", "files"),
    [
        (form(file()), KIND, {}, [PICTURE]),
        (form(file(), part(b"es", b'form-data; name="language"')), KIND, {"language": "es"}, None),
        (form(part(b"es")), 'Multipart/Form-Data; charset=utf-8; Boundary="x"', {"f": "es"}, []),
        (form(part("á".encode())) + b"after the end", KIND, {"f": "á"}, []),
        (b"before the beginning\r\n" + form(part(b"es")), KIND, {"f": "es"}, []),
        (form(part(b"es", b"form-data;name=f", b"Content-Type: text/plain\r\n")), KIND, None, []),
        (form(part(b"a\r\n--y\r\n\r\nb")), KIND, {"f": "a\r\n--y\r\n\r\nb"}, []),
        (form(part(b"a", b'form-data; name="a;b=c\\"d"')), KIND, {'a;b=c\\"d': "a"}, []),
        (form(part(b"", b'form-data; name="f"; filename=""'), part(b" ")), KIND, {}, []),
        (form(part(b"x", b"form-data; name=f; filename=")), KIND, {}, [b"x"]),
        (form(part(b"x", b"form-data; name=f; filename*=utf-8''a")), KIND, {}, [b"x"]),
        (form(file(b"")), KIND, {}, [b""]),
        (form(part(b"es")).replace(b"--x\r\n", b"--x \t\r\n"), KIND, {"f": "es"}, []),
        (form(), KIND, {}, []),
    ],
)
def test_what_a_form_says(body, kind, fields, files):
    got = read_multipart(bytearray(body), kind)
    assert fields is None or got[0] == fields
    assert files is None or got[1] == files


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (form(file(), end=b""), KIND),
        (form(file(), end=b"--x"), KIND),
        (form(file()), "multipart/form-data"),
        (form(file()), "multipart/form-data; boundary="),
        (form(file()), "multipart/form-data; boundary=" + "b" * 71),
        (form(file()), "multipart/form-data; boundary=" + "b" * 60_000),
        (form(file()), 'multipart/form-data; boundary="x'),
        (form(file()), "multipart/form-data; boundary=y"),
        (form(part(b"\xff\xfe")), KIND),
        (form(part(b"", b'form-data; name="\xff"')), KIND),
        (form(part(b"", b"form-data")), KIND),
        (form(part(b"", b'form-data; name="a"b"')), KIND),
        (form(part(b"", b'form-data; name="a')), KIND),
        (form(b"--x\r\n\r\nno header\r\n"), KIND),
        (form(b"--x\r\nno colon\r\n\r\na\r\n"), KIND),
        (form(b"--x\r\nA: " + b"a" * 5000 + b"\r\n\r\na\r\n"), KIND),
        (form(b"--xy\r\n\r\na\r\n"), KIND),
        (form(file(), file()), KIND),
        (form(part(b"es"), part(b"de")), KIND),
        (bytearray(b""), KIND),
    ],
)
def test_what_is_no_form(body, kind):
    assert refused(read_multipart, body, kind) == 400


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"language=es&url=http%3A%2F%2Fx&style=", {"language": "es", "url": "http://x"}),
        (b"a=%C3%A1&b=+c+&&&", {"a": "á", "b": " c "}),
        (b"a=%ff", None),
        (b"a=\xff", None),
        (b"a=1&a=2", None),
        (b"&" * 60_000, None),
    ],
)
def test_what_a_url_encoded_form_says(body, fields):
    if fields is None:
        assert refused(read_url_encoded, bytearray(body)) == 400
    else:
        assert read_url_encoded(bytearray(body)) == (fields, [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1]",
        b'{"url": NaN}',
        b'{"min_score": -Infinity}',
        b'{"url": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"url": "\xed\xa0\x80"}',
        b'{"url": "\xff"}',
        b'{"url": "a", "url": "b"}',
        b'{"min_score": %s}' % (b"9" * 60_000),
        b"[" * 65_000,
        b'{"a":' * 13_000,
        b'{"url": "a\0b"}',
        '{"url": "á"}'.encode("utf-16")[:-1],
    ],
)
def test_what_is_no_json_for_us(body):
    assert refused(read_json, bytearray(body)) == 400


# --- what hostile ones cost


def filled(begin, pattern):
    return bytearray(begin + pattern * ((LARGE - len(begin)) // len(pattern)))


@pytest.mark.parametrize("boundary", ["x", LONG, "-" * 70])
@pytest.mark.parametrize(
    ("begin", "pattern"),
    [
        (b"", b"&"),
        (b"", b"--B\r\n\r\n\r\n"),
        (b"", b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\na\r\n'),
        (b"", b"\r\n"),
        (b"HEAD", b"\r\n"),
        (b"HEAD", b"\r"),
        (b"HEAD", b"-"),
        (b"HEAD", b"\r\n--CUT"),
        (b"HEAD", b"\r\n--CUT!--CUT\r\n"),
        (b"--B\r\nA: ", b"a"),
        (b"--B\r\n", b"A: a\r\n"),
        (b"--B", b" "),
        (b"--B\r\nContent-Disposition: ", b';"'),
        (b"--B\r\nContent-Disposition: form-data", b'; a="\\"'),
    ],
)
def test_sixteen_megabytes_of_nothing_are_refused_soon(boundary, begin, pattern):
    head = b'--B\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
    whole = boundary.encode()
    body = filled(
        begin.replace(b"HEAD", head).replace(b"--B", b"--" + whole),
        pattern.replace(b"--B", b"--" + whole).replace(b"CUT", whole[:-1]),
    )
    began = time.process_time()
    status = refused(read_multipart, body, f"multipart/form-data; boundary={boundary}")
    assert time.process_time() - began < 1.0  # python-multipart 0.0.9 takes up to 60 s
    assert status == 400


def test_the_fields_of_a_form_have_a_limit():
    assert refused(read_multipart, form(file(), part(bytes(forms.MAX_TEXT))), KIND) == 413
    several = [part(b"a" * 9000, b'form-data; name="a%d"' % number) for number in range(8)]
    assert refused(read_multipart, form(*several), KIND) == 413
    assert read_multipart(form(file(bytes(LARGE)), *several[:7]), KIND)


def test_empty_parts_are_few():
    assert refused(read_multipart, form(*[part()] * (forms.MAX_PARTS + 1)), KIND) == 400


# --- over HTTP


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"url": "%s"}' % (b"a" * 66_000), "application/json"),
        (b"[" * 1_000_000, "application/json"),
        (b"&" * 1_000_000, "application/x-www-form-urlencoded"),
        (b"url=" + b"a" * 66_000, "application/x-www-form-urlencoded"),
        (bytes(form(file(), part(b"a" * 66_000))), KIND),
    ],
)
def test_text_that_is_too_large(plain_web, body, kind):
    with plain_web.client() as client:
        reply = client.post("/v1/describe", content=body, headers={"content-type": kind})
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "body_too_large")
    assert "65536" in reply.json()["error"]["message"]


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_text_that_is_too_large_is_refused_before_all_of_it_has_come(plain_web, kind):
    with raw(plain_web) as sock:
        sock.sendall(head(plain_web, content_length=10_000_000, content_type=kind) + b"[" * 70_000)
        assert sock.recv(4096).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"url": "http://\\u0000/"}', "application/json"),
        (b'{"url": "http://\\u202e/"}', "application/json"),
        (b'{"url": "a", "min_score": %s}' % (b"9" * 4000), "application/json"),
        (b'{"url": "a", "min_score": 1e999}', "application/json"),
        (b'{"url": "a", "tasks": {"a": []}}', "application/json"),
        (b'{"url": "a", "language": null}', "application/json"),
        (b'{"url": ["a"]}', "application/json"),
        (b"url=%00", "application/x-www-form-urlencoded"),
        (b"url=a&%00=1", "application/x-www-form-urlencoded"),
        (bytes(form(file(), part(b"a\0b", b'form-data; name="language"'))), KIND),
        (bytes(form(file(), part(b"a", b'form-data; name="a\0b"'))), KIND),
    ],
)
def test_odd_values_are_refused_and_explained(web, caplog, body, kind):
    with web(fetch=FetchSettings()).client() as client:
        reply = client.post("/v1/describe", content=body, headers={"content-type": kind})
    assert reply.status_code in (400, 403, 422), reply.text
    assert reply.json()["error"]["message"]
    assert "Traceback" not in caplog.text


def test_a_large_form_needs_no_temporary_folder(plain_web, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    body = bytes(form(file(PICTURE + bytes(5 << 20)), part(b"es", b'form-data; name="language"')))
    with plain_web.client() as client:
        reply = client.post("/v1/describe", content=body, headers={"content-type": KIND})
    assert reply.status_code == 200
    assert reply.json()["language"] == "es"
