"""/v1/history: the results that are kept."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import JSONResponse, Response

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.history.database import Entry
from i2t_ros.bridges.http.history.handler import Memory, said
from i2t_ros.bridges.http.history.pictures import media_type
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.routes.request_reading import read_integer, read_name
from i2t_ros.bridges.http.services import Services
from i2t_ros.pipeline.description_json import description_to_json

MAX_PAGE = 100
MAX_ID = 2**31 - 1
Number = Annotated[int, Path(ge=1, le=MAX_ID, description="of the result")]
_MEDIA = {"image/*": {"schema": {"type": "string", "format": "binary"}}}
_LIMIT = {
    "name": "limit",
    "in": "query",
    "description": "of results",
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 20},
}
_BEFORE = {
    "name": "before",
    "in": "query",
    "description": "only results with a lower number",
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_ID},
}


def make_router(services: Services, memory: Memory) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["history"])
    history = memory.history

    async def find(number: int) -> Entry:
        entry = await memory.call(history.get, number)
        if entry is None:
            raise HttpProblem(404, f"the history has no result {number}")
        return entry

    async def picture_of(entry: Entry) -> bytes:
        picture = await memory.call(history.picture, entry)
        if picture is None:
            raise HttpProblem(404, f"the picture of result {entry.id} is not kept")
        return picture

    @router.get(
        "/v1/history",
        summary="Kept results, newest first",
        responses={200: {"model": schemas.HistoryPage}, **schemas.refusals(401, 422, 429, 503)},
        openapi_extra={"parameters": [_LIMIT, _BEFORE, schemas.LANGUAGE, schemas.STYLE]},
    )
    async def page(request: Request) -> Response:
        """List results, their sentences in any language."""
        query = request.query_params
        limit = read_integer("limit", query.get("limit", "20"), 1, MAX_PAGE)
        before = read_integer("before", query["before"], 1, MAX_ID) if "before" in query else 0
        language, style = _language_and_style(request)
        entries = await memory.call(history.newest, limit, before)
        following = entries[-1].id if len(entries) == limit else None
        return JSONResponse(
            {
                "results": [_to_json(entry, language, style) for entry in entries],
                "next": following,
            }
        )

    @router.get(
        "/v1/history/{number}",
        summary="A kept result",
        responses={
            200: {"model": schemas.HistoryItem},
            **schemas.refusals(401, 404, 422, 429, 503),
        },
        openapi_extra={"parameters": [schemas.LANGUAGE, schemas.STYLE]},
    )
    async def result(request: Request, number: Number) -> Response:
        """Return one result, its sentence in any language."""
        return JSONResponse(_to_json(await find(number), *_language_and_style(request)))

    @router.delete(
        "/v1/history/{number}",
        summary="Forget a result",
        status_code=204,
        response_class=Response,
        responses=schemas.refusals(401, 403, 404, 422, 429, 503),
    )
    async def forget(number: Number) -> Response:
        """Delete a result, and its picture unless another result has it too."""
        if not await memory.call(history.remove, number):
            raise HttpProblem(404, f"the history has no result {number}")
        return Response(status_code=204)

    @router.get(
        "/v1/history/{number}/picture",
        summary="The picture of a kept result",
        response_class=Response,
        responses={200: {"content": _MEDIA}, **schemas.refusals(401, 404, 422, 429, 503)},
    )
    async def picture(number: Number) -> Response:
        """Return the picture as it was sent."""
        entry = await find(number)
        return Response(await picture_of(entry), media_type=media_type(entry.picture))

    @router.get(
        "/v1/history/{number}/annotated",
        summary="The annotated picture of a kept result",
        response_class=Response,
        responses={200: {"content": _MEDIA}, **schemas.refusals(401, 404, 422, 429, 503)},
        openapi_extra={"parameters": [schemas.LANGUAGE]},
    )
    async def annotated(request: Request, number: Number) -> Response:
        """Return the picture with what was found drawn on it, labelled in any language."""
        entry = await find(number)
        description = said(entry.description, _language_and_style(request)[0], "")
        drawn = await services.draw(
            await picture_of(entry), description.scene, description.language
        )
        return Response(bytes(drawn.data), media_type=f"image/{drawn.format}")

    return router


def _language_and_style(request: Request) -> tuple[str, str]:
    query = request.query_params
    return (
        read_name("language", query.get("language", "")),
        read_name("style", query.get("style", "")),
    )


def _to_json(entry: Entry, language: str, style: str) -> dict[str, Any]:
    path = f"/v1/history/{entry.id}"
    return {
        **description_to_json(said(entry.description, language, style)),
        "id": entry.id,
        "created": entry.created,
        "hash": entry.sha256,
        "picture": f"{path}/picture" if entry.picture else None,
        "annotated": f"{path}/annotated" if entry.picture else None,
    }
