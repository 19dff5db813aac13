"""Bags that were made to take time or memory."""

import sqlite3
import struct
import time
from contextlib import closing

import pytest
from bag_material import picture, raw, write_bag

from i2t_ros.errors import SourceUnreadableError
from i2t_ros.recordings.reading.bags import BagRecording
from i2t_ros.recordings.reading.mcap_index import MOST_TROUBLES, read_index
from i2t_ros.recordings.reading.mcap_records import CHUNK, HEAD, MAGIC, MESSAGE_INDEX

LIMIT = 20.0
"""Seconds of processor time; what grows with the square of a file takes minutes."""


def record(kind, data):
    return HEAD.pack(kind, len(data)) + data


def empty_chunk(time):
    return record(CHUNK, struct.pack("<QQQII4sQ", time, time, 0, 0, 4, b"zstd", 0))


def test_many_damaged_places_take_no_longer_than_their_number(tmp_path):
    path = tmp_path / "gaps.mcap"
    path.write_bytes(MAGIC + b"".join(empty_chunk(n) + b"\xff" * 5 for n in range(60_000)))
    before = time.process_time()
    found = read_index(path)
    assert time.process_time() - before < LIMIT
    assert len(found.troubles) == MOST_TROUBLES + 1
    assert [trouble.time for trouble in found.troubles[:3]] == [0, 1, 2]
    assert "more parts" in found.troubles[-1].what


def test_many_indexes_of_one_chunk_take_no_longer_than_their_number(tmp_path):
    path = tmp_path / "indexes.mcap"
    index = struct.Struct("<HI40x")  # no shorter than the head of a chunk
    indexes = (record(MESSAGE_INDEX, index.pack(n % 65_536, 32)) for n in range(150_000))
    path.write_bytes(MAGIC + empty_chunk(7) + b"".join(indexes))
    before = time.process_time()
    found = read_index(path)
    assert time.process_time() - before < LIMIT
    assert len(found.chunks[0].counts) == 65_536
    assert set(found.chunks[0].counts.values()) == {2}


@pytest.mark.parametrize("place", ["relative_file_paths: [*a9]", "compression_mode: *a9"])
def test_texts_in_metadata_are_no_lists_of_lists(tmp_path, place):
    lists = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lists += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    begin = "starting_time: {nanoseconds_since_epoch: 1}"
    files = "" if place.startswith("rel") else ", relative_file_paths: []"
    about = f"rosbag2_bagfile_information: {{{begin}, {place}{files}}}"
    (tmp_path / "metadata.yaml").write_text("\n".join([*lists, about]))
    with pytest.raises(SourceUnreadableError, match="expected a text, got a list"):
        BagRecording(str(tmp_path), 1000, "scaled").bag()


@pytest.mark.parametrize(
    "made",
    [
        "CREATE VIEW messages AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
        "SELECT x AS id, 1 AS topic_id, x % 2 + 9 AS timestamp, x'00' AS data FROM c",
        "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, "
        "data BLOB AS (zeroblob(900000000)))",
    ],
)
def test_a_table_that_is_computed_is_refused(tmp_path, made):
    bag = write_bag(tmp_path / "bag", [raw(0, "/front", picture())], storage="sqlite3")
    file = tmp_path / "bag.db3"
    next(bag.glob("*.db3")).rename(file)
    with closing(sqlite3.connect(file)) as database:
        database.executescript(f"DROP TABLE messages; {made}; PRAGMA writable_schema = ON;")
        database.execute("UPDATE sqlite_master SET type = 'table' WHERE name = 'messages'")
        database.commit()
    with pytest.raises(SourceUnreadableError, match="expected a plain table messages"):
        BagRecording(str(file), 1000, "scaled").bag()
