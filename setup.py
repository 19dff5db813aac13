"""The pip way in, for machines without ROS: builds the interfaces against PyPI's ROS 2 wheels.

On a robot colcon runs CMakeLists.txt and never looks at this file. Here the same CMakeLists.txt
runs after the one of underlay/vision_msgs (apt has that package, PyPI does not), both into a
staging prefix. Modules go to the root of the wheel, everything else to its data, which pip puts
where it was staged: a virtual environment is a ROS prefix for these wheels, so nothing needs
sourcing.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build import build

ROOT = Path(__file__).parent.resolve()
WORK = ROOT / "build" / f"pip-{sysconfig.get_config_var('SOABI')}"
STAGING = WORK / "prefix"


def ros_prefix() -> Path:
    """Return the folder whose share/ holds the ROS 2 CMake packages of this build.

    In pip's isolated build that is an overlay and not sys.prefix, so a module of the wheels says.
    """
    spec = importlib.util.find_spec("rosidl_cmake")
    if spec is None or spec.origin is None:
        raise SystemExit(
            "i2t_ros: the ROS 2 build packages are missing (no module rosidl_cmake). "
            "Build with pip's own isolation (no --no-build-isolation), or install what "
            "build-system.requires of pyproject.toml names first. The packages exist for "
            "Linux x86-64 and CPython 3.10 to 3.14; where ROS 2 is installed, use colcon build."
        )
    # <prefix>/lib/pythonX.Y/site-packages/rosidl_cmake/__init__.py
    return Path(spec.origin).parents[4]


def ros_wheels() -> list[str]:
    """Return the ROS 2 wheels of this build, as "ros-rclpy==7.1.6"."""
    found = importlib.metadata.distributions()
    return [f"{dist.name}=={dist.version}" for dist in found if dist.name.startswith("ros-")]


def run_cmake(source: Path, name: str, prefix: Path) -> None:
    """Configure, build and install one CMake package into the staging prefix."""
    paths = os.pathsep.join([str(STAGING), str(prefix)])
    env = os.environ | {"AMENT_PREFIX_PATH": paths, "CMAKE_PREFIX_PATH": paths}
    # The generators run as programs of their own and must see the same modules as this process.
    env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path and Path(path) != ROOT)
    build_dir = WORK / name
    cmake = [sys.executable, "-m", "cmake"]
    configure = [
        *cmake,
        *("-S", str(source), "-B", str(build_dir), "-G", "Ninja"),
        f"-DCMAKE_MAKE_PROGRAM={shutil.which('ninja') or prefix / 'bin' / 'ninja'}",
        "-DCMAKE_BUILD_TYPE=Release",
        "-DBUILD_TESTING=OFF",
        f"-DCMAKE_INSTALL_PREFIX={STAGING}",
        f"-DCMAKE_PROJECT_INCLUDE={ROOT / 'cmake' / 'drop_builder_paths.cmake'}",
        f"-DPYTHON_EXECUTABLE={sys.executable}",
        f"-DPython3_EXECUTABLE={sys.executable}",
    ]
    for command in (configure, [*cmake, "--build", str(build_dir), "--target", "install"]):
        done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"i2t_ros: {' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")


class BuildWithInterfaces(build):
    """Runs CMake, then hands the staged files to setuptools as data files."""

    def run(self) -> None:
        """Stage everything afresh and list it."""
        prefix = ros_prefix()
        # What is staged and what was handed over are made anew, so that a module deleted from the
        # source does not live on. CMake's own folders stay for the next build, unless they were
        # made with an environment that is gone (pip's isolated one) or has another ROS 2 now.
        shutil.rmtree(STAGING, ignore_errors=True)
        shutil.rmtree(self.build_lib, ignore_errors=True)
        stamp = WORK / "made_with"
        made_with = "\n".join([str(prefix), sys.executable, *sorted(ros_wheels())])
        if not stamp.is_file() or stamp.read_text() != made_with:
            shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir(parents=True, exist_ok=True)
        stamp.write_text(made_with)
        run_cmake(ROOT / "underlay" / "vision_msgs", "vision_msgs", prefix)
        run_cmake(ROOT, "i2t_ros", prefix)
        self.hand_over()
        super().run()

    def hand_over(self) -> None:
        """Give setuptools the staged files: modules to the wheel's root, the rest as data files."""
        modules = STAGING / sysconfig.get_path("purelib", vars={"base": ""}).lstrip("/")
        folders: dict[str, list[str]] = {}
        for path in sorted(path for path in STAGING.rglob("*") if path.is_file()):
            if path.is_relative_to(modules):
                inside = path.relative_to(modules)
                if inside.parts[0].endswith(".egg-info"):  # the wheel brings its own metadata
                    continue
                target = Path(self.build_lib) / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
            else:
                folder = str(path.parent.relative_to(STAGING))
                folders.setdefault(folder, []).append(os.path.relpath(path, ROOT))
        self.distribution.data_files = list(folders.items())


class PlatformWheel(Distribution):
    """A wheel of compiled code, so named for its platform and Python, that needs what it met."""

    def parse_config_files(self, *args: object, **kwargs: object) -> None:
        """Ask for the ROS 2 wheels that are here: other distributions have other interfaces."""
        super().parse_config_files(*args, **kwargs)
        here = dict(line.split("==") for line in ros_wheels())
        for index, line in enumerate(self.install_requires):
            name = re.match(r"[\w-]+", line)[0]
            if name in here:
                self.install_requires[index] = f"{line.split('==')[0]}=={here[name]}"

    def has_ext_modules(self) -> bool:
        """Return True: the generated message libraries are compiled."""
        return True


def version() -> str:
    """Return the version that package.xml states, the one place for it."""
    text = (ROOT / "package.xml").read_text(encoding="utf-8")
    return text.split("<version>")[1].split("</version>")[0]


setup(version=version(), distclass=PlatformWheel, cmdclass={"build": BuildWithInterfaces})
