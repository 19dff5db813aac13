"""sentences.srt and sentences.vtt."""

from itertools import pairwise

import pytest
from told_material import stream_of, telling_of, told_all, told_of, write

from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.writing.subtitles import (
    WIDTH,
    Cues,
    SubtitlesWriter,
    clock,
    lines_of,
    one_line,
)

FILM = stream_of("film")
MARK = "\u200f"


def cues_of(*images):
    """Return (start, end, sentence) of the cues of images, given as (seconds, sentence)."""
    cues, found = Cues(), []
    for seconds, sentence in images:
        found += cues.follow(round(seconds * SECOND), sentence, "en")
    found += cues.end()
    return [(cue.start / SECOND, cue.end / SECOND, cue.sentence) for cue in found]


@pytest.mark.parametrize(
    ("images", "cues"),
    [
        ([(0, "A"), (2, "A"), (4, "B"), (7, "B")], [(0, 4, "A"), (4, 7, "B")]),
        ([(3, "A")], [(3, 4, "A")]),
        ([(0, "A"), (5, "B")], [(0, 5, "A"), (5, 6, "B")]),
        ([], []),
        ([(0, ""), (9, "")], []),
    ],
    ids=["until another", "one image", "the last image", "no image", "no sentence"],
)
def test_a_sentence_is_shown_until_an_image_has_another(images, cues):
    assert cues_of(*images) == cues


def test_a_cue_lasts_a_second_and_then_the_newest_sentence_is_next():
    images = [(0, "A"), (0.2, "B"), (0.4, "C"), (3, "C")]
    assert cues_of(*images) == [(0, 1, "A"), (1, 3, "C")]


def test_a_sentence_that_comes_back_within_the_second_goes_on():
    assert cues_of((0, "A"), (0.2, "B"), (0.4, "A"), (3, "B")) == [(0, 3, "A"), (3, 4, "B")]


def test_an_image_at_the_very_end_of_the_second_counts():
    assert cues_of((0, "A"), (0.5, "B"), (1, "C"), (4, "C")) == [(0, 1, "A"), (1, 4, "C")]


def test_an_empty_sentence_shows_nothing():
    assert cues_of((0, "A"), (2, ""), (5, "B"), (8, "")) == [(0, 2, "A"), (5, 8, "B")]


def test_a_sentence_that_nothing_follows_is_shown_for_a_second():
    # The style "changes": each is said once.
    images = [(0, "A"), (0.1, ""), (4, "B"), (4.1, ""), (9, "")]
    assert cues_of(*images) == [(0, 1, "A"), (4, 5, "B")]


def test_what_is_said_once_while_another_sentence_is_shown_comes_next():
    assert cues_of((0, "A"), (0.3, "B"), (0.4, ""), (9, "")) == [(0, 1, "A"), (1, 2, "B")]
    assert cues_of((0, "A"), (0.3, "B"), (0.4, "")) == [(0, 1, "A"), (1, 2, "B")]


def test_cues_have_no_gaps_and_do_not_overlap():
    images = [(i / 10, f"{i * i % 7} dogs") for i in range(200)]
    cues = cues_of(*images)
    assert cues[0][0] == 0
    assert all(one[1] == other[0] for one, other in pairwise(cues))
    assert all(end - start >= 1 for start, end, _ in cues)
    assert len(cues) > 10


def test_both_files_have_their_form(tmp_path):
    images = [(0, {"dog": 1}), (83.4, {"person": 2}), (3723.25, {"person": 2})]
    write(SubtitlesWriter, tmp_path, told_all(FILM, images))
    assert (tmp_path / "sentences.srt").read_bytes().decode() == (
        "1\n00:00:00,000 --> 00:01:23,400\nI can see a dog.\n\n"
        "2\n00:01:23,400 --> 01:02:03,250\nI can see two people.\n\n"
    )
    assert (tmp_path / "sentences.vtt").read_bytes().decode() == (
        "WEBVTT\n\n00:00:00.000 --> 00:01:23.400\nI can see a dog.\n\n"
        "00:01:23.400 --> 01:02:03.250\nI can see two people.\n"
    )


