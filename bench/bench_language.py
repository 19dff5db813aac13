"""How long 100 detections take to become a sentence.

80 classes, half of the scores in doubt, ``hedge`` on: the longest sentences there are. The spread
is from the median to the 90th percentile.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import numpy as np
from effort import Effort
from table import Row, Table, at_most, show
from targets import SENTENCE

from i2t_ros.language import LANGUAGES, STYLES, compose, load_languages
from i2t_ros.pipeline.telling import scene_facts
from i2t_ros.types import Detections, Scene

ROUNDS = 500


def crowded_scene() -> Scene:
    """Return a 640x480 image with 100 objects of up to 80 classes."""
    random = np.random.default_rng(0)
    labels = tuple(key for key in load_languages().get("en").nouns if key != "unknown")[-80:]
    corners = random.uniform((0, 0), (600, 440), (100, 2))
    boxes = np.hstack([corners, corners + random.uniform(5, 200, (100, 2))])
    scores = random.uniform(0.25, 1, 100)
    found = Detections(boxes, scores, random.integers(0, 80, 100), labels)
    return Scene(640, 480, {"detect": found})


def measure(scene: Scene, language: str, style: str) -> tuple[float, float]:
    """Return the median and the 90th percentile of the time for one sentence, in seconds."""
    compose(scene_facts(scene, style), language, style, hedge=True)  # reads the language
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        compose(scene_facts(scene, style), language, style, hedge=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times), statistics.quantiles(times, n=10)[8]


def sentences(scene: Scene) -> Iterator[Row]:
    """Yield the slowest of each language."""
    for language in LANGUAGES:
        found = {style: measure(scene, language, style) for style in STYLES}
        style, (median, p90) = max(found.items(), key=lambda item: item[1][0])
        row = Row(f"100 objects, {language}, {style}", 1e3 * median, "ms", high=1e3 * p90,
                  low=1e3 * median)  # fmt: skip
        yield at_most(row, SENTENCE, "value")


def tables(effort: Effort) -> list[Table]:
    title = "100 detections to a sentence, the slowest style"
    return [show("language", title, sentences(crowded_scene()))]
