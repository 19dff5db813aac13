"""Who may call: hosts, origins, tokens, rates; and what replies forbid browsers."""

import os
import socket
import time

import pytest

pytest.importorskip("fastapi")
from starlette.requests import HTTPConnection
from web_support import PICTURE
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from i2t_ros.bridges.http.middleware.access import (
    COOKIE,
    MAX_SESSIONS,
    _sessions,
    is_no_browser,
    session_value,
)
from i2t_ros.bridges.http.middleware.limits import MAX_ADDRESSES, AddressLimits
from i2t_ros.bridges.http.settings import HttpLimits, HttpSettings
from i2t_ros.errors import InvalidRequestError

TOKEN = "correct-horse-battery-staple"  # noqa: S105
BEARER = {"authorization": f"Bearer {TOKEN}"}


def status_of_socket(bridge, path="/ws", **options):
    """Return 101, or the status with which a WebSocket is refused."""
    try:
        with connect(bridge.url.replace("http", "ws") + path, **options):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


# --- names: DNS rebinding


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost:8080", "LOCALHOST", "[::1]:80", "192.168.1.7", socket.gethostname()],
)
def test_addresses_and_own_names_are_served(plain_web, host):
    with plain_web.client() as client:
        assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["attacker.example", "localhost.attacker.example:80", "127.0.0.1.x"]
)
@pytest.mark.parametrize("path", ["/", "/healthz", "/stream", "/v1/describe"])
def test_other_names_are_not(plain_web, host, path):
    with plain_web.client() as client:
        reply = client.get(path, headers={"host": host})
    assert (reply.status_code, reply.json()["error"]["code"]) == (421, "unknown_host")


def test_a_websocket_of_another_name_is_refused(web):
    bridge = web()
    with socket.create_connection(("127.0.0.1", bridge.server.port), 10) as raw:
        raw.sendall(
            b"GET /ws HTTP/1.1\r\nHost: attacker.example\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize(
    "host",
    [
        "[",
        "[::1",
        "]:80",
        "attacker.example@localhost",
        "localhost/x",
        "localhost#x",
        "local\thost",
    ],
)
def test_what_is_no_name_is_refused(client, host):
    assert client.get("/healthz", headers={"host": host}).status_code == 421


def test_two_names_are_refused(web):
    bridge = web()
    with socket.create_connection(("127.0.0.1", bridge.server.port), 10) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("allowed", [("robot.lab.example",), ("*",)])
def test_names_that_are_allowed(web, allowed):
    with web(allowed_hosts=allowed).client() as client:
        assert client.get("/healthz", headers={"host": "robot.lab.example"}).status_code == 200


# --- origins: pages of other sites


def test_pages_of_other_sites_can_neither_send_pictures_nor_open_sockets(web):
    bridge = web()
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://["):
        with bridge.client() as client:
            reply = client.post("/v1/describe", content=PICTURE, headers={"origin": origin})
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "forbidden_origin")
        assert status_of_socket(bridge, origin=origin) == 403


def test_its_own_page_and_programs_can(web):
    bridge = web()
    with bridge.client() as client:
        own = {"origin": bridge.url}
        assert client.post("/v1/describe", content=PICTURE, headers=own).status_code == 200
    assert status_of_socket(bridge, origin=bridge.url) == 101
    # As the Arduino libraries send it; no browser sends that for a page of a site.
    assert status_of_socket(bridge, origin="file://") == 101
    assert status_of_socket(bridge, origin="https://github.com/gilmaimon/TinyWebsockets") == 101
    assert not is_no_browser("https://github.com")


def test_cors_is_closed_and_can_be_opened_for_one_origin(web):
    origin = "https://dashboard.example"
    ask = {"origin": origin, "access-control-request-method": "POST"}
    with web().client() as client:
        assert (
            "access-control-allow-origin" not in client.options("/v1/describe", headers=ask).headers
        )
    bridge = web(cors_origins=(origin,), token=TOKEN)
    with bridge.client() as client:
        preflight = client.options("/v1/describe", headers=ask)
        assert preflight.headers["access-control-allow-origin"] == origin
        reply = client.post("/v1/describe", content=PICTURE, headers={**BEARER, "origin": origin})
        assert reply.status_code == 200
        assert reply.headers["access-control-allow-origin"] == origin
        assert origin in reply.headers["content-security-policy"]
        other = client.get("/healthz", headers={"origin": "https://other.example"})
        assert "access-control-allow-origin" not in other.headers


# --- tokens

CLOSED = [
    "/v1/describe",
    "/v1/cameras",
    "/v1/models",
    "/v1/live",
    "/stream",
    "/snapshot",
    "/metrics",
    "/v1/pictures/x",
    "/upload",
    "/nowhere",
]
WRONG = (
    {},
    {"authorization": "Bearer wrong"},
    {"authorization": TOKEN},
    {"cookie": "i2t_session=00"},
    {"cookie": f"i2t_session={TOKEN}"},
)


