"""Backends of other distributions: found by their entry point, checked, and never a danger."""

import logging
import re
import sys

import numpy as np
import pytest
import tiny_models
from making import open_detector
from msgspec.structs import replace
from project import ROOT, tomllib

from i2t_ros.backends.base import BackendEntry, BackendOptions
from i2t_ros.backends.registry import backends, choose_backends, load_backend, survey
from i2t_ros.cli.main import main
from i2t_ros.errors import BackendMissingError, BackendUnavailableError, ModelMismatchError
from i2t_ros.models.manifest import ModelFile, find_spec

BACKEND = """
from i2t_ros.backends.base import Backend
class Hum(Backend):
    version, device, report = "0.1", "air", "hums"
    def __init__(self, spec, files, options): pass
    def run(self, model, inputs): return []
    @classmethod
    def engine(cls): return "0.1", ("air",)
"""
ENTRY = 'from i2t_ros.backends.base import BackendEntry\nE = BackendEntry("hum_engine:Hum"{})'
SPEC = replace(find_spec("fake"), backends=("hum", "fake"))


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that puts a distribution on sys.path: its files and its entry points."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)

    def put(name, points, **modules):
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = "".join(f"{point} = {value}\n" for point, value in points.items())
        (info / "entry_points.txt").write_text(f"[i2t_ros.backends]\n{lines}")
        for module, text in modules.items():
            path = tmp_path / f"{module.replace('.', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        backends.cache_clear()

    yield put
    backends.cache_clear()
    for module in set(sys.modules) - before:
        if module.split(".")[0] in ("hum", "hum_engine", "i2t_reference"):
            del sys.modules[module]


def hum(install, backend=BACKEND, more="", points=None):
    entry = ENTRY.format(more)
    install("hum-engine", points or {"hum": "hum:E"}, hum=entry, hum_engine=backend)


def test_the_backend_of_the_guide_works(install, tmp_path, capsys):
    pytest.importorskip("onnx", reason="onnx is not installed")
    page = (ROOT / "docs" / "models.md").read_text()
    found = re.findall(r"```(?:toml|python)\n# (\S+)\n(.*?)```", page, re.DOTALL)
    files = {name: text for name, text in found if name.startswith(("pyproject", "i2t_reference"))}
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    modules = {name.removesuffix(".py").replace("/", "."): text for name, text in files.items()}
    install(project["name"], project["entry-points"]["i2t_ros.backends"], **modules)
    model = tmp_path / "mine.onnx"
    rows = np.zeros((1, 300, 6), np.float32)
    rows[0, 0] = [16, 8, 48, 24, 0.9, 1]
    model.write_bytes(
        tiny_models.constant_onnx({"images": ((1, 3, 32, 64), np.float32)}, {"output0": rows})
    )
    model.with_suffix(".txt").write_text("person\ndog\n")

    found = open_detector(str(model), "reference").detect(np.zeros((32, 64, 3), np.uint8))

    assert [found.label(i) for i in range(len(found))] == ["dog"]
    assert found.boxes.tolist() == [[16, 8, 48, 24]]
    main(["models", "doctor"])
    assert re.search(r"^reference +\d\S+ +cpu$", capsys.readouterr().out, re.MULTILINE)


def test_nothing_of_it_is_imported_before_it_is_used(install):
    hum(install)
    assert backends()["hum"].package == "hum-engine"
    assert next(iter(backends())) == "onnxruntime"
    assert "hum_engine" not in sys.modules
    assert survey("hum") == ("0.1", ("air",))


def test_auto_takes_it_for_a_model_that_lists_it(install):
    assert choose_backends(SPEC, "auto", BackendOptions()) == ["fake"]
    hum(install)
    assert choose_backends(SPEC, "auto", BackendOptions()) == ["hum", "fake"]
    assert load_backend("hum", SPEC, [], BackendOptions()).device == "air"


