"""What is handed to nodes that are started as processes."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

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
