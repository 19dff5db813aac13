"""The page in a real browser: what a person does with it, and sees."""

import base64
import json
import threading
from pathlib import Path

import pytest
from web_support import BOXES, PICTURE, picture, until

from i2t_ros.describer import DescribeOptions, Describer
from i2t_ros.detector import open_detector

LIMIT = 20.0
DESKTOP, PHONE = (1280, 900), (390, 844)

# Drops a file onto an element, as the browser's own events do it.
DROP = """
const [element, data, name, kind] = arguments;
const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
const carried = new DataTransfer();
carried.items.add(new File([bytes], name, {type: kind}));
const options = {dataTransfer: carried, bubbles: true, cancelable: true};
for (const type of ["dragenter", "dragover", "drop"]) {
  element.dispatchEvent(new DragEvent(type, options));
}
"""
PASTE = """
const bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));
const carried = new DataTransfer();
carried.items.add(new File([bytes], "pasted.png", {type: "image/png"}));
document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: carried, bubbles: true}));
"""
# Where the boxes are on the screen, in pixels of the picture.
BOXES_ON_SCREEN = """
const image = document.getElementById("result-image");
const frame = image.getBoundingClientRect();
const scale = Math.min(frame.width / image.naturalWidth, frame.height / image.naturalHeight);
const left = frame.left + (frame.width - image.naturalWidth * scale) / 2;
const top = frame.top + (frame.height - image.naturalHeight * scale) / 2;
return [...document.querySelectorAll("#overlay g[data-kind=object]")].map((group) => {
  const box = group.querySelector("rect:not(.plate)").getBoundingClientRect();
  return [group.dataset.class, group.querySelector("text").textContent,
    [(box.left - left) / scale, (box.top - top) / scale,
     (box.right - left) / scale, (box.bottom - top) / scale]];
});
"""
# The middle pixel of the stream as it is shown; the canvas may read it, being of one origin.
STREAM_PIXEL = """
const image = document.getElementById("stream");
if (!image.naturalWidth) return [0, 0, 0, 0, 0];
const canvas = document.createElement("canvas");
canvas.width = image.naturalWidth;
canvas.height = image.naturalHeight;
const context = canvas.getContext("2d");
context.drawImage(image, 0, 0);
const [x, y] = [arguments[0] * canvas.width, arguments[1] * canvas.height];
return [image.naturalWidth, ...context.getImageData(x, y, 1, 1).data];
"""


class Page:
    """The page as a person meets it."""

    def __init__(self, browser, url, size=DESKTOP):
        self.browser = browser
        self.resize(*size)
        browser.get(url)
        browser.execute_script("localStorage.clear()")
        browser.get_log("browser")
        browser.get(url)
        self.until(lambda: self.run("return document.documentElement.dataset.ready"), "it starts")

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def until(self, condition, what):
        until(condition, what, LIMIT)

    def resize(self, width, height):
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def find(self, id_):
        return self.browser.find_element("id", id_)

    def text(self, id_):
        return self.find(id_).text

    def click(self, id_):
        self.find(id_).click()

    def says(self, sentence):
        self.until(lambda: self.text("sentence") == sentence, f"it says {sentence!r}")

    def drop(self, data, name="photo.png", kind="image/png"):
        self.run(DROP, self.find("stage"), base64.b64encode(data).decode(), name, kind)

    def choose(self, id_, value):
        self.run(
            "const [element, value] = arguments; element.value = value;"
            "element.dispatchEvent(new Event('change'));",
            self.find(id_),
            value,
        )

    def boxes(self):
        return self.run(BOXES_ON_SCREEN)

    def stream_pixel(self, x=0.5, y=0.5):
        return self.run(STREAM_PIXEL, x, y)

    def complaints(self):
        """Return what the browser's console says, but for refusals that a test provokes."""
        entries = [entry["message"] for entry in self.browser.get_log("browser")]
        return [text for text in entries if "status of 4" not in text and "status of 5" not in text]


@pytest.fixture
def open_page(chromium):
    pages = []

    def open_(bridge, **options):
        pages.append(Page(chromium, bridge.url, **options))
        return pages[-1]

    yield open_
    for page in pages:
        assert page.complaints() == []
    chromium.get("about:blank")


class Camera(threading.Thread):
    """Sends frames of a colour over WebSocket until it is stopped."""

    def __init__(self, bridge, name, frame, rate=10):
        super().__init__()
        self._url = f"{bridge.url.replace('http', 'ws')}/ws/{name}"
        self._stopped = threading.Event()
        self._frame, self._rate = frame, rate
        self.start()

    def run(self):
        from websockets.sync.client import connect  # noqa: PLC0415

        with connect(self._url, compression=None) as socket:
            while not self._stopped.wait(1 / self._rate):
                socket.send(self._frame)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self.join(20)


def close_to(found, expected, tolerance=2.0):
    return all(abs(a - b) <= tolerance for a, b in zip(found, expected, strict=True))


