"""Asks lifecycle nodes for their state, from a process that is no node of the robot's."""

import os
import re
import time
from collections.abc import Sequence

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.utilities import try_shutdown

from i2t_ros.errors import I2tError, InvalidRequestError, NotActiveError, TimeLimitError
from i2t_ros.nodes.lifecycle.startup import KNOWN_ERRORS, explained, start_ros

NODE = re.compile(r"(/?[A-Za-z_][A-Za-z0-9_]*)(/[A-Za-z_][A-Za-z0-9_]*)*")
LONGEST = 3600.0
"""Seconds to wait for answers at most: who asks for more means no limit, and would hang."""
ASK_AGAIN = 0.25
"""Seconds between two requests: a node that does not know this client yet answers nobody."""


def check_name(name: str) -> None:
    """Raise InvalidRequestError for what is not the name of a node."""
    if not NODE.fullmatch(name):
        raise InvalidRequestError(
            f"expected the name of a node, such as /car/detector_node, got {name!r}"
        )


def check_active(names: Sequence[str], seconds: float) -> None:
    """Return once every node has said that it is active.

    Raises NotActiveError, TimeLimitError if one does not answer within ``seconds``, and
    InvalidRequestError for what is no name, or for more than LONGEST seconds or none.
    """
    for name in names:
        check_name(name)
    if not 0 < seconds <= LONGEST:
        raise InvalidRequestError(
            f"timeout: expected more than 0 and up to {LONGEST:g} seconds, got {seconds:g}"
        )
    context = Context()
    start_ros(["i2t"], context)
    try:
        deadline = time.monotonic() + seconds
        # Hidden from `ros2 node list`, as its name begins with an underscore.
        node = Node(
            f"_i2t_health_{os.getpid()}",
            context=context,
            use_global_arguments=False,
            enable_rosout=False,
            start_parameter_services=False,
        )
        try:
            for name in names:
                state = _state(node, name, deadline)
                if state is None:
                    raise TimeLimitError(f"{name}: no answer within {seconds:g} s")
                if state.id != State.PRIMARY_STATE_ACTIVE:
                    raise NotActiveError(f"{name}: expected active, is {state.label}")
        finally:
            node.destroy_node()
    except KNOWN_ERRORS as error:
        if isinstance(error, I2tError):
            raise
        raise InvalidRequestError(explained(error)) from error
    finally:
        try_shutdown(context=context)


def _state(node: Node, name: str, deadline: float) -> State | None:
    """Return the state of the node called ``name``; None if it has not answered by then."""
    client = node.create_client(GetState, f"{name}/get_state")
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    try:
        while (left := deadline - time.monotonic()) > 0:
            asked = client.call_async(GetState.Request())
            executor.spin_until_future_complete(asked, min(left, ASK_AGAIN))
            if asked.done():
                return asked.result().current_state
            client.remove_pending_request(asked)
    finally:
        executor.shutdown()
    return None
