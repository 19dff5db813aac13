"""Videos that are damaged, cut, hostile, or none at all."""

import os
import random

import numpy as np
import pytest

pytest.importorskip("av")
import av
from film_material import SIZE, Film, numbers, read

from i2t_ros.errors import I2tError, SourceMissingError, SourceUnreadableError
from i2t_ros.recordings.base import SECOND, Damage, RecordedImage, Selection
from i2t_ros.recordings.reading.opening import FORMATS
from i2t_ros.recordings.reading.videos import VideoRecording

LONG = Film(ticks=tuple(range(100)), options=(("bf", "0"),))
MOTION_JPEG = Film("mjpeg", ticks=tuple(range(100)), pixels="yuvj420p")


def destroyed(path, *packets):
    """Overwrite the inside of some packets of a video; return its path."""
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data, chance = bytearray(path.read_bytes()), random.Random(1)
    for number in packets:
        start, size = places[number]
        data[start + 8 : start + size - 2] = chance.randbytes(size - 10)
    path.write_bytes(data)
    return path


def cut(path, part=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    return path


def damages(recording, length=30 * SECOND):
    return [
        item
        for span in recording.spans(Selection(), length)
        for item in recording.items(span, Selection())
        if isinstance(item, Damage)
    ]


@pytest.mark.parametrize(
    ("ending", "film"),
    [("mp4", LONG), ("mkv", LONG), ("avi", MOTION_JPEG), ("mkv", MOTION_JPEG)],
    ids=["mp4", "mkv", "avi of mjpeg", "mkv of mjpeg"],
)
def test_damaged_packets_are_told_in_their_place_and_the_rest_goes_on(tmp_path, ending, film):
    recording = VideoRecording(str(destroyed(film.write(tmp_path / f"film.{ending}"), 22, 23)))
    shown = numbers(recording)
    bad = [time for time, number in shown if number is None]
    assert len(bad) == 1
    assert 22 * SECOND // 10 <= bad[0] <= 23 * SECOND // 10
    times = [time for time, _ in shown]
    assert times == sorted(times)
    # The images from the next keyframe on, and all before the damage, are what they were.
    expected = dict(zip(film.times, [number % 28 for number in range(100)], strict=True))
    rest = {time: number for time, number in shown if not 22 <= time // (SECOND // 10) < 25}
    assert rest == {
        time: number for time, number in expected.items() if not 22 <= time // (SECOND // 10) < 25
    }
    (damage,) = damages(recording)
    assert damage.source == recording.path
    assert damage.topic == ""
    assert damage.what


@pytest.mark.parametrize("length", [SECOND, SECOND // 2])
def test_damage_is_in_the_span_of_its_time(tmp_path, length):
    recording = VideoRecording(str(destroyed(LONG.write(tmp_path / "film.mp4"), 22, 23)))
    assert read(recording, length=length) == read(recording)
    assert damages(recording, length) == damages(recording)


def test_what_is_known_counts_damages_too(tmp_path):
    recording = VideoRecording(str(destroyed(LONG.write(tmp_path / "film.mp4"), 22)))
    (span,) = recording.spans(Selection(), 30 * SECOND)
    whole = [item.time for item in recording.items(span, Selection())]
    for skip in (10, 22, 23, 50):
        assert [item.time for item in recording.items(span, Selection(), skip)] == whole[skip:]


def test_a_video_that_is_cut_shows_what_is_left_of_it(tmp_path):
    film = LONG.write(tmp_path / "film.mp4", options={"movflags": "faststart"})
    recording = VideoRecording(str(cut(film)))
    shown = [number for _, number in numbers(recording) if number is not None]
    assert 20 < len(shown) < 90
    assert shown == [number % 28 for number in range(len(shown))]
    (damage,) = damages(recording, SECOND)
    assert damage.time == len(shown) * SECOND // 10 or "cut" in damage.what


@pytest.mark.parametrize("ending", ["mkv", "webm", "ts", "avi"])
def test_other_formats_that_are_cut(tmp_path, ending):
    kinds = {"webm": Film("libvpx", ticks=LONG.ticks), "avi": MOTION_JPEG}
    film = kinds.get(ending, LONG)
    recording = VideoRecording(str(cut(film.write(tmp_path / f"film.{ending}"))))
    shown = [number for _, number in numbers(recording) if number is not None]
    assert 40 < len(shown) < 70
    assert shown == [number % 28 for number in range(len(shown))]
    told = damages(recording)
    if ending != "ts":  # it has no header that tells how long it should be
        assert len(told) == 1
    if ending in {"mkv", "webm"}:
        assert "the file is cut: 4" in told[0].what
    assert damages(recording, SECOND) == told


def test_missing_packets_of_a_broadcast(tmp_path):
    path = LONG.write(tmp_path / "film.ts")
    data = path.read_bytes()
    middle = len(data) // 2 // 188 * 188
    path.write_bytes(
        data[:middle] + random.Random(2).randbytes(188 * 7 + 5) + data[middle + 1316 :]
    )
    recording = VideoRecording(str(path))
    told = damages(recording)
    assert len(told) == 1
    assert 4 * SECOND < told[0].time < 6 * SECOND
    shown = numbers(recording)
    assert len([number for _, number in shown if number is not None]) > 85
    assert shown[-1] == (99 * SECOND // 10, 99 % 28)


def test_a_video_without_its_index_is_no_video(tmp_path):
    recording = VideoRecording(str(cut(LONG.write(tmp_path / "film.mp4"))))
    with pytest.raises(SourceUnreadableError, match=r"film\.mp4: not a video, or its beginning or"):
        recording.spans(Selection(), SECOND)


def test_noise(tmp_path):
    """Of any damage comes an error of this package, or images and damages in order."""
    chance = random.Random(3)
    for ending, film in (("mp4", LONG), ("mkv", LONG), ("ts", LONG), ("avi", MOTION_JPEG)):
        whole = film.write(tmp_path / f"whole.{ending}").read_bytes()
        for number in range(12):
            data = bytearray(whole)
            for _ in range(4):
                place = chance.randrange(len(data))
                data[place : place + 40] = chance.randbytes(40)
            path = tmp_path / f"noise-{number}.{ending}"
            path.write_bytes(data)
            recording = VideoRecording(str(path))
            try:
                found = read(recording, length=2 * SECOND)
            except I2tError:
                continue
            assert len(found) <= 200
            times = [time for time, _ in found]
            assert times == sorted(times)
            assert read(recording, length=2 * SECOND) == found


def test_only_sound(tmp_path):
    path = tmp_path / "song.mp4"
    sound(path)
    with pytest.raises(SourceUnreadableError, match="expected moving images, there is only sound"):
        VideoRecording(str(path)).spans(Selection(), SECOND)


def sound(path):
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=48000, layout="mono")
        for number in range(10):
            silence = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, number * 1024
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


def test_the_cover_of_a_song_is_no_film(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as output:
        song = output.add_stream("aac", rate=48000, layout="mono")
        cover = output.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = *SIZE, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic.value
        output.mux(cover.encode(av.VideoFrame(*SIZE, "yuvj420p")))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 48000
        output.mux(song.encode(silence))
        output.mux(song.encode())
    with pytest.raises(SourceUnreadableError, match="expected moving images, there is only sound"):
        VideoRecording(str(path)).spans(Selection(), SECOND)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXTINF:1,\n{film}\n",
        "ffconcat version 1.0\nfile {film}\n",
        "v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "no video at all",
        "",
    ],
)
@pytest.mark.parametrize("ending", ["mp4", "m3u8", "ts"])
def test_text_opens_no_other_file(tmp_path, text, ending):
    film = Film().write(tmp_path / "film.mkv")
    path = tmp_path / f"list.{ending}"
    path.write_text(text.format(film=film))
    with pytest.raises(SourceUnreadableError):
        VideoRecording(str(path)).spans(Selection(), SECOND)


def test_formats_that_name_other_files_are_not_opened(tmp_path):
    """Binary bytes at the end of a playlist get past the look for text."""
    film = Film().write(tmp_path / "film.ts")
    path = tmp_path / "list.ts"
    path.write_bytes(b"\0#EXTM3U\n" + str(film).encode())
    with pytest.raises(SourceUnreadableError):
        VideoRecording(str(path)).spans(Selection(), SECOND)
    known = {"hls", "concat", "dash", "sdp", "image2", "lavfi", "rtsp", "imf"}
    assert not known & set(FORMATS.split(","))


@pytest.mark.parametrize("name", ["http://localhost/film.mp4", "concat:a.mp4|b.mp4", "missing.mp4"])
def test_what_is_no_file_is_not_opened(name):
    with pytest.raises(SourceMissingError, match="no such file"):
        VideoRecording(name).spans(Selection(), SECOND)


def test_a_name_like_a_protocol_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Film().write(tmp_path / "film.mp4")
    (tmp_path / "film.mp4").rename(tmp_path / "tcp:film.mp4")
    assert len(read(VideoRecording("tcp:film.mp4"))) == 28


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "film.mp4")
    with pytest.raises(SourceMissingError):
        VideoRecording(str(tmp_path / "film.mp4")).spans(Selection(), SECOND)


def test_images_above_the_limit(tmp_path):
    path = str(Film().write(tmp_path / "film.mp4"))
    most = SIZE[0] * SIZE[1]
    with pytest.raises(
        SourceUnreadableError, match=f"are 96x64; the limit .max_pixels. is {most - 1}"
    ):
        VideoRecording(path, most - 1).spans(Selection(), SECOND)
    assert len(read(VideoRecording(path, most))) == 28


@pytest.mark.parametrize(
    ("size", "what"),
    [
        ((320, 240), "an image is 320x240; the limit is 6144 pixels"),
        ((640, 480), "an image cannot be decoded: "),  # refused before memory is taken
    ],
)
def test_images_that_grow_above_the_limit(tmp_path, size, what):
    small = Film().write(tmp_path / "small.h264").read_bytes()
    large = Film(size=size, ticks=(0, 1, 2)).write(tmp_path / "large.h264").read_bytes()
    path = tmp_path / "grows.h264"
    path.write_bytes(small + large + small)
    recording = VideoRecording(str(path), SIZE[0] * SIZE[1])
    (span,) = recording.spans(Selection(), 30 * SECOND)
    items = list(recording.items(span, Selection()))
    images = [item for item in items if isinstance(item, RecordedImage)]
    assert len(images) == 2 * 28
    (told,) = [item.what for item in items if isinstance(item, Damage)]
    assert told.startswith(what)


def test_times_that_go_on_for_years_are_not_believed(tmp_path):
    film = Film(ticks=(0, 1, 2, 3 * 10**8), gop=1)
    recording = VideoRecording(str(film.write(tmp_path / "film.mkv")))
    with pytest.raises(SourceUnreadableError, match="its times go on for 30000000 s; the limit"):
        recording.spans(Selection(), 30 * SECOND)
