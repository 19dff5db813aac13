"""What the tasks beside detection cost: time, memory, and all at once.

One photo of 1280 x 720 with a cat, four people and four lines of text. In each round every way to
work on it has its turn, so whatever else the machine does falls on all; a ratio is the median of
the rounds' own ratios. Memory is resident memory of processes of its own, after five photos. The
spread is that of the ratio, or of the value where there is none: the least and the most. Tasks
whose engine or model is not on this machine are left out, and named.
"""

import contextlib
import os
import statistics
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from effort import Effort
from material import SHARED
from table import Row, Table, at_most, milliseconds, show, take_turns
from targets import TEXTS

from i2t_ros.backends.fake import FakeBackend
from i2t_ros.errors import I2tError
from i2t_ros.models.manifest import find_spec, spec_from
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.describer import Describer
from i2t_ros.pipeline.loading import Loaded, OpenOptions
from i2t_ros.pipeline.object_detector import ObjectDetector
from i2t_ros.pipeline.reply_cache import ReplyCache
from i2t_ros.pipeline.tasks.base import Outcome
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.pipeline.tasks.segment import ObjectSegmenter
from i2t_ros.types import DescribeRequest, Picture
from i2t_ros.vision.masks import draw_masks, instance_map, outlines_of

WHITE = (255, 255, 255)
ROUNDS = 15
WARM_UP = 2  # rounds


def tables(effort: Effort) -> list[Table]:
    use_shared_models()
    describer, tasks = opened()
    with contextlib.closing(describer):
        return [
            show("tasks", "Tasks of a 1280x720 photo", times(describer, tasks)),
            show("texts", "A photo with 20 texts", replies(describer) if "text" in tasks else ()),
            show("masks", "Masks of 10 objects of a 640x480 image", masks()),
            show("task_memory", "Memory of tasks", memory(tasks)),
        ]


def times(describer, tasks):
    """Measure each task alone, and several one after another and at once."""
    image = photo()
    several = tuple(task for task in tasks if task != "segment")  # it would replace detect
    groups = {f"{len(several)} tasks": several}
    if "text" in tasks:
        quick = tuple(task for task in several if task != "text")
        groups[f"{len(quick)} tasks without text"] = quick

    def work(chosen):
        describer.describe(image, replace(DescribeOptions(), tasks=chosen))

    calls = {f"task {task} alone": lambda t=task: work((t,)) for task in tasks}
    for name, chosen in groups.items():
        calls[f"{name} one after another"] = lambda c=chosen: [work((task,)) for task in c]
        calls[f"{name} at once"] = lambda c=chosen: work(c)
    measured = take_turns(calls, ROUNDS, WARM_UP)
    for name, seconds in measured.items():
        if " at once" in name:
            in_turn = measured[name.replace(" at once", " one after another")]
            yield milliseconds(name, seconds, in_turn)
        else:
            yield with_spread(milliseconds(name, seconds), [1e3 * s for s in seconds])


def masks():
    """Measure what follows a model of masks: its outputs are those of a YOLO-Seg of 640x640."""
    random, runner = np.random.default_rng(1), segmenter()
    coefficients = random.normal(size=(32, 10)).astype(np.float32)
    rows = np.zeros((1, 4 + 80 + 32, 8400), np.float32)
    for i in range(10):
        rows[0, :4, 100 * i] = 100 + 45 * i, 200 + 20 * i, 160, 240
        rows[0, 4 + i, 100 * i], rows[0, 84:, 100 * i] = 0.9, coefficients[:, i]
    outputs = [rows, random.normal(size=(1, 32, 160, 160)).astype(np.float32)]
    outputs[1] = np.stack([cv2.GaussianBlur(each, (0, 0), 8) for each in outputs[1][0]])[None]
    image, options = np.zeros((480, 640, 3), np.uint8), runner.options()
    prepared = runner.prepare(image)
    found = runner.read(prepared, outputs, options)
    boxes_alone = ObjectDetector(Loaded(find_spec("fake"), FakeBackend(), "fake", ""))
    several = boxes_alone.prepare(image)
    boxes = [found.boxes, found.scores, np.zeros(10, np.int32)]
    options_alone = replace(options, iou_threshold=1.0, any_class_iou_threshold=1.0)
    measured = take_turns(
        {
            "boxes alone, made already": lambda: boxes_alone.read(several, boxes, options_alone),
            "boxes and masks from the outputs": lambda: runner.read(prepared, outputs, options),
            "polygons": lambda: outlines_of(found.masks),
            "the map of instances": lambda: instance_map(found.masks, (640, 480)),
            "drawing": lambda: draw_masks(image, found.masks, [(0, 0, 255)] * 10, 2),
        },
        100,
    )
    for name, seconds in measured.items():
        yield with_spread(milliseconds(name, seconds), [1e3 * s for s in seconds])


