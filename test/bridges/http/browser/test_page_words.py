"""What the page says in a real browser: lists that change, failures, languages, keys."""

import threading

from browser_page import PHONE
from making import classes_of, scene_of
from web_support import OTHER, PICTURE, RectangleDescriber, picture

from i2t_ros.errors import ModelMissingError, UnknownTaskError
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.telling import tell
from i2t_ros.types import DescribeReply, Description
from i2t_ros.vision.codecs import decode_image

# Calls a function of a module of the page; ``await`` in a script needs a callback.
CALL = """
const [module, name, values, done] = arguments;
import(`./static/${module}.js`)
  .then((found) => found[name](...values)).then(done, (error) => done(`${error}`));
"""
FOCUSED = "return document.activeElement.id || document.activeElement.textContent"


def offline(page, on):
    page.browser.execute_cdp_cmd("Network.enable", {})
    page.browser.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": on, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
    )
    page.browser.get_log("browser")  # says that requests failed


def escape(page):
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

    page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)


class Robot(RectangleDescriber):
    """Also classifies; it has no model for faces, and not the weights for texts."""

    def __call__(self, request):
        self.asked.append(request)
        tasks = request.tasks or ("detect",)
        if "faces" in tasks:
            raise UnknownTaskError("task 'faces' is not available here")
        options = DescribeOptions().for_request(request)
        image = decode_image(request.picture)
        found = {"detections": self.find(image)} if "detect" in tasks else {}
        failures = {"text": ModelMissingError("the weights of x")} if "text" in tasks else {}
        if "classify" in tasks:
            found["classification"] = classes_of(["cat", "dog", "kite"], [0.62, 0.3, 0.02])
        scene = scene_of(image.shape[1], image.shape[0], failures=failures, **found)
        sentence = tell(scene, options)
        return DescribeReply(
            Description(scene, sentence, options.language, options.style, self.model, 0.001)
        )


def test_task_switches_classes_with_percentages_and_what_failed(bridge, open_page):
    web = bridge(Robot())
    page = open_page(web)
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    pressed = (
        "return [...document.querySelectorAll('#tasks [aria-pressed=true]')]"
        ".map(button => button.dataset.task)"
    )
    assert page.run(pressed) == ["detect"]  # what the robot does by itself
    click = "document.querySelector(`#tasks [data-task=${arguments[0]}]`).click()"
    page.run(click, "classify")
    page.until(lambda: "62%" in page.text("more"), "the classes")
    assert web.describer.asked[-1].tasks == ("detect", "classify")
    assert "cat" in page.text("more")
    assert "30%" in page.text("more")
    assert "2%" not in page.text("more").replace("62%", "")  # nothing unlikely
    page.run(click, "text")
    page.until(lambda: "Texts: A model is not installed" in page.text("more"), "what failed")
    page.choose("language", "es")
    page.until(lambda: "Textos: Falta un modelo" in page.text("more"), "in Spanish")
    page.run(click, "faces")
    page.until(lambda: page.text("problem") == "El robot no tiene un modelo para eso", "refused")
    assert page.text("sentence").startswith("Veo un perro y una persona")  # the old words stay
    assert len(page.boxes()) == 2
    for task in ("faces", "text", "classify", "detect"):
        page.run(click, task)
    page.until(lambda: web.describer.asked[-1].tasks == (), "none: the robot's own")


def test_a_list_with_the_focus_changes_and_keeps_it(bridge, open_page):
    page = open_page(bridge())
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")

    def show(*names):
        objects = [
            {"class_id": name, "label": name, "count": n, "max_score": 0.5} for name, n in names
        ]
        page.call("found", "showFound", {"objects": objects})
        rows = page.run(
            "return [...document.querySelectorAll('#objects li')].map(r => r.textContent)"
        )
        assert rows == [f"{name}{n} · 50%" for name, n in names]
        return page.run("return document.activeElement.querySelector('.label')?.textContent")

    page.run("document.querySelectorAll('#objects button')[1].focus()")
    assert show(("dog", 2), ("person", 3)) == "person"
    assert show(("person", 3), ("kite", 1), ("dog", 2)) == "person"
    assert show(("kite", 1), ("cat", 1), ("person", 3)) == "person"
    assert show(("kite", 1), ("cat", 1)) == "cat"  # its neighbor, when it goes
    show()
    page.drop(OTHER)
    page.says("I can see a kite.")
    page.run("document.querySelectorAll('#history button')[1].focus()")  # the first picture
    page.drop(picture([("person", (10, 10, 60, 60))]))
    page.says("I can see a person.")
    assert page.run(FOCUSED) == "I can see a dog and a person."


def test_the_language_changes_without_the_server(bridge, open_page):
    page = open_page(bridge())
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    loaded = (
        "return performance.getEntriesByType('resource')"
        ".filter(entry => entry.name.endsWith('.json')).length"
    )
    page.until(lambda: page.run(loaded) >= 21, "all languages are there")
    offline(page, True)
    try:
        page.choose("language", "de")
        page.until(lambda: page.browser.title == "Was der Roboter sieht", "German")
        page.until(lambda: page.text("problem") == "Der Server antwortet nicht", "it says so")
        assert page.text("sentence") == "I can see a dog and a person."  # better than none
        assert len(page.boxes()) == 2
        page.drop(OTHER)
        page.until(lambda: not page.text("sentence"), "the picture is not described")
        page.until(lambda: page.text("problem") == "Der Server antwortet nicht", "in words")
        assert page.find("drop").is_displayed()
    finally:
        offline(page, False)
    page.drop(OTHER)
    page.says("Ich sehe einen Drachen.")
    page.browser.get_log("browser")


