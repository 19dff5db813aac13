"""Colors of things in sentences: agreement, people, parts, and what a data file may say."""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from project import ROOT

from i2t_ros.errors import InvalidRequestError
from i2t_ros.language import LANGUAGES, Languages, ObjectCount, compose, load_languages
from i2t_ros.language.changes import ChangeTracker
from i2t_ros.language.counting import counts_in
from i2t_ros.language.sentences import compose_changes
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.types import COLORS


def objects(text: str, score: float = 0.9) -> ObjectFacts:
    """Return the facts of "3 car red red blue, 1 dog@left"."""
    found = []
    for item in text.split(", "):
        count, name, *colors = item.split(" ")
        name, _, place = name.partition("@")
        each = tuple((color, colors.count(color)) for color in dict.fromkeys(colors))
        counted = (name.replace("_", " "), int(count), score, score, place, 0.0, each)
        found.append(ObjectCount(*counted))
    return ObjectFacts(tuple(found))


def say(text: str, language: str = "en", style: str = "sentence", **how: Any) -> str:
    return compose([objects(text, how.pop("score", 0.9))], language, style, **how)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 car red", "a red car"),
        ("1 car orange", "an orange car"),
        ("1 umbrella red", "a red umbrella"),
        ("1 umbrella", "an umbrella"),
        ("2 car red red", "two red cars"),
        ("2 car red", "two cars, one red"),
        ("3 car red red blue", "three cars, two red and one blue"),
        ("3 car red red blue, 1 dog black", "three cars (two red and one blue) and a black dog"),
        ("1 person yellow", "a person in yellow"),
        ("2 person yellow", "two people, one in yellow"),
        ("2 person black black", "two people in black"),
        ("1 man gray, 1 woman pink", "a man in gray and a woman in pink"),
        ("1 skis red", "a red pair of skis"),
        ("1 jeans blue", "blue jeans"),
        ("1 forklift orange", "an orange forklift"),
        ("1 SUV black, 1 hour_glass red", "a black SUV and a red hour glass"),
        ("1 orange orange", "an orange"),
        ("3 orange orange orange green", "three oranges, one green"),
        ("1 person red, 1 person", "two people, one in red"),
        ("1 sofa red, 1 couch red", "two red sofas"),
        ("4 car red blue white black", "four cars, one black, one blue, and one red"),
        ("21 car" + 12 * " red" + 9 * " blue", "21 cars, 12 red and nine blue"),
    ],
)
def test_english(text: str, expected: str) -> None:
    assert say(text).replace("couches", "sofas") == f"I can see {expected}."


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en-GB", "1 car gray", "I can see a grey car."),
        ("ru", "1 bench red", "Я вижу красную скамейку."),
        ("ru", "1 bus blue", "Я вижу синий автобус."),
        ("ru", "2 bench red red", "Я вижу две красные скамейки."),
        ("ru", "2 bus red red", "Я вижу два красных автобуса."),
        ("ru", "2 dog black black", "Я вижу двух чёрных собак."),
        ("ru", "1 bear brown, 1 apple green", "Я вижу коричневого медведя и зелёное яблоко."),
        ("ru", "5 book red red red red red", "Я вижу пять красных книг."),
        ("ru", "22 dog" + 22 * " white", "Я вижу 22 белые собаки."),
        ("ru", "3 bench red red blue", "Я вижу три скамейки, из них две красные и одну синюю."),
        ("ru", "2 person yellow", "Я вижу двух человек, из них одного в жёлтом."),
        ("ru", "2 scissors red red", "Я вижу две пары ножниц красного цвета."),
        ("ru", "2 clock red white", "Я вижу двое часов."),
        ("pl", "1 dog black", "Widzę czarnego psa."),
        ("pl", "1 bus blue, 1 book red", "Widzę niebieski autobus i czerwoną książkę."),
        ("pl", "3 cat black black white", "Widzę trzy koty, w tym dwa czarne i jednego białego."),
        ("pl", "5 chair green green green green green", "Widzę pięć zielonych krzeseł."),
        ("pl", "5 car red blue", "Widzę pięć samochodów, w tym jeden niebieski i jeden czerwony."),
        ("pl", "2 person yellow", "Widzę dwie osoby, w tym jedną w żółtym ubraniu."),
        ("pl", "2 person black black", "Widzę dwie osoby w czarnych ubraniach."),
        ("pl", "1 scissors red", "Widzę nożyczki w kolorze czerwonym."),
        ("de", "1 car red, 1 bus red", "Ich sehe ein rotes Auto und einen roten Bus."),
        ("de", "2 car red red", "Ich sehe zwei rote Autos."),
        ("de", "2 chair red", "Ich sehe zwei Stühle, davon einen roten."),
        (
            "de",
            "1 traffic_light green, 1 bus pink",
            "Ich sehe eine grüne Ampel und einen rosafarbenen Bus.",
        ),
        ("de", "2 car pink", "Ich sehe zwei Autos, davon ein rosafarbenes."),
        ("de", "1 skis red", "Ich sehe ein Paar Ski in Rot."),
        ("de", "2 skis blue blue", "Ich sehe zwei Paar Ski in Blau."),
        ("de", "2 person yellow", "Ich sehe zwei Personen, davon eine in Gelb."),
        ("de", "1 forklift red", "Ich sehe 1 × „Forklift“."),
        ("ar", "1 car red", "أرى سيارة حمراء."),
        ("ar", "1 dog gray", "أرى كلبًا رماديًا."),
        ("ar", "2 cat black black", "أرى قطتين سوداوين."),
        ("ar", "3 book green green green", "أرى ثلاثة كتب خضراء."),
        ("ar", "12 dog" + 12 * " brown", "أرى 12 كلبًا بنيًا."),
        ("ar", "2 person yellow", "أرى شخصين، واحدًا بملابس صفراء."),
        ("hi", "1 car black, 1 dog black", "मुझे एक काली कार और एक काला कुत्ता दिख रहे हैं।"),
        ("hi", "2 dog yellow yellow", "मुझे दो पीले कुत्ते दिख रहे हैं।"),
        ("ar", "5 car red red red blue blue", "أرى خمس سيارات، ثلاثًا حمراء واثنتين زرقاوين."),
        ("hi", "2 skis red red", "मुझे दो जोड़ी लाल स्की दिख रही हैं।"),
        ("hi", "1 person yellow", "मुझे पीले कपड़े पहने एक व्यक्ति दिख रहा है।"),
        ("it", "1 car red, 1 backpack red", "Vedo un’auto rossa e uno zaino rosso."),
        ("it", "2 cat white black", "Vedo due gatti, uno nero e uno bianco."),
        ("it", "2 car brown brown, 2 chair pink pink", "Vedo due auto marrone e due sedie rosa."),
        (
            "it",
            "1 scissors red, 1 skis red",
            "Vedo un paio di forbici rosse e un paio di sci rossi.",
        ),
        ("es", "1 car red, 2 chair red red", "Veo dos sillas rojas y un coche rojo."),
        ("es", "3 car red red blue", "Veo tres coches, dos rojos y uno azul."),
        ("es", "1 scissors red, 1 bird white", "Veo unas tijeras rojas y un ave blanca."),
        ("es", "2 bench orange orange", "Veo dos bancos naranja."),
        ("fr", "1 car white, 2 bus brown brown", "Je vois deux bus marron et une voiture blanche."),
        ("fr", "2 person yellow", "Je vois deux personnes, dont une en jaune."),
        ("fr", "1 scissors green", "Je vois une paire de ciseaux verts."),
        # "Dont" introduces a part only.
        ("fr", "3 car red red", "Je vois trois voitures, dont deux rouges."),
        ("fr", "3 car red red blue", "Je vois trois voitures, deux rouges et une bleue."),
        (
            "fr",
            "3 cat black black white, 1 dog",
            "Je vois trois chats (deux noirs et un blanc) et un chien.",
        ),
        (
            "fr",
            "3 person yellow blue white",
            "Je vois trois personnes, une en bleu, une en blanc et une en jaune.",
        ),
        (
            "fr",
            "4 chair red blue white black",
            "Je vois quatre chaises, dont une noire, une bleue et une rouge.",
        ),
        # Not red wine.
        ("fr", "1 wine_glass red", "Je vois un verre à pied rouge."),
        ("it", "1 wine_glass red", "Vedo un calice rosso."),
        ("pt-PT", "2 wine_glass white white", "Vejo dois copos de pé brancos."),
        ("id", "1 wine_glass red", "Saya melihat sebuah gelas anggur berwarna merah."),
        (
            "pt",
            "2 car blue blue, 1 chair black",
            "Estou vendo dois carros azuis e uma cadeira preta.",
        ),
        ("pt-PT", "2 car gray gray", "Vejo dois carros cinzentos."),
        ("nl", "1 car red, 1 book red", "Ik zie een rode auto en een rood boek."),
        ("nl", "2 book red red", "Ik zie twee rode boeken."),
        ("nl", "2 person yellow", "Ik zie twee personen, één in het geel."),
        ("nl", "1 skis red", "Ik zie één paar ski’s in de kleur rood."),
        ("nl", "2 skis pink pink", "Ik zie twee paar ski’s in de kleur roze."),
        ("tr", "1 car red, 2 dog black black", "İki siyah köpek ve kırmızı bir araba görüyorum."),
        ("tr", "3 car red red blue", "Üç araba (ikisi kırmızı, biri mavi) görüyorum."),
        ("tr", "1 skis red", "Kırmızı bir çift kayak görüyorum."),
        ("tr", "2 skis red red", "İki çift kırmızı kayak görüyorum."),
        ("tr", "2 unknown red red", "İki bilinmeyen kırmızı nesne görüyorum."),
        ("tr", "1 person yellow", "Sarı giysili bir kişi görüyorum."),
        (
            "id",
            "1 car red, 1 dog black",
            "Saya melihat sebuah mobil berwarna merah dan seekor anjing berwarna hitam.",
        ),
        ("ja", "1 car red, 1 car green", "車が二台（緑が一台、赤が一台）見えます。"),
        ("ja", "1 person yellow", "黄色い服を着た人が一人見えます。"),
        ("ja", "2 person yellow", "人が二人（一人は黄色い服）見えます。"),
        ("ja", "1 forklift red", "赤い「forklift」が一つ見えます。"),
        ("ko", "2 person yellow", "사람 두 명(노란색 옷을 입은 한 명)이 보입니다."),
        ("ko", "3 car red red blue", "자동차 세 대(빨간색 두 대와 파란색 한 대)가 보입니다."),
        ("zh", "1 car red", "我看到一辆红色的汽车。"),
        ("zh", "3 cat black black white", "我看到三只猫，其中两只为黑色，一只为白色。"),
        ("zh", "2 person yellow", "我看到两个人，其中一个穿黄色衣服。"),
        ("zh-Hant", "2 bus yellow", "我看到兩輛公車，其中一輛是黃色的。"),
        ("zh-Hant", "1 dog brown", "我看到一隻咖啡色的狗。"),
        ("zh", "1 forklift red", "我看到一个红色的“forklift”。"),
    ],
)
def test_other_languages(language: str, text: str, expected: str) -> None:
    assert say(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "2 person@left yellow", "On the left there are two people, one in yellow."),
        ("en", "2 person@left yellow, 1 car@right red",
         "On the left there are two people (one in yellow); on the right, a red car."),
        ("ru", "2 dog@left black black", "Слева — две чёрные собаки."),
        ("de", "1 bus@left red, 1 dog@right black",
         "Links ist ein roter Bus und rechts ist ein schwarzer Hund."),
        ("ar", "2 dog@left black black", "على اليسار كلبان أسودان."),
        ("ja", "1 car@left red, 1 dog@left black", "左に赤い車が一台、黒い犬が一匹見えます。"),
    ],
)  # fmt: skip
def test_places(language: str, text: str, expected: str) -> None:
    assert say(text, language, "scene") == expected


