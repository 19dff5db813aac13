"""The describer with several tasks: all at once, joined, and none spoiling the others."""

import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest
from making import describer_of, object_detector, scene_of
from picture_files import exif, segment
from task_standins import ScriptedTask

from i2t_ros.backends.fake import FakeBackend
from i2t_ros.errors import (
    BackendMissingError,
    InferenceError,
    InvalidRequestError,
    ModelMissingError,
    TimeLimitError,
    TranslationError,
    UnknownTaskError,
)
from i2t_ros.models.manifest import find_spec
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.describer import Shown
from i2t_ros.pipeline.object_detector import DetectOptions
from i2t_ros.pipeline.reply_cache import CacheLimits, ReplyCache
from i2t_ros.pipeline.tasks.classify import ClassifyOptions
from i2t_ros.pipeline.tasks.faces import FaceOptions, Faces
from i2t_ros.pipeline.tasks.registry import scaled_scene
from i2t_ros.pipeline.tasks.text import TextOptions
from i2t_ros.pipeline.telling import draw
from i2t_ros.types import DescribeRequest, Picture
from i2t_ros.vision.codecs import decode_image, encode_image

GREY = np.full((48, 64, 3), 128, np.uint8)
PICTURE = cv2.imencode(".png", GREY)[1].tobytes()
OTHER = cv2.imencode(".png", GREY + 1)[1].tobytes()
EVERY = ("detect", "classify", "faces", "text")
ALL = DescribeOptions(tasks=EVERY)
LIMIT = 30


def detector(**fake):
    return object_detector(find_spec("fake"), FakeBackend(**fake))


@pytest.fixture
def make():
    describers = []

    def make(found=None, *, objects=True, **more):
        tasks = {task: ScriptedTask(task) for task in ("classify", "faces", "text")}
        tasks |= found or {}
        openers = {task: (lambda runner=runner: runner) for task, runner in tasks.items()}
        describers.append(describer_of(detector() if objects else None, openers, **more))
        return describers[-1], tasks

    yield make
    for describer in describers:
        describer.close()


def test_one_scene_holds_what_every_task_found(make):
    describer, _ = make()
    description = describer.describe(GREY, ALL)
    scene = description.scene
    assert (scene.width, scene.height) == (64, 48)
    assert len(scene.detections) == 1
    assert scene.results.get("classify") == (("Egyptian cat", 0.9),)
    assert len(scene.results.get("faces")) == 1
    assert [region.text for region in scene.results.get("text")] == ["Exit"]
    assert scene.failures == {}
    assert description.sentence == (
        "I can see a person. There is a face in the picture. The text reads “Exit.” "
        "Best guess: Egyptian cat."
    )
    assert description.model == (
        "fake on fake (fake), classify standin, faces standin, text standin"
    )


def test_only_what_was_asked_for_runs(make):
    describer, tasks = make()
    scene = describer.describe(GREY, DescribeOptions(tasks=("faces",))).scene
    assert scene.detections is scene.results.get("classify") is scene.results.get("text") is None
    assert len(scene.results.get("faces")) == 1
    assert [tasks[task].calls for task in ("classify", "faces", "text")] == [0, 1, 0]


def test_a_describer_without_a_detector_has_the_other_tasks(make):
    describer, _ = make(objects=False)
    description = describer.describe(GREY, DescribeOptions(tasks=("text", "faces")))
    assert description.model == "text standin, faces standin"
    with pytest.raises(UnknownTaskError, match="'detect' is not available here; available: faces"):
        describer.describe(GREY, ALL)


def test_all_tasks_are_at_work_at_once(make):
    gate = threading.Event()
    blocked = {task: ScriptedTask(task, gate=gate) for task in ("classify", "faces", "text")}
    describer, tasks = make(blocked)
    result = []
    caller = threading.Thread(target=lambda: result.append(describer.describe(GREY, ALL)))
    caller.start()
    # Each has begun while none has ended: they do not wait for one another.
    assert all(task.begun.wait(LIMIT) for task in tasks.values())
    gate.set()
    caller.join(LIMIT)
    assert len(result[0].scene.results.get("faces")) == 1


