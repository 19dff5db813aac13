"""What is not installed is named, with the command that installs it."""

import re
from pathlib import Path

import pytest
from project import PYPROJECT

import i2t_ros
from i2t_ros.errors import BackendMissingError
from i2t_ros.optional import can_import, needed_for


def test_a_missing_module_is_named_with_the_command():
    with pytest.raises(BackendMissingError) as caught, needed_for("flying", "pip install wings"):
        import no_such_wings  # noqa: F401, PLC0415
    assert str(caught.value) == (
        "flying needs a package that is not installed (No module named 'no_such_wings'): "
        "pip install wings"
    )


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), needed_for("flying", "pip install wings"):
        1 / 0  # noqa: B018


def test_what_can_be_imported():
    assert can_import("json.decoder")
    assert not can_import("no_such_wings")
    assert not can_import("no_such_wings.feathers")


def test_every_extra_that_is_named_exists():
    sources = [path.read_text() for path in Path(i2t_ros.__file__).parent.rglob("*.py")]
    named = {extra for text in sources for extra in re.findall(r"i2t_ros\[(\w+)\]", text)}
    assert "tracking" in named
    assert named <= set(PYPROJECT["project"]["optional-dependencies"])


def test_what_interrupts_an_import_is_no_missing_package():
    wrapped = ImportError("initialization failed")  # as extension modules do
    wrapped.__cause__ = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt), needed_for("tracking", "pip install tracking"):
        raise wrapped
