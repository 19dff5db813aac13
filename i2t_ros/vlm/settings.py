"""Which server runs the language model, and how much is asked of it."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from i2t_ros.errors import InvalidRequestError, LanguageModelOffError
from i2t_ros.options import check_options, option

KEY = "CAPTION_API_KEY"
"""The environment variable that holds the server's key. No option does: parameters are shown to
everybody in the ROS graph."""


@dataclass(frozen=True, slots=True)
class LanguageModelSettings:
    """A server with the chat-completions API of OpenAI, such as llama.cpp, Ollama or vLLM."""

    url: str = option(
        "",
        "URL of a server with the OpenAI chat-completions API, such as http://127.0.0.1:8080/v1; "
        "pictures are sent there. Empty: no captions, no answers to questions. A key comes from "
        f"the environment variable {KEY}",
        name="caption_url",
    )
    model: str = option(
        "",
        "name of the server's vision language model; empty: the first that it lists",
        name="caption_model",
    )
    timeout: float = option(
        20.0,
        "seconds that the language model may take for a caption or an answer",
        name="caption_timeout",
        bounds=(0.1, 600.0),
    )
    max_tokens: int = option(
        200,
        "tokens of a caption or an answer at most; a token is a short word or a part of one",
        name="caption_max_tokens",
        bounds=(1, 4096),
    )
    width: int = option(
        768,
        "pictures are sent to the language model with at most this many pixels on either side",
        name="caption_width",
        bounds=(32, 4096),
    )

    def __post_init__(self) -> None:
        """Check every value; raises InvalidRequestError."""
        check_options(self)
        if self.url:
            server_of(self.url)


def server_of(url: str) -> tuple[str, str]:
    """Return the base URL of the API, and the host and port for people.

    ``http://host:8080`` means ``http://host:8080/v1``. Raises LanguageModelOffError if the URL is
    empty, and InvalidRequestError if it is none, or has a user or a password in it.
    """
    if not url:
        raise LanguageModelOffError(
            "no language model is set: start a server with the OpenAI chat-completions API, and "
            "name it with caption_url (on a command line --caption-url). "
            "`llama-server -hf ggml-org/SmolVLM-500M-Instruct-GGUF` of llama.cpp serves "
            "http://127.0.0.1:8080/v1, Ollama with `ollama pull qwen2.5vl:3b` "
            "http://127.0.0.1:11434/v1; docs/captions.md has others"
        )
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = None
    if not known or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise InvalidRequestError(
            f"caption_url: expected a URL such as http://127.0.0.1:8080/v1, got {url!r}"
        )
    if "@" in parts.netloc:
        raise InvalidRequestError(
            f"caption_url: expected no user and no password, got some for {parts.hostname}; the "
            f"key comes from the environment variable {KEY}"
        )
    path = parts.path.rstrip("/") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}", parts.netloc


def is_this_machine(url: str) -> bool:
    """Return whether a URL leads to this machine, as far as its host tells."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
