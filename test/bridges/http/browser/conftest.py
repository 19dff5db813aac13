"""A headless Chromium for the page's tests."""

import contextlib

import pytest
from chromium import chromium  # noqa: F401 (a fixture)


@pytest.fixture
def bridge():
    """Start a web bridge: ``bridge(describe, **settings)``."""
    pytest.importorskip("fastapi", reason="no fastapi: pip install fastapi")
    from web_support import WebBridge  # noqa: PLC0415

    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(WebBridge(*arguments, **options))


@pytest.fixture
def open_page(chromium):  # noqa: F811 (pytest hands it over)
    from browser_page import Page  # noqa: PLC0415

    pages = []

    def open_(bridge, **options):
        pages.append(Page(chromium, bridge.url, **options))
        return pages[-1]

    yield open_
    for page in pages:
        assert page.complaints() == []
    chromium.get("about:blank")
