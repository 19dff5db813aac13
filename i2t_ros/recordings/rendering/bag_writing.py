"""Writes MCAP files, and the metadata.yaml that makes a bag of one; the same bytes every time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from i2t_ros.recordings.reading.bag_parts import Topic
from i2t_ros.recordings.rendering.bag_types import definition

CHUNK = 1 << 20
"""Bytes of messages in a chunk, about; what is larger has one of its own."""
LONGEST_QOS = 1 << 16
"""Characters."""
VERSION = 9
"""Of metadata.yaml: what rosbag2 of ROS 2 Jazzy writes."""
_FOREVER = {"sec": 9223372036, "nsec": 854775807}
OUR_QOS = [
    {
        "history": "keep_last",
        "depth": 10,
        "reliability": "reliable",
        "durability": "volatile",
        "deadline": _FOREVER,
        "lifespan": _FOREVER,
        "liveliness": "automatic",
        "liveliness_lease_duration": _FOREVER,
        "avoid_ros_namespace_conventions": False,
    }
]


class _Plain(yaml.SafeDumper):
    """Writes out what is there twice: rosbag2 reads no references."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class McapBag:
    """An MCAP file that is being written."""

    def __init__(self, stream: Any) -> None:
        """Begin a file."""
        from mcap.writer import CompressionType, Writer  # noqa: PLC0415 (an optional dependency)

        self._writer: Any = Writer(stream, chunk_size=CHUNK, compression=CompressionType.ZSTD)
        self._writer.start("ros2", "i2t_ros")
        self._channels: dict[str, int] = {}
        self._schemas: dict[tuple[str, str, str], int] = {}
        self._told: dict[str, tuple[Topic, list[Any]]] = {}
        self._counts: dict[str, int] = {}
        self._times: tuple[int, int] | None = None

    def add(self, topic: Topic, time: int, published: int, data: bytes | memoryview) -> None:
        """Write a message; times are in nanoseconds since 1970, and ``time`` is the recorder's."""
        if topic.name not in self._channels:
            self._channels[topic.name] = self._register(topic)
        self._writer.add_message(self._channels[topic.name], time, bytes(data), published)
        self._counts[topic.name] = self._counts.get(topic.name, 0) + 1
        first, last = self._times or (time, time)
        self._times = min(first, time), max(last, time)

    def finish(self) -> None:
        """Complete the file."""
        self._writer.finish()

    def metadata(self, file: str, begin: int) -> bytes:
        """Return metadata.yaml of a bag with this file alone; without messages it has ``begin``."""
        first, last = self._times or (begin, begin)
        start, duration = {"nanoseconds_since_epoch": first}, {"nanoseconds": last - first}
        total = {"starting_time": start, "duration": duration}
        count = {"message_count": sum(self._counts.values())}
        topics = [
            {
                "topic_metadata": {
                    "name": name,
                    "type": topic.kind,
                    "serialization_format": topic.packing,
                    "offered_qos_profiles": qos,
                    "type_description_hash": topic.digest,
                },
                "message_count": self._counts[name],
            }
            for name, (topic, qos) in self._told.items()
        ]
        about = {
            "version": VERSION,
            "storage_identifier": "mcap",
            "duration": duration,
            "starting_time": start,
            **count,
            "topics_with_message_count": topics,
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [file],
            "files": [{"path": file, **total, **count}],
            "custom_data": None,
            "ros_distro": "jazzy",
        }
        return _yaml({"rosbag2_bagfile_information": about}).encode()

    def _register(self, topic: Topic) -> int:
        """Write the channel of a topic, with the definition of its messages, if it is known."""
        text, digest = topic.definition, topic.digest
        encoding = topic.encoding if text else ""
        if not text or not digest:
            known, known_digest = definition(topic.kind)
            if not text and known:
                text, encoding, digest = known, "ros2msg", digest or known_digest
        schema = topic.kind, encoding, text
        if schema not in self._schemas:
            number = self._writer.register_schema(topic.kind, encoding, text.encode())
            self._schemas[schema] = number
        qos = profiles(topic.qos)
        self._told[topic.name] = topic._replace(digest=digest), qos
        metadata = {"offered_qos_profiles": _yaml(qos) if qos else "", "topic_type_hash": digest}
        channel: int = self._writer.register_channel(
            topic.name, topic.packing, self._schemas[schema], metadata
        )
        return channel


@contextmanager
def writing(file: Path) -> Iterator[McapBag]:
    """Write a file, which is completed in the end; raises OSError."""
    with file.open("wb") as stream:
        bag = McapBag(stream)
        yield bag
        bag.finish()


def our_topic(name: str, kind: str) -> Topic:
    """Return a topic of messages that are made here."""
    text, digest = definition(kind)
    return Topic(name, kind, "ros2msg", text, _yaml(OUR_QOS), digest)


def profiles(text: str) -> list[Any]:
    """Return quality of service as Jazzy writes it, of a text that any distribution wrote."""
    from rosbags.rosbag2.metadata import dump_qos_v9, parse_qos  # noqa: PLC0415

    if not text or len(text) > LONGEST_QOS:
        return []
    try:
        return list(dump_qos_v9(parse_qos(text)))
    except Exception:  # ReaderError, and what comes of a text that is something else
        return []


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True)
