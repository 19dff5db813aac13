"""Bags for tests: small ones, with given images at given times."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("mcap")
pytest.importorskip("rosbags")
from mcap.writer import CompressionType, IndexType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

STORE = get_typestore(Stores.ROS2_JAZZY)
TYPES = STORE.types
SECOND = 10**9
BEGIN = 1_700_000_000 * SECOND
"""When the bags of tests begin, nanoseconds since 1970."""
RAW, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
INFO, TEXT = "sensor_msgs/msg/CameraInfo", "std_msgs/msg/String"


@dataclass(frozen=True)
class Recorded:
    """A message of a bag; ``time`` is in nanoseconds since 1970."""

    time: int
    topic: str
    kind: str
    data: bytes = field(repr=False)


def picture(number=0, width=32, height=24):
    """Return an image that is another one for each number; JPEG keeps it nearly as it is."""
    image = np.full(
        (height, width, 3), (20 + number * 7 % 200, 100, 200 - number * 5 % 150), np.uint8
    )
    image[height // 4 : height // 2, width // 4 : width // 2] = 255 - number % 50
    return image


def at(seconds):
    """Return when something is that comes so many seconds after the beginning."""
    return BEGIN + round(seconds * SECOND)


def header(stamp, frame_id="camera"):
    time = TYPES["builtin_interfaces/msg/Time"](*divmod(stamp, SECOND))
    return TYPES["std_msgs/msg/Header"](time, frame_id)


def message(seconds, topic, made):
    """Return a message that was recorded so many seconds after the beginning."""
    data = bytes(STORE.serialize_cdr(made, made.__msgtype__))
    return Recorded(at(seconds), topic, made.__msgtype__, data)


def raw(seconds, topic, image, *, encoding="bgr8", stamp=None, frame_id="camera", big_endian=0):
    """Return a sensor_msgs/Image; ``stamp`` is in nanoseconds, else that of the time."""
    pixels = np.ascontiguousarray(image)
    height, width = pixels.shape[:2]
    rows = pixels.view(np.uint8).reshape(-1)
    head = header(at(seconds) if stamp is None else stamp, frame_id)
    step = rows.size // height
    made = TYPES[RAW](head, height, width, encoding, big_endian, step, rows)
    return message(seconds, topic, made)


def compressed(seconds, topic, image, *, format="jpeg", data=None, stamp=None, frame_id="camera"):
    """Return a sensor_msgs/CompressedImage; ``data`` in place of the encoded image."""
    if data is None:
        data = cv2.imencode(f".{format}", image)[1].tobytes()
    head = header(at(seconds) if stamp is None else stamp, frame_id)
    return message(seconds, topic, TYPES[COMPRESSED](head, format, np.frombuffer(data, np.uint8)))


def camera_info(seconds, topic, width=32, height=24, focal=30.0):
    """Return a sensor_msgs/CameraInfo of a camera that looks along the middle of its image."""
    matrix = np.array([focal, 0, width / 2, 0, focal, height / 2, 0, 0, 1], np.float64)
    projection = np.zeros(12)
    region = TYPES["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    made = TYPES[INFO](
        header(at(seconds)), height, width, "plumb_bob", np.zeros(5), matrix, np.eye(3).reshape(-1),
        projection, 0, 0, region,
    )  # fmt: skip
    return message(seconds, topic, made)


def text(seconds, topic, said):
    """Return a std_msgs/String."""
    return message(seconds, topic, TYPES[TEXT](said))


def write_bag(folder, messages, *, storage="mcap", compression="none"):
    """Write a bag of rosbag2 with rosbags, and return its folder.

    storage      "mcap" or "sqlite3"
    compression  "none", "file", "message", or "storage": chunks of MCAP with zstd
    """
    writer = Writer(folder, version=9, storage_plugin=StoragePlugin[storage.upper()])
    writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)
    with writer:
        connections = {}
        for each in messages:
            if each.topic not in connections:
                made = writer.add_connection(each.topic, each.kind, typestore=STORE)
                connections[each.topic] = made
            writer.write(connections[each.topic], each.time, each.data)
    return Path(folder)


def write_mcap(
    path, messages, *, compression="zstd", per_chunk=1, chunked=True, summary=True, profile="ros2"
):
    """Write a single .mcap file with the package mcap, in the order of the messages.

    per_chunk  messages in each chunk
    summary    whether there are indexes and repeated channels
    """
    with Path(path).open("wb") as stream:
        writer = McapWriter(
            stream,
            compression=CompressionType[compression.upper()],
            chunk_size=1 << 30,
            use_chunking=chunked,
            index_types=IndexType.ALL if summary else IndexType.NONE,
            repeat_channels=summary,
            repeat_schemas=summary,
            use_statistics=summary,
            use_summary_offsets=summary,
        )
        writer.start(profile, "tests")
        channels = {}
        for number, each in enumerate(messages):
            if each.topic not in channels:
                definition, _ = STORE.generate_msgdef(each.kind, ros_version=2)
                schema = writer.register_schema(each.kind, "ros2msg", definition.encode())
                channels[each.topic] = writer.register_channel(each.topic, "cdr", schema)
            writer.add_message(channels[each.topic], each.time, each.data, each.time)
            if chunked and number % per_chunk == per_chunk - 1:
                writer.flush()
        writer.finish()
    return Path(path)


def chunks_of(path):
    """Return the first byte and the length of each chunk of an .mcap file."""
    from mcap.reader import make_reader  # noqa: PLC0415

    with Path(path).open("rb") as stream:
        summary = make_reader(stream).get_summary()
    return [(each.chunk_start_offset, each.chunk_length) for each in summary.chunk_indexes]
