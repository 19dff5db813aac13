"""Captions of a camera: which images get one, and what every scene has meanwhile."""

from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest
from making import scene_of

from i2t_ros.errors import LanguageModelUnreachableError
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.late_tasks import LateTasks
from i2t_ros.pipeline.tasks.base import Outcome
from i2t_ros.pipeline.tasks.caption import Caption, CaptionOptions
from i2t_ros.types import Detections

IMAGE = np.zeros((4, 4, 3), np.uint8)
CAT = scene_of(4, 4, Detections([[0, 0, 2, 2]], [0.9], [0], ("cat", "dog")))
DOG = scene_of(4, 4, Detections([[0, 0, 2, 2]], [0.9], [1], ("cat", "dog")))
DOWN = LanguageModelUnreachableError("nobody listens")


class Camera:
    """Shows scenes at times that a test chooses, and ends captions when a test says so."""

    def __init__(self, *tasks, period=5.0, hold=0.0):
        self.now = 0.0
        self.begun = []  # the future of each caption, and the scene that it is about
        self._late = LateTasks(lambda: self.now)
        options = {"caption": CaptionOptions(period=period)}
        self._options = DescribeOptions(tasks=tasks, task_options=options)
        self._hold = hold

    def show(self, scene, at):
        self.now = at
        return self._late.follow(IMAGE, scene, self._options, self._start, self._hold)

    def _start(self, task, image, scene, options):
        assert task == "caption"
        self.begun.append((Future(), scene))
        return self.begun[-1][0]

    def end(self, result):
        future = self.begun[-1][0]
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(Outcome(Caption(result)))


@pytest.fixture
def camera():
    return Camera("detect", "caption")


def caption(scene):
    return scene.results.get("caption")


def test_the_first_image_gets_a_caption_and_none_waits_for_it(camera):
    assert caption(camera.show(CAT, 0)) is None
    assert caption(camera.show(CAT, 1)) is None
    assert len(camera.begun) == 1
    camera.end("A cat.")
    assert caption(camera.show(CAT, 2)) == Caption("A cat.", 2.0)
    assert caption(camera.show(CAT, 60)) == Caption("A cat.", 60.0)


def test_what_the_other_tasks_found_stays(camera):
    camera.show(CAT, 0)
    camera.end("A cat.")
    scene = camera.show(CAT, 1)
    assert scene.detections is CAT.detections
    assert list(scene.results) == ["detect", "caption"]


def test_an_image_in_which_nothing_has_changed_gets_none(camera):
    camera.show(CAT, 0)
    camera.end("A cat.")
    for second in range(1, 100):
        camera.show(CAT, second)
    assert len(camera.begun) == 1


def test_what_its_image_showed_already_is_no_change():
    camera = Camera("detect", "caption", hold=1.0)  # after which everything in sight is reported
    for second in range(20):
        camera.show(CAT, second)
        if not camera.begun[-1][0].done():
            camera.end("A cat.")
    assert len(camera.begun) == 1


def test_a_change_gets_one_but_not_before_the_period_is_over(camera):
    camera.show(CAT, 0)
    camera.end("A cat.")
    camera.show(DOG, 1)
    camera.show(DOG, 4.9)
    assert len(camera.begun) == 1
    camera.show(DOG, 5)
    assert len(camera.begun) == 2
    assert camera.begun[1][1] is DOG


def test_only_one_is_in_work_however_much_changes(camera):
    camera.show(CAT, 0)
    for second in range(1, 100):
        camera.show([CAT, DOG][second % 2], second)
    assert len(camera.begun) == 1
    camera.end("A cat.")
    camera.show(CAT, 100)
    assert len(camera.begun) == 2  # it has missed changes


def test_a_detector_that_flickers_is_no_change():
    camera = Camera("detect", "caption", hold=1.0)
    for tenth in range(0, 20):
        camera.show(CAT, tenth / 10)
    camera.end("A cat.")
    camera.show(CAT, 6)
    begun = len(camera.begun)
    for tenth in range(0, 100, 2):
        camera.show(CAT, 7 + tenth / 10)
        camera.show(DOG, 7.1 + tenth / 10)
    assert len(camera.begun) == begun


def test_an_error_takes_the_place_of_the_words_until_the_next_ones(camera):
    camera.show(CAT, 0)
    camera.end("A cat.")
    camera.show(DOG, 10)
    camera.end(DOWN)
    scene = camera.show(DOG, 11)
    assert caption(scene) is None
    assert scene.failures == {"caption": DOWN}
    assert len(camera.begun) == 2
    camera.show(DOG, 15)  # the same image again, after the period
    camera.end("A dog.")
    scene = camera.show(DOG, 16)
    assert caption(scene) == Caption("A dog.", 1.0)
    assert scene.failures == {}


def test_without_another_task_every_period_has_one():
    camera = Camera("caption")
    for second in range(21):
        camera.show(scene_of(4, 4), second)
        if not camera.begun[-1][0].done():
            camera.end("Words.")
    assert len(camera.begun) == 5  # at 0, 5, 10, 15 and 20 s


def test_a_camera_without_such_a_task_pays_nothing():
    camera = Camera("detect")
    assert camera.show(CAT, 0) is CAT
    assert camera.begun == []


def test_a_task_that_is_switched_off_is_forgotten(camera):
    camera.show(CAT, 0)
    camera.end("A cat.")
    wanted, camera._options = camera._options, DescribeOptions(tasks=("detect",))
    assert caption(camera.show(CAT, 1)) is None
    camera._options = wanted
    assert caption(camera.show(CAT, 2)) is None
    assert len(camera.begun) == 2


@pytest.mark.parametrize(
    "wanted",
    [
        {"language": "es"},
        {"task_options": {"caption": CaptionOptions(prompt="What is missing?", period=5.0)}},
    ],
    ids=["language", "prompt"],
)
def test_what_is_wanted_otherwise_is_asked_for_although_nothing_changes(camera, wanted):
    camera.show(CAT, 0)
    camera.end("A cat.")
    camera._options = replace(camera._options, **wanted)
    assert caption(camera.show(CAT, 1)) == Caption("A cat.", 1.0)
    camera.show(CAT, 5)
    camera.end("Un gato.")
    assert caption(camera.show(CAT, 6)) == Caption("Un gato.", 1.0)
    camera.show(CAT, 60)
    assert len(camera.begun) == 2


def test_a_task_that_was_closed_says_so(camera):
    camera.show(CAT, 0)
    camera.begun[-1][0].cancel()
    assert camera.show(CAT, 1).failures["caption"].code == "not_active"
