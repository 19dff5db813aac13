"""A report in a real browser, opened as a file."""

import pytest
from browser_page import PHONE
from report_material import drive, stream_of, told_of
from report_page import ReportPage, address_of

from i2t_ros.language import LANGUAGES
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.recordings.base import SECOND, Damage, Selection
from i2t_ros.recordings.writing.base import Stream

NARROW = 360, 740
BOTH = {"person": 2, "dog": 1}
HITS = "return form.hits.map(({ start, end }) => [start, end])"
NO_DOGS = {
    **{"en": "no dogs", "en-GB": "no dogs", "de": "keine Hunde", "fr": "sans chien"},
    **{"es": "sin perros", "es-419": "sin perros", "it": "senza cani", "pt": "sem cachorro"},
    **{"pt-PT": "sem cães", "nl": "geen honden", "pl": "brak psów", "ru": "0 собак"},
    **{"tr": "köpek yok", "id": "tanpa anjing", "hi": "कोई कुत्ता नहीं", "ar": "بدون كلب"},
    **{"ja": "犬なし", "zh": "没有狗", "zh-Hant": "沒有狗", "ko": "개 없음"},
}
# The color of a timeline's pixel, as red, green, blue and opacity; at 0 to 1 of the width.
PIXEL = """
const [x, y] = arguments;
const canvas = document.querySelector(".rows canvas");
const copy = document.createElement("canvas");
[copy.width, copy.height] = [canvas.width, canvas.height];
copy.getContext("2d").drawImage(canvas, 0, 0);
return [...copy.getContext("2d").getImageData(x * canvas.width, y, 1, 1).data];
"""


