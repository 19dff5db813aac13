"""Questions on the page in a real browser: the answer as it comes, and what ends it."""

import base64
from dataclasses import replace

import pytest
from browser_page import DESKTOP, PASTE, PHONE, VOICES, Camera
from local_handlers import Pondering, answered
from waiting import TIME_LIMIT
from web_support import OTHER, PICTURE, RectangleDescriber, picture

from i2t_ros.errors import (
    BackendMissingError,
    LanguageModelBusyError,
    LanguageModelCutError,
    LanguageModelOffError,
)
from i2t_ros.pipeline.tasks.caption import Caption
from i2t_ros.types import Answer, CountCheck, Scene

SENTENCE = "I can see a dog and a person."
ANSWER = "There are two dogs and a person."
CHECKS = (CountCheck("dog", "dog", 2, 1), CountCheck("person", "person", 1, 1))


class Answering(Pondering):
    """Sees rectangles; tells words when it is given them, and sees a dog too many."""

    def __init__(self, error=None):
        super().__init__(error)
        self.describer = RectangleDescriber()
        self.requests = []

    async def describe(self, request):
        return self.describer(request)

    async def ask(self, request, told):
        self.requests.append(request)
        reply = await super().ask(request, told)
        return answered(reply, Answer(ANSWER, "some-vlm", 1.5, "disagrees", CHECKS), told)


def asking(bridge, open_page, handler=None, question="How many dogs are there?", **page_options):
    """Return a page that has asked about a picture, its bridge and the handler."""
    handler = handler or Answering()
    web = bridge(handler=handler)
    page = open_page(web, **page_options)
    page.drop(PICTURE)
    page.says(SENTENCE)
    ask(page, question)
    assert handler.asked.acquire(timeout=TIME_LIMIT)
    return page, web, handler


def ask(page, question):
    page.find("question").clear()
    page.find("question").send_keys(question)
    page.click("ask-send")


def say(web, handler, *words):
    for word in words:
        web.on_loop(handler.words.put_nowait, word)


