"""How results and pictures are kept: within limits, and as they were."""

import contextlib

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")


from i2t_ros.bridges.http.history.database import Entry, History
from i2t_ros.bridges.http.history.pictures import FolderPictures
from i2t_ros.bridges.http.settings import HistorySettings
from i2t_ros.errors import InvalidRequestError


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
    digest = f"{number:064x}"
    description = {"sentence": f"Picture {number}."}
    return Entry(digest, digest, {}, description, picture=f"{digest}.jpeg"), bytes(size)


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
