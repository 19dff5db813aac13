"""What an address of a report holds, and what it and the search bring into view."""

import shlex

import pytest
from browser_page import PHONE
from report_material import drive, made_up_images, stream_of, thumbnail, told_of
from report_page import ReportPage, address_of

from i2t_ros.cli.find import how_to_open
from i2t_ros.recordings.base import SECOND, Selection
from i2t_ros.recordings.finding import Row
from i2t_ros.recordings.writing.base import Stream

DESKTOP = 1280, 1000
IN_VIEW = """
const box = document.getElementById("chosen").getBoundingClientRect();
const seen = Math.min(box.bottom, innerHeight) - Math.max(box.top, 0);
return seen >= Math.min(box.height, innerHeight) - 20;
"""
HITS = "return form.hits.map(({ start, end }) => [start, end])"
PICTURE = "stream=photos&picture=%2Fdata%2Fphotos%2F39.jpg"


def reopened(page):
    """Return the page, opened again at its own address."""
    return ReportPage(page.browser, page.path, page.address())


def photos(number=1):
    stream = stream_of("photos", "pictures", number, source="/data/photos")
    return stream, [
        told_of(
            *(stream, at, {"dog": 1}),
            source=f"/data/photos/{at}.jpg",
            thumbnail=thumbnail((("dog", 1),), (240, 180)),
        )
        for at in range(40)
    ]


def many(number=0):
    """Return a stream whose timeline fills a screen."""
    stream = stream_of(number=number)
    return stream, list(made_up_images(stream, 300))


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("address", [address_of("drive", 250), PICTURE])
def test_an_address_brings_its_moment_into_view(open_report, size, address):
    page = open_report([many(), photos()], address, size)
    page.until(lambda: page.run(IN_VIEW), "the moment is in view")
    assert page.run("return scrollY") > 0


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_next_match_comes_into_view(open_report, size):
    page = open_report([many(), many(1), photos(2)], "q=dog", size)
    count = page.run("return form.hits.length")
    page.find("next").click()
    for _ in range(count - 1):  # the last one is a picture
        page.until(lambda: page.run(IN_VIEW), "the moment is in view")
        page.run("document.getElementById('chosen-next').focus()")
        page.find("chosen-next").click()
        assert page.run("return document.activeElement.id") == "chosen-next"
    page.until(lambda: page.run(IN_VIEW), "the moment is in view")
    assert page.address().startswith(PICTURE)
    page.find("chosen-previous").click()
    assert page.address().startswith("stream=photos&picture=%2Fdata%2Fphotos%2F38.jpg")
    page.find("clear").click()
    assert not page.find("chosen-steps").is_displayed()


def test_nothing_moves_smoothly_for_who_wants_less_motion(open_report):
    page = open_report([many()], "q=dog")
    spy = """
      window.ways = [];
      Element.prototype.scrollIntoView = function (how) { ways.push(how.behavior); };
    """
    page.run(spy)
    page.find("next").click()
    page.until(lambda: page.run("return ways") == ["smooth"], "it scrolls")
    emulate = page.browser.execute_cdp_cmd
    reduced = {"name": "prefers-reduced-motion", "value": "reduce"}
    emulate("Emulation.setEmulatedMedia", {"features": [reduced]})
    page.find("next").click()
    page.until(lambda: page.run("return ways") == ["smooth", "instant"], "it jumps")
    emulate("Emulation.setEmulatedMedia", {"features": []})


def test_an_address_holds_the_whole_search(open_report):
    page = open_report([drive(), drive("night", 1)])
    dog, person = page.all(".chip")
    person.click()
    page.find("least").send_keys("2")
    page.find("lasting").send_keys("30.5")
    page.search("no dog")
    dog.click()
    dog.click()
    assert page.address() == "q=no%20dog&class=person&least=2&for=30.5"
    said = page.text("found")
    assert said == "No match (no dogs and two people)"

    page = reopened(page)

    assert page.text("found") == said
    assert [page.find(id_).get_property("value") for id_ in ("query", "least", "lasting")] == [
        *("no dog", "2", "30.5")
    ]
    pressed = [chip.get_attribute("aria-pressed") for chip in page.all(".chip")]
    assert pressed == ["false", "true"]
    page.find("lasting").send_keys("20")
    page = reopened(page)
    assert page.run(HITS) == [[60000, 80000]] * 2
    page.find("clear").click()
    assert page.address() == ""


