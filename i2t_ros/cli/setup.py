"""`i2t setup`: installs what rosdep has no key for, where nodes and commands find it."""

import argparse
import fcntl
import importlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

from i2t_ros.cli import comma_list
from i2t_ros.cli.requirements import (
    NO_ENGINE,
    OPENCV,
    RUNTIME,
    Plan,
    System,
    is_other_runtime,
    make_plan,
)
from i2t_ros.errors import BackendMissingError, I2tError
from i2t_ros.installation import (
    ENGINES,
    EXTRAS,
    TASKS,
    VARIABLE,
    by_pip,
    environment_path,
    in_environment,
    site_packages,
)
from i2t_ros.nodes.signals import SIGNALS, handle

UNREACHED = re.compile(
    "NewConnectionError|ConnectTimeout|NameResolution|Failed to resolve|ProxyError|ReadTimeout"
)
# Run by the system's Python: what of NumPy and OpenCV is there, and how it fails.
_ASK = """
import sys
sys.path[:] = filter(None, sys.path)
import importlib, json
told = {}
for name in ("numpy", "cv2"):
    try:
        told[name] = importlib.import_module(name).__version__
    except ModuleNotFoundError as error:
        told[name] = "" if error.name == name else f"!{error}"
    except Exception as error:
        told[name] = f"!{error}"
print(json.dumps(told))
"""
_CHECK = (
    "import json, sys; sys.path[:] = filter(None, sys.path); import i2t_ros.nodes; "
    "from i2t_ros.cli.setup import check; check(*json.loads(sys.argv[1]))"
)

OURS = "i2t setup\n"
"""What is in the file INSTALLER of a package that only stands for the system's."""

# -P, of Python 3.11: a file json.py of the working folder is not meant.
MODULE = ("-P", "-m") if sys.version_info >= (3, 11) else ("-m",)
PATIENCE = 10.0
"""Seconds for pip to end once it is interrupted."""

