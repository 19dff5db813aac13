"""From the rows of images.jsonl to moments."""

import json
import tracemalloc

import msgspec
import pytest
from told_material import stream_of, told_all, told_of, write

from i2t_ros.errors import InvalidRequestError, SourceMissingError, SourceUnreadableError
from i2t_ros.language import LANGUAGES, load_languages
from i2t_ros.recordings import finding
from i2t_ros.recordings.asking import check_classes, wanted_of_words
from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.finding import Query, Rows, Wanted, find
from i2t_ros.recordings.writing.jsonl import JsonLinesWriter

FILM = stream_of("film")
DOG = (Wanted("dog"),)


def rows_of(folder, *images):
    write(JsonLinesWriter, folder, images)
    return Rows(folder / "images.jsonl")


@pytest.fixture
def moments(tmp_path):
    """Return a function: what is found in images, given as (seconds, counts), from and to."""

    def found(images, wanted=DOG, **query):
        rows = rows_of(tmp_path, *told_all(FILM, images))
        return [(moment.start, moment.end) for moment in find(rows, Query(wanted, **query))]

    return found


@pytest.fixture
def asked(tmp_path):
    """Return a function that reads words about a recording: class -> least and most."""

    def read(words, images=((0, {"dog": 1}),), language="en", **how):
        rows = rows_of(tmp_path, *told_all(FILM, images, language=language))
        wanted = wanted_of_words(words, rows, load_languages(), **how)
        return {of.key: (of.least, of.most) for of in wanted}

    return read


def test_a_moment_ends_at_the_image_that_does_not_show_it(moments):
    assert moments([(0, {}), (1, {"dog": 1}), (2, {"dog": 2}), (3.5, {}), (9, {})]) == [(1, 3.5)]


def test_a_moment_ends_with_the_recording(moments):
    assert moments([(0, {}), (1, {"dog": 1}), (8, {"dog": 1})]) == [(1, 8)]
    assert moments([(4, {"dog": 1})]) == [(4, 4)]


def test_an_image_does_not_hold_for_longer_than_ten_seconds(moments):
    before = [(at, {}) for at in range(5)]
    assert moments([*before, (5, {"dog": 1}), (15, {"dog": 1}), (16, {})]) == [(5, 16)]
    assert moments([*before, (5, {"dog": 1}), (3600, {"dog": 1})]) == [(5, 15), (3600, 3600)]
    assert moments([*before, (5, {"dog": 1}), (3600, {})]) == [(5, 15)]
    # A gap of a second more is bridged, as every gap is.
    assert moments([*before, (5, {"dog": 1}), (16, {"dog": 1}), (17, {})]) == [(5, 17)]


def test_if_images_come_slowly_they_hold_for_twice_as_long_as_usual(moments):
    images = [(30 * at, {"dog": 1}) for at in range(4)]
    assert moments([*images, (150, {"dog": 1}), (180, {})]) == [(0, 180)]
    assert moments([*images, (200, {"dog": 1}), (230, {})]) == [(0, 150), (200, 230)]


def test_a_gap_of_a_second_is_bridged_and_a_longer_one_is_not(moments):
    images = [(0, {"dog": 1}), (2, {}), (2.5, {}), (3, {"dog": 1}), (5, {})]
    assert moments(images) == [(0, 5)]
    images[3] = (3.001, {"dog": 1})
    assert moments(images) == [(0, 2), (3.001, 5)]
    assert moments([(0, {"dog": 1}), (1, {}), (1.9, {})]) == [(0, 1)]


def test_all_that_is_wanted_is_in_one_image(moments):
    wanted = (Wanted("person", 2), Wanted("dog"))
    images = [
        *((0, {"person": 2}), (2, {"dog": 1}), (4, {"person": 1, "dog": 1})),
        *((6, {"person": 3, "dog": 2}), (8, {})),
    ]
    assert moments(images, wanted) == [(6, 8)]


