from __future__ import annotations

import pytest

from i2t_ros.language import compose
from i2t_ros.language.spanish import fill
from i2t_ros.pipeline.tasks.text import TextFact, TextFacts


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("hilo", "aguja e hilo"),
        ("«IGLESIA»", "aguja e «IGLESIA»"),
        ("«Ícaro»", "aguja e «Ícaro»"),
        ("«¡Hijo!»", "aguja e «¡Hijo!»"),
        ("hielo", "aguja y hielo"),
        ("iones", "aguja y iones"),
        ("dos perros", "aguja y dos perros"),
        ("«YOGUR»", "aguja y «YOGUR»"),
        ("«»", "aguja y «»"),
        ("", "aguja y "),
    ],
)
def test_and_follows_the_sound_behind_it(word: str, expected: str) -> None:
    assert fill("{first} y {second}", {"first": "aguja", "second": word}) == expected


def test_what_is_filled_in_is_not_read_as_a_template() -> None:
    assert fill("{a} y {b}", {"a": "hay {b}", "b": "hilo"}) == "hay {b} e hilo"


@pytest.mark.parametrize("texts", [("SALIDA", "IZQUIERDA"), ("ENTRADA", "SALIDA", "INICIO")])
def test_texts_that_were_read(texts: tuple[str, ...]) -> None:
    found = TextFacts(tuple(TextFact(text) for text in texts))

    assert f" e «{texts[-1]}»." in compose([found], "es")
