import hashlib
import threading
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
from making import describer_of, object_detector

import i2t_ros.pipeline.describer as module
from i2t_ros.backends.fake import FakeBackend
from i2t_ros.errors import (
    InferenceError,
    InvalidRequestError,
    NoFrameError,
    NotAnImageError,
    UnknownLanguageError,
    UnknownStyleError,
    UnknownTaskError,
)
from i2t_ros.models.manifest import find_spec
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.describer import Shown
from i2t_ros.pipeline.description_json import reply_to_json
from i2t_ros.pipeline.loading import OpenOptions
from i2t_ros.pipeline.object_detector import DetectOptions
from i2t_ros.pipeline.reply_cache import CacheLimits, ReplyCache
from i2t_ros.pipeline.scheduler import BackendAccess, RequestQueue
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.pipeline.telling import draw
from i2t_ros.types import DescribeRequest, Picture
from i2t_ros.vision import codecs
from i2t_ros.vlm.settings import LanguageModelSettings

GREY = np.full((48, 64, 3), 128, np.uint8)
OPTIONS = DescribeOptions()


def make(**fake):
    backend = FakeBackend(**fake)
    return describer_of(object_detector(find_spec("fake"), backend)), backend


def encoded(fmt):
    return cv2.imencode(f".{fmt}", GREY)[1].tobytes()


def test_an_image_becomes_a_description():
    describer, _ = make()
    description = describer.describe(GREY, OPTIONS)
    assert description.sentence == "I can see a person."
    assert description.language == "en"
    assert description.scene.width == 64
    assert description.scene.height == 48
    assert description.model == "fake on fake (fake)"
    assert 0 < description.elapsed < 10


@pytest.mark.parametrize("size", [(64, 48), (640, 480)], ids=["as it was", "decoded smaller"])
def test_objects_have_colors_if_they_are_asked_for(size):
    red = np.full((48, 64, 3), (30, 30, 200), np.uint8)
    describer, _ = make()
    asked = DescribeOptions(object_colors=True)
    assert describer.describe(red, OPTIONS, size=size).scene.detections.colors is None
    assert describer.describe(red, asked, size=size).scene.detections.colors == ("red",)


def test_the_image_is_not_drawn_on():
    image = GREY.copy()
    describer, _ = make()
    drawn = draw(image, describer.describe(image, OPTIONS).scene, OPTIONS)
    assert (image == GREY).all()
    assert (drawn != GREY).any()


@pytest.mark.parametrize(
    ("fmt", "name"), [("jpg", "jpeg"), ("png", "png"), ("bmp", "bmp"), ("webp", "webp")]
)
def test_the_annotated_picture_has_the_format_that_was_sent(fmt, name):
    describer, _ = make()
    reply = describer.answer(DescribeRequest(picture=Picture(encoded(fmt)), annotate=True), OPTIONS)
    assert reply.annotated.format == name
    assert cv2.imdecode(np.frombuffer(reply.annotated.data, np.uint8), 1).shape == GREY.shape


def test_nothing_is_drawn_that_nobody_asked_for():
    describer, _ = make()
    assert (
        describer.answer(DescribeRequest(picture=Picture(encoded("png"))), OPTIONS).annotated
        is None
    )


def test_what_a_request_names_wins_over_the_options():
    describer, _ = make()
    request = DescribeRequest(
        picture=Picture(encoded("png")), language="es-MX", style="list", min_score=0.95
    )
    description = describer.answer(request, OPTIONS).description
    assert description.language == "es-419"
    assert len(description.scene.detections) == 0
    own = DescribeOptions(language="es", task_options={"detect": DetectOptions(min_score=0.95)})
    assert own.for_request(DescribeRequest()).task_options["detect"].min_score == 0.95
    assert own.for_request(DescribeRequest()).language == "es"


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (DescribeRequest(picture=Picture(b"hello")), NotAnImageError),
        (DescribeRequest(picture=Picture(encoded("png")), language="tlh"), UnknownLanguageError),
        (DescribeRequest(picture=Picture(encoded("png")), style="baroque"), UnknownStyleError),
        (DescribeRequest(picture=Picture(encoded("png")), tasks=("dance",)), UnknownTaskError),
        (DescribeRequest(picture=Picture(encoded("png")), min_score=1.5), InvalidRequestError),
        (DescribeRequest(picture=Picture(encoded("png")), min_score=-0.1), InvalidRequestError),
        (DescribeRequest(), NoFrameError),
    ],
)
def test_each_bad_request_has_its_own_error(request_, error):
    describer, backend = make()
    calls = backend.calls
    with pytest.raises(error):
        describer.answer(request_, OPTIONS)
    assert backend.calls == calls, "the backend was used for a request that cannot be answered"


