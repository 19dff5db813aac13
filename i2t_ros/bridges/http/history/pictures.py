"""Where the pictures of the history are kept: in a folder, or in S3-compatible storage."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path
from typing import Any, Protocol

from i2t_ros.bridges.http.settings import HistorySettings
from i2t_ros.optional import needed_for

EXTENSIONS = {"jpeg": "jpg", "png": "png", "bmp": "bmp", "webp": "webp"}
"""Format of a picture -> extension of its key."""
MEDIA_TYPES = {extension: f"image/{fmt}" for fmt, extension in EXTENSIONS.items()}

KEY = re.compile(r"[0-9a-f]{64}\.(?:jpg|png|bmp|webp)")
"""All keys are made here, of a hash and a format: nothing a client sends becomes part of a path."""

S3_SCHEME = "s3://"


def make_key(digest: str, fmt: str) -> str:
    """Return the key of a picture; ``digest`` is 64 hexadecimal digits."""
    return f"{digest}.{EXTENSIONS[fmt]}"


def media_type(key: str) -> str:
    """Return the media type of the picture with this key."""
    return MEDIA_TYPES[key.rpartition(".")[2]]


class PictureStore(Protocol):
    """Keeps pictures beyond the life of the process. Blocks; raises OSError if it fails."""

    def put(self, key: str, data: bytes) -> None:
        """Keep a picture."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return a picture, or None if it is not kept."""
        ...

    def delete(self, key: str) -> None:
        """Keep a picture no longer; it may be gone already."""
        ...


def open_store(settings: HistorySettings) -> PictureStore | None:
    """Return the store that the settings name, or None; raises OSError, BackendMissingError."""
    if not settings.pictures:
        return None
    if settings.pictures.startswith(S3_SCHEME):
        return S3Pictures(settings.pictures, settings.s3_endpoint)
    return FolderPictures(Path(settings.pictures).expanduser())


class FolderPictures:
    """Pictures as files in a folder."""

    def __init__(self, folder: Path) -> None:
        """Make the folder if it is missing; raises OSError."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, key: str, data: bytes) -> None:
        """Write the file, whole or not at all."""
        path = self._path(key)
        path.parent.mkdir(exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent)
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.replace(part, path)
        except OSError:
            Path(part).unlink(missing_ok=True)
            raise

    def get(self, key: str) -> bytes | None:
        """Read the file."""
        with contextlib.suppress(FileNotFoundError):
            return self._path(key).read_bytes()
        return None

    def delete(self, key: str) -> None:
        """Remove the file."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError(f"picture key: expected 64 hexadecimal digits and .jpg, got {key!r}")
        return self._folder / key[:2] / key


class S3Pictures:
    """Pictures as objects of a bucket, at Amazon or any service that speaks the same."""

    def __init__(self, url: str, endpoint: str = "") -> None:
        """Use ``s3://bucket/prefix``; credentials come from the environment, as boto3 reads it.

        Raises BackendMissingError if boto3 is not installed.
        """
        install = 'pip install "i2t_ros[s3]", or apt install python3-boto3'
        with needed_for("keeping pictures in S3", install):
            import boto3  # noqa: PLC0415
            from botocore.config import Config  # noqa: PLC0415
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        self._bucket, _, prefix = url.removeprefix(S3_SCHEME).partition("/")
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self._failures = (BotoCoreError, ClientError)
        config = Config(connect_timeout=3, read_timeout=10, retries={"max_attempts": 2})
        self._client: Any = boto3.client("s3", endpoint_url=endpoint or None, config=config)

    def put(self, key: str, data: bytes) -> None:
        """Upload the object."""
        with self._as_os_error("put"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + key,
                Body=data,
                ContentType=media_type(key),
            )

    def get(self, key: str) -> bytes | None:
        """Download the object."""
        with self._as_os_error("get"):
            try:
                reply = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
                return bytes(reply["Body"].read())
            except self._client.exceptions.NoSuchKey:
                return None

    def delete(self, key: str) -> None:
        """Delete the object."""
        with self._as_os_error("delete"):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    @contextlib.contextmanager
    def _as_os_error(self, action: str) -> Any:
        try:
            yield
        except self._failures as error:
            raise OSError(f"S3 {action} in bucket {self._bucket}: {error}") from error
