"""Pictures from URLs: from public places only, whatever names and redirects say."""

import asyncio
import contextlib
import http.server
import ipaddress
import ssl
import threading
from urllib.parse import unquote

import httpx
import pytest

pytest.importorskip("fastapi")
from waiting import TIME_LIMIT, until
from web_support import PICTURE

from i2t_ros.bridges.http.fetch import Fetcher, host_header, may_reach, read_url
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.services import MAX_FETCHES
from i2t_ros.bridges.http.settings import FetchSettings

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "informed": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2000),
    "dripping": (CHUNKED, b"1\r\n\x89\r\n" * 8000),
    "trailing": (CHUNKED + b"0\r\n", b"A: b\r\n" * 8000),
}


class Site(http.server.BaseHTTPRequestHandler):
    """Answers as the path says."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def reply(self, status=200, body=PICTURE, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def send_without_end(self, begin, part):
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.write(begin)
            while not self.server.stop.is_set():
                self.wfile.write(part)

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        name = self.path.partition("?")[0].strip("/")
        port = self.server.server_port
        if name == "picture.png":
            self.reply(Content_Type="image/png")
        elif name == "chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(PICTURE), PICTURE))
        elif name == "page":
            self.reply(body=b"<html>", Content_Type="text/html")
        elif name == "large":
            self.reply(body=bytes(300_000), Content_Type="image/png")
        elif name == "cut":
            self.reply(length=len(PICTURE) * 2)
            self.close_connection = True
        elif name in ENDLESS:
            self.send_without_end(*ENDLESS[name])
        elif name == "slow":
            self.server.stop.wait(20)
        elif name == "here":
            self.reply(302, b"", Location="/picture.png")
        elif name == "loop":
            self.reply(302, b"", Location="/loop")
        elif name.startswith("to/"):
            self.reply(302, b"", Location=unquote(name[3:]).replace("PORT", str(port)))
        else:
            self.reply(404, b"")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Site)
        self.seen = []
        self.stop = threading.Event()


@pytest.fixture
def site():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.stop.set()
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(url, site=None, *, allowed=LOOPBACK, resolve=None, max_bytes=200_000, time=5.0):
    ports = (80, 443) if site is None else (80, 443, site.server_port)
    settings = FetchSettings(allowed=allowed, ports=ports, time=time)
    return asyncio.run(Fetcher(settings, max_bytes, resolve).fetch(url))


def refusal(*arguments, **named):
    with pytest.raises(HttpProblem) as raised:
        fetch(*arguments, **named)
    return raised.value.status_code, raised.value.code


# --- what works


@pytest.mark.parametrize(
    "path", ["/picture.png", "/picture.png?a=b&c=%20#part", "/chunked", "/here"]
)
def test_a_picture(site, path):
    assert fetch(site.url + path, site) == PICTURE


def test_the_server_sees_its_own_name_and_nothing_of_us(site):
    async def resolve(host, port):
        assert host == "pictures.example"
        return ["127.0.0.1"]

    fetch(f"http://pictures.example:{site.server_port}/picture.png", site, resolve=resolve)
    _, headers = site.seen[0]
    assert headers["Host"] == f"pictures.example:{site.server_port}"
    assert set(headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}


def test_the_whole_way(web, site):
    settings = FetchSettings(allowed=LOOPBACK, ports=(site.server_port,))
    with web(fetch=settings).client() as client:
        url = f"{site.url}/picture.png"
        for reply in (
            client.post("/v1/describe", json={"url": url, "language": "es"}),
            client.post("/v1/describe?language=es", data={"url": url}),
            client.post("/v1/describe?language=es", files={"url": (None, url)}),
        ):
            assert reply.json()["sentence"] == "Veo un perro y una persona."
        assert client.post("/upload", data={"url": url}).json()["error"] == ""
        refused = client.post("/v1/describe", json={"url": "http://10.0.0.1/"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "fetch_refused")


@pytest.mark.parametrize("name", ENDLESS)
def test_a_server_that_sends_much_and_says_nothing_keeps_nobody_waiting(web, site, name):
    settings = FetchSettings(allowed=LOOPBACK, ports=(site.server_port,), time=1.0)
    bridge = web(fetch=settings)
    stop, answered = threading.Event(), []

    def innocent():
        with bridge.client() as client:
            while not stop.is_set():
                answered.append(client.get("/healthz").is_success)

    other = threading.Thread(target=innocent)
    other.start()
    try:
        with bridge.client() as client:
            reply = client.post("/v1/describe", json={"url": f"{site.url}/{name}"})
    finally:
        stop.set()
        other.join()
    code = reply.json()["error"]["code"]
    assert code == ("fetch_failed" if name == "trailing" else "time_limit")
    assert all(answered)
    # The loop of the listener is not the one that reads this.
    assert code == "fetch_failed" or len(answered) > 3


def test_only_so_many_are_fetched_at_a_time(web, site):
    settings = FetchSettings(allowed=LOOPBACK, ports=(site.server_port,), time=TIME_LIMIT)
    bridge = web(fetch=settings)

    def ask():
        with contextlib.suppress(httpx.HTTPError), bridge.client() as client:
            client.post("/v1/describe", json={"url": f"{site.url}/slow"})

    asking = [threading.Thread(target=ask) for _ in range(MAX_FETCHES)]
    for each in asking:
        each.start()
    until(lambda: len(site.seen) == MAX_FETCHES, "all are being fetched")
    with bridge.client() as client:
        reply = client.post("/v1/describe", json={"url": f"{site.url}/picture.png"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "busy")
    site.stop.set()
    for each in asking:
        each.join()


# --- where nobody may go


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://192.88.99.1/",
        "http://[3fff::1]/",
        "http://[3fff:fff:ffff::1]/",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://[fec0::1]/",
        "http://[::7f00:1]/",
        "http://168.63.129.16/",
        "http://192.0.0.192/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
    ],
)
def test_private_addresses(url):
    assert refusal(url, allowed=()) == (403, "fetch_refused")


def test_public_addresses_may_be_reached():
    for text in ("1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"):
        assert may_reach(ipaddress.ip_address(text))


def test_a_name_with_any_private_address():
    async def resolve(host, port):
        return ["93.184.216.34", "10.0.0.5"]

    assert refusal("http://both.example/", allowed=(), resolve=resolve) == (403, "fetch_refused")


@pytest.mark.parametrize("target", ["http://169.254.169.254/", "http://[::1]/", "//10.0.0.1/"])
def test_redirects_are_checked_like_the_first(site, target):
    assert refusal(f"{site.url}/to/{target}", site) == (403, "fetch_refused")
    assert len(site.seen) == 1


def test_a_redirect_to_what_is_no_url(site):
    assert refusal(f"{site.url}/to/http:%2F%2F[", site) == (502, "fetch_failed")


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "gopher://x/", "ftp://x/", "javascript:1"]
)
def test_redirects_to_other_schemes(site, target):
    assert refusal(f"{site.url}/to/{target}", site) == (422, "fetch_refused")


def test_a_name_that_changes_between_check_and_connection(site):
    """DNS rebinding: the second answer is private, and is never asked for."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]])
    asked = []

    async def resolve(host, port):
        asked.append(host)
        return next(answers)

    url = f"http://rebind.example:{site.server_port}/picture.png"
    assert fetch(url, site, resolve=resolve) == PICTURE
    assert asked == ["rebind.example"]
    # And on the way through a redirect to the same name, the new answer is what is checked.
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    url = f"http://rebind.example:{site.server_port}/to/http://rebind.example:PORT/picture.png"
    assert refusal(url, site, resolve=resolve) == (403, "fetch_refused")


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("", 422),
        ("photo.jpg", 422),
        ("file:///etc/passwd", 422),
        ("ftp://example.com/a.jpg", 422),
        ("http://", 422),
        ("http://exa mple.com/", 422),
        ("http://example.com/\r\nHost: evil", 422),
        ("http://example.com:99999/", 422),
        ("http://[::1", 422),
        ("http://" + "a" * 300 + ".example/", 422),
        ("http://user:secret@example.com/", 403),
        ("http://example.com:22/", 403),
        ("http://example.com:0/", 403),
        ("http://example.com:8080/", 403),
    ],
)
def test_urls_that_are_not_fetched(url, status):
    assert refusal(url) == (status, "fetch_refused")


