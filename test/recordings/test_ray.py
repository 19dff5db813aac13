"""A Ray cluster of two nodes on this machine does what processes of this machine do."""

import os
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest
from annotating import EACH_KIND, annotate, make_each_kind, tree
from deadly_pictures import Counted, annotated, by_processes, files_of, job_of, mark, picture_folder
from running_command import RunningCommand
from waiting import until

from i2t_ros.errors import BackendError, BackendUnavailableError, SourceMissingError
from i2t_ros.recordings.storage import Storage
from i2t_ros.recordings.work import ray_crew
from i2t_ros.recordings.work.annotate import settle
from i2t_ros.recordings.work.plan import make_plan
from i2t_ros.recordings.work.ray_crew import RayCrew
from i2t_ros.recordings.work.store import open_store

ray = pytest.importorskip("ray", reason="Ray is not installed")

from ray_cluster import NODE, Stop, cluster_of_two, parent_of, wait_for_end  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    # Of Ray itself: sockets and files that it leaves to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
NUMBER = 150  # pictures: three units


@pytest.fixture(scope="module")
def cluster(s3):
    with cluster_of_two() as nodes:
        yield nodes


@pytest.fixture
def pictures(tmp_path):
    return picture_folder(tmp_path / "pictures", NUMBER)


def by_ray(pictures, out, cluster, number=0, *, progress=None, say=None):
    def crew(plan):
        return RayCrew(cluster.address, str(out), plan, number, say or (lambda _: None))

    return annotated(pictures, out, crew, progress)


class Meanwhile:
    """Does something in a thread of its own; an error of it is one of the test."""

    def __init__(self, what):
        self._what, self._error = what, None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self._thread.join(30)
            assert not self._thread.is_alive(), "nobody came to the picture to stop at"
            if self._error is not None:
                raise self._error

    def _run(self):
        try:
            self._what()
        except BaseException as error:
            self._error = error


def test_results_are_those_of_one_machine(cluster, pictures, tmp_path):
    progress = Counted()
    found, summary = by_ray(pictures, tmp_path / "ray", cluster, progress=progress)
    assert summary.images == NUMBER
    assert not summary.damage
    assert progress.parts["looking"] == [NUMBER, NUMBER]
    assert found == by_processes(pictures, tmp_path / "here")[0]
    assert len(found["images.jsonl"].splitlines()) == NUMBER


def test_recordings_and_results_may_be_in_s3(cluster, s3, pictures):
    url = f"{s3.url}/drive"
    Storage(url).upload(pictures, "pictures")

    def crew(plan):
        return RayCrew(cluster.address, f"{s3.url}/ray", plan, 0, lambda _: None)

    found, summary = annotated(f"{url}/pictures", f"{s3.url}/ray", crew)
    assert summary.images == NUMBER
    assert s3.copies() == []  # the machines have removed them
    assert found == by_processes(f"{url}/pictures", f"{s3.url}/here")[0]
    source = f'"source":"{url}/pictures/p000.png"'
    assert found["images.jsonl"].startswith(f"{{{source}".encode())


def test_bags_and_videos_from_s3_come_out_as_on_one_machine(cluster, s3, tmp_path):
    (tmp_path / "each").mkdir()
    make_each_kind(tmp_path / "each")
    Storage(s3.url).upload(tmp_path / "each", "each")
    named = f"{s3.url}/each", f"{s3.url}/each/pictures"
    annotate(*named, "--out", tmp_path / "here")
    annotate(*named, "--out", tmp_path / "ray", "--ray", cluster.address)
    found = tree(tmp_path / "ray")
    assert found == tree(tmp_path / "here")
    assert len(found["images.jsonl"].splitlines()) == EACH_KIND
    assert {"annotated.film.mp4", "annotated.drive/metadata.yaml"} <= found.keys()


def test_a_process_that_is_killed_is_replaced(cluster, pictures, tmp_path):
    picture = mark(pictures, 70, "stop")
    expected, _ = by_processes(pictures, tmp_path / "here")
    stop, killed = Stop(picture), []

    def kill():
        killed.append(stop.wait())
        stop.kill(killed[0])

    with Meanwhile(kill):
        found, summary = by_ray(pictures, tmp_path / "ray", cluster)
    wait_for_end(killed[0])
    assert found == expected
    assert summary.images == NUMBER


def test_a_picture_that_ends_its_process_is_skipped(cluster, pictures, tmp_path):
    mark(pictures, 100, "deadly")
    found, summary = by_ray(pictures, tmp_path / "ray", cluster)
    assert summary.images == NUMBER - 1
    assert len(summary.damage) == 1
    assert found == by_processes(pictures, tmp_path / "here")[0]


