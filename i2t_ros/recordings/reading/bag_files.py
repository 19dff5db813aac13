"""The files of a bag: a folder of rosbag2, with its metadata.yaml or without, or a single file."""

import os
import re
import shutil
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any, BinaryIO, NamedTuple

import yaml

from i2t_ros.errors import SourceMissingError
from i2t_ros.recordings.reading.bag_parts import LATEST_TIME, Topic
from i2t_ros.recordings.reading.mcap_records import MAGIC
from i2t_ros.resources import load_yaml
from i2t_ros.sources.pictures import has_picture_name
from i2t_ros.sources.video import VIDEOS

METADATA = "metadata.yaml"
MOST_METADATA = 1 << 24
"""Bytes of metadata.yaml: a file of the bag has some 200, and a topic 2000."""
ENDINGS = (".mcap", ".db3", ".mcap.zstd", ".db3.zstd")
SQLITE = b"SQLite format 3\0"
LEAST_FREE = 1 << 30
"""Bytes that unpacking a file leaves free on the disk."""
UNPACKED = 2
"""Unpacked files that are kept: one that ends, and the next one."""
_DIGITS = re.compile(r"(\d+)")
# What rosbag2 appends to the name of a bag; more digits are a date or a time of day.
_PART = re.compile(r"(_\d{1,5})?\.(mcap|db3)(\.zstd)?$")
_BLOCK = 1 << 20


class BagFile(NamedTuple):
    """A file of a bag.

    start, duration  nanoseconds, as metadata.yaml has them; None: it does not say
    """

    path: Path
    start: int | None = None
    duration: int | None = None


class Layout(NamedTuple):
    """What metadata.yaml says of a bag.

    start      nanoseconds since 1970; None: it does not say
    topics     by name
    counts     messages of each topic
    by_message whether each message is compressed
    trouble    what is wrong with metadata.yaml
    """

    files: list[BagFile]
    start: int | None = None
    topics: Mapping[str, Topic] = {}
    counts: Mapping[str, int] = {}
    by_message: bool = False
    trouble: str = ""


def is_bag(path: Path) -> bool:
    """Whether a path is a bag, by its name and that of its files; no file is opened.

    A folder without metadata.yaml is one if its files are those of one: drive_0.mcap and so on, and
    no video or picture. If they have other names, each is a bag of its own.
    """
    if path.is_dir():
        names = {_PART.sub("", file.name) for file in _files_in(path)}
        return (path / METADATA).is_file() or (len(names) == 1 and not _has_other_recordings(path))
    return path.name.endswith(ENDINGS) and path.is_file()


def without_ending(name: str) -> str:
    """Return the name of a file of a bag without its ending; another name as it is."""
    ending = next((each for each in reversed(ENDINGS) if name.endswith(each)), "")
    return name.removesuffix(ending)


def _has_other_recordings(folder: Path) -> bool:
    names = (Path(entry) for entry in os.listdir(folder))
    return any(has_picture_name(name) or name.suffix.lower() in VIDEOS for name in names)


