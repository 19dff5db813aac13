"""How this package is installed, where further packages are, and which command installs them.

pip installs this package with all that it needs. On a robot colcon or apt does, and what rosdep has
no key for is in a virtual environment, which `i2t setup` makes and use_packages() finds.

This module needs the standard library alone: it is imported before other packages can be.
"""

import logging
import os
import site
import sys
from functools import cache
from pathlib import Path

VARIABLE = "I2T_VENV"
"""The environment variable that names a virtual environment in place of the default one."""

# What `i2t setup` takes, and the extra of pyproject.toml that brings it; "": none. ONNX Runtime is
# one of the dependencies there, and three tasks need an engine alone.
ENGINES = {"onnxruntime": "", "openvino": "openvino", "litert": "litert", "triton": "triton"}
TASKS = {
    "detect": "",
    "faces": "",
    "classify": "",
    "segment": "litert",
    "pose": "litert",
    "text": "ocr",
    "caption": "vlm",
    "tracking": "tracking",
}
EXTRAS = (
    "web",
    "history",
    "s3",
    "translate",
    "completion",
    "speech",
    "vlm",
    "mcp",
    "recordings",
    "ray",
)
# Programs that apt brings, on a laptop and on a robot, and the package that each is in. rosdep has
# no key for espeak-ng.
PROGRAMS = {
    "espeak-ng": "espeak-ng",
    "aplay": "alsa-utils",
    "paplay": "pulseaudio-utils",
    "pw-play": "pipewire-bin",
}

_PACKAGE = Path(__file__).absolute().parent  # not resolved, as in resources.py


@cache
def by_pip() -> bool:
    """Whether pip installed this package; colcon and apt leave no ``.dist-info`` beside it."""
    return any(_PACKAGE.parent.glob("i2t_ros-*.dist-info"))


def in_environment() -> bool:
    """Whether this process runs in a virtual environment."""
    return sys.prefix != sys.base_prefix


def how_to_install(name: str = "", *, upgrade: bool = False) -> str:
    """Return the command that installs what is missing, as it works for this installation.

    On a laptop that is `pip install "i2t_ros[tracking]"`, where pip knows i2t_ros, and on a robot
    `ros2 run i2t_ros setup --tasks tracking`.

    name  one of ENGINES, TASKS or EXTRAS; else a requirement, as "onnx"; "": all that nodes need
    """
    extra = ENGINES.get(name) or TASKS.get(name) or (name if name in EXTRAS else "")
    if by_pip():
        command = "pip install --upgrade" if upgrade else "pip install"
        return f"{command} {_quoted(f'i2t_ros[{extra}]' if extra else name or 'i2t_ros')}"
    command = "ros2 run i2t_ros setup --upgrade" if upgrade else "ros2 run i2t_ros setup"
    flags = {"--engine": ENGINES, "--tasks": TASKS, "--extras": EXTRAS}
    flag = next((flag for flag, known in flags.items() if name in known), "--packages")
    return f"{command} {flag} {_quoted(name)}" if name else command


def how_to_install_program(name: str) -> str:
    """Return the command that installs one of PROGRAMS."""
    return f"sudo apt-get install {PROGRAMS[name]}"


def how_to_fetch(model: str) -> str:
    """Return the command that fetches a model; a robot's shell finds `i2t` through ros2 run."""
    return f"{'i2t' if by_pip() else 'ros2 run i2t_ros i2t'} models fetch {model}"


def how_to_fetch_voice(name: str) -> str:
    """Return the command that fetches a voice of Piper into the working folder.

    It needs a Python that finds Piper: this one, or that of the environment that `setup` makes.
    """
    own = not os.environ.get(VARIABLE) and (by_pip() or in_environment())
    python = sys.executable if own else environment_path() / "bin" / "python3"
    return f"{python} -m piper.download_voices {name}"


def _quoted(word: str) -> str:
    return f'"{word}"' if set(word) & set("[]<>;") else word


def environment_path() -> Path:
    """Return where a robot's further packages are: I2T_VENV, or a folder for this Python."""
    if named := os.environ.get(VARIABLE):
        return Path(os.path.expanduser(named))
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return Path(data) / "i2t_ros" / _python()


def site_packages(environment: Path) -> Path:
    """Return where a virtual environment has the packages for this Python."""
    return environment / "lib" / _python() / "site-packages"


def use_packages() -> None:
    """Let this process import what is in the virtual environment.

    As in one that is activated, its packages come before the system's, and after PYTHONPATH.
    Nothing changes where pip installed this package, or in another virtual environment, unless
    I2T_VENV is set.
    """
    named = os.environ.get(VARIABLE)
    if not named and (by_pip() or in_environment()):
        return
    folder = site_packages(environment_path())
    if not os.path.isdir(folder):  # Path.is_dir() raises where this user may not look
        if named:
            logging.getLogger(__name__).warning(
                "%s is ignored: %s is no virtual environment of %s; `%s` makes one",
                VARIABLE, named, _python(), how_to_install(),
            )  # fmt: skip
        return
    if str(folder) not in sys.path:
        own = {*site.getsitepackages(), site.getusersitepackages()}
        places = (at for at, path in enumerate(sys.path) if path in own)
        sys.path.insert(next(places, len(sys.path)), str(folder))


def _python() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
