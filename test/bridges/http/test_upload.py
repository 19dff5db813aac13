"""/upload: the older picture metrics API, and its form."""

import json
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from making import classes_of, scene_of

pytest.importorskip("fastapi")
from web_support import PICTURE, RectangleDescriber, assert_is_annotated

from i2t_ros.errors import InferenceError, UnknownTaskError
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.types import DescribeReply, Description


def test_upload_answers_with_the_keys_of_the_picture_metrics_api(client):
    reply = client.post("/upload", files={"file": ("photo.png", PICTURE)})
    assert reply.status_code == 200
    data = reply.json()
    assert sorted(data) == [
        "error", "faces_source", "hash", "original", "resnet", "yolov3", "yolov3_source",
    ]  # fmt: skip
    assert data["error"] == ""
    assert data["faces_source"] == "no_faces"
    # As its clients read it: JSON in a string, numbers as text.
    assert {name: float(text) for name, text in json.loads(data["yolov3"]).items()} == {
        "dog": pytest.approx(90),
        "person": pytest.approx(90),
    }
    assert json.loads(data["resnet"]) == {}
    assert client.get(data["original"]).content == PICTURE
    assert_is_annotated(client.get(data["yolov3_source"]).content)
    assert urlsplit(data["original"]).scheme == "http"


def test_upload_fills_faces_and_classes_where_the_detector_finds_them(web):
    scene = scene_of(
        320,
        240,
        classification=classes_of(("studio couch", "library"), (0.7869002, 0.05)),
        faces=Faces([[5, 6, 25, 30]], [0.9]),
    )
    description = Description(scene, "A face.", "en", "sentence", "faces", 0.5)

    def describe(request):
        if request.tasks == ("detect",):
            raise UnknownTaskError("no model for detect")
        return DescribeReply(description, request.picture if request.annotate else None)

    with web(describe).client() as client:
        data = client.post("/upload", files={"file": PICTURE}).json()
        assert json.loads(data["resnet"]) == {"studio_couch": "0.786900", "library": "0.050000"}
        assert client.get(data["faces_source"]).status_code == 200
        assert data["yolov3"] == "{}"


def test_upload_says_what_went_wrong_in_its_own_way(client):
    reply = client.post("/upload", files={"file": b"GIF89a" + bytes(100)})
    assert reply.status_code == 415
    assert "gif" in reply.json()["error"]
    assert reply.json()["hash"] == ""
    reply = client.post("/upload", data={"url": "http://127.0.0.1/x.png"})
    assert reply.status_code == 403
    assert "http_fetch" in reply.json()["error"]


def test_upload_tells_of_the_tasks_that_failed_beside_what_the_others_found(web):
    plain, broken = RectangleDescriber(), InferenceError("the engine has stopped")
    failing = {"classify": broken, "faces": broken}

    def describe(request):
        (task,) = request.tasks
        if task in failing:
            raise failing[task]
        reply = plain(replace(request, tasks=()))
        if task == "detect":
            return reply
        scene = scene_of(320, 240, faces=Faces([[5, 6, 25, 30]], [0.9]), failures={task: broken})
        return replace(reply, description=replace(reply.description, scene=scene))

    with web(describe).client() as client:

        def upload():
            return client.post("/upload", files={"file": PICTURE})

        reply = upload()
        assert reply.status_code == 200
        data = reply.json()
        assert data["error"] == "classify: the engine has stopped; faces: the engine has stopped"
        assert json.loads(data["yolov3"])["dog"] == "90.0000"
        assert_is_annotated(client.get(data["yolov3_source"]).content)
        assert (data["resnet"], data["faces_source"]) == ("{}", "no_faces")
        failing = {"classify": UnknownTaskError("no model")}
        data = upload().json()  # a task may have a result and a failure
        assert data["error"] == "faces: the engine has stopped"
        assert client.get(data["faces_source"]).status_code == 200
        failing = dict.fromkeys(("detect", "classify", "faces"), broken)
        reply = upload()
        assert (reply.status_code, reply.json()["error"]) == (500, "the engine has stopped")
        assert reply.json()["original"] == ""


def test_upload_in_a_browser_is_a_form_for_a_file_or_a_url(client):
    page = client.get("/upload")
    assert page.headers["content-type"].startswith("text/html")
    for part in ('action="upload"', 'enctype="multipart/form-data"', 'type="file" name="file"',
                 'type="url" name="url"'):  # fmt: skip
        assert part in page.text
    # As browsers send it: both inputs, one of them empty.
    boundary = "----form"
    for file, url, expected in (
        (("photo.png", PICTURE), b"", ""),
        (("", b""), b"http://example.com/x.png", "http_fetch"),
        (("", b""), b"", "expected a file or a url"),
        (("photo.png", PICTURE), b"http://example.com/x.png", "got both"),
    ):
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file[0]}"'
        body = head.encode() + b"\r\nContent-Type: application/octet-stream\r\n\r\n" + file[1]
        body += f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="url"'.encode()
        body += b"\r\n\r\n" + url + f"\r\n--{boundary}--\r\n".encode()
        kind = {"content-type": f"multipart/form-data; boundary={boundary}"}
        error = client.post("/upload", content=body, headers=kind).json()["error"]
        assert expected in error if expected else error == ""
