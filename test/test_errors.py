import ast
import re
from pathlib import Path

import pytest
from project import ROOT

import i2t_ros
from i2t_ros import errors
from i2t_ros.errors import InvalidRequestError


def every_error(kind=errors.I2tError):
    return [kind, *(leaf for sub in kind.__subclasses__() for leaf in every_error(sub))]


def test_every_code_is_its_own():
    codes = [kind.code for kind in every_error()]
    assert len(set(codes)) == len(codes)


def test_a_message_that_quotes_very_much_is_cut():
    error = InvalidRequestError("x" * 10**7)
    assert str(error) == "x" * 1999 + "…"
    assert str(InvalidRequestError("short")) == "short"


def test_an_error_survives_its_code():
    for kind in every_error():
        told = errors.error_from_code(kind.code, "what went wrong")
        assert type(told) is kind
        assert str(told) == "what went wrong"


def test_a_code_of_a_later_version_is_still_an_error():
    assert type(errors.error_from_code("out_of_tea", "none left")) is errors.I2tError


def refusals():
    """Return the codes that only HTTP has."""
    pytest.importorskip("fastapi")
    from i2t_ros.bridges.http.problems import REFUSALS  # noqa: PLC0415

    yield from (code for code, _ in REFUSALS.values())
    for path in (Path(i2t_ros.__file__).parent / "bridges").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "HttpProblem":
                named = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
                yield from (code.value for code in (*node.args[2:3], *named))


def test_the_codes_are_those_that_the_docs_explain():
    text = (ROOT / "docs" / "errors.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    explained = re.findall("`(.+?)`", " ".join(rows))
    assert len(explained) == len(set(explained))
    bases = re.search(r"^(.*) are the codes of base classes", text, re.MULTILINE)[1]
    explained += re.findall("`(.+?)`", bases)
    assert set(explained) == {*(kind.code for kind in every_error()), *refusals()}
