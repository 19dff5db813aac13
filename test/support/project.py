"""Where the project is, and what it says of itself."""

import os
import sys
from pathlib import Path

from i2t_ros.resources import config_path

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
_BESIDE = Path(sys.executable).with_name("i2t")
I2T = _BESIDE if _BESIDE.exists() else config_path().parents[2] / "lib" / "i2t_ros" / "i2t"
"""The command: beside Python where pip put it, in the package's own folder where colcon did."""
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def first_on_path(folder: Path) -> str:
    """Return PYTHONPATH with a folder before what is there: on a robot that is ROS."""
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