def test_by_name_it_runs_the_files_that_it_reads(install):
    hum(install, more=', suffixes=(".hum", ".onnx")')
    runs = replace(SPEC, backends=("fake",), files=(ModelFile("a.onnx"), ModelFile("b.hum")))
    assert choose_backends(runs, "hum", BackendOptions()) == ["hum"]
    for files in ((), (ModelFile("a.onnx"), ModelFile("b.bin"))):
        with pytest.raises(BackendUnavailableError, match="fake does not run on hum; it runs on"):
            choose_backends(replace(runs, files=files), "hum", BackendOptions())


def test_what_it_needs_is_named(install):
    hum(install, more=', needs=("hum_hardware",), install="pip install hum-hardware"')
    with pytest.raises(BackendMissingError, match=r"backend hum .*hum_hardware.*: pip install hum"):
        load_backend("hum", SPEC, [], BackendOptions())


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"fake": "hum:E"}, "backend fake of hum-engine is left out: i2t_ros has a backend of"),
        ({"broken": "nowhere:E"}, "backend broken of hum-engine is left out: No module named"),
        ({"broken": "hum:NONE"}, "backend broken of hum-engine is left out: .*NONE"),
        ({"broken": "hum:BackendEntry"}, "hum:BackendEntry: expected an i2t_ros BackendEntry, got"),
        ({"broken": "hum_engine:bad"}, "broken of hum-engine is left out: division by zero"),
    ],
)
def test_a_broken_entry_costs_a_warning(install, caplog, points, message):
    own = dict(backends())
    hum(install, points={**points, "hum": "hum:E"}, backend=BACKEND + "def __getattr__(n): 1 / 0")
    with caplog.at_level(logging.WARNING, "i2t_ros.backends.registry"):
        assert {**own, "hum": backends()["hum"]} == backends()
    (warning,) = caplog.messages
    assert re.search(message, warning)


def test_choices_that_there_are_not_are_refused(install, caplog):
    hum(install, more=', choices=frozenset({"colour"})')
    assert "hum" not in backends()
    assert "choices: expected some of ['device', 'precision', 'providers', 'url']" in caplog.text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "class Hum(",
            "class Ham(",
            "expected hum_engine:Hum to be a subclass of Backend .*got None",
        ),
        (
            "class Hum(Backend)",
            "class Hum",
            "to be a subclass of Backend .* got <class 'hum_engine.Hum'",
        ),
        ("def run", "def guess", "hum-engine failed: TypeError.*abstract.* run"),
        ("): pass", "): 1 / 0", r"backend hum of hum-engine failed: ZeroDivisionError\("),
    ],
)
def test_a_class_that_lacks_something_is_refused(install, old, new, message):
    text = BACKEND.replace(old, new)
    hum(install, text)
    with pytest.raises(BackendUnavailableError, match=message):
        load_backend("hum", SPEC, [], BackendOptions())


def test_a_module_that_cannot_be_imported_is_missing(install):
    hum(install, "1 / 0")
    with pytest.raises(BackendMissingError, match=r"division by zero\): see hum-engine"):
        survey("hum")


def test_the_doctor_goes_on_past_a_broken_backend(install, capsys):
    hum(install, BACKEND.replace('return "0.1"', "return 1 / 0"))
    main(["models", "doctor"])
    said = capsys.readouterr().out
    assert re.search(r"^hum +broken +- +backend hum of hum-engine failed: Zero", said, re.MULTILINE)
    assert "auto, with what is here" in said


def test_its_own_errors_of_i2t_ros_stay_as_they_are(install):
    raising = "from i2t_ros.errors import ModelMismatchError" + BACKEND.replace(
        "): pass", "): raise ModelMismatchError('not this file')"
    )
    hum(install, raising)
    with pytest.raises(ModelMismatchError, match=r"^not this file$"):
        load_backend("hum", SPEC, [], BackendOptions())


def test_an_entry_can_be_made_without_an_engine():
    assert BackendEntry("a:B").needs == ()
