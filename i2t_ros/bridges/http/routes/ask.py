"""/v1/ask: the answer to a question about a picture, or about what a camera sees now."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.problems import explain
from i2t_ros.bridges.http.replies import CONNECTION
from i2t_ros.bridges.http.routes.describe import reply_values, timings
from i2t_ros.bridges.http.routes.leaving import while_here
from i2t_ros.bridges.http.routes.live import event
from i2t_ros.bridges.http.routes.parameters import body_schema, query_of, read_body_options
from i2t_ros.bridges.http.routes.request_body import URL_FIELD, prefers_events, read_any_body
from i2t_ros.bridges.http.services import SharedServices
from i2t_ros.errors import I2tError, InvalidRequestError
from i2t_ros.pipeline.asking import check_question
from i2t_ros.pipeline.description_json import error_to_json
from i2t_ros.types import DescribeRequest, Told

log = logging.getLogger("i2t_ros.http")

KEEP_ALIVE = 10.0
"""Seconds without a word after which a comment is sent.

Proxies cut what is silent for a minute, and a client that is gone without a trace is noticed when
something is sent to it.
"""

Answering = Callable[[Told], Awaitable[dict[str, Any]]]
"""Returns the whole reply as JSON has it, and tells the answer while it is written."""

Options = Annotated[DescribeRequest, Depends(query_of(DescribeRequest))]

router = APIRouter(tags=["describe"])


def _body() -> dict[str, Any]:
    """Return the documentation of a body, as that of describe; the picture may be left out."""
    file = {"type": "string", "format": "binary", "description": "the picture, if any"}
    question = {"question": body_schema(())["question"]}
    form = {"image": file, "url": URL_FIELD, **question}
    return {
        "required": False,
        "content": {
            "multipart/form-data": {"schema": {"type": "object", "properties": form}},
            "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {"type": "object", "properties": {"url": URL_FIELD, **body_schema(())}},
                "example": {"camera": "front", "question": "Is the door open?"},
            },
        },
    }


@router.post(
    "/v1/ask",
    summary="Ask a question about a picture or a camera",
    response_model=schemas.Reply,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        **schemas.refusals(*(400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 501, 502, 503, 504)),
    },
    openapi_extra={"requestBody": _body()},
)
async def ask(request: Request, options: Options, services: SharedServices) -> Response:
    """Answer a question by a language model, which gets the picture and what was found in it.

    The picture comes as for /v1/describe. Without one, the question is about the newest frame of
    `camera`, or of the first camera that has frames. The reply is that of /v1/describe with
    `answer`. With `Accept: text/event-stream` it comes as events: `text` with the answer so far,
    then `answer` with the whole reply, or `error`. A client that leaves stops the language model.
    """
    started = time.perf_counter()
    picture, values = await read_any_body(request, services)
    received = time.perf_counter()
    asked = read_body_options(replace(options, picture=picture), values, without=())
    if not asked.question:
        raise InvalidRequestError("question: expected a question about the picture, got none")
    check_question(asked.question)
    if picture is not None:
        if asked.camera:
            raise InvalidRequestError("expected a picture or a camera, got both")
        await services.check(picture, hashed=True)

    async def answer(told: Told) -> dict[str, Any]:
        reply = await services.ask(asked, told, request.headers.get("x-request-id", ""))
        values = await reply_values(services, request, asked, reply)
        return {**values, "timings_ms": timings(started, received)}

    if prefers_events(request.headers.get("accept", "")):
        return AnswerEvents(_events(answer))
    return JSONResponse(await while_here(request.scope, request.receive, answer(lambda text: None)))


class AnswerEvents(StreamingResponse):
    """An answer as events; what goes wrong before the first of them has its status."""

    def __init__(self, parts: AsyncGenerator[bytes, None]) -> None:
        # nginx would collect the words before it passes them on.
        headers = {"x-accel-buffering": "no"}
        super().__init__(parts, media_type="text/event-stream", headers=headers)
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reply; raises I2tError, and ClientDisconnect, before anything is sent."""
        async with contextlib.aclosing(self._parts):
            first = await while_here(scope, receive, anext(self._parts))
            self.body_iterator = _chain(first, self._parts)
            scope["state"][CONNECTION].ends_with_client = True
            try:
                # Without a version Starlette listens for the client's leaving; see EndlessResponse.
                await super().__call__({**scope, "asgi": {}}, receive, send)
            finally:
                scope["state"][CONNECTION].ends_with_client = False


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    yield first
    async for part in rest:
        yield part


class _Writing:
    """An answer while it is written; a text that nobody has taken gives way to a longer one.

    news  set when there is a text that has not been taken
    """

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._text = ""

    def tell(self, text: str) -> None:
        self._text = text
        self.news.set()

    async def wait(self, work: "asyncio.Future[Any]") -> None:
        """Wait for news, for the end of the work, or for KEEP_ALIVE."""
        news = asyncio.ensure_future(self.news.wait())
        first = asyncio.FIRST_COMPLETED
        try:
            await asyncio.wait((work, news), timeout=KEEP_ALIVE, return_when=first)
        finally:
            news.cancel()
            await asyncio.gather(news, return_exceptions=True)

    def take(self) -> bytes:
        self.news.clear()
        return event("text", {"text": self._text})


async def _events(answer: Answering) -> AsyncGenerator[bytes, None]:
    """Yield the events of an answer; raises I2tError instead if the first would be an error."""
    writing = _Writing()
    work = asyncio.ensure_future(answer(writing.tell))
    begun = False
    try:
        while not work.done():
            await writing.wait(work)
            if writing.news.is_set():
                yield writing.take()
            elif not work.done():
                yield b": waiting\n\n"
            else:
                break
            begun = True
        try:
            last = event("answer", work.result())
        except Exception as error:
            if not begun:
                raise
            if not isinstance(error, I2tError):
                log.exception("an answer failed")
            _, code, message = explain(error)
            last = event("error", error_to_json(code, message))
        yield last
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
