"""The names of ImageNet's classes that ship, and the labels that they are for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
import write_label_names
from project import ROOT
from write_label_names import EMOJI, HEADER, TAGS, WIDER, as_text, emoji_of

from i2t_ros.language import LANGUAGES, compose, label, load_languages
from i2t_ros.language.names import names_of
from i2t_ros.pipeline.tasks.classify import ClassFact, ClassFacts
from i2t_ros.resources import config_path

CLASSES = config_path("labels", "imagenet1000.txt").read_text("utf-8").splitlines()
FOLDER = ROOT / "config" / "label_names"
FILES = {path.stem for path in FOLDER.glob("*.txt")} - {"LICENSE"}
STRAWBERRY = {
    "ar": "فراولة",
    "de": "Erdbeere",
    "es": "fresa",
    "es-419": "fresa",
    "fr": "fraise",
    "hi": "स्ट्रॉबेरी",
    "id": "stroberi",
    "it": "fragola",
    "ja": "いちご",
    "ko": "딸기",
    "nl": "aardbei",
    "pl": "truskawka",
    "pt": "morango",
    "pt-PT": "morango",
    "ru": "клубника",
    "tr": "çilek",
    "zh": "草莓",
    "zh-Hant": "草莓",
}
"""What a strawberry is called in every language that has names."""


def shows(name: str, language: str) -> str:
    return compose([ClassFacts((ClassFact(name),))], language, "sentence")


def test_every_language_but_english_has_a_file_of_names() -> None:
    english = {tag for tag in LANGUAGES if tag.split("-")[0] == "en"}

    assert set(TAGS) == set(LANGUAGES) - english
    assert set(TAGS) == FILES
    assert "en" in english
    assert not any(names_of(tag) for tag in english)


@pytest.mark.parametrize("tag", TAGS)
def test_a_file_has_just_the_classes_that_the_list_of_emoji_gives_it(tag: str) -> None:
    assert list(names_of(tag)) == [name.casefold() for name in emoji_of(tag)]
    assert set(emoji_of(tag)) <= set(CLASSES)
    assert len(names_of(tag)) >= 100


@pytest.mark.parametrize("tag", TAGS)
def test_a_file_names_its_source_and_license(tag: str) -> None:
    text = (FOLDER / f"{tag}.txt").read_text("utf-8")
    version = re.search(r"CLDR ([\d.]+),", text)

    assert version
    assert text.startswith(HEADER.format(tag=tag, version=version[1]))
    assert "SPDX-License-Identifier: Unicode-3.0" in (FOLDER / "LICENSE.txt").read_text("utf-8")


@pytest.mark.parametrize("tag", TAGS)
def test_no_name_is_that_of_another_class_or_of_a_part_of_an_emoji(tag: str) -> None:
    names = [name.casefold() for name in names_of(tag).values()]
    others = {noun.label.casefold() for noun in load_languages().get(tag).nouns.values()}

    assert len(set(names)) == len(names)
    assert not set(names) & others
    assert all(name.strip() == name and name.isprintable() and name for name in names)
    face = (
        "cara de|rostro|rosto|tête de|visage|gesicht|symbol|simbolo|顔|脸|臉|樣|얼굴"
        "|głowa|морда|وجه|चेहरा|wajah"
    )
    assert not [name for name in names if re.search(face, name)]
    assert not [name for name in names if re.search("[,;()]", name)]


@pytest.mark.parametrize("tag", TAGS)
def test_no_name_is_for_a_class_that_the_language_can_count(tag: str) -> None:
    language = load_languages().get(tag)
    assert not [name for name in emoji_of(tag) if language.noun(name).key in language.nouns]


def test_the_unfit_languages_of_an_emoji_are_languages() -> None:
    lines = [line for line in EMOJI.read_text("utf-8").splitlines() if not line.startswith("#")]
    unfit = [tags.split() for _, _, *more in (line.split("; ") for line in lines) for tags in more]

    assert all(set(tags) < FILES and tags == sorted(tags) for tags in unfit)
    assert {tag for tags in unfit for tag in tags} == FILES


@pytest.mark.parametrize("tag", TAGS)
def test_the_sentence_about_the_picture_has_the_name(tag: str) -> None:
    name = STRAWBERRY[tag]

    assert label("strawberry", tag) == name
    assert name.casefold() in shows("strawberry", tag).casefold()
    assert "Egyptian cat".casefold() in shows("Egyptian cat", tag).casefold()  # CLDR has no such


@pytest.mark.parametrize("tag", STRAWBERRY)
def test_names_are_those_of_the_language(tag: str) -> None:
    assert names_of(tag)["strawberry"] == STRAWBERRY[tag]


def test_it_does_not_matter_how_a_label_is_written() -> None:
    assert label("Ice_Bear", "de") == label("ice bear", "de") == "Eisbär"


def test_a_name_stands_without_quotation_marks_and_a_foreign_label_within() -> None:
    assert shows("jellyfish", "es") == "Clasificación más probable: medusa."
    assert shows("Egyptian cat", "es") == "Clasificación más probable: «Egyptian cat»."


@pytest.mark.parametrize("tag", TAGS)
def test_the_docs_say_how_many_classes_have_a_name(tag: str) -> None:
    language = load_languages().get(tag)
    counted = sum(language.noun(label).key in language.nouns for label in CLASSES)
    named = sum(label.casefold() in names_of(tag) for label in CLASSES)

    row = f"| `{tag}` | {counted} | {named} | {counted + named} |"
    assert row in (ROOT / "docs" / "languages.md").read_text("utf-8")


def test_docs_and_changelog_give_the_range_of_the_table() -> None:
    docs = (ROOT / "docs" / "languages.md").read_text("utf-8")
    totals = [
        int(total) for total in re.findall(r"^\| `\S+` \| \d+ \| \d+ \| (\d+) \|$", docs, re.M)
    ]
    span = f"{min(totals)} to {max(totals)} of "

    assert len(totals) == len(FILES)
    assert span in docs
    assert span in (ROOT / "CHANGELOG.rst").read_text("utf-8")


@pytest.mark.parametrize("tag", ["en", "en-GB"])
def test_english_says_the_label_of_the_model(tag: str) -> None:
    assert "ice bear" in shows("ice bear", tag)


def test_a_named_class_is_still_counted_with_its_english_word() -> None:
    """Spanish would need its gender and plural, which the file of names lacks."""
    noun = load_languages().get("es").noun("ice bear")

    assert noun.label == "oso polar"
    assert noun.forms == {"other": "«ice bears»", "one": "«ice bear»"}


@pytest.mark.parametrize(
    ("tag", "of"),
    [
        ("PT", "pt"),
        ("pt-BR", "pt"),
        ("pt_pt", "pt-PT"),
        ("pt-AO", "pt-PT"),
        ("es-ES", "es"),
        ("es-MX", "es-419"),
        ("es_AR.UTF-8", "es-419"),
        ("zh-CN", "zh"),
        ("zh-TW", "zh-Hant"),
        ("zh-hk", "zh-Hant"),
        ("zh-Hant-x", "zh-Hant"),
    ],
)
def test_a_variety_has_the_names_of_the_language_that_serves_it(tag: str, of: str) -> None:
    assert names_of(tag) == names_of(of)
    assert load_languages().resolve(tag) == of
    assert of in FILES


def test_a_variety_has_names_of_its_own() -> None:
    assert names_of("es")["sunglasses"] == "gafas de sol"
    assert names_of("es-419")["sunglasses"] == "lentes de sol"
    assert names_of("pt")["pineapple"] == "abacaxi"
    assert names_of("pt-PT")["pineapple"] == "ananás"
    assert names_of("zh")["koala"] == "考拉"
    assert names_of("zh-Hant")["koala"] == "無尾熊"


def test_no_simplified_character_is_among_traditional_ones() -> None:
    """Big5 lacks the characters that were simplified, GB 2312 those that they stand for."""
    assert "".join(names_of("zh-Hant").values()).encode("big5")
    assert "".join(names_of("zh").values()).encode("gb2312")
    assert "llama" not in names_of("zh-Hant")  # nothing is taken from a wider language
    with pytest.raises(UnicodeEncodeError):
        "".join(names_of("zh").values()).encode("big5")


def test_ones_own_variety_has_the_names_of_what_is_next_to_it(tmp_path: Path) -> None:
    (tmp_path / "zh-TW.yaml").write_text("extends: zh-Hant", "utf-8")
    assert label("goose", "zh-TW", load_languages(tmp_path)) == "鵝"


@pytest.mark.parametrize("tag", ["sv", "", "license", "LICENSE"])
def test_another_language_has_no_names(tag: str) -> None:
    assert not names_of(tag)


def test_labels_of_ones_own_come_first(tmp_path: Path) -> None:
    (tmp_path / "fr.yaml").write_text("labels: {ice bear: {other: ours blanc, gender: m}}", "utf-8")
    assert label("ice bear", "fr", load_languages(tmp_path)) == "ours blanc"


def test_who_classifies_nothing_reads_no_names() -> None:
    program = """
