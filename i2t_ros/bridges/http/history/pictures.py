"""Where the pictures of the history are kept: in a folder, or in S3-compatible storage.

Each has a key: 64 hexadecimal digits of its hash, a dot and its format. The ``failures`` of a store
are the errors that its methods raise if it fails; all of them block.
"""

import contextlib
import os
import re
import time
from pathlib import Path
from typing import Any, TypeAlias

from i2t_ros.bridges.http.settings import HistorySettings
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for
from i2t_ros.resources import expanded
from i2t_ros.types import Picture
from i2t_ros.vision.codecs import FORMATS, read_header

KEY = re.compile(rf"[0-9a-f]{{64}}\.({'|'.join((*FORMATS, 'jpg'))})")
LONGEST_WRITE = 60.0
"""Seconds after which a file that is not whole is of nobody who is still writing."""
S3_SCHEME = "s3://"


def picture_key(picture: Picture) -> str:
    """Return the key of a picture; raises ImageError for one that is none."""
    return f"{picture.sha256}.{read_header(picture).format}"


def open_store(settings: HistorySettings) -> "PictureStore | None":
    """Return the store that the settings name, or None; raises OSError, BackendMissingError."""
    if not settings.pictures:
        return None
    if settings.pictures.startswith(S3_SCHEME):
        return S3Pictures(settings.pictures, settings.s3_endpoint)
    return FolderPictures(expanded(settings.pictures))


class FolderPictures:
    """Pictures as files in a folder."""

    failures: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, folder: Path) -> None:
        """Make the folder if it is missing; raises OSError."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for part in folder.glob("??/*.part"):  # a process was killed while it wrote
            with contextlib.suppress(FileNotFoundError):
                if part.stat().st_mtime < time.time() - LONGEST_WRITE:
                    part.unlink()

    def put(self, key: str, data: bytes) -> None:
        """Write the file, whole or not at all."""
        path = self._path(key)
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            part.touch(mode=0o600)  # for this user alone, in whatever folder
            part.write_bytes(data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def get(self, key: str) -> bytes | None:
        """Return a picture, or None if it is not kept, or not for this user."""
        with contextlib.suppress(FileNotFoundError, PermissionError, IsADirectoryError):
            return self._path(key).read_bytes()
        return None

    def has(self, key: str) -> bool:
        """Return whether a picture is kept."""
        return self._path(key).exists()

    def delete(self, key: str) -> None:
        """Remove a picture, if it is there."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if not KEY.fullmatch(key):  # so nothing else in the database becomes part of a path
            raise ValueError(f"picture key: expected 64 hexadecimal digits and .jpeg, got {key!r}")
        return self._folder / key[:2] / key


class S3Pictures:
    """Pictures as objects of a bucket, at Amazon or any service that speaks the same."""

    def __init__(self, url: str, endpoint: str = "") -> None:
        """Use ``s3://bucket/prefix``; credentials come from the environment, as boto3 reads it.

        Raises BackendMissingError if boto3 is not installed.
        """
        with needed_for("keeping pictures in S3", how_to_install("s3")):
            import boto3  # noqa: PLC0415
            from botocore.config import Config  # noqa: PLC0415
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        bucket, _, prefix = url.removeprefix(S3_SCHEME).partition("/")
        self._prefix = f"{prefix.strip('/')}/".lstrip("/")
        self.failures: tuple[type[Exception], ...] = (BotoCoreError, ClientError)
        config = Config(connect_timeout=3, read_timeout=10, retries={"max_attempts": 2})
        s3 = boto3.resource("s3", endpoint_url=endpoint or None, config=config)
        self._bucket: Any = s3.Bucket(bucket)

    def put(self, key: str, data: bytes) -> None:
        """Upload the picture."""
        kind = f"image/{key.rpartition('.')[2]}"
        self._bucket.put_object(Key=self._prefix + key, Body=data, ContentType=kind)

    def get(self, key: str) -> bytes | None:
        """Return a picture, or None if it is not kept."""
        with contextlib.suppress(self._bucket.meta.client.exceptions.NoSuchKey):
            return bytes(self._bucket.Object(self._prefix + key).get()["Body"].read())
        return None

    def has(self, key: str) -> bool:
        """Return whether a picture is surely kept."""
        # Who may not list the bucket gets 403 for an object that is not there.
        with contextlib.suppress(self._bucket.meta.client.exceptions.ClientError):
            self._bucket.Object(self._prefix + key).load()
            return True
        return False

    def delete(self, key: str) -> None:
        """Remove a picture, if it is there."""
        self._bucket.Object(self._prefix + key).delete()


PictureStore: TypeAlias = FolderPictures | S3Pictures
