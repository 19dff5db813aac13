"""Recordings in S3: what URLs stand for, and the copies that this machine has of them."""

import shutil
from pathlib import Path

import pytest
from deadly_pictures import annotated, job_of, picture_folder

from i2t_ros.errors import SourceLostError, SourceMissingError, SourceUnreadableError
from i2t_ros.recordings import copies as module
from i2t_ros.recordings.base import Damage, Selection
from i2t_ros.recordings.copies import CopiedRecording, Copies
from i2t_ros.recordings.open import open_recording, paths_of
from i2t_ros.recordings.reading.pictures import PictureRecording
from i2t_ros.recordings.remote import listing_of
from i2t_ros.recordings.storage import Storage
from i2t_ros.recordings.work.crew import LocalCrew

pytest.importorskip("s3fs", reason="s3fs is not installed")


@pytest.fixture
def here(s3, request):
    """Return a folder of the bucket for this test alone."""
    return Storage(f"{s3.url}/{request.node.name}")


@pytest.fixture
def pictures(here, tmp_path):
    """Return the URL of a folder with three pictures, the second of which is none."""
    folder = picture_folder(tmp_path / "pictures", 3)
    (folder / "p001.png").write_bytes(b"no picture")
    here.upload(folder, "pictures")
    here.write("pictures/notes.txt", b"not copied")
    return f"{here.url}/pictures"


def test_a_folder_stands_for_what_is_in_it(here):
    for name in ("a10.mcap", "a9.mcap", "film.MP4", "x.db3", "notes.txt", "p2.jpg", "p1.png"):
        here.write(name, b"x")
    here.write("bag/metadata.yaml", b"x")
    here.write("bag/bag_0.mcap", b"x")
    here.write("other/c.mcap", b"x")
    url = here.url
    inside = [f"{url}/{name}" for name in ("a9.mcap", "a10.mcap", "bag", "film.MP4", "x.db3")]
    assert paths_of([url]) == [url, *inside]
    assert paths_of([f"{url}/", f"{url}/a9.mcap"]) == [url, *inside]
    assert paths_of([f"{url}/bag"]) == [f"{url}/bag"]
    assert paths_of([f"{url}/*.mcap"]) == inside[:2]
    pictures = [f"{url}/p1.png", f"{url}/p2.jpg"]
    assert paths_of([f"{url}/*"]) == [*inside[:4], *pictures, inside[4]]
    kinds = [listing_of(each).kind for each in [url, *inside]]
    assert kinds == ["pictures", "bag", "bag", "bag", "video", "bag"]
    assert [entry.name for entry in listing_of(f"{url}/bag").files] == [
        "bag_0.mcap",
        "metadata.yaml",
    ]


def test_a_recording_has_the_name_that_it_has_on_this_machine(here, tmp_path):
    for file, name in [
        ("drive.mcap", "drive"),
        ("packed.mcap.zstd", "packed"),
        ("packed.db3.zstd", "packed"),
        ("bag.2026/bag_0.db3.zstd", "bag.2026"),
        ("pictures.2026/p.png", "pictures.2026"),
        ("front.left.mp4", "front.left"),
    ]:
        top = file.partition("/")[0]
        for each in [file, f"{top}/metadata.yaml"] if top == "bag.2026" else [file]:
            here.write(each, b"x")
            (tmp_path / each).parent.mkdir(exist_ok=True)
            (tmp_path / each).write_bytes(b"x")
        paths = [f"{here.url}/{top}", f"{tmp_path}/{top}"]
        assert paths_of(paths) == paths
        job = job_of(tmp_path / top, tmp_path / "out")
        there, local = (open_recording(path, job) for path in paths)
        assert (there.name, there.kind) == (local.name, local.kind)
        assert there.name == name


def test_what_is_no_recording_is_named(here):
    here.write("notes.txt", b"x")
    here.write("empty/notes.txt", b"x")
    for name, error, match in [
        ("notes.txt", SourceUnreadableError, "expected a bag"),
        ("gone.mcap", SourceMissingError, "there is no such file or folder"),
        ("empty", SourceMissingError, "no bags, videos or pictures in it"),
        ("*.mcap", SourceMissingError, "no bag, video or picture there fits"),
    ]:
        with pytest.raises(error, match=match) as caught:
            paths_of([f"{here.url}/{name}"])
        assert str(caught.value).startswith(f"{here.url}/{name}: ")


