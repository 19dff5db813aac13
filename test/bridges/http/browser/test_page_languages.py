"""The page in its languages: which one is chosen, right-to-left, and what the server is told."""

import itertools
from functools import partial

import pytest
from browser_page import PHONE, close_to
from web_support import PICTURE

OFFERED = (
    "return [...document.getElementById('language').options].map(option => [option.value,"
    " option.text, option.lang])"
)
# Left and right ends of what a selector finds.
ENDS = """
return [...document.querySelectorAll(arguments[0])].map((element) => {
  const {left, right} = element.getBoundingClientRect();
  return [left, right];
});
"""
# The lines of each of what a selector finds: left, right, top and bottom ends.
LINES_OF = """
return [...document.querySelectorAll(arguments[0])].map((element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  const lines = new Map(); // a line has one rectangle for each direction
  for (const {left, right, top, bottom} of range.getClientRects()) {
    const line = lines.get(top) ?? [left, right, top, bottom];
    lines.set(top, [Math.min(left, line[0]), Math.max(right, line[1]), top, bottom]);
  }
  return [...lines.values()];
});
"""
WIDER = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"

SCENE = {
    "sentence": "أرى كلبًا.",
    "language": "ar",
    "model": "m.onnx",
    "width": 640,
    "height": 480,
    "timings_ms": {"total": 34.6},
    "objects": [{"class_id": "dog", "label": "كلب", "count": 12, "max_score": 0.93}],
    "detections": [
        {"class_id": "dog", "label": "كلب", "score": 0.93, "box": [60, 60, 260, 300]},
        {"class_id": "forklift", "label": "forklift (x)", "score": 0.5, "box": [330, 90, 560, 400]},
    ],
}


def choose(page, tag):
    page.choose("language", tag)
    page.until(lambda: page.run("return document.documentElement.lang") == tag, tag)


PREFERRED = {
    "es-MX": "es-419", "es-AR": "es-419", "es-US": "es-419", "es-Latn-MX": "es-419",
    "es-419": "es-419", "es-ES": "es", "es": "es", "es-GQ": "es",
    "pt-PT": "pt-PT", "pt-AO": "pt-PT", "pt-BR": "pt", "pt": "pt",
    "zh-TW": "zh-Hant", "zh-HK": "zh-Hant", "zh-Hant-HK": "zh-Hant", "zh-hant": "zh-Hant",
    "zh-CN": "zh", "zh-Hans": "zh", "zh-Hans-HK": "zh", "zh": "zh",
    "EN-gb": "en-GB", "en-GB-oxendict": "en-GB", "en-AU": "en", "en-US": "en",
    "ar-EG": "ar", "hi-IN": "hi", "in-ID": "id", "de-CH-1996": "de",
    "hi-Latn": None, "ar-Latn": None, "sv": None, "x_y": None, "": None,
}  # fmt: skip


def test_the_language_is_that_of_the_browser_or_of_its_parents(bridge, open_page):
    page = open_page(bridge())
    tags = [tag for tag, _, _ in page.run(OFFERED)]
    found = {tag: page.call("tags", "preferred", [tag], tags) for tag in PREFERRED}
    assert found == PREFERRED
    assert page.call("tags", "preferred", [None, "sv", "zh-TW", "de"], tags) == "zh-Hant"
    assert page.call("tags", "preferred", ["zh-TW"], ["en", "zh"]) is None  # another script


def test_the_menu_has_each_language_under_its_own_name(bridge, open_page):
    page = open_page(bridge(), size=PHONE)
    page.click("tab-picture")
    offered = page.run(OFFERED)
    assert len(offered) == len({name for _, name, _ in offered}) == 20
    assert all(tag == lang for tag, _, lang in offered)
    for tag, _, _ in offered:
        choose(page, tag)
        missing = (
            "return [...document.querySelectorAll('[data-i18n]')]"
            ".filter(element => !element.textContent).map(element => element.dataset.i18n)"
        )
        assert page.run(missing) == [], tag
        assert page.run(WIDER) <= 0, tag


def test_the_server_is_told_the_whole_tag(bridge, open_page):
    page = open_page(bridge())
    choose(page, "es-419")
    page.drop(PICTURE)
    asked = (
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
        ".filter(name => name.includes('v1/describe')).map(name => new URL(name).search)"
    )
    page.until(lambda: page.run(asked) == ["?language=es-419"], "it is asked in that language")
    page.until(lambda: page.run("return localStorage.getItem('i2t.language')") == "es-419", "kept")
    page.browser.refresh()
    page.until(lambda: page.run("return document.documentElement.lang") == "es-419", "chosen again")
    assert page.call("strings", "text", "take") == "Tomar una foto"
    assert page.call("strings", "text", "title") == "Lo que ve el robot"  # as its base says


# Left and right ends in parts of the picture.
BOXES = sorted((each["box"][0] / 640, each["box"][2] / 640) for each in SCENE["detections"])


