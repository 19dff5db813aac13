"""What requests are compared with: the same work in a plain loop of one thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from clients import LANGUAGE, STYLE

from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.describer import Describer
from i2t_ros.pipeline.scheduler import BackendAccess
from i2t_ros.types import DescribeReply, DescribeRequest, Picture

Describe = Callable[[DescribeRequest], DescribeReply]


def make_describe(describer: Describer) -> Describe:
    """Return the work of one request, as detector_node does it: the engine has so many places."""
    access = BackendAccess(describer.detector.concurrency)
    options = DescribeOptions(language=LANGUAGE, style=STYLE)
    return lambda request: describer.answer(request, options, turn=lambda: access.turn(urgent=True))


def loop_rate(describe: Describe, picture: bytes, seconds: float) -> float:
    """Describe in a plain loop, whose backend has every core; return replies a second."""
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        describe(DescribeRequest(Picture(picture), annotate=True))
        count += 1
    return count / elapsed