# --- pictures


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_dropped_picture_is_described_and_boxes_lie_over_the_right_things(
    bridge, open_page, size
):
    page = open_page(bridge(), size=size)
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    page.until(lambda: len(page.boxes()) == 2, "two boxes")
    for name, label, box in page.boxes():
        assert label == f"{name} 90%"
        assert close_to(box, BOXES[name]), (name, box, BOXES[name])
    assert page.find("tab-picture").get_attribute("aria-selected") == "true"
    assert page.find("result-image").get_attribute("alt") == "I can see a dog and a person."
    page.resize(700, 600)  # and they stay over them
    page.until(lambda: close_to({n: box for n, _, box in page.boxes()}["dog"], BOXES["dog"]), "so")


def test_a_picture_from_a_file_from_the_clipboard_and_what_is_none(bridge, open_page, tmp_path):
    page = open_page(bridge())
    page.click("tab-picture")
    path = tmp_path / "photo.png"
    path.write_bytes(PICTURE)
    page.find("file").send_keys(str(path))
    page.says("I can see a dog and a person.")
    page.run(PASTE, base64.b64encode(picture([("kite", (10, 10, 60, 60))])).decode())
    page.says("I can see a kite.")
    page.drop(b"this is a text", "notes.png")
    page.until(lambda: page.text("problem") == "That is not a picture", "it is refused in words")
    assert page.find("drop").is_displayed()
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    assert not page.find("problem").is_displayed()


def test_a_photo_from_the_cameras_viewfinder(bridge, open_page):
    web = bridge()
    page = open_page(web)
    page.click("tab-picture")
    page.click("take")
    page.until(lambda: page.find("viewfinder").is_displayed(), "the viewfinder")
    page.until(lambda: page.run("return document.getElementById('viewfinder').videoWidth"), "video")
    page.click("shoot")
    page.until(lambda: page.text("sentence"), "a sentence")
    assert web.describer.asked
    assert not page.find("viewfinder").is_displayed()
    page.click("another")
    page.click("take")
    page.until(lambda: page.find("shutter").is_displayed(), "the viewfinder again")
    page.click("cancel")
    page.until(lambda: page.find("drop").is_displayed(), "back")


def test_results_are_remembered_and_can_be_copied(bridge, open_page):
    page = open_page(bridge())
    for data in (PICTURE, picture([("kite", (10, 10, 60, 60))])):
        page.drop(data)
        page.until(lambda: page.text("sentence"), "words")
    page.says("I can see a kite.")
    entries = "return [...document.querySelectorAll('#history span')].map(e => e.textContent)"
    assert page.run(entries) == ["I can see a kite.", "I can see a dog and a person."]
    page.run("document.querySelectorAll('#history button')[1].click()")
    page.says("I can see a dog and a person.")
    page.browser.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    page.click("copy")
    page.until(lambda: page.text("copy") == "Copied", "it is copied")
    pasted = page.browser.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0], () => arguments[0](''))"
    )
    assert json.loads(pasted)["objects"][0]["class_id"] == "dog"


def test_the_servers_history_is_shown(bridge, open_page, tmp_path):
    from i2t_ros.bridges.http.settings import HistorySettings  # noqa: PLC0415

    history = HistorySettings(f"sqlite:///{tmp_path}/h.db", str(tmp_path / "kept"))
    web = bridge(history=history)
    with web.client() as client:
        client.post("/v1/describe", content=PICTURE)
    page = open_page(web)
    page.until(
        lambda: page.run("return document.querySelectorAll('#history img').length") == 1, "one"
    )
    page.choose("language", "es")
    page.until(lambda: "Veo un perro y una persona." in page.text("history"), "in Spanish")
    page.run("document.querySelector('#history button').click()")
    page.says("Veo un perro y una persona.")
    page.until(lambda: len(page.boxes()) == 2, "boxes")


def test_pointing_at_a_class_shows_where_it_is(bridge, open_page):
    page = open_page(bridge())
    page.drop(PICTURE)
    page.until(lambda: len(page.boxes()) == 2, "boxes")
    page.run("document.querySelector('#objects button').focus()")
    picked = page.run(
        "return [...document.querySelectorAll('#overlay .picked')].map(g => g.dataset.class)"
    )
    assert picked == ["dog"]


# --- languages


def test_the_language_is_the_browsers_and_can_be_changed(bridge, open_page):
    page = open_page(bridge())
    assert page.run("return document.documentElement.lang") == "en"
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    for tag, sentence, label, title in (
        ("es", "Veo un perro y una persona.", "perro", "Lo que ve el robot"),
        ("ja", None, "犬", "ロボットが見ているもの"),
        ("de", "Ich sehe einen Hund und eine Person.", "Hund", "Was der Roboter sieht"),
    ):
        page.choose("language", tag)
        page.until(lambda: page.text("objects").startswith(label), tag)  # noqa: B023
        if sentence:
            page.says(sentence)
        assert page.browser.title == title
        assert page.run("return document.documentElement.lang") == tag
        page.until(lambda: any(text.startswith(label) for _, text, _ in page.boxes()), tag)  # noqa: B023
    page.browser.refresh()
    page.until(lambda: page.browser.title == "Was der Roboter sieht", "it is remembered")


