"""HTTP: request lines, headers, framing, trailers, upgrades."""

from random import Random

from mutations import pieces
from talking import manner
from target import Case
from web_support import PICTURE
from web_target import WebTarget


def _request(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([line + b" HTTP/1.1", b"Host: localhost", *headers, b"", b""]) + body


CHUNKS = b"%x\r\n%s\r\n0\r\nX-Trailer: a\r\n\r\n" % (len(PICTURE), PICTURE)
UPGRADE = (
    b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip
REQUESTS = (
    _request(b"GET /"),
    _request(b"GET /", b"Accept: text/html, image/*;q=0.5", b'Cookie: i2t_session=abc; other="x"'),
    _request(b"GET /healthz", b"Connection: keep-alive", b"Connection: close"),
    _request(
        b"GET /v1/describe?camera=door&language=es&tasks=detect,text&min_score=0.5&annotate=1"
    ),
    _request(
        b"GET /v1/queue?request=a", b"X-Request-Id: a", b"X-Forwarded-For: 10.0.0.1, 10.0.0.2"
    ),
    _request(
        b"GET /snapshot?width=320&quality=60",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Prefix: /r",
    ),
    _request(b"GET /v1/live?language=de&style=list", b"Accept: text/event-stream"),
    _request(b"GET /stream?annotated=0", b"Origin: http://localhost", b"Authorization: Bearer x"),
    _request(b"GET /v1/pictures/abc.png", b"If-None-Match: *", b"Range: bytes=0-1"),
    _request(b"HEAD /v1/cameras"),
    _request(b"OPTIONS *", b"Access-Control-Request-Method: POST", b"Origin: null"),
    _request(b"GET http://localhost/v1/models"),
    _request(b"POST /v1/session", b"Content-Length: 4", body=b"abcd"),
    _request(
        b"POST /v1/describe",
        b"Content-Type: image/png",
        b"Content-Length: %d" % len(PICTURE),
        body=PICTURE,
    ),
    _request(
        b"POST /v1/describe", b"Content-Type: image/png", b"Transfer-Encoding: chunked", body=CHUNKS
    ),
    _request(
        b"POST /v1/describe",
        b"Expect: 100-continue",
        b"Content-Type: image/png",
        b"Content-Length: 9",
    ),
    _request(
        b"POST /v1/ask?question=why",
        b"Accept: text/event-stream",
        b"Content-Type: image/png",
        b"Content-Length: %d" % len(PICTURE),
        body=PICTURE,
    ),
    _request(b"POST /v1/ask?question=why&camera=door", b"Accept: application/json"),
    _request(b"GET /ws", *UPGRADE),
    _request(b"GET /ws/door", *UPGRADE, b"Sec-WebSocket-Protocol: a, b", b"Origin: file://"),
    _request(
        b"GET /static/page.js",
        b"Accept-Encoding: gzip",
        b"If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
    ),
)
WORDS = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"%", b"%00", b"%ff", b"..", b"//", b"?", b"&",
    b"=", b";", b",", b"Host: [\r\n", b"Host: a\r\n", b"Origin: http://[\r\n",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n",
    b"Upgrade: websocket\r\n", b"Cookie: " + b"\\" * 1000 + b"\r\n", b"X: \xff\r\n", b" folded\r\n",
    b"0\r\n", b"ffffffff\r\n", b"1;ext=a\r\na\r\n", b"GET / HTTP/1.0\r\n\r\n", b"HTTP/2.0",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"X-Forwarded-For: [::1\r\n",
    b"Accept: image/*;q=nan,\r\n", b"\xe2\x80\xae", b"true", b"1e999",
)  # fmt: skip


class Http(WebTarget):
    """Sends requests of every kind, one or several on a connection, changed."""

    name = "http"
    cases = 300

    def generate(self, random: Random) -> Case:
        stream = b"".join(random.choice(REQUESTS) for _ in range(random.choice((1, 1, 1, 2, 4))))
        if random.random() < 0.95:
            stream = self.mutated(random, stream, WORDS)
        return [manner(random), *pieces(random, stream)]
