"""Writes the nodes' tables of parameters out: config/*.yaml, and the tables in docs/nodes.md.

It reads the installed package; a test compares.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap

import yaml

from i2t_ros.nodes.parameters.declaration import ros_default
from i2t_ros.nodes.parameters.tables import NODES


def as_yaml(node: str) -> str:
    """Return a parameter file with every default, each explained."""
    lines = [
        f"# Every parameter of {node} with its default; what is not listed in a file keeps it.",
        f"# ros2 run i2t_ros {node} --ros-args --params-file THIS_FILE",
        "# Made by tools/write_parameters.py.",
        # In any namespace: without the stars, a node in a namespace would silently go without.
        f"/**/{node}:",
        "  ros__parameters:",
    ]
    for option in NODES[node]:
        text = option.text + (f"; one of: {', '.join(option.choices)}" if option.choices else "")
        lines += [f"    # {line}" for line in wrap(text, 90)]
        value = yaml.safe_dump(ros_default(option), default_flow_style=True).removesuffix("...\n")
        lines.append(f"    {option.name}: {value.strip()}")
    return "\n".join(lines) + "\n"


def as_markdown(node: str) -> str:
    """Return the table of a node's parameters."""
    lines = ["| parameter | default | range | changes | what it does |", "|---|---|---|---|---|"]
    for option in NODES[node]:
        if option.choices:
            allowed = ", ".join(option.choices)
        elif option.bounds:
            allowed = " to ".join(f"{bound:g}" for bound in option.bounds)
        else:
            allowed = ""
        lines.append(
            f"| `{option.name}` | {option.shown} | {allowed} | {option.changes} | {option.text} |"
        )
    return "\n".join(lines) + "\n"


def with_tables(text: str) -> str:
    """Return docs/nodes.md with each table between its marks made anew."""
    for node in NODES:
        begin, end = f"<!-- parameters of {node} -->\n", f"<!-- end of parameters of {node} -->\n"
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = before + begin + as_markdown(node) + end + after
    return text


def main() -> None:
    """Write the files."""
    root = Path(__file__).parent.parent
    for node in NODES:
        (root / "config" / f"{node}.yaml").write_text(as_yaml(node))
    page = root / "docs" / "nodes.md"
    page.write_text(with_tables(page.read_text()))


if __name__ == "__main__":
    main()