from i2t_ros.language import load_languages, names
language = load_languages().get("ja")
language.noun("dog")
assert names.names_of.cache_info().misses == 0, "read"
language.noun("tiger")
language.noun("lipstick")
assert names.names_of.cache_info()[:2] == (1, 1), "not read once"
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("cellular telephone", "teléfono móvil"),
        ("computer keyboard", "teclado"),
        ("hand blower", "secador de pelo"),
        ("hotdog", "perrito caliente"),
        ("ski", "esquís"),
        ("teddy", "oso de peluche"),
    ],
)
def test_imagenets_words_for_classes_of_coco_are_known(alias: str, name: str) -> None:
    assert alias in CLASSES
    assert label(alias, "es") == name


def annotations(**change: str) -> dict[str, dict[str, list[str]]]:
    found = {emoji: {"tts": [f"name of {name}"]} for name, emoji in emoji_of("fr").items()}
    return found | {emoji_of("fr")[name]: {"tts": [text]} for name, text in change.items()}


def test_the_tool_refuses_one_name_for_two_classes() -> None:
    with pytest.raises(ValueError, match="fr: names of several classes: chat, chat"):
        as_text("fr", "1.0", annotations(tiger="chat", leopard="chat"))


def test_the_tool_leaves_out_keywords_after_a_comma() -> None:
    text = as_text("fr", "1.0", annotations(mosque="mosquée, islam"))
    assert "\nmosque\tmosquée\n" in text


