"""Importing what need not be installed, and the one error that says how to get it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from i2t_ros.errors import BackendMissingError


@contextmanager
def needed_for(purpose: str, install: str) -> Iterator[None]:
    """Turn an ImportError of the block into BackendMissingError.

    purpose  what cannot be done without the import, as "tracking"
    install  the commands that bring it; on a robot too, if they differ there
    """
    try:
        yield
    except ImportError as error:
        raise missing(purpose, install, str(error)) from error


def missing(purpose: str, install: str, why: str) -> BackendMissingError:
    """Return the error of something that is not installed, or that cannot be imported."""
    return BackendMissingError(
        f"{purpose} needs a package that is not installed ({why}): {install}"
    )


def can_import(module: str) -> bool:
    """Whether a module can be found; it is not imported, but the packages that it is in are."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # a parent package that is broken or absent
        return False
