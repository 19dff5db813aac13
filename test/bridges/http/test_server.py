"""The listener's life: on one loop with TCP, started and closed cleanly; its pages and state."""

import asyncio
import contextlib
import graphlib
import json
import re
import ssl
import threading

import pytest

pytest.importorskip("fastapi")
from local_handlers import FakeHandler
from waiting import TIME_LIMIT, until
from web_support import PICTURE, RectangleDescriber

from i2t_ros.bridges.camera_hub import CameraHub
from i2t_ros.bridges.http.problems import REFUSALS
from i2t_ros.bridges.http.routes import pages
from i2t_ros.bridges.http.server import HttpServer
from i2t_ros.bridges.http.services import Services
from i2t_ros.bridges.tcp.server import TcpServer
from i2t_ros.errors import I2tError
from i2t_ros.language import LANGUAGES
from i2t_ros.pipeline.tasks.registry import TASKS

STRINGS = pages.STATIC / "strings"


def make_server(port=0, host="127.0.0.1"):
    return HttpServer(Services(FakeHandler(), CameraHub()), host, port)


@contextlib.asynccontextmanager
async def serving(**where):
    server = make_server(**where)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


async def get(port, path="/healthz"):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    return reply


def test_it_shares_a_loop_with_tcp_and_may_be_closed_twice():
    async def main():
        tcp = TcpServer(FakeHandler(), port=0)
        await tcp.start()
        async with serving() as server:
            assert (await get(server.port)).startswith(b"HTTP/1.1 200 ")
            assert tcp.port != server.port
            port = server.port
        await tcp.close()
        await server.close()
        await asyncio.gather(server.close(), server.close())
        with pytest.raises(OSError):  # noqa: PT011 (refused)
            await get(port)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others

    asyncio.run(main())


def test_a_server_that_never_started_closes():
    asyncio.run(make_server().close())


def test_a_port_in_use_is_named():
    async def main():
        async with serving() as first:
            with pytest.raises(OSError, match=f"127.0.0.1 port {first.port}"):
                await make_server(first.port).start()
        with pytest.raises(OSError, match=r"no\.such\.host\.invalid"):
            await make_server(host="no.such.host.invalid").start()

    asyncio.run(main())


def test_a_host_with_two_addresses():
    async def main():
        async with serving(host="localhost") as server:
            assert (await get(server.port)).startswith(b"HTTP/1.1 200 ")

    asyncio.run(main())


def test_open_to_other_machines_is_said_loudly(caplog):
    async def main():
        async with serving(host="0.0.0.0"):  # noqa: S104
            pass

    asyncio.run(main())
    assert "OPEN TO OTHER MACHINES, without a token" in caplog.text


def test_requests_that_have_begun_are_answered_before_it_ends(web):
    go_on, results = threading.Event(), []

    def slow(request):
        assert go_on.wait(20)
        return RectangleDescriber()(request)

    bridge = web(slow)

    def ask():
        with bridge.client() as client:
            results.append(client.post("/v1/describe", content=PICTURE).status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: bridge.services.pending, "the request has begun")
    closing = threading.Thread(target=bridge.close)
    closing.start()
    until(bridge.services.closing.is_set, "it is closing")
    go_on.set()
    closing.join(20)
    asking.join(20)
    assert results == [200]


def test_what_takes_longer_than_draining_is_cut_off(web):
    stop = threading.Event()
    bridge = web(lambda request: stop.wait(3 * TIME_LIMIT), drain_time=0.5)

    def ask():
        with bridge.client() as client, pytest.raises(Exception, match=r"disconnect|reset|500"):
            client.post("/v1/describe", content=PICTURE).raise_for_status()

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: bridge.services.pending, "the request has begun")
    bridge.loop.call(bridge.server.close(), TIME_LIMIT)  # less than the handler takes
    stop.set()
    asking.join(TIME_LIMIT)
    assert not asking.is_alive()


def test_https(web, certificate):
    token = "0123456789abcdef"  # noqa: S105
    bridge = web(tls=True, certificate=certificate[0], key=certificate[1], token=token)
    with bridge.client(verify=ssl.create_default_context(cafile=certificate[0])) as client:
        assert client.get("/healthz").status_code == 200
        bearer = {"authorization": f"Bearer {token}"}
        cookie = client.post("/v1/session", headers=bearer).headers["set-cookie"]
        assert "secure" in cookie.lower()


