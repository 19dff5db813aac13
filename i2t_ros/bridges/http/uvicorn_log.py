"""What uvicorn says, in the log of the listener: in few lines, as most of it is about clients."""

import logging
import traceback

from i2t_ros.bridges.journal import Journal

LIBRARY = logging.getLogger("uvicorn.error")
"""Of uvicorn and, under this name, of the WebSocket library that it uses."""
NOTHING = "ASGI callable returned without completing handshake"
"""It says so whenever a camera is refused, or leaves early."""


class UvicornLog(logging.Filter):
    """Takes the warnings of the library into a journal, and nothing else, until ``close``."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal
        LIBRARY.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Log a record here, if it is of interest, and nowhere else."""
        if record.levelno >= logging.WARNING and not str(record.msg).startswith(NOTHING):
            text = record.getMessage().strip()
            # An invalid text is the client's fault, and no reason to look at the code.
            if record.exc_info and not isinstance(record.exc_info[1], UnicodeDecodeError):
                text = "\n".join([text, *traceback.format_exception(record.exc_info[1])]).strip()
            self._journal.say(record.levelno, "", str(record.msg), text)
        return False

    def close(self) -> None:
        """Let the library log as before."""
        LIBRARY.removeFilter(self)
