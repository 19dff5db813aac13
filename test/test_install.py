"""The two ways in, from the source to a program that runs: a wheel, and colcon.

The only tests that see what a user's first minutes are like.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import cv2
import numpy as np
import pytest
from project import ROOT

SOURCES = (
    "CMakeLists.txt", "LICENSE", "README.md", "action", "cmake", "config", "i2t_ros", "msg",
    "package.xml", "pyproject.toml", "scripts", "setup.py", "srv", "underlay",
)  # fmt: skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def clean_environment(**more):
    """Return the environment of a shell in which nothing of this run is activated."""
    ours = ("_ROS_WHEELS", "LD_LIBRARY_PATH", "PYTHON", "AMENT", "CMAKE", "COLCON", "VIRTUAL_ENV")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)} | more


def run(*command, **options):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=600, **options
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a copy of the sources, without what a build left in the checkout."""
    folder = tmp_path_factory.mktemp("source") / "i2t_ros"
    folder.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    cv2.imwrite(str(path), np.full((48, 64, 3), 128, np.uint8))
    return path


def test_a_wheel_in_an_empty_environment(source, photo, tmp_path):
    environment = clean_environment()
    run(sys.executable, "-m", "venv", tmp_path / "venv", env=environment)
    python = tmp_path / "venv" / "bin" / "python"
    # In pip's isolated build: what a user's `pip wheel .` does.
    run(python, "-m", "pip", "wheel", "--no-deps", "-w", tmp_path, source, env=environment)
    (wheel,) = tmp_path.glob("i2t_ros-*.whl")
    assert sysconfig.get_config_var("SOABI").split("-")[1] in wheel.name
    run(python, "-m", "pip", "install", wheel, env=environment)

    programs = python.parent
    out = run(programs / "i2t", "describe", "--model", "fake", photo, env=environment)
    assert out.startswith("I can see a person.")
    assert "usage: detector_node" in run(programs / "detector_node", "--help", env=environment)
    code = (
        "import rclpy, rclpy.lifecycle; from i2t_ros.srv import Describe; "
        "from vision_msgs.msg import Detection2DArray; import i2t_ros; print(i2t_ros.__file__)"
    )
    assert str(tmp_path) in run(python, "-c", code, env=environment, cwd="/")


def colcon_build(workspace, *arguments):
    """Build a workspace against this environment, as against /opt/ros."""
    environment = clean_environment(
        AMENT_PREFIX_PATH=sys.prefix,
        CMAKE_PREFIX_PATH=sys.prefix,
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        PYTHONPATH=sysconfig.get_path("purelib"),
    )
    cmake = [
        f"-DPython3_EXECUTABLE={sys.executable}",
        f"-DPYTHON_EXECUTABLE={sys.executable}",
        f"-DCMAKE_PROJECT_INCLUDE={ROOT / 'cmake' / 'drop_builder_paths.cmake'}",
        "-DBUILD_TESTING=OFF",
    ]
    colcon = Path(sys.executable).parent / "colcon"
    run(colcon, "build", *arguments, "--cmake-args", *cmake, cwd=workspace, env=environment)


def test_colcon_build_with_copies_and_then_with_links(source, tmp_path):
    """Both from interfaces that are compiled once; vision_msgs is there, as apt's is on a robot."""
    shutil.copytree(source, tmp_path / "src" / "i2t_ros")
    for layout in ([], ["--symlink-install"]):
        # ament_cmake_python puts no link where its copy is.
        shutil.rmtree(tmp_path / "build" / "i2t_ros" / "ament_cmake_python", ignore_errors=True)
        base = tmp_path / ("links" if layout else "copies")
        colcon_build(tmp_path, *layout, "--install-base", base)
        prefix = base / "i2t_ros"
        for program in ("detector_node", "i2t"):
            installed = prefix / "lib" / "i2t_ros" / program
            assert os.access(installed, os.X_OK)
            assert installed.is_symlink() == bool(layout)
        assert (prefix / "share" / "i2t_ros" / "launch" / "i2t.launch.py").is_file()
        # The sources' modules and the generated interfaces, imported as one package from there.
        sourced = clean_environment(
            PYTHONPATH=str(prefix / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)),
            LD_LIBRARY_PATH=f"{prefix}/lib:{os.environ['LD_LIBRARY_PATH']}",
            _ROS_WHEELS_BOOTSTRAP_COMPLETE="1",
        )
        code = (
            "import i2t_ros.nodes.detector.node as node; from i2t_ros.srv import Describe; "
            "from i2t_ros.resources import config_path; "
            "print(node.__file__, config_path('models.yaml'))"
        )
        out = run(sys.executable, "-c", code, env=sourced, cwd="/")
        assert all(path.startswith(str(prefix)) for path in out.split()), out
