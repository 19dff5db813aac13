"""How far away things are, in words: meters and feet, in every language."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from babel import Locale
from babel.units import format_unit
from making import scene_of
from sayable import check_sayable

from i2t_ros.cli.main import main
from i2t_ros.errors import InvalidRequestError
from i2t_ros.language import LANGUAGES, Languages, ObjectCount, compose, load_languages
from i2t_ros.language.distances import rounded, unit_for
from i2t_ros.language.facts import count_objects
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.reply_cache import frozen
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.pipeline.telling import tell
from i2t_ros.types import DescribeRequest, Detections

STEPS = (0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 250)
HALVES = {0.5, 1.5, 2.5}
SIDES = ("left", "middle", "right")


def thing(
    name: str = "person",
    count: int = 1,
    place: str = "left",
    distance: float = 0.0,
    score: float = 0.9,
) -> ObjectCount:
    return ObjectCount(name, count, score, score, place, distance)


def say(*found: ObjectCount, language: str = "en", unit: str = "auto", **how) -> str:
    return compose([ObjectFacts(found)], language, "scene", distance_unit=unit, **how)


def languages(folder: Path, **files: str) -> Languages:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_languages(folder)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([thing(distance=2)], "There is a person two meters ahead on the left."),
        ([thing(distance=0.2)], "There is a person half a meter ahead on the left."),
        ([thing(distance=1, place="middle")], "There is a person one meter ahead."),
        (
            [thing(distance=1.4, place="right")],
            "There is a person one and a half meters ahead on the right.",
        ),
        ([thing(distance=2.6)], "There is a person two and a half meters ahead on the left."),
        ([thing(distance=10.2)], "There is a person ten meters ahead on the left."),
        ([thing("dog", 2, distance=104)], "There are two dogs 100 meters ahead on the left."),
        (
            [thing(distance=2), thing("dog", 2, "middle", 5)],
            "There is a person two meters ahead on the left, and two dogs five meters ahead.",
        ),
        (
            [thing(distance=2), thing("dog", 2, "middle", 5), thing("cat", 1, "right", 20)],
            "There is a person two meters ahead on the left, two dogs five meters ahead, and a cat "
            "20 meters ahead on the right.",
        ),
        (
            [thing(distance=2.1), thing("dog", distance=1.9), thing("cat", 2, "right", 5)],
            "There is a person and a dog two meters ahead on the left; two cats five meters ahead "
            "on the right.",
        ),
        (
            [thing(distance=2), thing("dog", 1, "middle_far")],
            "There is a person two meters ahead on the left; in the background, a dog.",
        ),
        (
            [thing("dog", 1, "middle"), thing(distance=2)],
            "In the middle there is a dog; a person two meters ahead on the left.",
        ),
        (
            [thing(distance=2, place="left_near"), thing("dog", 1, "middle_near")],
            "There is a person two meters ahead on the left; in the foreground, a dog.",
        ),
        (
            [thing(distance=2), thing("dog", distance=2, score=0.3)],
            "There is a person two meters ahead on the left. There is probably also a dog two "
            "meters ahead on the left.",
        ),
        (
            [thing(distance=2), thing("dog", distance=5, score=0.3)],
            "There is a person two meters ahead on the left. There is probably a dog five meters "
            "ahead on the left.",
        ),
        (
            [thing("dog", 2, "right", 2, 0.3), thing("cat", 1, "left", 5, 0.3)],
            "There are probably two dogs two meters ahead on the right, and probably a cat five "
            "meters ahead on the left.",
        ),
    ],
)
def test_english_says_how_far_away_things_are(found: list[ObjectCount], said: str) -> None:
    assert say(*found, hedge=True) == said


@pytest.mark.parametrize(
    ("meters", "feet"),
    [
        *((0.01, 1), (0.3, 1), (0.5, 2), (2.1, 7), (2.87, 9), (2.91, 10), (3.9, 15)),
        *((4.5, 15), (6.1, 20), (8.3, 25), (8.4, 30), (9.9, 30), (10.8, 40), (30.5, 100)),
    ],
)
def test_feet_are_rounded_as_people_speak(meters: float, feet: int) -> None:
    assert rounded(meters, "feet") == feet


def test_the_other_styles_have_no_distances() -> None:
    for style in ("list", "sentence", "changes"):
        said = compose([ObjectFacts((thing(distance=2),))], "en", style)
        assert "meter" not in said


@pytest.mark.parametrize(
    ("tag", "unit"),
    [
        *(("en-US", "feet"), ("en_US.UTF-8", "feet"), ("EN-us", "feet"), ("es-US", "feet")),
        *(("en-Latn-US", "feet"), ("en-LR", "feet"), ("my-MM", "feet"), ("en", "meters")),
        *(("en-GB", "meters"), ("es-419", "meters"), ("zh-Hant", "meters"), ("us", "meters")),
        *(("en-x-us", "meters"), ("en-CA", "meters"), ("", "meters")),
    ],
)
def test_a_region_says_in_what_distances_are(tag: str, unit: str) -> None:
    assert unit_for("auto", tag) == unit
    assert unit_for("meters", tag) == "meters"
    assert unit_for("feet", tag) == "feet"


def test_another_unit_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="distance_unit: expected one of auto, meters, f"):
        say(thing(distance=2), unit="yards")
    with pytest.raises(InvalidRequestError, match="distance_unit: expected one of auto, meters, f"):
        DescribeOptions(distance_unit="yards")


def test_the_sentence_is_in_what_the_tag_or_the_caller_wants() -> None:
    person = thing(distance=2)
    feet = "There is a person seven feet ahead on the left."

    assert say(person, language="en-US") == say(person, unit="feet") == feet
    assert say(person, language="en-US", unit="meters") == say(person)
    assert say(person, language="en-GB", unit="feet") == feet
    assert say(thing(distance=0.3), language="en-US").endswith("one foot ahead on the left.")


def test_what_is_as_far_away_in_feet_is_in_one_place() -> None:
    far = Detections(
        np.array([[0, 0, 10, 10], [10, 0, 20, 10]], np.float32),
        scores=np.full(2, 0.9),
        class_ids=np.zeros(2),
        labels=("dog",),
        positions=np.array([[0, 0, 0.74], [0, 0, 0.76]], np.float32),
    )
    found = count_objects(far, (100, 100))

    assert say(*found) == (
        "There is a dog half a meter ahead on the left, and a dog one meter ahead on the left."
    )
    assert say(*found, unit="feet") == "There are two dogs two feet ahead on the left."


def test_options_keep_the_region_of_the_tag() -> None:
    scene = scene_of(
        100,
        100,
        detections=Detections(
            np.array([[0, 0, 10, 10]], np.float32),
            scores=np.full(1, 0.9),
            class_ids=np.zeros(1),
            labels=("person",),
            positions=np.array([[0, 0, 2]], np.float32),
        ),
    )
    american = DescribeOptions(language="en-US", style="scene")
    english = DescribeOptions(language="en", style="scene")

    def said(options: DescribeOptions, **request: str) -> str:
        return tell(scene, options.for_request(DescribeRequest(**request)))

    feet = "There is a person seven feet ahead on the left."
    meters = "There is a person two meters ahead on the left."
    assert american.language == english.language == "en"
    assert said(american) == said(english, language="en-US") == feet
    assert said(english) == said(american, language="en") == meters
    assert said(american, language="es") == say(thing(distance=2), language="es")
    metric = DescribeOptions(language="en-US", style="scene", distance_unit="meters")
    imperial = DescribeOptions(style="scene", distance_unit="feet")
    assert said(metric) == said(metric, language="en-US") == meters
    assert said(imperial) == said(imperial, language="en-GB") == feet


def test_answers_in_feet_are_others_than_those_in_meters() -> None:
    def key(tag: str, **request: str) -> object:
        return frozen(DescribeOptions(language=tag).for_request(DescribeRequest(**request)))

    assert key("en-US") != key("en")
    assert key("en") == key("EN") == key("en-CA") == key("en-US", language="en")
    assert key("en-US") == key("en", language="en_US")


def test_the_command_takes_a_distance(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "person=1@left@2m", "dog=2@5.2m", "--style", "scene"]) == 0
    assert capsys.readouterr().out == (
        "There is a person two meters ahead on the left, and two dogs five meters ahead.\n"
    )
    say_feet = ["say", "person=1@right@2m", "--style", "scene", "--distance-unit", "feet"]
    assert main(say_feet) == 0
    assert capsys.readouterr().out == "There is a person seven feet ahead on the right.\n"
    with pytest.raises(SystemExit):
        main(["say", "person=1@left@2"])
    assert "dog=1@left@2.5m" in capsys.readouterr().err


# Names that stand in another case than those of format_unit(), for 1, 2, 5, 20 and 100. CLDR's
# grammatical data have the datives (de) and genitives (pl, ru); the plural of "foot" (ar) is not
# among its names.
INFLECTED = {
    ("de", "meters"): ["Meter", "Metern", "Metern", "Metern", "Metern"],
    ("pl", "meters"): ["metra", "metrów", "metrów", "metrów", "metrów"],
    ("pl", "feet"): ["stopy", "stóp", "stóp", "stóp", "stóp"],
    ("ru", "meters"): ["метра", "метров", "метров", "метров", "метров"],
    ("ru", "feet"): ["фута", "футов", "футов", "футов", "футов"],
    ("ar", "meters"): ["متر", "مترين", "أمتار", "مترًا", "متر"],
    ("ar", "feet"): ["قدم", "قدمين", "أقدام", "قدمًا", "قدم"],
}


@pytest.mark.parametrize(("unit", "length"), [("meters", "length-meter"), ("feet", "length-foot")])
@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_units_have_the_names_of_cldr(tag: str, unit: str, length: str) -> None:
    language, locale = load_languages().get(tag), Locale.parse(tag, sep="-")
    for at, number in enumerate((1, 2, 5, 20, 100)):
        cldr = format_unit(number, length, "long", locale=locale)
        name = INFLECTED.get((tag, unit), [re.sub(r"[\d\s]", "", cldr)] * 5)[at]
        words = language.phrase(f"distance.{unit}", number, number=str(number)).split()
        written = re.sub(r"\d", "", words[-1])  # before it: "2", "one", "einem", or nothing

        assert written == name


@pytest.mark.parametrize("unit", ["meters", "feet"])
@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_language_says_every_distance(tag: str, unit: str) -> None:
    said = set()
    foot = 0.3048 if unit == "feet" else 1
    for step in STEPS:
        for side in SIDES:
            for count in (1, 2):
                text = say(thing("dog", count, side, step * foot), language=tag, unit=unit)
                said.add(text)
                assert not re.search(r"[{}]|  ", text), text
                if tag != "ko" and step < 10:
                    assert not re.search(r"\d", text), text
                if step >= 100 and tag != "ar":
                    assert re.search(r"\d0 ?\D", text), text
    steps = {rounded(step * foot, unit) for step in STEPS}
    assert len(said) == len(steps) * len(SIDES) * 2


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_voice_says_every_distance(tag: str) -> None:
    pytest.importorskip("unicode_rbnf")
    for unit in ("meters", "feet"):
        said = {
            say(thing("dog", 1, "right", step), language=tag, unit=unit, spoken=True)
            for step in STEPS
        }
        assert len(said) == len({rounded(step, unit) for step in STEPS})
        for text in said:
            check_sayable(text)


@pytest.mark.parametrize(
    ("tag", "distance", "part"),
    [
        *(("en", 2.5, "two and a half meters ahead"), ("en", 20, "twenty meters ahead")),
        *(("en", 100, "one hundred meters"), ("es", 100, "a cien metros")),
        *(("ru", 20, "двадцати метров"), ("ru", 2, "двух метров"), ("pl", 100, "stu metrów")),
        *(("de", 20, "zwanzig Metern"), ("ar", 20, "عشرين مترًا"), ("ar", 5, "خمسة أمتار")),
        *(("ko", 2, "이 미터"), ("ko", 20, "이십 미터"), ("ko", 1.5, "일 점 오 미터")),
        *(("zh", 2, "两米"), ("zh-Hant", 20, "二十公尺"), ("ja", 0.5, "五十センチ")),
        *(("hi", 1.5, "डेढ़ मीटर"), ("en-GB", 120, "one hundred and twenty metres")),
    ],
)
def test_a_voice_says_numbers_in_words_that_agree(tag: str, distance: float, part: str) -> None:
    pytest.importorskip("unicode_rbnf")
    assert part in say(thing(distance=distance), language=tag, spoken=True)


def test_arabic_numbers_agree_with_the_unit() -> None:
    assert "خمسة أمتار" in say(thing(distance=5), language="ar")
    assert "خمس أقدام" in say(thing(distance=1.5), language="ar", unit="feet")


def test_counts_and_distances_are_digits_apart_in_chinese() -> None:
    far = say(thing(distance=2), thing("dog", 2, "right", 20), language="zh")
    many = say(thing(count=12, distance=2), thing("dog", 2, "right", 3), language="zh")

    assert far == "左前方2米处有一个人，右前方20米处有两只狗。"
    assert many == "左前方两米处有12个人，右前方三米处有2只狗。"


def test_a_language_of_ones_own_changes_single_phrases(tmp_path: Path) -> None:
    own = languages(
        tmp_path,
        en='distance: {left: "{distance} away to the left", numbers: {2: a pair of}}\n'
        'lists: {distances: {"2": "{0} plus {1}"}}',
        de="distance: {numbers: {}}",
    )

    assert say(thing(distance=2), thing("dog", distance=3), languages=own) == (
        "There is a person a pair of meters away to the left plus a dog 3 meters away to the left."
    )
    assert "in 2 Metern Entfernung" in say(thing(distance=2), language="de", languages=own)


def test_without_phrases_of_its_own_a_distance_stands_in_those_of_the_scene(tmp_path: Path) -> None:
    own = languages(tmp_path, fr="scene: {first: 'On voit {place} {things}'}")

    assert say(thing(distance=2), language="fr", languages=own) == (
        "On voit devant à gauche, à deux mètres une personne."
    )
