"""Where packages are found, and the commands that install them, on a laptop and on a robot.

These tests need nothing but the standard library: they run before `i2t setup` has.
"""

import ast
import re
import shlex
import site
import subprocess
import sys
from pathlib import Path

import pytest
from project import PYPROJECT, ROOT

import i2t_ros
from i2t_ros import installation
from i2t_ros.cli.main import _parser
from i2t_ros.cli.requirements import System, make_plan
from i2t_ros.installation import ENGINES, EXTRAS, TASKS, how_to_install, use_packages

SOURCES = [
    path
    for path in Path(i2t_ros.__file__).parent.rglob("*.py")
    if "site-packages" not in path.relative_to(Path(i2t_ros.__file__).parent).parts
]


@pytest.fixture
def robot(monkeypatch, tmp_path):
    """Be on a robot, where colcon has built the package; return where packages are looked for."""
    monkeypatch.setattr(installation, "by_pip", lambda: False)
    monkeypatch.setattr(installation, "in_environment", lambda: False)
    monkeypatch.delenv("I2T_VENV", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path / "i2t_ros" / f"python3.{sys.version_info.minor}"


@pytest.fixture
def laptop(monkeypatch):
    monkeypatch.setattr(installation, "by_pip", lambda: True)


def hints():
    """Return what the package asks how_to_install() for."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "how_to_install":
                yield from (word.value for word in node.args if isinstance(word, ast.Constant))


NAMES = sorted({*hints(), *ENGINES, *TASKS, *EXTRAS})


@pytest.mark.parametrize("upgrade", [False, True])
@pytest.mark.parametrize("name", ["", *NAMES])
def test_a_hint_on_a_robot_is_a_command_that_installs_it(robot, name, upgrade):
    program, run, package, command, *words = shlex.split(how_to_install(name, upgrade=upgrade))
    assert (program, run, package, command) == ("ros2", "run", "i2t_ros", "setup")
    assert (ROOT / "scripts" / command).is_file()
    args = _parser(["setup"]).parse_args(["setup", *words])
    system = System("1.26.4", "4.6.0", opencv_package=False)
    plan = make_plan(args.engine, args.tasks, args.extras, args.packages, system)
    asked = [*plan.install, *plan.alone]
    assert any(line.startswith("msgspec") for line in asked)
    extra = ENGINES.get(name) or TASKS.get(name) or (name in EXTRAS and name)
    wanted = PYPROJECT["project"]["optional-dependencies"][extra] if extra else [name]
    if extra or name not in {"", "onnxruntime", *TASKS}:
        assert set(wanted) <= set(asked)
    assert args.upgrade == upgrade


@pytest.mark.parametrize("name", ["", *NAMES])
def test_a_hint_on_a_laptop_names_an_extra_or_a_package(laptop, name):
    pip, install, requirement = shlex.split(how_to_install(name))
    assert (pip, install) == ("pip", "install")
    package, extra = re.match(r"([\w-]+)(?:\[([\w,-]+)\])?", requirement).groups()
    if package == "i2t_ros" and extra:
        assert extra in PYPROJECT["project"]["optional-dependencies"]
    else:
        assert requirement == name or (package, name) == ("i2t_ros", "")


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))])
def test_the_commands_in_the_docs_can_be_run(page):
    text = (ROOT / page).read_text()
    for extras in re.findall(r"i2t_ros\[([\w,]+)\]", text):
        assert set(extras.split(",")) <= set(PYPROJECT["project"]["optional-dependencies"])
    system = System("1.26.4", "4.6.0", opencv_package=False)
    for words in re.findall(r"ros2 run i2t_ros setup([^#`|\n]*)", text.replace("\n--", " --")):
        args = _parser(["setup"]).parse_args(["setup", *shlex.split(words)])
        assert make_plan(args.engine, args.tasks, args.extras, args.packages, system).install


def test_the_hints_that_users_know(laptop):
    assert how_to_install("text") == 'pip install "i2t_ros[ocr]"'
    assert how_to_install("tracking") == 'pip install "i2t_ros[tracking]"'
    assert how_to_install("onnxruntime", upgrade=True) == "pip install --upgrade onnxruntime"


def test_a_robot_has_i2t_through_ros2(robot):
    assert installation.how_to_fetch("yunet") == "ros2 run i2t_ros i2t models fetch yunet"


def test_a_laptop_has_i2t_in_its_path(laptop):
    assert installation.how_to_fetch("yunet") == "i2t models fetch yunet"


def test_a_voice_is_fetched_with_the_python_that_has_piper(laptop):
    words = f"{sys.executable} -m piper.download_voices de_DE-thorsten-low"
    assert installation.how_to_fetch_voice("de_DE-thorsten-low") == words


def test_on_a_robot_a_voice_is_fetched_with_the_environment_of_setup(robot, monkeypatch):
    monkeypatch.setenv(installation.VARIABLE, "/opt/i2t")
    assert installation.how_to_fetch_voice("x") == (
        "/opt/i2t/bin/python3 -m piper.download_voices x"
    )


def test_no_other_place_has_a_command_of_pip():
    """One function makes the commands: what else names pip would be wrong on a robot."""
    found = {}
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        comments = {
            id(body[0].value)
            for node in ast.walk(tree)
            if (body := getattr(node, "body", None)) and isinstance(body, list)
            if isinstance(body[0], ast.Expr)
        }
        texts = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in comments
        ]
        if any(re.search(r"pip3? install|apt(-get)? install python3-(?!venv)", t) for t in texts):
            found[path.name] = texts
    assert set(found) <= {"installation.py", "setup.py"}


def test_packages_of_the_environment_come_before_the_systems(robot, monkeypatch):
    system = ["/usr/lib/python3.x/dist-packages"]
    monkeypatch.setattr(site, "getsitepackages", lambda: system)
    monkeypatch.setattr(site, "getusersitepackages", lambda: "/home/me/.local/lib")
    sys.path[:] = ["/opt/ros/lib", "/usr/lib/python3.x", "/home/me/.local/lib", *system]
    use_packages()
    assert len(sys.path) == 4  # there is none yet
    packages = robot / "lib" / robot.name / "site-packages"
    packages.mkdir(parents=True)
    for _ in range(2):
        use_packages()
        assert sys.path[2] == str(packages)
        assert len(sys.path) == 5


def test_packages_of_another_python_are_left_alone(robot, monkeypatch, caplog, tmp_path):
    other = tmp_path / "mine"
    (other / "lib" / "python2.7" / "site-packages").mkdir(parents=True)
    (tmp_path / "i2t_ros" / "python2.7" / "lib" / "python2.7" / "site-packages").mkdir(parents=True)
    before = list(sys.path)
    use_packages()
    assert not caplog.messages
    monkeypatch.setenv("I2T_VENV", str(other))
    use_packages()
    assert sys.path == before
    (line,) = caplog.messages
    assert str(other) in line
    assert f"python3.{sys.version_info.minor}" in line
    assert "ros2 run i2t_ros setup" in line


@pytest.mark.parametrize("where", ["by_pip", "in_environment"])
def test_an_environment_of_its_own_is_not_mixed_with_the_robots(robot, monkeypatch, where):
    monkeypatch.setattr(installation, where, lambda: True)
    packages = robot / "lib" / robot.name / "site-packages"
    packages.mkdir(parents=True)
    use_packages()
    assert str(packages) not in sys.path
    monkeypatch.setenv("I2T_VENV", str(robot))  # named, it is meant
    use_packages()
    assert str(packages) in sys.path


@pytest.mark.parametrize(
    ("module", "remedy"), [("msgspec", "setup|pip install i2t_ros"), ("rclpy", "source your ROS 2")]
)
def test_a_program_that_lacks_a_module_says_how_to_get_it(module, remedy):
    """No traceback, with nothing but what is hidden missing."""
    for program in ("nodes.start import detector_node as main", "cli.main import main"):
        if module == "rclpy" and "cli" in program:
            continue  # the commands need no ROS
        code = (
            f"import sys; sys.modules[{module!r}] = None; sys.argv[1:] = ['models', 'list']; "
            f"from i2t_ros.{program}; sys.exit(main())"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True)
        assert done.returncode == 1, done.stderr
        assert re.search(rf"needs .*{module}.*{remedy}.* \[backend_missing\]\n\Z", done.stderr)
        assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("name", ["x" * 5000, "/dev/null/x", "/proc/self/fd", "no\nname"])
def test_a_place_that_cannot_be_looked_into_keeps_nobody_from_starting(
    robot, monkeypatch, caplog, name
):
    """As /root, for a service of another user whose HOME is not set for it."""
    monkeypatch.setenv("I2T_VENV", name)
    before = list(sys.path)
    use_packages()
    assert sys.path == before
    assert len(caplog.messages) == 1