def test_it_opens_with_everything_in_sight(open_report):
    damage = [Damage("/data/drive", "/camera", 5 * SECOND, "chunk 3: the end is missing")]
    selection = Selection(every=SECOND // 2, start=0, end=100 * SECOND)
    page = open_report([drive()], damage=damage, selection=selection)

    assert page.run("return document.title") == "What the recordings show"
    (recording,) = page.texts("#recordings li")
    for said in ("/data/it's drive", "Length: 1:40", "Images: 101", "2023-11-14 22:13:20 UTC"):
        assert said in recording
    facts = page.text("facts")
    assert "dog 40 · person 40" in facts
    assert "One image every 0.5 seconds · From 0:00 to 1:40" in facts
    assert page.texts(".labels bdi") == ["dog", "person"]
    assert page.text("damaged").split("\n") == [
        *("/data/drive", "/camera", "0:05.0", "chunk 3: the end is missing")
    ]
    assert page.texts("#cards .changes li") == [
        *("+ New: a dog", "+ New: two people", "− Gone: a dog", "− Gone: two people")
    ]
    assert page.run("return document.querySelector('#cards img').naturalWidth") == 240


def test_a_search_finds_moments_and_marks_the_timeline(open_report):
    page = open_report([drive()])
    page.drawn()
    assert page.run(PIXEL, 0.505, 3) == page.run(PIXEL, 0.755, 3) == [0, 0, 0, 0]

    page.search("two people and a dog")

    page.drawn()
    assert page.text("found") == "Matches: 1 (two people and a dog)"
    assert page.run(PIXEL, 0.505, 3)[3] > 0
    assert page.run(PIXEL, 0.755, 3)[3] == 0
    assert page.texts("#cards .when") == ["0:40.0"]
    assert page.run(HITS) == [[40000, 60000]]
    page.find("next").click()
    assert page.address() == "stream=drive&t=40&q=two%20people%20and%20a%20dog"
    page.find("clear").click()
    assert page.text("found") == ""
    assert len(page.texts("#cards .when")) == 4


@pytest.mark.parametrize(
    ("words", "spans"),
    [
        ("dog", [[20000, 60000]]),
        ("a person", [[40000, 80000]]),
        ("three people", []),
        ("no dog", [[0, 20000], [60000, 100001]]),
        ("two people and no dog", [[60000, 80000]]),
    ],
)
def test_what_a_search_matches(open_report, words, spans):
    page = open_report([drive()])
    page.search(words)
    assert page.run(HITS) == spans


def test_classes_and_a_duration_are_filters(open_report):
    page = open_report([drive(), drive("night", 1)])
    dog, person = page.all(".chip")

    dog.click()
    assert page.text("found") == "Matches: 2 (a dog)"
    person.click()
    assert page.run(HITS) == [[40000, 60000]] * 2
    assert person.get_attribute("aria-pressed") == "true"
    page.find("least").send_keys("2")  # what was there is selected
    assert page.text("found") == "No match (two dogs and two people)"
    dog.click()
    assert page.text("found") == "Matches: 2 (two people)"
    page.find("lasting").send_keys("40")
    assert page.text("found").startswith("Matches: 2")
    page.find("lasting").send_keys(page.keys.END, ".5")
    assert page.text("found").startswith("No match")


def test_matches_are_gone_through_in_a_ring(open_report):
    page = open_report([drive(), drive("night", 1)], "q=two%20people")
    addresses = []
    for button in ("next", "next", "next", "previous"):
        page.find(button).click()
        addresses.append(page.address())
    first, second = (f"stream={name}&t=40&q=two%20people" for name in ("drive", "night"))
    assert addresses == [first, second, first, second]


def test_an_address_opens_at_its_place(open_report):
    name = "a & b.ü/camera"
    page = open_report([drive(name)], address_of(name, 61.25))
    assert "1:01.25" in page.text("chosen-body")
    assert "I can see two people." in page.text("chosen-body")
    assert page.address() == "stream=a%20%26%20b.%C3%BC%2Fcamera&t=61.25"

    page.run("location.hash = 'q=dog'")
    page.until(lambda: page.text("found").startswith("Matches: 1"), "it reads the new address")
    page.run("location.hash = 'stream=nothing&t=x&q=%ff'")
    page.until(lambda: "nothing" not in page.address(), "it leaves the address of nothing alone")


def test_every_language_says_everything(open_report):
    page = open_report([drive()], address_of("drive", 40), options=DescribeOptions(language="fr"))
    assert page.run("return document.documentElement.lang") == "fr"
    assert page.texts(".labels bdi") == ["chien", "personne"]
    options = page.texts("#language option")
    assert len(options) == len(set(options)) == len(LANGUAGES)
    said = set()
    for tag in LANGUAGES:
        page.speak(tag)
        said.add((page.run("return document.title"), page.text("chosen-body")))
        direction = "rtl" if tag == "ar" else "ltr"
        assert page.run("return [document.documentElement.lang, document.documentElement.dir]") == [
            *(tag, direction)
        ]
        assert "" not in page.texts("[data-words]")
    assert len(said) >= len(LANGUAGES) - 2  # British English says the same here


@pytest.mark.parametrize(
    ("tag", "length", "query", "found"),
    [
        ("ja", "長さ：1:40", "二人と犬", "該当：1 件（人が二人、犬が一匹）"),
        ("tr", "Süre: 1:40", "iki kişi ve bir köpek", "Sonuç: 1 (iki kişi ve bir köpek)"),
    ],
)
def test_a_language_joins_names_and_values_its_own_way(open_report, tag, length, query, found):
    page = open_report([drive()])
    page.speak(tag)
    page.search(query)
    assert length in page.text("recordings")
    assert page.text("found") == found


def test_arabic_is_written_from_the_right_and_searched(open_report):
    page = open_report([drive()])
    page.speak("ar")
    page.search("شخصان وكلب")
    assert page.run("return form.hits.length") == 1
    title, theme = (page.all(one)[0].location["x"] for one in ("h1", "#theme"))
    assert title > theme


@pytest.mark.parametrize("language", ["en", "ru", "ar", "ja"])
def test_a_phone_scrolls_in_one_direction_only(open_report, language):
    name = "a_very_long_name_of_a_recording_without_any_break_in_it.camera-front-left-image_raw"
    page = open_report([drive(name)], address_of(name, 40), NARROW)
    page.speak(language)
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    small = page.run("""
      return [...document.querySelectorAll("button, select, input")].filter((one) =>
        one.offsetParent && one.getBoundingClientRect().height < 36).map((one) => one.outerHTML);
    """)
    assert small == []


def test_pictures_are_a_gallery(open_report):
    stream = stream_of("photos", "pictures", source="/data/photos")
    told = [
        told_of(stream, at, BOTH if at == 2 else {"dog": 1}, source=f"/data/photos/{at} ü.jpg")
        for at in range(3)
    ]
    page = open_report([(stream, told)], size=PHONE)

    assert page.texts("#cards .when") == ["0 ü.jpg", "1 ü.jpg", "2 ü.jpg"]
    assert not page.find("timelines").is_displayed()
    page.search("two people")
    assert page.texts("#cards .when") == ["2 ü.jpg"]
    page.find("next").click()
    assert "/data/photos/2 ü.jpg" in page.text("chosen-body")
    address = page.address()
    assert address == "stream=photos&picture=%2Fdata%2Fphotos%2F2%20%C3%BC.jpg&q=two%20people"
    page.browser.get("about:blank")
    page = ReportPage(page.browser, page.path, address)
    assert "/data/photos/2 ü.jpg" in page.text("chosen-body")


def test_a_video_opens_at_its_time(open_report):
    stream = Stream(0, "video", "/data/a.mp4", "", "a", None)
    told = [told_of(stream, at, {"dog": 1}, seconds=at / 2) for at in range(8)]
    page = open_report([(stream, told)], address_of("a", 3.25))
    assert "mpv --start=3.25 /data/a.mp4" in page.text("chosen-body")
    assert "UTC" not in page.text("chosen-body")


def test_a_class_that_was_never_seen_matches_nothing(open_report):
    page = open_report([drive()])
    for words, asked in (
        ("a dog and an elephant", "a dog and elephant × 1"),
        ("hot dog", "hot dog × 1"),
    ):
        page.search(words)
        assert page.text("found") == f"No match ({asked})"


@pytest.mark.parametrize(
    ("language", "words", "said"),
    [
        ("en", "xyzzy", "Not understood: xyzzy"),
        ("en", "two people without a dog", "Not understood: without"),
        ("en", "a red car, a dog", "Not understood: red"),
        ("en", ", .", "These words name no object that this page knows."),
        ("de", "zwei rote Hunde oder so", "Nicht verstanden: rote, oder, so"),
        ("ar", "كلب أرجواني", "غير مفهوم: \u2068ارجواني\u2069"),
    ],
)
def test_words_that_are_not_understood_are_named_and_match_nothing(
    open_report, language, words, said
):
    page = open_report([drive()])
    page.speak(language)
    page.search(words)
    assert page.text("found") == said
    assert page.run("return form.hits") == []
    assert page.texts("#cards .when") == []
    assert not page.find("steps").is_displayed()
    page.all(".chip")[0].click()
    assert page.run("return form.hits") == []  # a filter does not make the words understood


@pytest.mark.parametrize("words", ["two people and no dog", "zwei Personen, kein Hund"])
@pytest.mark.parametrize(
    ("language", "asked"),
    [
        ("en", "Matches: 1 (two people and no dogs)"),
        ("fr", "(deux personnes et sans chien)"),
        ("ja", "（人が二人、犬なし）"),
    ],
)
def test_words_may_be_in_another_language_than_the_page(open_report, words, language, asked):
    page = open_report([drive()])
    page.speak(language)
    page.search(words)
    assert asked in page.text("found")
    assert page.run(HITS) == [[60000, 80000]]


def test_none_of_a_class_is_said_in_every_language(open_report):
    page = open_report([drive()])
    said = page.run("return data.languages.map(({ tag, counted }) => [tag, counted[0][0]])")
    assert dict(said) == NO_DOGS


def test_hostile_names_are_shown_as_they_are(open_report):
    evil = "</script><img src=x onerror=\"document.title='gone'\"><b>&amp;"
    stream = stream_of(evil, topic=evil, source=evil)
    told = [told_of(stream, at, {evil: 1}, seconds=at, thumbnail=b"no picture") for at in range(4)]
    page = open_report([(stream, told)], damage=[Damage(evil, evil, 0, evil)])

    assert page.texts(".stream h3") == [evil]
    assert page.texts("#recordings .source") == [evil]
    assert evil in page.text("damaged")
    assert page.run("return document.querySelectorAll('b, img[src=x]').length") == 0
    assert page.run("return document.title") == "What the recordings show"


def test_the_theme_changes_and_stays(open_report):
    page = open_report([drive()])
    page.run("localStorage.clear()")
    theme = """
      const { dataset } = document.documentElement;
      return [dataset.theme, getComputedStyle(document.body).backgroundColor];
    """
    before = page.run(theme)
    page.find("theme").click()
    after = page.run(theme)
    assert {before[0], after[0]} == {"dark", "light"}
    assert before[1] != after[1]
    page = ReportPage(page.browser, page.path)
    assert page.run(theme) == after
    page.run("localStorage.clear()")


def test_everything_that_acts_has_a_name(open_report):
    page = open_report([drive()], address_of("drive", 40))
    nameless = page.run("""
      return [...document.querySelectorAll("button, input, select, canvas")].filter((one) => !(
        one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length))
        .map((one) => one.outerHTML);
    """)
    assert nameless == []
    ids = page.run("return [...document.querySelectorAll('[id]')].map(({ id }) => id)")
    assert len(ids) == len(set(ids))


def test_paper_is_light(open_report):
    page = open_report([drive()])
    page.run("localStorage.setItem('i2t.report.theme', 'dark')")
    page = ReportPage(page.browser, page.path)
    theme = "return document.documentElement.dataset.theme"
    assert page.run(theme) == "dark"
    page.run("window.themes = []; addEventListener('beforeprint', () => themes.push("
             "document.documentElement.dataset.theme))")  # fmt: skip
    page.browser.execute_cdp_cmd("Page.printToPDF", {})
    assert page.run("return themes") == ["light"]
    page.until(lambda: page.run(theme) == "dark", "the screen is dark again")
    page.run("localStorage.clear()")


def test_the_command_and_the_link_are_copied(open_report):
    page = open_report([drive()], address_of("drive", 40))
    command, link = page.all("#chosen-body button")
    for button, copied in (
        (command, "ros2 bag play '/data/it'\"'\"'s drive' --start-offset 40"),
        (link, f"{page.path.as_uri()}#stream=drive&t=40"),
    ):
        button.click()
        page.until(lambda button=button: button.text == "Copied", "it says that it is copied")
        field = page.find("query")
        field.send_keys(page.keys.CONTROL, "v")
        assert field.get_property("value") == copied
        page.find("clear").click()
