"""The folder of the results in S3, whose server is one of this machine."""

import json
import socket

import pytest
from s3_bucket import PAGE, forget_clients

from i2t_ros.errors import (
    InvalidRequestError,
    SourceLostError,
    SourceMissingError,
    SourceUnreadableError,
)
from i2t_ros.recordings import storage
from i2t_ros.recordings.storage import Storage
from i2t_ros.recordings.work import lease
from i2t_ros.recordings.work.store import LOCK, open_store

pytest.importorskip("s3fs", reason="s3fs is not installed")


@pytest.fixture
def store(s3, request):
    return open_store(f"{s3.url}/{request.node.name}")


@pytest.fixture
def quick(monkeypatch):
    """Have clients not try again, and read the environment of now."""
    monkeypatch.setattr(storage, "CLIENT", {**storage.CLIENT, "retries": {"max_attempts": 0}})
    forget_clients()
    yield monkeypatch
    forget_clients()


def test_files_are_written_read_listed_and_removed(store):
    store.write("deep/down/b.json", b"old")
    store.write("deep/down/b.json", b"new")
    store.write("deep/down/a.json", b"")
    store.write("deep/down/.hidden", b"")
    store.write("deep/further/c.json", b"")
    assert store.read("deep/down/b.json") == b"new"
    assert store.names("deep/down") == ["a.json", "b.json"]
    assert store.names("deep") == ["down", "further"]
    assert store.names("nowhere") == []
    store.remove("deep/down/a.json")
    store.remove("deep/down/a.json")
    assert store.names("deep/down") == ["b.json"]
    store.remove("deep")
    assert store.names("deep") == []
    with pytest.raises(FileNotFoundError):
        store.read("deep/down/b.json")


def test_a_name_is_no_pattern(store):
    for name in ("a[1].png", "a1.png", "a?.png", "*"):
        store.write(f"pictures/{name}", name.encode())
    store.remove("pictures/*")
    store.remove("pictures/a?.png")
    assert store.names("pictures") == ["a1.png", "a[1].png"]
    assert store.read("pictures/a[1].png") == b"a[1].png"
    store.remove("pictures")
    assert store.names("pictures") == []


def test_files_and_folders_of_this_machine_replace_older_ones(store):
    for content in ("old", "new"):
        with store.staging("work") as folder:
            (folder / "bag" / "deep").mkdir(parents=True)
            (folder / "bag" / "deep" / f"{content}.mcap").write_text(content)
            (folder / "file").write_text(content)
            store.put(folder / "bag", "bag")
            store.put(folder / "file", "file")
            assert list(folder.iterdir()) == []
        assert not folder.exists()
    assert store.names("bag/deep") == ["new.mcap"]
    assert store.read("file") == b"new"
    with store.local("bag/deep/new.mcap") as path:
        assert (path.name, path.read_bytes()) == ("new.mcap", b"new")
    assert not path.exists()


def test_all_names_are_told_however_many_there_are(store):
    names = [f"{number:06d}.jsonl" for number in range(2 * PAGE + 1)]
    for name in names:
        store.write(f"units/{name}", b"{}")
    assert store.names("units") == names
    store.remove("units")
    assert store.names("units") == []


def test_one_run_at_a_time(store, monkeypatch):
    monkeypatch.setattr(lease, "RENEW", 0.01)
    monkeypatch.setattr(lease, "LOOK", 0.1)
    with store.locked():
        with pytest.raises(InvalidRequestError, match=r"another i2t annotate \(process \d+ of .*"):
            open_store(store.folder).locked().__enter__()
        assert store.names("") == []
    assert Storage(store.folder).entry(LOCK) is None


def test_what_a_killed_run_has_locked_is_free_after_a_while(store, monkeypatch):
    monkeypatch.setattr(lease, "STALE", 0.2)
    monkeypatch.setattr(lease, "LOOK", 0.05)
    store.write(LOCK, json.dumps({"owner": "process 7 of me on elsewhere", "renewed": 3}).encode())
    with store.locked():
        assert b"elsewhere" not in store.read(LOCK)
    assert Storage(store.folder).entry(LOCK) is None


def test_a_bucket_that_is_not_there(quick, s3):
    store = open_store("s3://no-such-bucket/folder")
    with pytest.raises(SourceMissingError, match=r"^s3://no-such-bucket/folder/a: .* bucket"):
        store.write("a", b"")
    with pytest.raises(SourceMissingError, match="there is no such bucket"):
        store.names("")
    with pytest.raises(SourceMissingError, match="there is no such bucket"):
        store.locked().__enter__()


def test_no_credentials(quick, store):
    quick.delenv("AWS_ACCESS_KEY_ID")
    quick.delenv("AWS_SECRET_ACCESS_KEY")
    forget_clients()
    with pytest.raises(SourceUnreadableError, match=f"^{store.folder}/a: there are no credentials"):
        open_store(store.folder).write("a", b"")


def test_a_server_that_is_not_there(quick, store):
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        quick.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{reserved.getsockname()[1]}")
        forget_clients()
        with pytest.raises(SourceLostError, match="AWS_ENDPOINT_URL names the server") as caught:
            open_store(store.folder).read("a")
    assert str(caught.value).startswith(f"{store.folder}/a: the storage does not answer")
    assert "not-for-others" not in str(caught.value)


def test_access_that_is_denied(store, monkeypatch):
    def denied(*_, **__):
        raise PermissionError("Forbidden")

    monkeypatch.setattr(store._storage._files, "pipe_file", denied)
    with pytest.raises(SourceUnreadableError, match=r"denied \(Forbidden\); .* not write"):
        store.write("a", b"")
