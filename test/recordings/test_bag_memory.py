"""Memory stays bounded whatever a bag is like, and the disk is left as it was."""

import tempfile
import tracemalloc

import numpy as np
import pytest
from bag_material import picture, raw, write_bag, write_mcap

from i2t_ros.recordings.base import Selection, Span
from i2t_ros.recordings.reading.bags import BagRecording

FRONT = "/front/image_raw"
KEPT = 500_000


@pytest.mark.parametrize("kind", ["mcap in order", "mcap in any order", "sqlite3"])
def test_images_are_read_one_after_the_other(tmp_path, monkeypatch, kind):
    random = np.random.default_rng(1)
    noise = [random.integers(0, 256, (100, 100, 3), np.uint8) for _ in range(200)]
    messages = [raw(number / 10, FRONT, image) for number, image in enumerate(noise)]  # 6 MB
    if kind == "sqlite3":
        file = write_bag(tmp_path / "drive", messages, storage="sqlite3")
    else:
        if kind == "mcap in any order":  # every chunk lasts as long as the bag
            messages = [message for first in range(50) for message in messages[first::50]]
        file = write_mcap(tmp_path / "drive.mcap", messages, per_chunk=4)
    monkeypatch.setattr("i2t_ros.recordings.reading.mcap_chunks.MOST_KEPT", KEPT)
    bag = BagRecording(str(file), 1_000_000, "full")
    assert bag.topics(Selection()) == [FRONT]
    tracemalloc.start()
    items = bag.items(Span(0, 10**15, 0), Selection())
    found = sum(np.array_equal(each.read(), noise[n]) for n, each in enumerate(items))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == 200
    assert peak < KEPT + 1_000_000


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_what_is_unpacked_goes_with_close(tmp_path, monkeypatch, storage):
    messages = [raw(number, FRONT, picture(number)) for number in range(4)]
    folder = write_bag(tmp_path / "drive", messages, storage=storage, compression="file")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    bag = BagRecording(str(folder), 1_000_000, "full")
    for _ in range(2):  # it can be used again
        assert len([*bag.items(Span(0, 10**15, 0), Selection())]) == 4
        assert [*(tmp_path / "temporary").iterdir()]
        bag.close()
        assert not [*(tmp_path / "temporary").iterdir()]
