"""Names of classes in metadata and in files of labels, and files of other kinds."""

import zipfile

import pytest
import tiny_models
import yaml
from own_models import NAMES, NCHW, YOLOV8, finds_the_dog, put

from i2t_ros.errors import ModelError
from i2t_ros.models.lookup import describe_model
from i2t_ros.models.recognition import recognize_facts
from i2t_ros.models.tensors import FileFacts, TensorInfo

pytest.importorskip("onnx", reason="onnx is not installed")


@pytest.mark.parametrize(
    "names",
    [
        '{"0": "person", "1": "dog", "2": "cat"}',
        "{0: 'person', 1: 'dog', 2: 'cat'}",
        '["person", "dog", "cat"]',
        "['person', 'dog', 'cat']",
        '{"0": "person", "1": "dog", "2": null}',
        '[{"name": "person"}, {"name": "dog"}, {"id": 3}]',
    ],
)
@pytest.mark.parametrize("key", ["names", "classes"])
def test_names_in_metadata(tmp_path, key, names):
    assert finds_the_dog(put(tmp_path, NCHW, {"output0": YOLOV8}, [], {key: names}))


def test_a_class_without_a_name_in_metadata(tmp_path):
    names = {"names": '{"0": null, "2": "cat"}'}
    model = put(tmp_path, NCHW, {"output0": YOLOV8}, [], names)
    assert describe_model(model).labels == ("", "", "cat")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_labels_with_a_byte_order_mark(tmp_path, encoding):
    model = put(tmp_path, NCHW, {"output0": YOLOV8}, [])
    (tmp_path / "mine.txt").write_text("persona\r\nniño\r\n猫\r\n", encoding, newline="")
    assert describe_model(model).labels == ("persona", "niño", "猫")


@pytest.mark.parametrize(("encoding", "name"), [("latin-1", "niño"), ("cp950", "貓")])
def test_labels_in_another_encoding(tmp_path, encoding, name):
    model = put(tmp_path, NCHW, {"output0": YOLOV8}, [])
    (tmp_path / "mine.txt").write_text(f"person\n{name}\ncat", encoding)
    with pytest.raises(ModelError, match=r"mine\.txt cannot be read: expected UTF-8, and line 2"):
        describe_model(model)


def test_an_ending_in_capitals(tmp_path):
    assert finds_the_dog(put(tmp_path, NCHW, {"output0": YOLOV8}, name="mine.ONNX"))


def test_openvino_files(tmp_path):
    openvino = pytest.importorskip("openvino", reason="openvino is not installed")
    onnx = put(tmp_path, NCHW, {"output0": YOLOV8}, [])
    folder = tmp_path / "mine_openvino_model"
    openvino.save_model(openvino.Core().read_model(onnx), folder / "mine.xml")
    metadata = {"task": "detect", "names": dict(enumerate(NAMES)), "imgsz": [32, 64]}
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    assert finds_the_dog(str(folder / "mine.xml"))
    with pytest.raises(ModelError, match=r"is a folder; give the path of a file in it: mine\.xml"):
        describe_model(str(folder))
    (folder / "mine.bin").unlink()
    with pytest.raises(ModelError, match=r"its weights are not there, .*mine\.bin"):
        describe_model(str(folder / "mine.xml"))


@pytest.mark.parametrize(
    ("member", "text", "label", "offset"),
    [
        ("labelmap.txt", "???\nperson\ndog", "dog", 1),
        ("labelmap.txt", "person\ndog\n???", "dog", 0),
        ("metadata.json", '{"task": "detect", "names": {"0": "person", "1": "dog"}}', "dog", 0),
        ("temp_meta.txt", "{'names': {0: 'person', 1: 'dog'}}", "dog", 0),
    ],
)
def test_labels_packed_with_a_tflite_file(tmp_path, member, text, label, offset):
    litert = pytest.importorskip("i2t_ros.backends.litert", reason="LiteRT is not installed")
    path = tmp_path / "mine.tflite"
    path.write_bytes(tiny_models.quantized_ssd())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, text)
    metadata = litert.read_facts(path).metadata
    outputs = [
        TensorInfo(f"TFLite_Detection_PostProcess{end}", (1, 10), "float32")
        for end in ("", ":1", ":2", ":3")
    ]
    facts = FileFacts([TensorInfo("image", (1, 300, 300, 3), "uint8")], outputs, metadata)
    entry = recognize_facts(facts)[1]
    assert entry["decoder_options"] == {"class_offset": offset}
    assert label in entry["labels"]
    assert "???" not in entry["labels"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_what_is_packed_with_a_tflite_file_may_be_damaged(tmp_path, method):
    litert = pytest.importorskip("i2t_ros.backends.litert", reason="LiteRT is not installed")
    path = tmp_path / "mine.tflite"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("labelmap.txt", "person\ndog")
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
        litert.packed_metadata(path)  # raises nothing
