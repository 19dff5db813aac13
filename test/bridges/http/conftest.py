"""What tests of the HTTP listener share."""

import pytest


@pytest.fixture
def client(plain_web):
    """Return a client of a listener with its defaults."""
    with plain_web.client() as client:
        yield client


@pytest.fixture
def bridge(web):
    """Return a listener with a camera that shows nothing yet, and is stale soon."""
    bridge = web(stale_time=0.5)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    return bridge
