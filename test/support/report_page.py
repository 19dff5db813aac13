"""A report in a browser, as a person meets it."""

import itertools
from urllib.parse import quote

import pytest
from browser_page import DESKTOP, Shown
from report_material import write_report

ASKED = """
const [phrase, language] = arguments;
const { search } = data.languages.find(({ tag }) => tag === language);
const { counts, unclear } = askedFor(phrase, search);
const nameOfClass = (key) => data.classes[search.classes[key][0]]?.[0] ?? search.labels[key];
return { counts: [...counts].map(([key, count]) => [nameOfClass(key), count]), unclear };
"""
# Two frames later, what was drawn is there.
DRAWN = (
    "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));"
)


class ReportPage(Shown):
    """The page of a report; ``address`` is what stands behind #."""

    def __init__(self, browser, path, address="", size=DESKTOP):
        super().__init__(browser, size)
        self.path = path
        browser.get("about:blank")
        browser.get_log("browser")
        browser.get(f"{path.as_uri()}{address and '#'}{address}")
        self.until(lambda: self.run("return document.documentElement.dataset.ready"), "it starts")

    def drawn(self):
        self.browser.execute_async_script(DRAWN)

    def all(self, selector):
        return self.browser.find_elements("css selector", selector)

    def texts(self, selector):
        return self.run(
            "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)",
            selector,
        )

    def search(self, words):
        field = self.find("query")
        field.clear()
        field.send_keys(words)

    def speak(self, language):
        self.run(
            "const menu = document.getElementById('language');"
            "menu.value = data.languages.findIndex(({tag}) => tag === arguments[0]);"
            "menu.dispatchEvent(new Event('change'));",
            language,
        )

    def asked(self, phrase, language="en"):
        """Return class -> count, as the page reads a phrase, and the words that are not clear."""
        found = self.run(ASKED, phrase, language)
        return dict(found["counts"]), tuple(found["unclear"])

    def address(self):
        return self.run("return location.hash").removeprefix("#")

    @property
    def keys(self):
        """Return the names of keys that are no letters."""
        from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

        return Keys

    def mouse(self):
        """Return what moves the mouse."""
        from selenium.webdriver.common.action_chains import ActionChains  # noqa: PLC0415

        return ActionChains(self.browser)

    def complaints(self):
        """Return what the browser's console says."""
        return [entry["message"] for entry in self.browser.get_log("browser")]


def address_of(stream, seconds):
    return f"stream={quote(stream, safe='')}&t={seconds:g}"


@pytest.fixture
def open_report(chromium, tmp_path):
    """Write a report, and open it: ``open_report([(stream, told), ...], address)``."""
    pages = []

    def open_(recordings, address="", size=(1280, 900), **more):
        streams = [stream for stream, _ in recordings]
        told = itertools.chain.from_iterable(images for _, images in recordings)
        path = write_report(tmp_path, streams, told, **more)
        pages.append(ReportPage(chromium, path, address, size))
        return pages[-1]

    yield open_
    for page in pages:
        assert page.complaints() == []
        assert page.run("return performance.getEntriesByType('resource').length") == 0
    chromium.get("about:blank")
