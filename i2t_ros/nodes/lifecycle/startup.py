"""Starts ROS in a process: reads the command line, and finds out where the log may go."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import rclpy
from rclpy.context import Context
from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args, try_shutdown

from i2t_ros.errors import I2tError, InvalidRequestError
from i2t_ros.resources import expanded, load_yaml

KNOWN_ERRORS: tuple[type[Exception], ...] = (
    I2tError,
    ParameterException,
    NameValidationException,
    rclpy_implementation.RCLError,  # what the layers below rclpy refuse
)
"""What a wrong setting raises: its message is enough, a traceback would not help."""

_PLACES = re.compile(r", at /?[\w./-]+:\d+")
_PARAMETER_FILE = (
    "expected NODE: {ros__parameters: {NAME: VALUE}}, the values of a list of one type: [dog, '1']"
)
_HINTS = {
    "--params-file": "expected --params-file FILE",
    "remap rule": "expected FROM:=TO, both of letters, digits, underscores and single slashes, no "
    "digit after a slash; __node:=NAME without a slash, __ns:=/NAMESPACE with one",
    "parameter override": "expected -p NAME:=VALUE; an empty text is -p 'NAME:=\"\"', and the "
    "values of a list have one type: -p \"NAME:=[dog, '1']\"",
    "log level": "expected debug, info, warn, error or fatal",
}


def start_ros(arguments: Sequence[str], context: Context | None = None) -> list[str]:
    """Initialize rclpy and return the arguments that are not for ROS, without the program.

    Signals stay as they are: one must end the node first and ROS afterwards, but rclpy's handlers
    would shut ROS down before the requests in progress are answered.

    Raises InvalidRequestError for arguments and environment variables that ROS refuses.
    """
    # Not as Python decoded them: with LANG=C, letters beyond ASCII would be surrogates.
    given = [os.fsencode(word).decode("utf-8", "replace") for word in arguments]
    ros_arguments = given + _log_arguments(os.environ)
    try:
        rclpy.init(
            args=ros_arguments, context=context, signal_handler_options=SignalHandlerOptions.NO
        )
        return remove_ros_args(given)[1:]
    except KNOWN_ERRORS as error:
        try_shutdown(context=context)
        raise InvalidRequestError(explained(error)) from error


def explained(error: Exception) -> str:
    """Return an error on one line; what ROS says, without places in its source, and with a hint."""
    if isinstance(error, I2tError):
        return " ".join(str(error).split())
    said = _PLACES.sub("", str(error)).removeprefix("failed to initialize rcl: ")
    said = " ".join(said.split()).rstrip(" ^")
    said, _, detail = said.partition(" Error: ")
    if file := re.search(r"params file: '--params-file (.*?)'", said):
        try:
            load_yaml(Path(file[1]))
        except OSError as unreadable:
            return f"parameter file {file[1]}: {unreadable.strerror or unreadable}"
        except ValueError as unreadable:
            detail = str(unreadable)
        return f"parameter file {file[1]}: {detail}; {_PARAMETER_FILE}"
    for part, hint in _HINTS.items():
        if part in said:  # the detail is in the terms of a parser
            return f"{said.rstrip('.')}; {hint}"
    return f"{said} {detail}".rstrip()


def _log_arguments(environment: Mapping[str, str]) -> list[str]:
    """Return what keeps ROS from writing log files where it cannot; it would not start then."""
    # As rcl_logging_interface has it: ROS_LOG_DIR, or else the folder log of ROS_HOME or ~/.ros.
    folder = environment.get("ROS_LOG_DIR", "")
    if not folder:
        home = environment.get("HOME", "")
        ros_home = environment.get("ROS_HOME") or (home and os.path.join(home, ".ros"))
        folder = ros_home and os.path.join(ros_home, "log")
    if problem := _unwritable(folder):
        sys.stderr.write(
            f"no log file is written: {problem}; set ROS_LOG_DIR to a folder that can be written\n"
        )
        return ["--ros-args", "--disable-external-lib-logs"]
    return []


def _unwritable(folder: str) -> str:
    if not folder:
        return "HOME is not set"
    path = expanded(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"{path}: {error.strerror}"
    return "" if os.access(path, os.W_OK | os.X_OK) else f"{path}: it may not be written"
