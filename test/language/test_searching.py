"""Which objects words ask for, to search for them."""

import pytest

from i2t_ros.language import LANGUAGES, load_languages
from i2t_ros.language.searching import asked_for

CLASSES = ("person", "dog", "cat", "car", "chair", "hot dog", "bus")


def asked(tag, words):
    found = asked_for(words, CLASSES, load_languages().get(tag))
    return {} if found.unclear else dict(found.counts)


@pytest.mark.parametrize(
    ("tag", "words", "counts"),
    [
        ("en", "two people and a dog", {"person": 2, "dog": 1}),
        ("en", "dogs and cats", {"dog": 1, "cat": 1}),
        ("en", "hot dogs and a dog", {"hot dog": 1, "dog": 1}),
        ("en", "people: 2, dogs (3)", {"person": 2, "dog": 3}),
        ("en", "a dog and no people", {"dog": 1, "person": 0}),
        ("en", "no people, a dog", {"person": 0, "dog": 1}),
        ("es", "dos personas y un perro", {"person": 2, "dog": 1}),
        ("es", "ningún perro", {"dog": 0}),
        ("de", "Hund und zwei Personen", {"dog": 1, "person": 2}),
        ("fr", "chiens", {"dog": 1}),
        ("zh", "两个人和一只狗", {"person": 2, "dog": 1}),
        ("zh", "没有狗", {"dog": 0}),
        ("ja", "犬と猫", {"dog": 1, "cat": 1}),
        ("ja", "人が2人と犬が1匹", {"person": 2, "dog": 1}),
        ("ko", "개", {"dog": 1}),
        ("ko", "의자 두 개", {"chair": 2}),
        ("ru", "собака и два человека", {"dog": 1, "person": 2}),
        ("pl", "psy", {"dog": 1}),
        ("ar", "كلب وشخصان", {"dog": 1, "person": 2}),
        ("hi", "कुत्ता", {"dog": 1}),
        ("tr", "iki kişi ve bir köpek", {"person": 2, "dog": 1}),
        ("id", "dua orang dan seekor anjing", {"person": 2, "dog": 1}),
        ("id", "dua ekor anjing", {"dog": 2}),
        ("tr", "iki tane köpek", {"dog": 2}),
    ],
)
def test_classes_are_asked_for_with_and_without_numbers(tag, words, counts):
    assert asked(tag, words) == counts


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        ("two mice", {"mouse": 2}),
        ("a computer mouse", {"mouse": 1}),
        ("no remotes", {"remote": 0}),
        ("two sports balls and a tv", {"sports ball": 2, "tv": 1}),
        ("an aeroplane", {"airplane": 1}),
    ],
)
def test_the_names_of_classes_are_english_words_for_them(words, counts):
    classes = ("mouse", "remote", "sports ball", "tv", "aeroplane")
    found = asked_for(words, classes, load_languages().get("en"))
    assert (found.counts, found.unclear) == (counts, ())


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_bare_name_of_each_class_asks_for_one(tag):
    language = load_languages().get(tag)
    for name in CLASSES:
        assert asked(tag, language.noun(name).label) == {name: 1}, name


@pytest.mark.parametrize(
    ("words", "unclear"),
    [
        ("at least two people", ("at least",)),
        ("more than two people", ("more than",)),
        ("two dogs or more", ("or more",)),
        ("no people and a dog", ("dog",)),
        ("two people without a dog", ("without",)),
        ("each person has a dog", ("each",)),
        ("both dogs", ("both",)),
        ("two meters", ("meters",)),
        ("3", ("3",)),
        ("two unicorns", ("unicorns",)),
        ("a pink unicorn", ("pink", "unicorn")),
        ("two dogs two dogs!? or", ("or",)),
    ],
)
def test_words_that_say_something_else_are_named(words, unclear):
    assert asked_for(words, CLASSES, load_languages().get("en")).unclear == unclear


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("tr", "kırmızı araba"),
        ("hi", "लाल कार"),
        ("id", "mobil merah"),
        ("zh", "红色的汽车"),
        ("ja", "赤い車"),
        ("ko", "빨간 자동차"),
        ("de", "rotes Auto"),
    ],
)
def test_a_red_car_is_not_any_car(tag, words):
    assert asked_for(words, CLASSES, load_languages().get(tag)).unclear


def test_a_long_text_is_read_up_to_its_limit():
    english = load_languages().get("en")
    found = asked_for("a dog, " * 100_000, CLASSES, english)
    assert set(found.counts) == {"dog"}
