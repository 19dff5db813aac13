"""Hostile input of a fixed seed to every parser; `make fuzz` goes on for as long as you like."""

import re

import pytest

pytest.importorskip("fastapi")
import driver
from all_targets import TARGETS
from bounds import IN_TESTS, LONG_RUN, MEMORY, PICTURE_MEMORY
from mutations import CHANGES
from project import ROOT
from target import Target
from watching import Watch

SEED = 1209
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_answered_and_nobody_else_notices(name):
    kind = TARGETS[name]
    figures = driver.run(
        kind, IN_TESTS, SEED, lambda done: done.cases >= kind.cases, busy_machine=True
    )
    assert figures.cases == kind.cases


class Fragile(Target):
    """Fails for what has an x, and is slow for what has a z."""

    name = "fragile"

    def generate(self, random):
        return [b"head", self.mutated(random, b"abcdef" * 20, (b"x",))]

    def run(self, case):
        assert b"x" not in b"".join(case), "there is an x"


def test_an_input_that_fails_is_made_small_kept_and_fails_again(tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "OUT", tmp_path)
    with pytest.raises(driver.FoundError, match="seed 7, case") as found:
        driver.run(Fragile, IN_TESTS, 7, lambda done: False)
    (path,) = tmp_path.iterdir()
    assert f"make fuzz TARGET=fragile CASE={path}" in str(found.value)
    assert path.read_text() == "[\n    b'x',\n]\n"
    with pytest.raises(AssertionError, match="there is an x"):
        driver.again(Fragile, IN_TESTS, path)


def test_an_input_depends_on_the_seed_and_its_number_alone():
    fragile = Fragile(IN_TESTS, Watch(IN_TESTS, busy_machine=True))
    cases = [driver.case_of(fragile, 1, number) for number in range(50)]
    assert [driver.case_of(fragile, 1, number) for number in range(50)] == cases
    assert [driver.case_of(fragile, 2, number) for number in range(50)] != cases
    assert len({change.__name__ for change in CHANGES}) == 9


def test_the_page_states_the_bounds_and_has_a_row_for_every_target():
    for text in (
        f"{1000 * LONG_RUN.loop_delay:.0f} ms",
        f"{LONG_RUN.answer:.0f} s",
        f"{MEMORY >> 20} MB",
        f"{PICTURE_MEMORY >> 20} MB",
    ):
        assert text in PAGE
    assert set(TARGETS) <= set(re.findall(r"^\| (\w+) \|", PAGE, re.MULTILINE))
    assert PAGE.count("<!-- measured: fuzz -->") == PAGE.count("<!-- end -->") == 1
