"""Behind a reverse proxy: below a path, with headers that are believed from some only."""

import ipaddress
import json

import httpx
import pytest

pytest.importorskip("fastapi")
from reverse_proxy import ReverseProxy
from starlette.datastructures import Headers
from waiting import TIME_LIMIT
from web_support import PICTURE
from websockets.sync.client import connect

from i2t_ros.bridges.http.middleware.proxies import MAX_PROXIES, Proxied, _prefix, _relative
from i2t_ros.bridges.http.settings import HistorySettings, HttpSettings

TOKEN = "correct-horse-battery-staple"  # noqa: S105
BELOW = {"x-forwarded-prefix": "/robot"}


def headers(**values):
    return Headers({f"x-forwarded-{name}": value for name, value in values.items()})


@pytest.mark.parametrize(
    ("said", "prefix"),
    [
        ("/robot", "/robot"), ("/robot/", "/robot"), ("/a/b-2.x_y~", "/a/b-2.x_y~"),
        ("/outer, /inner", "/outer/inner"), ("", ""), ("/", ""),
        ("robot", ""), ("//evil.example", ""), ("https://evil.example", ""), ("/a/../b", ""),
        ("/.", ""), ("/a b", ""), ("/a?b", ""), ("/a;b", ""), ("/<script>", ""), ("/é", ""),
        ("/a\\b", ""), ("/a%2f..", ""), ("/" + 300 * "a", ""),
    ],
)  # fmt: skip
def test_a_prefix_is_a_plain_path_or_nothing(said, prefix):
    assert _prefix(Headers(raw=[(b"x-forwarded-prefix", said.encode("latin-1"))])) == prefix


@pytest.mark.parametrize(
    ("asked", "location", "relative"),
    [
        ("/docs/", "http://robot:8080/docs", "../docs"),
        ("/upload", "/", "./"),
        ("/v1/cameras/", "http://robot:8080/v1/cameras?a=b", "../../v1/cameras?a=b"),
        ("/x", "//elsewhere.example/", "//elsewhere.example/"),
        ("/a:b/", "http://robot:8080/a:b", "../a:b"),
        ("/x/", "http://robot:8080//evil.example", "../evil.example"),
    ],
)
def test_redirects_are_relative(asked, location, relative):
    scope = {"path": asked, "headers": [(b"host", b"robot:8080")]}
    assert _relative(location, scope) == relative


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::1", "10.9.9.9, 203.0.113.9", "203.0.113.9"),  # the first may be invented
        ("127.0.0.1", "203.0.113.9, 127.0.0.1", "203.0.113.9"),  # a chain of trusted ones
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9" + ", ::1" * (MAX_PROXIES - 1), "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9" + ", ::1" * 10_000, "::1"),  # no chain is so long
        ("127.0.0.1", "," * 50_000, "127.0.0.1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),  # not a proxy of ours
    ],
)
def test_the_callers_address_is_the_last_that_is_no_proxy(peer, forwarded, caller):
    proxied = Proxied(None, HttpSettings().trusted_proxies)
    said = headers(**({"for": forwarded} if forwarded else {}))
    found = proxied._caller(said, peer) if proxied._is_trusted(peer) else peer
    assert found == caller


def test_addresses_of_clients_behind_a_proxy_are_limited_one_by_one(web):
    bridge = web(requests_per_second=1.0)
    with bridge.client() as client:

        def status(address):
            return client.get("/v1/cameras", headers={"x-forwarded-for": address}).status_code

        assert [status("203.0.113.1") for _ in range(3)] == [200, 200, 429]
        assert status("203.0.113.2") == 200


def test_headers_of_others_are_ignored(web):
    bridge = web(trusted_proxies=(ipaddress.ip_network("192.0.2.0/24"),), token=TOKEN)
    said = {**BELOW, "x-forwarded-proto": "https", "authorization": f"Bearer {TOKEN}"}
    with bridge.client(headers=said) as client:
        reply = client.post("/v1/describe?annotate=1", content=PICTURE).json()
        assert reply["annotated"].startswith("/v1/pictures/")
        cookie = client.post("/v1/session").headers["set-cookie"].lower()
        assert "path=/;" in f"{cookie};"
        assert "secure" not in cookie


def test_what_replies_link_to_is_below_the_prefix(web, tmp_path):
    history = HistorySettings(f"sqlite:///{tmp_path}/h.db", str(tmp_path / "kept"))
    bridge = web(history=history, token=TOKEN)
    said = {**BELOW, "x-forwarded-proto": "https"}
    with (
        ReverseProxy(bridge.server.port, headers=said) as proxy,
        httpx.Client(headers={"authorization": f"Bearer {TOKEN}"}, timeout=TIME_LIMIT) as client,
    ):
        site = f"http://{proxy.host}"
        reply = client.post(f"{proxy.url}/v1/describe?annotate=1", content=PICTURE).json()
        kept = client.get(f"{proxy.url}/v1/history").json()["results"][0]
        for path in (reply["annotated"], kept["picture"], kept["annotated"]):
            assert client.get(site + path).status_code == 200, path
        links = client.post(f"{proxy.url}/upload", files={"file": PICTURE}).json()
        assert links["original"].startswith(f"https://{proxy.host}/robot/v1/pictures/")
        cookie = client.post(f"{proxy.url}/v1/session").headers["set-cookie"].lower()
        assert "path=/robot/;" in cookie
        assert "secure" in cookie
        assert proxy.strays == []


def test_streams_sockets_documents_and_redirects_without_a_word_of_the_proxy(web):
    bridge = web()
    with ReverseProxy(bridge.server.port) as proxy, httpx.Client(timeout=TIME_LIMIT) as client:
        for path, start in (("stream", b"--i2tframe"), ("v1/live", b"event: silence")):
            with client.stream("GET", f"{proxy.url}/{path}") as stream:
                assert stream.headers["x-accel-buffering"] == "no"
                assert next(stream.iter_bytes()).startswith(start)
        with connect(f"{proxy.url.replace('http', 'ws')}/ws/door", compression=None) as socket:
            socket.ping().wait(TIME_LIMIT)
        followed = client.get(f"{proxy.url}/docs/", follow_redirects=True)
        assert (followed.status_code, followed.url.path) == (200, "/robot/docs")
        document = client.get(f"{proxy.url}/openapi.json")
        server = document.url.join(json.loads(document.text)["servers"][0]["url"])
        assert client.get(server.join("healthz")).status_code == 200
        assert proxy.strays == []
