"""Bags of rosbag2 that are whole: storages, compressions, topics, times, sampling."""

import shutil
import sqlite3

import cv2
import numpy as np
import pytest
from bag_material import (
    BEGIN,
    SECOND,
    at,
    camera_info,
    compressed,
    picture,
    raw,
    text,
    write_bag,
    write_mcap,
)

from i2t_ros.errors import (
    ImageError,
    ImageMessageError,
    InvalidRequestError,
    SourceMissingError,
    SourceUnreadableError,
)
from i2t_ros.recordings.base import Damage, RecordedImage, Selection, Span
from i2t_ros.recordings.reading.bag_files import is_bag
from i2t_ros.recordings.reading.bags import BagRecording

FRONT, BACK = "/front/image_raw", "/back/image/compressed"
ALL = Selection()
WHOLE = Span(0, 10**15, 0)


def drive(seconds=10, rate=2):
    """Return messages of two cameras; one is a little later, and its stamps are 5 ms earlier."""
    messages = []
    for number in range(seconds * rate):
        time = number / rate
        messages += [
            raw(time, FRONT, picture(number), frame_id="front"),
            text(time + 0.05, "/chat", "x" * 100),
            compressed(time + 0.1, BACK, picture(number), format="png", stamp=at(time + 0.095)),
        ]
    return messages


def recording(path, **more):
    return BagRecording(str(path), 1_000_000, "percentiles", **more)


def items(bag, selection=ALL, length=3 * SECOND):
    """Return all that a recording yields, span by span."""
    return [each for span in bag.spans(selection, length) for each in bag.items(span, selection)]


def numbers(found, topic=FRONT, rate=2):
    """Return which images of a topic these are."""
    return [round(each.time / SECOND * rate) for each in found if each.topic == topic]


KINDS = [
    ("mcap", "none"),
    ("mcap", "storage"),
    ("mcap", "file"),
    ("mcap", "message"),
    ("sqlite3", "none"),
    ("sqlite3", "file"),
    ("sqlite3", "message"),
]


