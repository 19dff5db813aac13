"""What is kept: results in a database, pictures in a folder or a bucket, and nothing twice."""

import contextlib
import sys
import threading
from importlib.metadata import version

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")
from loopback_services import postgres, s3_server
from web_support import PICTURE, RectangleDescriber, picture

from i2t_ros.bridges.http.history import Entry, History
from i2t_ros.bridges.http.pictures import FolderPictures, MemoryPictures, S3Pictures, make_key
from i2t_ros.bridges.http.scenes import dump_scene, load_scene
from i2t_ros.bridges.http.settings import HistorySettings
from i2t_ros.errors import BackendMissingError, BusyError, ServiceError
from i2t_ros.types import (
    Classification,
    DescribeReply,
    DescribeRequest,
    Description,
    Detections,
    Faces,
    Scene,
    TextRegion,
)

OTHER = picture([("kite", (10, 10, 60, 60))])


@pytest.fixture
def settings(tmp_path):
    def make(**options):
        url = f"sqlite:///{tmp_path}/deep/down/history.db"
        return HistorySettings(**{"database": url, "pictures": str(tmp_path / "kept"), **options})

    return make


def post(client, data=PICTURE, query=""):
    reply = client.post(f"/v1/describe{query}", content=data)
    assert reply.status_code == 200, reply.text
    return reply.json()


# --- over HTTP


def test_a_known_picture_is_neither_worked_on_nor_stored_again(web, settings, tmp_path):
    bridge = web(history=settings())
    with bridge.client() as client:
        first, second = post(client), post(client)
        assert (first["cached"], second["cached"]) == (False, True)
        assert first["history"] == second["history"] == 1
        assert second["sentence"] == first["sentence"]
        assert second["detections"] == first["detections"]
        assert len(bridge.describer.asked) == 1
        assert len(list((tmp_path / "kept").rglob("*.png"))) == 1
        # Another question about it is another result, of the same stored picture.
        assert post(client, query="?min_score=0.5")["history"] == 2
        assert len(bridge.describer.asked) == 2
        assert len(list((tmp_path / "kept").rglob("*.png"))) == 1
    assert bridge.metric("i2t_descriptions_total", result="cached") == 1


def test_it_is_known_in_every_language_style_and_form(web, settings):
    bridge = web(history=settings())
    with bridge.client() as client:
        post(client, query="?language=fr")
        assert post(client)["sentence"] == "I can see a dog and a person."
        assert post(client, query="?language=es")["sentence"] == "Veo un perro y una persona."
        listed = post(client, query="?language=es&style=list")
        assert listed["sentence"] == "Se detectaron los siguientes objetos: 1 perro y 1 persona."
        assert listed["objects"][0]["label"] == "perro"
        drawn = client.post(
            "/v1/describe?language=es", content=PICTURE, headers={"accept": "image/*"}
        )
        assert drawn.headers["content-type"] == "image/png"
        assert client.post("/upload", files={"file": PICTURE}).json()["error"] == ""
    questions = [request for request in bridge.describer.asked if not request.tasks]
    assert len(questions) == 1
    assert not questions[0].annotate


def test_many_who_ask_at_once_ask_once(web, settings):
    go_on = threading.Event()
    describe = RectangleDescriber()

    def slow(request):
        assert go_on.wait(20)
        return describe(request)

    bridge = web(slow, history=settings())
    replies = []

    def ask(language):
        with bridge.client() as client:
            replies.append(post(client, query=f"?language={language}"))

    threads = [threading.Thread(target=ask, args=[tag]) for tag in ("en", "es", "fr", "de")]
    for thread in threads:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert len(describe.asked) == 1
    assert {reply["language"] for reply in replies} == {"en", "es", "fr", "de"}
    assert sorted(reply["cached"] for reply in replies) == [False, True, True, True]


def test_pages_of_results(web, settings):
    bridge = web(history=settings())
    with bridge.client() as client:
        post(client), post(client, OTHER)
        page = client.get("/v1/history?limit=1&language=es").json()
        assert [entry["sentence"] for entry in page["results"]] == ["Veo una cometa."]
        assert page["next"] == 2
        page = client.get(f"/v1/history?limit=5&before={page['next']}").json()
        assert [entry["id"] for entry in page["results"]] == [1]
        assert page["next"] is None
        one = client.get("/v1/history/1?language=de").json()
        assert one["sentence"] == "Ich sehe einen Hund und eine Person."
        assert client.get(one["picture"]).content == PICTURE
        drawn = client.get(one["annotated"] + "?language=ja")
        assert drawn.headers["content-type"] == "image/png"
        assert drawn.content != PICTURE


