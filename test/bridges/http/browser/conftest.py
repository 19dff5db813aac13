"""A headless Chromium for the page's tests."""

import contextlib
import importlib.util
import shutil

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--lang=en",
)


def program(*names):
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Return a browser for all tests of the session; it logs what the pages complain about."""
    browser = program("chromium", "chromium-browser", "google-chrome")
    driver = program("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium: apt install chromium chromium-driver")
    for module in ("selenium", "fastapi"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"no {module}: pip install {module}")
    from selenium import webdriver  # noqa: PLC0415

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    running.set_page_load_timeout(30)
    running.set_script_timeout(30)
    yield running
    running.quit()


@pytest.fixture
def bridge():
    """Start a web bridge: ``bridge(describe, **settings)``."""
    from web_support import WebBridge  # noqa: PLC0415

    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(WebBridge(*arguments, **options))


@pytest.fixture
def open_page(chromium):
    from browser_page import Page  # noqa: PLC0415

    pages = []

    def open_(bridge, **options):
        pages.append(Page(chromium, bridge.url, **options))
        return pages[-1]

    yield open_
    for page in pages:
        assert page.complaints() == []
    chromium.get("about:blank")
