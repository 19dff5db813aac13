"""Annotated videos: every image at its own time, drawn, in a file that others read."""

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("av")
import av
from film_material import Film, by_opencv, number_of
from rendering_material import rendered, stream_of, telling_of, told_of

from i2t_ros.errors import BackendMissingError, BackendUnavailableError
from i2t_ros.recordings.base import SECOND, Selection
from i2t_ros.recordings.reading.videos import VideoRecording
from i2t_ros.recordings.rendering import videos
from i2t_ros.recordings.rendering.videos import VideoRenderer, canvas_of, fitted, framed
from i2t_ros.recordings.work.job import Unit

LARGE = 320, 240  # there is room for words beside the box
PLAIN = Film(size=LARGE)
UNEVEN = 0, 1, 2, 7, 8, 30, 31, 32, 33, 60, 61
VARIABLE = Film(ticks=UNEVEN, base=Fraction(1, 30), size=LARGE)
TV_TICKS = tuple(1001 * number for number in range(28))
TV = Film(ticks=TV_TICKS, base=Fraction(1, 30_000), size=LARGE)


def recording_of(folder, film=None, name="film.mp4", **container):
    return VideoRecording(str((film or PLAIN).write(folder / name, **container)))


def shown(path):
    """Return (time in nanoseconds, pixels) of each image, as any player finds them."""
    with av.open(str(path)) as container:
        return [
            (round(frame.pts * frame.time_base * SECOND), frame.to_ndarray(format="bgr24"))
            for frame in container.decode(video=0)
        ]