def test_work_waits_for_a_free_cpu_and_says_so(cluster, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_crew, "PATIENCE", 0.5)
    said, others = [], []

    def say(text):
        said.append(text)
        for other in others:
            ray.kill(other)

    class Other:
        def here(self):
            return True

    def crew(plan):
        return Taking(cluster.address, str(tmp_path / "ray"), plan, 1, say)

    class Taking(RayCrew):
        def __enter__(self):
            super().__enter__()
            others.extend(ray.remote(Other).options(num_cpus=1).remote() for _ in range(2))
            assert ray.get([other.here.remote() for other in others]) == [True, True]
            return self

    _, summary = annotated(pictures, tmp_path / "ray", crew)
    assert said == [
        f"--ray {cluster.address}: waiting for a process to start; of 2 CPUs of the cluster, "
        "0 are free"
    ]
    assert summary.images == NUMBER


def test_what_a_machine_lacks_is_named(cluster, pictures, tmp_path, monkeypatch):
    out = tmp_path / "out"
    store, plan = open_store(str(out)), make_plan(job_of(pictures, out))
    settle(store, plan, overwrite=False)

    def fails(folder, error, match):
        with RayCrew(cluster.address, str(folder), plan, 1, lambda _: None) as crew:
            duties = [ray_crew.Duty("look", unit) for unit in plan.units]
            with pytest.raises(error, match=match):
                list(crew.do(duties, lambda _: None, pytest.fail))

    name = socket.gethostname()
    elsewhere = tmp_path / "elsewhere"
    fails(elsewhere, BackendError, f"^{name}: {elsewhere} is not the same folder")
    pictures.rename(tmp_path / "away")
    fails(out, SourceMissingError, f"^{name}: {pictures} is not there; recordings must be")
    monkeypatch.setattr(ray_crew, "versions", lambda: {"i2t_ros": "99.1"})
    (tmp_path / "away").rename(pictures)
    fails(out, BackendError, f"^{name}: expected i2t_ros 99.1, as on the machine that leads, got")


def test_an_address_without_a_cluster_is_refused_at_once(pictures, tmp_path):
    plan = make_plan(job_of(pictures, tmp_path))
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{reserved.getsockname()[1]}"
        with (
            pytest.raises(BackendUnavailableError, match=f"--ray {address}: no cluster answers"),
            RayCrew(address, str(tmp_path), plan, 1, pytest.fail),
        ):
            pass


def test_ctrl_c_ends_the_work_and_the_same_command_goes_on(cluster, pictures, tmp_path):
    picture = mark(pictures, 70, "stop")
    expected, _ = by_processes(pictures, tmp_path / "here")
    stop, out = Stop(picture), tmp_path / "ray"
    i2t = Path(sys.executable).with_name("i2t")
    words = ["annotate", pictures, "--out", out, "--model", "fake", "--outputs", "jsonl"]
    command = [i2t, *words, "--ray", cluster.address]
    running = RunningCommand(*command, cwd="/")
    try:
        pid = stop.wait()
        until(lambda: any((out / ".i2t/units").glob("*/*.jsonl")), "something has been found", 60)
        os.kill(running.pid, signal.SIGINT)
        running.until("^stopped; the same command goes on from here")
        assert running.end() != 0
        wait_for_end(pid)
        running = RunningCommand(*command, cwd="/")
        assert running.end() == 0
        assert running.lines[0].startswith("i2t annotate: going on; ")
        told = f"{out}: {NUMBER} images described; detections.jsonl, images.jsonl"
        assert running.lines[-1] == told
    finally:
        running.kill()
    assert files_of(open_store(str(out))) == expected


# The last one: for a while the cluster goes on to count what the machine had.
def test_a_machine_that_goes_is_done_without(cluster, pictures, tmp_path):
    marked = [mark(pictures, number, "stop") for number in (10, 80, 140)]  # one in each unit
    expected, _ = by_processes(pictures, tmp_path / "here")
    stops = [Stop(picture) for picture in marked]
    third = cluster.add_node(**NODE)
    raylet = third.all_processes["raylet"][0].process.pid
    lost = []

    def remove():
        workers = [stop.wait() for stop in stops]
        lost.extend(pid for pid in workers if parent_of(pid) == raylet)
        cluster.remove_node(third, allow_graceful=False)
        for stop, pid in zip(stops, workers, strict=True):
            if pid not in lost:
                stop.go()

    with Meanwhile(remove):
        found, summary = by_ray(pictures, tmp_path / "ray", cluster, 3)
    assert len(lost) == 1
    assert found == expected
    assert summary.images == NUMBER
