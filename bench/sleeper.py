"""detector_node with an engine that sleeps, so that what the rest uses meanwhile can be seen."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Any

NAME = "sleeper"
SECONDS = 1.2
"""How long a call of the engine sleeps."""


def sleeper(pipe: Any, places: int) -> None:
    """Be the node until something comes through the pipe; ``places`` calls may sleep at once."""
    from i2t_ros.backends import fake  # noqa: PLC0415 (the environment has to be set first)
    from i2t_ros.nodes.detector import node as detector_node  # noqa: PLC0415
    from i2t_ros.nodes.processes import parameter_file  # noqa: PLC0415

    class Sleeping(fake.FakeBackend):
        concurrency = places

        def infer(self, inputs: Any) -> Any:
            time.sleep(SECONDS)
            return super().infer(inputs)

    def end() -> None:
        pipe.recv()
        os.kill(os.getpid(), signal.SIGINT)

    fake.FakeBackend = Sleeping
    threading.Thread(target=end, daemon=True).start()
    given = {"model": "fake", "offline": True, "request_threads": places, "cache_size": 0}
    words = [
        "--disable-stdout-logs",
        "-r",
        f"__node:={NAME}",
        "--params-file",
        parameter_file(given),
    ]
    sys.argv[1:] = ["--ros-args", *words]  # this process is the node's own
    detector_node.main()
