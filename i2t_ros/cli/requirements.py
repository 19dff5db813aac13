"""Which packages `i2t setup` installs, by pyproject.toml and what is there."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from i2t_ros.errors import InvalidRequestError
from i2t_ros.installation import ENGINES, TASKS
from i2t_ros.resources import config_path

NO_ENGINE = "none"
OPENCV = (
    "opencv-python-headless",
    "opencv-python",
    "opencv-contrib-python-headless",
    "opencv-contrib-python",
)
RUNTIME = "onnxruntime"
OTHER_RUNTIMES = frozenset(
    f"{RUNTIME}-{build}"
    for build in (
        "azure", "cann", "directml", "gpu", "migraphx", "openvino", "qnn", "rocm", "training",
    )
)  # fmt: skip

# A path or URL, not NAME @ URL.
_WHEEL = re.compile(r"(?![\w.-]+\s*(?:\[[^]]*\]\s*)?@)(?:.*/)?([\w.]+)-[^/]+\.whl(?:[?#].*)?")

# A table of pyproject.toml: how it begins, and how the next thing after it does.
_DEPENDENCIES = "\ndependencies = [", "\n]\n"
_EXTRAS = "\n[project.optional-dependencies]\n", "\n["
_ALONE = "\n[tool.i2t_ros.alone]\n", "\n["


@dataclass(frozen=True, slots=True)
class System:
    """What the system's Python can import.

    numpy, opencv   their versions, "" for one that is not there
    opencv_package  whether pip knows that OpenCV; it does not know apt's
    """

    numpy: str
    opencv: str
    opencv_package: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What pip is told.

    install      requirements
    alone        requirements that are installed without what they ask for
    constraints  lines of a constraints file: what stays as it is
    remove       what may not stay beside these
    opencv       the version of the system's OpenCV that pip has to be told of, or ""
    """

    install: tuple[str, ...]
    alone: tuple[str, ...]
    constraints: tuple[str, ...]
    remove: tuple[str, ...]
    opencv: str


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of pyproject.toml: dependencies, extras, and what is installed alone."""

    dependencies: tuple[str, ...]
    extras: dict[str, list[str]]
    alone: dict[str, list[str]]


def read_lists() -> Lists:
    """Return the lists of the installed pyproject.toml."""
    text = config_path().with_name("pyproject.toml").read_text(encoding="utf-8")

    def table(begin: str, end: str) -> str:
        return text.partition(begin)[2].partition(end)[0]

    # Python 3.10 cannot read TOML. These tables have lists of texts alone, which are Python, too.
    return Lists(
        tuple(ast.literal_eval(f"[{table(*_DEPENDENCIES)}\n]")),
        _assignments(table(*_EXTRAS)),
        _assignments(table(*_ALONE)),
    )


def _assignments(text: str) -> dict[str, list[str]]:
    return {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
    }


def name_of(requirement: str) -> str:
    """Return the normal name of the distribution, as "pyyaml" of "PyYAML>=6".

    Of a wheel, by its path or URL, too: "/tmp/onnxruntime_gpu-1.23.0-cp310-cp310-any.whl".
    """
    wheel = _WHEEL.fullmatch(requirement)
    name = wheel[1] if wheel else re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def is_other_runtime(requirement: str) -> bool:
    """Whether this is another build of ONNX Runtime, which is the same module.

    As onnxruntime-gpu and onnxruntime-openvino; onnxruntime-extensions and others only add to it.
    """
    return name_of(requirement) in OTHER_RUNTIMES


def make_plan(
    engines: Sequence[str],
    tasks: Sequence[str],
    extras: Sequence[str],
    packages: Sequence[str],
    system: System,
) -> Plan:
    """Return what pip has to be told so that nodes run with all that is named.

    Raises InvalidRequestError for a name that is unknown, and for an option of pip in ``packages``.
    """
    for package in packages:
        if not package.strip() or package.lstrip().startswith("-"):
            raise InvalidRequestError(
                f"--packages: expected packages, such as onnx, got {package!r}; pip takes options "
                "as environment variables, such as PIP_INDEX_URL"
            )
    lists = read_lists()
    # Who names an OpenCV gets it in front of the system's.
    own_opencv = any(name_of(package) in OPENCV for package in packages)
    opencv = "" if own_opencv or system.opencv_package else _release(system.opencv)
    wanted = [_extra("task", task, TASKS) for task in tasks]
    wanted += [_extra("engine", name, ENGINES) for name in engines if name != NO_ENGINE]
    known = {name: name for name in lists.extras if name != "test"}
    wanted += [_extra("extra", name, known) for name in extras]
    other_runtime = any(map(is_other_runtime, packages))
    with_runtime = RUNTIME in engines and not other_runtime

    def is_needed(requirement: str) -> bool:
        name = name_of(requirement)
        if name == RUNTIME:
            return with_runtime
        there = (name == "numpy" and system.numpy) or (
            name in OPENCV and (system.opencv or own_opencv)
        )
        return not name.startswith("ros-") and not there

    asked = [line for line in lists.dependencies if is_needed(line)]
    asked += [line for name in wanted if name for line in lists.extras[name]]
    asked += packages
    asked = list(_with_those_of(asked, lists.alone))
    alone = [line for line in asked if name_of(line) in lists.alone]
    install = dict.fromkeys(line for line in asked if line not in alone)
    stays = [f"{name}=={opencv}" for name in OPENCV if opencv]
    if system.numpy:
        # Compiled modules such as cv2 and cv_bridge run with any patch release of their NumPy.
        # Ubuntu 22.04 has 1.21.5, and ONNX Runtime asks for 1.21.6.
        stays.insert(0, f"numpy=={'.'.join(system.numpy.split('.')[:2])}.*")
    return Plan(
        tuple(install),
        tuple(dict.fromkeys(alone)),
        tuple(stays),
        (RUNTIME,) if other_runtime else (),
        opencv,
    )


def _with_those_of(asked: Iterable[str], alone: dict[str, list[str]]) -> Iterator[str]:
    """Yield the requirements, and before each that is installed alone what it needs."""
    for line in asked:
        yield from _with_those_of(alone.get(name_of(line), ()), alone)
        yield line


def _extra(kind: str, name: str, known: dict[str, str]) -> str:
    if name not in known:
        listed = ", ".join([*known, *([NO_ENGINE] if kind == "engine" else [])])
        raise InvalidRequestError(f"there is no {kind} {name!r} to install; known: {listed}")
    return known[name]


def _release(version: str) -> str:
    """Return the numbers of a version: "4.5.4" of "4.5.4-dev"."""
    return ".".join(re.findall(r"\d+", version)[:3])