def test_the_tool_writes_what_the_engine_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = {"package.json": {"version": "1.0"}}
    for tag in TAGS:
        named = {emoji: {"tts": [f"{tag} {name}"]} for name, emoji in emoji_of("").items()}
        if tag in WIDER:  # as in CLDR: what is like the wider language is not said again
            changed = emoji_of(tag)["tiger"]
            named = {emoji: {"default": ["x"]} for emoji in named} | {changed: named[changed]}
        members[f"annotations/{tag}/annotations.json"] = {"annotations": {"annotations": named}}
    archive = tmp_path / "cldr.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in {**members, "LICENSE": "the license"}.items():
            data = json.dumps(content).encode()
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(data)
            tar.addfile(info, BytesIO(data))
    monkeypatch.setattr(write_label_names, "NAMES", tmp_path / "label_names")

    write_label_names.main(str(archive))

    assert {path.name for path in (tmp_path / "label_names").iterdir()} == {
        "LICENSE.txt",
        *(f"{tag}.txt" for tag in TAGS),
    }
    german = (tmp_path / "label_names" / "de.txt").read_text("utf-8")
    assert german.startswith(HEADER.format(tag="de", version="1.0"))
    assert "\nice bear\tde ice bear\n" in german
    american = (tmp_path / "label_names" / "es-419.txt").read_text("utf-8")
    assert "\ntiger\tes-419 tiger\n" in american
    assert "\nice bear\tes ice bear\n" in american
