"""The page in a browser, as a person meets it, and a camera that sends it frames."""

import base64
import threading

from waiting import until

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

# A headless browser has no voices: these are what it would have.
VOICES = """
window.said = [];
window.voices = arguments[0];
Object.defineProperty(speechSynthesis, "getVoices",
  {value: () => window.voices.map((lang) => ({lang}))});
Object.defineProperty(speechSynthesis, "speak",
  {configurable: true, value: (words) => window.said.push([words.text, words.lang])});
"""

# Calls a function of a module of the page; ``await`` in a script needs a callback.
CALL = """
const [module, name, values, done] = arguments;
import(`./static/${module}.js`)
  .then((found) => found[name](...values)).then(done, (error) => done(`${error}`));
"""


class Shown:
    """What a browser shows in a window of this size."""

    def __init__(self, browser, size):
        self.browser = browser
        self.resize(*size)

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


class Page(Shown):
    """The page as a person meets it."""

    def __init__(self, browser, url, size=DESKTOP):
        super().__init__(browser, size)
        # Nothing that an earlier page of this port has left.
        everything = {"origin": url, "storageTypes": "all"}
        browser.execute_cdp_cmd("Storage.clearDataForOrigin", everything)
        browser.get_log("browser")
        browser.get(url)
        self.until(lambda: self.run("return document.documentElement.dataset.ready"), "it starts")

    def call(self, module, name, *values):
        """Return what a function of one of the page's modules returns."""
        return self.browser.execute_async_script(CALL, module, name, values)

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


class Camera(threading.Thread):
    """Sends frames of a color over WebSocket until it is stopped."""

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