def test_a_language_that_cannot_be_loaded_leaves_the_page_as_it_is(bridge, open_page):
    page = open_page(bridge())
    page.run("window.fetch = () => Promise.reject(new Error('off'))")
    page.choose("language", "xx")
    page.until(lambda: page.text("problem") == "The server does not answer", "it says so")
    assert page.find("language").get_attribute("value") == "en"
    assert page.browser.title == "What the robot sees"


def test_escape_and_focus(bridge, open_page, tmp_path):
    page = open_page(bridge())
    page.click("tab-picture")
    page.click("take")
    page.until(lambda: page.find("shutter").is_displayed(), "the viewfinder")
    escape(page)
    page.until(lambda: page.find("drop").is_displayed(), "back")
    assert not page.find("viewfinder").is_displayed()
    assert page.run(FOCUSED) == "take"
    path = tmp_path / "photo.png"
    path.write_bytes(PICTURE)
    page.run("document.getElementById('choose').focus()")
    page.find("file").send_keys(str(path))
    page.says("I can see a dog and a person.")
    assert page.run(FOCUSED) == "another"
    page.click("another")
    assert page.run(FOCUSED) == "choose"
    page.drop(b"no picture", "notes.png")
    page.until(lambda: page.text("problem") == "That is not a picture", "refused")
    assert page.run(FOCUSED) == "choose"


def test_escape_at_the_token_leaves_a_way_back(bridge, open_page):
    token = "a-token-for-this-test"  # noqa: S105
    page = open_page(bridge(token=token))
    page.until(lambda: page.find("login").is_displayed(), "it asks")
    escape(page)
    page.until(lambda: not page.find("login").is_displayed(), "it goes")
    assert page.text("problem") == "The token is needed"
    page.until(lambda: page.run(FOCUSED) == "sign-in", "the way back")
    page.click("sign-in")
    page.find("token").send_keys(token + "\n")
    page.until(lambda: page.stream_pixel()[0] == 640, "the stream plays")
    assert not page.find("sign-in").is_displayed()
    page.browser.delete_all_cookies()


def test_the_place_in_the_queue(bridge, open_page):
    go_on = threading.Event()
    rectangles = RectangleDescriber()

    def slow(request):
        assert go_on.wait(30)
        return rectangles(request)

    web = bridge(slow)
    page = open_page(web)

    def ask():
        with web.client() as client:
            client.post("/v1/describe", content=OTHER)

    first = threading.Thread(target=ask)
    first.start()
    try:
        page.until(lambda: web.services.pending == 1, "another's request is being answered")
        page.drop(PICTURE)
        page.until(lambda: page.text("place") == "Place 2 in the queue", "its place")
        page.choose("language", "de")  # asks anew; the first one may still count
        page.until(lambda: page.text("place").endswith("in der Warteschlange"), "in German")
        escape(page)
        page.until(lambda: page.find("drop").is_displayed(), "Escape ends the waiting")
    finally:
        go_on.set()
        first.join(30)
    page.drop(PICTURE)
    page.choose("language", "es")  # while it is on its way: it is remembered nevertheless
    page.says("Veo un perro y una persona.")
    page.until(lambda: "Veo un perro y una persona." in page.text("history"), "it is remembered")


def test_why_live_words_do_not_come_is_said(bridge, open_page):
    web = bridge(max_viewers=2)
    with web.client() as client:
        with client.stream("GET", "/stream"), client.stream("GET", "/stream"):
            page = open_page(web)
            busy = "The robot is busy: try again in a moment"
            page.until(lambda: page.text("problem") == busy, "it says so")
        page.until(lambda: not page.text("problem"), "it tries again")


def test_korean_breaks_between_words_and_captions_are_whole_lines(bridge, open_page):
    page = open_page(bridge(), size=PHONE)
    page.choose("language", "ko")
    page.until(lambda: page.run("return document.documentElement.lang") == "ko", "Korean")
    for data in (PICTURE, OTHER):
        page.drop(data)
        page.until(lambda: page.text("sentence"), "words")
    page.until(
        lambda: page.run("return document.querySelectorAll('#history span').length") == 2, "2"
    )
    # As long as a sentence gets; the caption ends after a line, whatever its length.
    page.run(
        "for (const span of document.querySelectorAll('#history span'))"
        " span.textContent = '사람 여섯 명과 연 네 개가 보입니다. '.repeat(9)"
    )
    heights = page.run(
        "return [...document.querySelectorAll('#history span')].map(span => {"
        " const style = getComputedStyle(span);"
        " return [span.clientHeight / parseFloat(style.lineHeight), style.wordBreak]; })"
    )
    for lines, word_break in heights:
        assert abs(lines - round(lines)) < 0.1
        assert word_break == "keep-all"
    for id_ in ("sentence", "no-recent", "problem", "drop"):
        style = page.run(
            "return getComputedStyle(document.getElementById(arguments[0])).wordBreak", id_
        )
        assert style == "keep-all"
