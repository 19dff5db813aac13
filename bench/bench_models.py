"""How long each model takes on each engine, how much the package adds, and how accurate it is.

    python bench/bench_models.py [--rounds N] [--url grpc://127.0.0.1:8001]

Prints the table of docs/models.md. "engine" is the call that runs the loaded model on a prepared
tensor; "detector" is a picture of 640 x 480 in, boxes out. The two take turns, so whatever else the
machine does falls on both; the figures are medians. AP is COCO's, on the 80 photos of coco_tiny
(score above 0.01, suppression at 0.65, at most 100 boxes). Models and engines that are not on this
machine are left out, and named.
"""

import argparse
import contextlib
import io
import statistics
import sys
import time

import cv2
import material
from material import open_detector
from pycocotools import coco, cocoeval

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import backends, is_installed
from i2t_ros.errors import I2tError
from i2t_ros.models.manifest import load_manifest
from i2t_ros.pipeline.object_detector import DetectOptions

COCO = material.SHARED / "coco_tiny"


def main():
    """Print one row for each model and engine."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=200)
    arguments.add_argument("--url", default="", help="of a Triton server that has the models")
    args = arguments.parse_args()
    print("| model | engine | engine alone, ms | detector, ms | ratio | AP |")
    print("|---|---|---|---|---|---|")
    for model, backend, options in cases(args.url):
        try:
            with contextlib.closing(open_detector(model, backend, options=options)) as detector:
                print(row(detector, options, args.rounds), flush=True)
        except I2tError as error:
            why = str(error).partition(". ")[0]
            print(f"left out: {model} on {backend}: {why}", file=sys.stderr)


def cases(url):
    """Return every model, engine and choice that is worth a row."""
    for spec in load_manifest().values():
        if spec.task != "detect" or spec.name == "fake":
            continue
        for backend in spec.backends:
            if not is_installed(backend):
                print(f"left out: {backend}: {backends()[backend].install}", file=sys.stderr)
            elif backend != "triton":
                yield spec.name, backend, BackendOptions()
            elif url:
                yield spec.name, backend, BackendOptions(url=url)
        if "openvino" in spec.backends and is_installed("openvino"):
            yield spec.name, "openvino", BackendOptions(precision="bf16")


def row(detector, options, rounds):
    """Measure one detector."""
    image = material.photo()
    engine = material.bare_engine(detector, image)
    alone, whole = [], []
    for i in range(rounds + 20):
        for times, call in ((alone, engine), (whole, lambda: detector.detect(image))):
            started = time.perf_counter()
            call()
            if i >= 20:  # the first ones warm up
                times.append(time.perf_counter() - started)
    bare, full = statistics.median(alone) * 1e3, statistics.median(whole) * 1e3
    name = detector.backend_name + (f", {options.precision}" if options.precision != "auto" else "")
    return (
        f"| {detector.spec.name} | {name} | {bare:.1f} | {full:.1f} | {full / bare:.2f} "
        f"| {accuracy(detector)} |"
    )


def accuracy(detector):
    """Return COCO's AP as text, "-" where it cannot be had."""
    if not COCO.is_dir():
        return "-"
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(COCO / "instances_val2017.json"))
        ids = {category["name"]: category["id"] for category in truth.dataset["categories"]}
        results = [
            result for image in truth.dataset["images"] for result in found(detector, image, ids)
        ]
        if not results:
            return "0"
        evaluation = cocoeval.COCOeval(truth, truth.loadRes(results), "bbox")
        # A detector of fewer classes is measured on those.
        evaluation.params.catIds = [ids[label] for label in detector.labels if label in ids]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return f"{evaluation.stats[0]:.3f}"


def found(detector, image, ids):
    """Return what is in one photo, in COCO's form."""
    options = DetectOptions(min_score=0.01, iou_threshold=0.65, max_detections=100)
    detections = detector.detect(cv2.imread(str(COCO / "val2017" / image["file_name"])), options)
    return [
        {
            "image_id": image["id"],
            "category_id": ids[detections.label(i)],
            "bbox": [float(left), float(top), float(right - left), float(bottom - top)],
            "score": float(detections.scores[i]),
        }
        for i, (left, top, right, bottom) in enumerate(detections.boxes)
        if detections.label(i) in ids
    ]


if __name__ == "__main__":
    main()
