"""A real server with the chat-completions API: llama.cpp's, with a model that takes pictures."""

import base64
import contextlib
import io

import httpx
import pytest
import tiny_vlm
from PIL import Image
from vlm_server import serving
from waiting import has_ended, until

openai = pytest.importorskip("openai")


def data_url(width=64, height=48, kind="JPEG"):
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


@pytest.fixture
def client(vlm_server):
    with openai.OpenAI(base_url=vlm_server.url, api_key=vlm_server.key, max_retries=0) as client:
        yield client


def ask(client, text, picture=None, **options):
    content = [{"type": "text", "text": text}]
    if picture:
        content.append({"type": "image_url", "image_url": {"url": picture}})
    return client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": content}], **options
    )


def test_its_models_are_listed(client):
    assert [model.id for model in client.models.list()] == ["tiny"]


def test_an_answer_comes_word_by_word(client):
    pieces = [
        piece.choices[0]
        for piece in ask(client, "What is there?", data_url(), stream=True)
        if piece.choices
    ]
    words = [piece.delta.content for piece in pieces if piece.delta.content]
    assert len(words) > 3
    assert "".join(words) == tiny_vlm.SENTENCE
    assert pieces[-1].finish_reason == "stop"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(8, 8), (1280, 720)])
def test_a_picture_of_any_size_is_taken(client, kind, size):
    without = ask(client, "What is there?").usage.prompt_tokens
    reply = ask(client, "What is there?", data_url(*size, kind))
    assert reply.usage.prompt_tokens == without + tiny_vlm.IMAGE_TOKENS
    assert reply.choices[0].message.content == tiny_vlm.SENTENCE


def test_what_is_no_picture_is_refused(client):
    with pytest.raises(openai.BadRequestError):
        ask(client, "What is there?", "data:image/png;base64,bm9uZQ==")


def test_a_token_limit_is_kept(client):
    reply = ask(client, f"Tell me {tiny_vlm.AT_LENGTH}.", max_tokens=7)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 7
    assert set(reply.choices[0].message.content.split()) <= set(tiny_vlm.WORDS)


def test_a_wrong_key_is_refused(vlm_server):
    with (
        openai.OpenAI(base_url=vlm_server.url, api_key="guessed", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        ask(stranger, "What is there?")
    assert caught.value.status_code == 401
    assert httpx.get(f"{vlm_server.url}/models").status_code == 401


def test_closing_the_connection_ends_the_answer(client, vlm_server):
    before = vlm_server.broken_off()
    ask(client, tiny_vlm.AT_LENGTH, max_tokens=2)  # which is no breaking off
    assert vlm_server.broken_off() <= before
    with ask(client, tiny_vlm.AT_LENGTH, stream=True) as stream:
        next(stream)
        until(lambda: vlm_server.busy() == 1, "the model writes")
    until(lambda: vlm_server.busy() == 0, "the model has stopped")
    assert len(vlm_server.broken_off() - before) == 1
    assert ask(client, "And now?").choices[0].message.content == tiny_vlm.SENTENCE


def test_two_are_answered_at_once_and_a_third_waits(client, vlm_server):
    with contextlib.ExitStack() as stack:
        talking = [
            stack.enter_context(ask(client, tiny_vlm.AT_LENGTH, stream=True)) for _ in range(2)
        ]
        assert all(next(stream).id for stream in talking)
        until(lambda: vlm_server.busy() == 2, "both are answered")
        with pytest.raises(openai.APITimeoutError):
            ask(client.with_options(timeout=0.2), "And me?")
    assert ask(client, "And me?").choices[0].message.content == tiny_vlm.SENTENCE


def test_it_ends_with_its_block(vlm_server, tmp_path):
    with serving(tmp_path, key="") as server:
        assert server.address != vlm_server.address
        assert httpx.get(f"{server.url}/models").status_code == 200
    assert has_ended(server.pid)
