"""The way of cameras' frames through the three stages."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import until

from i2t_ros.pipeline.frames import FrameLine
from i2t_ros.pipeline.scheduler import BackendAccess

LIMIT = 10.0


class Scripted:
    """Stages that wait to be let go if they have a gate, and remember what came in which order."""

    def __init__(self, **gates):
        self.changed = threading.Condition()
        self.gates = gates
        self.prepared, self.inferred, self.finished, self.failures = [], [], [], []
        self.errors = {}

    def _pass(self, stage, seen, entry):
        with self.changed:
            seen.append(entry)
            self.changed.notify_all()
        if stage in self.gates:
            assert self.gates[stage].acquire(timeout=LIMIT)
        if error := self.errors.get((stage, entry)):
            raise error

    def prepare(self, camera, item):
        self._pass("prepare", self.prepared, item)
        return item

    def infer(self, works):
        self._pass("infer", self.inferred, tuple(works))

    def finish(self, camera, item, work):
        assert work == item
        self._pass("finish", self.finished, item)

    def failed(self, camera, error):
        with self.changed:
            self.failures.append((camera, str(error)))
            self.changed.notify_all()

    def until(self, condition, what):
        with self.changed:
            assert self.changed.wait_for(condition, LIMIT), what


@pytest.fixture
def line():
    """Return a function that makes a line; each is closed with the test."""
    made = []

    def make(stages, concurrency=1, **options):
        made.append((FrameLine(stages, BackendAccess(concurrency), **options), stages))
        return made[-1][0]

    yield make
    for line, stages in made:
        for gate in stages.gates.values():
            gate.release(100)
        assert line.close()


def waiting(access):
    """Return how many threads wait for their turn."""
    return len(access._condition._waiters)


def closed_gate():
    return threading.Semaphore(0)


def fill(line, stages, count=3):
    """Offer one frame after the other, each once the one before has been taken up."""
    for number in range(count):
        line.offer("front", number)
        stages.until(lambda number=number: number in stages.prepared, f"frame {number}")


def test_only_the_newest_frame_waits_and_the_rest_are_counted(line):
    stages = Scripted(infer=closed_gate())
    tested = line(stages)
    fill(tested, stages, 2)  # one is with the backend, one is prepared for it
    for number in range(2, 100):
        tested.offer("front", number)
    stages.gates["infer"].release(3)
    stages.until(lambda: len(stages.finished) == 3, "three frames")
    assert stages.finished == [0, 1, 99]
    assert tested.cameras["front"].received == 100
    assert tested.cameras["front"].dropped == 97


@pytest.mark.parametrize("heavy", [False, True])
def test_it_is_idle_only_once_the_last_stage_of_each_frame_has_ended(line, heavy):
    stages = Scripted(prepare=closed_gate(), finish=closed_gate())
    tested = line(stages)
    assert tested.idle()
    tested.offer("front", 0, heavy=heavy)
    assert not tested.idle()
    stages.until(lambda: stages.prepared, "it is being prepared")
    assert not tested.idle()
    stages.gates["prepare"].release()
    stages.until(lambda: stages.finished, "it is being finished")
    assert not tested.idle()
    stages.gates["finish"].release()
    until(tested.idle, "it has ended")


def test_a_fast_camera_does_not_starve_a_slow_one(line):
    stages = Scripted(infer=closed_gate())
    tested = line(stages)
    fill(tested, stages, 2)
    tested.offer("front", "front again")
    tested.offer("rear", "rear")
    for number in range(2, 10):
        tested.offer("front", number)
    stages.gates["infer"].release(4)
    stages.until(lambda: len(stages.finished) == 4, "four frames")
    assert stages.finished == [0, 1, 9, "rear"]


def test_the_next_is_prepared_and_the_last_finished_while_the_backend_is_busy(line):
    stages = Scripted(infer=closed_gate(), finish=closed_gate())
    tested = line(stages)
    fill(tested, stages, 2)
    stages.gates["infer"].release()
    stages.until(lambda: stages.finished == [0], "the first is being finished")
    stages.until(lambda: stages.inferred == [(0,), (1,)], "the backend has the second")
    tested.offer("front", 2)
    stages.until(lambda: 2 in stages.prepared, "the third is prepared")
    assert stages.inferred == [(0,), (1,)]


def test_no_more_than_one_is_prepared_ahead_of_the_backend(line):
    stages = Scripted(infer=closed_gate())
    tested = line(stages)
    fill(tested, stages, 2)
    tested.offer("front", 2)
    tested.offer("rear", 3)
    stages.gates["infer"].release()
    stages.until(lambda: len(stages.prepared) == 3, "there is room for one more")
    assert stages.inferred == [(0,), (1,)]
    assert stages.prepared == [0, 1, 2]


def test_a_backend_of_concurrency_two_has_two_frames_at_once_and_they_are_finished_in_order(line):
    first, second = threading.Event(), threading.Event()

    class TwoAtOnce(Scripted):
        def infer(self, works):
            super().infer(works)
            if works == [0]:
                first.set()
                assert second.wait(LIMIT), "the second waits for the first"
            elif works == [1]:
                assert first.wait(LIMIT)
                second.set()

    stages = TwoAtOnce()
    tested = line(stages, concurrency=2)
    fill(tested, stages, 2)
    stages.until(lambda: len(stages.finished) == 2, "both")
    assert stages.finished == [0, 1]


@pytest.mark.parametrize("concurrency", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_thousand_frames_of_three_cameras_are_finished_once_and_in_order(
    line, concurrency, batch
):
    stages = Scripted()
    tested = line(stages, concurrency=concurrency, batch=batch)

    def film(camera):
        for number in range(1000):
            tested.offer(camera, (camera, number))

    with ThreadPoolExecutor(3) as cameras:
        list(cameras.map(film, ("front", "rear", "left")))
    stages.until(lambda: {camera for camera, n in stages.finished if n == 999} == {
        "front", "rear", "left"
    }, "the newest of each camera")  # fmt: skip
    for camera in ("front", "rear", "left"):
        numbers = [number for name, number in stages.finished if name == camera]
        assert numbers == sorted(set(numbers))
        counters = tested.cameras[camera]
        assert counters.received == 1000 == counters.dropped + len(numbers)
    assert all(1 <= len(works) <= batch for works in stages.inferred)


def test_frames_of_several_cameras_that_wait_together_go_in_one_run(line):
    stages = Scripted(infer=closed_gate())
    tested = line(stages, batch=4)
    tested.offer("front", "first")
    stages.until(lambda: stages.inferred == [("first",)], "the backend is busy")
    for camera in ("front", "rear", "left"):
        tested.offer(camera, camera)
        stages.until(lambda camera=camera: camera in stages.prepared, camera)
    until(lambda: len(tested._prepared) == 3, "the line has them after that")
    stages.gates["infer"].release(2)
    stages.until(lambda: len(stages.finished) == 4, "all")
    # Any of the three may have been the first to wait for the backend.
    assert [set(run) for run in stages.inferred] == [{"first"}, {"front", "rear", "left"}]
    assert stages.finished == ["first", "front", "rear", "left"]


def test_frames_that_another_thread_took_along_do_not_wait_for_the_backend():
    stages, access = Scripted(), BackendAccess()
    tested = FrameLine(stages, access, batch=2)
    try:
        with access.turn(urgent=True):
            for camera in ("front", "rear"):
                tested.offer(camera, camera)
            # Nothing tells when the line has them after that, and when its thread begins to wait.
            until(lambda: len(tested._prepared) == 2, "both are prepared")
            until(lambda: waiting(access) == 1, "one thread waits for both")
        # Either may be prepared first.
        stages.until(
            lambda: [set(run) for run in stages.inferred] == [{"front", "rear"}], "one run"
        )
        stages.until(lambda: stages.finished == ["front", "rear"], "both are finished")
        assert waiting(access) == 0
    finally:
        assert tested.close()


def test_a_failure_that_cannot_be_told_stops_nothing(line, caplog):
    class Silent(Scripted):
        def failed(self, camera, error):
            super().failed(camera, error)
            raise RuntimeError("no log")

    stages = Silent()
    tested = line(stages)
    for number in range(6):  # more than there are threads
        stages.errors["prepare", number] = ValueError("bad frame")
        tested.offer("front", number)
        stages.until(lambda number=number: len(stages.failures) == number + 1, "it failed")
    tested.offer("front", "good")
    stages.until(lambda: stages.finished == ["good"], "the next")
    assert "cannot report a failed frame" in caplog.text


@pytest.mark.parametrize("stage", ["prepare", "infer", "finish"])
def test_a_frame_that_fails_is_counted_and_the_next_is_taken(line, stage):
    stages = Scripted()
    stages.errors[stage, ("bad",) if stage == "infer" else "bad"] = ValueError("bad frame")
    tested = line(stages)
    tested.offer("front", "bad")
    stages.until(lambda: stages.failures, "the failure is told")
    tested.offer("front", "good")
    stages.until(lambda: stages.finished[-1:] == ["good"], "the next")
    assert tested.close()
    assert stages.failures == [("front", "bad frame")]
    assert (tested.cameras["front"].failed, tested.cameras["front"].processed) == (1, 1)


def test_fewer_are_in_work_if_something_else_takes_longest(line):
    stages = Scripted(finish=closed_gate())
    tested = line(stages, in_work=lambda: 2)
    fill(tested, stages, 2)
    tested.offer("front", 2)
    stages.until(lambda: stages.inferred == [(0,), (1,)], "two are in work")
    assert stages.prepared == [0, 1]
    stages.gates["finish"].release()
    stages.until(lambda: stages.prepared == [0, 1, 2], "one was finished")


def test_close_lets_frames_in_work_end_and_takes_no_more(line):
    stages = Scripted(infer=closed_gate())
    tested = line(stages)
    fill(tested, stages, 2)
    tested.offer("front", 2)
    assert not tested.close(timeout=0.05)
    tested.offer("front", 3)
    stages.gates["infer"].release(2)
    assert tested.close()
    assert stages.finished == [0, 1]


def test_frames_that_are_left_out_are_counted_by_cause(line):
    tested = line(Scripted())
    tested.skip("front", unwanted=1)
    tested.skip("front", limited=1)
    counters = tested.cameras["front"]
    assert (counters.received, counters.unwanted, counters.limited) == (2, 1, 1)


def test_a_camera_that_has_left_is_forgotten_once_its_last_frame_is_finished(line):
    stages = Scripted(infer=closed_gate())
    tested = line(stages)
    fill(tested, stages, 2)
    tested.offer("front", "waits")
    tested.offer("rear", "rear")
    assert not tested.remove("front"), "two of its frames are in progress"
    assert set(tested.cameras) == {"front", "rear"}
    stages.gates["infer"].release(3)
    stages.until(lambda: stages.finished == [0, 1, "rear"], "all but the one that waited")
    assert removed_in_time(tested, "front")
    assert set(tested.cameras) == {"rear"}
    assert tested.remove("never there")
    stages.gates["infer"].release()
    tested.offer("front", "back again")
    stages.until(lambda: stages.finished[-1] == "back again", "it is back")
    assert (tested.cameras["front"].received, tested.cameras["front"].dropped) == (1, 0)


def removed_in_time(line, camera):
    """Remove a camera whose last frame has just been seen to end."""
    end = time.monotonic() + LIMIT
    while not (removed := line.remove(camera)) and time.monotonic() < end:
        threading.Event().wait(0.001)
    return removed


def test_a_batch_is_as_large_as_there_are_cameras(line):
    stages = Scripted(infer=closed_gate())
    tested = line(stages, batch=4)
    fill(tested, stages, 2)
    tested.offer("front", 2)
    tested.offer("rear", "rear")
    stages.until(lambda: len(stages.prepared) == 3, "a second camera makes room for one more")
    assert stages.prepared == [0, 1, 2]
    assert tested.remove("left")
    until(lambda: len(tested._prepared) == 2, "the line has both after that")
    stages.gates["infer"].release(10)
    stages.until(lambda: len(stages.finished) == 4, "all")
    assert [set(run) for run in stages.inferred[:2]] == [{0}, {1, 2}]


class Slow(Scripted):
    """Stages that prepare items with "heavy" in their name only when they are let go."""

    def prepare(self, camera, item):
        if "heavy" in item:
            with self.changed:
                self.prepared.append(item)
                self.changed.notify_all()
            assert self.gates["heavy"].acquire(timeout=LIMIT)
            if error := self.errors.get(("prepare", item)):
                raise error
            return item
        return super().prepare(camera, item)


@pytest.mark.parametrize("cameras", [1, 2, 5])
@pytest.mark.parametrize("batch", [1, 2])
def test_heavy_frames_hold_up_no_other_camera(line, cameras, batch):
    stages = Slow(heavy=closed_gate())
    frames = line(stages, batch=batch)
    for number in range(cameras):
        frames.offer(f"hostile {number}", f"heavy {number}", heavy=True)
    stages.until(lambda: stages.prepared, "the first is prepared")
    for number in range(20):
        frames.offer("honest", f"light {number}")
        stages.until(lambda number=number: len(stages.finished) > number, "is finished beside it")
    assert [item for item in stages.prepared if "heavy" in item] == ["heavy 0"]  # one at a time
    stages.gates["heavy"].release(cameras)
    stages.until(lambda: len(stages.finished) == 20 + cameras, "all are finished")
    assert stages.finished[20:] == [f"heavy {number}" for number in range(cameras)]


def test_a_camera_of_heavy_and_light_frames_keeps_their_order(line):
    stages = Slow(heavy=closed_gate())
    frames = line(stages)
    frames.offer("front", "heavy 1", heavy=True)
    stages.until(lambda: stages.prepared, "the first is prepared")
    for item in ("light 2", "heavy 3", "light 4"):
        frames.offer("front", item, heavy="heavy" in item)
    assert not frames.remove("front")
    frames.offer("front", "light 5")
    counters = frames.cameras["front"]
    assert (counters.received, counters.dropped) == (5, 2)
    stages.gates["heavy"].release()
    stages.until(lambda: len(stages.finished) == 2, "both are finished")
    assert stages.finished == ["heavy 1", "light 5"]


def test_a_heavy_frame_that_fails_is_counted_and_the_next_is_taken(line):
    stages = Slow(heavy=closed_gate())
    stages.errors["prepare", "heavy 1"] = ValueError("damaged")
    frames = line(stages)
    frames.offer("front", "heavy 1", heavy=True)
    frames.offer("rear", "heavy 2", heavy=True)
    stages.gates["heavy"].release(2)
    stages.until(lambda: stages.finished == ["heavy 2"], "the second is finished")
    assert stages.failures == [("front", "damaged")]
