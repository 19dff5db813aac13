"""What holds whatever is sent; docs/security.md states it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """What one input may cost.

    loop_delay  seconds for which nothing else on the listeners' loop has its turn
    answer      seconds until an innocent client beside it is answered
    cpu         seconds of processor time to decode a picture or read a message
    reply       seconds until an input is answered, or its connection is cut
    largest     bytes of an input
    """

    loop_delay: float
    answer: float
    cpu: float
    reply: float
    largest: int


LONG_RUN = Bounds(loop_delay=0.25, answer=2.0, cpu=4.0, reply=10.0, largest=4 << 20)
IN_TESTS = Bounds(loop_delay=1.0, answer=20.0, cpu=4.0, reply=20.0, largest=1 << 20)
"""Beside other tests on a busy machine. The loop's delay is what the loop itself has computed."""

MEMORY = 256 << 20
"""Bytes by which the process of a listener, or of a node, may grow while it runs."""

PICTURE_MEMORY = 700 << 20
"""The same of a process that decodes pictures: 40 megapixels at up to 15 bytes each, and a part."""
