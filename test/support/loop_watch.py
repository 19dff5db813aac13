"""How long the callbacks of an asyncio loop keep it from everybody else."""

import asyncio
import contextlib
import gc
import time


class LoopWatch:
    """What a loop did while it was watched.

    longest  CPU seconds of its thread in one callback: what a busy machine does not change
    what     that callback
    """

    longest = 0.0
    what = ""


@contextlib.contextmanager
def watched(loop):
    """Watch a loop (of a LoopThread) while the context lasts; yield a LoopWatch."""
    watch, run = LoopWatch(), asyncio.Handle._run
    watched_loop = loop._now_running().loop

    def timed(handle):
        if handle._loop is not watched_loop:
            return run(handle)
        what, began = repr(handle), time.thread_time()
        try:
            return run(handle)
        finally:
            took = time.thread_time() - began
            if took > watch.longest:
                watch.longest, watch.what = took, what

    gc.collect()
    gc.disable()  # what it takes depends on all the tests before
    asyncio.Handle._run = timed
    try:
        yield watch
    finally:
        asyncio.Handle._run = run
        gc.enable()
