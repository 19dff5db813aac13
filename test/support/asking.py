"""Questions: a handler that takes its time, and what asks over HTTP for events."""

import asyncio
import contextlib
import json
import threading

from local_handlers import FakeHandler
from web_support import PICTURE

QUESTION = "Is there a dog?"
RAW = {"content-type": "image/png"}
EVENTS = {"accept": "text/event-stream"}


class Pondering(FakeHandler):
    """Tells what it is given in ``words``, and ends with an answer or with ``error``."""

    def __init__(self, error=None):
        self.asked = threading.Semaphore(0)
        self.cancelled = threading.Semaphore(0)
        self.error = error
        self.words = asyncio.Queue()

    async def ask(self, request, told):
        self.asked.release()
        try:
            while (word := await self.words.get()) is not None:
                told(word)
        except asyncio.CancelledError:
            self.cancelled.release()
            raise
        if self.error is not None:
            raise self.error
        return await super().ask(request, told)


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
