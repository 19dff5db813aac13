import argparse
import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from msgspec.structs import replace

from i2t_ros.cli import models
from i2t_ros.errors import InvalidRequestError, ModelMissingError
from i2t_ros.installation import how_to_fetch, how_to_install
from i2t_ros.models.lookup import cache_file
from i2t_ros.models.manifest import ModelFile, find_spec


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """Give each test an empty cache, no folders, and no network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("I2T_OFFLINE", "1")
    monkeypatch.delenv("I2T_MODEL_PATH", raising=False)


def i2t(*arguments):
    parser = argparse.ArgumentParser()
    models.add_parser(parser.add_subparsers())
    args = parser.parse_args(["models", *arguments])
    return args.run(args)


def row(text, name):
    return next(line for line in text.splitlines() if line.startswith(f"{name} "))


def test_list_says_where_each_model_is(capsys):
    assert i2t("list") == 0
    listed = capsys.readouterr().out
    cells = [cell for cell in row(listed, "yolox_nano").split("  ") if cell]
    assert [cell.strip() for cell in cells][:5] == [
        "yolox_nano",
        "detect",
        "3.7 MB",
        "Apache-2.0",
        how_to_fetch("yolox_nano"),
    ]
    assert "with the backend" in row(listed, "opencv_people_faces")


def test_list_of_what_is_here(capsys, monkeypatch, shared):
    monkeypatch.setenv("I2T_MODEL_PATH", str(shared / "models"))
    i2t("list")
    assert f"at hand: {shared / 'models'}" in row(capsys.readouterr().out, "yolox_nano")


def test_path_and_fetch_print_the_file(capsys, shared):
    spec = find_spec("yolox_nano")
    cached = cache_file(spec, spec.files[0])
    cached.parent.mkdir(parents=True)
    cached.symlink_to(shared / "models" / "yolox_nano.onnx")
    assert i2t("path", "yolox_nano") == 0
    assert i2t("fetch", "yolox_nano") == 0
    assert capsys.readouterr().out == f"{cached}\n{cached}\n"
    i2t("list")
    assert "cached" in row(capsys.readouterr().out, "yolox_nano")


def test_fetch_of_what_needs_no_file(capsys):
    assert i2t("fetch", "opencv_people_faces") == 0
    assert "nothing to fetch" in capsys.readouterr().out


def test_path_never_downloads(monkeypatch):
    monkeypatch.delenv("I2T_OFFLINE")
    with pytest.raises(ModelMissingError):
        i2t("path", "yolox_nano")


def test_verify_tells_good_from_bad(capsys, monkeypatch, shared, tmp_path):
    monkeypatch.setenv("I2T_MODEL_PATH", str(shared / "models"))
    assert i2t("verify") == 0
    assert f"yolox_nano: {shared / 'models' / 'yolox_nano.onnx'}: ok" in capsys.readouterr().out
    spec = find_spec("yolox_nano")
    cached = cache_file(spec, spec.files[0])
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"cut sho")
    assert i2t("verify", "yolox_nano") == 1
    assert f"{cached}: expected 3660092 bytes, got 7" in capsys.readouterr().out
    assert cached.exists()


def test_verify_of_what_is_not_here(capsys):
    assert i2t("verify") == 0
    assert i2t("verify", "yolox_nano") == 1
    assert "i2t models fetch yolox_nano" in capsys.readouterr().out


# Links


@pytest.fixture
def links(monkeypatch):
    """Serve files by their path; yield (address, dict of path -> what it does, what was asked)."""
    monkeypatch.delenv("I2T_OFFLINE")
    paths, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_HEAD(self):
            asked.append((self.command, self.path))
            status, headers, body = paths.get(self.path, (404, {}, b""))
            if self.command == "HEAD" and status == "GET alone":
                status, headers, body = 405, {}, b""
            self.send_response(200 if status == "GET alone" else status)
            length = {} if "Transfer-Encoding" in headers else {"Content-Length": len(body)}
            for name, value in (length | headers).items():
                self.send_header(name, str(value))
            self.end_headers()
            if self.command == "GET" and headers.get("Transfer-Encoding"):
                self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            elif self.command == "GET":
                self.wfile.write(body)

        do_GET = do_HEAD  # noqa: N815 (the name that http.server looks for)
        protocol_version = "HTTP/1.1"

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", paths, asked
    server.shutdown()
    server.server_close()
    thread.join(5)


WEIGHTS = b"weights" * 5000
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


def manifest_of(monkeypatch, *urls, **changes):
    """Have a manifest of one model with one file that has these links."""
    fields = {"sha256": SHA256, "size": len(WEIGHTS), **changes}
    spec = replace(find_spec("yolox_nano"), files=(ModelFile("m.onnx", urls, **fields),))
    monkeypatch.setattr(models, "load_manifest", lambda: {spec.name: spec})


def results(capsys):
    """Return {last part of a link: its result} out of the table, and the line below it."""
    first, *rows, _, last = capsys.readouterr().out.splitlines()
    assert first.split() == ["MODEL", "RESULT", "LINK"]
    cells = [re.split(" {2,}", row) for row in rows]
    return {link.rpartition("/")[2]: result for _, result, link in cells}, last


def test_verify_remote_asks_each_link_for_size_and_hash_without_its_content(
    capsys, monkeypatch, links
):
    address, paths, asked = links
    paths["/plain"] = 200, {}, WEIGHTS
    paths["/moved"] = 302, {"Location": "/plain", "X-Linked-ETag": f'"{SHA256}"'}, b""
    paths["/chunked"] = 200, {"Transfer-Encoding": "chunked"}, WEIGHTS
    paths["/odd"] = 200, {"Content-Length": "35e3"}, WEIGHTS
    paths["/fetched"] = "GET alone", {}, WEIGHTS
    manifest_of(monkeypatch, *(f"{address}{path}" for path in paths))
    assert i2t("verify", "--remote") == 0
    found, last = results(capsys)
    assert found == {
        "plain": "ok: size",
        "moved": "ok: size, SHA-256",
        "chunked": "ok: it answers",
        "odd": "ok: it answers",
        "fetched": "ok: size",
    }
    assert last == "5 of 5 links have the file that is expected"
    assert [path for method, path in asked if method == "GET"] == ["/fetched"]


def test_verify_remote_compares_nothing_with_what_is_not_known(capsys, monkeypatch, links):
    address, paths, _ = links
    paths["/own"] = 200, {"X-Linked-ETag": f'"{SHA256}"'}, WEIGHTS
    manifest_of(monkeypatch, f"{address}/own", sha256="")
    assert i2t("verify", "--remote") == 0
    assert results(capsys)[0] == {"own": "ok: size"}


def test_verify_remote_tells_dead_links_and_ends_with_1(capsys, monkeypatch, links):
    address, paths, _ = links
    paths["/right"] = 200, {}, WEIGHTS
    paths["/page"] = 200, {"Content-Type": "text/html"}, b"<html>"
    paths["/other"] = 302, {"Location": "/right", "X-Linked-ETag": '"0123"'}, b""
    paths["/quota"] = 429, {}, b""
    names = ("right", "page", "other", "quota", "gone")
    closed = "http://127.0.0.1:1/closed"
    manifest_of(monkeypatch, *(f"{address}/{name}" for name in names), closed)
    assert i2t("verify", "--remote") == 1
    found, last = results(capsys)
    assert found["right"] == "ok: size"
    assert "expected 35000 bytes, the server offers 6 (text/html)" in found["page"]
    assert found["other"] == f"expected SHA-256 {SHA256}, it states 0123"
    assert "the server answered 429" in found["quota"]
    assert "the server answered 404" in found["gone"]
    assert "no connection to 127.0.0.1" in found["closed"]
    assert last == "1 of 6 links have the file that is expected"


def test_verify_remote_download_reads_every_byte_and_keeps_none(
    capsys, monkeypatch, links, tmp_path
):
    address, paths, _ = links
    paths["/right"] = 200, {}, WEIGHTS
    paths["/wrong"] = 200, {}, WEIGHTS[:-1] + b"!"
    manifest_of(monkeypatch, f"{address}/right", f"{address}/wrong")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert i2t("verify", "--remote") == 0
    capsys.readouterr()
    assert i2t("verify", "--remote", "--download") == 1
    found, last = results(capsys)
    assert found["right"] == "ok: size, SHA-256"
    assert f"expected SHA-256 {SHA256}, got" in found["wrong"]
    assert last == "1 of 2 links have the file that is expected"
    assert list(tmp_path.iterdir()) == []


def test_verify_remote_fetches_packages(capsys, monkeypatch, links):
    package = find_spec("ssd_mobilenet_v2_openimages").files[0].package
    manifest_of(monkeypatch, package=package)
    monkeypatch.setenv("PATH", "")
    assert i2t("verify", "--remote") == 1
    found, _ = results(capsys)
    assert "npm is not installed" in found["objectron@0.4.1675468480"]


@pytest.mark.parametrize("flags", [("--download",), ("--remote",)])
def test_verify_refuses_what_it_cannot_do(flags):
    with pytest.raises(InvalidRequestError, match="--remote"):
        i2t("verify", *flags)


def test_doctor_says_what_runs_and_what_is_missing(capsys, monkeypatch, shared):
    monkeypatch.setenv("I2T_MODEL_PATH", str(shared / "models"))
    monkeypatch.setattr("i2t_ros.optional.find_spec", only("onnxruntime", "cv2"))
    assert i2t("doctor") == 0
    told = capsys.readouterr().out
    assert "cpu" in row(told, "onnxruntime")
    assert how_to_install("openvino") in row(told, "openvino")
    assert "github.com/dusty-nv/jetson-inference" in row(told, "jetson")
    assert "i2t models fetch yolox_s" in row(told, "yolox_s")
    assert "offline: I2T_OFFLINE forbids downloads" in told
    assert "auto, with what is here: yolox_nano on onnxruntime (cpu)" in told
    assert i2t("doctor", "--backend", "opencv") == 1
    assert "with what is here: opencv_people_faces on opencv" in capsys.readouterr().out


def test_doctor_of_a_bare_machine(capsys, monkeypatch):
    monkeypatch.setattr("i2t_ros.optional.find_spec", only("cv2"))
    assert i2t("doctor") == 1
    told = capsys.readouterr().out
    assert "not installed" in row(told, "onnxruntime")
    assert "auto, with what is here: opencv_people_faces on opencv (cpu): DEGRADED" in told


def only(*modules):
    return lambda name: name if name in modules else None
