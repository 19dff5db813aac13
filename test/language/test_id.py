"""Indonesian: classifiers, "se-" for one, no plural after a number, the comma before "dan"."""

from __future__ import annotations

import pytest
from saying import said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("person=1", "Saya melihat satu orang."),
        ("person=2 dog=1", "Saya melihat dua orang dan seekor anjing."),
        ("dog=2", "Saya melihat dua ekor anjing."),
        ("car=1", "Saya melihat sebuah mobil."),
        ("car=3", "Saya melihat tiga buah mobil."),
        ("knife=1 tie=1", "Saya melihat sebilah pisau dan sehelai dasi."),
        ("skis=1", "Saya melihat sepasang ski."),
        ("skis=2", "Saya melihat dua pasang ski."),
        ("broccoli=1", "Saya melihat sepotong brokoli."),
        ("kite=2", "Saya melihat dua buah layang-layang."),
        ("dog=11", "Saya melihat sebelas ekor anjing."),
        ("dog=20", "Saya melihat dua puluh ekor anjing."),
        ("dog=21", "Saya melihat 21 ekor anjing."),
        ("person=1 cat=1 elephant=1",
         "Saya melihat satu orang, seekor kucing, dan seekor gajah."),
        ("forklift=1", "Saya melihat sebuah “forklift”."),
        ("forklift=2", "Saya melihat dua buah “forklift”."),
        ("'class 7=1'", "Saya melihat sebuah objek tak dikenal."),
        ("dog=1 --style list", "Objek berikut terdeteksi: 1 ekor anjing."),
        ("person=2 --style list", "Objek berikut terdeteksi: 2 orang."),
        ("cat=1 --unsure cat", "Sepertinya saya melihat seekor kucing."),
        ("person=2 cat=1 --unsure cat", "Saya melihat dua orang, dan mungkin juga seekor kucing."),
        ("person=2@left dog=1@right --style scene",
         "Di sebelah kiri ada dua orang; di sebelah kanan ada seekor anjing."),
        ("person=2@left cat=1@middle --unsure cat --style scene",
         "Di sebelah kiri ada dua orang. Di tengah mungkin juga ada seekor kucing."),
        ("person=101 --style changes", "Ada 101 orang yang baru saja muncul di gambar."),
        ("dog=-1 --style changes", "Ada seekor anjing yang baru saja menghilang dari gambar."),
        ("--faces 1", "Ada satu wajah di gambar."),
        ("--text EXIT --more-texts 2", "Ada tulisan “EXIT”. Masih ada dua baris teks lagi."),
    ],
)  # fmt: skip
def test_what_a_reader_would_report(arguments: str, sentence: str) -> None:
    assert said(arguments, "id") == sentence