def segmenter():
    """Return a runner of a YOLO-Seg whose outputs are never asked for, but at the start."""
    entry = {
        "summary": "ten masks",
        "task": "segment",
        "input": {"format": {"width": 640, "height": 640, "resize": "letterbox_center"}},
        "decoder": "yolov8",
        "labels": "coco80",
        "backends": ["fake"],
    }
    nothing = [np.zeros((1, 116, 8400), np.float32), np.zeros((1, 32, 160, 160), np.float32)]
    backend = FakeBackend(script=lambda _: nothing)
    spec = spec_from("yolo_seg", entry, "bench")
    return ObjectSegmenter(Loaded(spec, backend, "fake", ""))


def replies(describer):
    """Measure whole replies, from an encoded picture to an annotated one."""
    options = replace(DescribeOptions(), tasks=("text",))
    picture = Picture(cv2.imencode(".jpg", page())[1].tobytes())
    request = DescribeRequest(picture, annotate=True)
    read = len(describer.answer(request, options).description.scene.results.get("text"))
    remembering = Describer({"text": lambda: Lent(describer)}, cache=ReplyCache())
    with contextlib.closing(remembering):
        measured = take_turns(
            {
                "worked": lambda: describer.answer(request, options),
                "cached": lambda: remembering.answer(request, options),
            },
            ROUNDS // 3,
            WARM_UP,
        )
    worked, cached = measured["worked"], measured["cached"]
    whole = milliseconds(f"reply, {read} texts read", worked)
    yield at_most(with_spread(whole, [1e3 * s for s in worked]), TEXTS, "value")
    yield milliseconds("the same from the cache", cached, worked)


class Lent:
    """The text task of another describer."""

    name, report, degraded = "lent", "", False

    def __init__(self, describer):
        self._describer = describer

    def run(self, image, options, language):
        given = DescribeOptions(tasks=("text",), task_options={"text": options}, language=language)
        return Outcome(self._describer.describe(image, given).scene.results["text"])

    def close(self):
        """Leave it to its owner."""


def memory(tasks, processes=3):
    """Measure processes without any task, with each of them, and with all."""
    base = statistics.median(megabytes(()) for _ in range(processes))
    yield Row("without a task", base, "MB")
    for chosen in [(task,) for task in tasks] + [tasks]:
        added = [megabytes(chosen) - base for _ in range(processes)]
        name = f"added by {len(tasks)} tasks" if len(chosen) > 1 else f"added by {chosen[0]}"
        yield with_spread(Row(name, statistics.median(added), "MB"), added)


def with_spread(row, values):
    return replace(row, low=min(values), high=max(values))


def megabytes(tasks):
    """Return the resident memory of a new process that has worked on five photos."""
    done = subprocess.run(
        [sys.executable, __file__, ",".join(tasks)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return float(done.stdout.split()[-1])


def print_memory(tasks):
    """Work on five photos and print the resident memory of this process in MB."""
    use_shared_models()
    image = photo()
    if tasks:
        describer, _ = opened(tasks)
        with contextlib.closing(describer):
            for _ in range(5):
                describer.describe(image, replace(DescribeOptions(), tasks=tasks))
            print(resident())
    else:
        print(resident())


def resident():
    """Return the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def use_shared_models():
    """Take what is on this machine and nothing else."""
    os.environ.setdefault("I2T_MODEL_PATH", str(SHARED / "models"))
    os.environ["I2T_OFFLINE"] = "1"


def opened(wanted=tuple(TASKS)):
    """Return a describer with the tasks that this machine can do, all loaded, and their names."""
    chosen = {name: TASKS[name] for name in wanted}
    how = OpenOptions(offline=True)
    describer = Describer(
        {name: partial(task.open, task.settings(), how) for name, task in chosen.items()}
    )
    tasks = []
    for task in wanted:
        try:
            describer.prepare([task])
            tasks.append(task)
        except I2tError as error:
            print(f"left out: {task}: {error}", file=sys.stderr)
    return describer, tuple(tasks)


def photo():
    """Return a cat, four people and four lines of text."""
    image = background()
    people = cv2.imread(str(SHARED / "images" / "face.jpg"))
    if people is not None:
        image[720 - people.shape[0] :, 1280 - people.shape[1] :] = people
    for i, text in enumerate(("Platform 24", "Mind the gap", "Exit", "Departs 10:35")):
        cv2.putText(image, text, (820, 70 + 70 * i), 0, 1.5, WHITE, 4, cv2.LINE_AA)
    return image


def page():
    """Return a photo with 20 lines of text on it."""
    image = background()
    for i in range(20):
        at = (40 + i % 2 * 600, 60 + i // 2 * 66)
        cv2.putText(image, f"Line {i:02}: mind the gap", at, 0, 1, WHITE, 3, cv2.LINE_AA)
    return image


def background():
    image = cv2.imread(str(SHARED / "images" / "cat_720p.jpg"))
    if image is None:
        raise SystemExit(f"no photo in {SHARED}/images")
    return image


if __name__ == "__main__":
    print_memory(tuple(filter(None, sys.argv[1].split(","))))
