"""A command as a user types it, watched while it runs."""

import os
import re
import signal
import subprocess
import threading
from pathlib import Path

LIMIT = 60.0  # seconds for a line, or for the end


class RunningCommand:
    """A command in a session of its own, what it prints, and the processes that it has started."""

    def __init__(self, *command, cwd):
        self._process = subprocess.Popen(
            list(map(str, command)),
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.lines = []
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with self._process.stdout as lines:
            for line in lines:
                with self._changed:
                    self.lines.append(line.rstrip("\n"))
                    self._changed.notify_all()

    def until(self, pattern):
        """Wait for a line and return its match."""

        def match():
            return next(filter(None, (re.search(pattern, line) for line in self.lines)), None)

        with self._changed:
            self._changed.wait_for(match, LIMIT)
        assert match(), f"no line like {pattern!r}:\n{self.text()}"
        return match()

    def text(self):
        return "\n".join(self.lines)

    def children(self):
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def end(self, sign=None):
        if sign is not None:
            self._process.send_signal(sign)
        code = self._process.wait(LIMIT)
        self._thread.join(LIMIT)
        return code

    def kill(self):
        if self._process.poll() is None:
            for pid in self.children():
                os.kill(pid, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