def test_more_than_the_most_is_not_wanted(moments):
    images = [(0, {}), (2, {"dog": 1}), (4, {"dog": 2}), (6, {"dog": 3})]
    assert moments(images, (Wanted("dog", 1, 2),)) == [(2, 6)]
    assert moments(images, (Wanted("dog", 0, 0),)) == [(0, 2)]


def test_what_is_shorter_is_left_out(moments):
    images = [(0, {"dog": 1}), (2.9, {}), (10, {"dog": 1}), (13, {})]
    assert moments(images, shortest=3 * SECOND) == [(10, 13)]
    # 0.3 is less than three tenths in binary.
    assert moments([(0.1, {"dog": 1}), (0.4, {})], shortest=300_000_000) == [(0.1, 0.4)]


def test_classes_are_compared_without_capitals_and_with_aliases(moments):
    assert moments([(0, {"Dog": 1, "dog": 1}), (2, {})], (Wanted("dog", 2),)) == [(0, 2)]
    wanted = (Wanted(finding.key_of("aeroplane")),)
    assert moments([(0, {"airplane": 1}), (2, {})], wanted) == [(0, 2)]


def test_streams_are_apart_and_pictures_do_not_last(tmp_path):
    front, rear = (stream_of(f"d.{of}", "bag", source="d", topic=f"/{of}") for of in "fr")
    photos = stream_of("photos", "pictures", recording=1)
    images = [
        told_of(front, 0, 0, {"dog": 1}),
        told_of(rear, 0, 0, {}),
        told_of(rear, 1, 3, {"dog": 1}),
        told_of(front, 1, 4, {}),
        told_of(front, 2, 9, {}),
        told_of(photos, 0, None, {"dog": 1}, source="a.jpg"),
        told_of(photos, 1, None, {}, source="b.jpg"),
    ]
    rows = rows_of(tmp_path, *images)

    def found(**query):
        return [(of.first.stream, of.start, of.end) for of in find(rows, Query(DOG, **query))]

    assert found() == [("d.f", 0, 4), ("d.r", 3, 3), ("photos", None, None)]
    assert found(shortest=1) == [("d.f", 0, 4)]
    assert found(topics=("/r",)) == [("d.r", 3, 3)]
    assert found(sources=("a.jpg",)) == [("photos", None, None)]
    assert found(sources=("d",), topics=("/x",)) == []


def test_a_recording_ends_before_the_next_one_begins(tmp_path):
    images = [
        told_of(stream_of("one"), 0, 5, {"dog": 1}),
        told_of(stream_of("two", recording=1), 0, 0, {"dog": 1}),
    ]
    found = find(rows_of(tmp_path, *images), Query(DOG))
    assert [(of.first.stream, of.start) for of in found] == [("one", 5), ("two", 0)]


def test_damaged_lines_are_left_out_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(finding, "MOST_BYTES", 1000)
    rows = rows_of(tmp_path, *told_all(FILM, [(0, {"dog": 1}), (2, {"dog": 1})]))
    first, second = rows.path.read_bytes().splitlines(keepends=True)
    odd = [b"\n", b"[]\n", b'{"a":1}\n', b"\xff\n", b'"' + b"x" * 5000 + b'"\n', second[:40]]
    rows.path.write_bytes(b"".join([first, *odd[:4], second, *odd[4:]]))
    assert [row.seconds for row in rows] == [0, 2]
    assert (rows.damaged, rows.first) == (6, 2)
    rows.path.write_bytes(b"hello\n")
    with pytest.raises(SourceUnreadableError, match=r"images.jsonl: expected lines of JSON"):
        list(rows)


def test_hostile_lines_cost_themselves(tmp_path):
    rows = rows_of(tmp_path, *told_all(FILM, [(0, {"dog": 1}), (2, {"dog": 1})]))
    first, second = rows.path.read_bytes().splitlines(keepends=True)
    deep = b"[" * 100_000 + b"]" * 100_000
    counts = b'{"dog":1}'
    assert counts in second
    hostile = second.replace(counts, deep), second.replace(b"2.0", b"-1e308")
    late = second.replace(b"2.0", b"1e308")
    rows.path.write_bytes(b"".join([first, *hostile, second, late]))
    assert [moment.end for moment in find(rows, Query(DOG))] == [1e308]
    assert (rows.damaged, rows.first) == (1, 2)


