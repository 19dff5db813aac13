import hashlib
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from i2t_ros.errors import (
    BackendMissingError,
    ModelCorruptError,
    ModelError,
    ModelMissingError,
    UnknownModelError,
)
from i2t_ros.installation import how_to_install
from i2t_ros.models import lookup, manifest
from i2t_ros.models.lookup import cache_file, cache_folder, describe_model, inspect_files, obtain
from i2t_ros.models.manifest import ModelFile, find_spec

CONTENT = b"weights"
FILE = ModelFile(
    "m.onnx", ("http://models.invalid/m.onnx",), hashlib.sha256(CONTENT).hexdigest(), len(CONTENT)
)


@pytest.fixture
def spec():
    return replace(find_spec("yolox_nano"), name="mine", files=(FILE,))


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """Give each test an empty cache and no folders."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("I2T_MODEL_PATH", raising=False)
    monkeypatch.delenv("I2T_OFFLINE", raising=False)


def put(path: Path, content=CONTENT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_cache_is_the_users(tmp_path, monkeypatch):
    assert cache_folder() == tmp_path / "cache" / "i2t_ros" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "i2t_ros" / "models"


def test_folders_come_before_the_cache(spec, tmp_path, monkeypatch):
    monkeypatch.setenv("I2T_MODEL_PATH", f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    with pytest.raises(ModelMissingError):
        obtain(spec, offline=True)
    cached = put(cache_file(spec, FILE))
    assert obtain(spec, offline=True) == (cached,)
    second = put(tmp_path / "b" / "m.onnx")
    assert obtain(spec, offline=True) == (second,)
    first = put(tmp_path / "a" / "mine" / "m.onnx")
    assert obtain(spec, offline=True) == (first,)


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_offline_says_where_it_looked_and_what_to_do(spec, tmp_path, monkeypatch, how):
    monkeypatch.setenv("I2T_MODEL_PATH", str(tmp_path / "a"))
    if how == "environment":
        monkeypatch.setenv("I2T_OFFLINE", "1")
    with pytest.raises(ModelMissingError, match="i2t models fetch mine") as caught:
        obtain(spec, offline=how == "argument")
    assert str(tmp_path / "a" / "m.onnx") in str(caught.value)
    assert str(cache_file(spec, FILE)) in str(caught.value)


@pytest.mark.parametrize(("value", "offline"), [("", 0), ("0", 0), ("no", 0), ("1", 1), ("yes", 1)])
def test_values_of_the_offline_variable(monkeypatch, value, offline):
    monkeypatch.setenv("I2T_OFFLINE", value)
    assert lookup.is_offline() == bool(offline)


def test_what_is_not_at_hand_is_downloaded_to_the_cache(spec, monkeypatch):
    fetched = []

    def download(file, target, **_):
        fetched.append((file, target))
        put(target)

    monkeypatch.setattr("i2t_ros.models.download.download", download)
    target = cache_file(spec, FILE)
    assert obtain(spec) == (target,)
    assert obtain(spec) == (target,)
    assert fetched == [(FILE, target)]


@pytest.mark.parametrize("module", ["requests", "filelock", "tqdm"])
def test_a_module_that_a_download_lacks_is_named(spec, monkeypatch, module):
    monkeypatch.delitem(sys.modules, "i2t_ros.models.download", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BackendMissingError, match=f"{module}.*: {how_to_install()}, or put"):
        obtain(spec)


def test_a_corrupt_file_in_the_cache_is_set_aside(spec):
    cached = put(cache_file(spec, FILE), b"weighty")
    with pytest.raises(ModelMissingError):
        obtain(spec, offline=True)
    assert not cached.exists()
    assert cached.with_name("m.onnx.corrupt").read_bytes() == b"weighty"


@pytest.mark.parametrize("users", [False, True])
def test_a_file_that_cannot_be_read_is_named_and_left(spec, tmp_path, monkeypatch, users):
    monkeypatch.setenv("I2T_MODEL_PATH", str(tmp_path / "a"))
    path = put(tmp_path / "a" / "m.onnx" if users else cache_file(spec, FILE))

    def broken(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(manifest, "_sha256", broken)
    with pytest.raises(ModelMissingError, match=r"m\.onnx cannot be read: .*Permission denied"):
        obtain(spec, offline=True)
    assert path.exists()
    assert "Permission denied" in inspect_files(spec)[0][1]


def test_a_wrong_file_in_a_users_folder_is_named_and_left(spec, tmp_path, monkeypatch):
    monkeypatch.setenv("I2T_MODEL_PATH", str(tmp_path / "a"))
    theirs = put(tmp_path / "a" / "m.onnx", b"something else")
    put(cache_file(spec, FILE))
    with pytest.raises(ModelCorruptError, match="expected 7 bytes, got 14"):
        obtain(spec)
    assert theirs.exists()


def test_a_pointer_in_a_users_folder_is_named(spec, tmp_path, monkeypatch):
    monkeypatch.setenv("I2T_MODEL_PATH", str(tmp_path / "a"))
    put(tmp_path / "a" / "m.onnx", b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ModelCorruptError, match="`git lfs pull`"):
        obtain(spec)


def test_a_model_without_files_is_at_hand():
    assert obtain(describe_model("opencv_people_faces"), offline=True) == ()


def test_an_unknown_name():
    with pytest.raises(UnknownModelError):
        describe_model("nonsense")


def test_a_path_with_a_description_beside_it(tmp_path):
    path = put(tmp_path / "mine.onnx")
    (tmp_path / "things.txt").write_text("cat\n\ndog\n")
    entry = {
        "input": {"format": {"width": 32, "height": 32}},
        "decoder": "yolox",
        "labels": "things.txt",
        "backends": ["onnxruntime"],
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(entry))
    spec = describe_model(str(path))
    assert obtain(spec) == (path,)
    assert spec.name == "mine"
    assert spec.labels == ("cat", "", "dog")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({**entry, "decoder": 7}))
    with pytest.raises(ModelError, match=r"mine\.yaml: decoder"):
        describe_model(str(path))


def test_a_path_of_a_known_file_needs_no_description(tmp_path, shared):
    path = tmp_path / "renamed.onnx"
    shutil.copy(shared / "models" / "yolox_nano.onnx", path)
    spec = describe_model(str(path))
    assert replace(spec, files=()) == replace(find_spec("yolox_nano"), files=())
    assert obtain(spec) == (path,)


def test_a_file_beside_a_known_one_is_obeyed(tmp_path, shared):
    path = tmp_path / "renamed.onnx"
    shutil.copy(shared / "models" / "yolox_nano.onnx", path)
    names = [f"thing {i}" for i in range(80)]
    (tmp_path / "renamed.txt").write_text("\n".join(names))
    known, spec = find_spec("yolox_nano"), describe_model(str(path))
    assert spec.labels == tuple(names)
    assert (spec.name, spec.input, spec.backends) == ("renamed", known.input, known.backends)
    (tmp_path / "renamed.yaml").write_text("labels: coco80\nscore_threshold: 0.7\n")
    spec = describe_model(str(path))
    assert (spec.labels, spec.score_threshold) == (known.labels, 0.7)


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(ModelMissingError, match="no such file"):
        describe_model(str(tmp_path / "mine.onnx"))