def test_forgetting(web, settings, tmp_path):
    bridge = web(history=settings())
    with bridge.client() as client:
        post(client), post(client, query="?min_score=0.5")
        assert client.delete("/v1/history/1").status_code == 204
        assert client.get("/v1/history/1").status_code == 404
        assert client.delete("/v1/history/1").status_code == 404
        assert client.get("/v1/history/2/picture").status_code == 200  # it was the picture of both
        assert client.delete("/v1/history/2").status_code == 204
        assert list((tmp_path / "kept").rglob("*.png")) == []
        assert post(client)["cached"] is False
        assert post(client)["history"] == 3  # numbers are not given twice


def test_numbers_that_are_none(web, settings):
    with web(history=settings()).client() as client:
        for number in ("0", "x", "1e9", "-1", "99999999999"):
            assert client.get(f"/v1/history/{number}").status_code == 422
        for query in ("limit=0", "limit=101", "before=x"):
            assert client.get(f"/v1/history?{query}").status_code == 422


def test_it_outlives_the_process_and_trusts_old_answers_once_it_knows_the_model(web, settings):
    with web(history=settings()).client() as client:
        post(client), post(client, OTHER)
    bridge = web(history=settings())
    with bridge.client() as client:
        assert post(client)["cached"] is False  # which model serves now is not known yet
        assert post(client, OTHER)["cached"] is True
        assert len(client.get("/v1/history").json()["results"]) == 2


def test_another_model_answers_anew(web, settings):
    bridge = web(history=settings())
    with bridge.client() as client:
        assert post(client)["model"] == "rectangles"
        bridge.describer.model = "better rectangles"
        bridge.on_loop(bridge.server.forget_model)
        assert (reply := post(client))["cached"] is False
        assert reply["model"] == "better rectangles"
        assert post(client)["cached"] is True
        assert len(client.get("/v1/history").json()["results"]) == 1


def test_without_pictures_there_are_results_alone(web, settings):
    with web(history=settings(pictures="")).client() as client:
        post(client)
        entry = client.get("/v1/history/1").json()
        assert entry["picture"] is entry["annotated"] is None
        assert client.get("/v1/history/1/picture").status_code == 404


def test_results_in_which_a_task_failed_are_not_kept(web, settings):
    def describe(request):
        scene = Scene(320, 240, Detections.empty(("dog",)), failures={"text": BusyError("later")})
        return DescribeReply(Description(scene, "Nothing.", "en", "some", 0.1))

    with web(describe, history=settings()).client() as client:
        assert [post(client)["history"] for _ in range(2)] == [None, None]


def test_a_history_that_fails_does_not_stop_the_service(web, settings, tmp_path, caplog):
    bridge = web(history=settings())
    with bridge.client() as client:
        post(client)
        (tmp_path / "deep" / "down" / "history.db").write_bytes(b"not a database at all" * 100)
        assert post(client, OTHER)["history"] is None
        assert client.get("/v1/history").status_code == 503
    assert "answering without the history" in caplog.text


@pytest.mark.parametrize(
    "url",
    ["sqlite:////proc/nowhere/history.db", "nonsense://x", "no url", "postgresql+nodriver://x/y"],
)
def test_a_history_that_cannot_be_opened_is_an_error_at_the_start(web, settings, url):
    with pytest.raises(ServiceError, match="history cannot be opened"):
        web(history=settings(database=url))


# --- limits


@pytest.fixture
def kept(settings):
    """Return a function that opens a history with a clock of its own."""
    with contextlib.ExitStack() as stack:

        def make(clock, **limits):
            history = History(settings(**limits), clock=lambda: clock[0])
            history.open()
            stack.callback(history.close)
            return history

        yield make


def entry(number, size=100):
    digest = f"{number:064x}"
    scene = Scene(10, 10, Detections.empty(("dog",)))
    description = Description(scene, f"Picture {number}.", "en", "model", 0.1)
    return Entry(digest, digest, description, picture=make_key(digest, "jpeg")), bytes(size)


def sentences(history):
    return [found.description.sentence for found in history.newest(100)]


def test_the_longest_unused_go_first(kept, tmp_path):
    clock = [1000.0]
    history = kept(clock, max_results=3)
    for number in range(3):
        clock[0] += 1
        history.add(*entry(number))
    clock[0] += 1
    history.find(entry(0)[0].key)
    history.add(*entry(3))
    assert sentences(history) == ["Picture 3.", "Picture 2.", "Picture 0."]
    assert len(list((tmp_path / "kept").rglob("*.jpg"))) == 3


def test_old_results_are_let_go(kept):
    clock = [1000.0]
    history = kept(clock, max_age=60)
    history.add(*entry(0))
    clock[0] += 61
    history.add(*entry(1))
    assert sentences(history) == ["Picture 1."]


def test_pictures_stay_below_their_limit(kept, tmp_path):
    clock = [1000.0]
    history = kept(clock, max_bytes=1000)
    for number in range(20):
        clock[0] += 1
        history.add(*entry(number, size=300))
    assert sentences(history) == ["Picture 19.", "Picture 18.", "Picture 17."]
    assert sum(path.stat().st_size for path in (tmp_path / "kept").rglob("*.jpg")) == 900


