"""Times on a command line."""

import argparse

import pytest

from i2t_ros.cli.durations import clock, nanoseconds

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("0", 0),
        ("0.5", 0.5),
        (".5s", 0.5),
        ("2.s", 2),
        ("500ms", 0.5),
        ("0.25ms", 0.00025),
        ("2m", 120),
        ("1.5h", 5400),
        ("1:30", 90),
        ("0:01.25", 1.25),
        ("90:00", 5400),
        ("1:02:03.5", 3723.5),
        (" 3 S ", 3),
    ],
)
def test_a_time_is_read(text, seconds):
    assert nanoseconds(text) == round(seconds * SECOND)


def test_a_time_is_exact():
    assert nanoseconds("0.1") == 100_000_000
    assert nanoseconds("123456.123456789") == 123_456_123_456_789


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            ".",
            "-1",
            "+1",
            "nan",
            "inf",
            "1e3",
            "x",
            "3 parsecs",
            "1,5",
            "1:60",
            "1:2:3:4",
        ),
        *("1:-2", "1:60:00", ":30", "1m30", "٣", "9999999h", "1" * 5000, "0.0000000001", "1:1:1ms"),
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"expected a time such as 0.5s, 500ms"):
        nanoseconds(text)


def test_the_longest_time_fits_into_64_bits():
    assert nanoseconds("999999.999999999h") < 2**63
    assert nanoseconds("99999:59:59.999999999") < 2**63


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00.000"),
        (83.4, "1:23.400"),
        (59.9996, "1:00.000"),
        (3723, "1:02:03.000"),
        (360_000.0004, "100:00:00.000"),
    ],
)
def test_a_time_is_shown_as_it_is_read(seconds, shown):
    assert clock(seconds) == shown
    assert nanoseconds(shown) / SECOND == pytest.approx(seconds, abs=0.0005)
