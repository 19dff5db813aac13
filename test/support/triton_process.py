"""Running triton_server.py from a test."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from waiting import until

SCRIPT = Path(__file__).with_name("triton_server.py")


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def serving(python, model, http, grpc):
    """Run the server until the block ends; it must be ready within the test's time limit."""
    command = [str(python), str(SCRIPT), str(http), str(grpc), str(model)]
    environment = {key: value for key, value in os.environ.items() if key[:6] != "PYTHON"}
    with (
        # It unpacks itself there, and leaves it behind when it is killed.
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env=environment | {"PYTRITON_HOME": folder},
        ) as server,
    ):
        try:
            assert any("ready" in line for line in server.stdout), "Triton ended before it served"
            for port in (http, grpc):  # it is ready on one of them a moment sooner
                until(lambda port=port: answers(port), f"Triton serves on port {port}")
            yield
        finally:
            server.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(15)
            # Its Python model runs in processes of its own, which outlive it now and then.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
