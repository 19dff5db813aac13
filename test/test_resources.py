from __future__ import annotations

from pathlib import Path

import pytest

from i2t_ros import resources
from i2t_ros.resources import config_path, find_config

PYTHON_FOLDERS = [
    "lib/python3.12/site-packages",
    "local/lib/python3.10/dist-packages",
    "lib/python3/dist-packages",
]


def make_package(folder: Path) -> Path:
    package = folder / "i2t_ros"
    package.mkdir(parents=True)
    return package


@pytest.mark.parametrize("python", PYTHON_FOLDERS)
def test_installed_data_is_under_the_prefix(tmp_path: Path, python: str) -> None:
    package = make_package(tmp_path / "prefix" / python)
    config = tmp_path / "prefix" / "share" / "i2t_ros" / "config"
    config.mkdir(parents=True)

    assert find_config(package) == config


def test_the_nearest_prefix_wins(tmp_path: Path) -> None:
    package = make_package(tmp_path / "outer" / "venv" / "lib" / "python3.12" / "site-packages")
    near = tmp_path / "outer" / "venv" / "share" / "i2t_ros" / "config"
    far = tmp_path / "outer" / "share" / "i2t_ros" / "config"
    near.mkdir(parents=True)
    far.mkdir(parents=True)

    assert find_config(package) == near


def test_a_source_checkout_has_it_beside_the_package(tmp_path: Path) -> None:
    package = make_package(tmp_path / "checkout")
    config = tmp_path / "checkout" / "config"
    config.mkdir()

    assert find_config(package) == config


def test_none_at_all_names_what_was_tried(tmp_path: Path) -> None:
    package = make_package(tmp_path / "checkout")

    with pytest.raises(FileNotFoundError, match=r"share/i2t_ros/config.*checkout/config"):
        find_config(package)


def test_a_symlinked_module_finds_the_data_of_the_install_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = make_package(tmp_path)
    (tmp_path / "config").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)

    assert config_path() == tmp_path / "config"
    with pytest.raises(FileNotFoundError, match=r"languages/xx\.yaml"):
        config_path("languages", "xx.yaml")
