"""detections.jsonl, images.jsonl and detections.parquet."""

import json
from datetime import datetime, timezone

import pytest

pytest.importorskip("pyarrow")
import pyarrow as pa
import pyarrow.parquet as pq
from told_material import objects_of, stream_of, telling_of, told_all, told_of, write

from i2t_ros.cli.object_rows import HEADS
from i2t_ros.errors import BackendMissingError, InvalidRequestError
from i2t_ros.recordings.writing import parquet, registry
from i2t_ros.recordings.writing.jsonl import JsonLinesWriter
from i2t_ros.recordings.writing.parquet import ParquetWriter

BAG = stream_of("drive.front", "bag", source="drive", topic="/front")
STAMP = 1_700_000_000_123_456_789


@pytest.fixture
def images():
    """Return two objects with all that may be known of them, no object, and one of a picture."""
    full = objects_of(
        {"person": 1, "dog": 1},
        track_ids=[4, -1],
        positions=[[3, 0, 4], [0, 0, 0]],
        colors=("", "brown"),
    )
    return [
        told_of(BAG, 0, 1.5, full, language="es", stamp=STAMP, frame_id="camera_optical"),
        told_of(BAG, 1, 2, {}, language="es", stamp=STAMP + 1, frame_id="camera_optical"),
        told_of(stream_of("photos", "pictures", recording=1), 0, None, {"cat": 1}, source="a.jpg"),
    ]


def lines_of(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_has_all_that_is_known_of_an_object(images, tmp_path):
    write(JsonLinesWriter, tmp_path, images)
    person, dog, cat = lines_of(tmp_path / "detections.jsonl")
    assert person == {
        "source": "drive",
        "topic": "/front",
        "seconds": 1.5,
        "stamp": STAMP,
        "frame_id": "camera_optical",
        "class_id": "person",
        "label": "persona",
        "score": 0.9,
        **{"left": 0.5, "top": 20.0, "right": 40.5, "bottom": 100.0},
        "track_id": 4,
        "distance": 5.0,
        **{"x": 3.0, "y": 0.0, "z": 4.0},
        "color": None,
    }
    unknown = [name for name, value in dog.items() if value is None]
    assert unknown == ["track_id", "distance", "x", "y", "z"]
    assert dog["color"] == "brown"
    assert [name for name, value in cat.items() if value is None][:4] == [
        *("topic", "seconds", "stamp", "frame_id")
    ]


def test_an_image_without_objects_has_a_line_in_images_alone(images, tmp_path):
    write(JsonLinesWriter, tmp_path, images)
    _, empty, picture = lines_of(tmp_path / "images.jsonl")
    assert empty == {
        "source": "drive",
        "topic": "/front",
        "seconds": 2.0,
        "stamp": STAMP + 1,
        "frame_id": "camera_optical",
        "recording": 0,
        "stream": "drive.front",
        "number": 1,
        "counts": {},
        "language": "es",
        "sentence": images[1].description.sentence,
    }
    assert (picture["stream"], picture["counts"]) == ("photos", {"cat": 1})


def test_the_columns_of_all_tables_have_the_same_names(images, tmp_path):
    for kind in (JsonLinesWriter, ParquetWriter):
        write(kind, tmp_path, images)
    names = list(lines_of(tmp_path / "detections.jsonl")[0])
    assert pq.read_schema(tmp_path / "detections.parquet").names == names
    assert [name for name in names if name in HEADS] == list(HEADS)


def test_parquet_has_the_same_rows(images, tmp_path):
    for kind in (JsonLinesWriter, ParquetWriter):
        write(kind, tmp_path, images)
    table = pq.read_table(tmp_path / "detections.parquet")
    rows, stamps = table.drop_columns(["stamp"]).to_pylist(), table["stamp"]
    lines = lines_of(tmp_path / "detections.jsonl")
    for row, line in zip(rows, lines, strict=True):
        del line["stamp"]
        assert row == {
            name: pytest.approx(value, rel=1e-6) if isinstance(value, float) else value
            for name, value in line.items()
        }
    assert [stamp.value for stamp in stamps] == [STAMP, STAMP, None]


def test_parquet_has_types_that_fit(images, tmp_path):
    write(ParquetWriter, tmp_path, images)
    schema = pq.read_schema(tmp_path / "detections.parquet")
    assert schema.field("stamp").type == pa.timestamp("ns", tz="UTC")
    assert schema.field("seconds").type == pa.float64()
    assert schema.field("left").type == pa.float32()
    assert schema.field("track_id").type == pa.int64()
    for name in ("source", "topic", "class_id", "label", "color"):
        assert pa.types.is_dictionary(schema.field(name).type), name
    column = pq.read_table(tmp_path / "detections.parquet", columns=["stamp"])["stamp"]
    first = column.cast(pa.timestamp("us", tz="UTC"), safe=False)[0].as_py()
    assert first == datetime.fromtimestamp(STAMP // 1000 / 1e6, timezone.utc)


def test_parquet_of_no_object_is_a_table_without_rows(tmp_path):
    write(ParquetWriter, tmp_path, told_all(BAG, [(0, {})]))
    assert pq.read_table(tmp_path / "detections.parquet").num_rows == 0


def test_parquet_keeps_a_bounded_number_of_rows(monkeypatch, tmp_path):
    monkeypatch.setattr(parquet, "GROUP", 4)
    images = told_all(BAG, [(0, {"dog": 3}), (1, {"cat": 6}), (2, {"dog": 2})])
    write(ParquetWriter, tmp_path, images)
    file = pq.ParquetFile(tmp_path / "detections.parquet")
    groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert groups == [4, 4, 3]
    names = file.read()["class_id"].to_pylist()
    assert names == ["dog"] * 3 + ["cat"] * 6 + ["dog"] * 2


@pytest.mark.parametrize("name", list(registry.WRITERS))
def test_the_same_images_give_the_same_bytes(name, images, tmp_path):
    films = told_all(stream_of(recording=2), [(0, {"dog": 1}), (2, {"cat": 2})])
    contents = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        write(registry.WRITERS[name], folder, [*images, *films])
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]
    assert all(contents[0].values())


def test_without_pyarrow_an_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(BackendMissingError, match=r"writing Parquet needs .*recordings"):
        registry.make_writers(["jsonl", "parquet"], telling_of(tmp_path, BAG))


def test_names_of_outputs_are_checked():
    with pytest.raises(InvalidRequestError, match=r"jsonl, parquet, coco, subtitles.*got csv"):
        registry.check_outputs(["jsonl", "csv"])
    assert registry.check_outputs(["coco", "jsonl", "coco"]) == ("jsonl", "coco")


def test_writers_are_made_once_and_in_one_order(tmp_path):
    writers = registry.make_writers(["coco", "jsonl", "coco"], telling_of(tmp_path, BAG))
    assert [type(writer) for writer in writers] == [
        *(registry.WRITERS[name] for name in ("jsonl", "coco"))
    ]
    for writer in writers:
        writer.close()
