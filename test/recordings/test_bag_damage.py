"""What is damaged in a bag costs itself, is told in its place, and nothing else is lost."""

import shutil
import sqlite3
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("zstandard")
import zstandard
from bag_material import SECOND, chunks_of, compressed, picture, raw, text, write_bag, write_mcap

from i2t_ros.errors import SourceUnreadableError
from i2t_ros.recordings.base import Damage, RecordedImage, Selection, Span
from i2t_ros.recordings.reading.bags import BagRecording

FRONT = "/front/image_raw"
ALL = Selection()


def images(count=20, noise=0):
    """Return an image a second; of noise, they do not become small."""
    random = np.random.default_rng(5)
    return [
        raw(n, FRONT, random.integers(0, 256, (noise, noise, 3), np.uint8) if noise else picture(n))
        for n in range(count)
    ]


def recording(path):
    return BagRecording(str(path), 1_000_000, "percentiles")


def read(path, selection=ALL, length=3 * SECOND):
    """Return the seconds of the images, and what is damaged; all images must be readable."""
    bag = recording(path)
    found = [each for span in bag.spans(selection, length) for each in bag.items(span, selection)]
    known = [each for each in found if each.time is not None]
    assert all(before.time <= after.time for before, after in pairwise(known))
    whole = [e for span in bag.spans(selection, 7 * length) for e in bag.items(span, selection)]
    assert [e.time for e in whole] == [e.time for e in found]  # whatever the spans
    seconds = []
    for each in found:
        if isinstance(each, RecordedImage):
            assert each.read().size
            seconds.append(each.time // SECOND)
    return seconds, [each for each in found if isinstance(each, Damage)]


def overwrite(path, at, data):
    with path.open("r+b") as stream:
        stream.seek(at)
        stream.write(data)


def cut(path, size):
    with path.open("r+b") as stream:
        stream.truncate(size)


@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
@pytest.mark.parametrize("place", ["data", "head"])
def test_a_damaged_chunk_costs_its_messages(tmp_path, compression, place):
    file = write_mcap(tmp_path / "a.mcap", images(), compression=compression, per_chunk=2)
    start, length = chunks_of(file)[4]
    overwrite(file, start + (0 if place == "head" else length // 2), b"\xff" * 30)
    seconds, damage = read(file)
    assert seconds == [*range(8), *range(10, 20)]
    (one,) = damage
    assert (one.source, one.time) == (str(file), 8 * SECOND)
    assert one.what.startswith(f"a.mcap: the chunk at byte {start}: ")


@pytest.mark.parametrize("selection", [Selection(start=9 * SECOND), Selection(end=9 * SECOND)])
def test_damage_is_told_once_and_where_it_is_selected(tmp_path, selection):
    file = write_mcap(tmp_path / "a.mcap", images(), per_chunk=2)
    start, length = chunks_of(file)[4]
    overwrite(file, start + length // 2, b"\xff" * 30)
    _, damage = read(file, selection)
    assert [each.time for each in damage] == [max(8 * SECOND, selection.start)]
    assert not read(file, Selection(start=10 * SECOND))[1]
    assert not read(file, Selection(end=8 * SECOND))[1]


def test_a_chunk_with_other_topics_is_not_even_read(tmp_path):
    messages = [each for n in range(6) for each in (raw(n, FRONT, picture(n)), text(n, "/t", "x"))]
    file = write_mcap(tmp_path / "a.mcap", messages, per_chunk=1)
    start, length = chunks_of(file)[5]
    overwrite(file, start + length // 2, b"\xff" * 10)
    assert read(file) == (list(range(6)), [])


@pytest.mark.parametrize("per_chunk", [1, 2, 5])
def test_a_file_that_was_cut_off_is_read_up_to_there(tmp_path, per_chunk):
    file = write_mcap(tmp_path / "a.mcap", images(), per_chunk=per_chunk)
    start, length = chunks_of(file)[3]
    cut(file, start + length // 2)
    seconds, damage = read(file)
    assert seconds == list(range(3 * per_chunk))
    assert [each.what for each in damage] == [
        f"a.mcap: it ends within a chunk: expected {length} bytes, got {length // 2}"
    ]


def test_a_file_that_ends_after_a_chunk_says_that_it_has_no_end(tmp_path):
    file = write_mcap(tmp_path / "a.mcap", images(), per_chunk=2)
    cut(file, chunks_of(file)[5][0])
    seconds, damage = read(file)
    assert seconds == list(range(10))
    assert "it has no end" in damage[0].what


def test_without_a_summary_damaged_records_are_stepped_over(tmp_path):
    file = write_mcap(tmp_path / "a.mcap", images(), per_chunk=2)
    start, _ = chunks_of(file)[4]
    overwrite(file, start, b"\xff" * 30)
    cut(file, file.stat().st_size - 10)
    seconds, damage = read(file)
    assert seconds == [*range(8), *range(10, 20)]
    assert f"bytes {start} to " in damage[0].what


def test_a_damaged_summary_is_not_believed(tmp_path):
    file = write_mcap(tmp_path / "a.mcap", images(), per_chunk=2)
    overwrite(file, file.stat().st_size - 200, b"\xff" * 50)
    seconds, _ = read(file)
    assert seconds == list(range(20))


def test_a_chunk_that_would_fill_the_memory_is_refused(tmp_path):
    file = write_mcap(tmp_path / "a.mcap", images(), per_chunk=2)
    start, _ = chunks_of(file)[4]
    overwrite(file, start + 9 + 16, (1 << 62).to_bytes(8, "little"))
    seconds, damage = read(file)
    assert seconds == [*range(8), *range(10, 20)]
    assert "expected at most" in damage[0].what


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_damaged_compressed_message_costs_itself(tmp_path, storage):
    messages = images()
    good = zstandard.compress(messages[7].data)
    folder = write_bag(tmp_path / "drive", messages, storage=storage, compression="message")
    file = next(each for each in folder.iterdir() if each.suffix in (".mcap", ".db3"))
    data = file.read_bytes()
    if storage == "mcap":  # rosbags compresses in its own way
        frames = data.count(b"\x28\xb5\x2f\xfd")
        assert frames == 20
        at = -1
        for _ in range(8):
            at = data.index(b"\x28\xb5\x2f\xfd", at + 1)
        overwrite(file, at + 8, b"\xff" * 20)
    else:
        database = sqlite3.connect(file)
        with database:
            broken = good[:12] + b"\xff" * 20
            database.execute("UPDATE messages SET data = ? WHERE id = 8", (broken,))
        database.close()
    seconds, damage = read(folder)
    assert seconds == [n for n in range(20) if n != 7]
    (one,) = damage
    assert (one.topic, one.time) == (FRONT, 7 * SECOND)
    assert "the message of the image: it cannot be unpacked" in one.what


def database_of(tmp_path, noise=60, count=60):
    folder = write_bag(tmp_path / "drive", images(count, noise), storage="sqlite3")
    return folder, folder / "drive.db3"


def test_a_broken_page_costs_the_messages_on_it(tmp_path):
    folder, file = database_of(tmp_path)
    data = file.read_bytes()
    pixels = images(60, 60)[30].data[5000:5100]
    at = data.index(pixels)
    page = at - at % 4096
    # The page says where the rest of the message is: it now leads to nowhere.
    overwrite(file, page, b"\xff\xff\xff\xff")
    seconds, damage = read(folder)
    assert seconds == [n for n in range(60) if n != 30]
    assert [each.time for each in damage] == [30 * SECOND]
    assert "malformed" in damage[0].what


def test_a_database_whose_index_is_broken_is_read_row_by_row(tmp_path):
    folder, file = database_of(tmp_path, noise=0)
    database = sqlite3.connect(file)
    (root,) = database.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'timestamp_idx'"
    ).fetchone()
    database.close()
    overwrite(file, (root - 1) * 4096, b"\xff" * 4096)
    assert read(folder) == (list(range(60)), [])


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_database_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path, share):
    folder, file = database_of(tmp_path)
    cut(file, int(file.stat().st_size * share) // 4096 * 4096)
    seconds, damage = read(folder)
    assert len(seconds) >= 60 * share - 5
    assert seconds == list(range(len(seconds)))
    assert damage


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_packed_file_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path, storage):
    folder = write_bag(tmp_path / "drive", images(60, 150), storage=storage, compression="file")
    (file,) = folder.glob("*.zstd")
    cut(file, file.stat().st_size // 2)
    seconds, damage = read(folder, length=SECOND * 30)
    assert len(seconds) > 10
    assert seconds == list(range(len(seconds)))
    assert damage


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_missing_file_costs_itself(tmp_path, storage):
    ending = {"mcap": "mcap", "sqlite3": "db3"}[storage]
    folder = write_bag(tmp_path / "drive", images(), storage=storage)
    metadata = folder / "metadata.yaml"
    named = metadata.read_text().replace("drive." + ending, "gone." + ending)
    assert "gone" in named
    metadata.write_text(named)
    with pytest.raises(SourceUnreadableError, match=f"gone.{ending} is missing"):
        recording(folder).spans(ALL, SECOND)
    metadata.write_text(
        named.replace(
            f"- gone.{ending}\n  starting", f"- drive.{ending}\n  - gone.{ending}\n  starting"
        ).replace("relative_file_paths:\n", f"relative_file_paths:\n  - drive.{ending}\n")
    )
    seconds, damage = read(folder)
    assert seconds == list(range(20))
    assert [(each.time, each.what) for each in damage] == [(0, f"gone.{ending} is missing")]


def test_metadata_that_is_no_yaml_costs_nothing_but_itself(tmp_path):
    folder = write_bag(tmp_path / "drive", images())
    (folder / "metadata.yaml").write_text("rosbag2_bagfile_information: [")
    seconds, damage = read(folder)
    assert seconds == list(range(20))
    assert "metadata.yaml cannot be used" in damage[0].what
    assert damage[0].time == 0


@pytest.mark.parametrize(
    "data", [b"", b"\x89MCAP0\r\n", b"garbage" * 1000, b"SQLite format 3\0" + b"x" * 5000]
)
@pytest.mark.parametrize("name", ["a.mcap", "a.db3", "a.mcap.zstd"])
def test_a_bag_of_which_nothing_can_be_read_is_an_error(tmp_path, data, name):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceUnreadableError):
        recording(tmp_path / name).spans(ALL, SECOND)
    with pytest.raises(SourceUnreadableError):
        recording(tmp_path).topics(ALL)


def test_a_database_with_a_view_in_place_of_its_messages_is_refused(tmp_path):
    folder, file = database_of(tmp_path, noise=0)
    database = sqlite3.connect(file)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    with database:
        database.execute("DROP TABLE messages")
        database.execute(
            f"CREATE VIEW messages AS {endless} "  # noqa: S608
            "SELECT i AS id, 1 AS topic_id, i AS timestamp, x'00' AS data FROM n"
        )
    database.close()
    with pytest.raises(SourceUnreadableError, match="expected the tables"):
        recording(folder).spans(ALL, SECOND)


def test_any_byte_may_be_wrong(tmp_path):
    """Whatever is written anywhere, every other image is found or the bag says what is wrong."""
    random = np.random.default_rng(8)
    messages = [compressed(n, "/c/compressed", picture(n), format="png") for n in range(20)]
    whole = write_mcap(tmp_path / "whole.mcap", messages, per_chunk=2)
    folder = write_bag(tmp_path / "drive", messages, storage="sqlite3")
    for source in (whole, folder / "drive.db3"):
        size = source.stat().st_size
        for number in range(60):
            file = tmp_path / f"{number}{source.suffix}"
            shutil.copy(source, file)
            overwrite(file, int(random.integers(size)), random.bytes(int(random.integers(1, 40))))
            bag = recording(file)
            try:
                found = list(bag.items(Span(0, 10**18, 0), ALL))
            except SourceUnreadableError:
                continue
            assert len(found) >= 1
            file.unlink()


def test_with_few_images_wanted_a_damaged_chunk_costs_those_of_it(tmp_path):
    file = write_mcap(tmp_path / "a.mcap", images(), per_chunk=3)
    start, length = chunks_of(file)[3]
    overwrite(file, start + length // 2, b"\xff" * 30)
    seconds, damage = read(file, Selection(every=2 * SECOND), length=4 * SECOND)
    assert seconds == [n for n in range(0, 20, 2) if n != 10]
    (one,) = damage
    assert (one.topic, one.time) == (FRONT, 10 * SECOND)
    assert f"the chunk at byte {start}: " in one.what


@pytest.mark.parametrize("shift", [0, 9 + 6, 9 + 6 + 8])
def test_a_damaged_index_of_a_chunk_is_not_believed(tmp_path, shift):
    file = write_mcap(tmp_path / "a.mcap", images(), per_chunk=2)
    start, length = chunks_of(file)[4]
    overwrite(file, start + length + shift, b"\xff" * 8)
    seconds, damage = read(file, Selection(every=2 * SECOND), length=4 * SECOND)
    lost = [8] if damage else []
    assert seconds == [n for n in range(0, 20, 2) if n not in lost]
    assert bool(damage) == (shift == 9 + 6 + 8)
