"""Language files of every wrong shape: refused by name and key, or read as they are meant."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from i2t_ros.errors import InvalidRequestError, UnknownLanguageError
from i2t_ros.language import Languages, ObjectCount, compose, load_languages
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.pipeline.tasks.text import TextFact, TextFacts

DOGS = (ObjectFacts((ObjectCount("dog", 2),)),)


def folder_of(folder: Path, files: dict[str, str]) -> Languages:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_languages(folder)


@pytest.mark.parametrize("field", ["{%s!r}", "{%s:>1000000}", "{%s:d}", "{%s:{%s}}", "{%s!x}"])
@pytest.mark.parametrize(
    ("text", "name", "key"),
    [
        ('sentence: {plain: "Veo FIELD."}', "things", "sentence.plain.other"),
        ('texts: {quote: "«FIELD»"}', "text", "texts.quote.other"),
        ('lists: {things: {"2": "FIELD y {1}"}}', "0", "lists.things.2"),
        ('item: "FIELD {noun}"', "number", "item.words"),
        ('borrowed: {other: "FIELD"}', "noun", "borrowed.other"),
        ('borrowed: {acronyms: "FIELD"}', "noun", "borrowed.acronyms"),
    ],
)
def test_a_field_is_a_name_alone(
    tmp_path: Path, text: str, name: str, key: str, field: str
) -> None:
    text = text.replace("FIELD", field.replace("%s", name))

    with pytest.raises(InvalidRequestError, match=rf"language es: {key}: expected a text with"):
        folder_of(tmp_path, {"es": text})


@pytest.mark.parametrize(
    "quote", ["'«{text}»'", "{other: '«{text}»'}", "{other: {m: '«{text}»', f: 'x{text}'}}"]
)
def test_a_quotation_may_depend_on_number_and_gender(tmp_path: Path, quote: str) -> None:
    own = folder_of(tmp_path, {"es": f"texts: {{quote: {quote}}}\nquoted_period: merged"})

    said = compose([TextFacts((TextFact("¡ALTO!"),))], "es", languages=own)

    assert said == "El texto dice «¡ALTO!»"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("digit_cases: {other: genitive}", "digit_cases.other: expected one of nominative, got"),
        ("digit_cases: {often: nominative}", "digit_cases: a key: expected one of other, zero"),
        ("extends: [fr]", "extends: expected a text, got"),
        ("name: !!bool x", "cannot be read: it is not YAML"),
        ("name: !!timestamp x", "cannot be read: it is not YAML"),
        ("labels: " + "{a: " * 5000, "cannot be read: it is not YAML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidRequestError, match=problem):
        folder_of(tmp_path, {"es": text})


def test_a_set_of_cases_is_a_list(tmp_path: Path) -> None:
    own = folder_of(tmp_path, {"es": "cases: !!set {nominative}"})

    assert compose(DOGS, "es", languages=own) == "Veo dos perros."


def test_what_a_language_extends_must_exist(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidRequestError, match=r"language xx: extends: expected one of ar, .*, got 'yy'"
    ):
        folder_of(tmp_path, {"xx": "extends: yy"})


def test_a_kind_of_english_needs_the_articles(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"language en-AU: genders: expected a, an and"):
        folder_of(tmp_path, {"en-AU": "extends: es"})


@pytest.mark.parametrize("name", ["es_AR", "ES-ar", "es-x-school", "es-MX-x-a", "es-XX", "xx"])
def test_any_tag_may_extend_a_language(tmp_path: Path, name: str) -> None:
    labels = "labels: {dog: {one: chucho, other: chuchos}}"
    own = folder_of(tmp_path, {name: f"extends: es_ES.UTF-8\n{labels}"})

    assert name.replace("_", "-") in own.tags
    assert compose(DOGS, name, languages=own) == "Veo dos chuchos."


def test_a_variety_has_the_plurals_that_its_language_asks_for(tmp_path: Path) -> None:
    own = folder_of(tmp_path, {"xx": "extends: es\ncldr: ja", "xx-YY": "extends: xx"})

    assert own.get("xx-YY").cldr == "ja"


@pytest.mark.parametrize("name", ["es.orig", "es@home", "es-", "-es", "es MX", "{0}", "español"])
def test_a_file_is_named_by_a_tag(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"expected a file named by the tag"):
        folder_of(tmp_path, {name: "extends: es"})


def test_two_files_of_one_language_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"es_mx\.yaml: es-MX\.yaml is of the same"):
        folder_of(tmp_path, {"es-MX": "extends: es", "es_mx": "extends: es"})


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    own = folder_of(tmp_path, {"._es": "\ufffd", ".#es": "[", "": "x"})

    assert own.tags == load_languages().tags
    assert compose(DOGS, "es", languages=own) == "Veo dos perros."


@pytest.mark.parametrize("tag", ["a-" * 500_000, "es-" * 500_000, "_" * 1_000_000])
def test_a_tag_without_end_is_refused_at_once(tag: str) -> None:
    begin = time.thread_time()

    with pytest.raises(UnknownLanguageError) as refusal:
        load_languages().resolve(tag)

    assert time.thread_time() - begin < 1
    assert len(str(refusal.value)) <= 2000


@pytest.mark.parametrize("tag", ["..", "../es", "/etc/passwd", "es/../fr", "es\0", "\udcff"])
def test_a_tag_is_no_path(tag: str) -> None:
    with pytest.raises(UnknownLanguageError):
        load_languages().resolve(tag)


@pytest.mark.parametrize("piece", ["a-", "ab/", "ab ", "aing/", "person ", "a and ", "("])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_label_without_end_is_said_in_time(piece: str, language: str) -> None:
    label = piece * (600_000 // len(piece))
    begin = time.thread_time()

    for count in (1, 2):
        said = compose([ObjectFacts((ObjectCount(label, count),))], language)
        assert label.split("/", maxsplit=1)[0].strip()[:100] in said

    assert time.thread_time() - begin < 5
