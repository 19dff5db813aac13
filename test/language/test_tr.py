"""Turkish: no plural after a number, İ and ı, foreign names without endings."""

from __future__ import annotations

import pytest
from saying import said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("person=1", "Bir kişi görüyorum."),
        ("person=2", "İki kişi görüyorum."),
        ("dog=10", "On köpek görüyorum."),
        ("dog=11", "11 köpek görüyorum."),
        ("person=1 cat=1 elephant=1", "Bir kişi, bir kedi ve bir fil görüyorum."),
        ("clock=2", "İki tane saat görüyorum."),  # not "for two hours"
        ("clock=2 --style list", "Şu nesneler algılandı: 2 adet saat."),
        ("skis=2", "İki çift kayak görüyorum."),
        ("mouse=1", "Bir bilgisayar faresi görüyorum."),
        ("forklift=2", "İki “forklift” görüyorum."),
        ("'class 7=1'", "Bilinmeyen bir nesne görüyorum."),
        ("'class 7=2' --style list", "Şu nesneler algılandı: 2 bilinmeyen nesne."),
        ("dog=1 --style list", "Şu nesne algılandı: 1 köpek."),
        ("cat=1 --unsure cat", "Sanırım bir kedi görüyorum."),
        ("person=2 cat=1 --unsure cat", "İki kişi görüyorum; ayrıca muhtemelen bir kedi var."),
        ("person=2@left dog=1@right --style scene", "Solda iki kişi, sağda bir köpek var."),
        ("person=2@left dog=1@left cat=3@right --style scene",
         "Sağda üç kedi; solda iki kişi ve bir köpek var."),
        ("cat=1@left dog=2@right --unsure cat --unsure dog --style scene",
         "Sağda muhtemelen iki köpek, solda muhtemelen bir kedi var."),
        ("person=2@left cat=1@middle --unsure cat --style scene",
         "Solda iki kişi var. Ayrıca ortada muhtemelen bir kedi var."),
        ("person=1 dog=-2 --style changes",
         "Görüntüde bir kişi belirdi. İki köpek görüntüden kayboldu."),
        ("--faces 2", "Görüntüde iki insan yüzü var."),  # "iki yüz" is 200
        ("--text EXIT --more-texts 2", "Metinde “EXIT” yazıyor. İki satır metin daha var."),
        ("--text EXIT --text PUSH --unsure PUSH",
         "Metinde “EXIT”, belki ayrıca “PUSH” yazıyor."),
        ("--shows 'golden retriever'", "En iyi tahminim: “golden retriever”."),
    ],
)  # fmt: skip
def test_what_a_reader_would_report(arguments: str, sentence: str) -> None:
    assert said(arguments, "tr") == sentence
