"""The folder of the results, on this machine."""

import pytest

from i2t_ros.errors import InvalidRequestError
from i2t_ros.recordings.work.store import LOCK, open_store


@pytest.fixture(params=["path", "URL"])
def store(request, tmp_path):
    folder = tmp_path / "a folder"
    return open_store(str(folder) if request.param == "path" else folder.as_uri())


def test_files_are_written_read_listed_and_removed(store, tmp_path):
    store.write("deep/down/b.json", b"old")
    store.write("deep/down/b.json", b"new")
    store.write("deep/down/a.json", b"")
    store.write("deep/down/.hidden", b"")
    assert store.read("deep/down/b.json") == b"new"
    assert store.names("deep/down") == ["a.json", "b.json"]
    assert store.names("nowhere") == []
    assert (tmp_path / "a folder" / "deep" / "down" / "b.json").read_bytes() == b"new"
    store.remove("deep/down/a.json")
    store.remove("deep/down/a.json")
    assert store.names("deep/down") == ["b.json"]
    store.remove("deep")
    assert store.names("deep") == []
    with pytest.raises(FileNotFoundError):
        store.read("deep/down/b.json")


def test_files_and_folders_of_this_machine_replace_older_ones(store, tmp_path):
    for content in ("old", "new"):
        with store.staging(f"work/{content}") as folder:
            (folder / "bag").mkdir()
            (folder / "bag" / f"{content}.mcap").write_text(content)
            (folder / "file").write_text(content)
            store.put(folder / "bag", "bag")
            store.put(folder / "file", "file")
            assert list(folder.iterdir()) == []
    assert store.names("bag") == ["new.mcap"]
    assert store.read("file") == b"new"
    with store.local("bag/new.mcap") as path:
        assert path.read_bytes() == b"new"


def test_one_run_at_a_time(store):
    other = open_store(store.folder)
    with store.locked():
        with pytest.raises(InvalidRequestError, match="another i2t annotate is at work there"):
            other.locked().__enter__()
        assert store.names("") == []
    with other.locked():
        pass
    assert LOCK.startswith(".")


@pytest.mark.parametrize("url", ["ftp://host/folder", "gs://bucket/folder", "memory://folder"])
def test_a_url_of_another_kind_is_refused(url):
    with pytest.raises(InvalidRequestError, match="expected a folder of this machine, or s3://"):
        open_store(url)


@pytest.mark.parametrize("url", ["s3://", "s3:///", "s3:///folder"])
def test_a_url_names_a_bucket(url):
    with pytest.raises(InvalidRequestError, match="expected the name of a bucket"):
        open_store(url)


def test_credentials_in_a_url_are_refused_and_not_repeated():
    with pytest.raises(InvalidRequestError, match="set AWS_ACCESS_KEY_ID") as caught:
        open_store("s3://me:secret@bucket/folder")
    assert "secret@" not in str(caught.value)
    assert "me:" not in str(caught.value)
