"""Results that are kept, over HTTP: nothing is worked on or stored twice."""

import sqlite3
import threading
from dataclasses import replace

import pytest
from making import scene_of

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")
from waiting import until
from web_support import OTHER, PICTURE, RectangleDescriber, post

from i2t_ros.bridges.http.history import handler as history
from i2t_ros.bridges.http.history.database import History
from i2t_ros.errors import BusyError, InvalidRequestError
from i2t_ros.types import DescribeReply, Description, Detections


def test_a_known_picture_is_neither_worked_on_nor_stored_again(web, history_settings, tmp_path):
    bridge = web(history=history_settings())
    with bridge.client() as client:
        first, second = post(client), post(client)
        assert (first["cached"], second["cached"]) == (False, True)
        assert first["history"] == second["history"] == 1
        assert len(bridge.describer.asked) == 1
        (kept,) = (tmp_path / "kept").rglob("*.png")
        assert kept.stat().st_mode & 0o777 == 0o600
        # Another question about it is another result, of the same stored picture.
        for number, query in enumerate(("min_score=0.5", "language=es", "style=list"), 2):
            assert post(client, query=f"?{query}")["history"] == number
        assert len(bridge.describer.asked) == 4
        assert len(list((tmp_path / "kept").rglob("*.png"))) == 1
    assert bridge.metric("i2t_descriptions_total", result="cached") == 1


QUERIES = ("", "?language=es&style=list", "?language=ja", "?min_score=0.5&annotate=1")


def test_a_history_changes_nothing_about_the_answers(web, history_settings):
    """The same words, boxes, drawing and JSON: without one, asked first, and found again."""
    with web().client() as plain, web(history=history_settings()).client() as keeping:
        for query in QUERIES:
            answers = [post(plain, query=query), post(keeping, query=query)]
            answers.append(post(keeping, query=query))
            drawings = [
                client.get(answer["annotated"]).content if answer["annotated"] else None
                for client, answer in zip((plain, keeping, keeping), answers, strict=True)
            ]
            assert drawings[0] == drawings[1] == drawings[2]
            for answer in answers:
                for key in ("annotated", "cached", "elapsed_ms", "history", "timings_ms"):
                    del answer[key]
            assert answers[0] == answers[1] == answers[2]


def test_a_drawing_is_made_once_and_its_link_stays(web, history_settings, tmp_path):
    bridge = web(history=history_settings())
    with bridge.client() as client:
        assert post(client)["history"] == 1
        drawn = post(client, query="?annotate=1")
        assert drawn["history"] == 1
        again = post(client, query="?annotate=1")
        assert (again["cached"], again["annotated"]) == (True, drawn["annotated"])
        image = {"accept": "image/*"}
        picture = client.post("/v1/describe", content=PICTURE, headers=image)
        assert picture.headers["content-type"] == "image/png"
        assert len(client.get("/v1/history").json()["results"]) == 1
        assert len(list((tmp_path / "kept").rglob("*.png"))) == 2
    assert [request.annotate for request in bridge.describer.asked] == [False, True]
    bridge.close()
    with web(history=history_settings()).client() as client:  # the link outlives the process
        assert client.get(drawn["annotated"]).content == picture.content
        assert client.get("/v1/history/1/annotated").content == picture.content
        assert client.delete("/v1/history/1").status_code == 204
        assert client.get(drawn["annotated"]).status_code == 404
    assert list((tmp_path / "kept").rglob("*.png")) == []


def test_without_a_store_drawings_are_made_anew(web, history_settings):
    bridge = web(history=history_settings(pictures=""))
    with bridge.client() as client:
        links = {post(client, query="?annotate=1")["annotated"] for _ in range(2)}
        assert len(links) == 2
        assert all(client.get(link).status_code == 200 for link in links)
    assert len(bridge.describer.asked) == 2


def test_fresh_is_neither_found_nor_kept(web, history_settings):
    bridge = web(history=history_settings())
    with bridge.client() as client:
        assert post(client, query="?fresh=1")["history"] is None
        post(client)
        assert post(client, query="?fresh=1")["cached"] is False
        assert len(client.get("/v1/history").json()["results"]) == 1
    assert len(bridge.describer.asked) == 3


