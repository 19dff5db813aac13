"""How results and pictures are kept: within limits, and as they were."""

import contextlib
import hashlib
import json
import math
import os
import sqlite3
from functools import partial

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")


from i2t_ros.bridges.http.history import database
from i2t_ros.bridges.http.history.database import Entry, History
from i2t_ros.bridges.http.history.pictures import FolderPictures
from i2t_ros.bridges.http.settings import HistorySettings
from i2t_ros.errors import InvalidRequestError
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.types import Description, Picture, PictureHeader, Scene


@pytest.fixture
def kept(history_settings):
    """Return a function that opens a history with a clock of its own."""
    with contextlib.ExitStack() as stack:

        def make(clock, **limits):
            history = History(history_settings(**limits), clock=lambda: clock[0])
            history.open()
            stack.callback(history.close)
            return history

        yield make


def entry(number, size=100):
    data = number.to_bytes(8, "big") + bytes(size - 8)
    digest = hashlib.sha256(data).hexdigest()
    description = description_to_json(
        Description(Scene(8, 8, {}), f"Picture {number}.", "en", "sentence", "fake", 0.0)
    )
    return Entry(digest, digest, {}, description, picture=f"{digest}.jpeg"), data


NO_TEXT = b"{\xff}"


def described(**changes):
    """Return the JSON of a description with other values."""
    return json.dumps(entry(1)[0].description | changes)


def sentences(history):
    return [found.description["sentence"] for found in history.newest(100)]


def test_the_longest_unused_go_first(kept, tmp_path):
    clock = [1000.0]
    history = kept(clock, max_results=3)
    for number in range(3):
        clock[0] += 1
        history.add(*entry(number))
    clock[0] += 1
    history.find(entry(0)[0].key)
    history.add(*entry(3))
    assert sentences(history) == ["Picture 3.", "Picture 2.", "Picture 0."]
    assert len(list((tmp_path / "kept").rglob("*.jpeg"))) == 3


def test_old_results_are_let_go(kept):
    clock = [1000.0]
    history = kept(clock, max_age=60)
    history.add(*entry(0))
    clock[0] += 61
    history.add(*entry(1))
    assert sentences(history) == ["Picture 1."]


def test_pictures_stay_below_their_limit(kept, tmp_path):
    clock = [1000.0]
    history = kept(clock, max_bytes=1000)
    for number in range(20):
        clock[0] += 1
        history.add(*entry(number, size=300))
    assert sentences(history) == ["Picture 19.", "Picture 18.", "Picture 17."]
    assert sum(path.stat().st_size for path in (tmp_path / "kept").rglob("*.jpeg")) == 900


def test_drawings_count_too_and_go_with_their_results(kept, tmp_path):
    clock = [1000.0]
    history = kept(clock, max_bytes=1000)
    jpeg = PictureHeader("jpeg", 1, 1)
    for number in range(3):
        clock[0] += 1
        history.add(*entry(number, size=300), Picture(bytes([number]) * 200, jpeg))
    assert sentences(history) == ["Picture 2.", "Picture 1."]
    # The answer that takes the place of an older one takes its drawing's place too.
    history.add(*entry(2, size=300), Picture(b"new" * 50, jpeg))
    kept_files = list((tmp_path / "kept").rglob("*.jpeg"))
    assert sum(path.stat().st_size for path in kept_files) == 300 + 200 + 300 + 150
    assert history.picture(history.newest(1)[0].drawing) == b"new" * 50


def test_pictures_that_others_removed_are_kept_anew(kept, tmp_path):
    history = kept([1000.0])
    found, picture = entry(0)
    drawing = Picture(b"drawn", PictureHeader("jpeg", 1, 1))
    found = history.add(found, picture, drawing)
    for path in (tmp_path / "kept").rglob("*.jpeg"):
        path.unlink()
    assert history.find(found.key, Picture(picture)).id == found.id
    assert history.picture(found.picture) == picture
    assert history.add_drawing(found, drawing).drawing == found.drawing
    assert history.picture(found.drawing) == b"drawn"


def test_no_picture_stays_without_its_result(kept, tmp_path):
    history = kept([1000.0])
    drawing = Picture(b"drawn", PictureHeader("jpeg", 1, 1))
    older = history.add(*entry(0))
    history.remove(older.id)
    assert history.add_drawing(older, drawing) is None  # it was removed in between
    with sqlite3.connect(tmp_path / "deep" / "down" / "history.db") as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON i2t_descriptions "
            "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    other.close()
    with pytest.raises(history.failures, match="the disk is full"):
        history.add(*entry(1), drawing)
    assert list((tmp_path / "kept").rglob("*.jpeg")) == []


