"""Asks a server with the OpenAI chat-completions API about one picture."""

import asyncio
import base64
import logging
import math
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

from i2t_ros.errors import (
    InvalidRequestError,
    LanguageModelBusyError,
    LanguageModelCutError,
    LanguageModelEmptyError,
    LanguageModelEndlessError,
    LanguageModelFormatError,
    LanguageModelRefusedError,
    LanguageModelTimeError,
)
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for
from i2t_ros.types import Told
from i2t_ros.vlm import own_loop
from i2t_ros.vlm.answers import tidy, whole_sentences
from i2t_ros.vlm.failures import explained, retry_after
from i2t_ros.vlm.limits import BYTES, BYTES_OF_TOKEN, http_client
from i2t_ros.vlm.prompt import Completion, Prompt
from i2t_ros.vlm.settings import KEY, LanguageModelSettings, is_this_machine, server_of
from i2t_ros.vlm.stop import Stop

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

TOLD_EVERY = 0.1
"""Seconds between two looks at an answer that is being written."""
LETTERS_OF_TOKEN = 32
"""Most letters that a token is taken to have, on average over an answer."""
MODELS_BYTES = 1 << 20
"""Of the list of a server's models."""
LONGEST_NAME = 255
"""Characters of a model's name. It is in messages and logs, so what is longer is taken for none."""


