"""What `i2t describe` and `i2t ask` are given.

Files, patterns, folders, URLs, videos, cameras of this machine and standard input.
"""

import asyncio
import glob
import ipaddress
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from i2t_ros.errors import ImageError, SourceLostError, SourceMissingError, error_from_code
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.sources import open_source
from i2t_ros.sources.pictures import natural_order, pictures_of
from i2t_ros.sources.video import frames_every, is_video
from i2t_ros.types import Image, Picture
from i2t_ros.vision.codecs import decode_image, read_header

STANDARD_INPUT = "-"
URL_BYTES = 64 << 20
URL_TIME = 60.0  # seconds, redirects included: a user waits longer than a server does
WARM_UP = 10
"""Images that a camera takes to find its exposure; the first ones may be black."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One image to describe.

    name     the file, URL or video, as the user would name it
    time     seconds from the beginning of the video; None: a picture
    image    its pixels
    picture  the bytes that it came as; None: a frame of a video or of a camera
    receive  seconds that reading it took
    """

    name: str
    time: float | None
    image: Image
    picture: Picture | None
    receive: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels; the image of a large picture is smaller."""
        if self.picture is None:
            return self.image.shape[1], self.image.shape[0]
        return read_header(self.picture)[1:]

    @property
    def label(self) -> str:
        """The name, and the time if there is one, for people."""
        return self.name if self.time is None else f"{self.name} at {self.time:.2f} s"

    @property
    def where(self) -> dict[str, Any]:
        """The same for JSON."""
        time = {} if self.time is None else {"time": round(self.time, 3)}
        return {"source": self.name, **time}


def names_of(words: Iterable[str]) -> list[str]:
    """Return the files and URLs that the words on a command line stand for, each in its place.

    A folder stands for its pictures, in the order of their names, a pattern for the files that fit.
    A word that stands for nothing is returned as it is: opening it says why.
    """
    return [name for word in words for name in _names(word) or [word]]


def _names(word: str) -> list[str]:
    path = Path(word)
    if word in ("", STANDARD_INPUT) or is_url(word) or os.path.isfile(word):
        return []
    if os.path.isdir(word):
        return [str(found) for found in pictures_of(path)]
    found = (Path(name) for name in glob.glob(word, recursive=True))
    return [
        str(path)
        for path in sorted(found, key=lambda path: (path.parent, natural_order(path)))
        if path.is_file()
    ]


def is_url(name: str) -> bool:
    """Return whether a name is a URL, of any scheme."""
    return "://" in name


def is_camera(name: str) -> bool:
    """Return whether this names a camera of this machine, such as /dev/video0."""
    return any(
        path.startswith("/dev/video") for path in (name, os.path.realpath(name))
    ) and not os.path.isfile(name)


def shots(name: str, every: float, options: DescribeOptions) -> Iterator[Shot]:
    """Yield what there is to describe: a picture, or a frame of a video each ``every`` seconds.

    Of a camera that is one frame, the newest.

    Raises ImageError, SourceError, and BackendMissingError for a URL without the extra ``web``.
    """
    started = time.perf_counter()
    if is_video(name):
        for at, image in frames_every(Path(name), every):
            yield Shot(name, at, image, None, time.perf_counter() - started)
            started = time.perf_counter()
        return
    if is_camera(name):
        image = _snapshot(name)
        yield Shot(name, None, image, None, time.perf_counter() - started)
        return
    picture = Picture(_read(name))
    receive = time.perf_counter() - started
    image = decode_image(picture, options.max_pixels, options.gray16)
    yield Shot(name, None, image, picture, receive)


def _snapshot(name: str) -> Image:
    """Return an image of a camera; raises SourceError."""
    source = open_source(name)
    source.open()
    with closing(source):
        frame = next(islice(source.images(threading.Event()), WARM_UP, None), None)
        if frame is None:
            raise SourceLostError(f"{source.title}: no image")
        return frame.read()


def _read(name: str) -> bytes:
    if name == STANDARD_INPUT:
        if sys.stdin is None:
            raise ImageError("cannot read -: standard input is closed")
        with named("read", name):
            return sys.stdin.buffer.read()
    if is_url(name):
        return _fetch(name)
    path = Path(name)
    if not name:  # a variable of a script that is not set; as a path, it is the working folder
        raise SourceMissingError("expected the name of a picture, got an empty one")
    if os.path.isdir(name):
        raise SourceMissingError(
            f"no pictures in {name}: expected files that end in .jpg, .png, .bmp or .webp"
        )
    if glob.has_magic(name) and not os.path.exists(name):
        raise SourceMissingError(f"no file fits {name}")
    with named("read", name):
        return path.read_bytes()


@contextmanager
def named(verb: str, path: Any) -> Iterator[None]:
    """Turn an OSError of the block into an ImageError that names the file."""
    try:
        yield
    except OSError as error:
        raise ImageError(f"cannot {verb} {path}: {error.strerror or error}") from error


def _fetch(url: str) -> bytes:
    """Return the picture at a URL, with the limits and checks of the HTTP listener.

    The host that the user names may be in a private network, on any port. A redirect leads to
    public addresses or back to that host: what a server answers is not what the user asked for.
    """
    with needed_for("fetching a picture from a URL", how_to_install("web")):
        from i2t_ros.bridges.http import fetch  # noqa: PLC0415
        from i2t_ros.bridges.http.problems import HttpProblem  # noqa: PLC0415
        from i2t_ros.bridges.http.settings import FetchSettings  # noqa: PLC0415

    async def fetched() -> bytes:
        ports = tuple(fetch.PORTS.values())
        with suppress(ValueError):  # read_url says what is wrong
            ports += (urlsplit(url).port or ports[0],)
        target = fetch.read_url(url, ports)
        try:
            found = await fetch.resolve_name(target.host.decode(), target.port or 0)
        except OSError as error:
            raise fetch.failed(f"cannot fetch the picture: {error}") from error
        own = tuple(ipaddress.ip_network(address) for address in found)
        settings = FetchSettings(allowed=own, ports=ports, time=URL_TIME)
        return await fetch.Fetcher(settings, URL_BYTES).fetch(url)

    try:
        return asyncio.run(fetched())
    except HttpProblem as problem:
        raise error_from_code(problem.code, str(problem.detail)) from problem


def saved_names(names: Iterable[str], folder: Path) -> dict[str, Path]:
    """Return where the drawing of each file or URL goes: without an ending, no two the same."""
    taken: dict[str, Path] = {}
    used: set[str] = set()
    for name in dict.fromkeys(names):
        path = urlsplit(name).path if is_url(name) else name
        stem = "picture" if name == STANDARD_INPUT else Path(path).stem or "picture"
        number, free = 1, stem
        while free.lower() in used:
            number += 1
            free = f"{stem}-{number}"
        used.add(free.lower())
        taken[name] = folder / free
    return taken
