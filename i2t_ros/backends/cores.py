"""How many cores this process may really use, and how many threads a backend gets.

Python and most runtimes count the machine's cores. In a container that may use two of sixteen,
sixteen threads take turns on two cores, and the kernel stops them all for the rest of each period.
"""

import math
import os
import re
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

CORE_DEVICES = ("cpu", "fake")
"""What backends call their device if it is these cores."""


class Cores(NamedTuple):
    """How many cores this process may use, and what limits them: "quota", "affinity", or ""."""

    number: int
    limit: str


class Threads(NamedTuple):
    """How many threads a backend gets, and the words for its report."""

    number: int
    report: str


def backend_threads(asked: int, most: int = 0) -> Threads:
    """Return ``asked`` threads; if that is 0, one for each core that the process may use.

    ``most``, unless it is 0, limits the second case: more threads would not help.
    """
    if asked:
        return Threads(asked, f"threads: {asked} (asked for)")
    cores = usable_cores()
    number = min(cores.number, most or cores.number)
    limit = f" ({cores.limit})" if cores.limit else ""
    return Threads(number, f"threads: {number} of {cores.number} cores{limit}")


def usable_cores(process: Path = Path("/proc/self")) -> Cores:
    """Return how many cores this process may use, at least 1.

    That is its CPU affinity, or the quota of its control group, rounded up, if that is less. The
    files in ``process`` name the folders with the quotas; a missing file means no limit.
    """
    allowed = len(os.sched_getaffinity(0))
    quota = _least_quota(process)
    if quota is not None and math.ceil(quota) < allowed:
        return Cores(max(1, math.ceil(quota)), "quota")
    return Cores(allowed, "affinity" if allowed < (os.cpu_count() or 1) else "")


def parse_quota(text: str) -> float | None:
    """Return the cores that a quota and a period in microseconds make, None for no limit.

    ``text`` is cgroup v2's ``cpu.max`` ("150000 100000", or "max 100000" for no limit), or v1's
    ``cpu.cfs_quota_us`` (-1 for no limit) and ``cpu.cfs_period_us`` with a space between
    (https://docs.kernel.org/admin-guide/cgroup-v2.html, .../scheduler/sched-bwc.html).
    """
    try:
        quota, period = map(int, text.split())
    except ValueError:
        return None
    return quota / period if quota > 0 and period > 0 else None


def cgroup_folders(cgroup: str, mountinfo: str) -> list[Path]:
    """Return the folders of a process's control groups that may have a quota, parents included.

    ``cgroup`` and ``mountinfo`` are the files of these names in /proc/PID. A group's folder is
    below its hierarchy's mount point; in a container the mount may begin at the container's own
    group, which is then told with its path on the host (man 7 cgroups, man 5 proc).
    """
    groups = {
        "cgroup" if controllers else "cgroup2": PurePosixPath(path)
        for controllers, path in re.findall(r"^\d+:(.*?):(.*)$", cgroup, re.MULTILINE)
        if not controllers or "cpu" in controllers.split(",")
    }
    mount = r"^(?:\S+ ){3}(\S+) (\S+) .*? - (\S+) \S+ (.*)$"
    folders: list[Path] = []
    for found in re.findall(mount, mountinfo, re.MULTILINE):
        # A space in a path is written as \040.
        root, point, kind, options = (
            re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), field) for field in found
        )
        if kind in groups and (kind == "cgroup2" or "cpu" in options.split(",")):
            group = groups[kind]
            own = group.relative_to(root) if group.is_relative_to(root) else PurePosixPath()
            folders += [Path(point) / folder for folder in (own, *own.parents)]
    return folders


def _least_quota(process: Path) -> float | None:
    """Return the tightest quota of a process's groups: each parent limits its children too."""
    texts = (
        _read(folder / "cpu.max")
        or f"{_read(folder / 'cpu.cfs_quota_us')} {_read(folder / 'cpu.cfs_period_us')}"
        for folder in cgroup_folders(_read(process / "cgroup"), _read(process / "mountinfo"))
    )
    return min((quota for text in texts if (quota := parse_quota(text)) is not None), default=None)


def _read(file: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return file.read_text(encoding="utf-8")
    return ""