def test_many_who_ask_the_same_at_once_ask_once_and_once_more_for_a_drawing(web, history_settings):
    go_on = threading.Event()
    describe = RectangleDescriber()

    def slow(request):
        assert go_on.wait(20)
        return describe(request)

    bridge = web(slow, history=history_settings())
    replies = []

    def ask(query):
        with bridge.client() as client:
            replies.append(post(client, query=query))

    threads = [threading.Thread(target=ask, args=[query]) for query in 3 * [""] + ["?annotate=1"]]
    for number, thread in enumerate(threads):
        thread.start()
        until(lambda: bridge.services.pending == number + 1, "it has asked")  # noqa: B023
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert [request.annotate for request in describe.asked] == [False, True]
    assert sorted(reply["cached"] for reply in replies) == [False, False, True, True]
    assert {reply["history"] for reply in replies} == {1}
    with bridge.client() as client:
        (link,) = filter(None, (reply["annotated"] for reply in replies))
        assert client.get(link).status_code == 200


def test_pages_of_results(web, history_settings):
    bridge = web(history=history_settings())
    with bridge.client() as client:
        post(client), post(client, OTHER)
        page = client.get("/v1/history?limit=1").json()
        assert [entry["sentence"] for entry in page["results"]] == ["I can see a kite."]
        assert page["next"] == 2
        page = client.get(f"/v1/history?limit=5&before={page['next']}").json()
        assert [entry["id"] for entry in page["results"]] == [1]
        assert page["next"] is None


def test_one_result_in_other_words_and_drawn(web, history_settings):
    bridge = web(history=history_settings())
    with bridge.client() as client:
        said = post(client, query="?min_score=0.5&tasks=detect")
        one = client.get("/v1/history/1?language=en&style=sentence").json()
        assert one["sentence"] == said["sentence"]
        assert client.get(one["picture"]).content == PICTURE
        assert len(bridge.describer.asked) == 1
        # The detector looks at the kept picture again, as it was asked the first time.
        german = client.get("/v1/history/1?language=de").json()
        assert german["sentence"] == "Ich sehe einen Hund und eine Person."
        drawn = client.get(one["annotated"] + "?language=ja")
        assert drawn.headers["content-type"] == "image/png"
        assert drawn.content != PICTURE
        assert len(client.get("/v1/history").json()["results"]) == 1
    first, *again = bridge.describer.asked
    for request, language in zip(again, ("de", "ja"), strict=True):
        expected = replace(first, language=language, style="sentence", fresh=True)
        assert replace(request, picture=first.picture, annotate=False) == expected


def test_words_for_a_voice_are_kept_apart_and_made_anew(web, history_settings):
    bridge = web(history=history_settings())
    with bridge.client() as client:
        plain = post(client)
        spoken = client.post("/v1/describe?spoken=1", content=PICTURE).json()
        assert (plain["spoken"], spoken["spoken"]) == (False, True)
        assert plain["history"] != spoken["history"]
        again = client.post("/v1/describe?spoken=1", content=PICTURE).json()
        assert (again["cached"], again["spoken"]) == (True, True)
        asked = len(bridge.describer.asked)
        path = f"/v1/history/{plain['history']}"
        assert client.get(path).json()["spoken"] is False
        assert len(bridge.describer.asked) == asked
        assert client.get(f"{path}?spoken=1").json()["spoken"] is True
        assert client.get(f"/v1/history/{spoken['history']}?language=es").json()["spoken"] is True


def test_forgetting(web, history_settings, tmp_path):
    bridge = web(history=history_settings())
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


def test_numbers_that_are_none(web, history_settings):
    with web(history=history_settings()).client() as client:
        for number in ("0", "x", "1e9", "-1", "99999999999"):
            assert client.get(f"/v1/history/{number}").status_code == 422
        for query in ("limit=0", "limit=101", "before=x", "from=1"):
            assert client.get(f"/v1/history?{query}").status_code == 422


def test_it_outlives_the_process(web, history_settings):
    with web(history=history_settings()).client() as client:
        post(client)
    with web(history=history_settings()).client() as client:
        assert post(client)["cached"] is True


def test_another_configuration_answers_anew_and_an_unknown_one_always(web, history_settings):
    configuration = ""
    bridge = web(history=history_settings(), configuration=lambda: configuration)
    with bridge.client() as client:
        assert [post(client)["cached"] for _ in range(2)] == [False, False]
        assert len(client.get("/v1/history").json()["results"]) == 1
        for configuration in ("one", "two"):  # noqa: B007 (the bridge reads it)
            assert [post(client)["cached"] for _ in range(2)] == [False, True]
        configuration = "one"
        assert post(client)["cached"] is True
        assert len(client.get("/v1/history").json()["results"]) == 3


def test_without_pictures_there_are_results_alone(web, history_settings):
    with web(history=history_settings(pictures="")).client() as client:
        post(client)
        entry = client.get("/v1/history/1").json()
        assert entry["picture"] is entry["annotated"] is None
        for path in (
            "/v1/history/1/picture",
            "/v1/history/1/annotated",
            "/v1/history/1?style=list",
        ):
            assert client.get(path).status_code == 404


