"""What Dockerfiles, compose files, workflows and the devcontainer name exists, and is safe.

None of them runs here; a name that has changed elsewhere is found all the same.
"""

import itertools
import json
import os
import re
import subprocess

import pytest
import yaml
from project import PYPROJECT, ROOT

from i2t_ros.bridges.http.settings import DEFAULT_PORT
from i2t_ros.cli.main import COMMANDS
from i2t_ros.client import DEFAULT_PORT as TCP_PORT
from i2t_ros.nodes.parameters.tables import NODES

DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
COMPOSE_FILES = [ROOT / "compose.yaml", *sorted((ROOT / "docker").glob("compose.*.yaml"))]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = sorted((ROOT / "docker").glob("*.sh"))
DEVCONTAINER = ROOT / ".devcontainer" / "devcontainer.json"
ALL = [*DOCKERFILES, *COMPOSE_FILES, *WORKFLOWS, DEVCONTAINER]
PROGRAMS = set(PYPROJECT["project"]["scripts"])
EXTRAS = set(PYPROJECT["project"]["optional-dependencies"])
PAGE = (ROOT / "docs" / "containers.md").read_text()


class Loader(yaml.SafeLoader):
    """Reads the tags with which one compose file changes another, too."""


for tag in ("!reset", "!override"):
    Loader.add_constructor(tag, lambda loader, node: loader.construct_sequence(node, deep=True))


def read(path):
    return yaml.load(path.read_text(), Loader=Loader)  # noqa: S506 (a safe one)


def named(path):
    return path.name


def copied(path):
    """Return what a Dockerfile copies from the context."""
    lines = re.findall(r"^COPY (?!--from)(.*)$", path.read_text(), re.M)
    return {word for line in lines for word in line.split()[:-1]}


SERVICES = [
    pytest.param(name, service, id=f"{path.name}-{name}")
    for path in COMPOSE_FILES
    for name, service in read(path)["services"].items()
    if name != "network" and "command" in service
]


@pytest.mark.parametrize("path", DOCKERFILES, ids=named)
def test_what_is_copied_exists_and_is_in_the_context(path):
    allowed = re.findall(r"^!(.*?)/?$", (ROOT / ".dockerignore").read_text(), re.M)
    for name in copied(path):
        assert (ROOT / name).exists(), name
        assert any(name == entry or name.startswith(f"{entry}/") for entry in allowed), name


@pytest.mark.parametrize("path", DOCKERFILES, ids=named)
def test_an_image_has_all_that_cmake_installs(path):
    cmake = (ROOT / "CMakeLists.txt").read_text()
    needed = {name.split("/")[0] for name in re.findall(r"\b((?:msg|srv|scripts|i2t_ros)/)", cmake)}
    assert copied(path) >= {"CMakeLists.txt", "config", "package.xml", *needed}


def test_the_source_archive_has_all_that_the_small_image_is_built_from():
    manifest = re.findall(r"^(?:graft|include) (.*)$", (ROOT / "MANIFEST.in").read_text(), re.M)
    listed = {name for line in manifest for name in line.split()}
    assert [name for name in listed if not (ROOT / name).exists()] == []
    # setuptools itself adds these.
    found = listed | {"LICENSE", "README.md", "pyproject.toml", "setup.py"}
    sources = {name for name in copied(ROOT / "docker" / "slim.Dockerfile") if "/" not in name}
    assert found == sources


@pytest.mark.parametrize("path", DOCKERFILES, ids=named)
def test_an_image_runs_a_node_that_it_watches_and_is_not_root(path):
    text = path.read_text()
    last = text[text.rindex("\nFROM ") :]
    assert re.search(r"^USER \$\{USER_ID\}$", last, re.M)
    assert json.loads(re.search(r"^CMD (.*)$", last, re.M)[1])[0] in PROGRAMS
    health = json.loads(re.search(r"^HEALTHCHECK .*?CMD (.*)$", last, re.M)[1])
    assert health[:2] == ["/ros_entrypoint.sh", "i2t"]
    assert health[2] in COMMANDS


@pytest.mark.parametrize("path", [*DOCKERFILES, *WORKFLOWS], ids=named)
def test_extras_and_tasks_that_are_named_exist(path):
    lists = re.findall(r"EXTRAS=([\w,]+)|--extras ([\w,]+)", path.read_text())
    for word in ",".join(found for pair in lists for found in pair if found).split(","):
        assert word in EXTRAS | {""}, word


