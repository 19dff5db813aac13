"""The history on other people's servers: S3-compatible storage, and PostgreSQL."""

import sys
from importlib.metadata import version

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")
from loopback_services import postgres, s3_server
from web_support import OTHER, PICTURE, picture, post

from i2t_ros.bridges.http.history.pictures import S3Pictures
from i2t_ros.errors import BackendMissingError


def test_s3_without_boto3_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(BackendMissingError, match=r'pip install "i2t_ros\[s3\]"'):
        S3Pictures("s3://bucket/prefix")


def test_pictures_in_s3(web, history_settings, monkeypatch):
    boto3 = pytest.importorskip("boto3")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with s3_server() as url:
        client = boto3.client("s3", endpoint_url=url)
        client.create_bucket(Bucket="robot")
        store = history_settings(pictures="s3://robot/pictures/", s3_endpoint=url)
        bridge = web(history=store)
        with bridge.client() as http:
            number = post(http)["history"]
            assert post(http)["cached"] is True
            objects = client.list_objects_v2(Bucket="robot")["Contents"]
            assert [item["Key"][:9] for item in objects] == ["pictures/"]
            head = client.head_object(Bucket="robot", Key=objects[0]["Key"])
            assert head["ContentType"] == "image/png"
            assert http.get(f"/v1/history/{number}/picture").content == PICTURE
            client.delete_object(Bucket="robot", Key=objects[0]["Key"])
            assert http.get(f"/v1/history/{number}/picture").status_code == 404
            assert http.delete(f"/v1/history/{number}").status_code == 204
            client.delete_bucket(Bucket="robot")
            assert post(http)["history"] is None  # served, not kept
        client.close()


def test_a_second_database(web, history_settings, tmp_path):
    if version("sqlalchemy") < "2":
        pytest.skip("SQLAlchemy 1.4 knows another driver of PostgreSQL, psycopg2")
    with postgres(tmp_path) as url:
        bridge = web(history=history_settings(database=url, max_results=2))
        with bridge.client() as client:
            assert post(client)["history"] == 1
            assert post(client)["cached"] is True
            post(client, OTHER), post(client, picture([("dog", (5, 5, 99, 99))]))
            page = client.get("/v1/history").json()
            assert [entry["sentence"] for entry in page["results"]] == [
                "I can see a dog.",
                "I can see a kite.",
            ]
            assert client.delete(f"/v1/history/{page['results'][0]['id']}").status_code == 204
        bridge.close()
