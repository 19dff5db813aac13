"""Live in a real browser: the stream, its words, and what they cost."""

from browser_page import Camera, close_to
from frame_sinks import Sink
from web_support import picture


def seeing(bridge, **settings):
    """Start a web bridge whose WebSocket cameras a detector sees."""
    sink = Sink()
    web = bridge(sink=sink, **settings)
    sink.hub = web.hub
    return web


def test_placeholder_to_live_and_back(bridge, open_page):
    web = seeing(bridge, stale_time=1.0)
    page = open_page(web)
    page.until(lambda: page.stream_pixel()[0] == 640, "the placeholder")
    page.until(lambda: page.text("live-note") == "No camera is connected", "it says so")
    frame = picture([("dog", (40, 60, 140, 200))], extension=".jpg")
    for _ in range(2):
        with Camera(web, "door", frame):
            page.until(lambda: page.stream_pixel()[0] == 320, "live pictures")
            page.says("I can see a dog.")
            # The middle of the dog is blue, and its edge is drawn.
            _, red, green, blue, _ = page.stream_pixel(90 / 320, 130 / 240)
            assert blue > 150 > max(red, green)
            page.until(lambda: not page.find("live-note").is_displayed(), "the note goes")
        page.until(lambda: page.stream_pixel()[0] == 640, "the placeholder again")
        page.until(lambda: page.find("live-note").is_displayed(), "it says why")


def test_live_words_follow_the_camera_the_language_and_the_choice(bridge, open_page):
    web = seeing(bridge)
    dog = picture([("dog", (40, 60, 140, 200))], extension=".jpg")
    kite = picture([("kite", (40, 60, 140, 200))], extension=".jpg")
    page = open_page(web)
    with Camera(web, "front", dog), Camera(web, "rear", kite):
        page.until(lambda: page.text("sentence"), "words")
        page.until(lambda: page.find("cameras").is_displayed(), "there is a choice")
        page.choose("camera", "rear")
        page.says("I can see a kite.")
        page.choose("language", "fr")
        page.says("Je vois un cerf-volant.")
        page.click("boxes")  # off: the pictures as they come
        page.until(
            lambda: close_to(page.stream_pixel(40 / 320, 0.5)[1:4], [0, 255, 0], 40), "plain"
        )
        page.click("keep")
        page.until(lambda: page.find("result").is_displayed(), "the frame is kept as a picture")
        page.until(lambda: len(page.boxes()) == 1, "with its box")
        assert close_to(page.boxes()[0][2], [40, 60, 140, 200], 6)


def test_a_hidden_page_costs_nothing(bridge, open_page):
    web = bridge()
    page = open_page(web)
    page.until(lambda: web.services.viewers == 2, "pictures and words")
    page.click("tab-picture")
    page.until(lambda: web.services.viewers == 0, "nobody watches")
    page.click("tab-live")
    page.until(lambda: web.services.viewers == 2, "again")


def test_the_state_of_the_detector_is_shown(bridge, open_page):
    reason = "gone"
    page = open_page(bridge(unready=lambda: reason))
    page.until(lambda: page.text("state") == "The detector cannot be reached", "it says so")
    reason = ""
    page.until(lambda: page.text("state") == "Ready", "and that it is back")


def test_colors_stand_beside_boxes_of_the_page_only(bridge, open_page):
    """On live pictures the robot draws, in colors of its own."""
    web = seeing(bridge)
    dog = picture([("dog", (40, 60, 140, 200))], extension=".jpg")
    page = open_page(web)
    swatch = "return document.querySelector('#objects .swatch')?.offsetWidth ?? null"
    with Camera(web, "front", dog):
        page.until(lambda: page.run(swatch) == 0, "live, without")
        page.click("keep")
        page.until(lambda: page.run(swatch), "a picture, with")
