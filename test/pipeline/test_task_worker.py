import threading
import traceback
from concurrent.futures import wait

import numpy as np
import pytest
from task_standins import ScriptedTask

from i2t_ros.errors import (
    BackendMissingError,
    BackendUnavailableError,
    InferenceError,
    NotActiveError,
    TimeLimitError,
)
from i2t_ros.pipeline.task_worker import RETRY_AFTER, TaskWorker
from i2t_ros.pipeline.tasks.faces import FaceOptions

GREY = np.full((8, 8, 3), 128, np.uint8)
OPTIONS = FaceOptions()
LIMIT = 30


@pytest.fixture
def make():
    workers = []

    def make(opener, **more):
        workers.append(TaskWorker("faces", opener, **more))
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


def test_the_engine_is_loaded_with_the_first_image_and_once(make):
    loaded = []
    worker = make(lambda: loaded.append(1) or ScriptedTask("faces"))
    assert loaded == []
    assert worker.name == ""
    for _ in range(3):
        assert len(worker.start(GREY, OPTIONS, "en").result(LIMIT).result) == 1
    assert loaded == [1]
    assert worker.name == "faces standin"


def test_the_engine_has_one_user_at_a_time(make):
    task = ScriptedTask("faces")
    worker = make(lambda: task)
    futures = [worker.start(GREY, OPTIONS, "en") for _ in range(20)]
    assert not wait(futures, LIMIT).not_done
    assert not task.overlapped
    assert task.calls == 20


def test_what_cannot_be_loaded_is_tried_again_after_a_while(make):
    now = [0.0]
    attempts = []

    def opener():
        attempts.append(now[0])
        raise BackendMissingError("pip install it")

    worker = make(opener, clock=lambda: now[0])
    for now[0] in (0.0, 1.0, RETRY_AFTER - 1, RETRY_AFTER, RETRY_AFTER + 1):
        with pytest.raises(BackendMissingError, match="pip install it"):
            worker.start(GREY, OPTIONS, "en").result(LIMIT)
    assert attempts == [0.0, RETRY_AFTER]


def test_a_failure_that_is_told_again_keeps_nothing_of_those_who_were_told(make):
    def opener():
        raise BackendMissingError("pip install it")

    worker = make(opener, clock=lambda: 0.0)
    lengths = []
    for _ in range(5):
        with pytest.raises(BackendMissingError) as told:
            worker.start(GREY, OPTIONS, "en").result(LIMIT)
        lengths.append(len(list(traceback.walk_tb(told.value.__traceback__))))
    assert lengths[1:] == lengths[1:2] * 4
    assert told.value.__cause__ is None


def test_an_unforeseen_error_becomes_one_with_a_code(make, caplog):
    worker = make(lambda: ScriptedTask("faces", error=KeyError("scale")))
    with pytest.raises(InferenceError, match="task faces failed: KeyError"):
        worker.start(GREY, OPTIONS, "en").result(LIMIT)
    assert "task faces failed" in caplog.text


def test_an_unforeseen_error_while_loading_too(make, caplog):
    def opener():
        raise OSError("no space")

    with pytest.raises(BackendUnavailableError, match="task faces cannot be loaded: OSError"):
        make(opener).start(GREY, OPTIONS, "en").result(LIMIT)
    assert "no space" in caplog.text


def test_a_makeshift_is_logged_as_a_warning(make, caplog):
    task = ScriptedTask("faces")
    task.degraded, task.report = True, "DEGRADED, without landmarks"
    assert make(lambda: task).runner() is task
    assert [(r.levelname, r.message) for r in caplog.records] == [
        ("WARNING", "task faces: DEGRADED, without landmarks")
    ]


def test_close_releases_the_engine_and_refuses_work(make):
    task = ScriptedTask("faces")
    worker = make(lambda: task)
    worker.runner()
    worker.close()
    worker.close()
    assert task.closed
    with pytest.raises(NotActiveError):
        worker.runner()
    with pytest.raises(NotActiveError):
        worker.start(GREY, OPTIONS, "en")


def test_close_waits_for_the_image_in_hand_and_refuses_those_behind_it(make):
    gate = threading.Event()
    task = ScriptedTask("faces", gate=gate)
    worker = make(lambda: task)
    first, second = worker.start(GREY, OPTIONS, "en"), worker.start(GREY, OPTIONS, "en")
    assert task.begun.wait(LIMIT)
    closing = threading.Thread(target=worker.close)
    closing.start()
    gate.set()
    closing.join(LIMIT)
    assert not closing.is_alive()
    assert len(first.result(LIMIT).result) == 1
    # Whether the second was begun before close() is a race; it ends in either case.
    assert second.exception(LIMIT) is None or isinstance(second.exception(LIMIT), NotActiveError)
    assert task.closed


@pytest.mark.parametrize("loading", [False, True], ids=["at an image", "while it loads"])
def test_what_hangs_is_left_out_until_it_is_back(make, loading):
    now, gate, task = [0.0], threading.Event(), ScriptedTask("faces")

    def wait():
        task.begun.set()
        assert gate.wait(LIMIT)
        return task

    if not loading:
        task._gate = gate
    worker = make(wait if loading else lambda: task, time_limit=5.0, clock=lambda: now[0])
    first = worker.start(GREY, OPTIONS, "en")
    assert task.begun.wait(LIMIT)
    now[0] = 5.0
    waiting = worker.start(GREY, OPTIONS, "en")
    assert not waiting.done()
    now[0] = 6.0
    for _ in range(3):
        error = worker.start(GREY, OPTIONS, "en").exception(0)
        assert isinstance(error, TimeLimitError)
        assert str(error) == "task faces: at work on an earlier image for 6 s"
    gate.set()
    assert [len(future.result(LIMIT).result) for future in (first, waiting)] == [1, 1]
    assert len(worker.start(GREY, OPTIONS, "en").result(LIMIT).result) == 1


def test_a_runner_with_a_limit_of_its_own_may_take_that_long(make):
    now, gate = [0.0], threading.Event()
    task = ScriptedTask("faces", gate=gate)
    task.time_limit = 60.0
    worker = make(lambda: task, time_limit=5.0, clock=lambda: now[0])
    first = worker.start(GREY, OPTIONS, "en")
    assert task.begun.wait(LIMIT)
    now[0] = 65.0
    waiting = worker.start(GREY, OPTIONS, "en")
    now[0] = 66.0
    assert isinstance(worker.start(GREY, OPTIONS, "en").exception(0), TimeLimitError)
    gate.set()
    assert [len(future.result(LIMIT).result) for future in (first, waiting)] == [1, 1]
