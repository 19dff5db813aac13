"""Asks a detector_node for transitions and for other parameters."""

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParametersAtomically

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


def change(peer, *transitions):
    """Ask for transitions; return whether the last succeeded."""
    for transition in transitions:
        request = ChangeState.Request(transition=Transition(id=transition))
        success = peer.call(ChangeState, f"{NODE}/change_state", request).success
    return success


def state(peer):
    return peer.call(GetState, f"{NODE}/get_state", GetState.Request()).current_state.id


def set_parameters(peer, **values):
    parameters = []
    for name, value in values.items():
        kind, field = KINDS[type(value)]
        parameters.append(Parameter(name=name, value=ParameterValue(type=kind, **{field: value})))
    request = SetParametersAtomically.Request(parameters=parameters)
    return peer.call(SetParametersAtomically, f"{NODE}/set_parameters_atomically", request).result
