"""What a run leaves: a line on what was measured, bench/out/latest.json, tables in the docs."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from table import Table

ROOT = Path(__file__).resolve().parents[1]
OUT = Path(__file__).resolve().parent / "out"
PAGE = ROOT / "docs" / "performance.md"
BLOCK = re.compile(r"(?<=<!-- measured: )(\w+)( -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)
"""A table of the page: its key, and what stands between its markers."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """The code that was measured, and on what.

    commit  short hash; "+ changes" where files beside the pages differ from it
    """

    commit: str
    date: str
    processor: str
    cores: int
    versions: dict[str, str]

    def line(self) -> str:
        """Return it as a sentence."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return (
            f"Commit {self.commit}, {self.date}; {self.cores} cores of {self.processor}; {versions}"
        )


def here() -> Measured:
    """Return what is measured in this run."""
    versions = {"Python": platform.python_version()}
    for name, module in (("ONNX Runtime", "onnxruntime"), ("OpenCV", "cv2")):
        with contextlib.suppress(ImportError):
            versions[name] = importlib.import_module(module).__version__
    cores = len(os.sched_getaffinity(0))
    return Measured(_commit(), time.strftime("%Y-%m-%d"), _processor(), cores, versions)


def save(measured: Measured, tables: Sequence[Table]) -> Path:
    """Write everything as JSON; return the file's path."""
    OUT.mkdir(exist_ok=True)
    path = OUT / "latest.json"
    found = {
        "measured": dataclasses.asdict(measured),
        "tables": [dataclasses.asdict(table) for table in tables],
    }
    path.write_text(json.dumps(found, indent=2) + "\n")
    return path


def write_page(measured: Measured, tables: Sequence[Table], page: Path = PAGE) -> list[str]:
    """Put a run's tables into the page; return the keys of those that the run did not have."""
    text = page.read_text("utf-8")
    page.write_text(filled(text, measured, tables), "utf-8")
    keys = {key for key, *_ in BLOCK.findall(text)}
    return sorted(keys - {table.key for table in tables})


def filled(text: str, measured: Measured, tables: Sequence[Table]) -> str:
    """Return a page with the tables between the markers that name them.

    <!-- measured: KEY -->
    what measured it, and the table
    <!-- end -->
    """
    new = {table.key: f"*{measured.line()}.*\n\n{table.text()}\n" for table in tables}
    return BLOCK.sub(lambda found: found[1] + found[2] + new.get(found[1], found[3]), text)


def _commit() -> str:
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changes = _git("status", "--porcelain", "--", ".", ":!docs", ":!*.md", ":!*.rst")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit} + changes" if changes else commit


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _processor() -> str:
    """Return the processor's name as the kernel has it, or else its architecture."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    found = re.search(r"^(?:model name|Model)\s*: (.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()
