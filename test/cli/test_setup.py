"""`i2t setup`: what is planned on each distribution, what is refused, and one run for real."""

import os
import signal
import subprocess
import sys
import sysconfig
from importlib.metadata import requires
from pathlib import Path

import pytest
from project import PYPROJECT
from waiting import has_ended, until

from i2t_ros.cli import setup
from i2t_ros.cli.main import main
from i2t_ros.cli.requirements import OPENCV, System, make_plan, name_of, read_lists
from i2t_ros.errors import BackendMissingError, InvalidRequestError
from i2t_ros.installation import by_pip

HUMBLE = System("1.21.5", "4.5.4", opencv_package=False)
JAZZY = System("1.26.4", "4.6.0", opencv_package=False)
LYRICAL = System("2.3.5", "4.10.0-dev", opencv_package=False)
BARE = System("", "", opencv_package=False)
LAPTOP = System("2.4.6", "4.14.0", opencv_package=True)
HERE = f"python3.{sys.version_info.minor}"


def plan(system, *, engines=("onnxruntime",), tasks=(), extras=(), packages=()):
    return make_plan(engines, tasks, extras, packages, system)


def names(requirements):
    return {name_of(line) for line in requirements}


def test_the_lists_are_those_of_pyproject():
    lists = read_lists()
    assert list(lists.dependencies) == PYPROJECT["project"]["dependencies"]
    assert lists.extras == PYPROJECT["project"]["optional-dependencies"]
    assert lists.alone == PYPROJECT["tool"]["i2t_ros"]["alone"]


@pytest.mark.parametrize(
    ("system", "stays"),
    [
        (HUMBLE, ["numpy==1.21.*", *(f"{name}==4.5.4" for name in OPENCV)]),
        (JAZZY, ["numpy==1.26.*", *(f"{name}==4.6.0" for name in OPENCV)]),
        (LYRICAL, ["numpy==2.3.*", *(f"{name}==4.10.0" for name in OPENCV)]),
        (LAPTOP, ["numpy==2.4.*"]),
        (BARE, []),
    ],
)
def test_the_systems_numpy_and_opencv_stay(system, stays):
    made = plan(system, tasks=["text", "tracking"])
    assert list(made.constraints) == stays
    installed = names([*made.install, *made.alone])
    assert {"msgspec", "cachetools", "onnxruntime", "rapidocr", "trackers"} <= installed
    assert ("numpy" in installed) == (system is BARE)
    assert ("opencv-python-headless" in installed) == (system is BARE)
    assert not any(name.startswith("ros-") for name in installed)
    assert not names(made.alone) & names(made.install)


def test_tracking_brings_all_that_its_packages_ask_for():
    """Except what stays the system's: NumPy and OpenCV."""
    made = plan(JAZZY, tasks=["tracking"])
    assert names(made.alone) == {"trackers", "supervision"}
    asked = {
        name_of(line)
        for package in names(made.alone)
        for line in requires(package)
        if "extra" not in line
    }
    assert asked - {"numpy", *OPENCV} <= names([*made.install, *made.alone])


def test_an_engine_can_be_another_or_none():
    assert "onnxruntime" not in names(plan(JAZZY, engines=["none"]).install)
    made = plan(JAZZY, engines=["openvino"])
    assert "openvino" in names(made.install)
    assert "onnxruntime" not in names(made.install)
    made = plan(JAZZY, packages=["onnxruntime-gpu[cuda,cudnn]"])
    assert made.remove == ("onnxruntime",)
    assert "onnxruntime" not in names(made.install)
    assert "onnxruntime-gpu[cuda,cudnn]" in made.install


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("PyYAML>=6", "pyyaml"),
        (" onnxruntime_gpu[cuda] ; python_version > '3'", "onnxruntime-gpu"),
        ("onnxruntime-gpu @ https://a.b/c/x-1-py3-none-any.whl", "onnxruntime-gpu"),
        ("onnxruntime-gpu[cuda]@file:///x-1-py3-none-any.whl", "onnxruntime-gpu"),
        ("onnxruntime_gpu-1.23.0-cp310-cp310-linux_aarch64.whl", "onnxruntime-gpu"),
        ("/my wheels/onnxruntime_gpu-1.23.0-cp310-cp310-any.whl", "onnxruntime-gpu"),
        ("https://u@h/a-b/onnxruntime_gpu-1-cp310-any.whl#sha256=ab", "onnxruntime-gpu"),
        ("git+https://github.com/o/r.git", "git"),
    ],
)
def test_the_name_of_what_pip_installs(requirement, name):
    assert name_of(requirement) == name


