"""What a file says of itself in its metadata and label files, well written or not."""

import numpy as np
import pytest
import tiny_models
import yaml

from i2t_ros.errors import ModelError
from i2t_ros.models.lookup import describe_model
from i2t_ros.models.manifest import labels_of, spec_from
from i2t_ros.models.metadata import MOST_CLASSES, read_metadata
from i2t_ros.models.recognition import recognize_facts
from i2t_ros.models.tensors import FileFacts, TensorInfo

PICTURE = [TensorInfo("images", (1, 3, 96, 96), "float32")]


def facts(shapes, metadata):
    outputs = [TensorInfo(name, shape, "float32") for name, shape in shapes.items()]
    return FileFacts(PICTURE, outputs, metadata)


@pytest.mark.parametrize(
    "names", ["{[]: 1}", "{{}: 1}", "[" * 20_000, "1e999", "'dog'", "person,dog", '{"0.0": "dog"}']
)
def test_what_is_no_list_of_names_names_nothing(names):
    assert read_metadata({"names": names}).names == ()


@pytest.mark.parametrize("number", ["9" * 6000, str(10 * MOST_CLASSES)])
def test_a_number_that_is_no_class_is_left_out(number):
    assert read_metadata({"names": f'{{"0": "dog", "{number}": "cat"}}'}).names == ("dog",)


def test_names_are_one_line():
    assert read_metadata({"names": r"['person ', 'dining\n\ttable']"}).names == (
        "person",
        "dining table",
    )


@pytest.mark.parametrize("task", ["detection", "object-detection", "'detect'"])
def test_words_for_detection(task):
    assert read_metadata({"task": task}).task == "detect"


@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n", "\n  \n\n"])
def test_empty_lines_at_the_end_are_no_classes(end):
    assert labels_of(f"person\r\n\r\ncat{end}".encode()) == ("person", "", "cat")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_labels_in_a_wide_encoding_that_does_not_say_so(encoding):
    with pytest.raises(UnicodeDecodeError):
        labels_of("person\ndog".encode(encoding))


def test_rf_detr_of_ones_own_has_a_column_more_than_its_metadata_name():
    shapes = {"dets": (1, 300, 4), "labels": (1, 300, 3)}
    metadata = {"rfdetr_inference": '{"class_names": ["cat", "dog"]}'}
    assert recognize_facts(facts(shapes, metadata))[1]["decoder_options"] == {"no_object": True}
    metadata = {"rfdetr_inference": '{"class_id_to_name": {"1": "cat", "2": "dog"}}'}
    assert "decoder_options" not in recognize_facts(facts(shapes, metadata))[1]


@pytest.mark.parametrize(
    ("shapes", "decoder"),
    [
        ({"dets": (-1, -1, -1), "labels": (-1, -1, -1)}, "query_logits"),
        ({"dets": (-1, -1, -1), "labels": (-1, -1)}, "dets_labels"),
        ({"logits": (-1, -1, -1), "pred_boxes": (-1, -1, -1)}, "query_logits"),
        ({"output0": (1, 3 * 189, 6)}, "yolov5"),  # of one class
        ({"output0": (1, 300, 6)}, "yolov10"),
    ],
)
def test_shapes_that_do_not_tell_all(shapes, decoder):
    assert recognize_facts(facts(shapes, {}), ["dog"])[1]["decoder"] == decoder


@pytest.mark.parametrize(
    ("first", "offset"),
    [("???", 1), ("__background__", 1), ("bg", 1), ("unlabeled", 1), ("N/A", 1), ("person", 0)],
)
def test_tflite_counts_from_behind_the_background_whatever_its_name(first, offset):
    names = [f"TFLite_Detection_PostProcess{end}" for end in ("", ":1", ":2", ":3")]
    entry = recognize_facts(facts(dict.fromkeys(names, (1, 10)), {}), [first, "dog", "cat"])[1]
    assert entry["decoder_options"] == {"class_offset": offset}


@pytest.mark.parametrize("labels", ["[1, 2, 3]", "[no, yes, off]"])
def test_labels_of_a_description_that_are_no_texts(tmp_path, labels):
    pytest.importorskip("onnx", reason="onnx is not installed")
    outputs = {"output0": np.zeros((1, 7, 189), np.float32)}
    (tmp_path / "mine.onnx").write_bytes(
        tiny_models.constant_onnx({"images": ((1, 3, 96, 96), np.float32)}, outputs)
    )
    (tmp_path / "mine.yaml").write_text(f"labels: {labels}\n")
    with pytest.raises(ModelError, match=r"labels\[0\]: expected a text, got"):
        describe_model(str(tmp_path / "mine.onnx"))


@pytest.mark.parametrize("field", ["mean: [.nan, 0, 0]", "std: [0, 1, 1]", "std: [.inf, 1, 1]"])
def test_pixels_that_cannot_be_computed(field):
    form = {"width": 8, "height": 8, **yaml.safe_load(field)}
    entry = {"summary": "", "task": "detect", "decoder": "yolov8", "labels": ["dog"]}
    entry |= {"backends": ["onnxruntime"], "input": {"format": form}}
    with pytest.raises(ModelError, match=r"input\.format.*expected finite numbers"):
        spec_from("mine", entry, "here")
