"""Sentences for a voice: every number in words that agree, no symbols, in every style."""

import time

import pytest
from sayable import check_sayable

from i2t_ros.cli.main import main
from i2t_ros.errors import InvalidRequestError
from i2t_ros.language import LANGUAGES, STYLES, ObjectCount, compose, load_languages
from i2t_ros.language.inflection import settle_korean
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.tasks.classify import ClassFact, ClassFacts
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.pipeline.tasks.faces import FaceFacts
from i2t_ros.pipeline.tasks.text import TextFact, TextFacts
from i2t_ros.types import DescribeRequest

pytest.importorskip("unicode_rbnf")


def everything(count, style):
    place = "left" if style == "scene" else ""
    found = [ObjectCount(name, count, place=place) for name in ("cow", "person", "forklift 3000")]
    found.append(ObjectCount("dog", count, 0.2, 0.2, place))
    texts = (TextFact("EXIT 5 km/h", translation="«50 %» (ok)"), TextFact("“№ 7”", score=0.5))
    return [
        ObjectFacts(tuple(found)), FaceFacts.of(count), TextFacts(texts, count),
        ClassFacts((ClassFact("cassette 2", score=0.3),)),
    ]  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_style_says_a_digit_or_a_symbol(language: str, style: str) -> None:
    for count in (1, 2, 3, 5, 11, 21, 22, 101, 1000, 21_345):
        for hedge in (False, True):
            said = compose(everything(count, style), language, style, hedge=hedge, spoken=True)
            check_sayable(said)
            assert said
    check_sayable(compose([], language, style, spoken=True))


@pytest.mark.parametrize(
    ("language", "counts", "said"),
    [
        ("en", {"cow": 21, "dog": 1}, "I can see twenty-one cows and a dog."),
        ("es", {"cow": 21, "dog": 31}, "Veo treinta y un perros y veintiuna vacas."),
        ("pt", {"cow": 22}, "Estou vendo vinte e duas vacas."),
        ("fr", {"cow": 21}, "Je vois vingt et une vaches."),
        ("de", {"dog": 21}, "Ich sehe einundzwanzig Hunde."),
        ("ko", {"dog": 21, "cow": 20}, "개 스물한 마리와 소 스무 마리가 보입니다."),
        ("zh", {"dog": 2, "cow": 22}, "我看到二十二头牛和两只狗。"),
        ("ja", {"dog": 21}, "犬が二十一匹見えます。"),
        ("ko", {"person": 100}, "사람 백 명이 보입니다."),
        ("ar", {"car": 101}, "أرى مئة سيارة وسيارة."),
        ("ar", {"car": 202, "dog": 1}, "أرى مئتي سيارة وسيارتين وكلبًا."),
        ("ar", {"car": 12}, "أرى اثنتي عشرة سيارة."),
    ],
)
def test_counts_agree_with_what_they_count(language: str, counts: dict, said: str) -> None:
    facts = [ObjectFacts(tuple(ObjectCount(name, n) for name, n in counts.items()))]
    assert compose(facts, language, spoken=True) == said


def test_a_list_has_words_too_and_without_spoken_nothing_changes() -> None:
    facts = [ObjectFacts((ObjectCount("dog", 12),))]
    assert compose(facts, "en", "list") == "The following objects were detected: 12 dogs."
    said = compose(facts, "en", "list", spoken=True)
    assert said == "The following objects were detected: twelve dogs."
    assert compose(facts, "en", "list") == "The following objects were detected: 12 dogs."


def test_texts_lose_their_quotation_marks_and_translations_follow_a_pause() -> None:
    facts = [TextFacts((TextFact("SALIDA 2", translation="EXIT 2"),))]
    assert compose(facts, "en", spoken=True) == "The text reads SALIDA two, translated: EXIT two."
    korean = compose(facts, "ko", spoken=True)
    assert korean == "보이는 글자는 SALIDA 이, 번역하면 EXIT 이입니다."
    chinese = compose(facts, "zh", spoken=True)
    assert chinese == "画面中可以看到文字：SALIDA 二，译文：EXIT 二。"
    assert compose(facts, "en") == "The text reads “SALIDA 2” (“EXIT 2”)."


def test_a_place_has_no_comma_where_a_dash_is_written() -> None:
    dogs = ObjectCount("dog", 2, place="left"), ObjectCount("cow", 2, place="right")
    said = compose([ObjectFacts(dogs)], "ru", "scene", spoken=True)
    assert said == "Слева две собаки; справа две коровы."
    assert "слева — " in compose([ObjectFacts(dogs)], "ru", "scene").casefold()


