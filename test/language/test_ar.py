"""Arabic: dual, numerals, cases, verbs before their subjects, isolated foreign words."""

from __future__ import annotations

import pytest
from saying import said

FORKLIFT = "«\u2068forklift\u2069»"
EXIT = "«\u2068EXIT\u2069»"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("dog=1", "أرى كلبًا."),
        ("cat=1", "أرى قطة."),
        ("bowl=1", "أرى وعاءً."),
        ("person=2", "أرى شخصين."),
        ("backpack=2", "أرى حقيبتي ظهر."),
        ("person=3", "أرى ثلاثة أشخاص."),
        ("car=3", "أرى ثلاث سيارات."),
        ("car=8", "أرى ثماني سيارات."),
        ("car=10", "أرى عشر سيارات."),
        ("person=11", "أرى 11 شخصًا."),
        ("person=101", "أرى 101 شخص."),
        ("person=103", "أرى 103 أشخاص."),
        ("person=11@left --style scene", "على اليسار 11 شخصًا."),
        ("person=2@left dog=1@right --style scene", "على اليسار شخصان، وعلى اليمين كلب."),
        ("person=2@left cat=1@middle --unsure cat --style scene",
         "على اليسار شخصان. وفي الوسط أيضًا على الأرجح قطة."),
        ("person=2 dog=1 cat=3", "أرى ثلاث قطط وشخصين وكلبًا."),
        ("person=1 cat=1 elephant=1 --unsure cat --unsure elephant",
         "أرى شخصًا، وعلى الأرجح قطة وفيلًا أيضًا."),
        ("dog=2 cat=1 car=21 --style list", "رُصد ما يلي: 21 سيارة وكلبان وقطة."),
        ("cat=1 dog=-2 --style changes", "ظهرت في المشهد قطة. واختفى من المشهد كلبان."),
        ("'class 7=2'", "أرى شيئين مجهولين."),
        ("forklift=1", f"أرى عنصرًا من نوع {FORKLIFT}."),
        ("forklift=3 person=1 --style scene", f"في الوسط ثلاثة عناصر من نوع {FORKLIFT} وشخص."),
        ("--faces 2", "يوجد في الصورة وجهان."),
        ("--text EXIT --more-texts 1", f"مكتوب في الصورة: {EXIT}. وهناك سطر آخر من النص."),
        ("--text EXIT --more-texts 2", f"مكتوب في الصورة: {EXIT}. وهناك سطران آخران من النص."),
        ("--text EXIT --more-texts 3",
         f"مكتوب في الصورة: {EXIT}. وهناك ثلاثة أسطر أخرى من النص."),
        ("--text EXIT --more-texts 12", f"مكتوب في الصورة: {EXIT}. وهناك 12 سطرًا آخر من النص."),
        ("--shows forklift", f"التخمين الأرجح: {FORKLIFT}."),
    ],
)  # fmt: skip
def test_what_a_reader_would_report(arguments: str, sentence: str) -> None:
    assert said(arguments, "ar") == sentence


def test_a_label_cannot_end_its_own_isolate() -> None:
    assert said("--shows 'A\u2069B'", "ar") == "التخمين الأرجح: «\u2068A B\u2069»."
