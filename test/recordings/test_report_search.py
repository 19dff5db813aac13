"""The search of a report reads words as language.counting does, in a real browser."""

from __future__ import annotations

import random

import pytest
from report_material import languages, stream_of, told_of, write_report
from report_page import ReportPage
from report_phrases import BARE, PHRASES

from i2t_ros.language import LANGUAGES, ObjectCount, compose
from i2t_ros.language.counting import counts_in
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
        assert page.asked(phrase, language) == counts, phrase


@pytest.mark.parametrize("language", BARE)
def test_names_without_a_number(page: ReportPage, language: str) -> None:
    for phrase, counts in BARE[language].items():
        assert page.asked(phrase, language) == counts, phrase


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
        assert page.asked(said, language) == counts, said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example_beside_the_search_is_understood(page: ReportPage, language: str) -> None:
    example = page.run(
        "return data.languages.find(({tag}) => tag === arguments[0]).example", language
    )
    assert list(page.asked(example, language).values()) == [2, 1], example


def test_hostile_texts_are_read_quickly(page: ReportPage) -> None:
    took = page.run("""
      const began = performance.now();
      for (const { search } of data.languages) {
        for (const text of ["1,", "a", "둘", "\\ufdfa"]) termsOf(text.repeat(9999), search);
      }
      return performance.now() - began;
    """)
    assert took < 3000  # milliseconds; some tens are usual
