"""What is handed to nodes that are started as processes."""

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from pathlib import Path
from i2t_ros.nodes.processes import parameter_file
files = [parameter_file({"http": True}), parameter_file({"model": "fake"})]
assert len(set(files)) == 2 and all(Path(file).read_text() for file in files)
sys.stdout.write("\\n".join(files))
"""


def test_parameter_files_are_gone_when_their_process_has_ended():
    done = subprocess.run([sys.executable, "-c", CODE], cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    files = [Path(name) for name in done.stdout.splitlines()]
    assert len(files) == 2
    assert not any(file.exists() or file.parent.exists() for file in files)
