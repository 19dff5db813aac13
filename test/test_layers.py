"""The layers of docs/architecture.md hold: imports go up only, and only nodes/ imports ROS."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import i2t_ros

PACKAGE = Path(i2t_ros.__file__).parent
LAYERS = [
    {"types", "errors", "installation", "resources", "options", "optional", "validation"},
    {"vision", "language"},
    {"models", "backends", "sources", "speech", "vlm"},
    {"pipeline"},
    {"bridges", "client", "recordings"},
    {"nodes"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
ROS = ("rclpy", "rcl_interfaces", "lifecycle_msgs", "builtin_interfaces", "cv_bridge", "launch")
MODULES = sorted(
    path.relative_to(PACKAGE)
    for path in PACKAGE.rglob("*.py")
    if not {"action", "msg", "srv", "launch"} & set(path.relative_to(PACKAGE).parts)
)


def imports(path):
    """Return the absolute names of what a module imports."""
    for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def level_of(path):
    top = path.parts[0].removesuffix(".py")
    return LEVEL.get(top)


def is_ros(name):
    return (
        name.split(".")[0] in ROS
        or name.split(".")[0].endswith(("_msgs", "_srvs"))
        or name.startswith(("i2t_ros.action", "i2t_ros.msg", "i2t_ros.srv"))
    )


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_go_up_only(path):
    if path == Path("__init__.py"):
        return
    own = level_of(path)
    assert own is not None, f"{path} belongs to no layer: add it to LAYERS"
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "i2t_ros" and len(parts) > 1 and parts[1] in LEVEL:
            assert LEVEL[parts[1]] <= own, (
                f"{path} (layer {own + 1}) imports {name} (layer {LEVEL[parts[1]] + 1})"
            )


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_ros_is_imported_by_nodes_alone(path):
    if path.parts[0] != "nodes":
        assert [name for name in imports(path) if is_ros(name)] == []


def test_everything_but_the_nodes_imports_without_ros():
    names = [
        ".".join(("i2t_ros", *path.with_suffix("").parts)).removesuffix(".__init__")
        for path in MODULES
        if path.parts[0] != "nodes"
    ]
    names.remove("i2t_ros.backends.jetson")  # needs modules that are built on a Jetson
    if importlib.util.find_spec("fastapi") is None:  # an extra, which the listener is made of
        names = [name for name in names if not name.startswith("i2t_ros.bridges.http.")]
    if importlib.util.find_spec("mcp") is None:  # another one
        names = [name for name in names if not name.startswith("i2t_ros.bridges.http.mcp.")]
    code = f"""
import importlib, sys
for name in ("rclpy", "rcl_interfaces", "sensor_msgs", "std_msgs", "vision_msgs"):
    sys.modules[name] = None
for name in {names}:
    importlib.import_module(name)
assert "i2t_ros.msg" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd="/", capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