def test_counts_that_are_none_are_no_objects(tmp_path, moments):
    moments([(0, {"dog": 1})])
    path = tmp_path / "images.jsonl"
    row = json.loads(path.read_text())
    odd = [[1], "dog", None, {"dog": "1"}]
    path.write_text("".join(json.dumps(row | {"counts": counts}) + "\n" for counts in odd))
    assert list(find(Rows(path), Query(DOG))) == []


def test_a_folder_in_which_annotate_is_not_done_says_how_to_go_on(tmp_path):
    (tmp_path / ".i2t").mkdir()
    (tmp_path / ".i2t" / "plan.json").touch()
    with pytest.raises(SourceMissingError, match="half done; run the same i2t annotate command ag"):
        list(Rows(tmp_path / "images.jsonl"))


def test_a_folder_that_was_made_without_the_rows_says_how_to_make_them(tmp_path):
    (tmp_path / "annotate.json").touch()
    with pytest.raises(SourceMissingError, match=r"without images.jsonl; run .* --outputs jsonl"):
        list(Rows(tmp_path / "images.jsonl"))


def test_a_folder_that_is_none_or_has_no_results_is_named(tmp_path):
    with pytest.raises(SourceMissingError, match=r"nowhere: no such folder; expected"):
        list(Rows(tmp_path / "nowhere" / "images.jsonl"))
    with pytest.raises(SourceMissingError, match=r"make it with: i2t annotate RECORDING --out"):
        list(Rows(tmp_path / "images.jsonl"))
    (tmp_path / "report.html").touch()
    with pytest.raises(SourceMissingError, match=r"report.html: a file, and no folder; expected"):
        list(Rows(tmp_path / "report.html" / "images.jsonl"))
    (tmp_path / "images.jsonl").mkdir()
    with pytest.raises(SourceUnreadableError, match="directory"):
        list(Rows(tmp_path / "images.jsonl"))


def test_memory_does_not_grow_with_rows():
    def rows(number):
        raw = [msgspec.Raw(f'{{"dog":{i % 3}}}'.encode()) for i in range(9)]
        return (
            finding.Row("f", "f", raw[i % 9], seconds=3.0 * i, sentence="x" * 500)
            for i in range(number)
        )

    def peak(number):
        tracemalloc.start()
        count = sum(1 for _ in find(rows(number), Query(DOG)))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return count, most

    peak(100)
    few, little = peak(1000)
    many, much = peak(20_000)
    assert many > 15 * few
    assert much < little + 100_000


def test_a_link_into_the_report_is_encoded():
    assert finding.report_fragment("a/b&c#d", "a.mcap", 1.5) == "#stream=a%2Fb%26c%23d&t=1.5"
    assert finding.report_fragment("ä", "ä.mp4", 60.0) == "#stream=%C3%A4&t=60"
    assert finding.report_fragment("photos", "photos/a&b.jpg", None) == (
        "#stream=photos&picture=photos%2Fa%26b.jpg"
    )


def test_no_more_classes_are_listed_than_any_detector_has(tmp_path, monkeypatch):
    monkeypatch.setattr(finding, "MOST_CLASSES", 2)
    rows = rows_of(tmp_path, *told_all(FILM, [(0, {"dog": 1, "cat": 1, "car": 1}), (1, {"ox": 1})]))
    assert rows.classes() == ["car", "cat"]


def test_too_many_streams_are_refused(monkeypatch):
    monkeypatch.setattr(finding, "MOST_STREAMS", 3)
    counts = msgspec.Raw(b"{}")
    rows = [finding.Row("f", f"stream {i}", counts, seconds=0.0) for i in range(4)]
    with pytest.raises(SourceUnreadableError, match="at most 3 streams"):
        list(find(rows, Query(DOG)))


