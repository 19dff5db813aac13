"""jetson-inference, against stand-ins of both generations of its modules."""

import sys
import threading

import jetson_standins
import numpy as np
import pytest
from making import open_detector
from msgspec.structs import replace

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import is_installed, load_backend
from i2t_ros.errors import BackendMissingError, BackendUnavailableError, InferenceError
from i2t_ros.models.manifest import find_spec
from i2t_ros.pipeline.object_detector import DetectOptions

NETWORK = "jetson_ssd_mobilenet_v2"
CLASSIFIER = "jetson_googlenet"


@pytest.fixture(params=jetson_standins.GENERATIONS)
def modules(request, monkeypatch):
    """Install one generation of the modules."""
    made = jetson_standins.GENERATIONS[request.param]()
    monkeypatch.delitem(sys.modules, "i2t_ros.backends.jetson", raising=False)
    for name, module in made.items():
        monkeypatch.setitem(sys.modules, name, module)
    return made


def picture():
    """Red from (40, 20) to (120, 80), blue from (150, 100) to (170, 110)."""
    image = np.zeros((120, 200, 3), np.uint8)
    image[20:80, 40:120] = (0, 0, 255)
    image[100:110, 150:170] = (255, 0, 0)
    return image


def load(name, **changes):
    return load_backend("jetson", replace(find_spec(name), **changes), [], BackendOptions())


def test_it_is_what_auto_takes_on_a_jetson(modules):
    detector = open_detector()
    assert detector.name == f"{NETWORK} on jetson (cuda)"
    found = detector.detect(picture())
    assert [found.label(i) for i in range(len(found))] == ["person"]
    assert found.boxes.tolist() == [[40, 20, 120, 80]]
    assert found.scores.tolist() == pytest.approx([0.9])


def test_scores_below_the_networks_own_threshold_can_be_had(modules):
    found = open_detector(NETWORK).detect(picture(), DetectOptions(min_score=0.2))
    assert [found.label(i) for i in range(len(found))] == ["person", "bicycle"]


def test_the_picture_is_not_drawn_into(modules):
    image = picture()
    detector = open_detector(NETWORK)
    detector.detect(image)
    np.testing.assert_array_equal(image, picture())
    handed_over = detector._backend.model.pictures[-1]
    assert handed_over.format == "rgb8"
    np.testing.assert_array_equal(handed_over.pixels, picture()[:, :, ::-1])


def test_threads_take_turns(modules):
    backend, errors, go = load(NETWORK), [], threading.Barrier(4)

    def work():
        try:
            go.wait(5)
            for _ in range(20):
                backend.infer([picture()])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert errors == []


def test_classification(modules):
    (probabilities,) = load(CLASSIFIER).infer([picture()])
    assert probabilities.shape == (1, 1000)
    assert probabilities[0, 7] == pytest.approx(0.75)
    expected = 0.2 if "jetson_inference" in modules else 0.0  # the old one tells only the best
    assert probabilities[0, 8] == pytest.approx(expected)


def test_a_class_beyond_the_labels_is_named(modules):
    backend = load(CLASSIFIER, labels=("one", "two"))
    with pytest.raises(InferenceError, match="class 7 is beyond the 2 labels"):
        backend.infer([picture()])


def test_a_network_of_ones_own(modules, tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"read by TensorRT alone")
    (tmp_path / "mine.yaml").write_text(
        "input: {kind: image}\ndecoder: pixels\nlabels: ['', person, bicycle]\nbackends: [jetson]\n"
    )
    detector = open_detector(str(path))
    given = detector._backend.model.arguments
    assert given["model"] == str(path)
    assert given["labels"] == ["unlabeled", "person", "bicycle"]
    assert given["output-bbox"] == "boxes"
    assert len(detector.detect(picture(), DetectOptions(min_score=0.2))) == 2


def test_a_network_that_does_not_load(modules):
    with pytest.raises(BackendUnavailableError, match=r"cannot load pednet: jetson\.inference"):
        load(NETWORK, engine_model="pednet")


def test_a_failure_on_one_picture(modules):
    backend = load(NETWORK)

    def fail(*_args, **_kwargs):
        raise Exception("CUDA error 719")

    backend.model.Detect = fail
    with pytest.raises(InferenceError, match="CUDA error 719"):
        backend.infer([picture()])


def test_modules_built_without_numpy(modules, monkeypatch):
    for module in modules.values():
        monkeypatch.delattr(module, "cudaFromNumpy", raising=False)
    with pytest.raises(BackendUnavailableError, match="built without NumPy"):
        load(NETWORK)


def test_modules_that_are_absent():
    assert not is_installed("jetson")
    with pytest.raises(BackendMissingError, match=r"github\.com/dusty-nv/jetson-inference"):
        open_detector(NETWORK)


def test_modules_that_are_half_there(monkeypatch):
    new = jetson_standins.GENERATIONS["new"]()
    monkeypatch.delitem(sys.modules, "i2t_ros.backends.jetson", raising=False)
    monkeypatch.setitem(sys.modules, "jetson_inference", new["jetson_inference"])
    with pytest.raises(BackendMissingError, match="jetson_utils"):
        open_detector(NETWORK)
