"""What the two ways in install is the same."""

import re

import pytest
from project import PYPROJECT, ROOT

from i2t_ros.resources import config_path

CMAKE = (ROOT / "CMakeLists.txt").read_text()
INTERFACES = ("action", "msg", "srv")
"""Folders of interfaces."""


def test_ros2_run_and_pip_have_the_same_programs():
    scripts = {path.name for path in (ROOT / "scripts").iterdir()}
    installed = set(re.findall(r"scripts/(\w+)", CMAKE))
    # pip has no program of such a general name: there it is `i2t setup`.
    assert scripts == installed == {*PYPROJECT["project"]["scripts"], "setup"}


def test_each_script_runs_what_pip_runs():
    for name, target in PYPROJECT["project"]["scripts"].items():
        module, function = target.split(":")
        assert f"from {module} import {function}" in (ROOT / "scripts" / name).read_text()


def test_cmake_generates_every_interface():
    files = {str(p.relative_to(ROOT)) for kind in INTERFACES for p in (ROOT / kind).iterdir()}
    assert files == set(re.findall(r"^  ((?:action|msg|srv)/\w+\.\w+)$", CMAKE, re.MULTILINE))


@pytest.mark.parametrize(
    "name",
    ["MANIFEST.in", ".dockerignore", "Makefile", "docker/ros.Dockerfile", "docker/slim.Dockerfile"],
)
def test_whatever_copies_the_sources_copies_every_folder_of_interfaces(name):
    text = (ROOT / name).read_text()
    assert [kind for kind in INTERFACES if not re.search(rf"\b{kind}\b", text)] == []


@pytest.mark.parametrize("folder", INTERFACES)
def test_every_field_of_an_interface_says_what_it_is(folder):
    for path in (ROOT / folder).iterdir():
        for line in path.read_text().splitlines():
            is_field = line and line != "---" and not line.lstrip().startswith("#")
            assert not is_field or "#" in line, f"{path.name}: {line}"


def test_no_file_hides_something_real():
    # Each of these would hide a generated or a ROS package of the same name.
    for path in (
        "test/__init__.py",
        "i2t_ros/launch/__init__.py",
        "i2t_ros/action",
        "i2t_ros/msg",
        "i2t_ros/srv",
    ):
        assert not (ROOT / path).exists()


def test_what_is_in_config_is_installed():
    for path in (ROOT / "config").rglob("*.*"):
        assert config_path(*path.relative_to(ROOT / "config").parts).is_file()


def test_ci_leaves_no_test_out():
    assert re.search(r"^timeout .* make test-all$", (ROOT / ".ci" / "run").read_text(), re.M)
    recipe = (ROOT / "Makefile").read_text().split("\ntest test-all:")[1].split("\n\n")[0]
    assert '$(if $(filter test,$@),-m "not slow")' in recipe
