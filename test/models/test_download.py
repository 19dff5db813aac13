import errno
import hashlib
import multiprocessing
import os
import shutil
import socket
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import filelock
import pytest
from msgspec.structs import replace

from i2t_ros.errors import ModelCacheError, ModelCorruptError, ModelDownloadError
from i2t_ros.models import download as module
from i2t_ros.models.download import CHUNK, download
from i2t_ros.models.manifest import ModelFile

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """What one test's server sends, and what it was asked for."""

    def __init__(self):
        self.content = CONTENT
        self.other = b""  # what is at /other
        self.ranges = []
        self.cuts = []  # bytes after which each of the next answers breaks off
        self.honors_range = True
        self.gate = None
        self.silent = threading.Event()  # set at the end of a test that asks for silence
        self.url = ""


def handler_for(server):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            server.ranges.append(self.headers.get("Range"))
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/model.onnx")
                self.end_headers()
            elif self.path == "/silent":
                server.silent.wait(10)
            elif self.path in ("/model.onnx", "/other"):
                self.send_model(server.content if self.path == "/model.onnx" else server.other)
            else:
                self.send_error(404)

        def send_model(self, body):
            asked = self.headers.get("Range")
            if asked and server.honors_range:
                first = from_byte(asked)
                if first >= len(body):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
                body = body[first:]
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if server.gate:
                server.gate.wait(10)
            self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)

    return Handler


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_):
        """Say nothing: that clients go away is what these tests are about."""


@pytest.fixture
def server():
    state = Server()
    http = QuietServer(("127.0.0.1", 0), handler_for(state))
    state.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.silent.set()
    http.shutdown()
    http.server_close()
    thread.join(5)


