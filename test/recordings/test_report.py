"""What is in report.html, and that it is bounded."""

import base64
import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from report_material import (
    BEGIN,
    languages,
    made_up_images,
    stream_of,
    thumbnail,
    told_of,
    write_report,
)

from i2t_ros.language import LANGUAGES, load_languages
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.telling import tell
from i2t_ros.recordings.base import SECOND, Damage, Selection
from i2t_ros.recordings.report import writer as writing
from i2t_ros.recordings.report.collecting import Bar, Classes, EvenlyKept, Timelines
from i2t_ros.recordings.report.wording import Sentences, page_strings
from i2t_ros.recordings.writing.base import Moment, Run
from i2t_ros.resources import config_path

DOG, PERSON = {"dog": 1}, {"person": 1}
FIELD = re.compile(r"\{\w+\}")


def read_data(path):
    """Return the data and the thumbnails of a report."""
    page = path.read_text(encoding="utf-8")
    found = re.findall(r'<script type="application/json" id="\w+">(.*?)</script>', page, re.DOTALL)
    return [json.loads(text) for text in found]


def drive(options=None, thumbnails=True):
    """Return a stream, and images in which a dog comes at 3 s, and leaves at 7 s."""
    stream = stream_of("drive", topic="/camera/image_raw")
    counts = [{**PERSON, **DOG} if 3 <= second < 7 else PERSON for second in range(10)]
    small = thumbnail((("dog", 1),)) if thumbnails else b""
    told = [
        told_of(stream, second, seen, options, seconds=second, thumbnail=small)
        for second, seen in enumerate(counts)
    ]
    return stream, told


def test_runs_and_moments_are_there(tmp_path):
    stream, told = drive()

    data, thumbnails = read_data(write_report(tmp_path, [stream], told))

    assert data["classes"] == [["person", 10, 1], ["dog", 4, 1]]
    (found,) = data["streams"]
    assert found["rows"] == [[0, [0, 9000, 1]], [1, [3000, 7000, 1]]]
    assert (found["begin"], found["first"], found["last"]) == (BEGIN // 1_000_000, 0, 9000)
    assert (found["images"], found["topic"]) == (10, "/camera/image_raw")
    assert [moment[:4] for moment in data["moments"]] == [
        [0, 0, "/data/drive", [[0, 0, 1]]],
        [0, 3000, "/data/drive", [[1, 0, 1]]],
        [0, 7000, "/data/drive", [[1, 1, 0]]],
    ]
    assert [base64.b64decode(text)[:2] for text in thumbnails] == [b"\xff\xd8"] * 3
    assert [moment[5] for moment in data["moments"]] == [0, 1, 2]


def test_each_sentence_is_there_once_in_every_language(tmp_path):
    stream, told = drive(DescribeOptions(language="de", style="list"))

    options = DescribeOptions(language="de", style="list")
    data, _ = read_data(write_report(tmp_path, [stream], told, options))

    by_tag = dict(
        zip([entry["tag"] for entry in data["languages"]], data["sentences"], strict=True)
    )
    assert sorted(by_tag) == sorted(LANGUAGES)
    for tag, sentences in by_tag.items():
        own = replace(options, language=tag)
        assert sentences == [tell(told[at].description.scene, own) for at in (0, 3)], tag
    assert len(set(map(tuple, data["sentences"]))) >= len(LANGUAGES) - 3  # es and es-419 agree
    assert [moment[4] for moment in data["moments"]] == [0, 1, 0]
    assert data["language"] == "de"


def test_the_same_input_makes_the_same_bytes(tmp_path):
    stream, told = drive()
    pages = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        pages.append(write_report(tmp_path / name, [stream], told).read_bytes())
    assert pages[0] == pages[1]


def test_the_page_may_run_its_own_script_alone(tmp_path):
    stream, told = drive()
    page = write_report(tmp_path, [stream], told).read_text(encoding="utf-8")

    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (script, style)
    ]
    assert policy == (
        f"default-src 'none'; script-src {hashes[0]}; style-src {hashes[1]}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    # The name of SVG is no address that anybody opens.
    assert set(re.findall(r"https?://[^'\"]*", page)) == {"http://www.w3.org/2000/svg"}
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in script


def test_names_from_files_are_no_html(tmp_path):
    evil = '</script><script>alert(1)</script><img src=x onerror="alert(2)">\u2028\ud800'
    stream = stream_of(evil, topic=evil)
    told = [told_of(stream, at, {evil: 1}, seconds=at, source=evil) for at in range(3)]
    damage = [Damage(evil, evil, 5, evil)]
    selection = Selection(topics=(evil,))

    path = write_report(tmp_path, [stream], told, damage=damage, selection=selection)

    page = path.read_text(encoding="utf-8")
    assert page.count("<script") == page.count("</script>") == 3
    assert "<img" not in page
    data, _ = read_data(path)
    assert data["streams"][0]["name"] == data["classes"][0][0] == data["damage"][0][3] == evil


def test_pictures_are_moments_without_a_time(tmp_path):
    stream = stream_of("photos", "pictures")
    told = [told_of(stream, at, DOG, source=f"/data/photos/{at}.jpg") for at in range(3)]

    data, thumbnails = read_data(write_report(tmp_path, [stream], told))

    assert [moment[1:4] for moment in data["moments"]] == [
        [None, f"/data/photos/{at}.jpg", [[0, 0, 1]]] for at in range(3)
    ]
    assert data["streams"][0]["rows"] == thumbnails == []


def test_a_report_of_nothing(tmp_path):
    data, thumbnails = read_data(write_report(tmp_path, [stream_of()], []))
    assert (data["classes"], data["moments"], data["sentences"], thumbnails) == ([], [], [], [])


def test_damage_is_listed_up_to_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "MOST_DAMAGE", 2)
    damage = [Damage("/data/drive", "", at * SECOND, f"chunk {at}") for at in range(5)]

    data, _ = read_data(write_report(tmp_path, [stream_of()], [], damage=damage))

    assert data["damage"] == [["/data/drive", "", 1000 * at, f"chunk {at}"] for at in range(2)]
    assert data["left_out"]["damage"] == 3