say = partial(print, flush=True)  # in order with what pip prints


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "setup",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"""\
Installs the Python packages that i2t_ros needs and rosdep has no key for, and what runs models.

On a robot they go into a virtual environment of their own, which is made if it is not there:
  {environment_path()}
Nodes, `i2t` and launch files find it by themselves. It sees the system's packages: the system's
NumPy and OpenCV stay, and only what fits this NumPy is installed. Nothing else is changed; there is
no sudo and no --break-system-packages. Where pip installed i2t_ros, or in a virtual environment
that is active, the packages go there.

Run it again to add something, or after an upgrade. What is there is not installed twice.""",
        epilog="""\
examples:
  ros2 run i2t_ros setup                             what nodes need, and ONNX Runtime
  ros2 run i2t_ros setup --engine onnxruntime --tasks text,tracking
  ros2 run i2t_ros setup --engine openvino --extras web       OpenVINO, and bridge_node over HTTP
  ros2 run i2t_ros setup --tasks text --dry-run      only shows what would be done
  i2t setup --tasks text                             the same, where there is no ros2

Without a network: --dry-run shows what `pip download -d FOLDER` has to be told on a computer with
the same Python and architecture. Copy the folder, and here
  PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER ros2 run i2t_ros setup""",
    )
    listed = partial(parser.add_argument, type=comma_list, default=[], metavar="A,B")
    listed(
        "--engine",
        default=[RUNTIME],
        help=f"what runs models: {', '.join(ENGINES)}; {NO_ENGINE}: install none, because one is "
        f"there, such as jetson-inference on a Jetson (default: {RUNTIME})",
    )
    listed(
        "--tasks",
        help=f"what is done with images: {', '.join(TASKS)}; the first three need an engine alone",
    )
    listed("--extras", help=f"more of i2t_ros, as in its pyproject.toml: {', '.join(EXTRAS)}")
    parser.add_argument(  # a requirement may have commas: onnxruntime-gpu[cuda,cudnn]
        "--packages",
        nargs="+",
        default=[],
        metavar="A",
        help="further packages for pip, such as onnx; another build of ONNX Runtime, such as "
        "onnxruntime-gpu, takes the place of the usual one",
    )
    parser.add_argument(
        "--venv",
        type=Path,
        metavar="DIR",
        help=f"another virtual environment; nodes find it if {VARIABLE} names it, which is also "
        "the default",
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="also take newer versions of what is there"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be done, and do nothing"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Install, and check that all of it can be imported; return 0. Raises I2tError and OSError."""
    handle(signal.default_int_handler)  # main()'s would leave pip at work
    default = environment_path()
    system = ask_system()
    environment = find_environment(args.venv)
    runtime = other_runtime(environment)
    engines = [name for name in args.engine if not (runtime and name == RUNTIME)]
    plan = make_plan(engines, args.tasks, args.extras, args.packages, system)
    say(f"system: NumPy {system.numpy or 'none'}, OpenCV {system.opencv or 'none'}")
    say(f"packages go into {environment or sys.prefix}")
    python = str(environment / "bin" / "python") if environment else sys.executable
    if engines != args.engine:
        say(
            f"{runtime} stays, in the place of {RUNTIME}; {python} -m pip uninstall {runtime} "
            "removes it"
        )
    pip = [python, *MODULE, "pip", "--disable-pip-version-check", "--no-input"]
    with tempfile.TemporaryDirectory() as scratch:
        constraints = (environment or Path(scratch)) / "constraints.txt"
        commands = [[*pip, "uninstall", "--yes", name] for name in plan.remove]
        install = [*pip, "install", "--prefer-binary", *(["--upgrade"] if args.upgrade else [])]
        commands.append([*install, "--constraint", str(constraints), *plan.install])
        if plan.alone:
            commands.append([*install, "--no-deps", *plan.alone])
        if environment and not is_complete(environment):
            venv = [sys.executable, *MODULE, "venv", "--system-site-packages", str(environment)]
            commands.insert(0, venv)
        if args.dry_run:
            say(f"would write {constraints}: {', '.join(plan.constraints) or 'nothing stays'}")
            for command in commands:
                say(f"would run {shlex.join(command)}")
            show_downloads(plan)
            return 0
        if environment:
            lock(environment)
        for number, command in enumerate(commands, 1):
            if command[0] == python:
                constraints.write_text("".join(f"{line}\n" for line in plan.constraints))
                if environment:
                    tell_pip_of_opencv(site_packages(environment), plan.opencv)
            say(f"\n[{number}/{len(commands) + 1}] {shlex.join(command)}")
            execute(command)
    say(f"\n[{len(commands) + 1}/{len(commands) + 1}] can all of it be imported?")
    if environment:
        os.environ[VARIABLE] = str(environment)
    wanted = [*args.engine, *args.tasks, *args.extras]
    told = json.dumps([system.numpy, plan.opencv, wanted])
    execute([sys.executable, "-c", _CHECK, told])
    if environment in (None, default):
        say("done: nodes, `i2t` and launch files find the packages by themselves")
    else:
        say(f"done: nodes find the packages if {VARIABLE}={environment} is set where they run")
    return 0


def show_downloads(plan: Plan) -> None:
    """Show what to type elsewhere for a computer without a network."""
    numpy = [line for line in plan.constraints if line.startswith("numpy")]
    fetch = "for a computer without a network: pip download -d FOLDER"
    say(f"{fetch} {shlex.join([*plan.install, *numpy])}")
    if plan.alone:
        say(f"{fetch} --no-deps {shlex.join(plan.alone)}")


def ask_system() -> System:
    """Return what the system's Python has. Raises BackendMissingError if that is broken already."""
    done = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackendMissingError(f"{sys.executable} fails: {_last_line(done.stderr)}")
    told = json.loads(done.stdout.splitlines()[-1])
    for name, version in told.items():
        if version.startswith("!"):
            raise BackendMissingError(
                f"{name} cannot be imported, before anything is installed: "
                f"{_last_line(version[1:])}. Often another NumPy hides the system's, as after `pip "
                "install --user`: `python3 -m pip uninstall numpy opencv-python` removes it"
            )
    # What an earlier run has told pip is not counted.
    paths = [path for path in sys.path if path != str(site_packages(environment_path()))]
    known = any(any(distributions(name=name, path=paths)) for name in OPENCV)
    return System(told["numpy"], told["cv2"], known)


def find_environment(given: Path | None) -> Path | None:
    """Return the virtual environment to use or to make; None: that of this process.

    Raises BackendMissingError if there is something else in its place, or nothing to make it with.
    """
    if given is None and VARIABLE not in os.environ and (by_pip() or in_environment()):
        if find_spec("pip") is None:
            raise BackendMissingError(f"{sys.prefix} has no pip: {sys.executable} -m ensurepip")
        return None
    path = (Path(os.path.expanduser(given)) if given else environment_path()).absolute()
    if (path / "pyvenv.cfg").is_file():
        if not site_packages(path).is_dir():
            there = next(path.glob("lib/python*"), path).name
            raise BackendMissingError(
                f"{path} is a virtual environment of {there}, and one of "
                f"{site_packages(path).parent.name} is needed: remove that folder, or name another "
                "with --venv"
            )
    elif os.path.lexists(path) and not is_empty(path):
        raise BackendMissingError(
            f"{path} is something else, and a virtual environment of "
            f"{site_packages(path).parent.name} is needed: name another folder with --venv"
        )
    if not is_complete(path) and not (find_spec("venv") and find_spec("ensurepip")):
        raise BackendMissingError(
            "Python's module venv is missing, which makes virtual environments: "
            "sudo apt install python3-venv"
        )
    return path


def lock(environment: Path) -> None:
    """Keep others of these commands out of an environment until this process ends.

    Raises BackendMissingError if one is at work there, or what a killed one has started.
    """
    environment.mkdir(parents=True, exist_ok=True)
    folder = os.open(environment, os.O_RDONLY)
    os.set_inheritable(folder, True)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BackendMissingError(
            f"another `i2t setup` is at work in {environment}: wait for it"
        ) from error


def other_runtime(environment: Path | None) -> str:
    """Return the build of ONNX Runtime that is there in place of the usual one, or ""."""
    paths = [str(site_packages(environment))] if environment else sys.path
    names = (str(found.metadata["Name"]) for found in distributions(path=paths))
    return next((name for name in names if is_other_runtime(name)), "")


def is_empty(folder: Path) -> bool:
    """Whether a folder has no files, as when the making of a virtual environment just began."""
    return folder.is_dir() and all(path.is_dir() for path in folder.rglob("*"))


def is_complete(environment: Path) -> bool:
    """Whether a virtual environment can be used; what was interrupted is made again."""
    return (environment / "bin" / "python").is_file() and (
        site_packages(environment) / "pip"
    ).is_dir()


def tell_pip_of_opencv(folder: Path, version: str) -> None:
    """Let pip know of the system's OpenCV, if any, so that it installs no other in front of it.

    apt's has no metadata, and wheels lack what it is built with, such as GStreamer.
    """
    for made in folder.glob("opencv_*.dist-info/INSTALLER"):
        if made.read_text() == OURS:
            shutil.rmtree(made.parent)
    for name in OPENCV if version else ():
        folder_of = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        folder_of.mkdir(exist_ok=True)
        (folder_of / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            "Summary: stands for the OpenCV of the system\n"
        )
        (folder_of / "INSTALLER").write_text(OURS)


def execute(command: Sequence[str]) -> None:
    """Run a command whose output is shown as it comes. Raises BackendMissingError if it fails."""
    said = []
    let_signals = partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, SIGNALS)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until the command can be ended
    try:
        # What it starts in turn ends with it, also if a signal comes for this process alone.
        with subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=os.environ | {"PIP_USER": "0"},
            preexec_fn=let_signals,  # noqa: PLW1509 (no other thread runs)
            start_new_session=True,
            close_fds=False,  # they have the lock, too
        ) as process:
            try:
                let_signals()
                for line in process.stderr or ():
                    said.append(line)
                    print(line, end="", file=sys.stderr, flush=True)
            except BaseException:
                end_group(process)
                raise
    finally:
        let_signals()
    if process.returncode == 0:
        return
    text = "".join(said)
    why = f"exit code {process.returncode}; its last lines say why"
    if UNREACHED.search(text):
        why = (
            "no package index was reached. Behind a proxy, set HTTPS_PROXY. `i2t setup --help` "
            "says how to install without a network"
        )
    elif "No matching distribution" in text or "ResolutionImpossible" in text:
        why = "no version fits this Python, this computer and the system's NumPy, as told above"
    elif "externally-managed" in text:
        why = f"this Python belongs to the system: name an environment with --venv, or {VARIABLE}"
    raise BackendMissingError(f"{shlex.join(command[:4])} ... failed: {why}")


