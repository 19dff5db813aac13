"""What is to be spoken has no digit and no symbol, in any language, and says what was written."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sayable import check_sayable

from i2t_ros.errors import BackendMissingError, InvalidRequestError
from i2t_ros.language import numerals, spoken_data
from i2t_ros.language.numerals import number_words
from i2t_ros.language.spoken import _CURRENCIES, _UNITS, LONGEST_TEXT, spoken_text
from i2t_ros.language.spoken_data import spoken_words

pytest.importorskip("unicode_rbnf")
TAGS = (
    *("en", "es", "zh", "ko", "fr", "de", "pt", "ja", "es-419", "pt-PT", "en-GB", "zh-Hant"),
    *("it", "nl", "pl", "ru", "tr", "ar", "hi", "id"),
)
ODD = st.sampled_from(
    list("½²①Ⅳ٣३５〇®™°€$№#&@/_-–—~+=×%'’“”«»()（）…。،¿¡\u2066\u200d\u202f\ufe0f.,: ")
)
PIECES = st.sampled_from(
    [
        *("km/h", "m²", "°C", "12:30", "1.5", "1,234.56", "1st", "2ème", "5-й", "10-20", "M2"),
        *("क्\u200dष", "❤️", "👨\u200d👩\u200d👧", "$5", "5 €", "R$ 3,50"),
    ]
)
WRITTEN = st.lists(
    st.one_of(ODD, PIECES, st.characters(), st.integers(-(10**6), 10**15).map(str)), max_size=12
).map("".join)


@pytest.mark.parametrize("tag", TAGS)
@given(written=WRITTEN)
def test_any_text_becomes_words_and_stays_so(tag: str, written: str) -> None:
    said = spoken_text(written, tag)
    check_sayable(said)
    assert spoken_text(said, tag) == said


@pytest.mark.parametrize("tag", TAGS)
@given(number=st.integers(-(10**9), 10**9))
def test_numbers_of_any_size_are_words(tag: str, number: int) -> None:
    for gender in ("", "m", "f"):
        words = number_words(number, tag, gender)
        check_sayable(words)
        assert words


@pytest.mark.parametrize("tag", TAGS)
def test_no_two_numbers_sound_the_same(tag: str) -> None:
    numbers = [*range(1200), *range(10_000, 1_000_000, 9_973), 10**6, 10**9]
    for gender in ("", "m", "f"):
        assert len({number_words(number, tag, gender) for number in numbers}) == len(numbers)


@pytest.mark.parametrize(
    ("tag", "number", "gender", "case", "words"),
    [
        ("es", 21, "f", "", "veintiuna"),
        ("es", 21, "m", "", "veintiún"),
        ("es", 31, "m", "", "treinta y un"),
        ("es", 200, "f", "", "doscientas"),
        ("fr", 21, "f", "", "vingt et une"),
        ("fr", 80, "m", "", "quatre-vingts"),
        ("pt", 22, "f", "", "vinte e duas"),
        ("pt-PT", 10**9, "m", "", "mil milhões"),
        ("de", 1, "m", "accusative", "einen"),
        ("de", 1, "f", "accusative", "eine"),
        ("de", 21, "m", "accusative", "einundzwanzig"),
        ("it", 21, "f", "", "ventuno"),
        ("nl", 22, "", "", "tweeëntwintig"),
        ("nl", 1, "", "", "één"),
        ("nl", 21_345, "", "", "eenentwintigduizend driehonderdvijfenveertig"),
        ("ru", 21, "f", "accusative", "двадцать одну"),
        ("ru", 22, "f", "nominative", "двадцать две"),
        ("ru", 21, "ma", "accusative", "двадцать одного"),
        ("ru", 111, "ma", "accusative", "сто одиннадцать"),
        ("ru", 21, "fa", "accusative", "двадцать одну"),
        ("ru", 1000, "m", "", "одна тысяча"),
        ("pl", 21, "m", "", "dwadzieścia jeden"),
        ("pl", 5, "v", "", "pięciu"),
        ("pl", 22, "v", "accusative", "dwudziestu dwóch"),
        ("pl", 2, "f", "accusative", "dwie"),
        ("tr", 21, "", "", "yirmi bir"),
        ("hi", 21, "", "", "इक्कीस"),
        ("id", 1000, "", "", "seribu"),
        ("en", 121, "", "", "one hundred twenty-one"),
        ("en-GB", 121, "", "", "one hundred and twenty-one"),
        ("ja", 21, "", "", "二十一"),
        ("ja", 0, "", "", "ゼロ"),
        ("ko", 21, "", "", "이십일"),
        ("zh", 102, "", "", "一百零二"),
        # Arabic: three to ten take the other gender, eleven and twelve the same.
        ("ar", 3, "m", "", "ثلاثة"),
        ("ar", 3, "f", "", "ثلاث"),
        ("ar", 11, "f", "", "إحدى عشرة"),
        ("ar", 12, "m", "accusative", "اثني عشر"),
        ("ar", 13, "m", "", "ثلاثة عشر"),
        ("ar", 13, "f", "", "ثلاث عشرة"),
        ("ar", 21, "f", "", "إحدى وعشرون"),
        ("ar", 25, "m", "accusative", "خمسة وعشرين"),
        ("ar", 31, "m", "accusative", "واحدًا وثلاثين"),
        ("ar", 31, "m", "genitive", "واحد وثلاثين"),
        ("ar", 21_000, "m", "", "واحد وعشرون ألفًا"),
        ("ar", 300, "m", "", "ثلاثمئة"),
        ("ar", 2000, "", "", "ألفان"),
        ("ar", 2000, "m", "", "ألفا"),
        ("ar", 200, "f", "accusative", "مئتي"),
        ("ar", 2, "f", "accusative", "اثنتين"),
        ("ar", 3000, "f", "", "ثلاثة آلاف"),
        ("ar", 200_000, "m", "", "مئتا ألف"),
    ],
)
def test_a_number_agrees_with_what_it_counts(tag, number, gender, case, words) -> None:
    assert number_words(number, tag, gender, case) == words


def test_measure_words_have_their_own_numbers() -> None:
    assert number_words(2, "zh", counting=True) == "两"
    assert number_words(2, "zh-Hant", counting=True) == "兩"
    assert number_words(12, "zh", counting=True) == "十二"
    assert number_words(21, "ko", counting=True) == "스물한"
    assert number_words(21_345, "ko", counting=True) == "이만 천삼백사십오"
    assert spoken_text("개 21마리, 강아지 20 마리", "ko") == "개 스물한 마리, 강아지 스무 마리"
    assert spoken_text("2只狗", "zh") == "两只狗"


def test_fractions_and_signs_are_said() -> None:
    assert number_words("0.93", "en") == "zero point nine three"
    assert number_words("-1.50", "es") == "menos uno coma cinco cero"
    assert number_words("1.5", "es-419") == "uno punto cinco"
    assert number_words(-5, "ja") == "マイナス五"
    assert number_words("1.234", "fr") == "un virgule deux cent trente-quatre"
    assert number_words("1.05", "tr") == "bir virgül sıfır beş"
    assert number_words("0.00", "fr") == "zéro virgule zéro zéro"
    assert number_words("3.1416", "fr") == "trois virgule un quatre un six"
    assert number_words("21.01", "ru") == "двадцать одна целая одна сотая"
    assert number_words("1.5", "ru", "m", "genitive") == "одной целой пяти десятых"
    for bad in ("nan", "inf"):
        with pytest.raises(ValueError, match="cannot be said"):
            number_words(bad, "en")


@pytest.mark.parametrize(
    ("tag", "written", "said"),
    [
        ("en", "3.5 km/h & 5 m²", "three point five kilometers per hour and five square meters"),
        ("en", "1 m, 2 m, 1.5 m", "one meter, two meters, one point five meters"),
        ("en", "1,234.5", "one thousand two hundred thirty-four point five"),
        ("es", "1.234,5", "mil doscientos treinta y cuatro coma cinco"),
        ("es", "1 t y 1 kg", "una tonelada y un kilogramo"),
        ("fr", "12\u202f345", "douze mille trois cent quarante-cinq"),
        ("hi", "12,34,567", "बारह लाख चौंतीस हज़ार पाँच सौ सड़सठ"),
        ("de", "1.5.2", "eins Komma fünf Komma zwei"),
        ("en", "007", "zero zero seven"),
        ("en", "007 km/h", "zero zero seven kilometers per hour"),
        ("en", "01–02 km", "zero one, zero two kilometers"),
        ("en", "1.2.3 m", "one point two point three meters"),
        ("ru", "05 минут 05 км", "ноль пять минут ноль пять километров"),
        ("zh", "007 m3", "零零七立方米"),
        ("ja", "05 €", "ゼロ、ごユーロ"),
        ("es", "05 €, 0,05 €", "cero cinco euros, cinco céntimos"),
        ("en", "1001st", "one thousand one"),
        ("en", "12:30, 9:05, 8:00", "twelve thirty, nine oh five, eight o'clock"),
        ("fr", "1:00 14:30", "une heure, quatorze heures trente"),
        ("pl", "8:30", "ósma trzydzieści"),
        ("ar", "12:05", "الساعة الثانية عشرة وخمس دقائق"),
        ("en", "10–20 kg", "ten to twenty kilograms"),
        ("ru", "10-20 кг", "от десяти до двадцати килограмм"),
        ("zh", "50%", "百分之五十"),
        ("tr", "%50 değil 50 %", "yüzde elli değil yüzde elli"),
        ("de", "3,50 € + £1", "drei Euro fünfzig Cent plus ein Pfund"),
        ("ja", "€3.50", "三ユーロ五十セント"),
        ("en", "-5 °C, 90°", "minus five degrees Celsius, ninety degrees"),
        ("en", "№ 4, #7", "number four, number seven"),
        ("en", "1st 22nd", "first, twenty-second"),
        ("es", "1.ª", "primera"),
        ("fr", "2e étage", "deuxième étage"),
        ("it", "“USCITA” (EXIT)", "USCITA, EXIT"),
        ("en", "a_b@c.com", "a b at c dot com"),
        ("en", "½ l, 2½ l", "zero point five liters, two point five liters"),
        ("en", "STOP!!! • Don't – l’eau®", "STOP! Don't, l’eau"),
        ("es", "¿¿Qué??", "¿Qué?"),
        ("ar", "«٤» و«٥» و«A»", "أربعة، وخمسة، وA"),
        ("ar", "٣ كتب", "ثلاثة كتب"),
        ("en", "\u2066EXIT\u2069 ❤️👍🏽", "EXIT"),
        ("ja", "「出口」「一」と", "出口、一と"),
        ("hi", "क्\u200dष", "क्\u200dष"),
        # Times and ranges of them.
        ("en", "12:30 – 8:05", "twelve thirty to eight oh five"),
        ("de", "12:30-14:00 Uhr", "zwölf Uhr dreißig bis vierzehn Uhr"),
        ("fr", "8:21~9:00", "de huit heures vingt et une à neuf heures"),
        ("es", "1:00, 13:05", "la una en punto, las trece y cinco"),
        ("es", "12:00-1:30", "de las doce a la una y treinta"),
        ("pt", "1:00-8:05", "da uma hora às oito e cinco"),
        ("it", "1:30 – 8:00", "dall’una e trenta alle otto"),
        ("pl", "21:00-22:15", "od dwudziestej pierwszej do dwudziestej drugiej piętnaście"),
        ("ru", "1:00-8:05", "с одного часа до восьми ноль пяти"),
        ("ru", "8:02", "восемь ноль две"),
        ("ar", "8:02 - 20:30", "من الساعة الثامنة ودقيقتين إلى الساعة العشرين وثلاثين دقيقة"),
        ("ko", "1:00-2:00", "한 시부터 두 시까지"),
        ("ja", "1:00-2:30", "一時から二時三十分まで"),
        ("sv", "1:00-2:30", "ett två trettio"),
        # Money.
        ("en", "$5, £2.01, €0.50", "five dollars, two pounds and one penny, fifty cents"),
        ("en", "$5-10", "five to ten dollars"),
        ("en", "¥2.5", "two point five Japanese yen"),
        ("zh", "¥2，€3.50", "两元，三点五欧元"),
        ("pl", "2,22 zł", "dwa złote dwadzieścia dwa grosze"),
        ("ru", "21,01 ₽", "двадцать один рубль одна копейка"),
        ("pt", "R$ 2,50 + 2 ₽", "dois reais e cinquenta centavos mais dois rublos russos"),
        ("ar", "2.11 $", "دولاران وأحد عشر سنتًا"),
        # The sign is within what is said of degrees.
        ("ja", "-5 °C", "摂氏マイナス五度"),
        ("zh-Hant", "-5 °C，-5", "攝氏零下五度，負五"),
        ("ar", "-1 °C", "سالب درجة مئوية"),
        ("ru", "-10–20 °C", "от минус десяти до двадцати градусов Цельсия"),
        # Arabic units have four forms, and are said twice after hundreds.
        ("ar", "2 m², 3 kg, 11 km/h", "متران مربعان, ثلاثة كيلوغرامات, أحد عشر كيلومترًا في الساعة"),
        ("ar", "101 kg", "مئة كيلوغرام وكيلوغرام"),
        ("ar", "3-5 kg", "من ثلاثة إلى خمسة كيلوغرامات"),
        # A dot is said within an address only.
        (
            "en",
            "robot.org WWW.A1.ORG x.Mr.Smith e.g. U.S.A.",
            "robot dot org WWW dot A one dot ORG x.Mr.Smith e.g. U.S.A.",
        ),
        ("de", "info@a.de", "info ät a Punkt de"),
        # Two numbers are not one.
        ("en", "007 24 $5", "zero zero seven, twenty-four, five dollars"),
        ("ja", "007 4", "ゼロ、ゼロ、なな、四"),
        ("ja", "#4-6", "四から六番"),
        ("zh", "№ 7", "七号"),
        ("ja", "03-1234-567", "ゼロ、さん、千二百三十四、五百六十七"),
        ("ru", "1 000 ₽, 555 123", "одна тысяча рублей, пятьсот пятьдесят пять, сто двадцать три"),
        ("en", "007 °C", "zero zero seven degrees Celsius"),
        # Spaces between characters are pauses, but not beside a number or a sign.
        ("zh", "第 5 号 出口 & 2", "第五号，出口和二"),
        ("ja", "出口 “A” 右", "出口 A 右"),
        ("ko", "“STOP!”입니다", "STOP입니다"),
        ("en", "the 1980s", "the one thousand nine hundred eighty s"),
        ("en", "", ""),
    ],
)
def test_what_is_written_is_read(tag: str, written: str, said: str) -> None:
    assert spoken_text(written, tag) == said


@pytest.mark.parametrize(
    "written",
    ["7" * 10**6, "1." * 500_000, "1 m " * 250_000, "-" * 10**6, "(" * 10**6, "½" * 10**6,
     "1-1-" * 10**5, "\u202f1" * 10**5, "a/" * 10**5, "ﷺ" * 10**5],
)  # fmt: skip
def test_hostile_texts_take_neither_long_nor_much(written: str) -> None:
    spoken_text("1", "en")
    start = time.thread_time()
    said = spoken_text(written, "en")
    assert time.thread_time() - start < 2
    assert len(said) < 30 * LONGEST_TEXT


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch) -> None:
    numerals._engine.cache_clear()
    numerals._whole.cache_clear()
    with monkeypatch.context() as patch:
        patch.setitem(__import__("sys").modules, "unicode_rbnf", None)
        with pytest.raises(BackendMissingError, match="unicode-rbnf"):
            number_words(5, "es")
        assert spoken_text("EXIT", "es") == "EXIT", "needs no number"
    assert number_words(5, "es") == "cinco"


def test_a_language_without_rules_or_words_is_still_made_sayable() -> None:
    assert spoken_text("2 & 2", "sv") == "två två"
    with pytest.raises(InvalidRequestError, match="CLDR has no words"):
        number_words(2, "eu")


@pytest.mark.parametrize("tag", TAGS)
def test_every_language_has_words_for_all_that_may_be_asked(tag: str) -> None:
    words = spoken_words(tag)
    for name in ("and", "plus", "minus", "equals", "times", "over", "at", "slash", "number"):
        assert words[name], name
    for name in ("point", "dot", "less", "more", "about", "from", "until"):
        assert words[name], name
    assert words.keys() <= {*spoken_data._DEFAULTS}, "or nobody reads it"
    hours = words["hours"]
    assert hours in ("", "m", "f", "counting") or len(set(hours)) == 24
    assert not words["hours_to"] or len(set(words["hours_to"])) == 24
    assert len(set(words["digits"])) in (0, 10)
    codes = {*_CURRENCIES.values(), "CNY"}
    assert {*words["units"]} <= {*_UNITS.values()}
    assert {*words["currencies"]} | {*words["hundredths"]} <= codes
    assert {*words["feminine"]} <= {*_UNITS.values()} | codes
    parts = ("to", "number", "alone", "from", "until", "time", "hour", "price", "minute")
    named = [*words["units"].values(), *words["currencies"].values(), *words["hundredths"].values()]
    for template in (*(words[part] for part in parts), *named):
        forms = template if isinstance(template, dict) else {"other": template}
        for category, form in forms.items():
            assert "{0}" in form or category in ("one", "two", "gender")
        assert "{0}" in forms["other"]
    for written in ("1:01", "13:05", "0:30", "23:59", "12:00", "1:00-23:02", "0:05–12:00"):
        check_sayable(spoken_text(written, tag))


@pytest.mark.parametrize("tag", TAGS)
def test_no_two_times_or_prices_sound_the_same(tag: str) -> None:
    times = [f"{hour}:{minute:02}" for hour in range(24) for minute in (0, 1, 2, 5, 20, 21, 59)]
    assert len({spoken_text(f"{time} – 9:07", tag) for time in times}) == len(times)
    prices = [f"{whole}.{cents:02} €" for whole in (0, 1, 2, 5, 101) for cents in range(100)]
    assert len({spoken_text(price, tag) for price in prices}) == len(prices)


@pytest.mark.parametrize("tag", TAGS)
def test_every_unit_and_currency_has_a_name(tag: str) -> None:
    for sign in [*_UNITS, *_CURRENCIES]:
        for number in ("1", "2", "5", "1.5", "21"):
            said = spoken_text(f"{number} {sign}", tag)
            check_sayable(said)
            assert said != spoken_text(number, tag), sign