@pytest.mark.parametrize("size", [(1280, 900), PHONE])
def test_arabic_is_mirrored_but_for_what_lies_over_the_picture(bridge, open_page, size):
    page = open_page(bridge(), size=size)
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")

    def layout():
        page.call("words", "showWords", SCENE)
        page.call("overlay", "drawOverlay", SCENE)
        mark, menu = page.run(ENDS, "h1 svg") + page.run(ENDS, "#language")
        left, right = page.run(ENDS, "#overlay")[0]
        lines = page.run(ENDS, "#overlay [data-kind=lines] rect")
        width = right - left
        boxes = sorted(((first - left) / width, (last - left) / width) for first, last in lines)
        here = len(boxes) == len(BOXES) and all(
            map(partial(close_to, tolerance=0.01), boxes, BOXES)
        )
        return mark, menu, here

    # What the picture itself has is drawn when it comes, also over these.
    page.until(lambda: layout()[2], "the boxes lie in their place")
    mark, menu, _ = layout()
    assert mark[1] < menu[0]
    choose(page, "ar")
    said = "return document.getElementById('sentence').lang"
    page.until(lambda: page.run(said) == "ar", "it is told anew: nothing comes after that")
    assert page.run("return document.documentElement.dir") == "rtl"
    page.until(lambda: layout()[2], "the boxes lie in their place, not mirrored")
    mark, menu, _ = layout()
    assert mark[0] > menu[1]
    texts, plates = page.run(ENDS, "#overlay text"), page.run(ENDS, "#overlay .plate")
    assert len(texts) == 2
    for (left, right), (first, last) in zip(texts, plates, strict=True):
        assert first <= left < right <= last
    assert page.run(WIDER) <= 0
    choose(page, "en")
    assert page.run("return document.documentElement.dir") == "ltr"


def test_names_and_numbers_keep_their_direction_in_arabic(bridge, open_page):
    page = open_page(bridge())
    choose(page, "ar")
    waiting = page.call("strings", "text", "waiting", {"camera": "cam (1)"})
    assert "\u2068cam (1)\u2069" in waiting
    assert "3" in page.call("strings", "text", "place", {"place": 3})
    assert "93" in page.call("strings", "percent", 0.93)  # the digits of the drawings
    direction = "return getComputedStyle(document.getElementById('sentence')).direction"
    assert page.run(direction) == "rtl"  # of what stands there while nothing was said
    page.call("words", "showWords", SCENE)
    assert page.run(direction) == "rtl"
    page.call("words", "showWords", {**SCENE, "sentence": "I can see a dog.", "language": "en"})
    assert page.run(direction) == "ltr"
    pieces = "return [...document.querySelectorAll('#details bdi')].map(bdi => bdi.textContent)"
    assert page.run(pieces)[:2] == ["m.onnx", "640 × 480"]
    assert page.run("return document.querySelector('#objects .label bdi').textContent") == "كلب"
    choose(page, "de")
    assert page.call("strings", "text", "waiting", {"camera": "cam"}).endswith(" cam")
    assert page.call("strings", "milliseconds", 34.6) == "35 ms"


# Words of the page without an Arabic letter: where, and which.
NOT_ARABIC = """
const strange = [];
const look = (words, where) => {
  const isArabic = /\\p{Script=Arabic}/u.test(words);
  if (/\\p{L}/u.test(words ?? "") && !isArabic) strange.push([where, words]);
};
const all = [...document.body.querySelectorAll("*")]
  .filter(element => !element.closest("noscript, #language"));
for (const element of all) {
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) look(child.data, element.id || element.tagName);
  }
  for (const name of ["aria-label", "alt", "title"]) {
    look(element.getAttribute(name), `${element.id} ${name}`);
  }
}
return strange;
"""


def test_nothing_of_the_page_stays_english(bridge, open_page):
    page = open_page(bridge())
    choose(page, "ar")
    assert page.run(NOT_ARABIC) == []
    assert page.call("strings", "text", "working") == page.find("place").get_attribute(
        "textContent"
    )


@pytest.mark.parametrize("language", ["ar", "en"])
def test_pieces_of_the_footer_are_not_scrambled_where_lines_break(bridge, open_page, language):
    page = open_page(bridge())
    choose(page, language)
    model = "mobilenet_v2_quantized on litert (cpu)"
    texts = [{"text": "exit to the platform (left)", "translation": "to the left (exit)"}]
    page.call("words", "showWords", {**SCENE, "model": model, "texts": texts})
    broken = 0
    for width in range(100, 460, 15):
        page.run(
            "for (const id of ['details', 'more'])"
            " document.getElementById(id).style.width = `${arguments[0]}px`",
            width,
        )
        for line in ("#details", "#more p"):
            pieces = page.run(LINES_OF, f"{line} bdi")
            assert len(pieces) == (3 if line == "#details" else 2)
            broken += any(len(lines) > 1 for lines in pieces)
            for before, after in itertools.pairwise(pieces):
                (left, right, _, bottom), (first, last, top, _) = before[-1], after[0]
                if top < bottom - 2:  # on one line: whole, and in the order of the page
                    assert len(before) == len(after) == 1, width
                    assert last <= left if language == "ar" else first >= right
    assert broken > 4


def test_names_are_isolated_in_titles_lists_and_switches(bridge, open_page):
    page = open_page(bridge())
    choose(page, "ar")
    failures = {"my_task (x)": {"code": "odd", "message": "no file (x)"}}
    page.call("words", "showWords", {**SCENE, "failures": failures})
    failed = page.browser.find_element("css selector", "#more .failure")
    assert failed.get_attribute("title") == "\u2068no file (x)\u2069"
    assert "\u2068no file (x)\u2069" in failed.text
    assert failed.find_element("tag name", "bdi").text == "my_task (x)"
    page.call("tasks", "startTasks", ["my_task (x)"])
    direction = "return getComputedStyle(document.querySelector('#tasks button')).direction"
    assert page.run(direction) == "ltr"
    choose(page, "en")
    assert page.call("strings", "isolated", "cam (1)") == "cam (1)"
    assert page.call("strings", "isolated", "باب (1)") == "\u2068باب (1)\u2069"
