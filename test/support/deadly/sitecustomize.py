"""Is imported by every Python that has this folder on PYTHONPATH: pictures that do something.

*-deadly.png  kills the process that opens it
*-stop.png    if there is *-stop.png.pid, a FIFO: writes the process's number there, and then waits
              until somebody has written to the FIFO *-stop.png.go
"""

import contextlib
import os
import signal
import sys


def watch(event, arguments):
    name = os.fspath(arguments[0]) if event == "open" and not isinstance(arguments[0], int) else ""
    if str(name).endswith("-deadly.png"):
        os.kill(os.getpid(), signal.SIGKILL)
    if str(name).endswith("-stop.png") and os.path.exists(f"{name}.pid"):
        with contextlib.suppress(FileNotFoundError):
            with open(f"{name}.pid", "w") as pid:
                pid.write(str(os.getpid()))
            with open(f"{name}.go") as go:
                go.read()


sys.addaudithook(watch)