@pytest.mark.parametrize("film", [PLAIN, VARIABLE, TV], ids=["constant", "variable", "tv"])
@pytest.mark.parametrize("length", [30 * SECOND, SECOND, SECOND // 2])
def test_every_image_is_shown_at_its_own_time(tmp_path, film, length):
    (path,), parts = rendered(
        VideoRenderer, recording_of(tmp_path, film), tmp_path / "out", length=length
    )
    assert path == tmp_path / "out" / "annotated.mp4"
    assert len(parts) >= film.times[-1] // length
    images = shown(path)
    times = np.array([time for time, _ in images])
    assert np.abs(times - film.times).max() <= 1 + SECOND // videos.TICKS // 2
    numbers = [number_of(image[180:]) for _, image in images]  # below the box
    assert numbers == list(range(len(film.times)))


def test_what_was_found_is_drawn(tmp_path):
    (path,), _ = rendered(VideoRenderer, recording_of(tmp_path), tmp_path / "out")
    plain = by_opencv(tmp_path / "film.mp4")
    for drawn, image in zip(by_opencv(path), plain, strict=True):
        difference = np.abs(drawn.astype(int) - image).max(axis=2)
        assert difference[8:40, 8:10].mean() > 50  # the left side of the box
        assert difference[180:, :150].mean() < 6


def test_colors_stay_what_they_are(tmp_path):
    film = Film(size=LARGE, colors=1, range=1)
    (path,), _ = rendered(VideoRenderer, recording_of(tmp_path, film), tmp_path / "out")
    for image in (by_opencv(path)[-1], shown(path)[-1][1]):
        np.testing.assert_allclose(image[10:100, 200:300].mean((0, 1)), (0, 0, 220), atol=8)
        np.testing.assert_allclose(image[150:200, 200:300].mean((0, 1)), (220, 60, 0), atol=8)


def test_the_same_bytes_twice_without_a_version_or_a_time(tmp_path):
    results = [
        rendered(VideoRenderer, recording_of(tmp_path), tmp_path / name, length=SECOND)
        for name in ("first", "second")
    ]
    (first, first_parts), (second, second_parts) = results
    assert first_parts == second_parts
    data = first[0].read_bytes()
    assert data == second[0].read_bytes()
    assert b"Lavf" not in data
    with av.open(str(first[0])) as container:
        assert "creation_time" not in container.metadata


def test_what_browsers_and_phones_need(tmp_path):
    (path,), _ = rendered(VideoRenderer, recording_of(tmp_path), tmp_path / "out", length=SECOND)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # it plays before it is there as a whole
    with av.open(str(path)) as container:
        (stream,) = container.streams
        context = stream.codec_context
        assert (context.name, context.pix_fmt, context.profile) == ("h264", "yuv420p", "Main")
        assert stream.time_base == Fraction(1, 90_000)
        packets = [packet for packet in container.demux(stream) if packet.size]
    keys = [packet.pts for packet in packets if packet.is_keyframe]
    assert keys == [0, 90_000, 180_000]  # each part begins with one
    assert all(packet.pts == packet.dts for packet in packets)
    assert {packet.duration for packet in packets} == {9_000}  # the last one, too


def test_times_are_those_of_the_whole_video(tmp_path):
    selection = Selection(every=SECOND // 2, start=SECOND, end=5 * SECOND // 2)
    (path,), _ = rendered(
        VideoRenderer, recording_of(tmp_path), tmp_path / "out", selection=selection, length=SECOND
    )
    assert [time for time, _ in shown(path)] == [SECOND, 3 * SECOND // 2, 2 * SECOND]
    assert len(by_opencv(path)) == 3


def test_only_images_that_were_described_are_shown(tmp_path):
    recording = recording_of(tmp_path)
    stream, selection = stream_of(recording), Selection()
    renderer = VideoRenderer(recording, [stream], telling_of(tmp_path, stream))
    spans = recording.spans(selection, SECOND)
    told = [told_of(recording, stream, selection, span) for span in spans]
    told = [told[0][::3], [], told[2][2:3]]
    parts = [tmp_path / f"{number}.mp4" for number in range(3)]
    for number, part in enumerate(parts):
        renderer.part(Unit(0, number, spans[number]), told[number], part)
    assert parts[1].read_bytes() == b""
    (path,) = renderer.join(parts)
    assert [time * 10 // SECOND for time, _ in shown(path)] == [0, 3, 6, 9, 22]


def test_nothing_described_is_no_video(tmp_path):
    recording = recording_of(tmp_path)
    renderer = VideoRenderer(recording, [stream_of(recording)], telling_of(tmp_path))
    part = tmp_path / "part.mp4"
    renderer.part(Unit(0, 0, recording.spans(Selection(), SECOND)[0]), [], part)
    assert renderer.join([part]) == []


def test_several_videos_have_names(tmp_path):
    recording = recording_of(tmp_path)
    streams = [stream_of(recording, "front"), stream_of(VideoRecording("other.mp4"), "back", 1)]
    (path,), _ = rendered(VideoRenderer, recording, tmp_path / "out", streams=streams)
    assert path.name == "annotated.front.mp4"


def test_one_image_is_shown_for_a_while(tmp_path):
    film = Film(ticks=(0,), size=LARGE)
    (path,), _ = rendered(VideoRenderer, recording_of(tmp_path, film), tmp_path / "out")
    ((time, _),) = shown(path)
    assert time == 0
    with av.open(str(path)) as container:
        assert container.duration == 1_000_000


@pytest.mark.parametrize(
    ("size", "canvas"),
    [
        ((97, 65), (98, 66)),
        ((640, 480), (640, 480)),
        ((3840, 2160), (1920, 1080)),
        ((2160, 3840), (1080, 1920)),
        ((4000, 3000), (1920, 1440)),
        ((5000, 10), (1920, 16)),
        ((7, 7), (16, 16)),
    ],
)
def test_sizes(size, canvas):
    assert canvas_of(size) == canvas
    image = np.full((*size[::-1], 3), 200, np.uint8)
    whole = framed(fitted(image, canvas), canvas)
    assert whole.shape == (*canvas[::-1], 3)
    if size[0] / size[1] == pytest.approx(canvas[0] / canvas[1], rel=0.02):
        assert whole.min() == 200  # without bars


def test_odd_sizes_are_not_blurred(tmp_path):
    film = Film("mpeg4", size=(321, 241), ticks=(0, 1, 2))
    (path,), _ = rendered(VideoRenderer, recording_of(tmp_path, film, "odd.avi"), tmp_path / "out")
    images = by_opencv(path)
    assert [image.shape for image in images] == [(242, 322, 3)] * 3
    before, after = images[0][180:200, 155:158], images[0][180:200, 162:165]
    assert np.abs(after.mean((0, 1)) - before.mean((0, 1))).max() > 100  # a sharp edge


def test_an_image_of_another_size_gets_bars(tmp_path):
    whole = b""
    for size in (LARGE, (240, 320)):
        film = Film(ticks=tuple(range(10)), base=Fraction(1, 25), size=size)
        whole += film.write(tmp_path / "part.h264").read_bytes()
    (tmp_path / "whole.h264").write_bytes(whole)
    recording = VideoRecording(str(tmp_path / "whole.h264"))
    (path,), _ = rendered(VideoRenderer, recording, tmp_path / "out")
    images = by_opencv(path)
    assert [image.shape for image in images] == [(240, 320, 3)] * 20
    assert images[-1][:, :60].mean() < 10
    assert images[-1][200:, 80:150].mean() > 60


def test_parts_of_different_encoders_are_not_joined(tmp_path):
    recording = recording_of(tmp_path)
    renderer = VideoRenderer(recording, [stream_of(recording)], telling_of(tmp_path))
    parts = [
        Film(size=size).write(tmp_path / name, format="mp4")
        for size, name in ((LARGE, "a"), ((64, 64), "b"))
    ]
    with pytest.raises(BackendUnavailableError, match="different versions of libx264"):
        renderer.join(parts)


def test_an_ffmpeg_without_the_encoder(tmp_path, monkeypatch):
    recording = recording_of(tmp_path)
    monkeypatch.setattr(videos, "ENCODER", "libnone")
    with pytest.raises(BackendMissingError, match=r"the H\.264 encoder libnone"):
        VideoRenderer(recording, [stream_of(recording)], telling_of(tmp_path))


def test_a_folder_that_cannot_be_written_to(tmp_path):
    recording = recording_of(tmp_path)
    stream = stream_of(recording)
    renderer = VideoRenderer(recording, [stream], telling_of(tmp_path / "missing", stream))
    (span,) = recording.spans(Selection(), 30 * SECOND)
    part = tmp_path / "part.mp4"
    renderer.part(Unit(0, 0, span), told_of(recording, stream, Selection(), span), part)
    with pytest.raises(OSError, match="No such file"):
        renderer.join([part])


def test_a_large_image_is_drawn_at_the_size_of_the_video(tmp_path):
    """So lines and words are as sharp as the video is."""
    film = Film(size=(2560, 1440), ticks=(0, 1))
    (path,), _ = rendered(VideoRenderer, recording_of(tmp_path, film), tmp_path / "out")
    image = by_opencv(path)[0]
    assert image.shape == (1080, 1920, 3)
    plain = fitted(by_opencv(tmp_path / "film.mp4")[0], (1920, 1080))
    difference = np.abs(image.astype(int) - plain).max(axis=2) > 60
    # The box is at 8 to 40 of the large image, so at 6 to 30 here.
    assert difference[10:25, 3:9].any(axis=1).all()
    assert not difference[:, 200:].any()