def test_moments_and_thumbnails_are_chosen_evenly_if_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "MOST_MOMENTS", 20)
    monkeypatch.setattr(writing, "MOST_THUMBNAIL_BYTES", 30_000)
    stream = stream_of()
    told = list(made_up_images(stream, 600))

    path = write_report(tmp_path, [stream], told)

    data, thumbnails = read_data(path)
    times = [moment[1] for moment in data["moments"]]
    assert 10 <= len(times) <= 20 < data["left_out"]["moments"]
    assert times[0] < 60_000
    assert times[-1] > 500_000
    assert 1 <= len(thumbnails) < len(times)
    assert sum(len(text) * 3 / 4 for text in thumbnails) <= 30_000
    assert data["left_out"]["thumbnails"] > len(thumbnails)
    pictured = [moment[1] for moment in data["moments"] if moment[5] >= 0]
    assert pictured[0] < 60_000
    assert pictured[-1] > 300_000
    shown = [moment[5] for moment in data["moments"] if moment[5] >= 0]
    assert shown == list(range(len(thumbnails)))


def test_evenly_kept():
    kept = EvenlyKept(4)
    for number in range(21):
        wanted = kept.wants(number)
        kept.add(number, str(number))
        assert wanted or number not in kept.items
    assert kept.items == {0: "0", 8: "8", 16: "16"}
    kept.thin(4)
    assert list(kept.items) == [0, 8, 16]
    kept.thin(16)
    assert list(kept.items) == [0, 16]


def test_one_that_is_too_large_is_kept_all_the_same():
    kept = EvenlyKept(10)
    kept.add(0, "a", 100)
    kept.add(1, "b", 100)
    assert kept.items == {0: "a"}


def run_of(start, end, count):
    stream = stream_of()
    told = told_of(stream, 0, {"dog": count}, seconds=start)
    return Run(stream, "dog", count, told, round(end * SECOND))


def test_runs_that_begin_close_together_become_one_if_there_are_too_many():
    timelines = Timelines(most=3)
    for start, end, count in ((0, 0.05, 1), (0.06, 0.08, 3), (1, 2, 1)):
        timelines.add(0, run_of(start, end, count))
    assert timelines.grain == 0
    assert len(timelines.rows(0)["dog"]) == 3

    timelines.add(0, run_of(2.01, 3, 2))

    assert timelines.grain == 100
    assert timelines.rows(0) == {"dog": [Bar(0, 80, 3), Bar(1000, 2000, 1), Bar(2010, 3000, 2)]}
    assert timelines.rows(1) == {}


def test_a_report_has_a_limited_number_of_classes(monkeypatch):
    monkeypatch.setattr("i2t_ros.recordings.report.collecting.MOST_CLASSES", 2)
    classes = Classes()
    for at, name in enumerate(("b", "a", "c", "a")):
        classes.see(told_of(stream_of(), at, {name: at + 1}, seconds=at))
    assert classes.ordered() == ["a", "b"]
    assert (classes.seen["a"].images, classes.seen["a"].most) == (2, 4)
    assert classes.others == {"c"}


