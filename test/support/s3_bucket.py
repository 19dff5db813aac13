"""A bucket of a server of S3 on this machine, and the environment to use it."""

import contextlib
import os
from pathlib import Path
from unittest import mock

import pytest
import requests
from loopback_services import s3_server

NAME = "recordings"
PAGE = 10
"""Names that the server tells at a time; Amazon's tells 1000."""


class Bucket:
    """An empty bucket; ``url`` is a folder in it, as ``cache`` is one of this machine."""

    def __init__(self, server, cache):
        self.server = server
        self.url = f"s3://{NAME}/a folder"
        self.cache = Path(cache)

    def copies(self):
        """Return the names of files that are copies of recordings."""
        files = (self.cache / "i2t_ros" / "recordings").glob("*/files/**/*")
        return sorted(path.name for path in files if path.is_file())


@contextlib.contextmanager
def bucket_on_this_machine(cache):
    """Run a server; the environment of this process names it until the end."""
    with mock.patch.dict(os.environ, MOTO_S3_DEFAULT_MAX_KEYS=str(PAGE)), s3_server() as url:
        requests.put(f"{url}/{NAME}", timeout=30).raise_for_status()
        settings = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "not-for-others",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "XDG_CACHE_HOME": str(cache),
        }
        with mock.patch.dict(os.environ, settings):
            forget_clients()
            try:
                yield Bucket(url, cache)
            finally:
                forget_clients()


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """Return a bucket of a server that runs as long as the tests of a module."""
    with bucket_on_this_machine(tmp_path_factory.mktemp("cache")) as bucket:
        yield bucket


def forget_clients():
    """Have the next one read the environment again."""
    import s3fs  # noqa: PLC0415 (an extra)

    s3fs.S3FileSystem.clear_instance_cache()
