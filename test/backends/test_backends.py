"""One suite over every backend that can run here: what i2t_ros/backends/base.py promises."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import jetson_standins
import numpy as np
import pytest
import tiny_models
from msgspec.structs import replace

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import backends, is_installed, load_backend, survey
from i2t_ros.errors import (
    BackendMissingError,
    BackendUnavailableError,
    InferenceError,
    ModelError,
    ModelMismatchError,
)
from i2t_ros.models.lookup import obtain
from i2t_ros.models.manifest import ModelInput, find_spec, load_manifest
from i2t_ros.models.tensors import example_inputs
from i2t_ros.pipeline.loading import Loaded
from i2t_ros.pipeline.object_detector import DetectOptions, ObjectDetector
from i2t_ros.pipeline.tasks.faces import FaceFinder, FaceOptions
from i2t_ros.pipeline.tasks.text import TextOptions, TextReader
from i2t_ros.vision.letterbox import TensorFormat


def yolox(backend):
    def load(request):
        path = request.getfixturevalue("shared") / "models" / "yolox_nano.onnx"
        return load_backend(backend, find_spec("yolox_nano"), [path], BackendOptions())

    return find_spec("yolox_nano"), load


def weightless(backend, name):
    def load(_):
        try:
            return load_backend(backend, find_spec(name), [], BackendOptions())
        except BackendUnavailableError as error:
            if "opencv-data" in str(error):
                pytest.skip("no opencv-data")
            raise

    return find_spec(name), load


def tiny_tflite():
    form = TensorFormat(8, 8, layout="NHWC", color="rgb", dtype="uint8", resize="stretch")
    spec = replace(
        find_spec("ssd_mobilenet_v1"),
        input=ModelInput(name="image", format=form),
        outputs=("boxes", "classes", "scores", "count"),
        backends=("litert",),
    )

    def load(request):
        folder = request.getfixturevalue("tmp_path_factory").mktemp("tflite")
        path = folder / "tiny.tflite"
        path.write_bytes(tiny_models.quantized_ssd())
        return load_backend("litert", spec, [path], BackendOptions())

    return spec, load


def jetson(generation):
    spec = find_spec("jetson_ssd_mobilenet_v2")

    def load(request):
        patch = pytest.MonkeyPatch()
        request.addfinalizer(patch.undo)
        patch.delitem(sys.modules, "i2t_ros.backends.jetson", raising=False)
        for name, module in jetson_standins.GENERATIONS[generation]().items():
            patch.setitem(sys.modules, name, module)
        return load_backend("jetson", spec, [], BackendOptions())

    return spec, load


def triton(scheme):
    def load(request):
        urls = request.getfixturevalue("triton")
        options = BackendOptions(url=urls[scheme])
        return load_backend("triton", find_spec("yolox_nano"), [], options)

    return find_spec("yolox_nano"), load


def yunet_in_opencv():
    def load(request):
        path = request.getfixturevalue("shared") / "models" / "face_detection_yunet_2026may.onnx"
        return load_backend("facedetectoryn", find_spec("yunet"), [path], BackendOptions())

    # What it returns is in pixels of the picture, as with all that take pictures.
    return find_spec("opencv_faces"), load


def mtcnn():
    spec = find_spec("mtcnn")

    def load(_):
        try:
            files = obtain(spec)
        except (ModelError, BackendMissingError) as error:
            pytest.skip(f"no mtcnn: {error}")
        return load_backend("mtcnn", spec, files, BackendOptions())

    return spec, load


CASES = {
    "onnxruntime": yolox("onnxruntime"),
    "openvino": yolox("openvino"),
    "litert": tiny_tflite(),
    "triton-http": triton("http"),
    "triton-grpc": triton("grpc"),
    "jetson-old": jetson("old"),
    "jetson-new": jetson("new"),
    "opencv": weightless("opencv", "opencv_people_faces"),
    "opencv-faces": weightless("opencv", "opencv_faces"),
    "facedetectoryn": yunet_in_opencv(),
    "mtcnn": mtcnn(),
    "rapidocr": weightless("rapidocr", "ppocr_v6"),
    "fake": weightless("fake", "fake"),
}


def load_case(request, case):
    name = case.split("-")[0]
    if name != "jetson" and not is_installed(name):
        pytest.skip(f"{name} is not installed: {backends()[name].install}")
    spec, load = CASES[case]
    return name, spec, load(request)


@pytest.fixture(scope="module", params=CASES)
def loaded(request):
    """Return a backend that is loaded once; no test closes it, and calls leave nothing in it."""
    name, spec, backend = load_case(request, request.param)
    yield name, spec, backend
    backend.close()


def inputs_for(spec, seed):
    rng = np.random.default_rng(seed)
    if spec.input.kind == "image":
        return [rng.integers(0, 256, (240, 320, 3), np.uint8)]
    picture, *constants = example_inputs(spec)
    return [rng.uniform(0, 255, picture.shape).astype(picture.dtype), *constants]


def test_every_backend_is_covered():
    assert {case.split("-")[0] for case in CASES} == set(backends())


def test_it_answers_with_what_the_decoder_reads(loaded):
    _, spec, backend = loaded
    outputs = backend.infer(inputs_for(spec, 0))
    assert len(outputs) == spec.output_count
    assert all(isinstance(output, np.ndarray) for output in outputs)


def test_the_same_input_gives_the_same_output(loaded):
    _, spec, backend = loaded
    first, second = backend.infer(inputs_for(spec, 0)), backend.infer(inputs_for(spec, 0))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_outputs_belong_to_the_caller(loaded):
    _, spec, backend = loaded
    first = backend.infer(inputs_for(spec, 0))
    before = [output.copy() for output in first]
    backend.infer(inputs_for(spec, 1))
    for output, copy in zip(first, before, strict=True):
        np.testing.assert_array_equal(output, copy)


def test_as_many_threads_as_it_says_may_call_at_once(loaded):
    _, spec, backend = loaded
    one_by_one = [backend.infer(inputs_for(spec, seed)) for seed in range(6)]
    assert backend.concurrency >= 1
    together = threading.Barrier(backend.concurrency)

    def call(seed):
        together.wait(30)
        return backend.infer(inputs_for(spec, seed % 6))

    with ThreadPoolExecutor(backend.concurrency) as threads:
        results = list(threads.map(call, range(3 * backend.concurrency)))
    for seed, outputs in enumerate(results):
        for ours, theirs in zip(outputs, one_by_one[seed % 6], strict=True):
            assert ours.shape == theirs.shape
            if ours.dtype != object:  # texts
                np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
            else:
                assert ours.tolist() == theirs.tolist()


def test_it_says_how_many_images_a_call_may_hold(loaded):
    _, spec, backend = loaded
    assert backend.batch >= 1
    if spec.input.kind == "image":
        assert backend.batch == 1
    if backend.batch == 1:
        return
    pictures = [inputs_for(spec, seed)[0] for seed in range(3)]
    stacked = backend.infer([np.concatenate(pictures)])
    for i, picture in enumerate(pictures):
        for ours, alone in zip(stacked, backend.infer([picture]), strict=True):
            assert len(ours) == 3
            np.testing.assert_allclose(ours[i : i + 1], alone, rtol=1e-5, atol=1e-6)


def test_the_inputs_are_left_alone(loaded):
    _, spec, backend = loaded
    given = inputs_for(spec, 0)
    backend.infer(given)
    for a, b in zip(given, inputs_for(spec, 0), strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_says_what_it_runs_on(loaded):
    _, _, backend = loaded
    assert backend.device
    assert backend.report
    assert "\n" not in backend.report


@pytest.mark.parametrize("case", CASES)
def test_closing_twice_is_allowed_and_work_afterwards_is_not(request, case):
    _, spec, backend = load_case(request, case)
    backend.close()
    backend.close()
    with pytest.raises(InferenceError, match="after close"):
        backend.infer(inputs_for(spec, 0))


@pytest.mark.parametrize(
    "loaded",
    [case for case, (spec, _) in CASES.items() if spec.input.kind == "tensor"],
    indirect=True,
)
def test_a_wrong_input_shape_is_refused(loaded):
    _, spec, backend = loaded
    with pytest.raises(ModelMismatchError):
        backend.infer([np.zeros((1, 3, 100, 100), spec.input.format.dtype)])


def test_its_task_can_be_made_from_it(loaded):
    name, spec, backend = loaded
    make, options = {
        "detect": (ObjectDetector, DetectOptions()),
        "faces": (FaceFinder, FaceOptions()),
        "text": (TextReader, TextOptions()),
    }[spec.task]
    runner = make(Loaded(spec, backend, name, backend.report))
    for size in [(480, 640), (7, 5), (1, 1)]:
        black = np.zeros((*size, 3), np.uint8)
        assert len(runner.run(black, options, "en").result) == 0


def test_the_table_names_classes_that_exist():
    for name in filter(is_installed, backends()):
        version, _ = survey(name)
        assert version or name == "fake"


def test_every_backend_has_a_model():
    used = {name for spec in load_manifest().values() for name in spec.backends}
    assert used == set(backends())
