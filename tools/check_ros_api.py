"""Checks what this package uses of ROS 2 against the sources of its distributions.

    tools/check_ros_api.py humble lyrical                    clones the released sources from GitHub
    tools/check_ros_api.py humble --repositories ~/mirrors   from clones of the same repositories
    tools/check_ros_api.py --tree /opt/ros/humble            sources, or an installation

mypy does the work: it reads our code together with the Python sources of a distribution, without
importing them, and with stubs made of its .msg, .srv and .action files. What counts are modules,
names, attributes and arguments that are not there. What has no types cannot be checked, such as the
result of a function without annotations, and the part of rclpy that is written in C++. Code in a
`try` that catches ImportError may use what is missing if its other way is there.

Prints a table of the imported names, then what is missing, attributes and arguments too. Exits
with 1 if something is.
"""

import argparse
import ast
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rosidl_adapter.parser import (
    MessageSpecification,
    parse_action_file,
    parse_message_file,
    parse_service_file,
)

ROOT = Path(__file__).resolve().parent.parent
URL = "https://github.com/ros2-gbp"
"""Where apt's packages are made from: NAME-release, a branch release/DISTRO/PACKAGE for each."""
REPOSITORIES = {
    "ament_index": ["ament_index_python"],
    "common_interfaces": [
        *("diagnostic_msgs", "geometry_msgs", "sensor_msgs", "std_msgs", "std_srvs"),
        "visualization_msgs",
    ],
    "launch": ["launch"],
    "launch_ros": ["launch_ros"],
    "rcl_interfaces": ["builtin_interfaces", "lifecycle_msgs", "rcl_interfaces"],
    "rclpy": ["rclpy"],
    "vision_msgs": ["vision_msgs"],
    "vision_opencv": ["cv_bridge"],
}
PACKAGES = [package for packages in REPOSITORIES.values() for package in packages]
CODE = ["i2t_ros/nodes", "i2t_ros/launch", "tools/demo.py"]
"""What uses ROS."""
MISSING = {"attr-defined", "call-arg", "import-not-found", "name-defined"}
"""mypy's codes for what is not there."""


class Use(NamedTuple):
    """What a line of our code imports, or what it uses that is missing, in mypy's words."""

    file: str
    line: int
    what: str


def main() -> int:
    """Check each distribution; return 1 if anything is missing that has to be there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("distros", nargs="*", metavar="DISTRO", help="humble, lyrical, ...")
    parser.add_argument("--repositories", default=URL, help=f"URL or folder (default: {URL})")
    parser.add_argument("--tree", type=Path, action="append", default=[], help="folder to check")
    parser.add_argument("--code", type=Path, default=ROOT, help="checkout (default: this one)")
    args = parser.parse_args()
    if not args.distros + args.tree:
        parser.error("name a distribution or a --tree")
    for distro in args.distros:
        if not re.fullmatch(r"[a-z]+", distro):
            parser.error(f"DISTRO: expected the name of a distribution, got {distro!r}")
    for tree in args.tree:
        if not tree.is_dir():
            parser.error(f"--tree: there is no folder {tree}")
    if not (args.code / "i2t_ros").is_dir():
        parser.error(f"--code: {args.code} is no checkout of this package")
    missing: dict[str, list[Use]] = {}
    for checked in args.distros + args.tree:
        with tempfile.TemporaryDirectory(prefix="ros-api-") as work:
            tree = checked
            if isinstance(checked, str):
                tree = Path(work, "sources")
                clone(checked, args.repositories, tree)
            missing[str(checked)] = check(args.code, tree, Path(work, "stubs"))
    return report(args.code, missing)


def clone(distro: str, repositories: str, folder: Path) -> None:
    """Clone each package of a distribution into a folder; raise SystemExit if one is not there."""
    if Path(repositories).is_dir():
        repositories = f"file://{Path(repositories).resolve()}"
    for repository, packages in REPOSITORIES.items():
        for package in packages:
            url, branch = f"{repositories}/{repository}-release", f"release/{distro}/{package}"
            command = ["git", "clone", "--quiet", "--depth=1", "--branch", branch, url]
            if subprocess.run([*command, folder / package], check=False).returncode:
                raise SystemExit(f"{url} has no branch {branch}, or cannot be reached")


def check(code: Path, tree: Path, stubs: Path) -> list[Use]:
    """Return what ``code`` uses and ``tree`` lacks; ``stubs`` is a folder to work in."""
    for package in PACKAGES:
        lay_out(package, tree, stubs)
    shutil.copytree(code / "i2t_ros", stubs / "i2t_ros")
    write_stubs(code, "i2t_ros", stubs / "i2t_ros")
    ours = {}
    for path in sources(code):  # mypy takes no module with a dot in its name
        copy = path.relative_to(code).with_name(path.name.replace(".launch.", "_launch."))
        (stubs / copy).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, stubs / copy)
        ours[str(copy)] = str(path.relative_to(code))
    ros = ",".join(f"{package},{package}.*" for package in PACKAGES)
    (stubs / "mypy.ini").write_text(
        "[mypy]\nfollow_imports = silent\nignore_missing_imports = true\n"
        "check_untyped_defs = true\nexplicit_package_bases = true\nno_site_packages = true\n"
        f"[mypy-{ros}]\nignore_missing_imports = false\n"
    )
    command = [sys.executable, "-m", "mypy", "--config-file=mypy.ini", "--no-incremental", *ours]
    done = subprocess.run(command, cwd=stubs, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        raise SystemExit(f"mypy failed:\n{done.stdout}{done.stderr}")
    found = re.findall(r"^(.+?):(\d+): error: (.*)  \[(.*)\]$", done.stdout, re.MULTILINE)
    return [
        Use(ours[file], int(line), what)
        for file, line, what, kind in found
        if kind in MISSING and file in ours
    ]


def lay_out(package: str, tree: Path, stubs: Path) -> None:
    """Put a package of ``tree`` where mypy finds it: its modules, or stubs of its interfaces."""
    modules = [path.parent for path in tree.rglob(f"{package}/__init__.py")]
    kinds = ("msg", "srv", "action")
    interfaces = [path for kind in kinds for path in tree.rglob(f"{package}/{kind}/*.{kind}")]
    if interfaces:
        write_stubs(interfaces[0].parent.parent, package, stubs / package)
    elif modules:
        shutil.copytree(min(modules, key=lambda path: len(path.parts)), stubs / package)


def write_stubs(source: Path, package: str, folder: Path) -> None:
    """Write stubs of the modules that ROS generates from the interfaces in ``source``."""
    lines = {"msg": [""], "srv": [""], "action": [""]}
    for path in sorted(source.glob("msg/*.msg")):
        lines["msg"] += class_of(path.stem, parse_message_file(package, path))
    for path in sorted(source.glob("srv/*.srv")):
        service = parse_service_file(package, path)
        parts = {"Request": service.request, "Response": service.response}
        lines["srv"] += class_with(path.stem, parts)
    for path in sorted(source.glob("action/*.action")):
        action = parse_action_file(package, path)
        parts = {"Goal": action.goal, "Result": action.result, "Feedback": action.feedback}
        lines["action"] += class_with(path.stem, parts)
    for kind, text in lines.items():
        used = sorted(set(re.findall(r"\b(\w+\.msg)\.", "\n".join(text))))
        imports = ["collections.abc", "typing", *used]
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
        stub = "".join(f"import {name}\n" for name in imports) + "\n".join(text)
        (folder / kind / "__init__.pyi").write_text(stub)


def class_with(name: str, parts: dict[str, MessageSpecification]) -> Iterator[str]:
    """Yield the lines of a class of messages, such as a service's request and response."""
    yield f"class {name}:"
    for part, message in parts.items():
        yield from (f"    {line}" for line in class_of(part, message))