def test_results_in_which_a_task_failed_are_not_kept(web, history_settings):
    def describe(request):
        scene = scene_of(
            320, 240, Detections.empty(("dog",)), failures={"text": BusyError("later")}
        )
        return DescribeReply(Description(scene, "Nothing.", "en", "sentence", "some", 0.1))

    with web(describe, history=history_settings()).client() as client:
        assert [post(client)["history"] for _ in range(2)] == [None, None]


def test_a_history_that_fails_does_not_stop_the_service(web, history_settings, tmp_path, caplog):
    bridge = web(history=history_settings())
    with bridge.client() as client:
        post(client)
        (tmp_path / "deep" / "down" / "history.db").write_bytes(b"not a database at all" * 100)
        assert post(client, OTHER)["history"] is None
        assert client.get("/v1/history").status_code == 503
    assert "answering without the history" in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "nonsense://x",
        "no url",
        "mysql://me:secret@host:port/x",
        "postgresql+nodriver://me:secret@x",
    ],
)
def test_a_url_that_can_never_work_is_an_error_at_the_start(web, history_settings, url):
    with pytest.raises(InvalidRequestError, match="http_history_database: ") as raised:
        web(history=history_settings(database=url))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////proc/nowhere/history.db",
        "sqlite:////tmp",
        "postgresql://me:secret@127.0.0.1:1/x",
    ],
)
def test_a_history_that_cannot_be_opened_leaves_the_rest_serving(
    web, history_settings, caplog, url
):
    if url.startswith("postgresql"):
        pytest.importorskip("psycopg")
    with web(history=history_settings(database=url)).client() as client:
        assert post(client)["history"] is None
        for refused in (client.get("/v1/history"), client.get(f"/v1/pictures/{'0' * 64}.jpeg")):
            assert refused.status_code == 503
            assert "the bridge's log says why" in refused.json()["error"]["message"]
        assert client.get("/v1/pictures/of-some-minutes.jpeg").status_code == 404
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert "history cannot be used" in ready.json()["history"]
    assert "answering without the history" in caplog.text
    assert "secret" not in caplog.text


def test_a_history_that_can_be_opened_later_is_used_then(
    web, history_settings, tmp_path, monkeypatch
):
    monkeypatch.setattr(history, "FIRST_PAUSE", 0.05)
    (tmp_path / "deep").write_text("a file where the folder belongs")
    with web(history=history_settings()).client() as client:
        assert post(client)["history"] is None
        (tmp_path / "deep").unlink()
        until(lambda: client.get("/readyz").json() == {"status": "ok"}, "it is opened")
        assert post(client)["history"] == 1


def test_a_database_that_can_only_be_read_is_tried_less_and_less_often(
    web, history_settings, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(history, "FIRST_PAUSE", 0.02)
    with web(history=history_settings()).client() as client:
        with sqlite3.connect(tmp_path / "deep" / "down" / "history.db") as other:
            other.execute(
                "CREATE TRIGGER full BEFORE INSERT ON i2t_descriptions "
                "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
            )
        until(
            lambda: post(client)["history"] is None and "again in 0.08 s" in caplog.text,
            "it is left alone for longer each time",
        )
        other.execute("DROP TRIGGER full")
        other.close()
        until(lambda: post(client)["history"] == 1, "it is used again")


def test_a_database_that_hangs_is_waited_for_once_and_does_not_keep_the_end(
    web, history_settings, monkeypatch
):
    assert history.PATIENCE <= 1  # or a client would wait for two seconds, and for the detector
    monkeypatch.setattr(history, "PATIENCE", 0.2)
    monkeypatch.setattr(history, "END_PATIENCE", 0.2)
    go_on, calls = threading.Event(), []

    def hang(*_):
        calls.append(threading.current_thread())
        assert go_on.wait(60)

    bridge = web(history=history_settings())
    monkeypatch.setattr(bridge.services.history.history, "find", hang)
    try:
        with bridge.client() as client:
            for _ in range(5):
                assert post(client)["history"] is None
        assert len(calls) == 1
        bridge.close()
        assert calls[0].is_alive()
        assert calls[0].daemon  # or Python would wait for it at its end
    finally:
        go_on.set()
    calls[0].join(20)


def test_a_database_that_hangs_at_the_start_is_not_waited_for(web, history_settings, monkeypatch):
    monkeypatch.setattr(history, "START_PATIENCE", 0.1)
    go_on = threading.Event()
    opened = History.open
    monkeypatch.setattr(History, "open", lambda self: go_on.wait(60) and opened(self))
    with web(history=history_settings()).client() as client:
        assert post(client)["history"] is None
        go_on.set()
        until(lambda: post(client)["history"], "it is used")