def test_an_address_of_anything_else_is_left_alone(open_report):
    page = open_report([drive()], "class=unicorn&class=dog&least=x&for=-3&q=" + "a" * 900)
    assert page.address() == f"q={'a' * 500}&class=dog"
    assert page.find("least").get_property("value") == "1"


def test_pictures_do_not_last(open_report):
    page = open_report([drive(), photos()], "q=dog&for=1")
    assert page.run("return form.hits.map(({ stream }) => stream.name)") == ["drive"]
    page = ReportPage(page.browser, page.path, "q=dog")
    assert page.run("return form.hits.length") == 41


@pytest.mark.parametrize("source", ["/data/a.mp4", "it's a film.mp4", "-v.mp4", "-a b", "ü.mp4"])
@pytest.mark.parametrize(("seconds", "kind"), [(3.25, "video"), (10, "video"), (0.5, "bag")])
def test_a_command_is_the_one_that_i2t_find_prints(open_report, source, seconds, kind):
    topic = "/camera" if kind == "bag" else ""
    stream = Stream(0, kind, source, topic, "a", None)
    told = [told_of(stream, at, {"dog": 1}, seconds=at / 4) for at in range(60)]
    page = open_report([(stream, told)], address_of("a", seconds))
    command = page.texts("#chosen-body code")[0]
    row = Row(source, "a", b"{}", topic=topic or None, seconds=seconds)
    assert command == how_to_open(row)
    assert (source if source[0] != "-" else f"./{source}") in shlex.split(command)


@pytest.mark.parametrize(
    ("streams", "titles"),
    [
        ([("bag", "/d/run 1", "/front", 0)], ["/front"]),
        (
            [("bag", "/d/run", "/front", 0), ("video", "/d/film.mp4", "", 1)],
            ["/front run", "film.mp4"],
        ),
        (
            [("bag", "/d/1/run", "/front", 0), ("bag", "/d/2/run/", "/front", 1)],
            ["/front /d/1/run", "/front /d/2/run/"],
        ),
    ],
)
def test_timelines_have_the_names_of_topics_and_recordings(open_report, streams, titles):
    recordings = []
    for kind, source, topic, number in streams:
        stream = Stream(number, kind, source, topic, f"stream.{number}", None)
        told = [told_of(stream, at, {"dog": 1}, seconds=at) for at in range(3)]
        recordings.append((stream, told))
    page = open_report(recordings, address_of("stream.0", 1))
    assert page.texts(".stream > .bar h3") == titles
    where = " ".join(page.texts("#chosen-body .where bdi"))
    assert where == f"{titles[0]} 0:01.00"
    if len(titles) > 1:
        assert page.texts("#cards .when .soft") == titles


@pytest.mark.parametrize(
    ("kind", "rate", "count", "every", "length"),
    [
        ("video", 25, 3000, 0, "2:00"),  # the last image is at 1:59.96
        ("video", 2, 240, SECOND // 2, "2:00"),
        ("video", 2, 241, SECOND // 2, "2:00"),
        ("bag", 1, 101, 0, "1:40"),
    ],
)
def test_a_video_goes_on_as_long_as_its_last_image(open_report, kind, rate, count, every, length):
    stream = Stream(0, kind, "/data/a", "", "a", None)
    told = [told_of(stream, at, {"dog": 1}, seconds=at / rate) for at in range(count)]
    page = open_report([(stream, told)], selection=Selection(every=every))
    assert f"Length: {length} ·" in page.text("recordings")
