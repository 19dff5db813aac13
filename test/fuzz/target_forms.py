"""Bodies of requests: forms with fields and files, JSON, and what says it is one of them."""

import json
from random import Random

from mutations import pieces
from talking import manner
from target import Case
from web_support import PICTURE
from web_target import WebTarget

PATHS = (b"/v1/describe", b"/v1/describe?annotate=1", b"/v1/ask", b"/upload", b"/v1/session")
BOUNDARY = b"----i2t"


def _part(name: bytes, content: bytes, more: bytes = b"") -> bytes:
    head = b'Content-Disposition: form-data; name="' + name + b'"' + more
    return b"--" + BOUNDARY + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


def _json(**values) -> bytes:
    return json.dumps(values).encode()


FILE = b'; filename="a.png"\r\nContent-Type: image/png'
END = b"--" + BOUNDARY + b"--\r\n"
MULTIPART = b"multipart/form-data; boundary=" + BOUNDARY
CODED = b"application/x-www-form-urlencoded"
BODIES = (
    (MULTIPART, _part(b"image", PICTURE, FILE) + END),
    (
        MULTIPART,
        _part(b"image", PICTURE, FILE)
        + _part(b"language", b"es")
        + _part(b"tasks", b"detect")
        + END,
    ),
    (
        MULTIPART,
        _part(b"url", b"http://127.0.0.1/x.png") + _part(b"image", b"", b'; filename=""') + END,
    ),
    (MULTIPART, _part(b"image", PICTURE, b"; filename*=UTF-8''%e2%82%ac.png") + END),
    (CODED, b"url=http%3A%2F%2F127.0.0.1%2Fx.png&language=es&annotate=1&min_score=0.5"),
    (MULTIPART, _part(b"image", PICTURE, FILE) + _part(b"question", b"Is it open?") + END),
    (MULTIPART, _part(b"camera", b"door") + _part(b"question", b"Who is there?") + END),
    (b"application/json", _json(camera="door", question="Who is there?", language="es")),
    (CODED, PICTURE),
    (b"application/json", _json(url="http://127.0.0.1/x.png", language="es", annotate=True)),
    (b"application/json", _json(url="http://[::1]:1/x", tasks=["detect"], min_score=0.5, fresh=1)),
    (b"application/json; charset=utf-16", _json(token="a" * 20)),
    (b"image/png", PICTURE),
    (b"application/octet-stream", PICTURE),
)
WORDS = (
    b"&", b"=", b"%", b"%zz", b"+", b";", b"[", b"]", b"{", b"}", b'"', b"\\", b"\\u0000",
    b"\\ud800", b"NaN", b"-1e999", b"null", b"true", b"--" + BOUNDARY, b"--" + BOUNDARY + b"\r\n",
    b"\r\n--", END, b"\r\n", b"\r", b"\n", b"\0", b"\xff\xfe",
    b"Content-Disposition: form-data\r\n", b"Content-Transfer-Encoding: base64\r\n",
    b'; name="image"', b'; filename="../x"', b"{\"a\":", b"1" * 5000, _part(b"x", b"y"),
    _part(b"image", PICTURE, FILE), PICTURE[:20], b"language", b"tasks", b"question", b"camera",
)  # fmt: skip


class Forms(WebTarget):
    """Sends bodies whose length, mostly, is as announced."""

    name = "forms"
    cases = 300

    def generate(self, random: Random) -> Case:
        kind, body = random.choice(BODIES)
        if random.random() < 0.95:
            body = self.mutated(random, body, WORDS)
        if random.random() < 0.2:
            kind = self.mutated(random, kind, WORDS)[:2000].replace(b"\r", b"").replace(b"\n", b"")
        length = len(body) if random.random() < 0.9 else random.choice((0, 1, 10**6, 10**12))
        head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" % random.choice(
            PATHS
        )
        head += b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, length)
        return [manner(random), head, *pieces(random, body)]
