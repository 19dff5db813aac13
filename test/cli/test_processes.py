"""What is handed to nodes that are started as processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from i2t_ros.nodes import processes
from i2t_ros.resources import config_path

CODE = """
import sys
from i2t_ros.nodes.processes import parameter_file
print(parameter_file({"http": True}), parameter_file({"model": "fake"}), flush=True)
sys.stdin.read()
"""


def test_parameter_files_are_gone_when_their_process_is_killed(tmp_path):
    started = subprocess.Popen(
        [sys.executable, "-c", CODE],
        cwd="/",
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with started:
        files = [Path(name) for name in started.stdout.readline().split()]
        found = [yaml.safe_load(file.read_text()) for file in files]
        assert [file.is_file() for file in files] == [True, True]  # launch warns if it is not
        started.kill()
    assert found == [
        {"/**/*": {"ros__parameters": values}} for values in ({"http": True}, {"model": "fake"})
    ]
    assert not any(file.exists() for file in files)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("package", "variable"),
    [("fastrtps", "FASTRTPS_DEFAULT_PROFILES_FILE"), ("fastdds", "FASTDDS_DEFAULT_PROFILES_FILE")],
)
def test_the_profile_is_named_as_this_fast_dds_reads_it(tmp_path, monkeypatch, package, variable):
    for name in processes.PROFILES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "ros" / "share" / package).mkdir(parents=True)
    for prefixes in (f"{tmp_path}/overlay:{tmp_path}/ros", None):  # sourced, or from PyPI
        if prefixes is None:
            monkeypatch.delenv("AMENT_PREFIX_PATH")
            monkeypatch.setattr(sys, "prefix", f"{tmp_path}/ros")
        else:
            monkeypatch.setenv("AMENT_PREFIX_PATH", prefixes)
        assert processes.dds_profile() == {variable: str(config_path("fastdds.xml"))}
    for name in processes.PROFILES:  # the user's own, by either name
        monkeypatch.setenv(name, "mine.xml")
        assert processes.dds_profile() == {}
        assert processes.node_environment()[name] == "mine.xml"
        monkeypatch.delenv(name)