@pytest.mark.parametrize("path", [*ALL, ROOT / "docs" / "containers.md"], ids=named)
def test_commands_that_are_named_exist(path):
    text = path.read_text()
    commands = re.findall(r"(?:bin/i2t|\.sh i2t|run i2t_ros i2t|slim i2t) ([a-z]\w*)", text)
    assert set(commands) <= set(COMMANDS)
    programs = {script.name for script in (ROOT / "scripts").iterdir()}
    assert set(re.findall(r"ros2 run i2t_ros (\w+)", text)) <= programs


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_a_service_runs_a_program_with_parameters_that_it_has(name, service):
    command = service["command"]
    assert command[0] == f"{name}_node"
    known = {option.name for option in NODES[command[0]]}
    given = [after for word, after in itertools.pairwise(command) if word == "-p"]
    for parameter in given:
        assert parameter.partition(":=")[0] in known, parameter
    if "--params-file" in command:
        mounted = read(COMPOSE_FILES[0])["services"][name]["volumes"]
        file = command[command.index("--params-file") + 1]
        (source,) = [each.split(":")[0] for each in mounted if f":{file}:" in each]
        assert (ROOT / source).is_file()


def test_the_file_of_parameters_has_values_that_the_nodes_take():
    for section, content in read(ROOT / "docker" / "parameters.yaml").items():
        options = {option.name: option for option in NODES[section.removeprefix("/**/")]}
        for name, value in content["ros__parameters"].items():
            assert type(value) is type(options[name].default), name
            options[name].check(value)


def test_only_this_machine_is_let_in_unless_a_token_is_given():
    services = read(COMPOSE_FILES[0])["services"]
    published = [port for service in services.values() for port in service.get("ports", ())]
    inner = {int(port.rsplit(":", 1)[1]) for port in published}
    assert inner == {DEFAULT_PORT, TCP_PORT}
    assert all(port.startswith("127.0.0.1:") for port in published)
    for path in COMPOSE_FILES[1:]:
        text = path.read_text()
        assert "0.0.0.0" not in text or "I2T_HTTP_TOKEN:?" in text, path.name  # noqa: S104


def test_nodes_share_one_network_and_a_memory_that_is_large_enough():
    services = read(COMPOSE_FILES[0])["services"]
    nodes = {name: service for name, service in services.items() if name != "network"}
    profile = (ROOT / "config" / "fastdds.xml").read_text()
    segment = int(re.search(r"<segment_size>(\d+)<", profile)[1])
    # As many again for health checks, whose memory is kept for 20 s.
    needed = 2 * len(nodes) * segment
    assert int(services["network"]["shm_size"].removesuffix("m")) << 20 >= needed
    for service in nodes.values():
        assert service["network_mode"] == service["ipc"] == "service:network"
    robot = read(ROOT / "docker" / "compose.robot.yaml")["services"]
    for name in nodes:
        assert robot[name]["network_mode"] == robot[name]["ipc"] == "host"


@pytest.mark.parametrize("path", COMPOSE_FILES, ids=named)
def test_variables_are_known(path):
    text = path.read_text()
    for name in re.findall(r"\$\{(\w+)", text):
        assert f"`{name}`" in PAGE, f"docs/containers.md does not explain {name}"
    sources = [(ROOT / "i2t_ros").rglob("*.py")]
    code = "".join(file.read_text() for files in sources for file in files)
    for name in re.findall(r"^ +(I2T_\w+):", text, re.M):
        assert f'"{name}"' in code, name


def test_what_the_page_names_exists():
    for name in set(re.findall(r"\b(?:docker|config|\.devcontainer)/[\w.]+\w", PAGE)):
        assert (ROOT / name).exists(), name
    files = [*DOCKERFILES, *COMPOSE_FILES]
    assert [path.name for path in files if path.name not in PAGE] == []