def test_several_callers_get_their_own_results(make):
    describer, tasks = make()
    scenes = []

    def call(side):
        image = np.full((side, side, 3), 128, np.uint8)
        for _ in range(20):
            scenes.append((side, describer.describe(image, ALL).scene))

    callers = [threading.Thread(target=call, args=(side,)) for side in (16, 32, 48)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(LIMIT)
    assert len(scenes) == 60
    assert all(scene.width == side and not scene.failures for side, scene in scenes)
    assert not any(task.overlapped for task in tasks.values())


def test_a_task_that_fails_leaves_the_others(make):
    describer, _ = make({"faces": ScriptedTask("faces", error=InferenceError("broken"))})
    description = describer.describe(GREY, ALL)
    assert {task: error.code for task, error in description.scene.failures.items()} == {
        "faces": "inference_failed"
    }
    assert description.scene.results.get("faces") is None
    assert len(description.scene.detections) == 1
    assert "face" not in description.sentence


def test_a_detector_that_fails_leaves_the_other_tasks():
    def broken(inputs):
        raise InferenceError("broken")

    describer = describer_of(detector(script=broken), {"faces": lambda: ScriptedTask("faces")})
    scene = describer.describe(GREY, DescribeOptions(tasks=("detect", "faces"))).scene
    describer.close()
    assert set(scene.failures) == {"detect"}
    assert len(scene.results.get("faces")) == 1


def test_a_task_that_cannot_be_loaded_leaves_the_others(make):
    def opener():
        raise BackendMissingError("pip install it")

    describer = describer_of(detector(), {"text": opener})
    scene = describer.describe(GREY, DescribeOptions(tasks=("detect", "text"))).scene
    describer.close()
    assert scene.failures["text"].code == "backend_missing"
    assert len(scene.detections) == 1


def test_what_a_task_found_in_spite_of_a_failure_is_kept(make):
    failure = TranslationError("no key")
    describer, _ = make({"text": ScriptedTask("text", failure=failure)})
    scene = describer.describe(GREY, ALL).scene
    assert scene.failures == {"text": failure}
    assert [region.text for region in scene.results.get("text")] == ["Exit"]


def test_where_all_fail_the_first_one_asked_for_is_raised(make):
    describer, _ = make(
        {
            "faces": ScriptedTask("faces", error=InferenceError("broken")),
            "text": ScriptedTask("text", error=ModelMissingError("offline")),
        }
    )
    with pytest.raises(ModelMissingError, match="offline"):
        describer.describe(GREY, DescribeOptions(tasks=("text", "faces")))


def test_a_task_that_takes_too_long_is_not_waited_for(make):
    gate = threading.Event()
    describer, _ = make({"faces": ScriptedTask("faces", gate=gate)}, time_limit=0.05)
    try:
        scene = describer.describe(GREY, ALL).scene
        assert isinstance(scene.failures["faces"], TimeLimitError)
        assert len(scene.detections) == 1
    finally:
        gate.set()


def test_prepare_loads_and_says_what_cannot_be_loaded(make):
    describer, tasks = make()
    describer.prepare(EVERY)
    assert all(task.calls == 0 for task in tasks.values())
    with pytest.raises(UnknownTaskError):
        describer_of(detector()).prepare(["faces"])


def test_close_closes_every_task(make):
    describer, tasks = make()
    describer.prepare(EVERY)
    describer.close()
    describer.close()
    assert all(task.closed for task in tasks.values())


def test_a_drawing_shows_what_every_task_found(make):
    describer, _ = make()
    drawings = [
        draw(GREY, describer.describe(GREY, options).scene, options)
        for options in (DescribeOptions(tasks=(task,)) for task in EVERY)
    ]
    assert all((drawing != GREY).any() for drawing in drawings)


# Options


def test_a_repeated_task_is_one():
    assert DescribeOptions(tasks=("faces", "detect", "faces")).tasks == ("faces", "detect")


@pytest.mark.parametrize(
    ("options", "wrong", "message"),
    [
        (DescribeOptions, {"tasks": ()}, "no task"),
        (DescribeOptions, {"tasks": ("detect", "smell")}, "'smell'"),
        (DescribeOptions, {"jpeg_quality": 0}, "jpeg_quality: expected 1 to 100, got 0"),
        (ClassifyOptions, {"top_k": 0}, "top_k: expected 1 to 10000, got 0"),
        (FaceOptions, {"min_score": 2}, "face_min_score: expected 0 to 1"),
        (TextOptions, {"min_score": -1}, "text_min_score: expected 0 to 1"),
        (DetectOptions, {"min_score": 7}, "min_score: expected 0 to 1"),
    ],
)
def test_wrong_options_are_refused(options, wrong, message):
    with pytest.raises((InvalidRequestError, UnknownTaskError), match=message):
        options(**wrong)


# The cache


@pytest.fixture
def cached(make):
    return make(cache=ReplyCache())


def test_the_same_picture_and_options_are_answered_once(cached):
    describer, tasks = cached
    request = DescribeRequest(picture=Picture(PICTURE), tasks=EVERY, annotate=True)
    first, second = describer.answer(request, ALL), describer.answer(request, ALL)
    assert (first.cached, second.cached) == (False, True)
    assert second == replace(first, cached=True)
    assert tasks["faces"].calls == 1


@pytest.mark.parametrize(
    "other",
    [
        DescribeRequest(picture=Picture(OTHER)),
        DescribeRequest(picture=Picture(PICTURE), language="es"),
        DescribeRequest(picture=Picture(PICTURE), style="list"),
        DescribeRequest(picture=Picture(PICTURE), min_score=0.4),
        DescribeRequest(picture=Picture(PICTURE), annotate=True),
        DescribeRequest(picture=Picture(PICTURE), tasks=("detect",)),
    ],
)
def test_another_picture_or_option_is_worked_on(cached, other):
    describer, _ = cached
    describer.answer(DescribeRequest(picture=Picture(PICTURE)), ALL)
    assert not describer.answer(other, ALL).cached


def test_what_the_options_say_already_is_the_same_request(cached):
    describer, _ = cached
    describer.answer(DescribeRequest(picture=Picture(PICTURE)), ALL)
    explicit = DescribeRequest(picture=Picture(bytearray(PICTURE)), tasks=EVERY, language="en")
    assert describer.answer(explicit, ALL).cached


def test_a_fresh_answer_is_neither_taken_from_the_cache_nor_put_into_it(cached):
    describer, tasks = cached
    fresh = DescribeRequest(picture=Picture(PICTURE), fresh=True)
    for calls in (1, 2):
        assert not describer.answer(fresh, ALL).cached
        assert tasks["faces"].calls == calls
    for known in (False, True):
        assert describer.answer(DescribeRequest(picture=Picture(PICTURE)), ALL).cached == known
    assert not describer.answer(fresh, ALL).cached


def test_an_answer_with_a_failure_is_not_kept(make):
    broken = ScriptedTask("faces", error=InferenceError("broken"))
    describer, _ = make({"faces": broken}, cache=ReplyCache())
    for _ in range(2):
        assert not describer.answer(DescribeRequest(picture=Picture(PICTURE)), ALL).cached
    assert broken.calls == 2


def test_a_frame_of_a_camera_is_never_kept(cached):
    describer, tasks = cached
    for _ in range(2):
        reply = describer.answer(DescribeRequest(), ALL, newest=lambda _: Shown(GREY))
        assert not reply.cached
    assert tasks["faces"].calls == 2


def test_without_a_cache_nothing_is_kept(make):
    for more in ({}, {"cache": ReplyCache(CacheLimits(entries=0))}):
        describer, _ = make(**more)
        for _ in range(2):
            assert not describer.answer(DescribeRequest(picture=Picture(PICTURE)), ALL).cached


def test_who_asks_again_while_it_is_worked_on_gets_the_same_answer(make):
    gate = threading.Event()
    slow = ScriptedTask("faces", gate=gate)
    describer, _ = make({"faces": slow}, cache=ReplyCache())
    replies = []
    request = DescribeRequest(picture=Picture(PICTURE), tasks=("faces",))
    callers = [
        threading.Thread(target=lambda: replies.append(describer.answer(request, ALL)))
        for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    assert slow.begun.wait(LIMIT)
    gate.set()
    for caller in callers:
        caller.join(LIMIT)
    assert slow.calls == 1
    assert sorted(reply.cached for reply in replies) == [False, True, True]


def test_where_the_first_one_fails_the_next_one_tries_itself(make):
    broken = ScriptedTask("faces", error=InferenceError("broken"))
    describer, _ = make({"faces": broken}, cache=ReplyCache())
    errors = []

    def ask():
        with pytest.raises(InferenceError) as caught:
            describer.answer(DescribeRequest(picture=Picture(PICTURE), tasks=("faces",)), ALL)
        errors.append(caught.value)

    callers = [threading.Thread(target=ask) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(LIMIT)
    assert len(errors) == broken.calls == 3


@pytest.mark.parametrize("turned", [False, True])
def test_a_picture_decoded_smaller_is_described_in_its_own_pixels(make, turned):
    data = cv2.imencode(".jpg", np.full((96, 128, 3), 128, np.uint8))[1].tobytes()
    if turned:
        data = data[:2] + segment(0xE1, b"Exif\0\0" + exif(6)) + data[2:]
    describer, _ = make()
    options = replace(ALL, max_pixels=64 * 48)
    small = decode_image(data, options.max_pixels)
    assert sorted(small.shape[:2]) == [48, 64]
    seen = describer.describe(small, options).scene
    reply = describer.answer(DescribeRequest(picture=Picture(data), annotate=True), options)
    scene = reply.description.scene
    assert (scene.width, scene.height) == ((96, 128) if turned else (128, 96))
    assert (scene.detections.boxes == 2 * seen.detections.boxes).all()
    assert (scene.results["faces"].boxes == 2 * seen.results["faces"].boxes).all()
    assert (scene.results["text"][0].corners == 2 * seen.results["text"][0].corners).all()
    assert scene.results["classify"] == seen.results["classify"]
    expected = encode_image(draw(small, seen, options), "jpeg", options.jpeg_quality)
    assert bytes(reply.annotated) == bytes(expected), "in the size that was decoded"
    newest = describer.answer(DescribeRequest(), options, newest=lambda _: Shown(Picture(data)))
    assert newest.description.scene.width == scene.width


def test_landmarks_are_scaled_with_their_face():
    faces = Faces([[1, 2, 5, 6]], [0.8], np.full((1, 5, 2), 3))
    larger = scaled_scene(scene_of(10, 20, faces=faces), (40, 60)).results["faces"]
    assert larger.boxes.tolist() == [[4, 6, 20, 18]]
    assert larger.landmarks.tolist() == [[[12, 9]] * 5]
