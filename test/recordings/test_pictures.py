"""Pictures as recordings, and the folder of the drawn ones."""

import os
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from rendering_material import rendered, stream_of, telling_of, told_of

from i2t_ros.errors import ImageError, InvalidRequestError, SourceMissingError
from i2t_ros.recordings.base import SECOND, Selection, Span
from i2t_ros.recordings.reading import pictures as reading
from i2t_ros.recordings.reading.pictures import PER_SPAN, PictureRecording
from i2t_ros.recordings.rendering.pictures import PictureRenderer
from i2t_ros.recordings.work.job import Unit
from i2t_ros.vision.codecs import picture_format

GRAY = 120


@pytest.fixture
def folder(tmp_path):
    """Return a folder of four pictures, one of each format, and of what is none."""
    folder = tmp_path / "photos.2024"
    folder.mkdir()
    for name in ("img10.jpg", "img9.PNG", "a.webp", "b.bmp"):
        write(folder / name)
    (folder / "notes.txt").write_text("no picture")
    (folder / "deeper").mkdir()
    return folder


def write(path, size=(320, 240), gray=GRAY):
    image = np.full((*size[::-1], 3), gray, np.uint8)
    path.write_bytes(cv2.imencode(path.suffix.lower(), image)[1].tobytes())
    return path


def items_of(recording, skip=0):
    spans = recording.spans(Selection(), 30 * SECOND)
    return [item for span in spans for item in recording.items(span, Selection(), skip)]


def test_a_folder_in_the_order_of_its_names(folder):
    recording = PictureRecording(str(folder))
    assert (recording.kind, recording.name) == ("pictures", "photos.2024")
    assert recording.topics(Selection()) == ("",)
    assert recording.begin() is None
    items = items_of(recording)
    assert [Path(item.source).name for item in items] == [
        "a.webp",
        "b.bmp",
        "img9.PNG",
        "img10.jpg",
    ]
    assert {(item.time, item.stamp, item.topic) for item in items} == {(None, None, "")}
    assert [item.read().shape for item in items] == [(240, 320, 3)] * 4
    assert [item.size() for item in items] == [(320, 240)] * 4


def test_times_do_not_apply(folder):
    recording = PictureRecording(str(folder))
    selection = Selection(every=40 * SECOND, start=SECOND, end=2 * SECOND)
    assert recording.spans(selection, SECOND) == [Span(0, 4, 4)]
    assert len(list(recording.items(Span(0, 4, 4), selection))) == 4


def test_spans_and_what_is_known(tmp_path):
    for number in range(PER_SPAN + 3):
        write(tmp_path / f"{number}.bmp", (4, 4), number)
    recording = PictureRecording(str(tmp_path))
    spans = recording.spans(Selection(), SECOND)
    assert spans == [Span(0, PER_SPAN, PER_SPAN), Span(PER_SPAN, PER_SPAN + 3, 3)]
    grays = [int(item.read()[0, 0, 0]) for item in recording.items(spans[1], Selection(), 1)]
    assert grays == [PER_SPAN + 1, PER_SPAN + 2]
    grays = [int(item.read()[0, 0, 0]) for item in recording.items(spans[0], Selection(), 62)]
    assert grays == [62, 63]


def test_a_folder_that_changes_keeps_its_spans(folder):
    recording = PictureRecording(str(folder))
    spans = recording.spans(Selection(), SECOND)
    write(folder / "0.jpg")
    names = [Path(item.source).name for item in recording.items(spans[0], Selection())]
    assert names == ["a.webp", "b.bmp", "img9.PNG", "img10.jpg"]
    assert PictureRecording(str(folder)).fingerprint() != recording.fingerprint()


def test_the_fingerprint_tells_whether_a_picture_is_another_one(folder):
    before = PictureRecording(str(folder)).fingerprint()
    assert PictureRecording(str(folder)).fingerprint() == before
    os.utime(folder / "b.bmp", ns=(1, 1))
    assert PictureRecording(str(folder)).fingerprint() != before


def test_a_single_picture(folder):
    recording = PictureRecording(str(folder / "img10.jpg"))
    assert recording.name == "img10"
    (item,) = items_of(recording)
    assert item.source == str(folder / "img10.jpg")


@pytest.mark.parametrize("name", ["nothing", "nothing.jpg", "deeper"])
def test_no_pictures(folder, name):
    with pytest.raises(SourceMissingError, match=name):
        PictureRecording(str(folder / name)).spans(Selection(), SECOND)


def test_a_large_picture_is_read_at_a_smaller_size(tmp_path):
    path = write(tmp_path / "large.jpg", (1600, 1200))
    (item,) = items_of(PictureRecording(str(path), max_pixels=1_000_000))
    assert item.read().shape == (600, 800, 3)
    assert item.size() == (1600, 1200)


def test_damage_shows_when_a_picture_is_read(folder):
    data = (folder / "b.bmp").read_bytes()
    (folder / "b.bmp").write_bytes(data[:1000])
    (folder / "a.webp").unlink()
    (folder / "a.webp").mkdir()  # no file any more
    first, *others = items_of(PictureRecording(str(folder)))
    with pytest.raises(ImageError):
        first.read()
    assert [item.read().shape for item in others] == [(240, 320, 3)] * 2


def test_a_picture_that_goes_away(folder):
    items = items_of(PictureRecording(str(folder)))
    (folder / "a.webp").unlink()
    for wanted in (items[0].read, items[0].size):
        with pytest.raises(ImageError, match=r"a\.webp: No such file"):
            wanted()


