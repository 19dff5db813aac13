"""Forwards the package's Python logging to the log of a ROS node."""

import logging

from rclpy.impl.logging_severity import LoggingSeverity
from rclpy.impl.rcutils_logger import RcutilsLogger

PACKAGE = logging.getLogger("i2t_ros")


class LogForwarding(logging.Handler):
    """Passes the logs of the whole package to a ROS logger, with the same severity, until close().

    Debug lines are passed on only if the logger has that level.
    """

    def __init__(self, logger: RcutilsLogger) -> None:
        super().__init__()
        self._logger = logger
        debug = logger.is_enabled_for(LoggingSeverity.DEBUG)
        PACKAGE.setLevel(logging.DEBUG if debug else logging.INFO)
        PACKAGE.propagate = False
        PACKAGE.addHandler(self)

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
        """Stop forwarding."""
        PACKAGE.removeHandler(self)
        PACKAGE.propagate = True
        super().close()
