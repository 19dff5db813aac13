"""A report of very many classes, and of pictures, on the first screen."""

from browser_page import PHONE
from report_material import stream_of, thumbnail, told_of

from i2t_ros.resources import config_path

COCO = config_path("labels", "coco80.txt").read_text(encoding="utf-8").split("\n")[:80]
TOPS = "return document.getElementById(arguments[0]).getBoundingClientRect().top"
ROWS = """
const all = [...document.querySelectorAll("#chips > *")];
const chips = all.map((one) => one.getBoundingClientRect());
const box = document.getElementById("chips").getBoundingClientRect();
return chips.every(({ top, bottom }) => top >= box.top && bottom <= box.bottom + 0.5);
"""


def everything():
    """Return a stream in which there is each class of COCO."""
    stream = stream_of()
    return stream, [
        told_of(stream, at, dict.fromkeys(COCO, 1 + at % 2), seconds=at) for at in range(4)
    ]


def test_the_first_screen_has_the_timelines(open_report):
    page = open_report([everything()], size=(1280, 1000))
    assert page.run(TOPS, "streams") < 700
    assert len(page.all("#facts .class")) == 15
    assert page.texts("#facts dt")[0] == "Objects (images)"
    assert page.all("#facts .class")[0].get_attribute("title") == "Images: 4 · at most 2 at once"
    assert page.run(ROWS)


def test_a_phone_has_the_search_on_its_first_screen(open_report):
    page = open_report([everything()], size=PHONE)
    assert page.run(TOPS, "query") < PHONE[1] * 0.8
    assert page.run(ROWS)
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")


def test_the_other_classes_are_behind_a_button(open_report):
    page = open_report([everything()], "class=toothbrush")
    more = page.all("#facts .quiet")[0]
    assert more.text == "Show more: 65"
    more.click()
    assert len(page.all("#facts .class")) == 80
    fewer = page.all("#facts .quiet")[0]
    assert (fewer.text, fewer.get_attribute("aria-expanded")) == ("Show fewer", "true")
    assert page.run("return document.activeElement === arguments[0]", fewer)
    fewer.click()
    assert len(page.all("#facts .class")) == 15

    assert len(page.all(".chip")) == 25  # and the one that the address chose
    page.all("#chips .quiet")[0].click()
    assert len(page.all(".chip")) == 80
    page.all(".chip")[0].click()
    page.all("#chips .quiet")[0].click()
    assert len(page.all(".chip[aria-pressed=true]")) == 2


def test_of_a_photo_nothing_is_new(open_report):
    stream = stream_of("photos", "pictures", source="/data/photos")
    small = thumbnail((("dog", 1),), (240, 180))
    told = [told_of(stream, at, {"dog": 1}, source=f"{at}.jpg", thumbnail=small) for at in range(2)]
    page = open_report([(stream, told)], "stream=photos&picture=1.jpg")
    assert "1.jpg" in page.text("chosen-body")
    assert page.all(".changes") == []
    page.until(lambda: page.run("return document.querySelector('.picture img').complete"), "it is")
    width, height = page.run("""
      const { width, height } = document.querySelector(".picture img").getBoundingClientRect();
      return [width, height];
    """)
    assert abs(width / height - 4 / 3) < 0.01  # nothing black beside it