@pytest.fixture
def target(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SILENCE", 2.0)
    monkeypatch.setattr(module, "ATTEMPTS", 2)
    return tmp_path / "cache" / "model.onnx"


def model(server, page="model.onnx", **changes):
    fields = {"sha256": SHA256, "size": len(CONTENT), **changes}
    return ModelFile("model.onnx", (f"{server.url}/{page}",), **fields)


def fetch(file, target, patience=2.0):
    download(file, target, progress=False, patience=patience)


def from_byte(asked):
    return int(asked.removeprefix("bytes=").removesuffix("-"))


def leftovers(target):
    return {path.name for path in target.parent.iterdir()} - {"model.onnx.lock"}


def test_a_file_arrives_whole(server, target):
    fetch(model(server), target)
    assert target.read_bytes() == CONTENT
    assert leftovers(target) == {"model.onnx"}


def test_what_is_there_is_not_fetched_again(server, target):
    fetch(model(server), target)
    fetch(model(server), target)
    assert server.ranges == [None]


def test_a_cut_connection_is_taken_up_again(server, target):
    server.cuts = [100_000, 200_000]
    fetch(model(server), target)
    assert target.read_bytes() == CONTENT
    whole, first, second = server.ranges
    assert whole is None
    assert 100_000 - CHUNK <= from_byte(first) <= 100_000
    assert from_byte(second) - from_byte(first) + CHUNK >= 200_000


def test_a_later_call_goes_on_from_there(server, target):
    server.cuts = [100_000, 0, 0]
    with pytest.raises(ModelDownloadError, match=r"broken off after [0-9]+ of 1024000 bytes"):
        fetch(model(server), target)
    assert leftovers(target) == {"model.onnx.part"}
    fetch(model(server), target)
    assert target.read_bytes() == CONTENT
    assert 100_000 - CHUNK <= from_byte(server.ranges[-1]) <= 100_000


def test_a_server_without_ranges_starts_anew(server, target):
    server.honors_range = False
    server.cuts = [5000]
    fetch(model(server), target)
    assert target.read_bytes() == CONTENT


def test_a_stale_beginning_is_fetched_again(server, target):
    target.parent.mkdir()
    target.with_name("model.onnx.part").write_bytes(b"stale" * 100)
    fetch(model(server), target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["bytes=500-", None]


def test_a_beginning_longer_than_the_file_is_fetched_again(server, target):
    target.parent.mkdir()
    target.with_name("model.onnx.part").write_bytes(b"x" * (len(CONTENT) + 1))
    fetch(model(server), target)
    assert target.read_bytes() == CONTENT


def test_a_redirect_is_followed(server, target):
    fetch(model(server, "moved"), target)
    assert target.read_bytes() == CONTENT


def test_the_next_url_is_tried(server, target):
    file = ModelFile(
        "model.onnx", (f"{server.url}/gone", f"{server.url}/model.onnx"), SHA256, len(CONTENT)
    )
    fetch(file, target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("changed", [b"!" + CONTENT[1:], b"<html>blocked</html>"])
def test_a_source_with_another_file_is_passed_over(server, target, changed):
    server.other = changed
    urls = (f"{server.url}/other", f"{server.url}/model.onnx")
    fetch(ModelFile("model.onnx", urls, SHA256, len(CONTENT)), target)
    assert target.read_bytes() == CONTENT
    target.unlink()
    with pytest.raises(ModelCorruptError, match=r"/other is not the .*/gone: the server answered"):
        fetch(
            ModelFile("model.onnx", (urls[0], f"{server.url}/gone"), SHA256, len(CONTENT)), target
        )


def test_a_wrong_size_is_refused_before_anything_is_stored(server, target):
    with pytest.raises(ModelCorruptError, match="expected 7 bytes, the server offers 1024000"):
        fetch(model(server, size=7), target)
    assert leftovers(target) == set()


def test_a_file_that_ends_early_is_not_used(server, target):
    server.content = CONTENT[:-1]
    target.parent.mkdir()
    target.with_name("model.onnx.part").write_bytes(CONTENT[:-1])
    with pytest.raises(
        ModelCorruptError, match="expected 1024000 bytes, the server offers 1023999"
    ):
        fetch(model(server), target)
    assert not target.exists()


def test_a_wrong_hash_is_set_aside_and_not_used(server, target):
    server.content = b"!" + CONTENT[1:]
    with pytest.raises(ModelCorruptError, match=f"expected SHA-256 {SHA256}, got"):
        fetch(model(server), target)
    assert leftovers(target) == {"model.onnx.corrupt"}
    assert (target.parent / "model.onnx.corrupt").read_bytes() == server.content


def test_a_refusal_is_named(server, target):
    with pytest.raises(ModelDownloadError, match="the server answered 404"):
        fetch(model(server, "gone"), target)


def test_two_processes_share_one_download(server, target):
    server.gate = threading.Event()
    spawn = multiprocessing.get_context("spawn")
    fetchers = [
        spawn.Process(
            target=download,
            args=(model(server), target),
            kwargs={"progress": False, "patience": 5.0},
        )
        for _ in range(2)
    ]
    for fetcher in fetchers:
        fetcher.start()
    server.gate.set()
    for fetcher in fetchers:
        fetcher.join(60)
    assert [fetcher.exitcode for fetcher in fetchers] == [0, 0]
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None]


def test_waiting_for_another_process_ends(server, target, monkeypatch):
    monkeypatch.setattr(module, "OTHER", 0.1)
    target.parent.mkdir()
    with (
        filelock.FileLock(f"{target}.lock"),
        pytest.raises(ModelDownloadError, match="another process"),
    ):
        fetch(model(server), target)


def test_a_cache_that_is_a_file_cannot_be_written(server, tmp_path):
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(ModelCacheError, match="cannot be written"):
        fetch(model(server), tmp_path / "cache" / "model.onnx")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_read_only_cache(server, target, monkeypatch, number):
    def refuse(*_args, **_kwargs):
        raise OSError(number, os.strerror(number), str(target))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(ModelCacheError, match=os.strerror(number)):
        fetch(model(server), target)


def test_a_full_disk_is_found_out_before_fetching(server, target, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 0))
    with pytest.raises(ModelCacheError, match="the disk is full"):
        fetch(model(server), target)
    assert not target.exists()


def test_a_disk_that_fills_while_fetching(server, target, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelCacheError, match="the disk is full"):
        fetch(model(server), target)
    assert not target.exists()


def test_connection_refused(target):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/model.onnx"
    with pytest.raises(
        ModelDownloadError, match=r"no connection to 127\.0\.0\.1: .*Connection refused"
    ):
        fetch(ModelFile("model.onnx", (url,), SHA256, len(CONTENT)), target)


@pytest.mark.parametrize(
    "url",
    ["http://[::1/m", "http://a..b/m", f"http://{'a' * 70}.b/m", "file:///m", "http:///m", "m"],
)
def test_what_is_no_url_is_passed_over(server, target, url):
    right = model(server)
    fetch(replace(right, urls=(url, *right.urls)), target)
    assert target.is_file()
    target.unlink()
    with pytest.raises(ModelDownloadError, match=r"is no URL|no connection to"):
        fetch(replace(right, urls=(url,)), target)


def test_a_server_that_never_answers_costs_the_time_limit_only(server, target):
    with pytest.raises(ModelDownloadError, match=r"no answer from 127\.0\.0\.1 within 0\.2 s"):
        fetch(model(server, "silent"), target, patience=0.2)


def test_a_resolver_that_hangs_costs_the_time_limit_only(target, monkeypatch):
    done = threading.Event()

    def hang(*_args, **_kwargs):
        done.wait(10)
        raise socket.gaierror("never")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    file = ModelFile("model.onnx", ("http://models.invalid/model.onnx",), SHA256, len(CONTENT))
    try:
        with pytest.raises(
            ModelDownloadError, match=r"no answer from models\.invalid within 0\.2 s"
        ):
            fetch(file, target, patience=0.2)
    finally:
        done.set()
        wait_for_threads("i2t-download-open")


def wait_for_threads(name):
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(5)
            assert not thread.is_alive()