def test_a_picture_that_cannot_be_kept_leaves_no_result(kept, tmp_path, monkeypatch):
    history = kept([1000.0])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FolderPictures, "put", full)
    with pytest.raises(OSError, match="No space"):
        history.add(*entry(1))
    assert history.newest(10) == []


@pytest.mark.parametrize("moment", ["put", "delete"])
def test_a_process_that_is_killed_leaves_no_picture_without_its_result(
    kept, tmp_path, monkeypatch, moment
):
    class KilledError(BaseException):
        pass

    def killed(*_):
        raise KilledError

    history = kept([1000.0])
    history.add(*entry(0), Picture(b"drawn", PictureHeader("jpeg", 1, 1)))
    undone = getattr(FolderPictures, moment)
    for moments in (killed, lambda *arguments: (undone(*arguments), killed())):
        change = partial(history.remove, history.newest(1)[0].id)
        if moment == "put":
            change = partial(history.add, *entry(1))
        with monkeypatch.context() as patch:
            patch.setattr(FolderPictures, moment, moments)
            with pytest.raises(KilledError):
                change()
        known = {key for found in history.newest(9) for key in (found.picture, found.drawing)}
        assert {path.name for path in (tmp_path / "kept").rglob("*.jpeg")} <= known


def test_half_a_picture_of_a_killed_process_is_removed(kept, tmp_path):
    kept([1000.0])
    left = tmp_path / "kept" / "00" / f"{0:064x}.1.part"
    left.parent.mkdir()
    left.write_bytes(b"half")
    kept([1000.0])
    assert left.exists(), "somebody may be writing it"
    os.utime(left, (1000, 1000))
    kept([1000.0])
    assert not left.exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("description", "{not json"),
        ("description", "[]"),
        ("description", '{"sentence": "of another version"}'),
        ("description", "x" * 5_000_000),
        ("asked", '{"min_score": "high"}'),
        ("asked", "null"),
        ("created", "yesterday"),
        ("picture", "../../etc/passwd"),
        ("created", math.inf),
        ("created", b"x"),
        ("sha256", b"\xff"),
        ("sha256", NO_TEXT),
        ("description", NO_TEXT),
        ("asked", "[" * 100_000),
        ("asked", "[]"),
        ("description", "[" * 100_000),
        ("description", described(sentence=5)),
        ("description", described(model=[])),
        ("description", described(width=math.nan)),
        ("description", described(more=math.inf)),
        ("description", described(more="\ud800")),
        ("description", described(more=1).replace("1}", "1e999}")),
    ],
)
def test_a_result_that_cannot_be_read_hides_no_other_and_can_be_replaced(
    kept, tmp_path, caplog, column, value
):
    history = kept([1000.0], max_results=4)
    for number in range(4):
        history.add(*entry(number))
    with sqlite3.connect(tmp_path / "deep" / "down" / "history.db") as other:
        new = "CAST(? AS TEXT)" if value is NO_TEXT else "?"
        update = f"UPDATE i2t_descriptions SET {column} = {new} WHERE id IN (2, 3)"  # noqa: S608
        other.execute(update, (value,))
    other.close()
    for _ in range(2):
        assert sentences(history) == ["Picture 3.", "Picture 0."]
        assert [found.id for found in history.newest(2)] == [4, 1]
        assert history.get(2) is None
        assert history.find(entry(1)[0].key) is None
    assert sum("cannot be read" in record.message for record in caplog.records) == 2
    history.add(*entry(1))
    assert sentences(history) == ["Picture 1.", "Picture 3.", "Picture 0."]
    history.add(*entry(4))
    history.add(*entry(5))
    assert sentences(history) == ["Picture 5.", "Picture 4.", "Picture 1.", "Picture 3."]


@pytest.mark.parametrize("size", ["large", math.inf, 2**63 - 1, -5, b"1", ""])
def test_a_size_that_is_none_keeps_nothing_from_being_kept(kept, tmp_path, size):
    history = kept([1000.0], max_results=4)
    for number in range(4):
        history.add(*entry(number))
    with sqlite3.connect(tmp_path / "deep" / "down" / "history.db") as other:
        other.execute("UPDATE i2t_descriptions SET size = ?, drawing_size = ?", (size, size))
    other.close()
    assert history.add(*entry(4)).id == 5
    assert sentences(history) == ["Picture 4.", "Picture 3.", "Picture 2.", "Picture 1."]


