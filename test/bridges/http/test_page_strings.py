"""The words of the page: each language has them all, with the same places for values."""

import json
import re
from importlib.resources import files

import pytest

FOLDER = files("i2t_ros") / "bridges" / "http" / "static" / "strings"
ENGLISH = json.loads((FOLDER / "en.json").read_text(encoding="utf-8"))
WORDS = {
    file.name: json.loads(file.read_text(encoding="utf-8"))
    for file in FOLDER.iterdir()
    if file.name != "en.json"
}


@pytest.mark.parametrize("name", WORDS)
def test_a_language_has_all_words(name):
    words = dict(WORDS[name])
    base = words.pop("extends", None)
    assert set(words) <= set(ENGLISH)
    assert base or set(words) == set(ENGLISH)
    for key, said in words.items():
        assert said.strip() == said != ""
        assert set(re.findall(r"{\w+}", said)) == set(re.findall(r"{\w+}", ENGLISH[key])), key
