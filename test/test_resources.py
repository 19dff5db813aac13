from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from i2t_ros import resources
from i2t_ros.resources import config_path

PYTHON_FOLDERS = [
    "lib/python3.12/site-packages",
    "local/lib/python3.10/dist-packages",
    "lib/python3/dist-packages",
]


@pytest.fixture
def make_package(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """Return what makes a package in a folder, as if this one were installed there."""

    def make(folder: Path) -> Path:
        package = folder / "i2t_ros"
        package.mkdir(parents=True)
        monkeypatch.setattr(resources, "_PACKAGE", package)
        return package

    return make


@pytest.mark.parametrize("python", PYTHON_FOLDERS)
def test_installed_data_is_under_the_prefix(make_package, tmp_path: Path, python: str) -> None:
    make_package(tmp_path / "prefix" / python)
    config = tmp_path / "prefix" / "share" / "i2t_ros" / "config"
    config.mkdir(parents=True)

    assert config_path() == config


def test_the_nearest_prefix_wins(make_package, tmp_path: Path) -> None:
    make_package(tmp_path / "outer" / "venv" / "lib" / "python3.12" / "site-packages")
    near = tmp_path / "outer" / "venv" / "share" / "i2t_ros" / "config"
    far = tmp_path / "outer" / "share" / "i2t_ros" / "config"
    near.mkdir(parents=True)
    far.mkdir(parents=True)

    assert config_path() == near


def test_a_source_checkout_has_it_beside_the_package(make_package, tmp_path: Path) -> None:
    make_package(tmp_path / "checkout")
    config = tmp_path / "checkout" / "config"
    config.mkdir()

    assert config_path() == config


def test_none_at_all_names_what_was_tried(make_package, tmp_path: Path) -> None:
    make_package(tmp_path / "checkout")

    with pytest.raises(FileNotFoundError, match=r"share/i2t_ros/config.*checkout/config"):
        config_path()


def test_a_symlinked_module_finds_the_data_of_the_install_prefix(
    make_package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_package(tmp_path / "source")
    (tmp_path / "source" / "config").mkdir()
    python = tmp_path / "install" / "lib" / "python3.12" / "site-packages"
    python.mkdir(parents=True)
    (python / "i2t_ros").symlink_to(source)
    config = tmp_path / "install" / "share" / "i2t_ros" / "config"
    config.mkdir(parents=True)
    (config / "models.yaml").touch()
    monkeypatch.setattr(resources, "_PACKAGE", python / "i2t_ros")

    assert config_path("models.yaml") == config / "models.yaml"


def test_a_missing_file_is_named(make_package, tmp_path: Path) -> None:
    make_package(tmp_path)
    (tmp_path / "config").mkdir()

    assert config_path() == tmp_path / "config"
    with pytest.raises(FileNotFoundError, match=r"languages/xx\.yaml: not found in .*/config"):
        config_path("languages", "xx.yaml")