@pytest.mark.parametrize("left", [b"", b"hello", b"\xff\xd8\xff"])
def test_a_damaged_picture_is_not_returned_but_kept_anew(kept, tmp_path, left):
    history = kept([1000.0])
    drawing = Picture(b"drawn", PictureHeader("jpeg", 1, 1))
    found, picture = entry(0)
    found = history.add(found, picture, drawing)
    for path in (tmp_path / "kept").rglob("*.jpeg"):
        path.write_bytes(left)
    assert history.picture(found.picture) is history.picture(found.drawing) is None
    history.find(found.key, Picture(picture))
    history.add_drawing(found, drawing)
    assert (history.picture(found.picture), history.picture(found.drawing)) == (picture, b"drawn")


def test_a_folder_in_place_of_a_picture_does_not_end_the_history(kept, tmp_path):
    history = kept([1000.0])
    found = history.add(*entry(0))
    path = next((tmp_path / "kept").rglob("*.jpeg"))
    path.unlink()
    path.mkdir()
    assert history.picture(found.picture) is None


def test_what_is_kept_is_for_this_user_alone(kept, tmp_path):
    kept([1000.0]).add(*entry(0))
    found = [path for folder in ("deep", "kept") for path in (tmp_path / folder).rglob("*.*")]
    assert len(found) == 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in found)
    assert (tmp_path / "deep" / "down").stat().st_mode & 0o077 == 0


def test_a_result_that_is_larger_than_the_limit_is_not_said_to_be_kept(kept, tmp_path):
    history = kept([1000.0], max_bytes=1000)
    assert history.add(*entry(0, size=1001)) is None
    assert list((tmp_path / "kept").rglob("*.jpeg")) == []


def test_the_database_may_be_below_the_home_folder(kept, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    kept([1000.0], database="sqlite:///~/robot/history.db")
    assert (tmp_path / "robot" / "history.db").is_file()


def test_a_database_of_an_earlier_version_is_taken_over(kept, tmp_path):
    clock = [1000.0]
    history = kept(clock)
    history.add(*entry(0))
    with sqlite3.connect(tmp_path / "deep" / "down" / "history.db") as old:
        old.execute("DROP INDEX ix_i2t_descriptions_drawing")
        for column in ("drawing", "drawing_size"):
            old.execute(f"ALTER TABLE i2t_descriptions DROP COLUMN {column}")
    old.close()
    history = kept(clock)
    assert [found.drawing for found in history.newest(5)] == [""]
    history.add(*entry(1))
    assert sentences(history) == ["Picture 1.", "Picture 0."]


@pytest.mark.parametrize(
    ("url", "installed", "expected"),
    [
        ("mysql://me@x/y", ["pymysql", "MySQLdb"], "mysql+pymysql"),
        ("mysql://me@x/y", ["MySQLdb"], "mysql+mysqldb"),
        ("mariadb://me@x/y", ["pymysql"], "mariadb+pymysql"),
        ("postgresql://me@x/y", ["psycopg2"], "postgresql+psycopg2"),
        ("mysql+asyncmy://me@x/y", ["pymysql"], "mysql+asyncmy"),
        ("sqlite:///x.db", [], "sqlite"),
    ],
)
def test_a_url_without_a_driver_gets_one_that_is_installed(
    history_settings, monkeypatch, url, installed, expected
):
    monkeypatch.setattr(database, "can_import", lambda module: module in installed)
    assert History(history_settings(database=url))._url().drivername == expected


def test_a_missing_driver_is_named(history_settings, monkeypatch):
    monkeypatch.setattr(database, "can_import", lambda module: False)
    with pytest.raises(ImportError, match="no driver for mysql: pip install pymysql"):
        History(history_settings(database="mysql://me@x/y")).open()


def test_limits_that_would_keep_nothing():
    with pytest.raises(InvalidRequestError, match="max_results"):
        HistorySettings("sqlite://", max_results=0)


# --- pictures in a folder


@pytest.mark.parametrize("key", ["../../etc/passwd", "a.jpg", "", "0" * 64 + ".exe"])
def test_no_key_but_our_own_is_a_path(tmp_path, key):
    pictures = FolderPictures(tmp_path)
    for call in (pictures.get, pictures.delete, lambda key: pictures.put(key, b"")):
        with pytest.raises(ValueError, match="picture key"):
            call(key)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        FolderPictures(tmp_path / "file" / "below")
