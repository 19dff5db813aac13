"""Annotated bags: what rosbags and mcap read out of them is what was found, beside the images."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mcap")
pytest.importorskip("rosbags")
import vision_msgs
import yaml
from bag_material import (
    BEGIN,
    RAW,
    SECOND,
    STORE,
    TYPES,
    camera_info,
    chunks_of,
    compressed,
    message,
    picture,
    raw,
    text,
    write_bag,
    write_mcap,
)
from mcap.reader import make_reader
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from told_material import telling_of

from i2t_ros.errors import InvalidRequestError
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.recordings.base import RecordedImage, Selection
from i2t_ros.recordings.reading.bags import BagRecording
from i2t_ros.recordings.reading.pictures import PictureRecording
from i2t_ros.recordings.rendering.bags import BagRenderer
from i2t_ros.recordings.work.job import Unit
from i2t_ros.recordings.writing.base import Stream, Telling, Told
from i2t_ros.types import Description, Detections, Scene
from i2t_ros.vision.class_colors import class_color

FRONT, BACK = "/front/image_raw", "/back/image/compressed"
INFO, DEPTH = "/front/camera_info", "/front/depth/image_raw"
SLASH, DASH = "/", "-"
OURS = ("detections", "sentence", "annotations")


def drive():
    messages = [camera_info(0, INFO), camera_info(0, "/front/depth/camera_info")]
    for number in range(6):
        messages += [
            raw(
                number, FRONT, picture(number), frame_id="front", stamp=BEGIN + number * SECOND - 7
            ),
            compressed(number + 0.2, BACK, picture(number), frame_id="back"),
            text(number + 0.3, "/chat", f"said {number}"),
            raw(number + 0.4, DEPTH, np.full((24, 32), 2000, np.uint16), encoding="16UC1"),
        ]
    return sorted(messages, key=lambda each: each.time)


def found_in(number, positions):
    """Return a dog, and a cat that has no track."""
    boxes = [(8, 6, 24, 18), (number, 0, number + 4, 10)]
    return Detections(boxes, [0.75, 0.5], [1, 0], ("cat", "dog"), [4, -1], positions)


def told_of(recording, streams, selection, span):
    """Return what was found in the images of a span; every third image shows nothing."""
    named, numbers, told = {s.topic: s for s in streams}, {}, []
    for image in recording.items(span, selection):
        if not isinstance(image, RecordedImage):
            continue
        number = numbers[image.topic] = numbers.get(image.topic, -1) + 1
        known = np.array([[0.3, -0.4, 2], [0, 0, 0]]) if image.topic in recording.depth else None
        results = {"detect": found_in(number, known)} if number % 3 < 2 else {}
        scene = Scene(32, 24, results)
        description = Description(scene, f"A dog, {number}.", "en", "sentence", "fake", 0.1)
        told.append(
            Told(
                named[image.topic], number, image.source, image.time, image.stamp, image.frame_id,
                description, {},
            )
        )  # fmt: skip
    return told


def render(source, folder, *, copy="images", selection=None, others=(), depth=()):
    """Annotate a bag as several processes would, and return its folder."""
    selection = selection or Selection()
    recording = BagRecording(str(source), 1_000_000, "full", depth)
    streams = [
        Stream(
            0, "bag", str(source), topic, f"drive.{topic.strip(SLASH).replace(SLASH, DASH)}", BEGIN
        )
        for topic in recording.topics(selection)
    ]
    telling = Telling([*streams, *others], selection, DescribeOptions(), True, copy, folder)
    folder.mkdir(exist_ok=True)
    parts = []
    for number, span in enumerate(recording.spans(selection, 2 * SECOND)):
        renderer = BagRenderer(recording, streams, telling)
        parts.append(folder / f"{number}.{renderer.ending}")
        told = told_of(recording, streams, selection, span)
        renderer.part(Unit(0, number, span), told, parts[-1])
    empty = folder / "nothing.mcap"
    empty.touch()
    (made,) = BagRenderer(recording, streams, telling).join([*parts, empty])
    return made


def store_of(reader):
    """Return the messages that a bag defines itself."""
    store, found = get_typestore(Stores.EMPTY), {}
    for connection in reader.connections:
        found |= get_types_from_msg(connection.msgdef.data, connection.msgtype)
    store.register(found)
    return store


def read(folder):
    """Return topic -> time and message of each, as rosbags reads them, and the bag's reader."""
    found = {}
    with Reader(folder) as reader:
        store = store_of(reader)
        for connection, time, data in reader.messages():
            made = store.deserialize_cdr(data, connection.msgtype)
            found.setdefault(connection.topic, []).append((time, made))
        counts = {each.topic: each.msgcount for each in reader.connections}
    assert counts == {topic: len(messages) for topic, messages in found.items()}
    return found


