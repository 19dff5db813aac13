"""URLs of servers: which are taken, what is meant by them, and what is said of them."""

import logging

import pytest

from i2t_ros.errors import InvalidRequestError
from i2t_ros.vlm.model import LanguageModel
from i2t_ros.vlm.settings import LanguageModelSettings, is_this_machine, server_of


@pytest.mark.parametrize(
    ("url", "base", "server"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1", "127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1", "127.0.0.1:8080"),
        ("http://robot:11434/v1/", "http://robot:11434/v1", "robot:11434"),
        ("https://api.example.com/llm/v1", "https://api.example.com/llm/v1", "api.example.com"),
        ("http://[::1]:8080", "http://[::1]:8080/v1", "[::1]:8080"),
    ],
)
def test_a_url_leads_to_its_api(url, base, server):
    assert server_of(url) == (base, server)


@pytest.mark.parametrize(
    "url",
    [
        *("127.0.0.1:8080", "ftp://host", "http://", "http:///v1", "http://host:99999", "file:///"),
        *("http://host:0", "http://ho st", "http://host/v1?key=1", "http://host/#x", "http://[::1"),
        *("http://host\n/v1", "javascript:alert(1)"),
    ],
)
def test_what_is_no_url_is_refused(url):
    with pytest.raises(InvalidRequestError, match="caption_url: expected a URL"):
        server_of(url)


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(InvalidRequestError, match="CAPTION_API_KEY") as caught:
        server_of("http://user:hunter2@host/v1")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://127.9.9.9/v1", True),
        ("http://[::1]/v1", True),
        ("http://localhost/v1", True),
        ("http://LOCALHOST/v1", True),
        ("http://box.localhost/v1", True),
        ("http://192.168.1.4/v1", False),
        ("http://0.0.0.0/v1", False),
        ("http://localhost.example.com/v1", False),
        ("https://api.example.com/v1", False),
    ],
)
def test_whether_pictures_leave_this_machine_is_known_and_said_once(url, own, caplog):
    pytest.importorskip("openai")
    assert is_this_machine(url) == own
    with caplog.at_level(logging.WARNING):
        LanguageModel(LanguageModelSettings(url=url), {})
    assert len([record for record in caplog.records if "another machine" in record.message]) == (
        0 if own else 1
    )