# --- live


def test_placeholder_to_live_and_back(bridge, open_page):
    web = bridge(stale_time=1.0)
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
    web = bridge()
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


# --- keyboard, theme, token


def test_everything_can_be_reached_with_the_keyboard(bridge, open_page):
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

    page = open_page(bridge())
    order = []
    for _ in range(12):
        page.browser.switch_to.active_element.send_keys(Keys.TAB)
        active = page.browser.switch_to.active_element
        order.append(active.get_attribute("id") or active.get_attribute("class"))
    assert order[:5] == ["skip", "language", "theme", "tab-live", "boxes"]
    page.find("tab-live").send_keys(Keys.ARROW_RIGHT)
    assert page.browser.switch_to.active_element.get_attribute("id") == "tab-picture"
    assert page.find("drop").is_displayed()
    nameless = page.run(
        "return [...document.querySelectorAll('button, select, a, input:not([aria-hidden])')]"
        ".filter(e => e.offsetParent && !(e.textContent.trim() || e.ariaLabel || e.labels?.length))"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []


def test_dark_and_light(bridge, open_page):
    page = open_page(bridge())
    ground = "return getComputedStyle(document.body).backgroundColor"
    first = page.run(ground)
    page.click("theme")
    second = page.run(ground)
    assert {first, second} == {"rgb(244, 246, 248)", "rgb(14, 19, 24)"}
    page.browser.refresh()
    page.until(lambda: page.run("return document.documentElement.dataset.ready"), "reloaded")
    assert page.run(ground) == second


def test_reading_aloud(bridge, open_page):
    page = open_page(bridge())
    page.run(
        "window.said = [];"
        "Object.defineProperty(window.speechSynthesis, 'speak',"
        " {value: (words) => window.said.push([words.text, words.lang])})"
    )
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    assert page.run("return window.said") == []
    page.click("speak")
    page.choose("language", "es")
    page.says("Veo un perro y una persona.")
    said = page.run("return window.said")
    assert said[0] == ["I can see a dog and a person.", "en"]
    assert ["Veo un perro y una persona.", "es"] in said


def test_a_token_is_asked_for_once(bridge, open_page):
    token = "a-token-for-this-test"  # noqa: S105
    web = bridge(token=token)
    page = open_page(web)
    page.until(lambda: page.find("login").is_displayed(), "it asks")
    assert web.services.viewers == 0
    page.find("token").send_keys("wrong-wrong-wrong\n")
    page.until(lambda: page.find("login-problem").is_displayed(), "it is refused")
    page.find("token").clear()
    page.find("token").send_keys(token + "\n")
    page.until(lambda: not page.find("login").is_displayed(), "it is taken")
    page.until(lambda: page.stream_pixel()[0] == 640, "the stream plays")
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    page.browser.refresh()
    page.until(lambda: web.services.viewers == 2, "it is remembered")
    page.browser.delete_all_cookies()


# --- documentation, and the real model


def test_the_documentation_tries_requests_out(bridge, chromium):
    web = bridge()
    chromium.get(f"{web.url}/docs")

    def find(css):
        return chromium.find_elements("css selector", css)

    until(lambda: find("#operations-state-alive_healthz_get"), "Swagger UI", LIMIT)
    find("#operations-state-alive_healthz_get .opblock-summary-control")[0].click()
    until(lambda: find(".execute"), "a button to try it", LIMIT)
    find(".execute")[0].click()
    until(lambda: any('"status": "ok"' in e.text for e in find(".microlight")), "the answer", LIMIT)
    severe = [e for e in chromium.get_log("browser") if e["level"] == "SEVERE"]
    assert severe == []


def test_a_photo_and_a_real_model(bridge, open_page, shared, monkeypatch):
    monkeypatch.setenv("I2T_MODEL_PATH", str(shared / "models"))
    describer = Describer(open_detector("yolox_nano", offline=True))
    page = open_page(bridge(lambda request: describer.answer(request, DescribeOptions())))
    page.drop(Path(shared / "images" / "pets.jpg").read_bytes(), "pets.jpg", "image/jpeg")
    page.says("I can see two dogs.")
    page.until(lambda: len(page.boxes()) == 2, "two boxes")
    # The dogs of that photo, by eye: left, top, right, bottom.
    left, right = sorted(box for _, _, box in page.boxes())
    assert close_to(left, [110, 36, 256, 296], 12)
    assert close_to(right, [345, 165, 497, 368], 14)
    describer.close()
