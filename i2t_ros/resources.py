"""The package's data files: where models.yaml, the languages and defaults are, and reading YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

# Not resolved: under `colcon build --symlink-install` the module is a link into the source, while
# the data that belongs to it is under the install prefix.
_PACKAGE = Path(__file__).absolute().parent

# libyaml's, if PyYAML was built with it: it reads models.yaml in 3 ms, Python's own in 30.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(path: Path) -> Any:
    """Return what a YAML file holds; raises OSError, UnicodeDecodeError and yaml.YAMLError."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 (a safe one)


def config_path(*parts: str) -> Path:
    """Return a file or folder of the package's ``config`` folder, as in ``config_path("x.yaml")``.

    Raises FileNotFoundError, naming every folder that was tried, if the installation lacks it.
    """
    path = find_config(_PACKAGE).joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: expected there with this installation of i2t_ros; build or install it again"
        )
    return path


def find_config(package: Path) -> Path:
    """Return the config folder that belongs to the Python package in the folder ``package``.

    Installed, that is ``share/i2t_ros/config`` of the prefix, whose Python folder is a few levels
    deep and differs between a virtual environment (``lib/python3.10/site-packages``), Debian
    (``local/lib/python3.10/dist-packages``) and colcon: the nearest parent that has it is the
    prefix. Otherwise it is ``config`` beside the package, as in a source checkout.
    """
    installed = [parent / "share" / "i2t_ros" / "config" for parent in package.parents]
    candidates = [*installed, package.parent / "config"]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    tried = ", ".join(str(candidate) for candidate in candidates)
    raise FileNotFoundError(f"the data files of i2t_ros: found none of {tried}; install it again")
