"""What a task writes as JSON it reads again, by the keys and types that it promises."""

import json
from dataclasses import fields
from typing import get_args

import numpy as np
import pytest
from making import classes_of

from i2t_ros.pipeline.tasks.caption import Caption
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.pose import Poses
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.types import Detections, Mask

BOXES = [[1, 2, 30.5, 40], [5, 6, 8, 8]]
POINTS = np.arange(68).reshape(2, 17, 2) + 0.5
SIGN = np.float32([[1, 2], [30, 4], [29, 14], [0, 12]])
MASKS = Mask(1, 2, np.tri(38, 29, dtype=bool)), Mask(0, 0, np.zeros((0, 0), bool))
RESULTS = {
    "detect": [
        Detections.empty(["cat"]),
        Detections(BOXES, [0.75, 0.5], [1, 0], ("cat", "dog")),
        Detections(BOXES, [0.75, 0.5], [1, 1], ("cat", "dog"), track_ids=[7, -1]),
        Detections(
            *(BOXES, [0.75, 0.5], [1, 1], ("cat", "dog")),
            track_ids=[7, -1],
            positions=[[0.5, -1.25, 2], [0, 0, 0]],
            colors=("red", ""),
            masks=MASKS,
        ),
    ],
    "segment": [
        Detections.empty(["cat"]),
        Detections(BOXES, [0.75, 0.5], [1, 0], ("cat", "dog"), masks=MASKS),
        Detections(
            *(BOXES, [0.75, 0.5], [1, 1], ("cat", "dog")),
            track_ids=[7, -1],
            positions=[[0.5, -1.25, 2], [0, 0, 0]],
            colors=("red", ""),
            masks=MASKS,
        ),
    ],
    "pose": [
        Poses(np.empty((0, 4)), [], [], [], ()),
        Poses(
            *(BOXES, [0.75, 0.5], POINTS, np.linspace(0, 1, 34).reshape(2, 17)),
            (("sitting", "arm_raised"), ()),
        ),
    ],
    "faces": [
        Faces(np.empty((0, 4)), []),
        Faces(BOXES, [0.75, 0.5]),
        Faces(BOXES, [0.75, 0.5], np.arange(20).reshape(2, 5, 2)),
    ],
    "text": [
        (),
        (TextRegion(SIGN, "Exit", 0.75, (255, 0, 51), (0, 9, 16), "出口"),),
        (TextRegion(SIGN, "", 0.75, (255, 0, 51), (0, 9, 16), script="korean"),),
    ],
    "classify": [classes_of((), ()), classes_of(("tabby", "lobster"), (0.5, 0.25))],
    "caption": [Caption("A cat sleeps."), Caption("Two dogs play.", 2.5)],
}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_reads_what_it_wrote(name):
    task = TASKS[name]
    for result in RESULTS[name]:
        written = task.to_json(result, str.upper)
        assert list(written) == list(task.result_json)
        again = task.from_json(json.loads(json.dumps(written)))
        assert task.to_json(again, str.upper) == written


@pytest.mark.parametrize("name", TASKS)
def test_every_item_has_the_fields_that_are_promised(name):
    task = TASKS[name]
    written = task.to_json(RESULTS[name][-1], str.upper)
    for key, kind in task.result_json.items():
        (item,) = get_args(kind) or (kind,)
        promised = [field.name for field in fields(item)]
        first = written[key][0] if get_args(kind) else written[key]
        assert list(first) == promised


def test_objects_of_nearly_one_size_rank_the_same_when_they_come_back():
    task, random = TASKS["detect"], np.random.default_rng(1)
    names = tuple("abcdef")
    for _ in range(200):
        boxes = np.float32([10, 20, 110, 220]) + random.uniform(-0.1, 0.1, (6, 4))
        written = task.to_json(Detections(boxes, [0.5] * 6, range(6), names), str.upper)
        assert task.to_json(task.from_json(written), str.upper) == written