@pytest.mark.parametrize(
    ("distro", "given", "told"),
    [
        ("humble", {}, "FASTRTPS_DEFAULT_PROFILES_FILE=/opt/i2t/share/i2t_ros/config/fastdds.xml"),
        ("jazzy", {}, "FASTRTPS_DEFAULT_PROFILES_FILE=/opt/i2t/share/i2t_ros/config/fastdds.xml"),
        ("rolling", {}, "FASTDDS_DEFAULT_PROFILES_FILE=/opt/i2t/share/i2t_ros/config/fastdds.xml"),
        *(
            (distro, {name: "/mine.xml"}, f"{name}=/mine.xml")
            for distro in ("jazzy", "kilted")
            for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
        ),
    ],
)
def test_the_entry_point_chooses_the_profile(distro, given, told):
    environment = {"PATH": os.environ["PATH"], "ROS_DISTRO": distro, **given}
    command = ["bash", ROOT / "docker" / "entrypoint.sh", "env"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert [line for line in done.stdout.splitlines() if "PROFILES" in line] == [told]


def test_the_entry_point_fails_as_its_command_does():
    environment = {"PATH": os.environ["PATH"], "ROS_DISTRO": "jazzy"}
    command = ["bash", ROOT / "docker" / "entrypoint.sh", "sh", "-c", "exit 7"]
    assert subprocess.run(command, env=environment, timeout=30).returncode == 7


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_scripts_can_be_read_and_run(path):
    assert os.access(path, os.X_OK)
    subprocess.run(["bash", "-n", path], check=True, timeout=30)


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_a_workflow_may_only_read_and_ends(path):
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 180, name
        more = job.get("permissions", {}).keys() - {"contents"}
        assert not more or "tag" in json.dumps(job["steps"]), f"{name}: {more}"
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name
            if "uses" in step:
                assert re.search(r"(@v\d|:\d+\.\d+)", step["uses"]), step["uses"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_a_workflow_runs_nothing_that_a_pull_request_names(path):
    assert "pull_request_target" not in path.read_text()
    for job in read(path)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step["run"]


@pytest.mark.parametrize("given", ["0", "00", "-1", "root", "1000;id", "", "1 2"])
def test_an_image_refuses_root_and_what_is_no_user(given, tmp_path):
    """Without any program that could change a user."""
    command = ["/bin/sh", ROOT / "docker" / "add_user.sh", given]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"USER_ID: expected the number of a user other than root, got '{given}'" in done.stderr


def test_hidden_files_are_sent_to_nobody():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = max(index for index, line in enumerate(lines) if line.startswith("!"))
    assert "**/.*" in lines[allowed:]
    assert (
        ".*"
        in re.search("^global-exclude (.*)", (ROOT / "MANIFEST.in").read_text(), re.M)[1].split()
    )


@pytest.mark.parametrize("path", [*WORKFLOWS, DEVCONTAINER], ids=named)
def test_what_is_made_run_and_built_exists(path):
    text = path.read_text()
    makefile = (ROOT / "Makefile").read_text().replace("$(VENV)", ".venv")
    targets = {
        word for line in re.findall(r"^([^\s#:=]+.*?):", makefile, re.M) for word in line.split()
    }
    for words in re.findall(r"\bmake ((?:[\w./-]+ ?(?!\S*=))+)", re.sub(r"#.*|//.*", "", text)):
        assert set(words.split()) <= targets, words
    files = re.findall(r"\b(?:tools|docs|docker)/[\w/.-]+\.\w+", text)
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_every_image_and_every_python_is_in_the_workflows():
    jobs = read(ROOT / ".github" / "workflows" / "images.yml")["jobs"]
    built = [each["file"] for each in jobs["build"]["strategy"]["matrix"]["include"]]
    assert {f"{name}.Dockerfile" for name in built} == {path.name for path in DOCKERFILES}
    jobs = read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    supported = re.search(
        r"\(3, (\d+)\) <= sys.version_info < \(3, (\d+)\)",
        (ROOT / "tools" / "check_system.sh").read_text(),
    )
    versions = [f"3.{minor}" for minor in range(int(supported[1]), int(supported[2]))]
    for name in ("pypi", "wheels"):
        assert jobs[name]["strategy"]["matrix"]["python"] == versions


def test_the_devcontainer_forwards_the_page():
    text = re.sub(r"^ *//.*$", "", DEVCONTAINER.read_text(), flags=re.M)
    assert json.loads(text)["forwardPorts"] == [DEFAULT_PORT]