class LanguageModel:
    """A vision language model on a server. Any number of threads may use it at once.

    Each answer has a connection of its own, which ends with it, so that the server stops as soon as
    nobody waits for the answer any more. After HTTP 429 nobody asks until the server's Retry-After.

    server  host and port, for people
    """

    def __init__(
        self,
        settings: LanguageModelSettings,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet; ``environment`` may have the key.

        Raises LanguageModelOffError without a URL, InvalidRequestError for one that is none and for
        a key that no HTTP header can have, and BackendMissingError without the package openai.
        """
        self._url, self.server = server_of(settings.url)
        self._settings = settings
        self._model = settings.model
        self._key = environment.get(KEY, "").strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise InvalidRequestError(f"{KEY}: expected visible ASCII characters, got others, too")
        self._clock = clock
        self._openai = _openai()
        self._paused: tuple[LanguageModelBusyError, float] | None = None
        self._closing = Stop()
        if not is_this_machine(self._url):
            logger.warning("pictures are sent to another machine: %s (caption_url)", self.server)

    @property
    def name(self) -> str:
        """The model and its server, for people: "qwen3-vl at 127.0.0.1:8080"."""
        return f"{self._model or 'language model'} at {self.server}"

    def close(self) -> None:
        """End what is being answered, and answer no more. May be called in any thread."""
        self._closing.set()

    def models(self) -> list[str]:
        """Return the names of the server's models; raises LanguageModelError."""
        return own_loop.run(self._within_limits(self._names(), Stop()))

    def complete(
        self, prompt: Prompt, told: Told | None = None, stop: Stop | None = None
    ) -> Completion:
        """Return the model's answer; ``told`` gets its beginning while it is being written.

        ``told`` is called in this thread. Raises LanguageModelError, of a class for each way in
        which this can fail, and CancelledError when ``stop`` is set, and after close().
        """
        if self._paused is not None and self._clock() < self._paused[1]:
            left = math.ceil(self._paused[1] - self._clock())
            raise LanguageModelBusyError(f"{self._paused[0]}; asked again in {left} s")
        answer = self._answer(prompt, told or _nobody)
        return own_loop.run(self._within_limits(answer, stop or Stop()))

    async def _within_limits(self, work: Coroutine[Any, Any, Result], stop: Stop) -> Result:
        """Return the result of a coroutine; raises as complete()."""
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)

        def end() -> None:
            with suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(task.cancel)

        stops = stop, self._closing
        forget = [each.then(end) for each in stops]
        try:
            return await asyncio.wait_for(task, self._settings.timeout)
        except asyncio.TimeoutError:
            limit = f"no whole answer within {self._settings.timeout:g} s (caption_timeout)"
            raise LanguageModelTimeError(f"{self.name}: {limit}") from None
        except asyncio.CancelledError:
            if not any(each.is_set for each in stops):
                raise
            raise CancelledError from None
        except Exception as error:
            failure = explained(error, self.name, self._openai, self._key)
            if isinstance(failure, LanguageModelBusyError):
                self._paused = failure, self._clock() + retry_after(error)
            elif isinstance(failure, LanguageModelRefusedError):
                self._model = self._settings.model  # the server may list another one by now
            raise failure from None
        finally:
            for each in forget:
                each()

    def _client(self, max_bytes: int, kind: str) -> Any:
        return self._openai.AsyncOpenAI(
            base_url=self._url,
            # The package wants some key, and would take OPENAI_API_KEY, which is for another host.
            api_key=self._key or "none",
            organization="",
            project="",
            timeout=self._settings.timeout,
            max_retries=0,
            http_client=http_client(self._openai, max_bytes, kind),
        )

    async def _names(self) -> list[str]:
        async with self._client(MODELS_BYTES, "application/json") as client:
            listed = await client.models.list()
            return [model.id for model in listed.data if _is_name(model.id)]

    async def _answer(self, prompt: Prompt, told: Told) -> Completion:
        started = time.perf_counter()
        if not self._model:
            names = await self._names()
            if not names:
                raise LanguageModelRefusedError(f"{self.server} lists no model: set caption_model")
            self._model = names[0]
        most = self._settings.max_tokens
        async with self._client(BYTES + most * BYTES_OF_TOKEN, "text/event-stream") as client:
            chunks = await self._begin(client, prompt)
            text, reason = await self._read(chunks, told)
        said = tidy(text)
        if not said:
            raise LanguageModelEmptyError(f"{self.name}: the answer has no words")
        cut = reason == "length"
        elapsed = time.perf_counter() - started
        return Completion(whole_sentences(said) if cut else said, elapsed, cut)

    async def _begin(self, client: Any, prompt: Prompt) -> Any:
        """Ask, and return the chunks of the answer, as they come."""
        wanted: dict[str, Any] = {"max_tokens": self._settings.max_tokens, "temperature": 0}
        ask = partial(
            client.chat.completions.create,
            model=self._model,
            messages=_messages(prompt),
            stream=True,
        )
        while True:
            try:
                return await ask(**wanted)
            except self._openai.BadRequestError as error:
                # OpenAI's newer models have another name for the one, and refuse the other.
                if not isinstance(error.param, str) or error.param not in wanted:
                    raise
                value = wanted.pop(error.param)
                if error.param == "max_tokens":
                    wanted["max_completion_tokens"] = value

    async def _read(self, chunks: Any, told: Told) -> tuple[str, str]:
        """Return the text, and why it ended: "stop", "length" or the like."""
        parts: list[str] = []
        letters, reason, said_at = 0, "", -math.inf
        async for chunk in chunks:
            for choice in chunk.choices[:1]:
                part = choice.delta.content if choice.delta else None
                reason = choice.finish_reason or reason
                if not part:
                    continue
                if not isinstance(part, str):
                    raise LanguageModelFormatError(
                        f"{self.name}: expected text, got {type(part).__name__}"
                    )
                parts.append(part)
                letters += len(part)
                if letters > LETTERS_OF_TOKEN * self._settings.max_tokens:
                    raise LanguageModelEndlessError(
                        f"{self.name}: the answer goes on after {letters} letters, expected at "
                        f"most {self._settings.max_tokens} tokens (caption_max_tokens)"
                    )
                if time.monotonic() - said_at >= TOLD_EVERY and (text := tidy("".join(parts))):
                    told(text)
                    said_at = time.monotonic()
        if not reason:
            raise LanguageModelCutError(
                f"{self.name}: the answer was cut off after {letters} letters"
            )
        return "".join(parts), str(reason)


def _openai() -> ModuleType:
    with needed_for("a language model", how_to_install("vlm")):
        import openai  # noqa: PLC0415 (takes a second)
    return openai


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable()


def _messages(prompt: Prompt) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = [{"type": "text", "text": prompt.question}]
    if prompt.jpeg:
        url = f"data:image/jpeg;base64,{base64.b64encode(prompt.jpeg).decode()}"
        content.insert(0, {"type": "image_url", "image_url": {"url": url}})
    return [{"role": "system", "content": prompt.rules}, {"role": "user", "content": content}]


def _nobody(text: str) -> None:
    pass
