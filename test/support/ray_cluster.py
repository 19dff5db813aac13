"""A Ray cluster of two nodes on this machine, and pictures at which a worker stops."""

import contextlib
import os
import select
import shutil
import signal
import tempfile
from pathlib import Path

from deadly_pictures import DEADLY

NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}


@contextlib.contextmanager
def cluster_of_two():
    """Run two nodes with a CPU each; nothing of them is left, neither processes nor files."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    kept = dict(os.environ)
    folder = tempfile.mkdtemp(prefix="r", dir="/tmp")
    cluster = None
    try:
        os.mkdir(f"{folder}/ray")
        os.environ.update(RAY_TMPDIR=folder, PYTHONPATH=str(DEADLY), RAY_USAGE_STATS_ENABLED="0")
        # Ray's own 15 leaves them next to nothing of a CPU while other tests run beside this one.
        os.environ.update(RAY_worker_niceness="0")
        cluster = Cluster(initialize_head=True, head_node_args=NODE)
        cluster.add_node(**NODE)
        yield cluster
    finally:
        with contextlib.ExitStack() as stack:
            stack.callback(_restore, kept)
            stack.callback(shutil.rmtree, folder)
            if cluster is not None:
                stack.callback(cluster.shutdown)


def _restore(environment):
    os.environ.clear()
    os.environ.update(environment)


class Stop:
    """A picture at which whoever opens it stops; see deadly/sitecustomize.py."""

    def __init__(self, picture):
        self._pid, self._go = (Path(f"{picture}.{end}") for end in ("pid", "go"))
        os.mkfifo(self._pid)
        os.mkfifo(self._go)

    def wait(self):
        """Wait until a process is at it, and return its number. The next one does not stop."""
        pid = int(self._pid.read_text())
        self._pid.unlink()
        return pid

    def go(self):
        """Let it go on."""
        self._go.write_text("go")

    def kill(self, pid):
        """Kill the process that is at it."""
        os.kill(pid, signal.SIGKILL)


def parent_of(pid):
    """Return the number of the process that has started another one."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def wait_for_end(pid):
    """Wait until a process, which has been told to end, has ended."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([process], [], [], 30)[0], f"process {pid} goes on"
    finally:
        os.close(process)