@pytest.mark.parametrize(("storage", "compression"), KINDS)
def test_every_image_comes_with_its_pixels_time_stamp_and_frame(tmp_path, storage, compression):
    bag = recording(
        write_bag(tmp_path / "drive", drive(), storage=storage, compression=compression)
    )
    assert (bag.kind, bag.name) == ("bag", "drive")
    assert bag.begin() == BEGIN
    assert bag.topics(ALL) == [BACK, FRONT]
    found = items(bag)
    assert len(found) == 40
    for number, (front, back) in enumerate(zip(found[::2], found[1::2], strict=True)):
        assert (front.topic, front.time, front.frame_id) == (FRONT, number * SECOND // 2, "front")
        assert front.stamp == BEGIN + front.time
        np.testing.assert_array_equal(front.read(), picture(number))
        assert (back.topic, back.time) == (BACK, front.time + SECOND // 10)
        assert back.stamp == BEGIN + back.time - SECOND // 200
        np.testing.assert_array_equal(back.read(), picture(number))


@pytest.mark.parametrize(("storage", "compression"), KINDS)
def test_spans_are_cut_without_reading_a_message(tmp_path, storage, compression, monkeypatch):
    bag = recording(
        write_bag(tmp_path / "drive", drive(), storage=storage, compression=compression)
    )
    bag.topics(ALL)  # looks at one image of each topic
    monkeypatch.setattr("i2t_ros.recordings.reading.bags.parse", None)
    monkeypatch.setattr("i2t_ros.recordings.reading.bag_contents.BagReading.read", None)
    spans = bag.spans(ALL, 3 * SECOND)
    assert [span[:2] for span in spans] == [
        (start * SECOND, (start + 3) * SECOND) for start in (0, 3, 6, 9)
    ]
    assert sum(span.expected for span in spans) == pytest.approx(40, abs=4)


@pytest.mark.parametrize(("storage", "compression"), KINDS)
def test_skipped_items_are_the_first_ones(tmp_path, storage, compression):
    bag = recording(
        write_bag(tmp_path / "drive", drive(), storage=storage, compression=compression)
    )
    whole = [(each.topic, each.time) for each in bag.items(WHOLE, ALL)]
    assert [(each.topic, each.time) for each in bag.items(WHOLE, ALL, skip=7)] == whole[7:]


@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
@pytest.mark.parametrize("summary", [True, False])
@pytest.mark.parametrize("per_chunk", [1, 7, 1000])
def test_a_single_mcap_file_with_chunks(tmp_path, compression, summary, per_chunk):
    file = write_mcap(
        tmp_path / "drive.mcap",
        drive(),
        compression=compression,
        per_chunk=per_chunk,
        summary=summary,
    )
    bag = recording(file)
    assert bag.name == "drive"
    found = items(bag)
    assert numbers(found) == list(range(20))
    assert not [each for each in found if isinstance(each, Damage)]
    np.testing.assert_array_equal(found[-1].read(), picture(19))


@pytest.mark.parametrize("summary", [True, False])
def test_an_mcap_file_without_chunks(tmp_path, summary):
    bag = recording(write_mcap(tmp_path / "a.mcap", drive(), chunked=False, summary=summary))
    found = items(bag)
    assert numbers(found) == numbers(found, BACK) == list(range(20))
    np.testing.assert_array_equal(found[6].read(), picture(3))


def test_a_single_database(tmp_path):
    folder = write_bag(tmp_path / "drive", drive(), storage="sqlite3")
    bag = recording(folder / "drive.db3")
    assert bag.name == "drive"
    assert numbers(items(bag)) == list(range(20))


def test_chunks_that_overlap_in_time_are_put_into_order(tmp_path, monkeypatch):
    messages = drive()
    mixed = [message for first in range(5) for message in messages[first::5]]
    bag = recording(write_mcap(tmp_path / "mixed.mcap", mixed, per_chunk=4))
    ordered = [(each.topic, each.time) for each in items(bag)]
    assert ordered == sorted(ordered, key=lambda each: (each[1], each[0]))
    assert len(ordered) == 40
    # With memory for one chunk, they are unpacked again and again.
    monkeypatch.setattr("i2t_ros.recordings.reading.mcap_chunks.MOST_KEPT", 1)
    again = items(bag)
    assert [(each.topic, each.time) for each in again] == ordered
    np.testing.assert_array_equal(again[0].read(), picture(0))


def test_messages_of_one_time_are_in_the_order_of_topics_and_of_the_file(tmp_path):
    messages = [raw(1, topic, picture(n)) for n, topic in enumerate(["/b", "/a", "/b", "/a"])]
    bag = recording(write_mcap(tmp_path / "a.mcap", messages, per_chunk=1))
    found = list(bag.items(WHOLE, ALL))
    assert [each.topic for each in found] == ["/a", "/a", "/b", "/b"]
    pixels = [each.read() for each in bag.items(WHOLE, ALL)]
    for image, number in zip(pixels, (1, 3, 0, 2), strict=True):
        np.testing.assert_array_equal(image, picture(number))


def splits(tmp_path, storage="mcap"):
    """Return a bag of three files, and their paths."""
    folder, names, entries = tmp_path / "long", [], []
    folder.mkdir()
    ending = "mcap" if storage == "mcap" else "db3"
    for number in range(3):
        first = number * 5
        part = [m for m in drive(15) if at(first) <= m.time < at(first + 5)]
        made = write_bag(tmp_path / f"part{number}", part, storage=storage)
        name = f"long_{number}.{ending}"
        shutil.move(made / f"part{number}.{ending}", folder / name)
        names.append(name)
        entries.append((name, part[0].time, part[-1].time - part[0].time, len(part)))
    topics = "".join(
        f"    - topic_metadata: {{name: {topic}, type: sensor_msgs/msg/{kind}, "
        f"serialization_format: cdr, offered_qos_profiles: ''}}\n      message_count: 30\n"
        for topic, kind in ((FRONT, "Image"), (BACK, "CompressedImage"))
    )
    files = "".join(
        f"    - path: {name}\n      starting_time: {{nanoseconds_since_epoch: {start}}}\n"
        f"      duration: {{nanoseconds: {duration}}}\n      message_count: {count}\n"
        for name, start, duration, count in entries
    )
    (folder / "metadata.yaml").write_text(
        f"rosbag2_bagfile_information:\n  version: 5\n  storage_identifier: {storage}\n"
        f"  relative_file_paths: {names}\n  duration: {{nanoseconds: {15 * SECOND}}}\n"
        f"  starting_time: {{nanoseconds_since_epoch: {BEGIN}}}\n  message_count: 90\n"
        f"  topics_with_message_count:\n{topics}  compression_format: ''\n"
        f"  compression_mode: ''\n  files:\n{files}"
    )
    return folder, [folder / name for name in names]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize("metadata", [True, False])
def test_a_bag_of_several_files(tmp_path, storage, metadata):
    folder, _ = splits(tmp_path, storage)
    if not metadata:  # the recorder was killed
        (folder / "metadata.yaml").unlink()
    assert is_bag(folder)
    found = items(recording(folder))
    assert numbers(found) == numbers(found, BACK) == list(range(30))
    for number, image in enumerate(found):
        np.testing.assert_array_equal(image.read(), picture(number // 2))


def test_files_that_overlap_in_time(tmp_path):
    (tmp_path / "drive").mkdir()
    names = [f"/camera{number}" for number in range(7)]  # more than are kept open
    for topic in names:
        messages = [raw(time, topic, picture(time)) for time in range(5)]
        write_mcap(tmp_path / "drive" / f"{topic[1:]}.mcap", messages)
    found = list(recording(tmp_path / "drive").items(WHOLE, ALL))
    assert [each.topic for each in found] == names * 5
    for number, image in enumerate(recording(tmp_path / "drive").items(WHOLE, ALL)):
        np.testing.assert_array_equal(image.read(), picture(number // 7))


def test_what_a_killed_recorder_left_in_its_journal(tmp_path):
    folder = write_bag(tmp_path / "drive", drive(), storage="sqlite3")
    database = sqlite3.connect(folder / "drive.db3")
    database.execute("PRAGMA journal_mode=WAL")
    with database:
        database.execute("UPDATE messages SET timestamp = timestamp + 1")
    shutil.copytree(folder, tmp_path / "killed")
    database.close()
    (tmp_path / "killed/metadata.yaml").unlink()
    bag = recording(tmp_path / "killed")
    before = bag.fingerprint()
    assert bag.begin() == BEGIN + 1
    assert numbers(items(bag)) == list(range(20))
    assert recording(tmp_path / "killed").fingerprint() == before


def test_a_clock_that_began_at_0(tmp_path):
    early = raw(0, FRONT, picture(0))
    messages = [type(early)(0, FRONT, early.kind, early.data), raw(1, FRONT, picture(1))]
    bag = recording(write_mcap(tmp_path / "a.mcap", messages, per_chunk=2))
    assert bag.begin() == 0
    assert [each.time for each in items(bag)] == [0, BEGIN + SECOND]
    assert len(bag.spans(ALL, 30 * SECOND)) == 2


def test_files_that_lie_elsewhere_are_not_read(tmp_path):
    folder, files = splits(tmp_path)
    shutil.move(files[1], tmp_path / "other.mcap")
    metadata = folder / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace("long_1.mcap", "../other.mcap"))
    found = items(recording(folder))
    assert [each.what for each in found if isinstance(each, Damage)] == ["other.mcap is missing"]
    assert numbers([each for each in found if isinstance(each, RecordedImage)]) == [
        *range(10), *range(20, 30)
    ]  # fmt: skip


@pytest.mark.parametrize("length", [1, 3, 4])
@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_sampling_takes_the_first_image_of_each_topic_in_each_period(tmp_path, storage, length):
    bag = recording(write_bag(tmp_path / "drive", drive(), storage=storage))
    every = Selection(every=1_500_000_000)
    found = items(bag, every, length * SECOND)
    assert numbers(found) == numbers(found, BACK) == [0, 3, 6, 9, 12, 15, 18]
    assert all(span.start % every.every == 0 for span in bag.spans(every, length * SECOND))


def test_only_the_selected_time_and_topics_come(tmp_path):
    bag = recording(write_bag(tmp_path / "drive", drive()))
    some = Selection((FRONT,), start=2 * SECOND, end=4 * SECOND + 1)
    assert bag.topics(some) == [FRONT]
    assert [span[:2] for span in bag.spans(some, 3 * SECOND)] == [
        (0, 3 * SECOND), (3 * SECOND, 6 * SECOND)
    ]  # fmt: skip
    found = items(bag, some)
    assert numbers(found) == [4, 5, 6, 7, 8]
    assert {each.topic for each in found} == {FRONT}


def test_times_without_messages_have_no_spans(tmp_path):
    for storage in ("mcap", "sqlite3"):
        messages = [raw(0, FRONT, picture(0)), raw(9e6, FRONT, picture(1))]
        bag = recording(write_bag(tmp_path / storage, messages, storage=storage))
        assert [span.start for span in bag.spans(ALL, 30 * SECOND)] == [0, 9_000_000 * SECOND]
        assert len(items(bag, length=30 * SECOND)) == 2


def test_an_unknown_topic_names_those_there_are(tmp_path):
    bag = recording(write_bag(tmp_path / "drive", drive()))
    with pytest.raises(InvalidRequestError, match=f"/side; topics with images: {BACK}, {FRONT}"):
        bag.topics(Selection(("/side",)))


def test_a_bag_without_images_says_so(tmp_path):
    bag = recording(write_bag(tmp_path / "talk", [text(0, "/chat", "hello")]))
    with pytest.raises(SourceUnreadableError, match="no topic with images"):
        bag.spans(ALL, SECOND)


def test_depth_is_left_out_unless_it_is_named(tmp_path):
    meters = np.ones((24, 32), np.float32)
    shades = np.full((24, 32), 700, np.uint16)
    messages = [
        raw(0, "/camera/depth/image_raw", shades, encoding="16UC1"),
        raw(0, "/points/range", meters, encoding="32FC1"),
        compressed(0, "/camera/depth/image_raw/compressedDepth", None, data=b"1" * 99,
                   format="16UC1; compressedDepth png"),
        raw(0, "/thermal/image_raw", shades, encoding="16UC1"),
        raw(0, "/depth_camera/color", picture(0)),
    ]  # fmt: skip
    bag = recording(write_bag(tmp_path / "drive", messages))
    assert bag.topics(ALL) == ["/depth_camera/color", "/thermal/image_raw"]
    named = Selection(("/camera/depth/image_raw",))
    assert next(bag.items(WHOLE, named)).read().shape == (24, 32, 3)
    alone = recording(write_bag(tmp_path / "depth", messages[:3]))
    with pytest.raises(SourceUnreadableError, match="with depth alone: /camera/depth/image_raw"):
        alone.topics(ALL)


def test_raw_encodings_are_those_of_live_topics(tmp_path):
    image = picture(3)
    swapped = (image[..., 0].astype(np.uint16) * 256).byteswap()
    messages = [
        raw(0, "/a", image[..., ::-1], encoding="rgb8"),
        raw(1, "/a", swapped, encoding="mono16", big_endian=1),
        raw(2, "/a", cv2.cvtColor(image, cv2.COLOR_BGR2BGRA), encoding="bgra8"),
    ]
    rgb, gray, bgra = (
        each.read() for each in items(recording(write_bag(tmp_path / "b", messages)))
    )
    np.testing.assert_array_equal(rgb, image)
    np.testing.assert_array_equal(bgra, image)
    assert gray.shape == image.shape
    assert gray.dtype == np.uint8


def test_images_that_cannot_be_used_say_so_when_they_are_read(tmp_path):
    broken = raw(2, FRONT, picture(2))
    messages = [
        raw(0, FRONT, picture(0), encoding="yuv999"),
        raw(1, FRONT, np.zeros((2000, 1000, 3), np.uint8)),
        type(broken)(broken.time, broken.topic, broken.kind, broken.data[:40]),
        compressed(3, BACK, None, data=b"no picture"),
        compressed(4, BACK, None, data=b"\0\0\0\1abc", format="h264"),
        raw(5, FRONT, picture(5), frame_id="x" * 300),
        raw(6, FRONT, picture(6), stamp=0),
    ]
    found = items(recording(write_bag(tmp_path / "drive", messages)))
    for number, what in enumerate(
        ["yuv999", "max_pixels", "expected a message", "the message's format", "video", "frame_id"]
    ):
        with pytest.raises(ImageError, match=what):
            found[number].read()
    assert (found[2].stamp, found[2].frame_id) == (None, "")
    assert found[6].stamp is None  # no clock has set it
    np.testing.assert_array_equal(found[6].read(), picture(6))
    with pytest.raises(ImageMessageError):
        found[2].read()


def test_what_a_bag_is(tmp_path):
    folder = write_bag(tmp_path / "drive", drive(1))
    assert is_bag(folder)
    assert is_bag(folder / "drive.mcap")
    assert not is_bag(folder / "metadata.yaml")
    assert not is_bag(tmp_path)
    assert not is_bag(tmp_path / "no.mcap")
    with pytest.raises(SourceMissingError, match="no such bag"):
        recording(tmp_path / "no.mcap").begin()
    with pytest.raises(SourceMissingError):
        recording(tmp_path / "no.mcap").fingerprint()


def test_the_fingerprint_changes_with_the_files(tmp_path):
    folder = write_bag(tmp_path / "drive", [*drive(1), camera_info(0, "/front/camera_info")])
    before = recording(folder).fingerprint()
    assert recording(folder).fingerprint() == before
    with (folder / "drive.mcap").open("ab") as stream:
        stream.write(b"\0")
    assert recording(folder).fingerprint() != before
