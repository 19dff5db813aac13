"""Results that are kept, over HTTP: nothing is worked on or stored twice."""

import threading

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")
from web_support import OTHER, PICTURE, RectangleDescriber, post

from i2t_ros.errors import BusyError, ServiceError
from i2t_ros.types import DescribeReply, DescribeRequest, Description, Detections, Scene, TextRegion


def test_a_known_picture_is_neither_worked_on_nor_stored_again(web, history_settings, tmp_path):
    bridge = web(history=history_settings())
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


def test_it_is_known_in_every_language_style_and_form(web, history_settings):
    bridge = web(history=history_settings())
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


def test_many_who_ask_at_once_ask_once(web, history_settings):
    go_on = threading.Event()
    describe = RectangleDescriber()

    def slow(request):
        assert go_on.wait(20)
        return describe(request)

    bridge = web(slow, history=history_settings())
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


def test_pages_of_results(web, history_settings):
    bridge = web(history=history_settings())
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
        for query in ("limit=0", "limit=101", "before=x"):
            assert client.get(f"/v1/history?{query}").status_code == 422


def test_it_outlives_the_process_and_is_trusted_once_the_model_is_known(web, history_settings):
    with web(history=history_settings()).client() as client:
        post(client), post(client, OTHER)
    bridge = web(history=history_settings())
    with bridge.client() as client:
        assert post(client)["cached"] is False  # which model serves now is not known yet
        assert post(client, OTHER)["cached"] is True
        assert len(client.get("/v1/history").json()["results"]) == 2


def test_another_model_answers_anew(web, history_settings):
    bridge = web(history=history_settings())
    with bridge.client() as client:
        assert post(client)["model"] == "rectangles"
        bridge.describer.model = "better rectangles"
        bridge.on_loop(bridge.server.forget_model)
        assert (reply := post(client))["cached"] is False
        assert reply["model"] == "better rectangles"
        assert post(client)["cached"] is True
        assert len(client.get("/v1/history").json()["results"]) == 1


def test_without_pictures_there_are_results_alone(web, history_settings):
    with web(history=history_settings(pictures="")).client() as client:
        post(client)
        entry = client.get("/v1/history/1").json()
        assert entry["picture"] is entry["annotated"] is None
        assert client.get("/v1/history/1/picture").status_code == 404


def test_results_in_which_a_task_failed_are_not_kept(web, history_settings):
    def describe(request):
        scene = Scene(320, 240, Detections.empty(("dog",)), failures={"text": BusyError("later")})
        return DescribeReply(Description(scene, "Nothing.", "en", "some", 0.1))

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
    ["sqlite:////proc/nowhere/history.db", "nonsense://x", "no url", "postgresql+nodriver://x/y"],
)
def test_a_history_that_cannot_be_opened_is_an_error_at_the_start(web, history_settings, url):
    with pytest.raises(ServiceError, match="history cannot be opened"):
        web(history=history_settings(database=url))


def test_a_question_about_the_describers_own_words_is_asked(web, history_settings):
    bridge = web(history=history_settings())
    with bridge.client() as client:
        post(client, query="?language=es&style=list")
    assert bridge.describer.asked == [DescribeRequest(image=PICTURE)]


def test_a_picture_with_texts_is_translated_for_each_language_once(web, history_settings):
    asked = []

    def describe(request):
        asked.append(request.language)
        language = request.language or "en"
        corners = [[0, 0], [9, 0], [9, 5], [0, 5]]
        text = TextRegion(corners, "ABIERTO", 0.8, (0, 0, 0), (9, 9, 9), f"in {language}")
        scene = Scene(320, 240, texts=(text,))
        return DescribeReply(Description(scene, "A text.", language, "reader", 0.1))

    with web(describe, history=history_settings()).client() as client:
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