def test_a_voice_pauses_longer_between_places_than_before_colors() -> None:
    said = say("2 person@left yellow, 1 car@right red", "ru", "scene", spoken=True)
    assert said == "Слева два человека, из них один в жёлтом; справа красный автомобиль."


def test_what_is_uncertain_has_colors_too() -> None:
    assert say("1 cat black", score=0.3, hedge=True) == "I think I can see a black cat."
    in_doubt = say("2 person yellow", "de", score=0.3, hedge=True)
    assert in_doubt == "Ich glaube, zwei Personen (davon eine in Gelb) zu sehen."


@pytest.mark.parametrize("language", LANGUAGES)
def test_programs_read_lists_without_colors(language: str) -> None:
    assert say("3 car red red blue", language, "list") == say("3 car", language, "list")


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "21 car red", "I can see twenty-one cars, one red."),
        ("ko", "3 car red red blue",
         "빨간색 두 대와 파란색 한 대를 포함해 자동차 세 대가 보입니다."),
        ("ja", "2 bus yellow", "バスが二台、うち黄色が一台、見えます。"),
        ("ar", "102 car" + 102 * " red", "أرى مئة سيارة حمراء وسيارتين حمراوين."),
        ("tr", "21 car" + 12 * " red",
         "On iki tanesi kırmızı olmak üzere yirmi bir araba görüyorum."),
    ],
)  # fmt: skip
def test_a_voice_says_colors(language: str, text: str, expected: str) -> None:
    assert say(text, language, spoken=True) == expected


