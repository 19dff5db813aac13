"""Standard error, held back while native code complains."""

import os
import re
import subprocess
import sys
import threading

import pytest

from i2t_ros.backends.stderr import hold_stderr

COMPLAINT = re.compile(rb"^E: [^\n]*\n", re.MULTILINE)


def write(text):
    os.write(2, text.encode())


def test_what_is_taken_is_not_written_out(capfd):
    with hold_stderr(COMPLAINT) as taken:
        write("one\nE: page of a provider\ntwo\n")
        write("E: and more\nthree\n")
        assert capfd.readouterr().err == ""
    assert taken == [b"E: page of a provider\n", b"E: and more\n"]
    assert capfd.readouterr().err == "one\ntwo\nthree\n"


def test_all_is_written_out_if_the_block_raises(capfd):
    def fail():
        with hold_stderr(COMPLAINT):
            write("before\n")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    write("after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_bytes_that_are_no_text(capfdbinary):
    with hold_stderr(COMPLAINT):
        os.write(2, b"\xff\xfe\n")
    assert capfdbinary.readouterr().err == b"\xff\xfe\n"


def test_other_threads_lose_nothing(capfd):
    """They write while it begins and ends, time and again, and each line comes out once."""
    go, lines = threading.Barrier(5), 300

    def chatter(name):
        go.wait(10)
        for i in range(lines):
            write(f"{name} {i}\n")

    threads = [threading.Thread(target=chatter, args=(f"thread{i}",)) for i in range(3)]

    def hold():
        go.wait(10)
        for _ in range(50):
            with hold_stderr(COMPLAINT) as taken:
                write("E: complaint\n")
            assert taken == [b"E: complaint\n"]

    threads += [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    said = capfd.readouterr().err.splitlines()
    assert sorted(said) == sorted(f"thread{i} {j}" for i in range(3) for j in range(lines))


def test_a_program_that_was_started_meanwhile_keeps_nobody_waiting(capfd, monkeypatch):
    monkeypatch.setattr("i2t_ros.backends.stderr.LAST_WRITES", 0.05)
    with hold_stderr(COMPLAINT):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        write("line\n")
    assert child.poll() is None
    assert capfd.readouterr().err == "line\n"
    child.communicate(b"\n")


def test_a_process_without_standard_error():
    code = (
        "import os, re, sys; assert sys.stderr is None\n"
        "from i2t_ros.backends.stderr import hold_stderr\n"
        "with hold_stderr(re.compile(b'E')): os.write(2, b'lost')\n"
        "print('well')"
    )
    command = ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, code]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "well\n")
