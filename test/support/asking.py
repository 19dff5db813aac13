"""What asks over HTTP for events."""

import contextlib
import json

from web_support import PICTURE

QUESTION = "Is there a dog?"
RAW = {"content-type": "image/png"}
EVENTS = {"accept": "text/event-stream"}


def events_of(reply):
    """Yield the events of a reply, and its comments as (None, text)."""
    name = None
    for line in reply.iter_lines():
        if line.startswith(":"):
            yield None, line[1:].strip()
        elif line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])


@contextlib.contextmanager
def asking(client, **options):
    """Ask for events while the context lasts."""
    headers = {**RAW, **EVENTS}
    path = f"/v1/ask?question={QUESTION}"
    with client.stream("POST", path, content=PICTURE, headers=headers, **options) as reply:
        yield reply


def say(bridge, handler, *words):
    for word in words:
        bridge.on_loop(handler.words.put_nowait, word)
