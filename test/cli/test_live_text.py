"""A text that is shown while it is being written."""

import io
import os
import re

import pytest

from i2t_ros.cli import live_text
from i2t_ros.cli.live_text import LiveText, is_live, rows_down


class Terminal(io.StringIO):
    """What a terminal of some columns shows, by the few sequences that LiveText uses."""

    def __init__(self, columns):
        super().__init__()
        self.columns = columns

    def isatty(self):
        return True

    def fileno(self):
        return 99

    def lines(self):
        rows, row, column = [""], 0, 0
        for piece in re.findall(r"\x1b\[\d*[A-Z]|.|\n", self.getvalue(), re.DOTALL):
            if piece == "\r":
                column = 0
            elif piece == "\n":
                row, column = row + 1, 0
            elif piece == "\x1b[J":
                rows[row] = rows[row][:column]
                del rows[row + 1 :]
            elif piece.startswith("\x1b"):
                assert piece.endswith("A")
                row = max(0, row - int(piece[2:-1]))
            else:
                if column == self.columns:  # it wraps with the next letter, not before
                    row, column = row + 1, 0
                rows += [""] * (row + 1 - len(rows))
                rows[row] = rows[row][:column] + piece + rows[row][column + 1 :]
                column += 1
            rows += [""] * (row + 1 - len(rows))
        return rows


@pytest.fixture
def terminal(monkeypatch):
    made = Terminal(10)
    monkeypatch.setattr(
        live_text.os, "get_terminal_size", lambda _: os.terminal_size((made.columns, 5))
    )
    monkeypatch.setenv("TERM", "xterm")
    return made


def test_what_is_new_is_appended(terminal):
    live = LiveText(terminal)
    for text in ("There", "There are", "There are", "There are two dogs"):
        live.show(text)
        assert "".join(terminal.lines()) == text
    live.end("There are two dogs.")
    assert terminal.getvalue() == "There are two dogs.\n"


@pytest.mark.parametrize("before", ["<thi", "0123456789", "01234567890", "a thought of three rows"])
def test_a_text_that_changes_at_its_beginning_is_written_anew(terminal, before):
    print("$ i2t ask", file=terminal)
    live = LiveText(terminal)
    live.show(before)
    live.show("Two dogs")
    assert terminal.lines() == ["$ i2t ask", "Two dogs"]
    live.end("No.")
    assert terminal.lines() == ["$ i2t ask", "No.", ""]


def test_the_next_text_begins_on_its_own_line(terminal):
    live = LiveText(terminal)
    live.end("One")
    live.end("Two")
    assert terminal.lines() == ["One", "Two", ""]


def test_an_answer_that_is_given_up_leaves_the_line_ended(terminal):
    live = LiveText(terminal)
    live.abandon()
    assert terminal.getvalue() == ""
    live.show("There are")
    live.abandon()
    live.abandon()
    assert terminal.getvalue() == "There are\n"


def test_elsewhere_only_the_whole_text_is_written():
    stream = io.StringIO()
    live = LiveText(stream)
    live.show("There")
    live.abandon()
    live.end("There are two dogs.")
    assert stream.getvalue() == "There are two dogs.\n"


def test_a_terminal_that_cannot_go_back_gets_the_whole_text(terminal, monkeypatch):
    assert is_live(terminal)
    monkeypatch.setenv("TERM", "dumb")
    assert not is_live(terminal)
    monkeypatch.delenv("TERM")
    assert not is_live(terminal)
    assert not is_live(None)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", 0),
        ("a" * 10, 0),
        ("a" * 11, 1),
        ("a" * 21, 2),
        ("狗" * 5, 0),
        ("a" + "狗" * 5, 1),  # the fifth does not fit into the last column
        ("e\u0301" * 10, 0),
    ],
)
def test_rows(text, rows):
    assert rows_down(text, 10) == rows