def test_without_the_token_nothing_is_shown(web):
    with web(token=TOKEN, refusals_per_second=0).client() as client:
        for path in CLOSED:
            for headers in WRONG:
                reply = client.get(path, headers=headers)
                assert (reply.status_code, reply.json()["error"]["code"]) == (401, "unauthorized")
                assert reply.headers["www-authenticate"] == "Bearer"


def test_what_shows_nothing_needs_no_token(web):
    with web(token=TOKEN).client(headers={"accept": "text/html"}) as client:
        for path in ("/", "/healthz", "/readyz", "/docs", "/openapi.json", "/static/page.js"):
            assert client.get(path).status_code == 200


def test_with_the_token_everything_works(web):
    bridge = web(token=TOKEN)
    with bridge.client(headers=BEARER) as client:
        assert client.post("/v1/describe", content=PICTURE).status_code == 200
    assert status_of_socket(bridge) == 401
    assert status_of_socket(bridge, additional_headers=BEARER) == 101


def test_a_browser_shows_the_token_once_and_then_its_cookie(web):
    bridge = web(token=TOKEN)
    with bridge.client() as client:
        assert client.get("/v1/session").json()["token_needed"] is True
        wrong = client.post("/v1/session", headers={"authorization": "Bearer nonsense"})
        assert wrong.status_code == 401
        right = client.post("/v1/session", headers=BEARER)
        assert right.status_code == 204
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert TOKEN not in cookie
        assert client.get("/v1/session").json()["token_needed"] is False
        assert client.get("/v1/cameras").status_code == 200
        # The cookie renews nothing, and a wrong token stays wrong beside it.
        for shown in ({}, {"authorization": "Bearer nonsense"}):
            assert client.post("/v1/session", headers=shown).status_code == 401


@pytest.mark.parametrize(
    "foreign",
    [
        "foo bar",
        "bad[]=1",
        'a="',
        "i2t_session=00",  # of another robot, below another path of the same proxy
        "=; ;;=",
        "a=" + "\\\\" * 30_000,
        'b="' + '\\"' * 20_000,
        "\xff=\xfe",
    ],
)
def test_cookies_of_others_lock_nobody_out_and_take_no_time(web, foreign):
    own = f"{COOKIE}={session_value(TOKEN)}"
    bridge = web(token=TOKEN)
    used = time.process_time()
    with bridge.client() as client:
        for cookies in (f"{foreign}; {own}", f"{own};{foreign}"):
            reply = client.get("/v1/cameras", headers={"cookie": cookies.encode("latin-1")})
            assert reply.status_code == 200
        alone = {"cookie": foreign.encode("latin-1")}
        assert client.get("/v1/cameras", headers=alone).status_code == 401
    assert time.process_time() - used < 2  # http.cookies takes 25 s for the backslashes


@pytest.mark.parametrize(
    ("cookie", "shown"),
    [
        ("i2t_session=a", ["a"]),
        ("foo bar; i2t_session = a ;i2t_session=b", ["a", "b"]),
        ("my_i2t_session=a; i2t_session2=b; x=i2t_session", []),
        ("i2t_session=;" * 4500, [""] * MAX_SESSIONS),
        ("i2t_session" * 5000, []),
        ("; " * 30_000 + "i2t_session=a", ["a"]),
    ],
)
def test_our_own_cookies_are_found_by_name_and_few_are_looked_at(cookie, shown):
    scope = {"type": "http", "headers": [(b"cookie", cookie.encode())]}
    assert list(_sessions(HTTPConnection(scope))) == shown


@pytest.mark.parametrize(
    "wanted",
    [
        *("bytes=0-1", "bytes=a-b", "bytes=9-0", "bytes=99999999-", "bytes=0-1,3-4", "x"),
        *("bytes=" + "1" * 7900, "bytes=" + "0-0," * 1900),
    ],
)
def test_files_are_sent_whole_whatever_range_is_asked_for(plain_web, wanted):
    with plain_web.client() as client:
        reply = client.get("/static/page.css", headers={"range": wanted})
        assert reply.status_code == 200
        assert reply.content == client.get("/static/page.css").content


@pytest.mark.parametrize("path", ["/a" * 3900, "/strings" + "/%2e%2e" * 1000, "/a%2f" * 1500])
def test_no_long_path_is_looked_for_on_the_disk(plain_web, monkeypatch, path):
    looked = []
    monkeypatch.setattr(os.path, "realpath", lambda path, **_: looked.append(path) or path)
    with plain_web.client() as client:
        assert client.get(f"/static{path}").status_code == 404
    assert not looked


