"""Which recordings the words of a command line stand for, and what reads each."""

import glob
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from i2t_ros.errors import SourceMissingError, SourceUnreadableError
from i2t_ros.recordings.base import Recording
from i2t_ros.recordings.copies import CopiedRecording
from i2t_ros.recordings.reading.bag_files import is_bag
from i2t_ros.recordings.reading.bags import BagRecording
from i2t_ros.recordings.reading.pictures import PictureRecording, legible
from i2t_ros.recordings.reading.videos import VideoRecording
from i2t_ros.recordings.remote import urls_of
from i2t_ros.recordings.storage import is_url, local_path
from i2t_ros.recordings.work.job import Job
from i2t_ros.sources.pictures import is_picture, natural_order, pictures_of
from i2t_ros.sources.video import is_video

EXPECTED = "a bag (.mcap, .db3, or a folder with metadata.yaml), a video or a picture"


def paths_of(words: Iterable[str]) -> list[str]:
    """Return the recordings that words stand for, each once.

    A pattern stands for what fits. A folder that is no bag stands for the bags and videos in it,
    and for its pictures, which are one recording. The same goes for URLs.
    Raises SourceMissingError, and SourceUnreadableError for what is no recording.
    """
    paths = list(dict.fromkeys(path for word in words for path in _paths(word)))
    for path in paths:
        if (shown := legible(path)) != path:
            raise SourceUnreadableError(f"{shown}: expected a name in UTF-8, rename it")
    return paths


def _paths(word: str) -> list[str]:
    if not word:
        raise SourceMissingError("expected the name of a recording, got an empty one")
    if is_url(word):
        return urls_of(word)
    word = local_path(word)
    path = Path(word)
    if not path.exists():
        found = sorted(map(Path, glob.glob(word, recursive=True)), key=natural_order)
        if not found:
            raise SourceMissingError(f"{word}: there is no such file or folder, and nothing fits")
        recordings = [str(each) for each in found if _is_recording(each)]
        if not recordings:
            raise SourceUnreadableError(f"{word}: nothing that fits is {EXPECTED}")
        return recordings
    if _is_recording(path):
        return [word]
    if not path.is_dir():
        raise SourceUnreadableError(f"{word}: expected {EXPECTED}")
    entries = sorted(path.iterdir(), key=natural_order)
    inside = [each for each in entries if is_bag(each) or is_video(str(each))]
    pictures = [word] if pictures_of(path) else []
    if not inside and not pictures:
        raise SourceMissingError(f"{word}: no bags, videos or pictures in it")
    return [*pictures, *map(str, inside)]


def _is_recording(path: Path) -> bool:
    return is_bag(path) or is_video(str(path)) or (path.is_file() and is_picture(path))


def open_recording(path: str, job: Job) -> Recording:
    """Return what reads a recording of a job; nothing is read yet.

    Of one that is on shared storage, this machine has a copy while it is read. Raises SourceError.
    """
    if is_url(path):
        return CopiedRecording(path, partial(_open, job=job))
    return _open(path, job)


def _open(path: str, job: Job) -> Recording:
    values = job.values
    pixels, gray16 = values["max_pixels"], values["gray16"]
    if is_bag(Path(path)):
        return BagRecording(path, pixels, gray16, job.depth)
    if is_video(path):
        return VideoRecording(path, pixels)
    return PictureRecording(path, pixels, gray16)