def test_a_class_whose_name_is_a_book_is_left_out(tmp_path):
    stream, long = stream_of(), "x" * 1_000_000
    told = [told_of(stream, at, {long: 1, "dog": 1}, seconds=at) for at in range(3)]
    path = write_report(tmp_path, [stream], told)
    data, _ = read_data(path)
    assert [name for name, *_ in data["classes"]] == ["dog"]
    assert data["left_out"]["classes"] == 1
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("how", [{"style": "scene"}, {"spoken": True}])
def test_sentences_are_told_in_the_style_of_the_job(how):
    options = DescribeOptions(language="ja", **how)
    told = told_of(stream_of(), 0, {"dog": 2, "person": 1}, options, seconds=0)
    sentences = Sentences(options)
    for tag, said in zip(sentences.tags, sentences.of(Moment(told, {})), strict=True):
        assert said == tell(told.description.scene, replace(options, language=tag)), tag


def test_in_the_style_of_changes_each_language_says_what_has_changed():
    options = DescribeOptions(language="ja", style="changes")
    told = told_of(stream_of(), 0, {"dog": 2}, options, seconds=9)
    sentences = Sentences(options)
    said = dict(
        zip(
            sentences.tags,
            sentences.of(Moment(told, {"cat": (0, 1), "dog": (0, 2), "person": (3, 2)})),
            strict=True,
        )
    )
    assert said["en"] == ("Two dogs and a cat have come into view. A person has gone out of view.")
    assert "犬" in said["ja"]
    left = dict(zip(sentences.tags, sentences.of(Moment(told, {"dog": (4, 2)})), strict=True))
    assert left["en"] == "Two dogs have gone out of view."


def test_objects_without_a_track_are_told_in_every_language():
    options = DescribeOptions(language="es")
    told = told_of(stream_of(), 0, {"dog": 2}, options, seconds=0)
    scene = told.description.scene
    found = replace(scene.detections, track_ids=np.int64([-1, -1]))
    tracked = replace(told.description, scene=scene.with_detections(found))
    sentences = Sentences(options)
    moment = Moment(replace(told, description=tracked), {"dog": (0, 2)})
    said = dict(zip(sentences.tags, sentences.of(moment), strict=True))
    assert said["es"] == told.description.sentence
    assert said["en"] == "I can see two dogs."


def test_fewer_moments_are_kept_if_their_sentences_are_long(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "MOST_MOMENTS", 2)
    stream, classes = stream_of("photos", "pictures"), config_path("labels", "coco80.txt")
    labels = classes.read_text(encoding="utf-8").split("\n")[:80]
    told = [told_of(stream, at, dict.fromkeys(labels, at + 1)) for at in range(2)]
    data, _ = read_data(write_report(tmp_path, [stream], told))
    assert len(data["moments"]) == 1
    assert data["left_out"]["moments"] == 2


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_page_has_all_words_in_every_language(tag):
    english, own = page_strings("en"), page_strings(tag)
    assert sorted(own) == sorted(english)
    for key, said in own.items():
        assert said.strip() == said != ""
        assert sorted(FIELD.findall(said)) == sorted(FIELD.findall(english[key])), key


def test_languages_are_written_each_in_its_own_words():
    names = [page_strings(tag)["name"] for tag in LANGUAGES]
    assert len(set(names)) == len(LANGUAGES)
    for tag in set(LANGUAGES) - {"en", "en-GB"}:
        same = [key for key, said in page_strings(tag).items() if said == page_strings("en")[key]]
        assert len(same) <= 6, f"{tag}: {same}"


def test_a_language_of_the_users_own_has_the_words_of_the_next_wider_one(tmp_path):
    (tmp_path / "es-MX.yaml").write_text(
        "extends: es\nlabels:\n  dog: {one: perrito, other: perritos, gender: m}\n",
        encoding="utf-8",
    )
    options = DescribeOptions(language="es-MX", languages=load_languages(tmp_path))
    stream, told = drive(options)
    data, _ = read_data(write_report(tmp_path, [stream], told, options))

    (own,) = [entry for entry in data["languages"] if entry["tag"] == "es-MX"]
    assert own["name"] == "es-MX"
    assert own["strings"]["nothingFound"] == "No se encontró nada."
    assert own["labels"] == ["persona", "perrito"]
    assert len(data["languages"]) == len(languages().tags) + 1
