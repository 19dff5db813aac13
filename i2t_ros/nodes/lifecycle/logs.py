"""Forwards the package's Python logging to the log of a ROS node."""

from __future__ import annotations

import logging

from rclpy.impl.logging_severity import LoggingSeverity
from rclpy.impl.rcutils_logger import RcutilsLogger


class RosLogHandler(logging.Handler):
    """Passes records to a ROS logger, with the same severity."""

    def __init__(self, logger: RcutilsLogger) -> None:
        """Pass records to ``logger``."""
        super().__init__()
        self._logger = logger

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


class Forwarding:
    """Forwards the logs of the whole package to ``logger`` until close()."""

    def __init__(self, logger: RcutilsLogger) -> None:
        """Start forwarding; debug lines only if the logger has that level."""
        self._package = logging.getLogger("i2t_ros")
        self._before = self._package.level, self._package.propagate
        self._handler = RosLogHandler(logger)
        self._package.addHandler(self._handler)
        self._package.setLevel(
            logging.DEBUG if logger.is_enabled_for(LoggingSeverity.DEBUG) else logging.INFO
        )
        self._package.propagate = False

    def close(self) -> None:
        """Restore the logging settings. May be called more than once."""
        self._package.removeHandler(self._handler)
        self._package.setLevel(self._before[0])
        self._package.propagate = self._before[1]
