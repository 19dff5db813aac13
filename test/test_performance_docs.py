"""docs/performance.md: its tables come from a run that says its commit, targets from the bench."""

import re

import pytest
import report
import targets
from table import Row, Table, at_least

TEXT = report.PAGE.read_text("utf-8")
BLOCKS = {key: block for key, _, block in report.BLOCK.findall(TEXT)}
PROSE = report.BLOCK.sub("", TEXT)
MEASURED = report.Measured("0123abc + changes", "2026-11-28", "a processor", 2, {"Python": "3.10"})


def numbers(value):
    """Return every figure in a target, however it is grouped."""
    if isinstance(value, dict):
        return {figure for part in value.values() for figure in numbers(part)}
    return {value} if isinstance(value, float) else set()


PROMISED = {
    figure for name, value in vars(targets).items() if name.isupper() for figure in numbers(value)
} | {0.0}  # images lost on the way


def test_every_marker_has_its_end():
    assert BLOCKS
    assert TEXT.count("<!-- measured: ") == TEXT.count("<!-- end -->") == len(BLOCKS)


@pytest.mark.parametrize("key", BLOCKS)
def test_every_table_says_which_commit_was_measured(key):
    caption, empty, *lines = BLOCKS[key].strip().split("\n")
    assert re.match(
        r"\*Commit [0-9a-f]{7,}( \+ changes)?, \d{4}-\d\d-\d\d; \d+ cores of .+\*$", caption
    )
    assert not empty
    assert "\n".join(lines[:2]) == Table(key, "", []).text()
    assert len(lines) > 2


def test_the_targets_of_the_tables_are_those_of_today():
    found = re.findall(
        r"\| (?:\w+ [≤≥] |beside \+ |lost on the way: )([\d.]+)[^|]*\| (?:met|\*)", TEXT
    )
    assert found
    assert {float(figure) for figure in found} <= PROMISED


def test_the_prose_leaves_figures_of_targets_to_the_tables():
    named = [line for line in PROSE.splitlines() if "target" in line and re.search(r"\d", line)]
    assert named == []


def test_a_run_replaces_its_own_tables_and_no_other():
    page = (
        "before\n<!-- measured: one -->\nold 1\n<!-- end -->\nbetween\n"
        "<!-- measured: two -->\nold 2\n<!-- end -->\nafter\n"
    )
    row = at_least(Row("frames", 30.0, "Hz", 31.0, 0.97, 0.9, 1.0), 0.95)
    once = report.filled(page, MEASURED, [Table("one", "Title", [row])])
    assert once == (
        "before\n<!-- measured: one -->\n"
        "*Commit 0123abc + changes, 2026-11-28; 2 cores of a processor; Python 3.10.*\n\n"
        "| what | value | beside | ratio | spread | target | |\n|---|---|---|---|---|---|---|\n"
        "| frames | 30 Hz | 31 | 0.97 | 0.90 to 1.00 | ratio ≥ 0.95 | met |\n"
        "<!-- end -->\nbetween\n<!-- measured: two -->\nold 2\n<!-- end -->\nafter\n"
    )
    assert report.filled(once, MEASURED, [Table("one", "Title", [row])]) == once


def test_the_page_says_which_tables_a_run_did_not_have(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- measured: one -->\n<!-- end -->\n<!-- measured: two -->\n<!-- end -->\n")
    assert report.write_page(MEASURED, [Table("two", "Title", [Row("a", 1.0, "s")])], page) == [
        "one"
    ]
    assert "| a | 1 s |" in page.read_text()