def test_limits_that_would_keep_nothing():
    with pytest.raises(ValueError, match="max_results"):
        HistorySettings("sqlite://", max_results=0)


# --- scenes


def test_a_scene_comes_back_as_it_was():
    scene = Scene(
        100,
        80,
        Detections(
            [[1, 2, 3.7, 4], [0, 0, 9, 9]], [0.9, 0.333], [5, 0], ("a", "", "", "", "", "dog")
        ),
        Classification(("dog", "cat"), (0.75, 0.25)),
        Faces([[5, 6, 25, 30]], [0.9], np.arange(10).reshape(1, 5, 2)),
        (
            TextRegion(
                [[0, 0], [9, 0], [9, 5], [0, 5]], "漢字", 0.8, (255, 0, 16), (1, 2, 3), "OPEN"
            ),
        ),
    )
    back = load_scene(dump_scene(scene))
    assert [back.detections.label(i) for i in range(2)] == ["dog", "a"]
    for part, name in (("detections", "boxes"), ("detections", "scores"), ("faces", "landmarks")):
        before, after = getattr(getattr(scene, part), name), getattr(getattr(back, part), name)
        assert np.array_equal(before, after)
    assert back.classification == scene.classification
    assert back.texts[0].text == "漢字"
    assert back.texts[0].text_color == (255, 0, 16)
    empty = load_scene(dump_scene(Scene(5, 4)))
    assert empty.detections is empty.faces is empty.texts is empty.classification is None


# --- pictures in memory and in a folder


def test_pictures_in_memory_are_few_and_do_not_stay():
    now = [0.0]
    pictures = MemoryPictures(max_bytes=1000, max_age=60, clock=lambda: now[0])
    for number in range(5):
        pictures.put(str(number), bytes(300))
    assert [pictures.get(str(number)) is not None for number in range(5)] == [False, False] + 3 * [
        True
    ]
    now[0] = 61
    assert pictures.get("4") is None
    pictures.put("large", bytes(2000))
    assert pictures.get("large") is None


@pytest.mark.parametrize("key", ["../../etc/passwd", "a.jpg", "", "0" * 64 + ".exe"])
def test_no_key_but_our_own_is_a_path(tmp_path, key):
    pictures = FolderPictures(tmp_path)
    for call in (pictures.get, pictures.delete, lambda key: pictures.put(key, b"")):
        with pytest.raises(ValueError, match="picture key"):
            call(key)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        FolderPictures(tmp_path / "file" / "below")


# --- other people's servers


def test_s3_without_boto3_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(BackendMissingError, match=r"pip install 'i2t_ros\[s3\]'"):
        S3Pictures("s3://bucket/prefix")


def test_pictures_in_s3(web, settings, monkeypatch):
    boto3 = pytest.importorskip("boto3")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with s3_server() as url:
        client = boto3.client("s3", endpoint_url=url)
        client.create_bucket(Bucket="robot")
        store = settings(pictures="s3://robot/pictures/", s3_endpoint=url)
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


def test_a_second_database(web, settings, tmp_path):
    if version("sqlalchemy") < "2":
        pytest.skip("SQLAlchemy 1.4 knows another driver of PostgreSQL, psycopg2")
    with postgres(tmp_path) as url:
        bridge = web(history=settings(database=url, max_results=2))
        with bridge.client() as client:
            assert post(client)["history"] == 1
            assert post(client)["cached"] is True
            post(client, OTHER), post(client, picture([("dog", (5, 5, 99, 99))]))
            page = client.get("/v1/history?language=es").json()
            assert [entry["sentence"] for entry in page["results"]] == [
                "Veo un perro.",
                "Veo una cometa.",
            ]
            assert client.delete(f"/v1/history/{page['results'][0]['id']}").status_code == 204
        bridge.close()


def test_a_question_about_the_describers_own_words_is_asked(web, settings):
    bridge = web(history=settings())
    with bridge.client() as client:
        post(client, query="?language=es&style=list")
    assert bridge.describer.asked == [DescribeRequest(image=PICTURE)]


def test_a_picture_with_texts_is_translated_for_each_language_once(web, settings):
    asked = []

    def describe(request):
        asked.append(request.language)
        language = request.language or "en"
        corners = [[0, 0], [9, 0], [9, 5], [0, 5]]
        text = TextRegion(corners, "ABIERTO", 0.8, (0, 0, 0), (9, 9, 9), f"in {language}")
        scene = Scene(320, 240, texts=(text,))
        return DescribeReply(Description(scene, "A text.", language, "reader", 0.1))

    with web(describe, history=settings()).client() as client:
        for query, expected in (
            ("", "in en"),
            ("?language=de", "in de"),
            ("?language=de&style=list", "in de"),
            ("?language=en", "in en"),
            ("?language=fr&tasks=text", "in fr"),
            ("?language=fr&tasks=text", "in fr"),
        ):
            assert post(client, query=query)["texts"][0]["translation"] == expected
    assert asked == ["", "de", "fr"]
