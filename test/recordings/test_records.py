"""What is found is kept so that no end of a process leaves half of it."""

import os

import pytest

from i2t_ros.recordings.work.records import Record, UnitRecords
from i2t_ros.recordings.work.store import open_store


@pytest.fixture
def records(tmp_path):
    return UnitRecords(open_store(str(tmp_path)), "units/00000-000000")


def make(first, last):
    return [Record(f"{i}.png", found={"sentence": str(i)}) for i in range(first, last)]


def test_a_unit_without_records_is_not_complete(records):
    assert records.load() == ([], False)
    assert records.progress() == (0, False)


def test_records_come_back_in_order(records):
    records.add(0, make(0, 2), last=False)
    records.add(2, make(2, 5), last=False)
    assert records.load() == (make(0, 5), False)
    records.add(5, [], last=True)
    assert records.load() == (make(0, 5), True)
    assert records.progress() == (5, True)


def test_after_a_gap_nothing_counts(records):
    records.add(0, make(0, 2), last=False)
    records.add(3, make(3, 5), last=True)
    assert records.load() == (make(0, 2), False)
    assert records.progress() == (2, False)


def test_two_who_work_on_the_same_unit_write_the_same(records):
    records.add(0, make(0, 3), last=False)  # one who is taken for dead
    records.add(3, make(3, 8), last=True)
    records.add(0, make(0, 4), last=False)  # and one who begins again
    records.add(4, make(4, 8), last=True)
    assert records.load() == (make(0, 8), True)
    assert records.progress() == (8, True)


def test_a_unit_may_have_no_images(records):
    records.add(0, [], last=True)
    assert records.load() == ([], True)


def test_a_file_that_is_half_written_is_none(records, tmp_path):
    records.add(0, make(0, 2), last=False)
    folder = tmp_path / "units/00000-000000"
    (folder / ".000002-000001.end.jsonl.123").write_bytes(b'{"sou')
    (folder / "notes.txt").write_text("of somebody else")
    assert records.load() == (make(0, 2), False)


def test_the_disk_has_the_bytes_before_a_file_has_its_name(tmp_path, monkeypatch):
    store, events = open_store(str(tmp_path / "out")), []
    fsync = os.fsync

    def flush(number):
        size = os.fstat(number).st_size
        events.append((size, sorted(path.name for path in (tmp_path / "out").glob("[a-z]*"))))
        fsync(number)

    monkeypatch.setattr(os, "fsync", flush)
    store.write("plan", b"12345")
    (tmp_path / "made").write_bytes(b"1234567")
    store.put(tmp_path / "made", "report")
    assert events == [(5, []), (7, ["plan"])]
    (tmp_path / "folder/inner").mkdir(parents=True)
    (tmp_path / "folder/inner/file").write_bytes(b"123")
    store.put(tmp_path / "folder", "annotated")
    assert [size for size, _ in events] == [5, 7, 3]
    assert sorted(store.names("")) == ["annotated", "plan", "report"]


@pytest.mark.parametrize("data", [b"", b'{"source":"0.png"}\n{"sour', b"\0" * 99, b"[" * 9999])
def test_a_file_that_a_power_failure_has_damaged_is_found_again(records, tmp_path, data):
    records.add(0, make(0, 2), last=False)
    records.add(2, make(2, 4), last=True)
    (tmp_path / "units/00000-000000/000002-000002.end.jsonl").write_bytes(data)
    assert records.load() == (make(0, 2), False)
    assert records.progress() == (2, False)
    records.add(2, make(2, 4), last=True)
    assert records.load() == (make(0, 4), True)


def test_half_of_a_file_never_has_its_name(tmp_path, monkeypatch):
    def half(source, target):
        target.write_bytes(source.read_bytes()[:1])
        raise OSError("it is killed while it copies")

    monkeypatch.setattr("shutil.move", half)
    (tmp_path / "part").write_bytes(b"whole")
    with pytest.raises(OSError, match="killed"):
        open_store(str(tmp_path / "out")).put(tmp_path / "part", "parts/1.mcap")
    assert open_store(str(tmp_path / "out")).names("parts") == []