@pytest.mark.parametrize("token", ["short", "ü" * 20, "sixteen characters\n", "tab\t" * 5])
def test_a_token_that_can_be_guessed_is_refused(token):
    with pytest.raises(InvalidRequestError, match="openssl rand"):
        HttpSettings(token=token)


# --- headers


@pytest.mark.parametrize("path", ["/", "/v1/cameras", "/nowhere", "/static/page.css", "/metrics"])
def test_every_reply_forbids_what_is_not_needed(plain_web, path):
    with plain_web.client() as client:
        headers = client.get(path, headers={"accept": "text/html"}).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert policy.endswith("; frame-ancestors 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers
    assert headers["cache-control"] == (
        "no-cache" if path in ("/", "/static/page.css") else "no-store"
    )


def test_no_other_site_may_frame_the_documentation(web):
    with web(cors_origins=("https://dashboard.example",)).client() as client:
        policy = client.get("/docs").headers["content-security-policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert policy.endswith("; frame-ancestors 'self' https://dashboard.example")


# --- rates


def test_a_rate_is_held_with_a_burst():
    now = [0.0]
    limit = AddressLimits(2, clock=lambda: now[0])
    assert [limit.allow("a") for _ in range(5)] == [True] * 4 + [False]
    assert limit.allow("b")
    now[0] += 0.5
    assert [limit.allow("a") for _ in range(2)] == [True, False]
    now[0] += 100
    assert [limit.allow("a") for _ in range(5)] == [True] * 4 + [False]


def test_addresses_without_end_do_not_fill_the_memory():
    limit = AddressLimits(1)
    for number in range(2 * MAX_ADDRESSES):
        limit.allow(str(number))
    assert len(limit._limits) == MAX_ADDRESSES


def test_too_many_requests_are_told_so(web):
    with web(requests_per_second=2).client() as client:
        statuses = [client.get("/healthz").status_code for _ in range(6)]
        refused = client.get("/healthz")
    assert statuses[:4] == [200] * 4
    assert 429 in statuses
    assert refused.json()["error"]["code"] == "too_many_requests"
    assert refused.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/cameras", {"authorization": "Bearer wrong"}, 401),
        ("/v1/cameras", {"cookie": f"{COOKIE}=00"}, 401),
        ("/healthz", {"host": "attacker.example"}, 421),
        ("/v1/describe", {"origin": "https://evil.example"}, 403),
        ("/v1/session", {"authorization": "Bearer wrong"}, 401),
        ("/v1/session", {"cookie": f"{COOKIE}={session_value(TOKEN)}"}, 401),
    ],
)
def test_who_is_refused_again_and_again_is_slowed_down_and_nobody_else(web, path, headers, status):
    with web(token=TOKEN, refusals_per_second=0.01).client() as client:
        replies = [client.post(path, headers=headers) for _ in range(5)]
        assert [reply.status_code for reply in replies] == [status, 429, 429, 429, 429]
        assert replies[1].json()["error"]["code"] == "too_many_requests"
        assert replies[1].headers["retry-after"] == "1"
        assert client.get("/v1/cameras", headers=BEARER).status_code == 200


@pytest.mark.parametrize(
    ("addresses", "answers"),
    [
        (["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3"], [401, 429, 429]),  # one network
        (["2001:db8::1", "2001:db8:0:1::1", "::ffff:192.0.2.1"], [401, 401, 401]),
        (["::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"], [401, 429, 401]),
    ],
)
def test_who_guesses_from_many_addresses_of_a_network_is_one(web, addresses, answers):
    with web(token=TOKEN, refusals_per_second=0.01).client() as client:
        replies = [
            client.get("/v1/cameras", headers={"x-forwarded-for": address}) for address in addresses
        ]
    assert [reply.status_code for reply in replies] == answers


def test_a_guess_is_not_confirmed_where_no_token_is_needed(web):
    with web(token=TOKEN).client() as client:
        wrong = client.get("/v1/session", headers={"authorization": "Bearer wrong"})
    assert wrong.status_code == 401


# --- settings


@pytest.mark.parametrize("name", HttpLimits.__dataclass_fields__)
def test_limits_that_would_refuse_everything_are_refused(name):
    with pytest.raises(InvalidRequestError, match=name):
        HttpLimits(**{name: -1})


@pytest.mark.parametrize("origin", ["dashboard.example", "https://a.example/", "*", "https://"])
def test_an_origin_has_a_scheme_and_no_path(origin):
    with pytest.raises(InvalidRequestError, match="cors_origins"):
        HttpSettings(cors_origins=(origin,))


def test_half_a_certificate():
    with pytest.raises(InvalidRequestError, match="certificate"):
        HttpSettings(certificate="cert.pem")
