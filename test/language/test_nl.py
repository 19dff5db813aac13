"""Dutch: plurals with an apostrophe, "er" before indefinite subjects, "één" and "een"."""

from __future__ import annotations

import pytest
from saying import said

from i2t_ros.language.inflection import capital_dutch


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("person=1 bicycle=1", "Ik zie een persoon en een fiets."),
        ("car=2 umbrella=2 zebra=2", "Ik zie twee auto’s, twee paraplu’s en twee zebra’s."),
        ("giraffe=2 knife=2 vase=2", "Ik zie twee giraffen, twee messen en twee vazen."),
        ("bench=1 couch=1", "Ik zie een bankje en een zitbank."),
        ("dog=20", "Ik zie twintig honden."),
        ("dog=21", "Ik zie 21 honden."),
        ("skis=1", "Ik zie één paar ski’s."),  # "een paar ski’s" are a few
        ("skis=2", "Ik zie twee paar ski’s."),
        ("scissors=1", "Ik zie een schaar."),
        ("mouse=2", "Ik zie twee computermuizen."),
        ("forklift=2", "Ik zie twee ‘forklifts’."),
        ("person=0", "Ik zie niets wat ik herken."),
        ("cat=1 dog=1 --unsure cat --unsure dog", "Ik denk dat ik een kat en een hond zie."),
        ("person=2 cat=1 --unsure cat", "Ik zie twee personen, en waarschijnlijk ook een kat."),
        ("dog=1 --style list", "Het volgende object is gedetecteerd: 1 hond."),
        ("person=2 dog=1 --style list",
         "De volgende objecten zijn gedetecteerd: 2 personen en 1 hond."),
        ("person=2@left dog=1@right --style scene",
         "Links zie ik twee personen en rechts een hond."),
        ("person=2@left dog=1@left cat=3@right --style scene",
         "Rechts zie ik drie katten; links twee personen en een hond."),
        ("person=2@left cat=1@middle --unsure cat --style scene",
         "Links zie ik twee personen. In het midden zie ik waarschijnlijk ook een kat."),
        ("dog=1 --style changes", "Er is een hond in beeld gekomen."),
        ("person=1 dog=1 --style changes", "Er zijn een persoon en een hond in beeld gekomen."),
        ("dog=-1 --style changes", "Er is een hond uit beeld verdwenen."),
        ("--faces 2", "Er zijn twee gezichten te zien."),
        ("--text EXIT --more-texts 1", "Er staat ‘EXIT’. Er is nog één regel tekst."),
        ("--text EXIT --more-texts 2", "Er staat ‘EXIT’. Er zijn nog twee regels tekst."),
        ("--text A --text B --unsure B", "Er staat ‘A’ en misschien ook ‘B’."),
    ],
)  # fmt: skip
def test_what_a_reader_would_report(arguments: str, sentence: str) -> None:
    assert said(arguments, "nl") == sentence


@pytest.mark.parametrize(("text", "expected"), [("ijsje", "IJsje"), ("idee", "Idee"), ("", "")])
def test_ij_is_one_capital_letter(text: str, expected: str) -> None:
    assert capital_dutch(text) == expected