def test_another_build_of_onnxruntime_stays_when_setup_runs_again(made, tmp_path, capsys):
    folder, _ = made
    for name in ("onnxruntime_gpu-1.23.0", "onnxruntime_extensions-0.14.0"):
        info = setup.site_packages(folder) / f"{name}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: {name.partition('-')[0]}\nVersion: 1\n")
    (folder / "pyvenv.cfg").touch()
    assert main(["setup", "--dry-run", "--tasks", "text", "--venv", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "onnxruntime_gpu stays" in said
    assert "'onnxruntime>=" not in said
    assert "rapidocr" in said
    assert "onnxruntime" in names(plan(JAZZY, packages=["onnxruntime-extensions"]).install)


@pytest.mark.parametrize("package", ["-e .", " --index-url=x", "-rlist", "", " "])
def test_an_option_of_pip_is_no_package(package):
    with pytest.raises(InvalidRequestError, match=r"--packages: expected packages.*PIP_INDEX_URL"):
        plan(JAZZY, packages=["onnx", package])


def test_an_opencv_that_is_named_is_installed():
    made = plan(JAZZY, packages=["opencv-python-headless>=4.8,<5"])
    assert made.constraints == ("numpy==1.26.*",)
    assert [line for line in made.install if name_of(line) in OPENCV] == [
        "opencv-python-headless>=4.8,<5"
    ]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"engines": ["onnx"]}, "no engine 'onnx' .*known: onnxruntime, .*none"),
        ({"tasks": ["smell"]}, "no task 'smell' .*known: detect, .*tracking"),
        ({"extras": ["tests"]}, "no extra 'tests' .*known: .*web"),
        ({"extras": ["test"]}, "no extra 'test' "),
    ],
)
def test_unknown_names_are_refused(wanted, message):
    with pytest.raises(InvalidRequestError, match=message):
        plan(JAZZY, **wanted)


@pytest.fixture
def made(monkeypatch, tmp_path):
    """Run nothing; return a folder for an environment, and the commands that would have run."""
    ran = []
    monkeypatch.delenv("I2T_VENV", raising=False)
    monkeypatch.setattr(setup, "execute", ran.append)
    monkeypatch.setattr(setup, "ask_system", lambda: JAZZY)
    return tmp_path / "venv", ran


def test_a_dry_run_shows_the_commands_and_runs_none(made, capsys):
    folder, ran = made
    words = ["--engine", "onnxruntime", "--tasks", "text,tracking", "--venv", str(folder)]
    assert main(["setup", "--dry-run", *words]) == 0
    assert not ran
    assert not folder.exists()
    lines = capsys.readouterr().out.splitlines()
    assert f"packages go into {folder}" in lines
    (written,) = (line for line in lines if line.startswith("would write"))
    assert "numpy==1.26.*" in written
    venv, install, alone = (line for line in lines if line.startswith("would run"))
    assert venv.endswith(f"-m venv --system-site-packages {folder}")
    assert f"--constraint {folder}/constraints.txt" in install
    assert "rapidocr" in install
    assert "--no-deps" in alone
    assert "sudo" not in "\n".join(lines)
    assert "--break-system-packages" not in "\n".join(lines)


def test_what_is_in_the_way_is_named(made):
    folder, ran = made
    folder.mkdir()
    assert setup.find_environment(folder) == folder  # empty
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(
        BackendMissingError, match=rf"{folder} is something else, .*{HERE} is needed"
    ):
        setup.find_environment(folder)
    # A colcon workspace, or /usr/local, is no virtual environment either.
    setup.site_packages(folder).mkdir(parents=True)
    with pytest.raises(BackendMissingError, match="is something else") as error:
        setup.find_environment(folder)
    assert "remove" not in str(error.value)
    (folder / "notes.txt").unlink()
    assert setup.find_environment(folder) == folder  # making it was interrupted
    (folder / "pyvenv.cfg").touch()
    setup.site_packages(folder).parent.rename(folder / "lib" / "python3.4")
    with pytest.raises(
        BackendMissingError, match=r"is a virtual environment of python3\.4.* --venv"
    ):
        setup.find_environment(folder)
    (folder.parent / "link").symlink_to("nowhere")
    for other in (folder / "pyvenv.cfg", folder.parent / "link"):
        with pytest.raises(BackendMissingError, match="is something else"):
            setup.find_environment(other)
    assert not ran


