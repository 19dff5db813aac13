"""Loads what every test may use; on a robot without `i2t setup`, tests only what works there."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import i2t_ros.nodes  # noqa: F401 (finds the packages of `i2t setup`)

READY = find_spec("msgspec") is not None
if find_spec("hypothesis"):
    from hypothesis import settings

    # How long an example takes depends on what else this machine is doing.
    settings.register_profile("without time limits", deadline=None)
    settings.load_profile("without time limits")
if READY:
    from shared_fixtures import *  # noqa: F403
else:
    collect_ignore = [
        str(path)
        for path in Path(__file__).parent.glob("[!_]*")
        if path.name != "test_installation.py"
    ]


def pytest_collection_modifyitems(items):
    """Put first what is one long program: beside it, other processes run the rest."""
    items.sort(key=lambda item: item.path.name not in {"test_install.py", "test_mypy.py"})


def pytest_report_header():
    """Say why most tests are left out."""
    return None if READY else "i2t_ros lacks msgspec: `ros2 run i2t_ros setup` makes all tests run"


def pytest_addoption(parser, pluginmanager):
    """Know the settings of pytest-timeout where it is missing, or has none for the session."""
    plugged = pluginmanager.hasplugin("timeout")
    if not plugged:
        parser.addini("timeout", "heeded by pytest-timeout")
    if not plugged or tuple(map(int, version("pytest-timeout").split(".")[:2])) < (2, 4):
        parser.addini("session_timeout", "heeded by pytest-timeout 2.4")


def pytest_configure(config):
    """Know its marker, too."""
    config.addinivalue_line("markers", "timeout(seconds): heeded by pytest-timeout")
