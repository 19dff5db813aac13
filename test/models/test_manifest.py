import re
import textwrap

import pytest
import yaml
from project import ROOT

from i2t_ros.backends.registry import backends
from i2t_ros.errors import ModelError, UnknownModelError
from i2t_ros.language.catalog import load_languages
from i2t_ros.models.manifest import (
    BUILT_IN,
    find_spec,
    load_manifest,
    ranked_models,
    read_labels,
    spec_from,
)

# No other public place is known that has these very files.
ONE_LINK = {"mobilenet_v2_quantized", "movenet_single_pose_lightning", "deeplab_v3"}
ENTRY = {
    "summary": "two things",
    "task": "detect",
    "input": {"format": {"width": 64, "height": 32}},
    "decoder": "yolox",
    "labels": ["cat", "dog"],
    "backends": ["onnxruntime"],
}


def written(tmp_path, **changes):
    path = tmp_path / "models.yaml"
    path.write_text(yaml.safe_dump({"mine": {**ENTRY, **changes}}))
    return path


def test_every_shipped_entry_can_be_fetched_and_checked():
    for spec in load_manifest().values():
        assert spec.summary, spec.name
        assert spec.license, spec.name
        assert set(spec.backends) <= set(backends()), spec.name
        assert all(spec.labels[-1:]), spec.name
        for file in spec.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256), spec.name
            assert file.size > 0, spec.name
            links = [*file.urls, *filter(None, [file.package])]
            assert len(set(links)) >= (1 if spec.name in ONE_LINK else 2), spec.name
            assert all(url.startswith("https://") for url in file.urls), spec.name


def test_ranks_differ_and_the_built_in_has_none():
    ranks = [spec.auto for spec in ranked_models()]
    assert ranks == sorted(set(ranks))
    assert find_spec(BUILT_IN).auto == 0
    assert find_spec(BUILT_IN).files == ()


def test_yolox_nano_is_as_its_authors_publish_it():
    spec = find_spec("yolox_nano")
    assert spec.input.format.shape == (1, 3, 416, 416)
    assert spec.input.format.color == "bgr"
    assert not spec.input.format.normalizes
    assert len(spec.labels) == 80
    assert spec.labels[0] == "person"


def test_label_tables():
    coco80, coco91 = (read_labels(name, "test") for name in ("coco80", "coco91"))
    assert len(coco80) == 80
    assert len(coco91) == 91
    assert coco91[0] == ""
    assert coco91[1] == "person"
    assert coco91[90] == "toothbrush"
    assert tuple(label for label in coco91 if label) == coco80


def test_an_entry_becomes_a_spec(tmp_path):
    spec = load_manifest(written(tmp_path, score_threshold=1))["mine"]
    assert spec.name == "mine"
    assert spec.labels == ("cat", "dog")
    assert spec.input.kind == "tensor"
    assert spec.input.format.shape == (1, 3, 32, 64)
    assert spec.score_threshold == 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"color": "blue"}, "mine: unknown field color; known: auto"),
        (
            {"task": "sing"},
            "mine: task: expected one of detect, segment, classify, faces, text, pose, got 'sing'",
        ),
        ({"decoder": "magic"}, "mine: decoder: expected one of yolox"),
        ({"decoder_options": {"stride": 8}}, "decoder_options: yolox takes strides, got stride"),
        ({"score_threshold": 0}, "score_threshold: expected a number > 0.0, got 0"),
        ({"score_threshold": "high"}, "score_threshold: expected a number, got 'high'"),
        ({"auto": True}, "auto: expected a whole number, got True"),
        ({"backends": []}, "backends: expected a list of length >= 1, got"),
        ({"backends": "onnxruntime"}, "backends: expected a list, got 'onnxruntime'"),
        ({"labels": "nowhere"}, "labels: no such file"),
        ({"labels": [1]}, r"labels\[0\]: expected a text, got 1"),
        ({"input": {}}, "input: kind tensor: format must be given"),
        ({"input": {"format": {"width": 64}}}, "input.format: missing height"),
        (
            {"input": {"format": {"width": 6, "height": 6, "mean": [1]}}},
            r"input.format.mean: expected a list of length 3, got \[1\]",
        ),
        (
            {"input": {"format": {"width": 6, "height": 0}}},
            "input.format.height: expected a whole number >= 1, got 0",
        ),
        ({"decoder_options": {1: 8}}, "decoder_options: a key: expected a text, got 1"),
        ({"files": ["a.onnx"]}, r"files\[0\]: expected a mapping, got 'a.onnx'"),
        ({"input": {"kind": "image", "format": {"width": 1, "height": 1}}}, "and only then"),
    ],
)
def test_a_wrong_entry_is_named_with_its_field(tmp_path, changes, message):
    path = written(tmp_path, **changes)
    with pytest.raises(ModelError, match=message) as caught:
        load_manifest(path)
    assert str(caught.value).startswith(f"{path}: mine")


@pytest.mark.parametrize("text", ["- a list", "a: [", "mine: 7"])
def test_what_is_not_a_manifest(tmp_path, text):
    path = tmp_path / "models.yaml"
    path.write_text(text)
    with pytest.raises(ModelError, match=re.escape(str(path))):
        load_manifest(path)


def test_a_missing_field_is_named(tmp_path):
    path = tmp_path / "models.yaml"
    path.write_text(yaml.safe_dump({"mine": {"summary": "nothing else"}}))
    with pytest.raises(ModelError, match="mine: missing task, input, decoder, labels, backends"):
        load_manifest(path)


def test_an_unknown_model_says_what_there_is():
    with pytest.raises(UnknownModelError, match=r"did you mean yolox_nano.* Known: yolox_nano"):
        find_spec("yolo_nano")


def test_the_entry_of_the_guide_is_one():
    page = (ROOT / "docs" / "models.md").read_text()
    blocks = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", page, re.MULTILINE)]
    (entry,) = (yaml.safe_load(block) for block in blocks if block.startswith("robot_parts:"))
    (own,) = (yaml.safe_load(block) for block in blocks if block.startswith("labels: [bottle"))
    spec = spec_from("robot_parts", own | entry["robot_parts"], "docs/models.md")
    assert (spec.auto, spec.files[0].size, spec.labels) == (8, 3660092, ("bottle", "can"))


@pytest.mark.parametrize("tag", load_languages().tags)
def test_classes_of_the_ranked_detectors_have_words_in_every_language(tag):
    """Box is the exception: in other tests it stands for a class that languages lack."""
    language = load_languages().get(tag)
    labels = {label for spec in ranked_models() for label in spec.labels} - {"box"}
    assert {label for label in labels if language.noun(label).key not in language.nouns} == set()
