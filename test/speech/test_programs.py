"""Programs that speak and play: no shell, no text in a command, none left behind."""

import contextlib
import os
import resource
import signal
import subprocess
import sys

import pytest
from sounds import InThread, write_program
from waiting import has_ended, until

from i2t_ros.errors import BackendMissingError, SpeechError
from i2t_ros.installation import PROGRAMS, how_to_install_program
from i2t_ros.speech.programs import MemoryFile, Programs, find_program


@pytest.fixture
def programs():
    programs = Programs()
    yield programs
    programs.stop()


@pytest.fixture
def slow(tmp_path):
    """Return a program that notes its number, and that of a child, and reads a pipe for ever."""
    os.mkfifo(tmp_path / "pipe")
    text = f'cat "{tmp_path}/pipe" &\necho $$ $! > "{tmp_path}/pids.part"\n'
    text += f'mv "{tmp_path}/pids.part" "{tmp_path}/pids"\nwait\n'
    return write_program(tmp_path, "slow", text)


def pids_of(slow):
    path = slow.parent / "pids"
    until(path.exists, "the program starts")
    return [int(pid) for pid in path.read_text().split()]


def test_text_comes_through_standard_input_and_is_no_command(programs, tmp_path):
    text = "-v $(touch x); `touch x` | touch x ' \" \\ 日本語"
    program = write_program(tmp_path, "speak", f'cat > "{tmp_path}/heard"; echo "$*" > "$1"\n')
    programs.run([str(program), str(tmp_path / "words")], 20.0, text)
    assert (tmp_path / "heard").read_text() == text
    assert (tmp_path / "words").read_text() == f"{tmp_path / 'words'}\n"
    assert not (tmp_path / "x").exists()


def test_a_program_that_fails_is_named_with_its_last_line(programs, tmp_path):
    text = "echo 'so much'; echo trace >&2; echo 'no such device' >&2; echo >&2; exit 3\n"
    program = write_program(tmp_path, "play", text)
    with pytest.raises(SpeechError, match=r"play failed with 3: no such device$"):
        programs.run([str(program)], 20.0)
    programs.run(["true"], 20.0)


def test_a_program_that_takes_no_text_harms_nothing(programs):
    programs.run(["true"], 20.0, "x" * 1_000_000)


@pytest.mark.parametrize("session", ["", "setsid "])
def test_what_a_program_leaves_behind_is_not_waited_for(programs, tmp_path, session):
    """A player may start the sound server, which keeps what it was given open."""
    os.mkfifo(tmp_path / "pipe")
    text = f'{session}cat "{tmp_path}/pipe" &\necho $! > "{tmp_path}/server"\necho no card >&2\n'
    program = write_program(tmp_path, "play", f"{text}exit 1\n")
    running = InThread(programs.run, [str(program)], 60.0)
    try:
        assert "play failed with 1: no card" in str(running.outcome(10.0))
    finally:
        os.kill(int((tmp_path / "server").read_text()), signal.SIGKILL)


def test_complaints_without_end_are_ended_and_take_no_memory(programs, tmp_path):
    program = write_program(tmp_path, "play", "exec cat /dev/zero >&2\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SpeechError, match="play was ended: it took over 1 s"):
        programs.run([str(program)], 1.0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 50_000  # kB


def test_the_last_of_many_complaints_is_told(programs, tmp_path):
    text = "yes underrun | head -n 100000 >&2; echo no card >&2; exit 1\n"
    program = write_program(tmp_path, "play", text)
    with pytest.raises(SpeechError, match=r"play failed with 1: no card$"):
        programs.run([str(program)], 20.0)


def test_a_program_that_says_nothing_more_is_waited_for(programs, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    text = f'exec 2>&-\n: > "{tmp_path}/begun"\nread line < "{tmp_path}/pipe"\nexit 4\n'
    running = InThread(programs.run, [str(write_program(tmp_path, "play", text))], 20.0)
    until((tmp_path / "begun").exists, "it begins")
    assert running.is_alive()
    (tmp_path / "pipe").write_text("\n")
    assert "play failed with 4: no reason given" in str(running.outcome())


def test_no_descriptor_stays_open(programs):
    before = len(os.listdir("/proc/self/fd"))
    for command in (["true"], ["false"], ["no_such_player"]):
        with contextlib.suppress(SpeechError):
            programs.run(command, 20.0, "text")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_program_that_hangs_is_ended_with_all_that_it_started(programs, slow):
    hanging = InThread(programs.run, [str(slow)], 1.0)
    pids = pids_of(slow)
    assert "slow was ended: it took over 1 s" in str(hanging.outcome())
    until(lambda: all(map(has_ended, pids)), "both end")


def test_a_stop_ends_it_at_once_and_none_starts_until_it_may(programs, slow):
    running = InThread(programs.run, [str(slow)], 60.0)
    pids = pids_of(slow)
    programs.stop()
    assert isinstance(running.outcome(5.0), SpeechError)
    until(lambda: all(map(has_ended, pids)), "both end")
    with pytest.raises(SpeechError, match="stopped"):
        programs.run(["true"], 20.0)
    programs.start()
    programs.run(["true"], 20.0)


@pytest.mark.skipif(not os.path.exists("/usr/bin/setpriv"), reason="no util-linux")
def test_it_is_killed_with_this_process(slow):
    code = (
        "import sys; from i2t_ros.speech.programs import Programs; "
        "Programs().run([sys.argv[1]], 60.0)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(slow)], cwd="/")
    try:
        leader, child = pids_of(slow)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    try:
        until(lambda: has_ended(leader), "it ends")
    finally:
        os.kill(child, signal.SIGKILL)  # what a program starts is not its parent's to watch


def test_a_program_that_is_gone_is_named(programs):
    with pytest.raises(SpeechError, match="no_such_player"):
        programs.run(["no_such_player"], 20.0)


def test_a_missing_program_is_named_with_the_command_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendMissingError) as error:
        find_program("the loudspeaker", "aplay", "paplay")
    assert "no program aplay or paplay" in str(error.value)
    assert str(error.value).endswith(
        "sudo apt-get install alsa-utils or sudo apt-get install pulseaudio-utils"
    )
    write_program(tmp_path, "paplay", "")
    assert find_program("the loudspeaker", "aplay", "paplay") == "paplay"


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_has_a_package(name):
    assert how_to_install_program(name) == f"sudo apt-get install {PROGRAMS[name]}"


def test_a_file_in_memory_is_one_for_another_program(programs):
    with MemoryFile(b"before") as file:
        programs.run(["cp", "/dev/stdin", file.path], 20.0, "after", files=[file.descriptor])
        assert file.read() == b"after"
        path = f"/proc/{os.getpid()}/fd/{file.descriptor}"
        assert "memfd" in os.readlink(path)
    assert not os.path.exists(path) or "i2t_sound" not in os.readlink(path)
