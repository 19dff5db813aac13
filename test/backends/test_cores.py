"""How many cores a process may use: made-up control groups of every shape."""

import ast
import math
import os
from pathlib import Path

import pytest

import i2t_ros
from i2t_ros.backends.cores import Cores, backend_threads, cgroup_folders, parse_quota, usable_cores

PACKAGE = Path(i2t_ros.__file__).parent
MACHINE = set(range(16))


@pytest.fixture
def machine(monkeypatch):
    """Sixteen cores, of which the process may use those that it is given."""

    def allow(cores=MACHINE):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores)

    monkeypatch.setattr(os, "cpu_count", lambda: len(MACHINE))
    allow()
    return allow


class Process:
    """A /proc/PID and the control groups that it belongs to."""

    def __init__(self, folder, cgroup, *mounts):
        """``mounts`` are (root, mount point below the folder, type, super options)."""
        self.path = folder / "proc"
        self.path.mkdir()
        self.top = folder
        (self.path / "cgroup").write_text(cgroup)
        (self.path / "mountinfo").write_text(
            "22 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw\n"
            + "".join(
                f"30 22 0:26 {root} {folder / point} rw,nosuid shared:4 - {kind} {kind} {options}\n"
                for root, point, kind, options in mounts
            )
        )

    def write(self, file, text):
        path = self.top / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def unified(folder, group="/", root="/"):
    return Process(folder, f"0::{group}\n", (root, "cg", "cgroup2", "rw,nsdelegate"))


def legacy(folder, group="/", root="/"):
    return Process(
        folder,
        f"12:memory:{group}\n4:cpu,cpuacct:{group}\n0::/init.scope\n",
        (root, "memory", "cgroup", "rw,memory"),
        (root, "cpu", "cgroup", "rw,cpu,cpuacct"),
    )


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000\n", None),
        ("150000 100000\n", 1.5),
        ("-1\n 100000\n", None),
        ("20000\n 100000\n", 0.2),
        ("0 100000", None),
        ("100000 0", None),
        ("100000", None),
        ("a b", None),
        ("", None),
        ("1 2 3", None),
    ],
)
def test_quotas(text, cores):
    assert parse_quota(text) == cores


def test_nothing_limits(machine, tmp_path):
    assert usable_cores(tmp_path) == Cores(16, "")


def test_affinity(machine, tmp_path):
    machine({3, 5, 7})
    assert usable_cores(tmp_path) == Cores(3, "affinity")


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000", Cores(16, "")),
        ("150000 100000", Cores(2, "quota")),
        ("200000 100000", Cores(2, "quota")),
        ("1000 100000", Cores(1, "quota")),
        ("6400000 100000", Cores(16, "")),
        ("nonsense", Cores(16, "")),
    ],
)
def test_the_quota_of_a_container(machine, tmp_path, text, cores):
    process = unified(tmp_path)
    process.write("cg/cpu.max", text)
    assert usable_cores(process.path) == cores


def test_the_tighter_of_quota_and_affinity(machine, tmp_path):
    process = unified(tmp_path)
    process.write("cg/cpu.max", "400000 100000")
    machine({0, 1})
    assert usable_cores(process.path) == Cores(2, "affinity")
    machine({0, 1, 2, 3, 4, 5})
    assert usable_cores(process.path) == Cores(4, "quota")


def test_a_parent_limits_its_children(machine, tmp_path):
    process = unified(tmp_path, "/robot/vision/detector")
    process.write("cg/robot/vision/detector/cpu.max", "800000 100000")
    process.write("cg/robot/vision/cpu.max", "max 100000")
    process.write("cg/robot/cpu.max", "300000 100000")
    process.write("cg/other/cpu.max", "100000 100000")
    assert usable_cores(process.path) == Cores(3, "quota")


def test_the_first_version(machine, tmp_path):
    process = legacy(tmp_path, "/robot")
    process.write("cpu/robot/cpu.cfs_quota_us", "250000\n")
    process.write("cpu/robot/cpu.cfs_period_us", "100000\n")
    process.write("cpu/cpu.cfs_quota_us", "-1\n")
    process.write("cpu/cpu.cfs_period_us", "100000\n")
    process.write("memory/robot/cpu.cfs_quota_us", "100000\n")
    process.write("memory/robot/cpu.cfs_period_us", "100000\n")
    assert usable_cores(process.path) == Cores(3, "quota")


@pytest.mark.parametrize("kind", [unified, legacy])
def test_a_mount_that_begins_at_the_containers_own_group(machine, tmp_path, kind):
    process = kind(tmp_path, "/docker/4f2a/detector", root="/docker/4f2a")
    process.write("cg/detector/cpu.max", "max 100000")
    process.write("cg/cpu.max", "200000 100000")
    process.write("cpu/cpu.cfs_quota_us", "200000")
    process.write("cpu/cpu.cfs_period_us", "100000")
    assert usable_cores(process.path) == Cores(2, "quota")


def test_a_mount_from_elsewhere(machine, tmp_path):
    process = unified(tmp_path, "/", root="/../../system.slice")
    process.write("cg/cpu.max", "200000 100000")
    assert usable_cores(process.path) == Cores(2, "quota")


def test_files_that_cannot_be_read(machine, tmp_path):
    process = unified(tmp_path)
    (tmp_path / "cg" / "cpu.max").mkdir(parents=True)
    assert usable_cores(process.path) == Cores(16, "")


def test_a_space_in_a_path():
    line = r"30 23 0:26 / /c\040group rw - cgroup2 cgroup2 rw"
    folders = cgroup_folders("0::/my slice/a\n", line + "\n")
    assert list(map(str, folders)) == ["/c group/my slice/a", "/c group/my slice", "/c group"]


@pytest.mark.parametrize("mountinfo", ["", "nonsense\n", "1 2 3 - cgroup2\n", " - \n"])
def test_nonsense(mountinfo):
    assert cgroup_folders("0::/\nnonsense\n\n5:cpu\n", mountinfo) == []


def test_this_very_process():
    cores = usable_cores()
    assert 1 <= cores.number <= len(os.sched_getaffinity(0))


def test_threads_of_an_engine(monkeypatch):
    monkeypatch.setattr("i2t_ros.backends.cores.usable_cores", lambda: Cores(6, "quota"))
    assert backend_threads(0) == (6, "threads: 6 of 6 cores (quota)")
    assert backend_threads(0, most=4) == (4, "threads: 4 of 6 cores (quota)")
    assert backend_threads(0, most=8) == (6, "threads: 6 of 6 cores (quota)")
    assert backend_threads(9, most=4) == (9, "threads: 9 (asked for)")
    monkeypatch.setattr("i2t_ros.backends.cores.usable_cores", lambda: Cores(2, ""))
    assert backend_threads(0) == (2, "threads: 2 of 2 cores")


def test_a_quota_is_rounded_up(machine, tmp_path):
    process = unified(tmp_path)
    for quota in (1, 100_001, 199_999, 200_001):
        process.write("cg/cpu.max", f"{quota} 100000")
        assert usable_cores(process.path).number == math.ceil(quota / 100_000)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.name)
def test_nobody_else_counts_cores(path):
    if path.name == "cores.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not names & {"cpu_count", "sched_getaffinity", "process_cpu_count"}