def test_words_ask_for_at_least_so_many(asked):
    assert asked("two people and a dog") == {"person": (2, None), "dog": (1, None)}
    assert asked("dogs, no cats") == {"dog": (1, None), "cat": (0, 0)}


def test_words_ask_for_exactly_so_many_if_told_so(asked):
    assert asked("two people and a dog", exactly=True) == {"person": (2, 2), "dog": (1, 1)}


def test_words_are_read_in_the_language_of_the_recording_and_in_english(asked):
    assert asked("dos personas y un perro", language="es") == {
        "person": (2, None),
        "dog": (1, None),
    }
    assert asked("two dogs", language="es") == {"dog": (2, None)}
    own = [(0, {}, "In a language whose file is not here")]
    assert asked("two dogs", own, language="xx") == {"dog": (2, None)}
    assert asked("zwei Hunde", tag="de") == {"dog": (2, None)}


@pytest.mark.parametrize("tag", LANGUAGES)
def test_what_a_language_says_can_be_looked_for(tag, asked):
    counts = {"person": 2, "dog": 1, "car": 3}
    said = told_of(FILM, 0, 0, counts, language=tag).description.sentence
    assert asked(said, language=tag) == {name: (count, None) for name, count in counts.items()}


def test_classes_that_only_occur_can_be_asked_for(asked):
    images = [(0, {"dog": 1}), (1, {"forklift": 1})]
    assert asked("two forklifts and a dog", images) == {"forklift": (2, None), "dog": (1, None)}


@pytest.mark.parametrize(
    ("words", "unclear"),
    [
        ("two people and a unicorn", "unicorn"),
        ("a red car", "red"),
        ("two or three dogs", "or"),
        ("a woman and a dog", "woman"),
        ("no people and a dog", "dog"),
        ("the two dogs", "the"),
        ("dog or cat", "or"),
        ("2020 dogs", "2020"),
        ("a bus stop", "stop"),
    ],
)
def test_words_that_are_not_understood_are_named(words, unclear, asked):
    with pytest.raises(
        InvalidRequestError, match=f"not understood: {unclear}; .*recordings: 'dog'$"
    ):
        asked(words)


@pytest.mark.parametrize(
    ("words", "unclear", "flag"),
    [
        ("no person for 3 s", "for 3 s", "--for 3s"),
        ("a dog for 500ms", "for 500ms", "--for 500ms"),
        ("2.5 minutes", "2.5 minutes", "--for 2.5m"),
        ("a dog for three seconds", "for three seconds", "--for 3s"),
        ("a dog and a unicorn for 1 hour", "for 1 hour, unicorn", "--for 1h"),
    ],
)
def test_a_time_is_given_by_a_flag_and_not_by_words(words, unclear, flag, asked):
    with pytest.raises(InvalidRequestError, match=f"understood: {unclear};.* {flag};"):
        asked(words)


def test_an_error_lists_the_classes_that_are_in_most_images(asked):
    names = [f"kind {number:02d}" for number in range(20)]
    images = [(at, dict.fromkeys(names[at:], 1)) for at in range(20)]
    with pytest.raises(InvalidRequestError) as error:
        asked("a unicorn", images)
    listed = ", ".join(map(repr, names[:4:-1]))
    assert str(error.value).endswith(f"Classes in these recordings: {listed} and 5 more")


def test_words_without_a_class_are_refused(asked):
    for words in ("", "...", "I can see"):
        with pytest.raises(InvalidRequestError, match="they name no class"):
            asked(words)


def test_a_class_that_is_not_known_is_named_with_the_nearest(tmp_path):
    rows = rows_of(tmp_path, *told_all(FILM, [(0, {"forklift": 1, "dog": 2})]))
    check_classes(["Dog", "zebra", "forklift"], rows)
    with pytest.raises(
        InvalidRequestError, match=r"'forklit'.*did you mean forklift.*: 'dog', 'forklift'$"
    ):
        check_classes(["dog", "forklit"], rows)
    with pytest.raises(InvalidRequestError, match=r"recordings: none"):
        check_classes(["forklit"], rows_of(tmp_path, *told_all(FILM, [(0, {})])))