def class_of(name: str, message: MessageSpecification) -> Iterator[str]:
    """Yield the lines of a message's class."""
    yield f"class {name}:"
    arguments = ""
    for field in message.fields:
        kind = "typing.Any"
        if not field.type.is_primitive_type():
            kind = f"{field.type.pkg_name}.msg.{field.type.type}"
            if field.type.is_array:
                kind = f"collections.abc.MutableSequence[{kind}]"
        arguments += f", {field.name}: {kind} = ..."
        yield f"    {field.name}: {kind}"
    for constant in message.constants:
        yield f"    {constant.name}: typing.Any"
    yield f"    def __init__(self{arguments and ', *' + arguments}) -> None: ..."
    yield "    @classmethod"
    yield "    def get_fields_and_field_types(cls) -> dict[str, str]: ..."


def sources(code: Path) -> Iterator[Path]:
    """Yield the modules of ``code`` that use ROS."""
    for name in CODE:
        yield from [code / name] if name.endswith(".py") else sorted((code / name).rglob("*.py"))


def imported(code: Path) -> list[tuple[str, str]]:
    """Return the names that ``code`` imports from ROS, each with its module."""
    statements = [
        node
        for path in sources(code)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES
    ]
    names = {(str(node.module), alias.name) for node in statements for alias in node.names}
    return sorted(names)


def has_other_way(code: Path, use: Use, missing: list[Use]) -> bool:
    """Return whether ``use`` is in a try, and what catches an ImportError needs nothing missing."""
    lines = {other.line for other in missing if other.file == use.file}
    for node in ast.walk(ast.parse((code / use.file).read_text())):
        if isinstance(node, ast.Try) and node.lineno < use.line <= (node.body[-1].end_lineno or 0):
            for handler in node.handlers:
                if handler.type and "ImportError" in ast.unparse(handler.type):
                    return not lines & {*range(handler.lineno, (handler.end_lineno or 0) + 1)}
    return False


def report(code: Path, missing: dict[str, list[Use]]) -> int:
    """Print the table and what is missing; return 1 if something is that has to be there."""
    names = imported(code)
    width = max((len(f"{module}.{name}") for module, name in names), default=0)
    print("imported name".ljust(width), *missing, sep="  ")
    for module, name in names:
        absent = [
            any(f'"{module}"' in use.what and f'"{name}"' in use.what for use in uses)
            or any(f'module named "{module}"' in use.what for use in uses)
            for uses in missing.values()
        ]
        cells = [
            ("-" if no else "yes").ljust(len(checked))
            for no, checked in zip(absent, missing, strict=True)
        ]
        print(f"{module}.{name}".ljust(width), *cells, sep="  ")
    wanted = 0
    for checked, uses in missing.items():
        for use in uses:
            other_way = has_other_way(code, use, uses)
            wanted += not other_way
            why = "there is another way" if other_way else "MISSING"
            print(f"{checked}: {why}: {use.file}:{use.line}: {use.what}")
    print(f"missing: {wanted}")
    return int(wanted > 0)


if __name__ == "__main__":
    raise SystemExit(main())
