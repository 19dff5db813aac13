"""package.xml and pyproject.toml name all that the package imports, and package.xml no more."""

import ast
import re
import sys
from importlib.metadata import packages_distributions, requires

from project import PYPROJECT, ROOT

IMPORTERS = {"import_module", "can_import", "find_spec", "_required"}
ROS = {"ament_index_python", "cv_bridge", "launch", "launch_ros", "rclpy"}
ROS_ENDINGS = ("_msgs", "_srvs", "_interfaces")
JETSON = {"jetson", "jetson_inference", "jetson_utils"}  # built on the device, by no package
# Keys of rosdep that are not python3-<module>; None: rosdep has none, README.md has the pip line.
KEYS = {
    "PIL": "python3-pil",
    "cachetools": None,
    "cv2": "python3-opencv",
    "inflect": None,
    "msgspec": None,
    "onnxruntime": None,
}
NOT_IMPORTED = {"rosidl_default_runtime"}  # needed by what is generated
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


def imported():
    trees = [ast.parse(path.read_text()) for path in (ROOT / "i2t_ros").rglob("*.py")]
    tops = {name.split(".")[0] for tree in trees for name in modules_of(tree)}
    return tops - {"i2t_ros", *sys.stdlib_module_names} - JETSON


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
    declared = set(re.findall("<(?:exec_)?depend>(.*?)<", (ROOT / "package.xml").read_text()))
    needed = {m for m in imported() if distributions(m) & NEEDED and not is_ros(m)}
    keys = {KEYS.get(module, f"python3-{module}") for module in needed} - {None}
    assert declared == keys | {m for m in imported() if is_ros(m)} | NOT_IMPORTED


def test_the_readme_installs_what_rosdep_has_no_key_for():
    (line,) = re.findall(r"^    pip install msgspec.*$", (ROOT / "README.md").read_text(), re.M)
    assert [module for module, key in KEYS.items() if key is None and module not in line] == []