def end_group(process: "subprocess.Popen[str]") -> None:
    """End a process and what it has started, as Ctrl-C would, so that it tidies up; then kill."""
    with suppress(ProcessLookupError):  # all of them have ended
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        os.killpg(process.pid, signal.SIGKILL)


def check(numpy: str, opencv: str, wanted: Sequence[str]) -> None:
    """Import what was installed, as nodes do, and print the versions. Ends the process if it fails.

    numpy, opencv  what the system had, or ""
    wanted         names of engines, tasks and extras
    """
    for name, version in (("numpy", numpy), ("cv2", opencv)):
        module = importlib.import_module(name)
        say(f"{name} {module.__version__} in {Path(str(module.__file__)).parent}")
        if version and module.__version__.split(".")[:2] != version.split(".")[:2]:
            raise SystemExit(f"{name} {version} of the system is hidden: remove the newer one")
    from i2t_ros.backends.registry import survey  # noqa: PLC0415 (needs what was just installed)

    try:
        for name in wanted:
            if name in ENGINES:
                say(f"{name} {survey(name)[0]}")
            elif name in ("text", "ocr"):
                say(f"rapidocr {survey('rapidocr')[0]}")
            elif name == "tracking":
                importlib.import_module("i2t_ros.pipeline.tracking").ObjectTracker()
                say("tracking works")
            elif name == "web":
                importlib.import_module("i2t_ros.bridges.http.server")
                say("HTTP works")
    except (I2tError, ImportError) as error:
        raise SystemExit(str(error)) from error


def _last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "")