def read_layout(path: Path) -> Layout:
    """Return which files a bag has; raises SourceMissingError, OSError."""
    if not path.exists():
        raise SourceMissingError(f"no such bag: {path}")
    if not path.is_dir():
        return Layout([BagFile(path)])
    there = [BagFile(file) for file in _files_in(path)]
    metadata = path / METADATA
    if not metadata.is_file():
        if not there:
            raise SourceMissingError(f"no bag: expected {METADATA}, *.mcap or *.db3 in {path}")
        return Layout(there)  # its recorder was killed, which costs nothing that is not found later
    try:
        if metadata.stat().st_size > MOST_METADATA:
            raise ValueError(f"expected at most {MOST_METADATA} bytes")
        return _declared(path, load_yaml(metadata)["rosbag2_bagfile_information"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{METADATA} cannot be used: {type(error).__name__}: {error}"
        return Layout(there, trouble=what)


def _files_in(folder: Path) -> list[Path]:
    """Return the files of a folder in the order of the numbers in their names."""
    files = [file for file in folder.iterdir() if file.name.endswith(ENDINGS) and file.is_file()]
    return sorted(
        files,
        key=lambda file: [
            (int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(file.name)
        ],
    )


def _declared(folder: Path, told: Any) -> Layout:
    """Return what metadata.yaml says; raises what comes of a file that says something else."""
    starts = {}
    for file in told.get("files") or ():
        start = _time(file["starting_time"]["nanoseconds_since_epoch"])
        starts[PurePath(_text(file["path"])).name] = start, _time(file["duration"]["nanoseconds"])
    names = [PurePath(_text(name)).name for name in told["relative_file_paths"]]
    files = [BagFile(folder / name, *starts.get(name, (None, None))) for name in names if name]
    topics, counts = {}, {}
    for entry in told.get("topics_with_message_count") or ():
        about = entry["topic_metadata"]
        qos = about.get("offered_qos_profiles")
        topic = Topic(
            _text(about["name"]),
            _text(about["type"]),
            qos=qos if isinstance(qos, str) else yaml.safe_dump(qos or []),
            digest=_text(about.get("type_description_hash") or ""),
        )
        topics[topic.name], counts[topic.name] = topic, int(entry["message_count"])
    start = _time(told["starting_time"]["nanoseconds_since_epoch"])
    by_message = _text(told.get("compression_mode") or "").lower() == "message"
    return Layout(files, start if sum(counts.values()) else None, topics, counts, by_message)


def _text(value: Any) -> str:
    """Return a text; raises TypeError, as a list of lists of lists may have a text of gigabytes."""
    if isinstance(value, (list, dict, set, tuple)):
        raise TypeError(f"expected a text, got a {type(value).__name__}")
    return str(value)


def _time(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 <= value < LATEST_TIME else None


class Unpacker:
    """Unpacks files that are compressed as a whole, and keeps the last ones while it lives."""

    def __init__(self) -> None:
        """Unpack nothing yet."""
        self._kept: OrderedDict[Path, _Unpacked] = OrderedDict()

    def path(self, path: Path) -> tuple[Path, str]:
        """Return an unpacked file, and what is wrong with it; raises OSError."""
        if path.suffix != ".zstd":
            return path, ""
        if path not in self._kept:
            while len(self._kept) >= UNPACKED:
                self._kept.popitem(last=False)[1].remove()
            folder = tempfile.mkdtemp(prefix="i2t-bag-")
            remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            file = Path(folder) / path.stem
            self._kept[path] = _Unpacked(file, _unpack(path, file), remove)
        self._kept.move_to_end(path)
        return self._kept[path][:2]


class _Unpacked(NamedTuple):
    file: Path
    trouble: str
    remove: Callable[[], object]


def _unpack(packed: Path, target: Path) -> str:
    """Unpack what can be unpacked, and return what is wrong with the rest."""
    import zstandard  # noqa: PLC0415 (an optional dependency)

    with packed.open("rb") as stream, target.open("wb") as out:
        head = stream.read(18)
        stream.seek(0)
        try:
            expected = zstandard.frame_content_size(head)
            with zstandard.ZstdDecompressor().stream_reader(stream, closefd=False) as reader:
                size = _copy(reader, out)
        except zstandard.ZstdError as error:
            return f"it cannot be unpacked after {out.tell()} bytes: {error}"
    if size < expected:
        return f"it ends too early: expected {expected} bytes unpacked, got {size}"
    return ""


def _copy(reader: Any, out: BinaryIO) -> int:
    size = 0
    while block := reader.read(_BLOCK):
        out.write(block)
        size += len(block)
        if not size % (64 * _BLOCK) and shutil.disk_usage(out.name).free < LEAST_FREE:
            raise OSError(f"no space on {os.path.dirname(out.name)} to unpack the file")
    return size


def is_sqlite(path: Path) -> bool:
    """Whether an unpacked file is a database, by its beginning; raises OSError."""
    with path.open("rb") as stream:
        start = stream.read(16)
    return start == SQLITE or (not start.startswith(MAGIC) and ".db3" in path.suffixes)
