"""Italian: un, uno, un’; participles of mixed genders; "ed"; foreign nouns without a plural."""

from __future__ import annotations

import pytest
from saying import said

from i2t_ros.language.inflection import fill_italian


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("car=1", "Vedo un’auto."),
        ("backpack=1", "Vedo uno zaino."),
        ("snowboard=1 toothbrush=1", "Vedo uno snowboard e uno spazzolino da denti."),
        ("orange=1 elephant=1", "Vedo un’arancia e un elefante."),
        ("zebra=1 sink=1", "Vedo una zebra e un lavandino."),
        ("dog=21", "Vedo ventuno cani."),
        ("dog=30", "Vedo 30 cani."),
        ("skis=1 scissors=2", "Vedo due paia di forbici e un paio di sci."),
        ("forklift=2", "Vedo due «forklift»."),
        ("skidsteer=1", "Vedo uno «skidsteer»."),
        ("cat=1 --unsure cat", "Credo di vedere un gatto."),
        ("person=2 dog=1 cat=3 --unsure cat",
         "Vedo due persone e un cane, e probabilmente anche tre gatti."),
        ("dog=1 --style list", "È stato rilevato il seguente oggetto: 1 cane."),
        ("person=2@left dog=1@left cat=1@right --style scene",
         "A sinistra vedo due persone e un cane; a destra, un gatto."),
        ("cat=1@left dog=2@right --unsure cat --unsure dog --style scene",
         "A destra credo di vedere due cani; a sinistra, probabilmente un gatto."),
        ("person=1 --style changes", "È apparsa nell’immagine una persona."),
        ("person=2 dog=1 --style changes", "Sono apparsi nell’immagine due persone e un cane."),
        ("person=-1 cow=-1 --style changes",
         "Sono scomparse dall’immagine una persona e una mucca."),
        ("skis=1 --style changes", "È apparso nell’immagine un paio di sci."),
        ("skis=2 --style changes", "Sono apparse nell’immagine due paia di sci."),
        ("skis=2 dog=1 --style changes",
         "Sono apparsi nell’immagine due paia di sci e un cane."),
        ("--faces 1", "Nell’immagine c’è un volto."),
        ("--text SPINGERE --text ENTRATA", "C’è scritto «SPINGERE» ed «ENTRATA»."),
        ("--text EXIT --more-texts 1", "C’è scritto «EXIT». C’è un’altra riga di testo."),
        ("--text EXIT --more-texts 2", "C’è scritto «EXIT». Ci sono altre due righe di testo."),
        ("--shows dog", "Ipotesi più probabile: cane."),
    ],
)  # fmt: skip
def test_what_a_reader_would_report(arguments: str, sentence: str) -> None:
    assert said(arguments, "it") == sentence


@pytest.mark.parametrize(
    ("number", "noun", "expected"),
    [
        ("un", "cane", "un cane"),
        ("un", "orso", "un orso"),
        ("un", "sandwich", "un sandwich"),
        ("un", "hot dog", "un hot dog"),
        ("un", "pane", "un pane"),
        ("un", "ippopotamo", "un ippopotamo"),
        ("un", "sci", "uno sci"),
        ("un", "yogurt", "uno yogurt"),
        ("un", "xilofono", "uno xilofono"),
        ("un", "gnomo", "uno gnomo"),
        ("un", "psicologo", "uno psicologo"),
        ("un", "pneumatico", "uno pneumatico"),
        ("un", "iato", "uno iato"),
        ("una", "ape", "un’ape"),
        ("una", "Elica", "un’Elica"),
        ("una", "isola", "un’isola"),
        ("una", "iena", "una iena"),
        ("una", "scala", "una scala"),
        ("due", "zaini", "due zaini"),
        ("un", "{number}", "un {number}"),
    ],
)
def test_the_article_fits_the_noun(number: str, noun: str, expected: str) -> None:
    assert fill_italian("{number} {noun}", {"number": number, "noun": noun}) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("«ENTRATA»", "aria ed «ENTRATA»"),
        ("«È»", "aria ed «È»"),
        ("«EDICOLA»", "aria e «EDICOLA»"),
        ("«ALTO»", "aria e «ALTO»"),
        ("due cani", "aria e due cani"),
        ("«»", "aria e «»"),
        ("{first}", "aria e {first}"),
    ],
)
def test_and_follows_the_sound_behind_it(word: str, expected: str) -> None:
    assert fill_italian("{first} e {second}", {"first": "aria", "second": word}) == expected
