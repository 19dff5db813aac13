"""Asks a camera of a detector_node a question, from a program that is no node."""

import asyncio
import os
from collections.abc import Callable

from rclpy.context import Context
from rclpy.node import Node
from rclpy.utilities import try_shutdown

from i2t_ros.errors import NotActiveError, TimeLimitError
from i2t_ros.nodes.bridge.asking_client import AskingClient
from i2t_ros.nodes.health import check_name
from i2t_ros.nodes.lifecycle.startup import start_ros
from i2t_ros.types import DescribeReply, DescribeRequest, Told

FIND_LIMIT = 5.0
"""Seconds for a detector to be found in the ROS graph."""


def ask_camera(  # noqa: PLR0913 (what a command line gives)
    camera: str,
    question: str,
    *,
    detector: str = "/detector_node",
    language: str = "",
    told: Told = lambda _: None,
    time_limit: float = 60.0,
) -> DescribeReply:
    """Ask what the newest frame of a camera shows, and return the reply, which has an answer.

    camera      its name; empty: the detector's first
    detector    the node's name, with its namespace
    language    of the answer; empty: the detector's own
    told        gets the answer while it is being written
    time_limit  seconds for the answer

    Blocks. Ctrl-C, and whatever else ends it early, has the detector end its work, too. Raises
    DetectorUnreachableError, TimeLimitError, InvalidRequestError for what is no name, and
    what the detector answers, as the error of its code.
    """
    check_name(detector)
    action = f"/{detector.removeprefix('/')}/ask"
    request = DescribeRequest(camera=camera, question=question, language=language)
    context = Context()
    start_ros(["i2t"], context)
    try:
        return asyncio.run(_ask(context, action, request, told, time_limit))
    finally:
        try_shutdown(context=context)


async def _ask(
    context: Context, action: str, request: DescribeRequest, told: Told, time_limit: float
) -> DescribeReply:
    loop = asyncio.get_running_loop()

    def post(function: Callable[..., object], *arguments: object) -> None:
        try:
            loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            raise NotActiveError("the loop has ended") from None

    node = Node(
        f"_i2t_ask_{os.getpid()}",
        context=context,
        use_global_arguments=False,
        enable_rosout=False,
        start_parameter_services=False,
    )
    client = AskingClient(node, action, post, remedy="name another one with --detector")
    try:
        await client.found(FIND_LIMIT)
        return await asyncio.wait_for(client.ask(request, told), time_limit)
    except asyncio.TimeoutError:
        raise TimeLimitError(f"no answer within {time_limit:g} s") from None
    finally:
        client.close()