def test_detections_have_the_time_and_the_header_of_their_image(tmp_path):
    found = read(render(write_bag(tmp_path / "drive", drive()), tmp_path / "out"))
    detections = found[f"{FRONT}/detections"]
    assert [time for time, _ in detections] == [time for time, _ in found[FRONT]]
    for number, ((_, image), (_, array)) in enumerate(zip(found[FRONT], detections, strict=True)):
        assert array.header == image.header
        assert array.header.frame_id == "front"
        in_span = number % 2
        dog, cat = array.detections
        assert dog.header == cat.header == image.header
        center = dog.bbox.center
        assert (center.position.x, center.position.y, center.theta) == (16, 12, 0)
        assert (dog.bbox.size_x, dog.bbox.size_y) == (16, 12)
        assert (cat.bbox.center.position.x, cat.bbox.size_x) == (in_span + 2, 4)
        assert (dog.id, cat.id) == ("4", "")
        hypotheses = [each.results[0].hypothesis for each in (dog, cat)]
        assert [(each.class_id, each.score) for each in hypotheses] == [("dog", 0.75), ("cat", 0.5)]
        pose = dog.results[0].pose
        assert not pose.covariance.any()
        assert (pose.pose.orientation.w, pose.pose.position.x) == (1, 0)
    assert [m.data for _, m in found[f"{BACK}/sentence"]] == ["A dog, 0.", "A dog, 1."] * 3


def test_annotations_draw_what_the_picture_would_show(tmp_path):
    found = read(render(write_bag(tmp_path / "drive", drive()), tmp_path / "out"))
    (_, image), (_, first) = found[FRONT][0], found[f"{FRONT}/annotations"][0]
    assert not first.circles
    dog, cat = first.points
    assert dog.timestamp == cat.timestamp == first.texts[0].timestamp == image.header.stamp
    assert dog.type == 2  # LINE_LOOP
    assert [(p.x, p.y) for p in dog.points] == [(8, 6), (24, 6), (24, 18), (8, 18)]
    blue, green, red = (channel / 255 for channel in class_color("dog", 1))
    color = dog.outline_color
    assert (color.r, color.g, color.b, color.a) == pytest.approx((red, green, blue, 1))
    assert (dog.fill_color.a, len(dog.outline_colors)) == (0, 0)
    assert dog.thickness > 0
    assert any("dog" in each.text for each in first.texts)
    assert all(each.font_size > 0 for each in first.texts)


def test_known_positions_are_in_the_detections_and_become_markers(tmp_path):
    source = write_bag(tmp_path / "drive", drive())
    found = read(render(source, tmp_path / "out", depth=[(FRONT, DEPTH)]))
    assert f"{BACK}/object_markers" not in found
    dog, cat = found[f"{FRONT}/detections"][0][1].detections
    position = dog.results[0].pose.pose.position
    assert (position.x, position.y, position.z) == pytest.approx((0.3, -0.4, 2))
    assert cat.results[0].pose.pose.position.z == 0
    markers = found[f"{FRONT}/object_markers"]
    assert [time for time, _ in markers] == [time for time, _ in found[FRONT]]
    cleared, ball, label = markers[0][1].markers
    assert (cleared.action, ball.action, ball.type, label.type) == (3, 0, 2, 9)
    assert ball.header == label.header == found[FRONT][0][1].header
    at = ball.pose.position
    assert (at.x, at.y, at.z, ball.pose.orientation.w) == pytest.approx((0.3, -0.4, 2, 1))
    assert (ball.scale.x, ball.color.a, label.text) == (0.2, 1, "dog 2.1 m")
    assert label.scale.z > 0