def test_markup_in_a_sentence_is_text(tmp_path):
    said = "It says <b>A & B</b> --> {\\an8}C\r\n\r\n00:00\u2028x\x1b[2J."
    write(SubtitlesWriter, tmp_path, [told_of(FILM, 0, 0, {}, sentence=said)])
    srt, vtt = ((tmp_path / f"sentences.{kind}").read_text("utf-8") for kind in ("srt", "vtt"))
    assert srt.count("-->") == vtt.count("-->") == 1
    assert "It says ‹b›A & B‹/b› --› { \\an8}C 00:00 x" in " ".join(srt.split())
    assert "It says &lt;b&gt;A &amp; B&lt;/b&gt; --&gt;" in vtt
    assert "\x1b" not in srt + vtt


def test_a_long_sentence_has_several_lines():
    sentence = "I can see two people, a dog, three bicycles, a traffic light and fourteen cars."
    lines = lines_of(sentence, "en")
    assert len(lines) == 3
    assert all(len(line) <= WIDTH for line in lines)
    assert " ".join(lines) == sentence
    assert lines_of("a" * 60 + " b", "en") == ["a" * 60, "b"]


def test_signs_without_spaces_have_several_lines_too():
    sentence = "我看到三辆汽车、两个人、一只狗、四辆自行车、一个交通信号灯和十四把椅子。"
    lines = lines_of(sentence, "zh")
    assert "".join(lines) == sentence
    assert [len(line) for line in lines][:-1] == [pytest.approx(21, abs=1)] * (len(lines) - 1)
    assert not any(line[0] in "、。" for line in lines)


def test_words_from_right_to_left_say_so_in_each_line():
    assert lines_of("3 سيارات", "ar") == [f"{MARK}3 سيارات"]
    lines = lines_of("أرى ثلاث سيارات وشخصين وكلبًا وثلاث دراجات وإشارة مرور وأربعة كراسي", "ar")
    assert len(lines) > 1
    assert all(line.startswith(MARK) for line in lines)
    assert lines_of("x", "no-such-language") == ["x"]


def test_each_stream_with_times_has_files_of_its_own(tmp_path):
    front, rear = (
        stream_of(f"drive.{name}", "bag", source="drive", topic=f"/{name}")
        for name in ("front", "rear")
    )
    photos = stream_of("photos", "pictures", recording=1)
    late = stream_of("late", recording=2)
    images = [
        told_of(front, 0, 0, {"dog": 1}),
        told_of(rear, 0, 0.1, {"cat": 1}),
        told_of(front, 1, 2, {"dog": 1}),
        told_of(photos, 0, None, {"dog": 1}),
        told_of(late, 0, 1, {"car": 1}),
    ]
    write(SubtitlesWriter, tmp_path, images, [front, rear, photos, late])
    names = {f"sentences.{of}" for of in ("drive.front", "drive.rear", "late")}
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {f"{name}.{kind}" for name in names for kind in ("srt", "vtt")}
    assert "a cat" in (tmp_path / "sentences.drive.rear.vtt").read_text("utf-8")
    assert "00:00:00,000 --> 00:00:02,000" in (tmp_path / "sentences.drive.front.srt").read_text()


def test_a_stream_without_images_has_files_without_cues(tmp_path):
    write(SubtitlesWriter, tmp_path, [], [FILM])
    assert (tmp_path / "sentences.srt").read_text() == ""
    assert (tmp_path / "sentences.vtt").read_text() == "WEBVTT\n"


def test_files_of_one_recording_alone_are_open(tmp_path):
    streams = [stream_of(f"film{i}", recording=i) for i in range(50)]
    writer = SubtitlesWriter(telling_of(tmp_path, *streams))
    for stream in streams:
        writer.image(told_of(stream, 0, 0, {"dog": 1}))
        assert len(writer._open) == 1
    writer.close()
    assert len(list(tmp_path.iterdir())) == 100


def test_times_are_clocks_and_sentences_one_line():
    assert clock(99 * 3600 * SECOND + 59 * SECOND + 999_999_999) == "99:00:59.999"
    assert one_line(" a\n\n b\t\u2066c\u2069\x00") == "a b \u2066c\u2069"