def test_a_certificate_that_is_none(web, tmp_path):
    with pytest.raises(OSError, match=r"PEM|No such file|nowhere"):
        web(certificate=str(tmp_path / "nowhere.pem"), key=str(tmp_path / "nowhere.key"))


# --- state


def test_what_a_page_has_to_know_first(web):
    with web(max_pixels=1_000_000, max_body_bytes=12345).client() as client:
        session = client.get("/v1/session").json()
    assert session == {
        "token_needed": False,
        "history": False,
        "urls": False,
        "tasks": list(TASKS),
        "max_bytes": 12345,
        "max_side": 1000,  # of a square picture that is not refused
    }


def test_the_place_in_the_queue(web):
    go_on = threading.Event()
    bridge = web(lambda request: go_on.wait(20) and RectangleDescriber()(request))

    def ask(name):
        with bridge.client() as client:
            client.post("/v1/describe", content=PICTURE, headers={"x-request-id": name})

    asking = []
    with bridge.client() as client:
        for number, name in enumerate(("", "first", "second"), start=1):
            asking.append(threading.Thread(target=ask, args=(name,)))
            asking[-1].start()
            until(lambda n=number: bridge.services.pending == n, "it waits")

        def ahead(name):
            return client.get("/v1/queue", params={"request": name}).json()["ahead"]

        assert [ahead(name) for name in ("first", "second", "third", "")] == [1, 2, None, None]
        go_on.set()
        for thread in asking:
            thread.join(20)
        assert ahead("second") is None
        assert bridge.services.pending == 0


def test_ready_is_what_the_detector_is(web):
    reason = "no detector"
    with web(unready=lambda: reason).client() as client:
        reply = client.get("/readyz")
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "detector_unreachable")
        assert reply.json()["error"]["message"] == "no detector"
        assert client.get("/healthz").json() == {"status": "ok"}
        reason = ""
        assert client.get("/readyz").json() == {"status": "ok"}


