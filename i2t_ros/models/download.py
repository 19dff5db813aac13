"""Fetching a model's file: resumed, checked against size and SHA-256, and put in place whole."""

from __future__ import annotations

import errno
import hashlib
import importlib
import logging
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from i2t_ros.errors import ModelCacheError, ModelCorruptError, ModelDownloadError
from i2t_ros.models.manifest import ModelFile
from i2t_ros.optional import needed_for

if TYPE_CHECKING:
    import requests

logger = logging.getLogger(__name__)

# Small, because urllib3 drops what it has of the piece in which a connection breaks.
CHUNK = 1 << 14

# Imported for a download alone: they take time, and most starts do without.
NEEDED = ("filelock", "requests", "tqdm")
INSTALL = (
    f"pip install {' '.join(NEEDED)} (on a robot: apt install python3-{' python3-'.join(NEEDED)}), "
    "or put the file in a folder named by I2T_MODEL_PATH"
)


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """Seconds, except ``attempts``.

    open      until a server has begun to answer: name look-up, connection, redirects, headers
    silence   between two pieces of the file
    attempts  in a row that bring no new byte
    other     until another process that is fetching the same file has finished
    """

    open: float = 5.0
    silence: float = 15.0
    attempts: int = 3
    other: float = 600.0


def download(
    file: ModelFile,
    target: Path,
    *,
    progress: bool = True,
    limits: DownloadLimits = DownloadLimits(),
) -> None:
    """Fetch ``file`` to ``target``, or do nothing if another process has just done so.

    What has come so far is kept in ``<target>.part``: the next call goes on from there. A file
    that came whole and is wrong is kept as ``<target>.corrupt`` for a look at it, and not used.

    Raises ModelDownloadError (no network, refusal, cut), ModelCorruptError (wrong size or hash),
    ModelCacheError (cannot be stored) and BackendMissingError (without what a download needs).
    """
    with needed_for(f"downloading {file.name}", INSTALL):
        for module in NEEDED:
            importlib.import_module(module)
    with _storing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target, limits):
            if target.is_file() and is_intact(file, target):
                return
            _fetch(file, target, progress, limits)


def is_intact(file: ModelFile, path: Path) -> bool:
    """Whether ``path`` holds what the manifest says."""
    return mismatch(file, path) == ""


def mismatch(file: ModelFile, path: Path) -> str:
    """Return how ``path`` differs from the manifest, "" if it does not."""
    size = path.stat().st_size
    if file.size and size != file.size:
        return f"expected {file.size} bytes, got {size}"
    if file.sha256:
        with path.open("rb") as stream:
            actual = _sha256(stream)
        if actual != file.sha256:
            return f"expected SHA-256 {file.sha256}, got {actual}"
    return ""


def set_aside(path: Path, target: Path) -> Path:
    """Rename what should have been ``target`` so that it is never used; return its new name."""
    corrupt = target.with_name(target.name + ".corrupt")
    path.replace(corrupt)
    return corrupt


def _sha256(stream: Any) -> str:
    digest = hashlib.sha256()
    while piece := stream.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