def escape(page):
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

    page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_answer_appears_while_it_is_written(bridge, open_page, size):
    page, web, handler = asking(bridge, open_page, size=size)
    page.until(lambda: page.text("answer") == "Looking at it", "it says that it works")
    assert page.text("ask-send") == "Stop"
    say(web, handler, "There are")
    page.until(lambda: page.text("answer") == "There are", "the first words")
    # Who listens hears the whole answer at its end.
    assert page.find("answer").get_attribute("aria-busy") == "true"
    say(web, handler, None)
    page.until(lambda: page.text("answer") == ANSWER, "all of it")
    page.until(lambda: page.text("ask-send") == "Ask", "another question may be asked")
    assert page.find("answer").get_attribute("aria-busy") == "false"
    assert page.find("answer").get_attribute("aria-live") == "polite"
    assert page.text("disagreement") == "The detector counted differently: 1 × dog"
    assert page.text("answer-details") == "some-vlm · 1,500 ms"
    assert page.text("sentence") == SENTENCE
    (request,) = handler.requests
    assert (request.question, request.language) == ("How many dogs are there?", "en")
    assert bytes(request.picture) == PICTURE
    width = page.run("return document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0


@pytest.mark.parametrize("how", ["button", "escape", "another picture", "live"])
def test_what_stops_an_answer(bridge, open_page, how):
    page, web, handler = asking(bridge, open_page)
    say(web, handler, "There are")
    page.until(lambda: page.text("answer") == "There are", "the first words")
    if how == "button":
        page.click("ask-send")
    elif how == "escape":
        escape(page)
    elif how == "live":
        page.click("tab-live")
    else:
        page.run(PASTE, base64.b64encode(OTHER).decode())
    assert handler.cancelled.acquire(timeout=TIME_LIMIT)
    if how in ("button", "escape"):
        page.until(lambda: page.text("ask-stopped") == "Stopped", "it says so")
        assert page.text("answer") == "There are"
        assert page.text("sentence") == SENTENCE  # the picture is still there
    else:
        page.until(lambda: not page.find("answer").is_displayed(), "it was about something else")
    assert not page.find("ask-problem").is_displayed()
    assert page.text("ask-send") == "Ask"


def test_leaving_the_page_stops_an_answer(bridge, open_page):
    page, web, handler = asking(bridge, open_page)
    say(web, handler, "There are")
    page.until(lambda: page.text("answer") == "There are", "the first words")
    page.browser.get(f"{web.url}/healthz")
    assert handler.cancelled.acquire(timeout=TIME_LIMIT)


def test_enter_asks_and_neither_stops_an_answer_nor_asks_twice(bridge, open_page):
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

    page, web, handler = asking(bridge, open_page)
    page.find("question").send_keys(" And cats?", Keys.ENTER)
    say(web, handler, None)
    page.until(lambda: page.text("answer") == ANSWER, "the answer")
    assert len(handler.requests) == 1
    page.find("question").send_keys(Keys.ENTER)
    assert handler.asked.acquire(timeout=TIME_LIMIT)
    assert handler.requests[1].question == "How many dogs are there? And cats?"
    say(web, handler, None)
    page.until(lambda: page.text("answer") == ANSWER, "the answer")
    page.find("question").clear()
    page.find("question").send_keys("   ", Keys.ENTER)
    ask(page, "   ")
    assert len(handler.requests) == 2


@pytest.mark.parametrize("early", [True, False], ids=["status", "event"])
@pytest.mark.parametrize(
    ("error", "english", "spanish"),
    [
        (
            LanguageModelBusyError("HTTP 429"),
            "The language model is busy: try again in a moment",
            "El modelo de lenguaje está ocupado: inténtalo de nuevo en un momento",
        ),
        (
            LanguageModelCutError("the connection ended"),
            "The language model failed",
            "El modelo de lenguaje ha fallado",
        ),
    ],
)
def test_what_went_wrong_is_said_in_the_pages_words(
    bridge, open_page, early, error, english, spanish
):
    page, web, handler = asking(bridge, open_page, Answering(error))
    say(web, handler, *([] if early else ["There are"]), None)
    page.until(lambda: page.text("ask-problem") == english, "the reason")
    page.choose("language", "es")
    page.until(lambda: page.text("ask-problem") == spanish, "the reason in Spanish")
    assert page.text("ask-send") == "Preguntar"
    assert page.find("question").get_attribute("placeholder") == "¿Está abierta la puerta?"
    handler.error = None
    ask(page, "¿Cuántos perros hay?")
    say(web, handler, None)
    page.until(lambda: page.text("answer") == ANSWER, "an answer")
    assert not page.find("ask-problem").is_displayed()
    assert handler.requests[-1].language == "es"


def test_without_a_language_model_the_field_says_so(bridge, open_page):
    page, web, handler = asking(bridge, open_page, Answering(LanguageModelOffError("no URL")))
    say(web, handler, None)
    told = "No language model is set up for this robot"
    page.until(lambda: page.text("ask-problem") == told, "the reason")
    for id_ in ("question", "ask-send"):
        page.until(lambda: not page.find(id_).is_enabled(), id_)  # noqa: B023
    page.run(PASTE, base64.b64encode(OTHER).decode())
    page.says("I can see a kite.")
    assert page.text("ask-problem") == told
    assert not page.find("question").is_enabled()


def test_a_server_that_goes_away_in_the_middle(bridge, open_page):
    page, web, handler = asking(bridge, open_page)
    say(web, handler, "There are")
    page.until(lambda: page.text("answer") == "There are", "the first words")
    page.browser.execute_cdp_cmd("Network.enable", {})
    for connection in web.on_loop(lambda: list(web.server._server.server_state.connections)):
        web.on_loop(connection.transport.abort)
    page.until(lambda: page.text("ask-problem") == "The server does not answer", "it says so")
    assert page.text("answer") == "There are"
    page.browser.get_log("browser")  # says that requests failed


def test_a_question_about_a_live_camera(bridge, open_page):
    handler = Answering()
    web = bridge(handler=handler)
    page = open_page(web)
    with Camera(web, "door", picture([("dog", (40, 60, 140, 200))], extension=".jpg")):
        page.until(lambda: page.text("live-note").endswith("door"), "it is there")
        ask(page, "Who is there?")
        say(web, handler, None)
        page.until(lambda: page.text("answer") == ANSWER, "the answer")
    (request,) = handler.requests
    assert request.fresh
    assert request.picture.format == "jpeg"
    page.click("tab-picture")  # without a picture there is nothing to ask about
    page.until(lambda: not page.find("asking").is_displayed(), "the field is hidden")


def test_the_servers_history_can_be_asked_about(bridge, open_page, tmp_path):
    from i2t_ros.bridges.http.settings import HistorySettings  # noqa: PLC0415

    history = HistorySettings(f"sqlite:///{tmp_path}/h.db", str(tmp_path / "kept"))
    web = bridge(history=history)
    with web.client() as client:
        client.post("/v1/describe", content=PICTURE)
    page = open_page(web)
    shown = "return document.querySelectorAll('#history img').length"
    page.until(lambda: page.run(shown) == 1, "one")
    page.run("document.querySelector('#history button').click()")
    page.says(SENTENCE)
    ask(page, "What is it?")
    page.until(lambda: page.text("answer") == SENTENCE, "the answer")
    assert bytes(web.describer.asked[-1].picture) == PICTURE


def test_an_answer_is_read_aloud(bridge, open_page):
    handler = Answering()
    web = bridge(handler=handler)
    page = open_page(web)
    page.run(VOICES, ["en-US"])
    page.drop(PICTURE)
    page.says(SENTENCE)
    page.click("speak")
    page.until(lambda: page.run("return window.said.length"), "the sentence is read")
    ask(page, "How many?")
    say(web, handler, None)
    page.until(lambda: [ANSWER, "en"] in page.run("return window.said"), "the answer is read")
    assert handler.requests[0].spoken


def test_a_robot_without_words_for_a_voice_answers_all_the_same(bridge, open_page):
    handler = Answering()
    web = bridge(handler=handler)
    page = open_page(web)
    page.run(VOICES, ["en-US"])
    page.drop(PICTURE)
    page.says(SENTENCE)
    page.click("speak")
    page.until(lambda: page.run("return window.said.length"), "the sentence is read")
    handler.error = BackendMissingError("spoken needs a package")
    ask(page, "How many?")
    assert handler.asked.acquire(timeout=TIME_LIMIT)
    say(web, handler, None)
    assert handler.asked.acquire(timeout=TIME_LIMIT)
    handler.error = None
    say(web, handler, None)
    page.until(lambda: page.text("answer") == ANSWER, "the answer")
    assert [request.spoken for request in handler.requests] == [True, False]


@pytest.mark.parametrize(("style", "times"), [("sentence", 1), ("caption", 0)])
def test_a_caption_is_shown_once(bridge, open_page, style, times):
    words = "A dog waits beside a person."
    plain = RectangleDescriber()

    def describe(request):
        reply = plain(replace(request, tasks=()))
        found = reply.description
        scene = Scene(320, 240, {**found.scene.results, "caption": Caption(words)})
        sentence = words if style == "caption" else found.sentence
        captioned = replace(found, scene=scene, sentence=sentence, style=style)
        return replace(reply, description=captioned)

    page = open_page(bridge(describe))
    page.drop(PICTURE)
    page.says(words if style == "caption" else SENTENCE)
    assert page.text("more").count(words) == times
    chip = page.run("return document.querySelector('[data-task=caption]').textContent")
    assert chip == "Caption"


def test_arabic_reads_from_the_right(bridge, open_page):
    handler = Answering()
    web = bridge(handler=handler)
    page = open_page(web)
    page.choose("language", "ar")
    page.drop(PICTURE)
    page.until(lambda: page.find("asking").is_displayed(), "the field")
    field, button = (page.find(id_).rect for id_ in ("question", "ask-send"))
    assert button["x"] + button["width"] < field["x"]
    label = page.run("return document.querySelector('label[for=question]').textContent")
    assert label == "سؤال عن الصورة"
