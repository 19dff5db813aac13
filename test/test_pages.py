"""Every page can be found, its links lead somewhere, and its commands and parameters are taken."""

import ast
import contextlib
import io
import re
import shlex
import sys
import types
from itertools import dropwhile, pairwise
from textwrap import dedent

import pytest
import yaml
from project import ROOT

from i2t_ros.cli import main
from i2t_ros.nodes.launch_plan import declared
from i2t_ros.nodes.parameters.tables import NODES

DOCS = ROOT / "docs"
MAP = DOCS / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
SPECS = {node: {spec.name: spec for spec in table} for node, table in NODES.items()}
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.search(r"^\.PHONY: (.*)", MAKEFILE, re.M)[1].split())
VARIABLES = {*re.findall(r"^(\w+) \?=", MAKEFILE, re.M), "ROS_DISTRO"}
LAUNCH = ROOT / "i2t_ros" / "launch"
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
INDENTED = re.compile(r"(?:^    .*\n|^\n(?=    ))+", re.M)
SHELLS = ("", "console", "sh", "bash")
every_page = pytest.mark.parametrize("page", PAGES, ids=NAMES)


def prose(page):
    """Return the text of a page without its blocks of code."""
    return INDENTED.sub("", FENCED.sub("", page.read_text("utf-8")))


def blocks(page):
    """Return the language and the text of each block of code; indented ones have none."""
    text = page.read_text("utf-8")
    indented = INDENTED.finditer(FENCED.sub("", text))
    return [*FENCED.findall(text), *(("", dedent(block.group())) for block in indented)]


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = []
    for title in re.findall(r"^#+ (.*)", FENCED.sub("", page.read_text("utf-8")), re.M):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).lower()
        anchor = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found.append(f"{anchor}-{found.count(anchor)}" if anchor in found else anchor)
    return found


def links(page):
    """Return the targets of a page's links and pictures that lead into this repository."""
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", prose(page)))
    return [target for target in targets if "://" not in target]


@every_page
def test_links_lead_somewhere(page):
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_anchors_are_those_of_github(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# Python, 3.10+\n## The `<SEP>` _protocol_\n## A\n```sh\n# no title\n```\n## A\n"
    )
    assert anchors(page) == ["python-310", "the-sep-_protocol_", "a", "a-1"]


def test_the_map_leads_to_every_page():
    mapped = {(DOCS / target.partition("#")[0]).resolve() for target in links(MAP)}
    assert set(PAGES) - mapped == {MAP}
    assert "docs/README.md" in links(ROOT / "README.md")


def test_the_readme_stays_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


def commands(page):
    """Return the words of each command of this package in a page's blocks and spans of code."""
    lines = [line for kind, block in blocks(page) if kind in SHELLS for line in block.split("\n")]
    spans = re.findall(r"`([^`]+)`", prose(page))
    # `i2t describe --json` names a command; one with an argument is to be typed.
    lines += [span for span in spans if not re.fullmatch(r"i2t [a-z ]+(--\w+)?", span)]
    for line in lines:
        for given in simple_commands(line.removeprefix("$ ")):
            words = list(dropwhile(re.compile(r"\w+=|sudo$").match, given))
            if words[:4] == ["ros2", "run", "i2t_ros", "i2t"]:
                words = words[3:]
            program = words[0].removeprefix(".venv/bin/") if words else ""
            if program in CHECKS:
                yield program, words[1:]


