"""The package's data files: where models.yaml, the languages and defaults are, and reading YAML."""

import os
from pathlib import Path
from typing import Any

import yaml

# Not resolved: under `colcon build --symlink-install` the module is a link into the source, while
# the data that belongs to it is under the install prefix.
_PACKAGE = Path(__file__).absolute().parent

# libyaml's, if PyYAML was built with it: it reads models.yaml in 3 ms, Python's own in 30.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def expanded(path: str) -> Path:
    """Return a path with the home folder in place of ``~``.

    Where that is not known, because HOME is not set and the user has no entry in /etc/passwd, the
    path stays as it is: it names nothing then.
    """
    return Path(os.path.expanduser(path))  # Path.expanduser() raises RuntimeError


def load_yaml(path: Path) -> Any:
    """Return what a YAML file holds.

    Raises OSError, and ValueError with the line and what is wrong there, on one line.
    """
    data = path.read_bytes()
    try:
        return yaml.load(data.decode("utf-8"), Loader=_LOADER)  # noqa: S506 (a safe one)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"it is not UTF-8: line {_line(data, error.start)}: {error.reason}"
        ) from error
    except yaml.reader.ReaderError as error:
        said = str(error).partition("\n")[0]
        raise ValueError(f"it is not YAML: line {_line(data, error.position)}: {said}") from error
    except yaml.MarkedYAMLError as error:
        said = ", ".join(filter(None, (error.context, error.problem)))
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise ValueError(f"it is not YAML: {where}{said}") from error
    except (AttributeError, KeyError, RecursionError) as error:  # "!!bool x", or very deep
        raise ValueError(f"it is not YAML: {type(error).__name__}: {error}") from error


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def version() -> str:
    """Return the package's version, which package.xml states."""
    text = config_path().with_name("package.xml").read_text(encoding="utf-8")
    return text.partition("<version>")[2].partition("</version>")[0]


def config_path(*parts: str) -> Path:
    """Return a file or folder of the package's ``config`` folder, as in ``config_path("x.yaml")``.

    Raises FileNotFoundError, naming where it was looked for, if the installation lacks it.
    """
    # Installed, the Python folder is a few levels below the prefix and differs between a virtual
    # environment (lib/python3.10/site-packages), Debian (local/lib/python3.10/dist-packages) and
    # colcon: the nearest parent that has the folder is the prefix. A source checkout has it beside
    # the package.
    folders = [parent / "share" / "i2t_ros" / "config" for parent in _PACKAGE.parents]
    folders.append(_PACKAGE.parent / "config")
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None or not (path := folder.joinpath(*parts)).exists():
        tried = folder or ", ".join(map(str, folders))
        raise FileNotFoundError(
            f"{'/'.join(parts) or 'config'}: not found in {tried}; build or install i2t_ros again"
        )
    return path
