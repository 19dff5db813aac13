"""Which ROS 2 distribution the environment gets, as make decides, and the wheels that make it."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import requires, version

import pytest
from project import PYPROJECT, ROOT
from requirements import requirements

DISTROS = ["jazzy", "kilted"]
PIN = re.compile(r"(ros-[\w-]+)(?:\[fastrtps\])?==([\d.]+)")


@pytest.fixture
def make(tmp_path):
    """Return a function that says what make would do in a checkout without an environment."""
    for name in ("Makefile", "pyproject.toml", "tools"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    for folder in ("i2t_ros", "action", "config", "msg", "srv", "scripts", "underlay", "cmake"):
        (tmp_path / folder).mkdir()
    for name in ("CMakeLists.txt", "package.xml", "setup.py"):
        (tmp_path / name).touch()

    def run(*arguments, **environment):
        ours = ("ROS_DISTRO", "MAKE", "MFLAGS")  # of the make that runs these tests
        clean = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        command = ["make", "--no-print-directory", f"PYTHON={sys.executable}", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=clean | environment, capture_output=True, text=True
        )

    run.folder = tmp_path
    return run


def installed(make, distro):
    """Leave what an installation leaves."""
    venv = make.folder / ".venv"
    shutil.rmtree(venv, ignore_errors=True)
    (venv / "bin").mkdir(parents=True)
    if distro:
        (venv / ".ros_distro").write_text(f"{distro}\n")
    for mark in (".requirements", ".test", ".installed"):
        (venv / mark).touch()


@pytest.mark.parametrize(
    ("named", "sourced", "before", "chosen"),
    [
        (None, None, None, "jazzy"),
        (None, "", None, "jazzy"),
        ("", "humble", None, "jazzy"),
        ("kilted", None, None, "kilted"),
        ("kilted", "jazzy", "jazzy", "kilted"),
        ("jazzy", "kilted", "kilted", "jazzy"),
        (None, "kilted", None, "kilted"),
        (None, "jazzy", "kilted", "jazzy"),
        (None, None, "kilted", "kilted"),
        (None, "humble", None, "jazzy"),
        (None, "rolling", "kilted", "kilted"),
        (None, "noetic melodic; rm -rf /", None, "jazzy"),
    ],
)
@pytest.mark.parametrize("target", ["demo", "run", "test"])
def test_what_make_installs(make, named, sourced, before, chosen, target):
    if before:
        installed(make, before)
    words = [] if named is None else [f"ROS_DISTRO={named}"]
    said = make("-n", target, *words, **({} if sourced is None else {"ROS_DISTRO": sourced}))
    assert said.returncode == 0, said.stderr
    if chosen == before:
        assert "requirements.py" not in said.stdout
        assert "uninstall" not in said.stdout
    else:
        assert f"requirements.py {chosen} build run" in said.stdout
        assert said.stdout.index("uninstall") < said.stdout.index("requirements.py")
        assert "install --no-deps --no-build-isolation ." in said.stdout
    profile = "FASTRTPS" if chosen == "jazzy" else "FASTDDS"
    assert target != "run" or f"export {profile}_DEFAULT_PROFILES_FILE=" in said.stdout


@pytest.mark.parametrize("named", ["humble", "Kilted", "jazzy kilted2", "jazzy kilted", "%"])
def test_a_distribution_that_is_named_has_to_be_on_pypi(make, named):
    said = make("-n", "demo", f"ROS_DISTRO={named}")
    assert said.returncode != 0
    assert said.stdout == ""
    assert "ROS_DISTRO: expected jazzy or kilted" in said.stderr


def test_an_environment_from_before_there_was_a_choice_has_jazzy(make):
    installed(make, None)
    assert "uninstall" not in make("-n", "demo").stdout
    assert "uninstall" in make("-n", "demo", "ROS_DISTRO=kilted").stdout


def test_a_change_that_is_interrupted_is_made_again(make):
    """Here by a pip that fails."""
    installed(make, "jazzy")
    pip = make.folder / ".venv" / "bin" / "pip"
    pip.write_text(
        '#!/bin/sh\necho "$@" >> calls; [ "$1" = list ] && echo ros-rclpy==1 i2t_ros==1\n'
    )
    pip.chmod(0o755)
    (make.folder / ".venv" / "bin" / "python").symlink_to("/bin/false")
    assert make(".venv/.installed", "ROS_DISTRO=kilted").returncode != 0
    assert "uninstall --yes ros-rclpy" in (make.folder / "calls").read_text()
    assert not (make.folder / ".venv" / ".ros_distro").exists()
    again = make("-n", "demo").stdout
    assert "uninstall" in again
    assert "requirements.py jazzy build run" in again


def test_a_sourced_ros_stays_outside(make):
    """Its modules, libraries and middleware, of another distribution, would be taken instead."""
    makefile = make.folder / "Makefile"
    makefile.write_text(f"{makefile.read_text()}\nenvironment:\n\t@env\n")
    said = make(
        "environment",
        ROS_DISTRO="humble",
        AMENT_PREFIX_PATH="/home/me/ws/install/mine:/opt/ros/humble",
        CMAKE_PREFIX_PATH="/opt/ros/humble",
        LD_LIBRARY_PATH="/opt/ros/humble/lib:/usr/local/cuda/lib64:/home/me/ws/install/mine/lib",
        PYTHONPATH="/opt/ros/humble/lib/python3.10/site-packages",
        RMW_IMPLEMENTATION="rmw_cyclonedds_cpp",
    ).stdout
    assert "ros/humble" not in said
    assert "RMW_IMPLEMENTATION" not in said
    assert "\nLD_LIBRARY_PATH=/usr/local/cuda/lib64\n" in said
    assert "LD_LIBRARY_PATH=/a:/b\n" in make("environment", LD_LIBRARY_PATH="/a:/b").stdout


def test_every_wheel_of_each_distribution_has_one_pin():
    wheels = {distro: requirements(distro, ["build", "run"]) for distro in DISTROS}
    pins = {}
    for distro, lines in wheels.items():
        found = [PIN.fullmatch(line) for line in lines if line.startswith("ros-")]
        assert None not in found
        pins[distro] = dict(match.groups() for match in found)
        assert len(pins[distro]) == len(set(lines) - {line for line in lines if line[:4] != "ros-"})
        assert "ros-rclpy[fastrtps]==" + pins[distro]["ros-rclpy"] in lines
    assert set(pins["jazzy"]) - set(pins["kilted"]) == {"ros-fastrtps"}  # which became fastdds
    rest = {
        distro: {line for line in lines if line[:4] != "ros-"} for distro, lines in wheels.items()
    }
    assert rest["jazzy"] == rest["kilted"]


def test_lists_without_ros_are_the_same_for_each_distribution():
    assert requirements("kilted", ["test", "web"]) == requirements("jazzy", ["test", "web"])
    with pytest.raises(KeyError):
        requirements("humble", ["build"])


def test_the_makefile_knows_each_distribution_of_pyproject():
    (line,) = re.findall("^DISTROS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line.split() == DISTROS == ["jazzy", *PYPROJECT["dependency-groups"]]


def test_the_installed_package_asks_for_the_ros_that_it_was_built_against():
    pins = [re.match(r"(ros-[\w-]+).*==([\d.]+)", line) for line in requires("i2t_ros")]
    asked = dict(pin.groups() for pin in pins if pin)
    assert asked == {name: version(name) for name in asked}
    assert "ros-rclpy" in asked