def test_what_is_told_names_the_url(s3, pictures, tmp_path):
    out = tmp_path / "out"
    _, summary = annotated(pictures, out, lambda _: LocalCrew(str(out), 1))
    assert summary.images == 2
    damage = Damage(f"{pictures}/p001.png", "", None, summary.damage[0].what)
    assert summary.damage == (damage,)
    assert s3.copies() == ["p000.png", "p001.png", "p002.png"]
    assert str(s3.cache) not in (out / "images.jsonl").read_text()
    module.usual_copies().clear()
    assert s3.copies() == []


def test_errors_name_the_url(pictures, s3):
    recording = open_recording(pictures, job_of(pictures, "out"))
    span = recording.spans(Selection(), 1)[0]
    items = recording.items(span, Selection())
    first = next(items)
    for file in (s3.cache / "i2t_ros" / "recordings").glob("*/files/pictures/p000.png"):
        file.unlink()
    with pytest.raises(Exception, match=f"^cannot read {pictures}/p000.png: No such file"):
        first.read()
    assert [item.source for item in items] == [f"{pictures}/p001.png", f"{pictures}/p002.png"]


def test_a_renderer_finds_the_files(pictures, tmp_path):
    copies = Copies(tmp_path / "copies")
    recording = CopiedRecording(pictures, PictureRecording, copies)
    assert (recording.kind, recording.name, recording.path) == ("pictures", "pictures", pictures)
    folder = Path(recording.here().path)
    assert (folder / "p001.png").read_bytes() == b"no picture"
    copies.clear()
    assert folder.is_dir()  # it is used
    recording.close()
    copies.clear()
    assert not folder.exists()


def test_a_changed_recording_has_another_fingerprint(here, pictures):
    before = listing_of(pictures).digest
    assert listing_of(pictures).digest == before
    here.write("pictures/p001.png", b"no  picture")
    assert listing_of(pictures).digest != before


def test_what_was_used_longest_ago_makes_room(here, tmp_path):
    for name in "abc":
        here.write(f"{name}.mcap", name.encode() * 100)
    listings = {name: listing_of(f"{here.url}/{name}.mcap") for name in "abc"}
    copies = Copies(tmp_path / "copies", most=250)

    def kept():
        return sorted(path.stem for path in copies.folder.glob("*/files/*"))

    with copies.held(listings["a"]):
        with copies.held(listings["b"]) as path:
            assert path.read_bytes() == b"b" * 100
        with copies.held(listings["a"]):
            assert kept() == ["a", "b"]
    with copies.held(listings["c"]):
        assert kept() == ["a", "c"]
        with copies.held(listings["a"]), copies.held(listings["b"]):
            assert kept() == ["a", "b", "c"]  # all are used
    copies.clear()
    assert [path.name for path in copies.folder.iterdir()] == [".lock"]


def test_a_disk_without_room_is_named(here, tmp_path, monkeypatch):
    here.write("a.mcap", b"x" * 100)
    free = shutil.disk_usage(tmp_path)._replace(free=module.RESERVE + 99)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: free)
    with (
        pytest.raises(SourceUnreadableError, match="has 100 bytes, and there is room for 99 in"),
        Copies(tmp_path / "copies").held(listing_of(f"{here.url}/a.mcap")),
    ):
        pass


def test_what_changes_while_it_is_copied_is_no_copy(here, tmp_path):
    here.write("a.mcap", b"old")
    listing = listing_of(f"{here.url}/a.mcap")
    here.write("a.mcap", b"new")
    copies = Copies(tmp_path / "copies")
    with pytest.raises(SourceLostError, match="changed while it was copied"):
        copies.held(listing).__enter__()
    here.remove("a.mcap")
    with pytest.raises(SourceLostError, match="removed while it was copied"):
        copies.held(listing).__enter__()
    copies.clear()
    assert [path.name for path in copies.folder.iterdir()] == [".lock"]


def test_a_name_that_leads_elsewhere_is_refused(here, pictures, monkeypatch):
    storage = Storage(pictures)
    inside = {"name": f"{storage._root}/../../x.png", "type": "file", "size": 1, "ETag": "1"}
    found = {inside["name"]: inside}
    monkeypatch.setattr(storage._files, "find", lambda *_, **__: found)
    with pytest.raises(SourceUnreadableError, match="expected a name that can be a file's"):
        storage.files()