def test_an_image_that_shows_nothing_has_empty_messages(tmp_path):
    source = write_bag(tmp_path / "drive", drive())
    recording = BagRecording(str(source), 1_000_000, "full", [(FRONT, DEPTH)])
    (span,) = recording.spans(Selection(), 100 * SECOND)
    stream = Stream(0, "bag", str(source), FRONT, "drive", BEGIN)
    selection = Selection((FRONT,))
    telling = Telling([stream], selection, DescribeOptions(), copy="none", folder=tmp_path)
    renderer = BagRenderer(recording, [stream], telling)
    told = told_of(recording, [stream], selection, span)
    renderer.part(Unit(0, 0, span), told, tmp_path / "0.mcap")
    found = read(renderer.join([tmp_path / "0.mcap"])[0])
    assert [len(m.detections) for _, m in found[f"{FRONT}/detections"]] == [2, 2, 0] * 2
    assert [len(m.markers) for _, m in found[f"{FRONT}/object_markers"]] == [3, 3, 1] * 2
    assert not found[f"{FRONT}/annotations"][2][1].points


OF_US = {f"{topic}/{ending}" for topic in (FRONT, BACK) for ending in OURS}


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        ("none", set()),
        ("images", {FRONT, BACK, INFO}),
        ("all", {FRONT, BACK, INFO, DEPTH, "/front/depth/camera_info", "/chat"}),
    ],
)
@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize("compression", ["none", "file", "message"])
def test_originals_are_copied_byte_for_byte(tmp_path, copy, expected, storage, compression):
    messages = drive()
    source = write_bag(tmp_path / "drive", messages, storage=storage, compression=compression)
    folder = render(source, tmp_path / "out", copy=copy, selection=Selection(every=2 * SECOND))
    with (folder / "annotated_0.mcap").open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_header().profile == "ros2"
        all_of_it = list(reader.iter_messages())
        in_file = [m.log_time for _, _, m in reader.iter_messages(log_time_order=False)]
    assert in_file == sorted(in_file)
    assert {channel.topic for _, channel, _ in all_of_it} == expected | OF_US
    copied = [
        (m.log_time, channel.topic, schema.name, m.data)
        for schema, channel, m in all_of_it
        if channel.topic in expected
    ]
    wanted = [(m.time, m.topic, m.kind, m.data) for m in messages if m.topic in expected]
    assert sorted(copied) == sorted(wanted)
    assert all(schema.encoding == "ros2msg" for schema, _, _ in all_of_it)
    # Every second image is described, all are copied.
    assert sum(channel.topic == f"{FRONT}/sentence" for _, channel, _ in all_of_it) == 3


def test_only_the_selected_time_is_copied(tmp_path):
    selection = Selection(start=2 * SECOND, end=4 * SECOND)
    source = write_bag(tmp_path / "drive", drive())
    found = read(render(source, tmp_path / "out", copy="all", selection=selection))
    times = [time for messages in found.values() for time, _ in messages]
    assert min(times) == BEGIN + 2 * SECOND
    assert max(times) < BEGIN + 4 * SECOND
    assert len(found[FRONT]) == len(found[f"{FRONT}/sentence"]) == 2