def simple_commands(line):
    """Return the words of the commands that pipes, && and the like join in a line of a shell."""
    lexer = shlex.shlex(line.replace("\\\n", ""), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = [[]]
    try:
        for word in lexer:
            if re.fullmatch(r"[();<>|&]+", word):
                words.append([])
            else:
                words[-1].append(word)
    except ValueError:  # an apostrophe: a sentence
        return []
    return words


def check_parameter(node, text):
    """Fail if a node has no such parameter, or refuses the value."""
    name, _, value = text.partition(":=")
    specs = [SPECS[node]] if node else SPECS.values()
    found = [table[name] for table in specs if name in table]
    assert found, f"no parameter {name}"
    for spec in found:
        spec.check(spec.meant(yaml.safe_load(value)))


def check_ros_arguments(node, words):
    """Check what follows --ros-args."""
    for flag, argument in pairwise(words):
        if flag == "-p":
            check_parameter(node, argument)
        elif flag == "-r":
            assert ":=" in argument


def check_i2t(words):
    """Let the command's own parser read it."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            args = main._parser(words).parse_args(words)
        except SystemExit as ended:  # --help and --version end with 0
            if ended.code:
                raise ValueError(said.getvalue()) from None
            return
    check_ros_arguments("", getattr(args, "ros_args", []))


def check_make(words):
    """Check targets and variables."""
    for word in words:
        name, is_variable, _ = word.partition("=")
        assert name in (VARIABLES if is_variable else TARGETS) or name.startswith(".venv/"), word


def check_ros2(words):
    """Check programs, launch files, and the names and values that are given to them."""
    if words[:2] == ["run", "i2t_ros"]:
        assert (ROOT / "scripts" / words[2]).is_file()
        check_ros_arguments(words[2], words[3:])
    elif words[:2] == ["launch", "i2t_ros"]:
        tree = ast.parse((LAUNCH / words[2]).read_text())
        own = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        known = {*declared(), *own}
        for word in words[3:]:
            name = word.partition(":=")[0]
            assert name in known or name == "--show-args", word
            if name != "bridge" and any(name in table for table in SPECS.values()):
                check_parameter("", word)


CHECKS = {"i2t": check_i2t, "make": check_make, "ros2": check_ros2}


@every_page
def test_commands_are_taken(page):
    if page.name == "extending.md":
        pytest.skip("test_extending_docs.py follows it to the letter, with what it adds")
    for program, words in commands(page):
        if words and "..." not in words:
            try:
                CHECKS[program](words)
            except Exception as error:
                raise AssertionError(f"{page.name}: {program} {shlex.join(words)}") from error


@pytest.mark.parametrize(
    "wrong",
    [
        "i2t describe a.jpg --lang es",
        "make demos",
        "ros2 run i2t_ros detector_node --ros-args -p modell:=x",
        "ros2 run i2t_ros detecter_node",
        "ros2 launch i2t_ros i2t.launch.py imagee:=/a",
        "echo | A=1 .venv/bin/i2t run --ros-args -p tcp_port:=-1",
    ],
)
def test_wrong_commands_are_noticed(tmp_path, wrong):
    page = tmp_path / "page.md"
    page.write_text(f"# A\n\n    $ {wrong}   # it isn't\n")
    with pytest.raises(AssertionError):
        test_commands_are_taken(page)


@every_page
def test_parameter_files_are_taken(page):
    for _, block in blocks(page):
        for node, section in yaml.safe_load(block).items() if "ros__parameters:" in block else ():
            for name, value in section["ros__parameters"].items():
                if name != "qos_overrides":
                    SPECS[node.rpartition("/")[2]][name].check(value)


def test_the_guide_shows_every_launch_file():
    shown = [words for _, words in commands(DOCS / "guide.md") if words[:1] == ["launch"]]
    launched = {words[2] for words in shown if len(words) > 2}
    assert launched == {path.name for path in LAUNCH.glob("*.py")}


def test_the_launch_file_for_users_of_yolo_ros(monkeypatch):
    page = DOCS / "coming_from" / "yolo_ros.md"
    code = next(block for kind, block in blocks(page) if "LaunchDescription" in block)
    launch, actions = types.ModuleType("launch"), types.ModuleType("launch_ros.actions")
    launch.LaunchDescription, actions.Node = list, dict
    monkeypatch.setitem(sys.modules, "launch", launch)
    monkeypatch.setitem(sys.modules, "launch_ros", types.ModuleType("launch_ros"))
    monkeypatch.setitem(sys.modules, "launch_ros.actions", actions)
    names = {}
    exec(code, names)  # noqa: S102
    (node,) = names["generate_launch_description"]()
    assert node["package"] == "i2t_ros"
    table = SPECS[node["executable"]]
    for name, value in node["parameters"][0].items():
        table[name].check(value)
    reference = (DOCS / "nodes.md").read_text()
    assert all(f"`{ours}`" in reference for ours, _ in node["remappings"])


FOREIGN = ("Package 'i2t_ros'", "error: externally", "WARNING: topic", "Could not determine")
"""How lines of other programs begin: ros2, pip."""


def test_lines_of_the_troubleshooting_page_are_those_that_users_see():
    sources = [*(ROOT / "i2t_ros").rglob("*.py"), ROOT / "tools" / "check_system.sh"]
    sources += (ROOT / "config" / "languages").glob("en.yaml")
    # Texts in the sources are broken into pieces by quotes, line ends and values.
    code = "".join(re.sub(r'"\s*f?"', "", source.read_text("utf-8")) for source in sources)
    lines = [line for kind, block in blocks(DOCS / "troubleshooting.md") if kind == "text"
             for line in block.splitlines() if not line.startswith(FOREIGN)]  # fmt: skip
    assert len(lines) > 15
    for line in lines:
        starts = range(max(1, len(line) - 14))
        assert any(line[start : start + 15] in code for start in starts), line