@contextmanager
def _storing(target: Path) -> Iterator[None]:
    """Turn what the file system refuses into ModelCacheError."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "the disk is full" if full else f"it cannot be written ({error})"
        raise ModelCacheError(
            f"{target} cannot be stored: {why}; make room or set XDG_CACHE_HOME to a folder that "
            "can be written, or put the file in a folder named by I2T_MODEL_PATH"
        ) from error


@contextmanager
def _alone(target: Path, limits: DownloadLimits) -> Iterator[None]:
    """Keep other processes from fetching the same file at the same time."""
    import filelock  # noqa: PLC0415 (see NEEDED)

    lock = filelock.FileLock(f"{target}.lock")
    try:
        lock.acquire(timeout=limits.other)
    except filelock.Timeout as error:
        raise ModelDownloadError(
            f"{target}: another process has been fetching it for {limits.other:.0f} s; "
            "try again when it has finished"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _fetch(file: ModelFile, target: Path, progress: bool, limits: DownloadLimits) -> None:
    """Try each URL; a server that answers with the wrong file is the last word."""
    part = target.with_name(target.name + ".part")
    failures = []
    for url in file.urls:
        logger.info("downloading %s (%.1f MB) from %s", file.name, file.size / 1e6, url)
        try:
            resumed = _fetch_from(url, file, part, progress, limits)
            if resumed and not is_intact(file, part):
                # The beginning may be a stale one: once more, from the first byte.
                part.unlink()
                _fetch_from(url, file, part, progress, limits)
        except ModelDownloadError as error:
            failures.append(str(error))
            continue
        _place(file, part, target, url)
        return
    raise ModelDownloadError(
        f"{file.name} could not be downloaded: {'; '.join(failures) or 'no URL is known for it'}. "
        f"Put the file in a folder named by I2T_MODEL_PATH to do without a network"
    )


def _place(file: ModelFile, part: Path, target: Path, url: str) -> None:
    if wrong := mismatch(file, part):
        corrupt = set_aside(part, target)
        raise ModelCorruptError(
            f"{url} is not the {file.name} that was expected: {wrong}; kept as {corrupt}, not used"
        )
    part.replace(target)


def _fetch_from(
    url: str, file: ModelFile, part: Path, progress: bool, limits: DownloadLimits
) -> bool:
    """Fill ``part``; return whether it goes on from what an earlier process left.

    A connection that breaks is taken up again for as long as it brings something.
    """
    resumed = part.exists() and part.stat().st_size > 0
    without_news = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _receive(url, file, part, progress, limits)
            return resumed
        except _CutError as error:
            now = part.stat().st_size if part.exists() else 0
            without_news = 0 if now > before else without_news + 1
            if without_news >= limits.attempts:
                raise ModelDownloadError(
                    f"{url}: broken off after {now} of {file.size} bytes ({error}); the next "
                    "attempt goes on from there"
                ) from error


class _CutError(Exception):
    """The connection broke while the file was coming."""


def _receive(url: str, file: ModelFile, part: Path, progress: bool, limits: DownloadLimits) -> None:
    """Append what ``part`` lacks. Raises _CutError if the connection breaks."""
    have = part.stat().st_size if part.exists() else 0
    if file.size and have == file.size:
        return
    if file.size and have > file.size:
        part.unlink()
        have = 0
    response = _open(url, have, limits)
    with response:
        if response.status_code == 416:
            part.unlink(missing_ok=True)
            raise _CutError("the server has nothing from that byte on")
        have = _start(response, url, file, have)
        if shutil.disk_usage(part.parent).free < file.size - have:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(part))
        with part.open("ab" if have else "wb") as stream, _bar(file, have, progress) as bar:
            for piece in _pieces(response):
                stream.write(piece)
                bar.update(len(piece))
                if file.size and stream.tell() > file.size:
                    break  # the size check says what is wrong
            stream.flush()
            os.fsync(stream.fileno())
        if file.size and part.stat().st_size < file.size:
            raise _CutError("the server closed the connection")


def _start(response: requests.Response, url: str, file: ModelFile, have: int) -> int:
    """Return from which byte the answer goes on. Raises if it is not the file expected."""
    status = response.status_code
    if status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        return have
    if status != 200:
        raise ModelDownloadError(f"{url}: the server answered {status} {response.reason}")
    length = response.headers.get("Content-Length")
    if file.size and length and int(length) != file.size:
        kind = response.headers.get("Content-Type", "unknown type")
        raise ModelCorruptError(
            f"{url} is not the {file.name} that was expected: expected {file.size} bytes, the "
            f"server offers {length} ({kind}); nothing was stored"
        )
    return 0


def _pieces(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_content(CHUNK)
    except OSError as error:
        raise _CutError(str(error)) from error


@contextmanager
def _bar(file: ModelFile, have: int, progress: bool) -> Iterator[Any]:
    """Show a progress bar if somebody is looking at a terminal."""
    import tqdm  # noqa: PLC0415 (see NEEDED)

    with tqdm.tqdm(
        total=file.size or None,
        initial=have,
        desc=file.name,
        unit="B",
        unit_scale=True,
        leave=False,
        disable=None if progress else True,
    ) as bar:
        yield bar


def _open(url: str, have: int, limits: DownloadLimits) -> requests.Response:
    """Ask for the file from byte ``have`` on; answered within ``limits.open`` in all.

    A resolver that does not answer and a firewall that drops packets each hold a socket call far
    longer than any of its own time limits says (several addresses, several tries). So the call
    runs in its own thread, which is left behind when the time is up.
    """
    import requests  # noqa: PLC0415 (see NEEDED)

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    outcome: list[requests.Response | Exception] = []
    answered = threading.Event()
    given_up = threading.Event()

    def ask() -> None:
        try:
            response = requests.get(
                url, headers=headers, stream=True, timeout=(limits.open, limits.silence)
            )
            if given_up.is_set():
                response.close()
            outcome.append(response)
        except Exception as error:
            outcome.append(error)
        answered.set()

    host = urlsplit(url).hostname
    threading.Thread(target=ask, name="i2t-download-open", daemon=True).start()
    if not answered.wait(limits.open):
        given_up.set()
        raise ModelDownloadError(
            f"no answer from {host} within {limits.open:g} s; is there a network?"
        )
    result = outcome[0]
    if isinstance(result, OSError):  # the base of all that requests raises
        raise ModelDownloadError(f"no connection to {host}: {_reason(result)}") from result
    if isinstance(result, Exception):
        raise result
    return result


def _reason(error: OSError) -> str:
    """Return what is at the bottom of an error of requests, which repeats itself at length."""
    cause = error.args[0] if error.args else error
    text = str(getattr(cause, "reason", cause))
    return text.partition("): ")[2] or text