def test_metadata_is_that_of_jazzy(tmp_path):
    source = write_bag(tmp_path / "drive", drive())
    folder = render(source, tmp_path / "out")
    assert sorted(file.name for file in folder.iterdir()) == ["annotated_0.mcap", "metadata.yaml"]
    told = yaml.safe_load((folder / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert (told["version"], told["storage_identifier"], told["ros_distro"]) == (9, "mcap", "jazzy")
    assert told["relative_file_paths"] == ["annotated_0.mcap"]
    count = 6 * 2 * 4 + 1
    assert told["message_count"] == told["files"][0]["message_count"] == count
    assert told["starting_time"] == {"nanoseconds_since_epoch": BEGIN}
    assert told["duration"] == {"nanoseconds": 5_200_000_000}
    topics = {each["topic_metadata"]["name"]: each for each in told["topics_with_message_count"]}
    ours = topics[f"{FRONT}/detections"]["topic_metadata"]
    assert ours["type"] == "vision_msgs/msg/Detection2DArray"
    assert ours["serialization_format"] == "cdr"
    (qos,) = ours["offered_qos_profiles"]
    assert (qos["history"], qos["depth"], qos["reliability"]) == ("keep_last", 10, "reliable")
    assert topics[FRONT]["topic_metadata"]["type_description_hash"] == STORE.hash_rihs01(RAW)
    with (folder / "annotated_0.mcap").open("rb") as stream:
        channels = make_reader(stream).get_summary().channels.values()
    metadata = next(c.metadata for c in channels if c.topic == f"{FRONT}/detections")
    assert yaml.safe_load(metadata["offered_qos_profiles"]) == [qos]
    assert metadata["topic_type_hash"] == ours["type_description_hash"]


def test_vision_msgs_are_those_that_nodes_announce(tmp_path):
    kind = "vision_msgs/msg/Detection2DArray"
    share = Path(vision_msgs.__file__).parents[4] / "share/vision_msgs/msg/Detection2DArray.json"
    real = {each["type_name"]: each for each in json.loads(share.read_text())["type_hashes"]}
    with Reader(render(write_bag(tmp_path / "drive", drive()), tmp_path / "out")) as reader:
        digests = {c.digest for c in reader.connections if c.msgtype == kind}
    assert digests == {real[kind]["hash_string"]}


def test_the_same_bytes_are_written_twice(tmp_path):
    source = write_bag(tmp_path / "drive", drive())
    first = render(source, tmp_path / "one", copy="all")
    second = render(source, tmp_path / "two", copy="all")
    for file in first.iterdir():
        assert file.read_bytes() == (second / file.name).read_bytes()


def test_an_annotated_bag_can_be_annotated_again(tmp_path):
    source = write_bag(tmp_path / "drive", drive())
    first = render(source, tmp_path / "one", copy="all")
    again = render(first, tmp_path / "two", copy="all")
    before, after = read(first), read(again)
    assert before.keys() == after.keys()
    assert [len(each) for each in before.values()] == [len(each) for each in after.values()]


def test_of_a_damaged_bag_the_rest_is_annotated_and_copied(tmp_path):
    file = write_mcap(tmp_path / "drive.mcap", drive(), per_chunk=4)
    start, length = chunks_of(file)[2]
    with file.open("r+b") as stream:
        stream.seek(start + length // 2)
        stream.write(b"\xff" * 30)
    found = read(render(file, tmp_path / "out", copy="all"))
    lost = {each.time for each in drive()[8:12]}
    kept = [each for each in drive() if each.time not in lost]
    assert sum(len(found[topic]) for topic in {each.topic for each in kept}) == len(kept)
    assert {time for time, _ in found[f"{FRONT}/sentence"]} == {
        each.time for each in kept if each.topic == FRONT
    }


def test_a_topic_of_an_unknown_kind_is_copied_too(tmp_path):
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg("int32 number", "own_msgs/msg/Own"))
    own = message(1.5, "/own", TYPES["std_msgs/msg/Int32"](7))
    messages = [*drive(), type(own)(own.time, "/own", "own_msgs/msg/Own", own.data)]
    from rosbags.rosbag2 import StoragePlugin, Writer  # noqa: PLC0415

    with Writer(tmp_path / "drive", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        made = {}
        for each in messages:
            if each.topic not in made:
                made[each.topic] = writer.add_connection(each.topic, each.kind, typestore=store)
            writer.write(made[each.topic], each.time, each.data)
    found = read(render(tmp_path / "drive", tmp_path / "out", copy="all"))
    assert [(time, m.number) for time, m in found["/own"]] == [(own.time, 7)]


def test_of_several_recordings_each_has_a_folder(tmp_path):
    other = Stream(1, "bag", "/other", FRONT, "other", BEGIN)
    source = write_bag(tmp_path / "drive", drive())
    folder = render(source, tmp_path / "out", others=[other])
    assert folder.name == "annotated.drive"
    assert len(read(folder)[f"{FRONT}/sentence"]) == 6


def test_a_recording_that_is_no_bag_is_refused(tmp_path):
    renderer = BagRenderer(PictureRecording(str(tmp_path), 1000, "full"), [], telling_of(tmp_path))
    with pytest.raises(InvalidRequestError, match="expected a bag to annotate, got pictures"):
        renderer.join([])
