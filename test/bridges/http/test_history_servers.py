"""The history on other people's servers: S3-compatible storage, PostgreSQL and MariaDB."""

import sys
import time
from importlib.metadata import version
from urllib.parse import urlsplit

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")
from loopback_services import mariadb, postgres, s3_server
from waiting import TIME_LIMIT
from web_support import OTHER, PICTURE, picture, post

from i2t_ros.bridges.http.history.pictures import S3Pictures
from i2t_ros.errors import BackendMissingError


def test_s3_without_boto3_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(BackendMissingError, match=r'pip install "i2t_ros\[s3\]"'):
        S3Pictures("s3://bucket/prefix")


@pytest.fixture
def bucket(monkeypatch):
    """Return a bucket of a server of its own."""
    boto3 = pytest.importorskip("boto3")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with s3_server() as url:
        bucket = boto3.resource("s3", endpoint_url=url).Bucket("robot")
        bucket.create()
        yield bucket
        bucket.meta.client.close()


def test_pictures_in_s3(web, history_settings, bucket):
    store = history_settings(
        pictures="s3://robot/pictures/", s3_endpoint=bucket.meta.client.meta.endpoint_url
    )
    with web(history=store).client() as http:
        number = post(http)["history"]
        assert post(http)["cached"] is True
        (kept,) = bucket.objects.all()
        assert kept.key.startswith("pictures/")
        assert kept.Object().content_type == "image/png"
        assert http.get(f"/v1/history/{number}/picture").content == PICTURE
        kept.delete()
        assert http.get(f"/v1/history/{number}/picture").status_code == 404
        assert post(http)["cached"] is True  # which keeps it anew
        assert http.get(f"/v1/history/{number}/picture").content == PICTURE
        assert http.delete(f"/v1/history/{number}").status_code == 204
        bucket.delete()
        assert post(http)["history"] is None  # served, not kept


def test_the_pictures_of_an_upload_stay_in_s3(web, history_settings, bucket):
    store = history_settings(
        pictures="s3://robot", s3_endpoint=bucket.meta.client.meta.endpoint_url
    )
    bridge = web(history=store)
    with bridge.client() as http:
        first, second = (http.post("/upload", files={"file": PICTURE}).json() for _ in range(2))
    assert first == second
    assert len(bridge.describer.asked) == 1 + 2 * 2  # two tasks that there are no models for
    assert first["yolov3_source"] != first["original"]
    assert len(list(bucket.objects.all())) == 2
    bridge.close()
    links = [urlsplit(first[key]).path for key in ("original", "yolov3_source")]
    with web(history=store).client() as http:  # another process, later
        pictures = [http.get(link) for link in links]
    assert pictures[0].content == PICTURE
    assert pictures[1].headers["content-type"] == "image/png"


@pytest.mark.parametrize("run", [postgres, mariadb])
def test_other_databases(web, history_settings, tmp_path, run):
    if run is postgres and version("sqlalchemy") < "2":
        pytest.skip("SQLAlchemy 1.4 knows another driver of PostgreSQL, psycopg2")
    with run(tmp_path) as url:
        bridge = web(history=history_settings(database=url, max_results=3))
        with bridge.client() as client:
            assert post(client)["history"] == 1
            assert post(client)["cached"] is True
            assert post(client, query="?annotate=1")["history"] == 1
            assert post(client, query="?language=zh")["history"] == 2
            assert post(client, query="?language=zh")["sentence"] == "我看到一只狗和一个人。"
            post(client, OTHER), post(client, picture([("dog", (5, 5, 99, 99))]))
            page = client.get("/v1/history").json()
            assert [entry["sentence"] for entry in page["results"]] == [
                "I can see a dog.",
                "I can see a kite.",
                "我看到一只狗和一个人。",
            ]
            assert abs(page["results"][0]["created"] - time.time()) < TIME_LIMIT
            assert client.delete(f"/v1/history/{page['results'][0]['id']}").status_code == 204
        bridge.close()
        with web(history=history_settings(database=url)).client() as client:  # opened once more
            assert post(client, OTHER)["cached"] is True
