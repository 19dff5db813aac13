"""How results and pictures are kept: within limits, and as they were."""

import contextlib

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

from i2t_ros.bridges.http.history.database import Entry, History
from i2t_ros.bridges.http.history.pictures import FolderPictures, MemoryPictures, make_key
from i2t_ros.bridges.http.history.scenes import dump_scene, load_scene
from i2t_ros.bridges.http.settings import HistorySettings
from i2t_ros.types import Classification, Description, Detections, Faces, Scene, TextRegion


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
    scene = Scene(10, 10, Detections.empty(("dog",)))
    description = Description(scene, f"Picture {number}.", "en", "model", 0.1)
    return Entry(digest, digest, description, picture=make_key(digest, "jpeg")), bytes(size)


def sentences(history):
    return [found.description.sentence for found in history.newest(100)]


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
    assert len(list((tmp_path / "kept").rglob("*.jpg"))) == 3


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
    assert sum(path.stat().st_size for path in (tmp_path / "kept").rglob("*.jpg")) == 900


def test_limits_that_would_keep_nothing():
    with pytest.raises(ValueError, match="max_results"):
        HistorySettings("sqlite://", max_results=0)


# --- scenes


def test_a_scene_comes_back_as_it_was():
    scene = Scene(
        100,
        80,
        Detections(
            [[1, 2, 3.7, 4], [0, 0, 9, 9]], [0.9, 0.333], [5, 0], ("a", "", "", "", "", "dog")
        ),
        Classification(("dog", "cat"), (0.75, 0.25)),
        Faces([[5, 6, 25, 30]], [0.9], np.arange(10).reshape(1, 5, 2)),
        (
            TextRegion(
                [[0, 0], [9, 0], [9, 5], [0, 5]], "漢字", 0.8, (255, 0, 16), (1, 2, 3), "OPEN"
            ),
        ),
    )
    back = load_scene(dump_scene(scene))
    assert [back.detections.label(i) for i in range(2)] == ["dog", "a"]
    for part, name in (("detections", "boxes"), ("detections", "scores"), ("faces", "landmarks")):
        before, after = getattr(getattr(scene, part), name), getattr(getattr(back, part), name)
        assert np.array_equal(before, after)
    assert back.classification == scene.classification
    assert back.texts[0].text == "漢字"
    assert back.texts[0].text_color == (255, 0, 16)
    empty = load_scene(dump_scene(Scene(5, 4)))
    assert empty.detections is empty.faces is empty.texts is empty.classification is None


# --- pictures in memory and in a folder


def test_pictures_in_memory_are_few_and_do_not_stay():
    now = [0.0]
    pictures = MemoryPictures(max_bytes=1000, max_age=60, clock=lambda: now[0])
    for number in range(5):
        pictures.put(str(number), bytes(300))
    assert [pictures.get(str(number)) is not None for number in range(5)] == [False, False] + 3 * [
        True
    ]
    now[0] = 61
    assert pictures.get("4") is None
    pictures.put("large", bytes(2000))
    assert pictures.get("large") is None


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
