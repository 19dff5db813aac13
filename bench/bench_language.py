"""How long 100 detections take to become a sentence: ``python bench/bench_language.py``.

80 classes, half of the scores in doubt, ``hedge`` on: the longest sentences there are. Exits with 1
where the median of a language and style reaches a millisecond.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np

from i2t_ros.language import LANGUAGES, STYLES, compose, load_languages
from i2t_ros.types import Detections, Scene

LIMIT = 1e-3  # seconds
ROUNDS = 500


def crowded_scene() -> Scene:
    """Return a 640x480 image with 100 objects of up to 80 classes."""
    random = np.random.default_rng(0)
    labels = tuple(key for key in load_languages().get("en").nouns if key != "unknown")[-80:]
    corners = random.uniform((0, 0), (600, 440), (100, 2))
    boxes = np.hstack([corners, corners + random.uniform(5, 200, (100, 2))])
    scores = random.uniform(0.25, 1, 100)
    return Scene(
        640, 480, detections=Detections(boxes, scores, random.integers(0, 80, 100), labels)
    )


def measure(scene: Scene, language: str, style: str) -> tuple[float, float]:
    """Return the median and the 90th percentile of the time for one sentence, in seconds."""
    compose(scene, language, style, hedge=True)  # reads the language
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        compose(scene, language, style, hedge=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times), statistics.quantiles(times, n=10)[8]


def main() -> int:
    scene = crowded_scene()
    slowest = 0.0
    print("language  style      median    p90")
    for language in LANGUAGES:
        for style in STYLES:
            median, p90 = measure(scene, language, style)
            slowest = max(slowest, median)
            print(f"{language:8}  {style:9} {median * 1e3:6.3f} {p90 * 1e3:6.3f} ms")
    print(f"slowest median {slowest * 1e3:.3f} ms, limit {LIMIT * 1e3:.0f} ms")
    return int(slowest >= LIMIT)


if __name__ == "__main__":
    sys.exit(main())
