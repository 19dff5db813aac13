"""The OpenAPI document: what it says is so, and nothing that follows it breaks the server."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
from web_support import PICTURE, picture

from i2t_ros.bridges.http.settings import HistorySettings

ENDLESS = ("/stream", "/v1/live")


@pytest.fixture
def bridge(web, tmp_path):
    history = HistorySettings(f"sqlite:///{tmp_path}/history.db", str(tmp_path / "kept"))
    return web(history=history, requests_per_second=0)


def test_every_route_is_documented_with_its_errors(bridge):
    with bridge.client() as client:
        document = client.get("/openapi.json").json()
    paths = document["paths"]
    assert set(paths) == {
        "/v1/describe", "/v1/ask", "/v1/pictures/{key}", "/upload", "/stream", "/snapshot",
        "/v1/live",
        "/v1/cameras", "/v1/models", "/healthz", "/readyz", "/metrics", "/v1/session",
        "/v1/history", "/v1/history/{number}", "/v1/history/{number}/picture",
        "/v1/history/{number}/annotated",
    }  # fmt: skip
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            if path in ("/v1/describe", "/v1/ask"):
                assert {"200", "422", "503", "504"} <= set(operation["responses"])


def test_the_examples_of_the_document_work(bridge):
    """Every parameter's default, together, as Swagger UI fills them in."""
    with bridge.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
        operation = paths["/v1/describe"]["post"]
        query = {
            entry["name"]: str(entry["schema"]["default"]) for entry in operation["parameters"]
        }
        assert set(query) == {
            *("language", "style", "spoken", "tasks", "min_score", "annotate", "fresh", "question")
        }
        for body in ({"content": PICTURE}, {"files": {"image": PICTURE}}):
            reply = client.post("/v1/describe", params=query, **body)
            assert reply.status_code == 200, reply.text
        assert reply.json()["sentence"]


def schemathesis():
    beside = Path(sys.executable).parent / "schemathesis"
    return str(beside) if beside.exists() else shutil.which("schemathesis")


def test_schemathesis_finds_no_server_error(bridge, tmp_path):
    if schemathesis() is None:
        pytest.skip("no schemathesis: pip install schemathesis")
    with bridge.client() as client:  # so that there is a result to ask about, and a camera
        client.post("/v1/describe", content=PICTURE)
    frame = picture([("dog", (40, 60, 140, 200))], extension=".jpg")
    bridge.on_loop(bridge.hub.add, "door", "websocket")
    bridge.on_loop(bridge.hub.publish, "door", raw=frame, annotated=frame)
    command = [schemathesis(), "run", f"{bridge.url}/openapi.json", "--max-examples", "20"]
    command += ["--phases", "examples,coverage,fuzzing", "--request-timeout", "20", "--seed", "1"]
    command += [
        "--checks",
        "not_a_server_error,response_schema_conformance,content_type_conformance",
    ]
    for path in ENDLESS:
        command += ["--exclude-path", path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    with bridge.client() as client:
        assert client.post("/v1/describe", content=PICTURE).status_code == 200
