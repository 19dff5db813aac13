"""Prints requirements out of pyproject.toml, a line each: `requirements.py build run demo`.

"build" is what pip would put into an isolated build environment, "run" what the package needs,
any other name an extra. With all of them in the environment, `pip install --no-deps
--no-build-isolation .` takes seconds.
"""

import sys
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10; pip carries the same parser
    from pip._vendor import tomli as tomllib

pyproject = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
lists = {
    "build": pyproject["build-system"]["requires"],
    "run": pyproject["project"]["dependencies"],
    **pyproject["project"]["optional-dependencies"],
}
print("\n".join(line for name in sys.argv[1:] for line in lists[name]))
