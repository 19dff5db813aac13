"""Where the time goes between an encoded picture and a sentence, beside the bare engine call.

Every stage is called once in each round, on one thread but for the engine. "describer" is the whole
way from pixels to a sentence; its ratio is to the engine called on the same tensor, in turns.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from effort import Effort
from material import bare_engine, describer, detector, jpeg, photo
from table import Row, Table, at_most, milliseconds, show, take_turns
from targets import DESCRIBER

from i2t_ros.backends.base import Backend
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.loading import Loaded
from i2t_ros.pipeline.object_detector import DetectOptions, ObjectDetector
from i2t_ros.pipeline.telling import draw, scene_facts, tell
from i2t_ros.types import Detections, Scene
from i2t_ros.vision.codecs import decode_image, encode_image
from i2t_ros.vision.color_names import colored
from i2t_ros.vision.depth import DepthImage, Intrinsics, locate
from i2t_ros.vision.letterbox import Letterbox

SIZES = ((640, 480), (1920, 1080))
OBJECTS = (0, 10, 100, 1000)


def whole(effort: Effort) -> Iterator[Row]:
    """Yield the describer beside the engine, and each stage beside the engine, for each size."""
    with_words, options = describer(), DescribeOptions()
    found = with_words.detector
    for width, height in SIZES[: 1 if effort.gate else None]:
        image = photo(width, height)
        times = take_turns(
            {
                "engine": bare_engine(found, image),
                "describer": lambda image=image: with_words.describe(image, options),
            },
            effort.calls,
        )
        row = milliseconds(f"describer, {width}x{height}", times["describer"], times["engine"])
        yield at_most(row, DESCRIBER) if (width, height) == SIZES[0] else row
        if not effort.gate:
            yield from stages(found, image, effort.calls // 3)
    with_words.close()


def stages(found: ObjectDetector, image: np.ndarray, rounds: int) -> Iterator[Row]:
    """Yield each stage of a picture's way, beside the engine."""
    to = found.spec.input.format
    if to is None:  # the engine takes the image as it is
        return
    letterbox, prepared = Letterbox(to), found.prepare(image)
    engine = bare_engine(found, image)
    outputs, options = engine(), DescribeOptions()
    encoded = jpeg(image)
    found_objects = found.read(prepared, outputs, DetectOptions())
    scene = Scene(image.shape[1], image.shape[0], {"detect": found_objects})
    drawn = draw(image, scene, options)
    times = take_turns(
        {
            "decode JPEG": lambda: decode_image(encoded),
            "letterbox and tensor": lambda: letterbox(image),
            "engine": engine,
            "read outputs": lambda: found.read(prepared, outputs, DetectOptions()),
            "facts": lambda: scene_facts(scene, "sentence"),
            "facts and sentence": lambda: tell(scene, options),
            "draw": lambda: draw(image, scene, options),
            "encode JPEG": lambda: encode_image(drawn),
        },
        rounds,
    )
    for name, seconds in times.items():
        beside = () if name == "engine" else times["engine"]
        yield milliseconds(f"{image.shape[1]}x{image.shape[0]}: {name}", seconds, beside)


class Prepared:
    """A backend that has its outputs ready, so that what is left is ours."""

    device, report, concurrency, batch = "cpu", "prepared outputs", 1, 1

    def __init__(self, outputs: list[np.ndarray]) -> None:
        self.outputs = outputs

    def infer(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        return self.outputs

    def close(self) -> None:
        """Nothing to do."""


def crowd(found: ObjectDetector, count: int) -> list[np.ndarray]:
    """Return outputs of yolox in which so many cells see an object of their own class."""
    cells = bare_engine(found, photo())()[0]
    outputs = np.zeros_like(cells)
    random = np.random.default_rng(0)
    chosen = random.choice(cells.shape[1], count, replace=False)
    outputs[0, chosen, 4] = random.uniform(0.5, 1, count)
    outputs[0, chosen, 5 + random.integers(0, cells.shape[2] - 5, count)] = 1
    return [outputs]


def costs(rounds: int) -> Iterator[Row]:
    """Yield what all but the engine costs, by objects seen and by the size of the picture."""
    real = detector()
    spec = real.spec
    if spec.decoder != "yolox":
        return
    image = photo()
    ours: dict[int, ObjectDetector] = {}
    for count in OBJECTS:
        backend: Backend = Prepared(crowd(real, count))
        ours[count] = ObjectDetector(Loaded(spec, backend, "fake", backend.report))
    options = DetectOptions(max_detections=1000)

    def describe(count: int) -> None:
        tell(Scene(640, 480, {"detect": ours[count].detect(image, options)}), DescribeOptions())

    calls = {count: lambda count=count: describe(count) for count in OBJECTS}
    times = take_turns(calls, rounds)
    for count in OBJECTS:
        row = milliseconds(f"all but the engine, {count} objects", times[count], times[OBJECTS[0]])
        yield row
    sizes = ((320, 240), (640, 480), (1280, 720), (1920, 1080), (3840, 2160))
    pictures = {f"{width}x{height}": photo(width, height) for width, height in sizes}
    calls = {
        name: lambda picture=picture: ours[10].detect(picture) for name, picture in pictures.items()
    }
    times = take_turns(calls, rounds)
    for name in pictures:
        yield milliseconds(f"all but the engine, {name}", times[name], times["640x480"])
    real.close()
    yield from of_ten_objects(rounds, image)


def of_ten_objects(rounds: int, image: np.ndarray) -> Iterator[Row]:
    """Yield what their distances cost, before a wall that leans away, and their colors."""
    random = np.random.default_rng(0)
    wall = np.linspace(2500, 5000, 640) * np.ones((480, 1))
    depth = DepthImage((wall * random.normal(1, 0.01, wall.shape)).astype(np.uint16))
    camera = Intrinsics(600.0, 600.0, 319.5, 239.5, 640, 480)
    corners = [(x, y) for x in range(0, 500, 100) for y in (50, 250)]
    boxes = np.array([(x, y, x + 120, y + 200) for x, y in corners], np.float32)
    found = Detections(boxes, np.full(10, 0.9, np.float32), np.zeros(10, np.int32), ("person",))
    scene = Scene(640, 480, {"detect": found})
    calls = {
        "distances": lambda: locate(found, (640, 480), depth, camera),
        "colors": lambda: colored(scene, image),
    }
    for name, times in take_turns(calls, rounds).items():
        yield milliseconds(f"{name} of 10 objects, 640x480", times)


def tables(effort: Effort) -> list[Table]:
    title = "From a picture to a sentence (beside the bare engine call)"
    found = [show("picture", title, whole(effort))]
    if not effort.gate:
        title = "What all but the engine costs (beside 0 objects, and beside 640x480)"
        found.append(show("crowd", title, costs(effort.calls // 3)))
    return found