def test_parts_of_a_url():
    target = read_url("https://Bücher.example/ä b".replace(" ", "%20") + "?q=ö#x", (443,))
    assert host_header(target) == "xn--bcher-kva.example"
    assert target.target == b"/%C3%A4%20b?q=%C3%B6"
    assert host_header(read_url("http://[2606:4700::1111]/", (80,))) == "[2606:4700::1111]"


# --- what the other server may do


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/nowhere", (502, "fetch_failed")),
        ("/page", (415, "not_an_image")),
        ("/large", (413, "body_too_large")),
        ("/cut", (502, "fetch_failed")),
        ("/loop", (502, "fetch_failed")),
    ],
)
def test_what_is_no_picture(site, path, expected):
    assert refusal(site.url + path, site) == expected


def test_a_server_that_takes_too_long(site):
    assert refusal(f"{site.url}/slow", site, time=0.2) == (504, "time_limit")


def test_nobody_there(site):
    async def resolve(host, port):
        raise OSError("no such name")

    assert refusal("http://127.0.0.1:443/") == (502, "fetch_failed")
    assert refusal("http://no.example/", resolve=resolve) == (502, "fetch_failed")


def test_a_certificate_that_nobody_vouches_for(site, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    site.handle_error = lambda request, address: None
    site.socket = context.wrap_socket(site.socket, server_side=True)
    url = site.url.replace("http", "https") + "/picture.png"
    assert refusal(url, site) == (502, "fetch_failed")
