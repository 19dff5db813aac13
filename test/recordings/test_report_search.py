"""The search of a report reads words as language.searching does, in a real browser."""

from __future__ import annotations

import random

import pytest
from report_material import languages, stream_of, told_of, write_report
from report_page import ReportPage
from report_phrases import BARE, PHRASES, REFUSED

from i2t_ros.language import LANGUAGES, ObjectCount, compose
from i2t_ros.language.counting import counts_in
from i2t_ros.language.counting_words import lexicon
from i2t_ros.language.searching import asked_for
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.resources import config_path

COCO = tuple(config_path("labels", "coco80.txt").read_text(encoding="utf-8").split("\n")[:80])
COUNTS = (1, 1, 2, 2, 3, 4, 5, 7, 10, 11, 12, 21, 22, 25)


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    """Return the page of a report in which every class of COCO is seen."""
    stream = stream_of()
    images = [
        told_of(stream, number, dict.fromkeys(COCO, 1), seconds=number) for number in range(3)
    ]
    return ReportPage(chromium, write_report(tmp_path_factory.mktemp("all"), [stream], images))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_people_type(page: ReportPage, language: str) -> None:
    for phrase, counts in PHRASES[language].items():
        assert counts_in(phrase, COCO, languages().get(language)) == counts, phrase
        unclear = asked_for(phrase, COCO, languages().get(language)).unclear
        assert page.asked(phrase, language) == (counts, unclear), phrase


@pytest.mark.parametrize("language", BARE)
def test_names_without_a_number(page: ReportPage, language: str) -> None:
    for phrase, counts in BARE[language].items():
        assert page.asked(phrase, language) == (counts, ()), phrase


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_says_something_else_is_refused(page: ReportPage, language: str) -> None:
    for phrase in REFUSED[language]:
        found = asked_for(phrase, COCO, languages().get(language))
        assert found.unclear, phrase
        assert page.asked(phrase, language) == (found.counts, found.unclear), phrase


@pytest.mark.parametrize("language", LANGUAGES)
def test_any_words_are_read_as_i2t_find_reads_them(page: ReportPage, language: str) -> None:
    own, chance = languages().get(language), random.Random(language)
    by_role: dict[str, list[str]] = {}
    for phrase, roles in sorted(lexicon(own, COCO).phrases().items()):
        for role in roles:
            by_role.setdefault(role, []).append(phrase)
    space = "" if language.startswith(("zh", "ja")) else " "
    for _ in range(150):
        roles = chance.choices((*by_role, *("noun", "number") * 8), k=chance.randint(1, 7))
        parts = [chance.choice((space,) * 9 + (", ", ": ", " x ", "-", ". ", "")) for _ in roles]
        words = [chance.choice((*by_role[role], "Red"[: chance.randint(1, 3)])) for role in roles]
        text = "".join(word + part for word, part in zip(words, parts, strict=True))
        found = asked_for(text, COCO, own)
        assert page.asked(text, language) == (found.counts, found.unclear), text


@pytest.mark.parametrize("style", ["list", "sentence"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_package_says(page: ReportPage, language: str, style: str) -> None:
    chance = random.Random(f"{language} {style}")
    for _ in range(40):
        names = chance.sample(COCO, chance.randint(1, 5))
        counts = {name: chance.choice(COUNTS) for name in names}
        facts = ObjectFacts(
            tuple(ObjectCount(name, count, 0.9, 0.9, "") for name, count in counts.items())
        )
        said = compose([facts], language, style)

        assert counts_in(said, COCO, languages().get(language)) == counts, said
        found = asked_for(said, COCO, languages().get(language))
        assert page.asked(said, language) == (found.counts, found.unclear), said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example_beside_the_search_is_understood(page: ReportPage, language: str) -> None:
    example = page.run(
        "return data.languages.find(({tag}) => tag === arguments[0]).example", language
    )
    counts, unclear = page.asked(example, language)
    assert (list(counts.values()), unclear) == ([2, 1], ()), example


def test_hostile_texts_are_read_quickly(page: ReportPage) -> None:
    took = page.run("""
      const began = performance.now();
      for (const { search } of data.languages) {
        for (const text of ["1,", "a", "둘", "\\ufdfa"]) askedFor(text.repeat(9999), search);
      }
      return performance.now() - began;
    """)
    assert took < 3000  # milliseconds; some tens are usual
