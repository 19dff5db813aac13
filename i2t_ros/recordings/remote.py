"""Which recordings are on shared storage, told from names alone: nothing is copied for that."""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from i2t_ros.errors import SourceMissingError, SourceUnreadableError
from i2t_ros.recordings.reading.bag_files import ENDINGS, METADATA, without_ending
from i2t_ros.recordings.storage import MAGIC, Entry, Storage
from i2t_ros.sources.pictures import has_picture_name, natural_order
from i2t_ros.sources.video import VIDEOS


@dataclass(frozen=True)
class Listing:
    """What a recording on shared storage consists of.

    kind   as in Recording
    name   the last part of the URL
    files  relative to the URL; of a single file, one with an empty name
    """

    url: str
    kind: str
    name: str
    files: tuple[Entry, ...]

    @property
    def stem(self) -> str:
        """The name for files and people: as Recording has it of the same on this machine."""
        if any(entry.name for entry in self.files):
            return self.name  # a folder has no ending
        plain = without_ending(self.name)
        return plain if plain != self.name else PurePosixPath(self.name).stem

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(entry.size for entry in self.files)

    @property
    def digest(self) -> str:
        """A text that is another one if a file is, or its content."""
        lines = [f"{entry.name}\0{entry.size}\0{entry.tag}\n" for entry in self.files]
        return hashlib.sha256("".join([f"{self.url}\n", *lines]).encode()).hexdigest()


def listing_of(url: str) -> Listing:
    """Return what a recording consists of; raises SourceError if it is none."""
    storage = Storage(url)
    name = url.rstrip("/").rpartition("/")[2]
    found = storage.entry()
    if found is None:
        raise SourceMissingError(f"{url}: there is no such file or folder")
    if not found.is_folder:
        return Listing(url, _kind(name), name, (found,))
    if storage.entry(METADATA) is not None:
        return Listing(url, "bag", name, tuple(storage.files()))
    return Listing(url, "pictures", name, tuple(_pictures(storage.entries())))


def urls_of(word: str) -> list[str]:
    """Return the recordings that a URL stands for, as recordings.open.paths_of does.

    Raises SourceMissingError, and SourceUnreadableError for what is no recording.
    """
    url = word.rstrip("/")
    bucket = "/".join(url.split("/")[:3])
    if set(url) & set(MAGIC):
        found = Storage(bucket).fitting(url.removeprefix(f"{bucket}/"))
        fitting = [each for each in _sorted(found) if _is_recording(each)]
        if not fitting:
            raise SourceMissingError(f"{word}: no bag, video or picture there fits")
        return fitting
    storage = Storage(url)
    entry = storage.entry()
    if entry is None:
        raise SourceMissingError(f"{word}: there is no such file or folder")
    if _is_recording(url):
        return [url]
    if not entry.is_folder:
        raise SourceUnreadableError(
            f"{word}: expected a bag (.mcap, .db3, or a folder with {METADATA}), a video or a "
            "picture, by its name"
        )
    entries = storage.entries()
    inside = [
        f"{url}/{each.name}"
        for each in entries
        if _kind(each.name) in {"bag", "video"} or _is_bag(storage, each)
    ]
    pictures = [url] if _pictures(entries) else []
    if not inside and not pictures:
        raise SourceMissingError(f"{word}: no bags, videos or pictures in it")
    return [*pictures, *_sorted(inside)]


def _is_recording(url: str) -> bool:
    """Whether it is one by itself, instead of a folder of recordings."""
    return bool(_kind(url)) or Storage(url).entry(METADATA) is not None


def _is_bag(storage: Storage, entry: Entry) -> bool:
    return entry.is_folder and storage.entry(f"{entry.name}/{METADATA}") is not None


def _pictures(entries: list[Entry]) -> list[Entry]:
    return [each for each in entries if not each.is_folder and _kind(each.name) == "pictures"]


def _sorted(urls: list[str]) -> list[str]:
    return sorted(urls, key=lambda url: (url.rpartition("/")[0], natural_order(Path(url))))


def _kind(name: str) -> str:
    """Return what a file of this name is; empty: no recording."""
    if name.endswith(ENDINGS):
        return "bag"
    if has_picture_name(Path(name)):
        return "pictures"
    ending = PurePosixPath(name).suffix.lower()
    media = mimetypes.guess_type(f"x{ending}")[0] or ""
    return "video" if ending in VIDEOS or media.startswith("video/") else ""