CLASSES = ("person", "car", "bus", "dog", "apple", "scissors", "skis", "clock", "potted plant",
           "knife", "unknown", "forklift")  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_every_color_of_everything(language: str) -> None:
    words = load_languages().get(language)
    assert words.colors.of(words.noun("car"), (("red", 1),), 1)
    for name, count, style in product(CLASSES, (1, 2, 5, 21), ("sentence", "scene")):
        plain = say(f"{count} {name.replace(' ', '_')}", language, style)
        said = set()
        for color in COLORS:
            one = say(f"{count} {name.replace(' ', '_')}" + count * f" {color}", language, style)
            assert not {"{", "}", "이(가)"} & {*one, one[-9:-6]}, one
            assert "  " not in one
            said.add(one)
        # A foreign noun has no gender that an adjective could agree with.
        alone = name == "forklift" and "one" in data_of(language).get("agreement", {})
        assert said == {plain} if alone else plain not in said and len(said) == len(COLORS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_counts_of_colored_things_are_read_as_they_were_said(language: str) -> None:
    words = load_languages().get(language)
    for text in ("2 car red red", "5 dog black black black black black"):
        count, name = text.split(" ")[:2]
        assert counts_in(say(text, language), ("car", "dog"), words) in ({name: int(count)}, {})


@cache
def data_of(language: str) -> Any:
    wider = language.partition("-")[0]
    path = ROOT / "config" / "languages" / f"{wider}.yaml"
    return yaml.safe_load(path.read_text("utf-8"))["colors"]


def test_what_came_has_the_color_of_all_of_its_kind() -> None:
    tracker = ChangeTracker(hold=0)

    def changes(text: str, time: float) -> str:
        return compose_changes(tracker.update([objects(text)], time))

    assert (
        changes("3 car red red blue", 0) == "Three cars (two red and one blue) have come into view."
    )
    assert changes("4 car red red blue blue", 1) == "A car has come into view."
    assert changes("5 car red red red red red", 2) == "A red car has come into view."
    assert changes("3 car red red red", 3) == "Two cars have gone out of view."


def languages_of(folder: Path, text: str, name: str = "es") -> Languages:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_languages(folder)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("colors: red", "colors: expected a mapping, got 'red'"),
        ("colors: {teal: x}", "colors: unknown field teal; known: agreement, all_"),
        ("colors: {red: {x: rojo}}", "colors.red: expected a text, or the forms f, fp, m, mp, got"),
        ("colors: {genders: m}", "colors.genders: expected"),
        ("colors: {agreement: {two: {m: m}}}", "colors: agreement.two: missing f, mp, fp"),
        ('colors: {noun: "{noun}"}', "colors.noun.words: expected a text with the fields {color}"),
        ('colors: {part: "{color} {number} {noun}"}', "colors.part.words: expected a text with"),
        ('colors: {parts: "{things}"}', "colors.parts: expected a text with the fields {parts}"),
        ('colors: {all_parts: "{parts}"}', "colors.all_parts: expected a text with the fields {"),
        ("labels: {jeans: {other: x, color_gender: n}}", "expected one of m, f, mp, fp, got 'n'"),
        ("labels: {jeans: {other: x, color_behind: true}}", "color_behind: expected false without"),
        ('spoken: {colors: {noun: "{color} {noun}"}}', "spoken.colors: expected names of phrases"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_said(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        languages_of(tmp_path, text)

    assert str(refusal.value).startswith("language es: ")
    assert problem in str(refusal.value)


def test_a_language_without_words_for_colors_says_none(tmp_path: Path) -> None:
    languages = languages_of(tmp_path, "extends: es\ncolors: {}", "es-AR")
    data = yaml.safe_load((ROOT / "config" / "languages" / "tr.yaml").read_text("utf-8"))
    del data["colors"], data["spoken"]["colors"]
    plain = languages_of(tmp_path, yaml.safe_dump(data, allow_unicode=True), "az")

    assert say("1 car red", "es-AR", languages=languages) == "Veo un coche rojo."  # inherited
    assert say("1 car red", "az", languages=plain) == "Bir araba görüyorum."


def test_a_language_may_say_otherwise_that_all_have_a_color(tmp_path: Path) -> None:
    written = "colors: {all_parts: '{things} [{parts}]'}"
    own = f"{written}\nspoken: {{colors: {{all_parts: '{{things}}: {{parts}}'}}}}"
    languages = languages_of(tmp_path, own, "en")

    def said(text: str, **how: Any) -> str:
        return say(text, languages=languages, **how)

    assert said("2 car red, 1 dog") == "I can see two cars (one red) and a dog."
    assert said("2 car red blue, 1 dog") == "I can see two cars [one blue and one red] and a dog."
    assert said("2 car red blue") == "I can see two cars, one blue and one red."
    assert "two cars: one blue" in said("2 car red blue, 1 dog", spoken=True)


def test_people_of_ones_own_wear_their_color(tmp_path: Path) -> None:
    languages = languages_of(tmp_path, "colors: {people: [person, nurse]}", "en")

    assert say("1 nurse white", languages=languages) == "I can see a nurse in white."
    assert say("1 nurse white", "zh", languages=languages) == "我看到一个穿白色衣服的“nurse”。"
