"""What keeps a node serving, whatever it is sent: no callback's error ends or blocks its executor.

Anybody in the ROS graph may send a node a message or a request that rclpy, or this package, raises
an error for. In rclpy such an error leaves a request without a response (ros2/rclpy issue 1209).
If it comes while a message is taken, the callbacks of the same group never run again.
"""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.context import Context
from rclpy.exceptions import InvalidHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.service import Service

from i2t_ros.errors import I2tError, InvalidRequestError

LONGEST_TEXT = 300
"""Characters of an error's text that are logged or sent: it may quote what a stranger sent."""
COMPLAINT_PERIOD = 1.0
"""Seconds between two log lines about what fails again and again."""
MOST_PARAMETERS = 1000
"""Parameters that a request may set or ask for. Setting one may take a millisecond, and no other
request is answered meanwhile; `ros2 param load` sends a hundred."""


def short(error: BaseException) -> str:
    """Return an error's text in one line, after its type unless it is one of this package's."""
    text = " ".join(str(error).split())
    text = f"{text[:LONGEST_TEXT]}..." if len(text) > LONGEST_TEXT else text
    if text and isinstance(error, I2tError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def complain(logger: RcutilsLogger, what: str, error: BaseException) -> None:
    """Log a failure in one line, at most one a second; with the level debug its traceback, too."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    line = f"{what}: {short(error)} ({Path(place.filename).name}:{place.lineno})"
    logger.error(line, throttle_duration_sec=COMPLAINT_PERIOD)
    logger.debug("".join(traceback.format_exception(error)))


class GuardedExecutor(SingleThreadedExecutor):
    """Takes what has come so that an error harms nothing else, and answers every request.

    The callbacks of services have to be functions, not coroutines.
    """

    # rclpy's __del__ wants it, also if the constructor was refused before it came to be.
    _sigint_gc = None  # type: ignore[assignment]

    def __init__(self, logger: RcutilsLogger, context: Context | None = None) -> None:
        """``logger`` gets what fails; ``context`` is that of the nodes, None: the default one."""
        super().__init__(context=context)
        self._logger = logger

    # rclpy has no public place for this. Humble hands over one more function.
    def _make_handler(self, entity: Any, node: Any, take: Callable[[Any], Any], *more: Any) -> Any:
        if isinstance(entity, Service) and not isinstance(entity.callback, _Answering):
            entity.callback = _Answering(entity, self._logger)

        def take_or_leave(taken_from: Any) -> Any:
            try:
                return take(taken_from)
            except InvalidHandle:  # another thread has destroyed it
                return None
            except Exception as error:
                complain(self._logger, "a message cannot be taken", error)
                return None

        return super()._make_handler(entity, node, take_or_leave, *more)


class _Answering:
    """A service's callback that returns a response in any case: if it fails, one that refuses."""

    def __init__(self, service: Service, logger: RcutilsLogger) -> None:
        self._name = getattr(service, "service_name", service.srv_name)  # Humble has no full name
        self._callback = service.callback
        self._logger = logger

    def __call__(self, request: Any, response: Any) -> Any:
        several = _parameters(request) if isinstance(request, SetParameters.Request) else 0
        if not 1 < several <= MOST_PARAMETERS:
            return self._answer(request, response)
        for parameter in request.parameters:  # each has a result of its own
            one = SetParameters.Request(parameters=[parameter])
            response.results += self._answer(one, SetParameters.Response()).results
        return response

    def _answer(self, request: Any, response: Any) -> Any:
        try:
            if (many := _parameters(request)) > MOST_PARAMETERS:
                raise InvalidRequestError(
                    f"expected at most {MOST_PARAMETERS} parameters in a request, got {many}"
                )
            return self._callback(request, response)
        except Exception as error:
            complain(self._logger, f"{self._name}: a request is refused", error)
            return _refusal(request, type(response), short(error))


def _parameters(request: Any) -> int:
    """Return how many parameters a request sets or asks for, in any service of rcl_interfaces."""
    return max(len(getattr(request, name, ())) for name in ("parameters", "names", "prefixes"))


def _refusal(request: Any, kind: type, reason: str) -> Any:
    """Return a response in which nothing succeeded, with the reason if it has a place for one."""
    response = kind()
    if kind is SetParameters.Response:
        response.results = [SetParametersResult(reason=reason)] * len(request.parameters)
    elif kind is SetParametersAtomically.Response:
        response.result.reason = reason
    elif hasattr(response, "message"):
        response.message = reason
    return response