def test_the_newest_frame_is_answered_as_jpeg():
    describer, _ = make()
    asked = []

    def newest(camera):
        asked.append(camera)
        return Shown(GREY)

    request = DescribeRequest(camera="front", annotate=True)
    reply = describer.answer(request, OPTIONS, newest=newest)
    assert asked == ["front"]
    assert reply.annotated.format == "jpeg"


def test_the_newest_frame_may_be_measured():
    describer, _ = make()

    def measure(scene):
        found = scene.detections
        assert (scene.width, scene.height) == (GREY.shape[1], GREY.shape[0])
        return scene.with_detections(replace(found, positions=[[0, 0, 3]] * len(found)))

    newest = Shown(GREY, measure)
    reply = describer.answer(DescribeRequest(), OPTIONS, newest=lambda _: newest)
    assert reply.description.scene.detections.distances().tolist() == [3]
    picture = DescribeRequest(Picture(encoded("png")), fresh=True)
    reply = describer.answer(picture, OPTIONS, newest=lambda _: newest)
    assert reply.description.scene.detections.positions is None


def test_the_backend_is_held_only_while_it_runs():
    gate = threading.Event()
    describer, backend = make(gate=gate)
    requests = RequestQueue()
    access = BackendAccess()

    def turn():
        return access.turn(urgent=True)

    future = requests.submit(
        lambda: describer.answer(
            DescribeRequest(picture=Picture(encoded("png"))), OPTIONS, turn=turn
        )
    )
    assert backend.begun.wait(10)
    other = threading.Thread(target=lambda: turn().__enter__())
    other.start()
    other.join(0.05)
    assert other.is_alive(), "two threads had the backend at once"
    gate.set()
    assert future.result(10).description.sentence
    other.join(10)
    assert not other.is_alive()
    assert requests.close()


@pytest.mark.parametrize("cache", [None, ReplyCache(CacheLimits(entries=0)), ReplyCache()])
def test_a_picture_is_hashed_decoded_drawn_and_encoded_once(monkeypatch, cache):
    done = Counter()

    def counted(name, function):
        def call(*arguments):
            done[name] += 1
            return function(*arguments)

        return call

    for name in ("decode_image", "draw", "encode_image"):
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    monkeypatch.setattr(hashlib, "sha256", counted("sha256", hashlib.sha256))
    monkeypatch.setattr(codecs, "_parse_header", counted("_parse_header", codecs._parse_header))
    backend = FakeBackend()
    detector = object_detector(find_spec("fake"), backend)
    describer = describer_of(detector, cache=cache)
    calls = backend.calls
    picture = Picture(encoded("png"))
    reply = describer.answer(DescribeRequest(picture=picture, annotate=True), OPTIONS)
    reply_to_json(reply, picture)
    steps = ("decode_image", "draw", "encode_image", "sha256", "_parse_header")
    assert done == dict.fromkeys(steps, 1)
    assert backend.calls == calls + 1


def test_the_error_of_a_call_is_that_of_every_image_in_it():
    backend = FakeBackend(batch=2)
    describer = describer_of(object_detector(find_spec("fake"), backend))
    works = [describer.begin(GREY, OPTIONS) for _ in range(2)]
    backend.close()
    describer.infer(works)
    for work in works:
        with pytest.raises(InferenceError, match="used after close"):
            describer.finish(work)


def test_close_may_be_called_twice():
    describer, backend = make()
    describer.prepare(["detect"])
    describer.close()
    describer.close()
    assert backend.model is None


def test_sixteen_bit_gray_is_stretched_as_the_options_say():
    thermal = np.linspace(7000, 7900, 48 * 64).reshape(48, 64).astype(np.uint16)
    picture = Picture(cv2.imencode(".png", thermal)[1].tobytes())
    describer, _ = make()
    request = DescribeRequest(picture=picture, annotate=True)
    dark = describer.answer(request, DescribeOptions(gray16="full")).annotated
    assert np.median(codecs.decode_image(dark)) < 40
    assert np.median(codecs.decode_image(describer.answer(request, OPTIONS).annotated)) > 100
    with pytest.raises(InvalidRequestError, match="gray16"):
        DescribeOptions(gray16="brighter")


@pytest.mark.parametrize(
    ("device", "alone"),
    [("cpu", True), ("CPU", True), ("cuda", False), ("http://host:8000", False)],
)
def test_a_gpu_or_a_server_is_shared(device, alone):
    backend = FakeBackend()
    backend.device = device
    describer = describer_of(object_detector(find_spec("fake"), backend))
    assert describer.uses_cores_alone(["detect"]) is alone


def test_a_language_model_is_shared():
    settings = LanguageModelSettings(url="http://127.0.0.1:9/v1")
    writer = TASKS["caption"].open(settings, OpenOptions())
    detector = object_detector(find_spec("fake"), FakeBackend())
    describer = describer_of(detector, {"caption": lambda: writer})
    assert describer.uses_cores_alone(["detect"])
    assert not describer.uses_cores_alone(["detect", "caption"])
    describer.close()
