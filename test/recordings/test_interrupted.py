"""A run that is ended, at whatever moment, goes on to the results that it would have had."""

import os
import shutil
import signal
import subprocess

import pytest
from annotating import EACH_KIND, annotate, command, make_each_kind, tree
from waiting import until


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Return one of each kind, and what is made of them undisturbed."""
    folder = tmp_path_factory.mktemp("recordings")
    named = make_each_kind(folder)
    annotate(*named, "--out", folder / "undisturbed")
    return named, tree(folder / "undisturbed")


def test_there_is_everything(recordings):
    _, expected = recordings
    tops = {name.partition("/")[0].partition(".")[0] for name in expected}
    assert {"annotate", "annotated", "detections", "coco", "images", "sentences"} <= tops
    assert len(expected["images.jsonl"].splitlines()) == EACH_KIND


@pytest.mark.parametrize(
    ("how", "files"),
    [
        (signal.SIGKILL, "units/*/*.jsonl"),
        (signal.SIGKILL, "told/*.jsonl"),
        (signal.SIGKILL, "parts/*"),
        (signal.SIGINT, "units/*/*.jsonl"),
        (signal.SIGTERM, "parts/*"),
    ],
)
def test_a_run_that_was_ended_goes_on_to_the_same_results(recordings, tmp_path, how, files):
    (named, expected), out, temporary = recordings, tmp_path / "out", tmp_path / "temporary"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": str(temporary)}
    with subprocess.Popen(
        command(*named, "--out", out), stdout=-1, stderr=-1, start_new_session=True, env=environment
    ) as run:
        until(lambda: any((out / ".i2t").glob(files)), "it is at work")
        os.kill(run.pid, how)
        run.wait(30)
    until(lambda: not processes_of(run.pid), "its processes have ended")
    assert list(temporary.iterdir()) == []
    annotate(*named, "--out", out)
    assert tree(out) == expected


def processes_of(session):
    """Return the processes of a session that still run."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, text=True, check=False
    )
    return [line for line in listed.stdout.splitlines() if " Z" not in line]


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_goes_on_to_the_same_results(recordings, tmp_path):
    named, expected = recordings
    for tenth in range(10):
        out = tmp_path / "out"
        with subprocess.Popen(
            command(*named, "--out", out), stdout=-1, stderr=-1, start_new_session=True
        ) as run:
            try:
                run.wait(0.5 + tenth * 0.8)  # from its imports to its end
            except subprocess.TimeoutExpired:
                run.kill()
            run.wait(30)
        annotate(*named, "--out", out)
        assert tree(out) == expected, tenth
        shutil.rmtree(out)