def test_an_endless_file(folder, monkeypatch):
    monkeypatch.setattr(reading, "MOST_BYTES", 1000)
    with pytest.raises(ImageError, match=r"b\.bmp has more than 1000 bytes"):
        items_of(PictureRecording(str(folder)))[1].read()


def test_the_drawn_ones_have_their_own_names_and_formats(folder, tmp_path):
    recording = PictureRecording(str(folder))
    (written,), parts = rendered(PictureRenderer, recording, tmp_path / "out")
    assert written == tmp_path / "out" / "annotated"
    names = ["a.webp", "b.bmp", "img10.jpg", "img9.PNG"]
    assert sorted(path.name for path in written.iterdir()) == names
    for name in names:
        drawn, own = (written / name).read_bytes(), (folder / name).read_bytes()
        assert picture_format(drawn) == picture_format(own)
        image = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == (240, 320, 3)
        assert np.abs(image[8:40, 8:10].astype(int) - GRAY).max(axis=2).mean() > 30
        assert np.abs(image[180:, 160:].astype(int) - GRAY).max() < 5
    assert parts == rendered(PictureRenderer, recording, tmp_path / "again")[1]


def test_the_quality_is_heeded(tmp_path):
    path = tmp_path / "noise.jpg"
    noise = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
    path.write_bytes(cv2.imencode(".jpg", noise)[1].tobytes())
    sizes = []
    for quality in (95, 20):
        out = tmp_path / str(quality)
        (file,), _ = rendered(
            PictureRenderer, PictureRecording(str(path)), out, jpeg_quality=quality
        )
        sizes.append(file.stat().st_size)
    assert sizes[1] < sizes[0] / 2


def test_a_large_picture_is_drawn_where_things_are(tmp_path):
    path = write(tmp_path / "large.jpg", (1600, 1200))
    recording = PictureRecording(str(path), max_pixels=1_000_000)
    stream = stream_of(recording)
    (span,) = recording.spans(Selection(), SECOND)
    told = told_of(recording, stream, Selection(), span, box=(800, 600, 1500, 1100))
    assert told[0].description.scene.width == 1600
    renderer = PictureRenderer(recording, [stream], telling_of(tmp_path, stream))
    renderer.part(Unit(0, 0, span), told, tmp_path / "part.zip")
    (file,) = renderer.join([tmp_path / "part.zip"])
    image = cv2.imread(str(file)).astype(int)
    assert image.shape == (600, 800, 3)
    assert np.abs(image[400:500, 398:404] - GRAY).max(axis=(1, 2)).min() > 30
    assert np.abs(image[:200, :300] - GRAY).max() < 5


def test_single_pictures_share_a_folder(folder, tmp_path):
    recordings = [PictureRecording(str(folder / name)) for name in ("img10.jpg", "b.bmp")]
    streams = [
        stream_of(recording, f"photo-{number}", number)
        for number, recording in enumerate(recordings)
    ]
    files = [
        rendered(PictureRenderer, recording, tmp_path / "out", streams=streams)[0]
        for recording in recordings
    ]
    place = tmp_path / "out" / "annotated"
    assert files == [[place / "photo-0.jpg"], [place / "photo-1.bmp"]]
    assert all(file.is_file() for (file,) in files)


def test_a_folder_beside_others_has_a_name(folder, tmp_path):
    recording = PictureRecording(str(folder))
    streams = [stream_of(recording, "one"), stream_of(PictureRecording("two"), "two", 1)]
    (written,), _ = rendered(PictureRenderer, recording, tmp_path / "out", streams=streams)
    assert written == tmp_path / "out" / "annotated.one"


def test_a_name_that_is_not_utf_8(tmp_path):
    place = tmp_path / "photos"
    place.mkdir()
    name = os.fsdecode(b"gr\xfcn %2F.bmp")
    write(tmp_path / "a.bmp").rename(place / name)
    (written,), _ = rendered(PictureRenderer, PictureRecording(str(place)), tmp_path / "out")
    assert os.listdir(written) == [name]


def test_only_what_was_described_is_drawn(folder, tmp_path):
    recording = PictureRecording(str(folder))
    stream = stream_of(recording)
    (span,) = recording.spans(Selection(), SECOND)
    told = told_of(recording, stream, Selection(), span)
    (folder / "b.bmp").write_bytes(b"damaged")
    renderer = PictureRenderer(recording, [stream], telling_of(tmp_path, stream))
    renderer.part(Unit(0, 0, span), [told[0], told[3]], tmp_path / "part.zip")
    (tmp_path / "empty.zip").touch()
    (written,) = renderer.join([tmp_path / "part.zip", tmp_path / "empty.zip"])
    assert sorted(os.listdir(written)) == ["a.webp", "img10.jpg"]
    assert renderer.join([tmp_path / "empty.zip"]) == []


@pytest.mark.parametrize("name", ["../evil.jpg", "%2E%2E", "/etc/evil", "..%2Fevil.jpg", "a%00b"])
def test_a_part_writes_nowhere_else(folder, tmp_path, name):
    recording = PictureRecording(str(folder))
    out = tmp_path / "out"
    out.mkdir()
    renderer = PictureRenderer(recording, [stream_of(recording)], telling_of(out))
    with zipfile.ZipFile(tmp_path / "part.zip", "w") as part:
        part.writestr(name, b"evil")
    with pytest.raises(InvalidRequestError, match="a part of the work"):
        renderer.join([tmp_path / "part.zip"])
    assert not any(path.is_file() for path in out.rglob("*"))
    assert not (tmp_path / "evil.jpg").exists()
