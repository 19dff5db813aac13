"""Errors as HTTP replies: all of them, in one form, without secrets."""

import pytest

pytest.importorskip("fastapi")
from web_support import PICTURE

from i2t_ros import errors
from i2t_ros.bridges.http.problems import STATUS, status_of
from i2t_ros.bridges.http.routes import state

EXPECTED = {
    "empty_image": 422,
    "not_an_image": 422,
    "truncated_image": 422,
    "unsupported_format": 415,
    "image_too_large": 413,
    "body_too_large": 413,
    "fetch_failed": 502,
    "fetch_refused": 403,
    "script_not_read": 422,
    "bad_image_message": 422,
    "invalid_request": 422,
    "unknown_task": 422,
    "unknown_language": 422,
    "unknown_style": 422,
    "unknown_camera": 404,
    "no_frame": 503,
    "unknown_model": 500,
    "model_missing": 503,
    "model_corrupt": 500,
    "model_mismatch": 500,
    "download_failed": 503,
    "cache_not_writable": 500,
    "backend_missing": 503,
    "backend_unavailable": 503,
    "inference_failed": 500,
    "busy": 503,
    "time_limit": 504,
    "not_active": 503,
    "translation_failed": 503,
    "speech_failed": 503,
    "canceled": 503,
    "source_missing": 503,
    "source_unreadable": 503,
    "source_lost": 503,
    "detector_unreachable": 503,
    "vlm_off": 501,
    "vlm_unreachable": 502,
    "vlm_time_limit": 504,
    "vlm_cut_off": 502,
    "vlm_unauthorized": 502,
    "vlm_busy": 503,
    "vlm_refused": 502,
    "vlm_server_error": 502,
    "vlm_not_an_api": 502,
    "vlm_bad_answer": 502,
    "vlm_empty": 502,
    "vlm_endless": 502,
    "vlm_too_large": 502,
}


def leaves(kind=errors.I2tError):
    subs = kind.__subclasses__()
    return [leaf for sub in subs for leaf in leaves(sub)] if subs else [kind]


def test_every_leaf_of_the_tree_has_its_status(web):
    failures = iter(leaves())

    def failing(request):
        raise next(failures)("a message for people")

    with web(failing).client() as client:
        for kind in leaves():
            # New ones have to be thought about: what should a client do?
            assert kind.code in EXPECTED, f"{kind.__name__}: add it to STATUS and to this table"
            reply = client.post("/v1/describe", content=PICTURE)
            assert reply.status_code == status_of(kind("")) == EXPECTED[kind.code]
            assert reply.json() == {"error": {"code": kind.code, "message": "a message for people"}}
            assert ("retry-after" in reply.headers) == (reply.status_code == 503)


def test_every_branch_has_a_status_that_new_leaves_inherit():
    assert set(errors.I2tError.__subclasses__()) <= set(STATUS)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/v1/describe", 405, "method_not_allowed"),
        ("GET", "/v1/history", 404, "not_found"),
        ("GET", "/stream?camera=no+blanks", 422, "invalid_request"),
        ("GET", "/stream?frame=1", 422, "invalid_request"),
        ("GET", "/stream?quality=101", 422, "invalid_request"),
        ("GET", "/stream?width=-1", 422, "invalid_request"),
        ("GET", "/snapshot?camera=nobody", 404, "unknown_camera"),
        ("GET", "/v1/live?language=tlh", 422, "unknown_language"),
        ("GET", "/v1/live?style=baroque", 422, "unknown_style"),
        ("GET", "/v1/describe?camera=a/b", 422, "invalid_request"),
        ("GET", "/v1/describe", 422, "empty_image"),
    ],
)
def test_refusals_without_a_body(plain_web, method, path, status, code):
    with plain_web.client() as client:
        reply = client.request(method, path)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("language=tlh", "unknown_language"),
        ("language=" + "x" * 65, "invalid_request"),
        ("language=%0d%0a", "invalid_request"),
        ("style=baroque", "unknown_style"),
        ("tasks=juggle", "unknown_task"),
        ("tasks=faces", "unknown_task"),
        ("min_score=2", "invalid_request"),
        ("min_score=nan", "invalid_request"),
        ("min_score=-0.1", "invalid_request"),
        ("annotate=maybe", "invalid_request"),
        ("min_scroe=0.5", "invalid_request"),
    ],
)
def test_options_that_make_no_sense_are_named(plain_web, query, code):
    with plain_web.client() as client:
        reply = client.post(f"/v1/describe?{query}", content=PICTURE)
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, code)
    assert reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'{"url": 5}', "application/json", 422),
        (b"{}", "application/json", 422),
        (b"[" * 60_000, "application/json", 400),
        (b'{"url": "http://example.com/a.jpg"}', "application/json", 403),
        (b"url=http://example.com/a.jpg", "application/x-www-form-urlencoded", 403),
        (b"hello", "application/x-www-form-urlencoded", 400),
        (b"GIF89a" + bytes(100), "application/x-www-form-urlencoded", 415),
        (b"no parts", "multipart/form-data; boundary=x", 400),
        (b"no boundary", "multipart/form-data", 400),
        (b"<html>", "text/html", 415),
        (b"hello", "text/plain", 415),
        (PICTURE, "video/mp4", 415),
    ],
)
def test_bodies_that_are_not_what_they_should_be(plain_web, body, kind, status):
    with plain_web.client() as client:
        reply = client.post("/v1/describe", content=body, headers={"content-type": kind})
    assert reply.status_code == status, reply.text
    assert reply.json()["error"]["message"]


def test_a_form_with_two_files_or_a_file_and_a_url(plain_web):
    with plain_web.client() as client:
        two = client.post("/v1/describe", files={"a": PICTURE, "b": PICTURE})
        both = client.post("/v1/describe", files={"a": PICTURE}, data={"url": "http://x.example/"})
    assert two.status_code == both.status_code == 400
    assert two.json()["error"]["message"].startswith("form: ")
    assert "got both" in both.json()["error"]["message"]


def test_an_unforeseen_error_is_guarded_and_counted_like_other_replies(web, monkeypatch):
    bridge = web()

    def broken(_):
        raise ZeroDivisionError

    with monkeypatch.context() as patched, bridge.client() as client:
        patched.setattr(state, "generate_latest", broken)
        reply = client.get("/metrics")
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, "error")
    assert {"content-security-policy", "x-content-type-options", "date"} <= set(reply.headers)
    labels = {"method": "GET", "route": "/metrics", "status": "500"}
    assert bridge.metric("i2t_http_requests_total", **labels) == 1
