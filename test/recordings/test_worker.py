"""What a worker does about images that fail, whatever the units they are in."""

import pytest
from annotating import make_pictures

from i2t_ros.cli.flags import GROUPS
from i2t_ros.errors import InferenceError
from i2t_ros.recordings.base import Selection
from i2t_ros.recordings.work.annotate import settle
from i2t_ros.recordings.work.job import Job
from i2t_ros.recordings.work.places import UNITS
from i2t_ros.recordings.work.plan import make_plan
from i2t_ros.recordings.work.records import UnitRecords
from i2t_ros.recordings.work.store import open_store
from i2t_ros.recordings.work.worker import MOST_FAILURES, Duty, Worker

PER_UNIT = 8


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Return a worker, the units of 40 pictures, and what reads a unit's records."""
    monkeypatch.setattr("i2t_ros.recordings.reading.pictures.PER_SPAN", PER_UNIT)
    pictures = make_pictures(tmp_path / "pictures", 40)
    values = {option.name: option.default for group in GROUPS.values() for option in group}
    values |= {"threads": 1, "language_folder": None, "model": "fake"}
    plan = make_plan(Job((str(pictures),), Selection(), values))
    store = open_store(str(tmp_path / "out"))
    settle(store, plan, overwrite=False)
    worker = Worker(store.folder)
    yield worker, plan.units, lambda unit: UnitRecords(store, f"{UNITS}/{unit.name}").load()
    worker.close()


def failing(monkeypatch, first):
    """Have every image fail from the one with this number on."""
    calls = iter(range(1000))

    def patched(values, *, progress):
        describer = make(values, progress=progress)
        describe = describer.describe

        def describe_or_fail(*args, **more):
            if next(calls) >= first:
                raise InferenceError("the engine is gone")
            return describe(*args, **more)

        monkeypatch.setattr(describer, "describe", describe_or_fail)
        return describer

    from i2t_ros.recordings.work import worker  # noqa: PLC0415

    make = worker.make_describer
    monkeypatch.setattr(worker, "make_describer", patched)


def look(worker, units, advance):
    for unit in units:
        worker.do(Duty("look", unit), advance)


def test_an_engine_that_never_works_is_not_taken_for_bad_pictures(work, monkeypatch):
    worker, units, _ = work
    failing(monkeypatch, 0)
    done = []
    with pytest.raises(InferenceError, match="the engine is gone"):
        look(worker, units, done.append)
    assert sum(done) == MOST_FAILURES - 1


def test_once_it_has_worked_each_image_that_fails_costs_itself(work, monkeypatch):
    worker, units, records = work
    failing(monkeypatch, 1)
    look(worker, units, lambda _: None)
    found = [record for unit in units for record in records(unit)[0]]
    assert [record.found is not None for record in found] == [True] + 39 * [False]
    assert found[1].damage == "the engine is gone [inference_failed]"
