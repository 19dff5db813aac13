"""Which counts a text speaks of, and what says nothing certain."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from i2t_ros.errors import BackendMissingError
from i2t_ros.language import LANGUAGES, ObjectCount, compose, counting_words, load_languages
from i2t_ros.language.counting import LONGEST_TEXT, answered_counts, check_counts, counts_in
from i2t_ros.language.facts import PLACES
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.resources import config_path, load_yaml
from i2t_ros.types import CountCheck

COCO = tuple(config_path("labels", "coco80.txt").read_text(encoding="utf-8").split("\n")[:80])
FEW = ("person", "dog", "cat", "car", "chair", "bus", "bed", "cup", "bicycle")
COUNTS = (1, 1, 1, 2, 2, 3, 4, 5, 7, 10, 11, 12, 21, 22, 25)


def counted(text: str, language: str = "en", classes: tuple[str, ...] = FEW) -> dict[str, int]:
    return counts_in(text, classes, load_languages().get(language))


def check(question: str, answer: str, detected: dict[str, int], language: str = "en"):
    return check_counts(question, answer, detected, FEW, load_languages().get(language))


@pytest.mark.parametrize("style", ["list", "sentence", "scene"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_package_says_it_understands(language: str, style: str) -> None:
    chance, away = random.Random(f"{language} {style}"), random.Random(f"away {language}")
    for _ in range(60):
        names = chance.sample((*COCO, "forklift"), chance.randint(1, 5))
        if style == "scene":
            names += names[: chance.randint(0, 1)]  # the same in two places
        # Not in "scene": there doubt makes a second sentence, which may be of the same things.
        score = 0.9 if style == "scene" else chance.choice((0.4, 0.9))
        places = chance.sample(PLACES, len(names)) if style == "scene" else [""] * len(names)
        facts = ObjectFacts(
            tuple(
                ObjectCount(
                    *(name, chance.choice(COUNTS), 0.9, score, place),
                    distance=away.choice((0, 0.5, 1, 2, 2.5, 7, 20, 100)) if place else 0,
                )
                for name, place in zip(names, places, strict=True)
            )
        )
        unit, spoken = away.choice(("meters", "feet")), chance.random() < 0.3
        said = compose([facts], language, style, hedge=True, spoken=spoken, distance_unit=unit)
        counts: Counter[str] = Counter()
        for fact in facts.found:
            counts[fact.key] += fact.count

        assert counted(said, language, (*COCO, "forklift")) == counts, said


@pytest.mark.parametrize(
    "text",
    [
        "Two of the three dogs are asleep.",
        "One of the two people has a hat.",
        "There are at least two people.",
        "There are about two people.",
        "There are two or three people.",
        "There are two to three people.",
        "There are 2-3 people.",
        "There are 2 – 3 people.",
        "There are between two and four people.",
        "There are two people or more.",
        "There are several people, many dogs and a few cats.",
        "A couple of dogs, a group of people and a pair of cats.",
        "There is a person, and another person behind.",
        "The two people are talking, and both dogs are asleep.",
        "It is the second person. A second person has come.",
        "The 2nd person left.",
        "This isn't a dog.",
        "Both people wear hats. One person smiles.",
        "People walk. A person smiles.",
        "It is not a dog, nor is it a cat.",
        "Each person has a dog.",
        "Every chair has a cup.",
        "It looks like a dog.",
        "It is two person-like shapes.",
        "A dog-friendly two-person tent.",
        "There is a bus stop, a car park, a dog house and a person's hat.",
        "It is 2 m away. Dogs bark.",
        "At 12:30 people were there. In 2019 people were there. 2.5 people on average.",
        "There are #2 people and $3 dogs.",
        "There are two men, a woman and three boys.",
        "A man walks in the park with dogs.",
        "Two vans carry dogs.",
        "The dogs sit on the chairs.",
        "Two. Dogs bark.",
        "There are no other people.",
        "There are no dogs on the left.",
        "There are no more than two dogs.",
        "If there were two dogs, I would say so.",
        "There are one large and two small dogs.",
        "two dog, a dogs",
        "",
        " \n ",
    ],
)
def test_in_doubt_nothing_is_said(text: str) -> None:
    assert counted(text) == {}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Hay al menos dos personas y dos o tres perros. Otro gato duerme."),
        ("es", "Dos de los tres perros duermen. No veo dos gatos. Hay varias sillas."),
        ("fr", "Il y a environ deux personnes, plusieurs chiens et deux ou trois chats."),
        ("fr", "Les deux chiens dorment. Ce n'est pas un chat. Un autre chien aboie."),
        ("de", "Es gibt mindestens zwei Personen, zwei bis drei Hunde und mehrere Katzen."),
        ("de", "Die beiden Hunde schlafen. Das ist nicht ein Hund. Ein weiterer Hund bellt."),
        ("pt", "Há pelo menos duas pessoas, dois ou três cachorros e vários gatos."),
        ("it", "Ci sono almeno due persone, due o tre cani e alcuni gatti. Un altro cane dorme."),
        ("nl", "Er zijn minstens twee personen, twee of drie honden en enkele katten."),
        ("nl", "De twee honden slapen. Nog een hond blaft. Het is niet een hond."),
        ("pl", "Są co najmniej dwie osoby, dwa lub trzy psy i kilka kotów. Drugi pies śpi."),
        ("ru", "Там не менее двух человек, две или три собаки и несколько кошек. Эти две собаки."),
        ("tr", "En az iki kişi, iki veya üç köpek ve birkaç kedi var. At arabası ve iki adam."),
        ("tr", "İki köpek yok. Bir köpek kulübesi var."),
        ("ar", "هناك حوالي ثلاثة أشخاص وبعض الكلاب. الشخصان يتحدثان."),
        ("hi", "कम से कम दो लोग हैं। कई कुत्ते हैं। दोनों लोग खड़े हैं।"),
        ("id", "Ada sekitar dua orang, beberapa anjing, dan dua atau tiga kucing."),
        ("id", "Kedua orang itu duduk. Dua orang pria berdiri."),
        ("zh", "至少有两个人。有两三只狗。有几只猫。两只猫头鹰。第二个人。"),
        ("zh", "有两到三个人。这两只狗在睡觉。每个人都有一只狗。两个男人。"),
        ("zh-Hant", "至少有兩個人。有兩三隻狗。約有三隻貓。不是一隻貓。"),
        ("tr", "Bir köpek kulübesi, bir at arabası ve bir kedi maması var."),
        ("hi", "एक बस स्टॉप और एक कार पार्किंग है।"),
        ("ru", "Человек пять стоят. Ни у кого нет собаки-поводыря."),
        ("zh", "十几辆车，二十多个人。三四个人。一辆马车，一个人行道。"),
        ("ja", "大型犬が1匹。犬と猫が1匹ずついます。人気のある二人乗りの車椅子1台。"),
        ("ar", "هناك العديد من الأشخاص وسيارتان على الأقل. باب سيارة."),
        ("zh-Hant", "一個人也沒有。沒有人戴帽子。"),
        ("de", "Ein großer und zwei kleine Hunde."),
        ("ja", "少なくとも二人います。2、3匹の犬がいます。数匹の猫。約3台の車。"),
        ("ja", "その二人は話しています。二人目の人です。犬が2匹以上います。二人の男性。"),
        ("ko", "적어도 두 명이 있습니다. 개 두세 마리. 고양이 두 마리 이상. 약 3명."),
        ("ko", "그 두 사람은 이야기합니다. 두 번째 사람. 사과 세 개. 두 명의 남자."),
    ],
)
def test_in_doubt_no_language_says_anything(language: str, text: str) -> None:
    assert counted(text, language) == {}


def test_a_compound_with_the_name_of_a_class_is_not_that_class() -> None:
    text = "Two hot dogs, three teddy bears and two wine glasses."

    assert counted(text, classes=("dog", "bear", "cup")) == {}
    assert counted(text, classes=("dog", "hot dog", "teddy bear")) == {
        "hot dog": 2,
        "teddy bear": 3,
    }


def test_a_class_keeps_the_detectors_own_label() -> None:
    text = "Two sofas, a TV and three forklifts are in 1 traffic_light."
    classes = ("sofa", "tvmonitor", "Forklift", "traffic_light")

    assert counted(text, classes=classes) == {
        "sofa": 2, "tvmonitor": 1, "Forklift": 3, "traffic_light": 1,
    }  # fmt: skip
    assert counted(text, classes=()) == {}


@pytest.mark.parametrize("language", ["en", "ru", "ja", "ko"])
def test_any_label_may_be_a_class(language: str) -> None:
    odd = (
        "",
        "class 7",
        "two",
        "no",
        "(",
        ".*",
        "a" * 5000,
        "人",
        "two people",
        "\n",
        "person (walking)",
    )
    spoken = load_languages().get(language)

    for text in (*odd, " ".join(odd)):
        assert set(counts_in(text, (*odd, "dog"), spoken)) <= {*odd, "dog"}


def test_labels_with_the_same_noun_are_one_class() -> None:
    english = load_languages().get("en")
    agreement, checks = check_counts(
        "", "Three couches.", {"couch": 1, "sofa": 2}, ("couch", "sofa"), english
    )

    assert agreement == "agrees"
    assert checks == (CountCheck("couch", "couch", 3, 3),)


@pytest.mark.parametrize(
    ("answer", "people"),
    [
        ("There are three people: two people are sitting and one person is standing.", {3}),
        ("There are three people. One person wears a hat.", {3, 4}),
        ("On the left there are two people; on the right, a person.", {2, 3}),
        ("There are three people: two men and one woman.", {3}),
        ("There are two people. The two people are talking.", {2}),
        ("A person is on the left. A person is on the right.", {1, 2}),
    ],
)
def test_an_answer_disagrees_only_if_no_reading_agrees(answer: str, people: set[int]) -> None:
    for count in range(6):
        agreement, checks = check("", answer, {"person": count})
        assert agreement == ("agrees" if count in people else "disagrees")
        assert [(each.class_id, each.detected) for each in checks] == [("person", count)]
        assert (checks[0].answered == count) == (count in people)


def test_what_an_answer_has_and_the_detector_has_not() -> None:
    agreement, checks = check("", "Hay dos personas y un perro.", {"person": 2, "bus": 1}, "es")

    assert agreement == "disagrees"
    assert checks == (CountCheck("person", "persona", 2, 2), CountCheck("dog", "perro", 1, 0))
    assert check("", "It is a sunny day.", {"person": 2}) == ("unchecked", ())
    assert check("", "No, there are no dogs.", {"person": 2})[0] == "agrees"
    assert check("", "No, there are no dogs.", {"dog": 2})[0] == "disagrees"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How old is the person?", "30"),
        ("How many people and dogs are there?", "Two."),
        ("How many horses are there?", "Two."),
        ("How many people are there?", "Two or three."),
        ("How many people are there?", "At least two."),
        ("How many people are there?", "Two men."),
        ("How many people are there?", "Two on the left, three on the right."),
        ("How many people are there?", "2 m"),
        ("How many people are there?", "2 meters"),
        ("How many meters away is the dog?", "Two."),
        ("How many people are there?", "12:30"),
        ("How many people are there?", "A crowd."),
        ("How many people are there?", "Not two."),
        ("How many people are there?", ""),
        ("", "Two."),
        ("Two?", "Two."),
    ],
)
def test_a_bare_number_that_is_no_count(question: str, answer: str) -> None:
    assert answered_counts(question, answer, FEW, load_languages().get("en")) == {}


def test_a_language_of_ones_own_is_understood_as_it_speaks(tmp_path: Path) -> None:
    (tmp_path / "en-AU.yaml").write_text(
        "extends: en\nlabels: {forklift: {one: forky, other: forkies}}\n", encoding="utf-8"
    )
    (tmp_path / "sv.yaml").write_text(
        "extends: en\nnumbers: {2: två, 3: tre}\nlabels: {dog: {one: hund, other: hundar}}\n",
        encoding="utf-8",
    )
    languages = load_languages(tmp_path)

    found = counts_in("Two forkies and a truck.", ("forklift", "truck"), languages.get("en-AU"))
    assert found == {"forklift": 2, "truck": 1}
    assert counts_in("Jag ser två hundar.", ("dog",), languages.get("sv")) == {"dog": 2}
    assert counts_in("Jag ser 2 hund.", ("dog",), languages.get("sv")) == {}


def test_without_words_for_all_numbers_there_are_those_of_the_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*args: object, **options: object) -> str:
        raise BackendMissingError("unicode_rbnf")

    monkeypatch.setattr(counting_words, "number_words", missing)
    (tmp_path / "en.yaml").write_text("name: English\n", encoding="utf-8")
    english = load_languages(tmp_path).get("en")

    text = "Ten people, 11 dogs, eleven cats."
    assert counts_in(text, FEW, english) == {"person": 10, "dog": 11}


def test_the_words_are_those_of_languages_and_classes_that_there_are() -> None:
    words = load_yaml(config_path("counting.yaml"))

    assert set(words) == {tag.partition("-")[0] for tag in LANGUAGES}
    for tag, each in words.items():
        nouns = load_languages().get(tag).nouns
        assert each["vague"]
        assert each["how_many"]
        assert each["known"]
        assert set(each.get("names", {})) | set(each.get("counted", {})) <= set(nouns), tag


HOSTILE = (
    *("two " * 5000, "two people, " * 2000, "no " * 5000 + "dog", "2" * 20_000, "2-" * 9000),
    *("not a " * 4000, "'" * 20_000, "\u0300" * 20_000, "2.2" * 7000, "\u2067" * 20_000),
    *("two or " * 3000, "一 二人の" * 3000, "개두" * 8000, "وو" * 8000, "of the " * 3000),
    *("large " * 4000 + "dogs", "\ud800 two people", "\x00two people\x00", "İ" * 9000),
    *("人" * 20_000, "ﷺ" * 10_000, "-" * 20_000, "😀" * 20_000, "이나" * 9000, "2人" * 9000),
)


@pytest.mark.parametrize("language", ["en", "ar", "ja", "ko", "tr", "zh"])
def test_no_text_is_too_much(language: str) -> None:
    spoken = load_languages().get(language)
    counts_in("", FEW, spoken)  # reads the data
    started = time.process_time()
    for text in HOSTILE:
        counts_in(text, FEW, spoken)
        answered_counts(text, text, FEW, spoken)

    assert time.process_time() - started < 20


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    text = "There are two people. " + "The sun is up. " * (LONGEST_TEXT // 10) + "A dog."

    assert len(text) > LONGEST_TEXT
    assert counted(text) == {"person": 2}
    assert counted("There are two people. " + "\n" * 10**6 + "A dog.") == {"person": 2}
    assert counted("x" * (LONGEST_TEXT - 6) + " a bus stop and a car") == {}


def test_an_answer_takes_a_few_milliseconds() -> None:
    for language in LANGUAGES:
        spoken = load_languages().get(language)
        facts = ObjectFacts(tuple(ObjectCount(name, 2) for name in COCO[:12]))
        answer = (compose([facts], language) * 3)[:300]
        counts_in(answer, COCO, spoken)
        started = time.process_time()
        for _ in range(20):
            counts_in(answer, COCO, spoken)
        assert (time.process_time() - started) / 20 < 0.02  # measured: below 0.002
