"""/v1/history: the results that are kept."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import JSONResponse, Response

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.history.database import Entry
from i2t_ros.bridges.http.history.handler import HistoryHandler
from i2t_ros.bridges.http.middleware.proxies import prefix_of
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.routes.describe import drawing_of, picture_response
from i2t_ros.bridges.http.routes.parameters import query_of
from i2t_ros.bridges.http.services import Services, SharedServices
from i2t_ros.options import from_values, option
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.types import DescribeReply, DescribeRequest, Picture

MAX_ID = 2**31 - 1


@dataclass(frozen=True)
class Page:
    """Which results are listed."""

    limit: int = option(20, "how many results", bounds=(1, 100))
    before: int = option(0, "only results with a lower number; 0: the newest", bounds=(0, MAX_ID))


@dataclass(frozen=True)
class Words:
    """How a result is put."""

    language: str = option("", "of the sentence; none: as it is kept")
    style: str = option("", "of the sentence; none: as it is kept")
    spoken: bool = option(False, "words for a voice; false: as they are kept")


async def _history(services: SharedServices) -> HistoryHandler:
    assert services.history is not None  # noqa: S101 (or there are no such routes)
    return services.history


SharedHistory = Annotated[HistoryHandler, Depends(_history)]
Number = Annotated[int, Path(ge=1, le=MAX_ID, description="of the result")]


async def _entry(number: Number, kept: SharedHistory) -> Entry:
    entry = await kept.call(kept.history.get, number)
    if entry is None:
        raise _unknown(number)
    return entry


KeptEntry = Annotated[Entry, Depends(_entry)]
PageQuery = Annotated[Page, Depends(query_of(Page))]
WordsQuery = Annotated[Words, Depends(query_of(Words))]

router = APIRouter(
    prefix="/v1/history",
    tags=["history"],
    responses=schemas.refusals(401, 404, 422, 429, 500, 503, 504),
)


@router.get("", summary="Kept results, newest first", response_model=schemas.HistoryPage)
async def page(request: Request, query: PageQuery, kept: SharedHistory) -> Response:
    """List results as they are kept."""
    entries = await kept.call(kept.history.newest, query.limit, query.before)
    following = entries[-1].id if len(entries) == query.limit else None
    results = [_to_json(request, entry, entry.description) for entry in entries]
    return JSONResponse({"results": results, "next": following})


@router.get("/{number}", summary="A kept result", response_model=schemas.HistoryItem)
async def result(
    request: Request,
    entry: KeptEntry,
    words: WordsQuery,
    kept: SharedHistory,
    services: SharedServices,
) -> Response:
    """Return one result.

    In another language or style than it is kept in, or for a voice, the detector looks at its
    picture again.
    """
    description = entry.description
    if _differ(words, entry):
        reply = await _ask_again(services, kept, entry, words)
        description = description_to_json(reply.description)
    return JSONResponse(_to_json(request, entry, description))


@router.delete(
    "/{number}",
    summary="Forget a result",
    status_code=204,
    response_class=Response,
    responses=schemas.refusals(403),
)
async def forget(number: Number, kept: SharedHistory) -> Response:
    """Delete a result, and its picture unless another result has it too."""
    if not await kept.call(kept.history.remove, number):
        raise _unknown(number)
    return Response(status_code=204)


@router.get(
    "/{number}/picture",
    summary="The picture of a kept result",
    response_class=Response,
    responses=schemas.content("image/*"),
)
async def picture(entry: KeptEntry, kept: SharedHistory) -> Response:
    """Return the picture as it was sent."""
    return picture_response(await _picture_of(kept, entry))


@router.get(
    "/{number}/annotated",
    summary="The annotated picture of a kept result",
    response_class=Response,
    responses=schemas.content("image/*"),
)
async def annotated(
    entry: KeptEntry, words: WordsQuery, kept: SharedHistory, services: SharedServices
) -> Response:
    """Return the drawing that is kept, in the words of the result.

    Otherwise the detector looks at the picture again and draws on it what it finds.
    """
    if entry.drawing and not _differ(words, entry):
        drawing = await kept.call(kept.history.picture, entry.drawing)
        if drawing is not None:
            return picture_response(Picture(drawing))
    return picture_response(
        drawing_of(await _ask_again(services, kept, entry, words, annotate=True))
    )


def _differ(words: Words, entry: Entry) -> bool:
    kept = entry.description
    wanted = {"language": words.language, "style": words.style, "spoken": words.spoken}
    return any(value and value != kept.get(name) for name, value in wanted.items())


async def _picture_of(kept: HistoryHandler, entry: Entry) -> Picture:
    picture = await kept.call(kept.history.picture, entry.picture)
    if picture is None:
        raise HttpProblem(404, f"the picture of result {entry.id} is not kept")
    return Picture(picture)


async def _ask_again(
    services: Services, kept: HistoryHandler, entry: Entry, words: Words, *, annotate: bool = False
) -> DescribeReply:
    """Ask about a kept picture; what is asked about old results is not kept anew."""
    values = {
        **entry.asked,
        "language": words.language or entry.description["language"],
        "style": words.style or entry.description["style"],
        "spoken": words.spoken or entry.description.get("spoken", False),
        "annotate": annotate,
        "fresh": True,
    }
    picture = await _picture_of(kept, entry)
    return await services.describe(from_values(DescribeRequest, values, picture=picture))


def _unknown(number: int) -> HttpProblem:
    return HttpProblem(404, f"the history has no result {number}")


def _to_json(request: Request, entry: Entry, description: dict[str, Any]) -> dict[str, Any]:
    path = f"{prefix_of(request)}/v1/history/{entry.id}"
    return {
        **description,
        "id": entry.id,
        "created": entry.created,
        "hash": entry.sha256,
        "picture": f"{path}/picture" if entry.picture else None,
        "annotated": f"{path}/annotated" if entry.picture else None,
    }