def test_a_language_file_may_have_phrases_for_a_voice(tmp_path) -> None:
    written = "extends: en\nspoken: {texts: {plain: 'It says: {texts}.'}}\n"
    (tmp_path / "en-IE.yaml").write_text(written)
    languages = load_languages(tmp_path)
    facts = [TextFacts((TextFact("OK"),))]
    assert compose(facts, "en-IE", spoken=True, languages=languages) == "It says: OK."
    assert compose(facts, "en-IE", languages=languages).startswith("The text reads")
    for wrong, named in (
        ("{texts: {other: '{texts}'}}", "spoken.texts: expected names of phrases"),
        ("{nouns: {face: face}}", "spoken.nouns: expected names of phrases"),
        ("{texts: {plain: 'It says.'}}", "texts.plain"),
    ):
        (tmp_path / "en-IE.yaml").write_text(f"extends: en\nspoken: {wrong}\n")
        with pytest.raises(InvalidRequestError, match=named):
            load_languages(tmp_path).get("en-IE")


def test_korean_chooses_a_particle_after_foreign_words() -> None:
    assert settle_korean("“forklift”이(가) “drone”을(를) EXIT은(는)") == (
        "“forklift”가 “drone”를 EXIT는"
    )
    assert settle_korean("“crayon”이(가)") == "“crayon”이"
    assert settle_korean("개가") == "개가"


def test_korean_of_a_region_chooses_too(tmp_path) -> None:
    (tmp_path / "ko-KR.yaml").write_text("extends: ko\nname: 한국어")
    facts = [ObjectFacts((ObjectCount("forklift", 2),))]

    for style in ("sentence", "changes"):
        said = compose(facts, "ko-KR", style, spoken=True, languages=load_languages(tmp_path))
        assert said == compose(facts, "ko", style, spoken=True)
        assert "이, 가" not in said


@pytest.mark.parametrize("sign", ["-", "(", "”"])
def test_a_long_row_of_signs_is_settled_at_once(sign: str) -> None:
    start = time.thread_time()

    assert settle_korean(sign * 1_000_000 + "이(가)") == sign * 1_000_000 + "가"
    assert time.thread_time() - start < 2


def test_the_command_says_it(capsys) -> None:
    assert main(["say", "cow=21", "--language", "es", "--style", "list", "--spoken"]) == 0
    said = "Se detectaron los siguientes objetos: veintiuna vacas.\n"
    assert capsys.readouterr().out == said
    assert main(["say", "--unusable", "--spoken"]) == 0
    check_sayable(capsys.readouterr().out.removesuffix("\n"))


def test_a_request_or_the_option_asks_for_it() -> None:
    options = DescribeOptions(language="es")
    assert not options.for_request(DescribeRequest()).spoken
    assert options.for_request(DescribeRequest(spoken=True)).spoken
    assert DescribeOptions(spoken=True).for_request(DescribeRequest()).spoken


def test_a_language_whose_numbers_have_no_words_is_refused_at_once(tmp_path) -> None:
    (tmp_path / "eu.yaml").write_text("extends: en\nname: Euskara\ncldr: eu\n")
    languages = load_languages(tmp_path)
    DescribeOptions(language="eu", languages=languages)
    with pytest.raises(InvalidRequestError, match="eu: CLDR has no words"):
        DescribeOptions(language="eu", spoken=True, languages=languages)


def test_a_variety_of_a_users_folder_has_its_own_words(tmp_path) -> None:
    (tmp_path / "es-MX.yaml").write_text("extends: es\nname: Español de México\n")
    languages = load_languages(tmp_path)
    facts = [TextFacts((TextFact("1.5"),))]
    assert "uno punto cinco" in compose(facts, "es-MX", spoken=True, languages=languages)
    assert "uno coma cinco" in compose(facts, "es", spoken=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hundred_objects_take_less_than_a_millisecond(language: str) -> None:
    names = list(load_languages().get("en").nouns)[:40]
    facts = [ObjectFacts(tuple(ObjectCount(name, 1 + i) for i, name in enumerate(names)))]
    compose(facts, language, spoken=True)

    def seconds():
        start = time.perf_counter()
        compose(facts, language, spoken=True)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(30)) < 0.003  # a busy machine; it takes a third of it
