"""Sends what the other layers log through Python's logging to the log of a ROS node."""

from __future__ import annotations

import logging

from rclpy.impl.logging_severity import LoggingSeverity
from rclpy.impl.rcutils_logger import RcutilsLogger


class RosLogHandler(logging.Handler):
    """Hands records to a ROS logger, with their own severity."""

    def __init__(self, logger: RcutilsLogger) -> None:
        """Send to ``logger``."""
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on."""
        text = self.format(record)
        # One line for each severity: rclpy remembers the severity of each calling line and raises
        # where it changes.
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        elif record.levelno >= logging.INFO:
            self._logger.info(text)
        else:
            self._logger.debug(text)


class Forwarding:
    """Sends the logs of the whole package to ``logger`` until it is closed."""

    def __init__(self, logger: RcutilsLogger) -> None:
        """Begin; debug lines are sent if the logger wants them."""
        self._package = logging.getLogger("i2t_ros")
        self._before = self._package.level, self._package.propagate
        self._handler = RosLogHandler(logger)
        self._package.addHandler(self._handler)
        self._package.setLevel(
            logging.DEBUG if logger.is_enabled_for(LoggingSeverity.DEBUG) else logging.INFO
        )
        self._package.propagate = False

    def close(self) -> None:
        """Leave logging as it was found. May be called more than once."""
        self._package.removeHandler(self._handler)
        self._package.setLevel(self._before[0])
        self._package.propagate = self._before[1]
