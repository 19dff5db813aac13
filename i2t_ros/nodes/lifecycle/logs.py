"""Forwards the package's Python logging to the log of a ROS node."""

from __future__ import annotations

import logging

from rclpy.impl.logging_severity import LoggingSeverity
from rclpy.impl.rcutils_logger import RcutilsLogger


class LogForwarding(logging.Handler):
    """Passes the logs of the whole package to a ROS logger, with the same severity, until close().

    Debug lines are passed on only if the logger has that level.
    """

    def __init__(self, logger: RcutilsLogger) -> None:
        """Start forwarding."""
        super().__init__()
        self._logger = logger
        self._package = logging.getLogger("i2t_ros")
        self._before = self._package.level, self._package.propagate
        self._package.addHandler(self)
        self._package.setLevel(
            logging.DEBUG if logger.is_enabled_for(LoggingSeverity.DEBUG) else logging.INFO
        )
        self._package.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record."""
        text = self.format(record)
        # A separate line for each severity: rclpy remembers the severity of each calling line and
        # raises if it changes.
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        elif record.levelno >= logging.INFO:
            self._logger.info(text)
        else:
            self._logger.debug(text)

    def close(self) -> None:
        """Restore the logging settings. May be called more than once."""
        if self in self._package.handlers:
            self._package.removeHandler(self)
            level, self._package.propagate = self._before
            self._package.setLevel(level)
        super().close()
