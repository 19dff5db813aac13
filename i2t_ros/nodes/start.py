"""Starts a node as a process, which a signal ends from the first moment, also during imports."""

import importlib
import os
import signal
import sys
from functools import partial

from i2t_ros.nodes.signals import SIGNALS, handle
from i2t_ros.nodes.stderr_filter import filter_stderr
from i2t_ros.optional import missing_module


def open_standard_streams() -> None:
    """Lead standard input, output and error that are closed (``<&- >&-``) to nowhere.

    Otherwise the next files and sockets get their numbers, and what native code logs goes there.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    # Python has None in the place of one that was closed. Standard input stays so: whoever wants to
    # read it is told why that cannot be.
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def start(kind: str) -> int:
    """Import and run a node ("detector", "bridge", "source" or "speech"); return its exit code.

    The imports take seconds on a small computer. A signal ends them with exit code 0: there is
    nothing to release yet. run_lifecycle_node replaces the handlers.
    """
    open_standard_streams()
    handle(lambda *_: os._exit(0))
    end_filter = filter_stderr()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # see processes.signals_wait
    try:
        return int(importlib.import_module(f"i2t_ros.nodes.{kind}.node").main())
    except ModuleNotFoundError as error:
        missing = missing_module(f"{kind}_node", error)
        sys.stderr.write(f"{missing} [{missing.code}]\n")
        return 1
    finally:
        # At its end Python gives signals back to their defaults, and DDS closes after that.
        handle(signal.SIG_IGN)
        end_filter()


detector_node = partial(start, "detector")
bridge_node = partial(start, "bridge")
source_node = partial(start, "source")
speech_node = partial(start, "speech")
