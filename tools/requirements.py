"""Prints requirements out of pyproject.toml, a line each: `requirements.py jazzy build run demo`.

The first word is the ROS 2 distribution. "build" is what pip would put into an isolated build
environment, "run" what the package needs, any other name an extra. With all of them in the
environment, `pip install --no-deps --no-build-isolation .` takes seconds.
"""

import sys
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10; pip carries the same parser
    from pip._vendor import tomli as tomllib

DEFAULT = "jazzy"
"""The distribution of the wheels in build-system.requires and project.dependencies."""


def requirements(distro: str, names: list[str]) -> list[str]:
    """Return the lines of these lists, with the ROS wheels of a distribution; or raise KeyError."""
    pyproject = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    lists = {
        "build": pyproject["build-system"]["requires"],
        "run": pyproject["project"]["dependencies"],
        **pyproject["project"]["optional-dependencies"],
    }
    lines = [line for name in names for line in lists[name]]
    if distro == DEFAULT:
        return lines
    wheels = pyproject["dependency-groups"][distro]
    others = [line for line in lines if not line.startswith("ros-")]
    return others if others == lines else others + wheels


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1], sys.argv[2:])))
