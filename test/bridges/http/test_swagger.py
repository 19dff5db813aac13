"""The OpenAPI document as Swagger UI fills it in: what is sent untouched is answered."""

import pytest

pytest.importorskip("fastapi")
from web_support import PICTURE

FILLED = {"string": "string", "number": 0, "integer": 0, "boolean": True, "array": ["string"]}


def filled(schema):
    """Return what Swagger UI puts into a field: the example, the default, or one of its type."""
    if "example" in schema:
        return schema["example"]
    if "default" in schema:
        return schema["default"]
    if "properties" in schema:
        return {name: filled(each) for name, each in schema["properties"].items()}
    options = schema.get("anyOf") or [schema]
    return PICTURE if schema.get("format") == "binary" else FILLED[options[0]["type"]]


def as_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("path", ["/v1/describe", "/upload"])
@pytest.mark.parametrize("empty", [True, False])  # whether empty values are sent
def test_a_picture_and_execute(client, path, empty):
    operation = client.get("/openapi.json").json()["paths"][path]["post"]
    query = {
        entry["name"]: as_text(filled(entry["schema"])) for entry in operation.get("parameters", [])
    }
    content = operation["requestBody"]["content"]
    assert next(iter(content)) == "multipart/form-data"  # which it shows first
    form = filled(content["multipart/form-data"]["schema"])
    files = {name: value for name, value in form.items() if isinstance(value, bytes)}
    fields = {name: as_text(form[name]) for name in form.keys() - files.keys()}
    sent = [
        {name: each for name, each in part.items() if empty or each} for part in (query, fields)
    ]
    reply = client.post(path, params=sent[0], data=sent[1], files=files)
    assert reply.status_code == 200, reply.text
    for kind in set(content) - {"multipart/form-data", "application/json"}:
        reply = client.post(path, params=query, content=PICTURE, headers={"content-type": kind})
        assert reply.status_code == 200, reply.text


def test_every_field_that_may_be_left_out_says_with_what(client):
    paths = client.get("/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            for entry in operation.get("parameters", []):
                assert entry["required"] or "default" in entry["schema"], (path, entry["name"])
            for kind in operation.get("requestBody", {}).get("content", {}).values():
                for name, each in kind["schema"].get("properties", {}).items():
                    assert each.get("format") == "binary" or "default" in each, (path, name)


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "", "language": "", "style": "", "tasks": "", "min_score": "", "annotate": ""},
        {"url": ""},
        {"language": "es", "style": "", "min_score": ""},
    ],
)
def test_fields_of_a_form_that_are_left_empty_are_as_good_as_not_there(client, fields):
    reply = client.post("/v1/describe?language=fr", data=fields, files={"image": PICTURE})
    assert reply.status_code == 200, reply.text
    assert reply.json()["language"] == (fields.get("language") or "fr")


def test_a_form_without_a_file_chosen(client):
    """Browsers send a file field that nobody filled in: no name, no bytes."""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="image"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n"
    )
    kind = {"content-type": "multipart/form-data; boundary=x"}
    reply = client.post("/v1/describe", content=body, headers=kind)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "bad_request")
    assert "expected a file or a url" in reply.json()["error"]["message"]


def test_swagger_asks_for_the_token_if_there_is_one(web):
    with web(token="correct-horse-battery").client() as client:  # noqa: S106
        document = client.get("/openapi.json").json()
    assert document["components"]["securitySchemes"] == {
        "HTTPBearer": {"type": "http", "scheme": "bearer"}
    }
    assert document["paths"]["/v1/describe"]["post"]["security"] == [{"HTTPBearer": []}]


def test_swagger_asks_no_other_server_whether_the_document_is_valid(client):
    """It does by default, unless the document's host is this machine."""
    assert "validatorUrl: null" in client.get("/static/docs.js").text
