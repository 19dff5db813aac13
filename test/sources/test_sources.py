"""Where images come from: pictures, folders and videos."""

import itertools
import os
import threading
from pathlib import Path

import cv2
import pytest
from source_images import image, shade_of, take

from i2t_ros.errors import (
    ImageError,
    InvalidRequestError,
    SourceMissingError,
    SourceUnreadableError,
    TruncatedImageError,
)
from i2t_ros.sources import SourceOptions, open_source, pictures, video

FAST = SourceOptions(rate=1000.0)
ONCE = SourceOptions(rate=1000.0, loop=False)
SHADES = range(0, 250, 50)


@pytest.fixture
def folder(tmp_path):
    """Return a folder of pictures in several formats, and what is none among them."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, shade in (("2.jpg", 0), ("10.png", 50), ("a.bmp", 100), ("B.WEBP", 150)):
        data = cv2.imencode(Path(name).suffix.lower(), image(shade))[1]
        (folder / name).write_bytes(data.tobytes())
    (folder / "notes.txt").write_text("no picture")
    (folder / "sub.jpg").mkdir()
    return folder


@pytest.fixture(params=[("film.avi", "MJPG"), ("film.mp4", "mp4v")], ids=["mjpg", "mp4v"])
def film(request, tmp_path):
    name, codec = request.param
    writer = cv2.VideoWriter(str(tmp_path / name), cv2.VideoWriter.fourcc(*codec), 10, (64, 48))
    for shade in SHADES:
        writer.write(image(shade))
    writer.release()
    return tmp_path / name


# Pictures


def test_a_folder_is_shown_in_the_order_of_its_names(folder):
    taken = take(open_source(str(folder), ONCE), 99)
    assert [name for name, _ in taken] == ["2.jpg", "10.png", "B.WEBP", "a.bmp"]
    assert [shade_of(pixels) for _, pixels in taken] == [0, 50, 150, 100]


def test_a_folder_begins_again_with_what_it_holds_by_then(folder):
    images = open_source(str(folder), FAST).images(threading.Event())
    assert [next(images).name for _ in range(4)][-1] == "a.bmp"
    (folder / "2.jpg").unlink()
    assert next(images).name == "10.png"
    images.close()


def test_a_bad_picture_fails_once_and_is_left_out_until_it_changes(folder):
    (folder / "5.jpg").write_bytes(b"\xff\xd8\xff and no more")
    images = open_source(str(folder), FAST).images(threading.Event())
    names = []
    for lazy in itertools.islice(images, 5):
        names.append(lazy.name)
        if lazy.name == "5.jpg":
            with pytest.raises(TruncatedImageError, match=r"5\.jpg"):
                lazy.read()
    assert names == ["2.jpg", "5.jpg", "10.png", "B.WEBP", "a.bmp"]
    (folder / "5.jpg").write_bytes((folder / "2.jpg").read_bytes())
    os.utime(folder / "5.jpg", (1, 1))
    assert [lazy.name for lazy in itertools.islice(images, 2)] == ["2.jpg", "5.jpg"]
    images.close()


@pytest.fixture
def settled(monkeypatch):
    """Take files to be complete as soon as they are written."""
    monkeypatch.setattr(pictures, "SETTLED", -1.0)


class Meanwhile(threading.Event):
    """Does something while a source waits, each time the next of a list."""

    def __init__(self, *actions):
        super().__init__()
        self.actions = list(actions)

    def wait(self, timeout=None):
        if timeout == pictures.LOOK_PERIOD:
            self.actions.pop(0)()
        return self.is_set()


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def moved(path):
    path.rename(path.with_suffix(".away"))


@pytest.mark.parametrize("name", ["2.jpg", "10.png"])
@pytest.mark.parametrize("harm", [cut, moved, Path.unlink, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("use", ["read", "picture"])
def test_a_picture_that_is_bad_for_a_moment_is_left_out_for_that_moment(
    folder, name, harm, use, caplog
):
    path, whole = folder / name, (folder / name).read_bytes()

    def replace():  # at once, and as old as it was
        (folder / "new").write_bytes(whole)
        os.utime(folder / "new", (1, 1))
        (folder / "new").replace(path)

    stop = Meanwhile(lambda: None, replace)
    images = open_source(str(path), FAST).images(stop)
    with caplog.at_level("INFO", "i2t_ros"):
        getattr(next(images), use)()
        lazy = next(images)
        harm(path)
        with pytest.raises(ImageError, match=name):
            getattr(lazy, use)()
        assert next(images).picture().data == whole
    assert stop.actions == []
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize("away", [False, True])
def test_a_folder_that_is_empty_for_a_moment_is_waited_for(folder, away):
    other = folder.with_name("other")

    def back():
        other.rename(folder)

    stop = Meanwhile(lambda: None, back)
    images = open_source(str(folder), FAST).images(stop)
    assert [next(images).name for _ in range(4)][-1] == "a.bmp"
    folder.rename(other)
    if not away:
        folder.mkdir()
        stop.actions[1:] = [folder.rmdir, back]
    assert next(images).name == "2.jpg"
    images.close()


def test_a_single_picture_that_is_being_written_at_the_start_is_waited_for(folder, monkeypatch):
    path, whole = folder / "2.jpg", (folder / "2.jpg").read_bytes()
    cut(path)
    monkeypatch.setattr(pictures.time, "sleep", lambda _: path.write_bytes(whole))
    images = open_source(str(path), FAST).images(threading.Event())
    assert shade_of(next(images).read()) == 0


def test_what_is_shown_once_is_not_waited_for(folder):
    images = open_source(str(folder / "2.jpg"), ONCE).images(threading.Event())
    (folder / "2.jpg").unlink()
    with pytest.raises(ImageError):
        next(images).read()
    assert list(images) == []


def test_a_folder_in_which_nothing_can_be_read_is_an_error(tmp_path, settled):
    (tmp_path / "a.jpg").write_bytes(b"hello")
    images = open_source(str(tmp_path), FAST).images(threading.Event())
    with pytest.raises(ImageError):
        next(images).read()
    with pytest.raises(SourceUnreadableError, match="no picture"):
        next(images)


def test_one_picture_is_decoded_once_and_again_when_it_changes(folder):
    path = folder / "10.png"
    images = open_source(str(path), FAST).images(threading.Event())
    first, second = next(images).read(), next(images).read()
    assert first is second
    cv2.imwrite(str(path), image(200))
    os.utime(path, (1, 1))
    assert shade_of(next(images).read()) == 200
    images.close()


def test_a_picture_file_is_handed_on_as_it_is(folder):
    for name, fmt in (("2.jpg", "jpeg"), ("10.png", "png")):
        lazy = next(open_source(str(folder / name), FAST).images(threading.Event()))
        assert lazy.picture().format == fmt
        assert lazy.picture().data == (folder / name).read_bytes()
    # Not where the file would show something else, or readers may not know it.
    smaller = open_source(str(folder / "2.jpg"), SourceOptions(width=32))
    assert next(smaller.images(threading.Event())).picture() is None
    assert next(open_source(str(folder / "a.bmp")).images(threading.Event())).picture() is None


def test_a_picture_that_goes_or_is_damaged_before_it_is_handed_on_is_an_image_error(folder):
    images = open_source(str(folder), FAST).images(threading.Event())
    first, second = next(images), next(images)
    first_path, second_path = folder / first.name, folder / second.name
    first_path.unlink()
    with pytest.raises(ImageError, match=first.name):
        first.picture()
    second_path.write_bytes(b"no picture")
    with pytest.raises(ImageError, match=second.name):
        second.picture()


def test_a_picture_that_exif_turns_is_not_handed_on(tmp_path):
    from PIL import Image  # noqa: PLC0415

    picture = Image.new("RGB", (64, 48))
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by 90 degrees
    picture.save(tmp_path / "turned.jpg", exif=exif)
    lazy = next(open_source(str(tmp_path / "turned.jpg")).images(threading.Event()))
    assert lazy.picture() is None
    assert lazy.read().shape == (64, 48, 3)


# Videos


def test_a_video_is_shown_frame_by_frame_and_ends(film):
    taken = take(open_source(str(film), ONCE), 99)
    assert [name for name, _ in taken] == [f"frame {n}" for n in range(1, 6)]
    assert [shade_of(pixels) for _, pixels in taken] == list(SHADES)
    assert taken[0][1].shape == (48, 64, 3)
    assert taken[0][1].flags.c_contiguous


def test_a_video_begins_again(film):
    taken = take(open_source(film.as_uri(), FAST), 12)
    assert [shade_of(pixels) for _, pixels in taken] == [*SHADES, *SHADES, *SHADES][:12]


def test_a_video_that_is_replaced_is_waited_for_between_two_rounds(film, monkeypatch):
    monkeypatch.setattr(video, "PAUSES", (0.01,))
    whole, copy = film.read_bytes(), film.with_name("copy")
    images = open_source(str(film), FAST).images(threading.Event())
    for wrong in (b"", b"no video", whole[:300], None):
        names = [next(images).name for _ in SHADES]
        assert names[-1] == f"frame {len(SHADES)}"
        if wrong is None:
            film.unlink()
        else:
            film.write_bytes(wrong)
        copy.write_bytes(whole)
        threading.Timer(0.05, copy.replace, [film]).start()
    assert next(images).name == "frame 1"
    images.close()


def test_a_video_that_is_shown_once_is_not_waited_for(film):
    images = open_source(str(film), ONCE).images(threading.Event())
    next(images)
    film.unlink()
    assert len(list(images)) == len(SHADES) - 1


def test_a_video_has_its_own_rate(film, monkeypatch):
    rates = []
    pace = video.Pace
    monkeypatch.setattr(video, "Pace", lambda rate, stop: rates.append(rate) or pace(1000.0, stop))
    take(open_source(str(film)), 7)
    assert rates == [10.0]


@pytest.mark.skipif(
    not hasattr(cv2, "VIDEOWRITER_PROP_RAW_VIDEO"), reason="this OpenCV cannot write such a video"
)
def test_a_video_of_a_variable_rate_is_shown_at_its_timestamps(tmp_path, monkeypatch):
    path = str(tmp_path / "film.mkv")
    raw = [cv2.VIDEOWRITER_PROP_RAW_VIDEO, 1]
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(path, cv2.CAP_FFMPEG, fourcc, 25.0, (64, 48), raw)
    for tick in (0, 1, 2, 12, 13):
        writer.set(cv2.VIDEOWRITER_PROP_KEY_FLAG, 1)
        writer.set(cv2.VIDEOWRITER_PROP_PTS, tick)
        writer.write(cv2.imencode(".jpg", image(50))[1].reshape(1, -1))
    writer.release()
    gaps = []

    class Pace(video.Pace):
        def wait(self, gap=None):
            gaps.append(gap)
            return True

    monkeypatch.setattr(video, "Pace", Pace)
    take(open_source(path), 6)
    assert gaps[1:5] == pytest.approx([0.04, 0.04, 0.4, 0.04])
    assert (gaps[0], gaps[5]) == (None, None)  # from one round to the next
    gaps.clear()
    take(open_source(path, FAST), 5)
    assert gaps == [None] * 5


@pytest.mark.parametrize(
    ("wanted", "shape"),
    [
        ({"width": 32, "height": 10}, (10, 32, 3)),
        ({"width": 128}, (96, 128, 3)),
        ({"height": 24}, (24, 32, 3)),
    ],
)
def test_images_are_scaled(film, folder, wanted, shape):
    for path in (film, folder):
        ((_, pixels),) = take(open_source(str(path), SourceOptions(rate=1000.0, **wanted)), 1)
        assert pixels.shape == shape


def test_a_stop_ends_it(film):
    stop = threading.Event()
    images = open_source(str(film), FAST).images(stop)
    next(images)
    stop.set()
    assert list(images) == []


# What is no source


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", SourceMissingError, "no source"),
        ("nowhere.mp4", SourceMissingError, "nowhere.mp4"),
        ("file:///nowhere/film.avi", SourceMissingError, "/nowhere/film.avi"),
        ("/dev/video97", SourceMissingError, "/dev/video97"),
        ("97", SourceMissingError, "/dev/video97"),
        pytest.param(
            "videotestsrc ! appsink",
            SourceUnreadableError,
            "GStreamer",
            marks=pytest.mark.skipif(
                "GStreamer:                   YES" in cv2.getBuildInformation(),
                reason="this OpenCV has GStreamer",
            ),
        ),
    ],
)
def test_what_is_not_there_is_named(text, error, message):
    with pytest.raises(error, match=message):
        open_source(text)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.mp4", b"hello\n" * 100, "not a video"),
        ("empty.mp4", b"", "not a video"),
        ("noise.avi", bytes(range(256)) * 40, "not a video"),
        ("bad.jpg", b"\xff\xd8\xff\xe0 and no more", "bad.jpg"),
        ("empty.png", b"", "0 bytes"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, settled, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceUnreadableError, match=message):
        open_source(str(tmp_path / name))


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(SourceMissingError, match="no pictures"):
        open_source(str(tmp_path))


def test_a_pixel_format_has_four_letters():
    with pytest.raises(InvalidRequestError, match="MJPEG"):
        SourceOptions(pixel_format="MJPEG")
