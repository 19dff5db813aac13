"""Asks a node for transitions and for other parameters, or runs one in this process.

It asks a detector_node if no other is named.
"""

import contextlib

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from i2t_ros.nodes.detector.node import DetectorNode
from i2t_ros.nodes.lifecycle.spinning import SpinningThread

NODE = "/detector_node"
UP = (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
DOWN = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
KINDS = {
    bool: (ParameterType.PARAMETER_BOOL, "bool_value"),
    int: (ParameterType.PARAMETER_INTEGER, "integer_value"),
    float: (ParameterType.PARAMETER_DOUBLE, "double_value"),
    str: (ParameterType.PARAMETER_STRING, "string_value"),
    list: (ParameterType.PARAMETER_STRING_ARRAY, "string_array_value"),
}


def change(peer, *transitions, node=NODE):
    """Ask for transitions; return whether the last succeeded."""
    for transition in transitions:
        request = ChangeState.Request(transition=Transition(id=transition))
        success = peer.call(ChangeState, f"{node}/change_state", request).success
    return success


def state(peer, node=NODE):
    return peer.call(GetState, f"{node}/get_state", GetState.Request()).current_state.id


def set_parameters(peer, node=NODE, **values):
    parameters = []
    for name, value in values.items():
        kind, field = KINDS[type(value)]
        value_msg = ParameterValue(type=kind, **{field: value})
        parameters.append(ParameterMsg(name=name, value=value_msg))
    request = SetParametersAtomically.Request(parameters=parameters)
    return peer.call(SetParametersAtomically, f"{node}/set_parameters_atomically", request).result


@contextlib.contextmanager
def in_this_process(kind=DetectorNode, **values):
    """Spin a node here, where a transition costs no round trip through a service."""
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    node = kind(parameter_overrides=overrides)
    spinning = SpinningThread(node)
    try:
        yield node
        assert spinning.is_alive()
    finally:
        node.end_work()
        ended = spinning.close()
        node.destroy_node()
    assert ended


def go_through(node, *transitions):
    for transition in transitions:
        assert getattr(node, f"trigger_{transition}")() == TransitionCallbackReturn.SUCCESS