def test_a_python_without_venv_names_the_package(made, monkeypatch):
    folder, _ = made
    monkeypatch.setattr(setup, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(BackendMissingError, match=r"sudo apt install python3-venv\Z"):
        setup.find_environment(folder)
    monkeypatch.setattr(setup, "by_pip", lambda: True)
    monkeypatch.setattr(setup, "find_spec", lambda _: None)
    with pytest.raises(BackendMissingError, match=r"has no pip: .* -m ensurepip"):
        setup.find_environment(None)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("NewConnectionError: Name or service not known", "no package index was reached"),
        ("ERROR: No matching distribution found for x", "no version fits"),
        ("error: externally-managed-environment", "belongs to the system.*I2T_VENV"),
        ("ERROR: disk full", "exit code 3; its last lines"),
    ],
)
def test_a_failure_is_explained(capsys, said, why):
    code = f"import sys; sys.stderr.write({said + chr(10)!r}); sys.exit(3)"
    with pytest.raises(BackendMissingError, match=why):
        setup.execute([sys.executable, "-c", code])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_was_started_ends_with_a_signal_and_so_does_what_it_started(tmp_path, number):
    """A shell plays pip: it has a child, and only setup itself gets the signal."""
    told = tmp_path / "processes"
    os.mkfifo(told)
    shell = f"trap 'exit 1' INT; sleep 600 & echo $$ $! > {told}; wait"
    code = (
        "import signal; from i2t_ros.cli import setup; from i2t_ros.nodes.signals import handle\n"
        f"handle(signal.default_int_handler); setup.execute(['bash', '-c', {shell!r}])"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as run:
        children = [int(word) for word in told.read_text().split()]
        run.send_signal(number)
        assert "KeyboardInterrupt" in run.communicate(timeout=60)[1]
    until(lambda: all(map(has_ended, children)), "the end of both")


def test_two_at_a_time_do_not_meet(tmp_path):
    folder = tmp_path / "venv"
    code = f"from i2t_ros.cli.setup import lock; lock(__import__('pathlib').Path({str(folder)!r}))"
    hold = [sys.executable, "-c", f"{code}; print('has it', flush=True); input()"]
    with subprocess.Popen(hold, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout.readline() == b"has it\n"
        with pytest.raises(
            BackendMissingError, match=f"another `i2t setup` is at work in {folder}"
        ):
            setup.lock(folder)
        first.communicate(b"\n")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_broken_opencv_is_named_before_anything_is_installed(monkeypatch):
    broken = "import json; print(json.dumps({'numpy': '2.2.6', 'cv2': '!numpy.core.multiarray'}))"
    monkeypatch.setattr(setup, "_ASK", broken)
    with pytest.raises(
        BackendMissingError, match=r"cv2 cannot be imported.*multiarray.*pip uninstall"
    ):
        setup.ask_system()


def test_files_of_the_working_folder_are_not_imported(tmp_path, monkeypatch):
    for name in ("numpy", "cv2", "json", "venv"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not me')")
    monkeypatch.chdir(tmp_path)
    assert setup.ask_system().numpy
    if "-P" in setup.MODULE:
        setup.execute([sys.executable, *setup.MODULE, "venv", "--help"])


def test_pip_is_told_of_the_systems_opencv(tmp_path):
    foreign = tmp_path / "opencv_python-4.9.0.dist-info" / "INSTALLER"
    foreign.parent.mkdir()
    foreign.write_text("pip\n")
    for version in ("4.5.4", "4.6.0", "4.6.0", ""):
        setup.tell_pip_of_opencv(tmp_path, version)
        told = {path.parent.name for path in tmp_path.glob("*/METADATA")}
        known = {f"{name.replace('-', '_')}-{version}.dist-info" for name in OPENCV if version}
        assert told == known
    assert foreign.is_file()


def test_for_real(tmp_path):
    """The packages of this environment play the system's, on PYTHONPATH as ROS is."""
    if not by_pip():
        pytest.skip("only where pip has installed all that is asked for")
    folder = tmp_path / "venv"
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PIP_")},
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
    }

    def run(*words):
        code = "import sys; from i2t_ros.cli.main import main; sys.exit(main())"
        command = [sys._base_executable, "-c", code, "setup", "--venv", folder, *words]
        return subprocess.run(
            command, capture_output=True, text=True, cwd="/", env=environment, timeout=200
        )

    first = run("--tasks", "text,tracking")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "-m venv" in first.stdout
    assert "onnxruntime 1." in first.stdout
    assert "tracking works" in first.stdout
    assert f"I2T_VENV={folder}" in first.stdout.splitlines()[-1]
    (folder / "lib" / HERE / "site-packages" / "robot_pack.py").write_text("")
    again = run("--engine", "none", "--packages", "no-such-package-of-i2t")
    assert again.returncode == 1
    assert "-m venv" not in again.stdout
    assert "no version fits" in again.stderr.splitlines()[-1]
    assert Path(folder / "constraints.txt").read_text().startswith("numpy==")
    # A node finds what is there.
    code = "import i2t_ros.nodes.start, robot_pack; print(robot_pack.__file__)"
    found = subprocess.check_output(
        [sys._base_executable, "-c", code],
        env=environment | {"I2T_VENV": str(folder)},
        cwd="/",
        text=True,
    )
    assert found.startswith(str(folder))
