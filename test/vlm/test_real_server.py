"""The client against a real server: llama.cpp's, with a tiny model that takes pictures."""

import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import httpx
import numpy as np
import pytest
import tiny_vlm
from vlm_server import serving
from waiting import has_ended, until

from i2t_ros.errors import LanguageModelError
from i2t_ros.pipeline.grounding import jpeg_of, question_prompt
from i2t_ros.vlm.model import LanguageModel
from i2t_ros.vlm.prompt import Prompt
from i2t_ros.vlm.settings import KEY, LanguageModelSettings
from i2t_ros.vlm.stop import Stop

pytest.importorskip("openai")

LIMIT = 30
TEAL = np.full((48, 64, 3), (128, 128, 0), np.uint8)
WHAT = question_prompt("What is there?", "en", ["No face was found."], jpeg_of(TEAL, 768))
AT_LENGTH = Prompt("Go on.", tiny_vlm.AT_LENGTH)


def model_at(server, key=None, **settings):
    key = server.key if key is None else key
    return LanguageModel(LanguageModelSettings(url=server.url, **settings), {KEY: key})


def failure(model, prompt):
    with pytest.raises(LanguageModelError) as caught:
        model.complete(prompt)
    return caught.value


def test_its_models_are_listed_and_the_first_is_taken(vlm_server):
    model = model_at(vlm_server)
    assert model.models() == ["tiny"]
    assert model.complete(WHAT).text == tiny_vlm.SENTENCE
    assert model.name == f"tiny at {vlm_server.address.removeprefix('http://')}"


def test_an_answer_comes_word_by_word(vlm_server):
    heard = []
    completion = model_at(vlm_server).complete(WHAT, heard.append)
    assert completion.text == tiny_vlm.SENTENCE
    assert not completion.cut
    assert heard
    assert all(tiny_vlm.SENTENCE.startswith(text) for text in heard)
    assert len(heard[0]) < len(tiny_vlm.SENTENCE)


@pytest.mark.parametrize("size", [(8, 8), (720, 1280), (2000, 30)])
def test_pictures_of_any_size_are_taken(vlm_server, size):
    jpeg = jpeg_of(np.zeros((*size, 3), np.uint8), 768)
    assert model_at(vlm_server).complete(Prompt("", "What?", jpeg)).text == tiny_vlm.SENTENCE


def test_what_is_no_picture_is_refused_in_the_servers_words(vlm_server):
    error = failure(model_at(vlm_server), Prompt("", "What?", b"none"))
    assert error.code == "vlm_refused"
    assert "HTTP 400" in str(error)


def test_the_limit_of_tokens_is_kept(vlm_server):
    completion = model_at(vlm_server, max_tokens=7).complete(AT_LENGTH)
    assert completion.cut
    assert completion.text.endswith("…")
    assert len(completion.text.split()) <= 7


def test_a_wrong_key_is_refused(vlm_server):
    error = failure(model_at(vlm_server, "guessed"), WHAT)
    assert error.code == "vlm_unauthorized"
    assert "guessed" not in str(error)
    assert httpx.get(f"{vlm_server.url}/models").status_code == 401


@pytest.mark.parametrize("by", ["stop", "close"])
def test_whoever_stops_stops_the_model(vlm_server, by):
    stop = Stop()
    model = model_at(vlm_server, max_tokens=4096)
    writing = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(model.complete, AT_LENGTH, lambda _: writing.set(), stop)
        assert writing.wait(LIMIT)
        (stop.set if by == "stop" else model.close)()
        with pytest.raises(CancelledError):
            answer.result(LIMIT)
    until(lambda: vlm_server.busy() == 0, "the model has stopped")
    assert model_at(vlm_server).complete(WHAT).text == tiny_vlm.SENTENCE


def test_a_time_limit_stops_the_model(vlm_server):
    error = failure(model_at(vlm_server, max_tokens=4096, timeout=0.1), AT_LENGTH)
    assert error.code in ("vlm_time_limit", "vlm_endless")
    until(lambda: vlm_server.busy() == 0, "the model has stopped")


def test_more_questions_than_it_has_places_for_are_all_answered(vlm_server):
    model = model_at(vlm_server)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: model.complete(WHAT).text, range(16)))
    assert answers == [tiny_vlm.SENTENCE] * 16


def test_it_ends_with_its_block(vlm_server, tmp_path):
    with serving(tmp_path, key="") as server:
        assert server.address != vlm_server.address
        assert model_at(server, "").models() == ["tiny"]
    assert has_ended(server.pid)
