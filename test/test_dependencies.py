"""package.xml and pyproject.toml name all that the package imports, and package.xml no more.

What is imported where it is used, by one task or backend, may be missing on a robot: `i2t setup`
brings it. The keys were compared with rosdep/python.yaml and rosdep/base.yaml of ros/rosdistro, and
with the packages of Humble, Jazzy, Kilted, Lyrical and Rolling there, in August 2026.
"""

import ast
import functools
import re
import sys
from importlib.metadata import packages_distributions, requires
from xml.etree import ElementTree

from project import PYPROJECT, ROOT

from i2t_ros.cli.requirements import System, make_plan, name_of

IMPORTERS = {"import_module", "can_import", "find_spec", "_required"}
ROS = {"ament_index_python", "cv_bridge", "launch", "launch_ros", "rclpy", "tf2_ros"}
ROS_ENDINGS = ("_msgs", "_srvs", "_interfaces")
OPTIONAL = {"foxglove_msgs"}  # without it there is one topic less
JETSON = {"jetson", "jetson_inference", "jetson_utils"}  # built on the device, by no package
# Keys of rosdep that are not python3-<module>, or the name of a ROS module; None: rosdep has none,
# and `i2t setup` brings it.
KEYS = {
    "PIL": "python3-pil",
    "cachetools": None,
    "cv2": "python3-opencv",
    "inflect": None,
    "msgspec": None,
    "onnxruntime": None,
    "tf2_ros": "tf2_ros_py",
    "unicode_rbnf": None,
}
# What is generated needs the first; `i2t setup` makes its environment with the last.
NOT_IMPORTED = {"rosidl_default_runtime", "cv_bridge", "python3-venv"}
INSTALLED = packages_distributions()


def modules_of(tree):
    """Return the absolute names that a module imports, also by name at run time."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
        elif isinstance(node, ast.Call) and node.args:
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in IMPORTERS and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


@functools.cache
def imported():
    trees = [ast.parse(path.read_text()) for path in (ROOT / "i2t_ros").rglob("*.py")]
    tops = {name.split(".")[0] for tree in trees for name in modules_of(tree)}
    # `i2t setup` looks whether there is a pip, and says so if not.
    return tops - {"i2t_ros", "pip", *sys.stdlib_module_names} - JETSON - OPTIONAL


def is_ros(name):
    return name in ROS or name.endswith(ROS_ENDINGS)


def named(requirements):
    """Return the distributions of requirements, as "pillow" for "Pillow>=9; extra == 'x'"."""
    return {normal(re.match(r"[\w.-]+", line)[0]) for line in requirements}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions(module):
    return {normal(name) for name in INSTALLED.get(module, [])}


NEEDED = named(PYPROJECT["project"]["dependencies"])
EXTRAS = {
    name: named(lines)
    for name, lines in PYPROJECT["project"]["optional-dependencies"].items()
    if name != "test"
}


def test_every_import_is_in_pyproject():
    direct = NEEDED.union(*EXTRAS.values())
    with_theirs = direct.union(*(named(requires(name) or []) for name in direct))
    absent = [m for m in imported() if not is_ros(m) and not distributions(m) & with_theirs]
    assert absent == []


def test_package_xml_names_what_is_imported_and_no_more():
    declared = in_package_xml("depend", "exec_depend")
    needed = {m for m in imported() if distributions(m) & NEEDED and not is_ros(m)}
    keys = {KEYS.get(module, f"python3-{module}") for module in needed} - {None}
    ros = {KEYS.get(module, module) for module in imported() if is_ros(module)}
    assert declared == keys | ros | NOT_IMPORTED


def in_package_xml(*tags):
    root = ElementTree.parse(ROOT / "package.xml").getroot()  # noqa: S314 (our own file)
    return {element.text for tag in tags for element in root.findall(tag)}


def test_package_xml_names_what_cmake_looks_for_and_no_more():
    text = (ROOT / "CMakeLists.txt").read_text()
    found = set(re.findall(r"find_package\((\w+)", text))
    assert in_package_xml("buildtool_depend", "depend") | {"ament_cmake_pytest"} == found
    assert "ament_cmake_pytest" in in_package_xml("test_depend")
    assert "rosidl_interface_packages" in in_package_xml("member_of_group")


def test_package_xml_names_what_the_tests_import_first_and_no_more():
    """What is imported in a test, or with importorskip, is not needed by the others."""
    elsewhere = {"fuzz", "triton_server.py"}  # run by hand, and in an environment of its own
    tests = [path for path in (ROOT / "test").rglob("*.py") if not elsewhere & {*path.parts}]
    ours = {path.stem for path in (ROOT / "test").rglob("*.py")}
    ours |= {path.stem for folder in ("bench", "tools") for path in (ROOT / folder).glob("*")}
    needed = {module for path in tests for module in first_imports(ast.parse(path.read_text()))}
    needed -= {*sys.stdlib_module_names, *ours, "i2t_ros"}
    keys = {
        KEYS.get(module, module if is_ros(module) else f"python3-{module}") for module in needed
    }
    everything = in_package_xml("depend", "exec_depend", "test_depend")
    assert keys - {None} <= everything
    assert in_package_xml("test_depend") == {
        *(keys - in_package_xml("depend", "exec_depend") - {None}),
        "ament_cmake_pytest",
        "python3-pytest-timeout",  # of pyproject.toml's settings
    }


def first_imports(tree):
    """Return what a module imports before it could be skipped."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]
        elif "importorskip" in ast.unparse(node) and not isinstance(node, ast.FunctionDef):
            return


def test_setup_brings_what_rosdep_has_no_key_for():
    system = System("1.26.4", "4.6.0", opencv_package=False)
    brought = {name_of(line) for line in make_plan(["onnxruntime"], (), (), (), system).install}
    assert {normal(module) for module, key in KEYS.items() if key is None} <= brought


def test_tests_of_a_robot_without_setup_need_the_standard_library_alone():
    tree = ast.parse((ROOT / "test" / "test_installation.py").read_text())
    assert set(first_imports(tree)) <= {*sys.stdlib_module_names, "i2t_ros", "project", "pytest"}
