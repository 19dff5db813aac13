"""detector_node with a backend that sleeps for a second over each picture; a program of its own.

What its process costs meanwhile is what waiting costs.
"""

import sys
import threading

from i2t_ros.backends.fake import FakeBackend
from i2t_ros.nodes.detector.node import main

SECONDS = 1.0


class SleepingBackend(FakeBackend):
    def infer(self, inputs):
        sys.stdout.write("the backend sleeps\n")
        sys.stdout.flush()
        threading.Event().wait(SECONDS)  # the work of the backend; tests watch what waits for it
        return super().infer(inputs)


if __name__ == "__main__":
    sys.modules["i2t_ros.backends.fake"].FakeBackend = SleepingBackend
    raise SystemExit(main())
