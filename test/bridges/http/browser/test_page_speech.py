"""Reading aloud in a real browser: which voices there are, and what they are given."""

import pytest
from browser_page import VOICES
from web_support import PICTURE, RectangleDescriber

from i2t_ros.errors import BackendMissingError

# As if the page would wait for voices for ever.
PATIENT = """
const real = window.setTimeout;
window.setTimeout = (then, time, ...more) => time === 2000 ? 0 : real(then, time, ...more);
"""
COME = "window.voices = arguments[0]; speechSynthesis.dispatchEvent(new Event('voiceschanged'))"
FAIL = """
const error = arguments[0];
Object.defineProperty(speechSynthesis, "speak", {value: (utterance) => utterance.dispatchEvent(
  new SpeechSynthesisErrorEvent("error", {utterance, error}))});
"""
ENGLISH = "I can see a dog and a person."
NO_VOICE = "This browser has no voice for this language"


def showing(bridge, open_page, voices=None, describe=None):
    """Return a page that shows a picture, and the bridge."""
    web = bridge(describe)
    page = open_page(web)
    if voices is not None:
        page.run(VOICES, voices)
    page.drop(PICTURE)
    page.says(ENGLISH)
    return page, web


def said(page):
    return page.run("return window.said")


def pressed(page):
    return page.find("speak").get_attribute("aria-pressed") == "true"


def test_reading_aloud(bridge, open_page):
    page, _ = showing(bridge, open_page, ["en-US", "es_ES"])
    assert said(page) == []
    page.click("speak")
    page.until(lambda: said(page), "what is shown is read")
    page.choose("language", "es")
    page.says("Veo un perro y una persona.")
    assert said(page)[0] == [ENGLISH, "en"]
    assert ["Veo un perro y una persona.", "es"] in said(page)
    assert pressed(page)
    assert page.text("no-voice") == ""


def test_what_is_read_aloud_is_put_for_a_voice(bridge, open_page):
    pytest.importorskip("unicode_rbnf")
    page, web = showing(bridge, open_page, ["en"])
    assert not web.describer.asked[-1].spoken
    page.click("speak")
    page.until(lambda: said(page), "the words that were there are read")
    assert web.describer.asked[-1].spoken
    page.click("speak")
    page.until(lambda: not web.describer.asked[-1].spoken, "words for a reader again")


class Silent(RectangleDescriber):
    """Has no words for a voice."""

    def __call__(self, request):
        if request.spoken:
            raise BackendMissingError("spoken needs a package")
        return super().__call__(request)


def test_without_words_for_a_voice_those_for_a_reader_are_read(bridge, open_page):
    page, _ = showing(bridge, open_page, ["en"], Silent())
    page.click("speak")
    page.until(lambda: said(page) == [[ENGLISH, "en"]], "it is read")
    assert page.text("problem") == ""


def test_a_browser_without_voices_says_so(bridge, open_page):
    page, web = showing(bridge, open_page)
    assert page.run("return speechSynthesis.getVoices().length") == 0
    page.choose("language", "ar")
    page.until(lambda: page.run("return document.documentElement.lang") == "ar", "Arabic")
    page.click("speak")
    none = "لا توجد في هذا المتصفح أصوات للقراءة بصوت عالٍ"
    page.until(lambda: page.text("no-voice") == none, "it says so in Arabic")
    assert not pressed(page)
    assert not any(request.spoken for request in web.describer.asked)
    page.choose("language", "en")
    page.says(ENGLISH)
    assert page.text("no-voice") == ""  # of another language


def test_a_voice_of_another_language_does_not_do(bridge, open_page):
    page, _ = showing(bridge, open_page, ["de-DE", "", "not a tag"])
    page.click("speak")
    page.until(lambda: page.text("no-voice") == NO_VOICE, "it says so")
    assert not pressed(page)
    assert said(page) == []
    page.run("window.voices = ['en-IN', 'cmn-CN']")
    page.click("speak")
    page.until(lambda: said(page) == [[ENGLISH, "en"]], "one has been installed")
    assert page.text("no-voice") == ""
    page.choose("language", "zh")
    page.until(lambda: said(page)[-1][1] == "zh", "a voice under its other name")
    page.choose("language", "ko")
    page.until(lambda: page.text("no-voice"), "none for the new language")
    assert not pressed(page)
    page.until(lambda: page.run("return document.querySelector('#sentence').lang") == "ko", "ko")
    assert said(page)[-1][1] == "zh"


def test_voices_may_come_late(bridge, open_page):
    page, _ = showing(bridge, open_page, [])
    page.run(PATIENT)
    page.click("speak")
    page.click("speak")  # and off again
    page.run(COME, ["en"])
    page.run("window.voices = []")
    page.click("speak")
    assert pressed(page)
    page.run(COME, ["de"])
    assert pressed(page)
    assert said(page) == []
    page.run(COME, ["de", "en"])
    page.until(lambda: said(page) == [[ENGLISH, "en"]], "once")
    assert pressed(page)


@pytest.mark.parametrize(
    ("error", "note"),
    [("voice-unavailable", NO_VOICE), ("synthesis-failed", "It did not work: synthesis-failed")],
)
def test_a_voice_that_fails_releases_the_button(bridge, open_page, error, note):
    page, web = showing(bridge, open_page, ["en"])
    page.run(FAIL, error)
    page.click("speak")
    page.until(lambda: page.text("no-voice") == note, "it says so")
    assert not pressed(page)
    page.until(lambda: not web.describer.asked[-1].spoken, "words for a reader again")