def test_head_is_answered_wherever_get_is(web):
    with web().client(headers={"accept": "text/html"}) as client:
        for path in ("/", "/docs", "/healthz", "/v1/models", "/static/page.css"):
            head, got = client.head(path), client.get(path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-length"] == got.headers["content-length"]
        assert client.head("/nothing").status_code == 404
        text = client.get("/metrics").text
        assert 'i2t_http_requests_total{method="HEAD",route="/healthz",status="200"} 1.0' in text


def test_models(web):
    with web().client() as client:
        assert client.get("/v1/models").json()["in_use"] == ""
        client.post("/v1/describe", content=PICTURE)
        data = client.get("/v1/models").json()
    assert data["in_use"] == "rectangles"
    named = {model["name"]: model for model in data["models"]}
    assert named["yolox_nano"]["task"] == "detect"
    assert named["yolox_nano"]["license"] == "Apache-2.0"


def test_metrics_have_few_labels_whatever_is_asked_for(web):
    with web().client() as client:
        client.post("/v1/describe", content=PICTURE)
        for number in range(20):
            client.get(f"/nowhere/{number}")
            client.get(f"/v1/pictures/{number:064x}.jpg")
        client.request("BREW", "/")
        text = client.get("/metrics").text
    assert 'i2t_http_requests_total{method="POST",route="/v1/describe",status="200"} 1.0' in text
    assert 'i2t_descriptions_total{result="ok"} 1.0' in text
    assert 'route="/v1/pictures/{key}",status="404"} 20.0' in text
    assert 'route="none",status="404"} 20.0' in text
    assert text.count("i2t_http_requests_total{") <= 5


# --- pages


def test_nothing_of_the_pages_comes_from_another_server(plain_web):
    with plain_web.client(headers={"accept": "text/html"}) as client:
        for path in ("/", "/docs"):
            page = client.get(path).text
            for target in re.findall(r'(?:src|href)="([^"]+)"', page):
                # Relative, for the page may be below a path of a proxy.
                assert not target.startswith("/") and ":" not in target, target  # noqa: PT018
                if target.startswith("static"):
                    assert client.get(f"/{target}").status_code == 200, target
        for path in pages.STATIC.rglob("*.*"):
            name = path.relative_to(pages.STATIC)
            assert client.get(f"/static/{name}").status_code == 200
            if path.suffix in (".js", ".css", ".html"):
                outside = re.findall(r"https?://[^\s\"'`)]+", path.read_text())
                assert set(outside) <= {"http://www.w3.org/2000/svg"}


def test_the_page_has_no_inline_script_or_style():
    for name in ("index.html", "docs.html", "docs_missing.html"):
        text = (pages.STATIC / name).read_text()
        assert not re.search(r"<script(?![^>]*src=)[^>]*>|<style|\son\w+=|\sstyle=", text)


def test_docs_without_swagger_ui_say_so(client, monkeypatch):
    monkeypatch.setattr(pages, "SWAGGER", None)
    assert "/openapi.json" in client.get("/docs").text
    assert client.get("/static/swagger-ui.css").status_code == 404


def test_of_swagger_ui_only_what_the_page_needs_is_served(client):
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert client.get(f"/static/{name}").status_code == 200
    for name in ("redoc.standalone.js", "favicon.png", "swagger-ui-x.js"):
        assert client.get(f"/static/{name}").status_code in (404, 422)


def strings_of(language):
    return json.loads((STRINGS / f"{language}.json").read_text())


def test_every_file_of_strings_belongs_to_a_language_of_the_sentences():
    assert {path.stem for path in STRINGS.iterdir()} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_string_of_the_page(language):
    english, own = strings_of("en"), pages.page_words(language)
    assert own.keys() == english.keys()
    for key, text in own.items():
        assert text.strip()
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", english[key])), key


@pytest.mark.parametrize(
    ("language", "base"), [("en-GB", "en"), ("es-419", "es"), ("pt-PT", "pt"), ("zh-Hant", "zh")]
)
def test_a_variant_states_only_what_differs_from_its_base(language, base):
    own = strings_of(language)
    assert own.pop("extends") == base
    assert "extends" not in strings_of(base)
    assert [key for key, text in own.items() if strings_of(base)[key] == text] == []


def test_words_of_a_variant_lie_over_those_of_its_base():
    assert pages.page_words("pt-PT")["camera"] == "Câmara"
    assert pages.page_words("pt-PT")["title"] == pages.page_words("pt")["title"]
    assert pages.page_words("pt_BR.UTF-8") == pages.page_words("pt")
    for unknown in ("", "xx", "..", "nl/../en"):
        assert pages.page_words(unknown) == strings_of("en")


def test_the_page_uses_the_strings_there_are():
    used = set(re.findall(r'data-i18n(?:-\w+)?="(\w+)"', (pages.STATIC / "index.html").read_text()))
    for path in pages.STATIC.glob("*.js"):
        used |= set(re.findall(r'\btext\("([\w.]+)"', path.read_text()))
    used |= {"copied", "notCopied", "ready"}
    english = set(json.loads((STRINGS / "en.json").read_text()))
    assert used <= english
    assert {key for key in english if not key.startswith("errors.")} == used


def test_the_page_has_words_for_every_error_that_a_picture_can_meet():
    english = set(json.loads((STRINGS / "en.json").read_text()))
    elsewhere = {
        "bad_backend", "bad_image_message", "bad_request", "bad_source", "cache_not_writable",
        "bad_image", "canceled", "conflict", "forbidden", "invalid_request", "method_not_allowed",
        "name_taken", "source_lost", "source_missing", "source_unreadable", "speech_failed",
        "unknown_style", "unsupported_media_type",
    }  # fmt: skip
    kinds, codes = [I2tError], {code for code, _ in REFUSALS.values()}
    while kinds:
        kind = kinds.pop()
        if kind.__module__.startswith("i2t_ros."):  # and not a test's
            codes.add(kind.code)
        kinds += kind.__subclasses__()
    # One text stands for most of how a language model can fail.
    elsewhere |= {code for code in codes if code.startswith("vlm_")} - {"vlm_off", "vlm_failed"}
    assert {f"errors.{code}" for code in codes - elsewhere} <= english


def test_the_pages_modules_do_not_import_each_other_in_circles():
    imports = {
        path.stem: re.findall(r'from "\./(\w+)\.js"', path.read_text())
        for path in pages.STATIC.glob("*.js")
    }
    assert tuple(graphlib.TopologicalSorter(imports).static_order())  # raises CycleError


def test_the_page_offers_the_languages_of_the_sentences():
    source = (pages.STATIC / "strings.js").read_text()
    offered = re.findall(r'^  "([\w-]+)": "', source, re.MULTILINE)
    assert sorted(offered) == sorted(LANGUAGES)
