"""`i2t models doctor FILE`: what a model file is, how it is fed and read, and what it finds."""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from msgspec import to_builtins

from i2t_ros.backends.base import BackendOptions
from i2t_ros.cli.inputs import named
from i2t_ros.cli.tables import printable
from i2t_ros.errors import (
    BackendError,
    I2tError,
    ImageError,
    ModelError,
    ModelMismatchError,
    ModelMissingError,
)
from i2t_ros.models.lookup import describe_model, obtain
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.models.metadata import read_metadata
from i2t_ros.models.recognition import read_file, recognize_facts
from i2t_ros.models.tensors import FileFacts, TensorInfo
from i2t_ros.pipeline.loading import OpenOptions, open_spec
from i2t_ros.pipeline.model_runner import NO_NUMBERS
from i2t_ros.pipeline.object_detector import DetectOptions, ObjectDetector
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.resources import expanded
from i2t_ros.types import Image, Picture
from i2t_ros.vision.codecs import decode_image
from i2t_ros.vision.letterbox import TensorFormat

TOP = 5
SHOWN_SCORE = 0.01
"""Objects are shown from here on, to tell a model that sees little from one that sees nothing."""
LONGEST_VALUE = 100  # characters of a metadata value
LONGEST_ANSWER = 500  # characters
DRAWING = "a drawing"
LEFT = 10  # columns of the names at the left

Report = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the action doctor."""
    parser.description = (
        "Without MODEL: which backends and models are here, what is missing, and what `model: "
        "auto` takes. With MODEL, a file of your own or an entry of `i2t models list`: what the "
        "file is, its inputs, outputs and metadata; which exporter's format it was recognized as; "
        "where its labels come from; how pictures are fed to it and its outputs read; and what it "
        "finds in a picture. What is wrong is said with what to do. The last lines are a "
        "description to save beside the file (MODEL without its ending, then .yaml) if something "
        "must be changed. With --caption-url: what a server of language models offers, and "
        "whether it takes pictures."
    )
    parser.epilog = (
        "examples: i2t models doctor robot.onnx --image street.jpg; "
        "i2t models doctor robot.onnx --labels names.txt --json; "
        "i2t models doctor --caption-url http://127.0.0.1:8080/v1. "
        "Exit code: 0 if the model or server is usable, 1 if it is not."
    )
    parser.add_argument("model", nargs="?", default="", metavar="MODEL", help="a file, or a name")
    parser.add_argument(
        "--image",
        metavar="PICTURE",
        help="try the model on this picture, best one that shows its objects; default: a drawing, "
        "which has none",
    )
    parser.add_argument(
        "--labels",
        default="",
        metavar="FILE",
        help="class names, one a line, or a table such as coco80; default: MODEL.yaml or MODEL.txt "
        "beside the file, else the names in the file",
    )
    parser.add_argument("--backend", default="auto", help="what runs it (default: auto)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.add_argument(
        "--url", default="", help="also ask this Triton server, as http://robot:8000"
    )


def run(args: argparse.Namespace) -> int:
    """Print what is known of a model; return 1 if it is not usable."""
    report = examine(args.model, args.image, args.labels, args.backend, args.url)
    if args.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        print("\n".join(_lines(report)))
    return int(not report["usable"])


def examine(
    model: str, image: str | None = None, labels: str = "", backend: str = "auto", url: str = ""
) -> Report:
    """Return what is known of a model, as far as one gets, with the problem that ended it."""
    report: Report = {"model": model, "usable": False, "problem": None, "warnings": []}
    with _noted(report):
        picture = _picture(image)
        path = expanded(model)
        facts = _file(report, path)
        spec = describe_model(model, labels)
        if spec.task != "detect" and (labels or url or backend != "auto"):
            raise ModelError(
                "--labels, --backend and --url are for detectors: leave them out, or write "
                f"`labels` and `backends` into {spec.name}.yaml"
            )
        if facts is None and spec.files:
            file = obtain(spec, offline=True)[0]
            with suppress(ModelError, BackendError):  # it may be for a backend that tells nothing
                facts = _file(report, file)
        _description(report, spec, facts, labels, path)
        _trial(report, spec, picture, image, OpenOptions(True, BackendOptions(url=url)), backend)
        report["usable"] = True
    return report


@contextmanager
def _noted(report: Report) -> Iterator[None]:
    try:
        yield
    except (I2tError, OSError) as error:
        code = error.code if isinstance(error, I2tError) else ModelMissingError.code
        report["problem"] = {"code": code, "message": str(error)}


def _picture(name: str | None) -> Image:
    """Return the picture of a file, or a drawing of 640 x 480."""
    if name:
        with named("read", name):
            data = Path(name).read_bytes()
        try:
            return decode_image(Picture(data), 100_000_000)
        except ImageError as error:
            raise ImageError(f"{name}: {error}") from error
    ramp = np.linspace(40, 215, 640, dtype=np.uint8)
    drawing = np.ascontiguousarray(np.dstack([np.tile(ramp, (480, 1))] * 3))
    cv2.circle(drawing, (200, 240), 90, (40, 60, 220), -1)
    cv2.rectangle(drawing, (360, 130), (560, 390), (60, 160, 40), -1)
    return drawing


def _file(report: Report, path: Path) -> FileFacts | None:
    """Note what a file says of itself. Raises what read_file raises, if nothing describes it."""
    if not path.is_file():
        return None  # describe_model says what is wrong
    report["file"] = {"path": str(path), "bytes": path.stat().st_size}
    try:
        facts = read_file(path)
    except (ModelError, BackendError):
        if path.with_suffix(".yaml").is_file():
            return None
        describe_model(str(path))  # which may know better: an LFS pointer, a web page
        raise
    report["inputs"], report["outputs"] = map(_ports, (facts.inputs, facts.outputs))
    report["metadata"] = {
        key: value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}..."
        for key, value in facts.metadata.items()
    }
    return facts


def _ports(infos: Sequence[TensorInfo]) -> list[Report]:
    return [{"name": i.name, "shape": list(i.shape), "dtype": i.dtype} for i in infos]


def _description(
    report: Report, spec: ModelSpec, facts: FileFacts | None, labels: str, path: Path
) -> None:
    """Note how a model is fed and read, and where that comes from."""
    names = spec.labels
    source = _source_of_labels(spec, facts, labels, path)
    report["labels"] = {"count": len(names), "source": source, "names": list(names)}
    if names and all(name[:1].isdigit() for name in names):
        report["warnings"].append("every label begins with a number, which would be spoken, too")
    own = [file.name for file in spec.files] == [str(path.absolute())]
    is_described = own and path.with_suffix(".yaml").is_file()
    report["recognized"] = "described by its .yaml" if is_described else "an entry of models.yaml"
    if facts is not None:
        with suppress(ModelError):
            reading, _ = recognize_facts(facts, names)
            if reading.decoder == spec.decoder:
                report["recognized"] = reading.title
                if reading.doubt:
                    report["warnings"].append(
                        f"assumed, as the file does not tell: {reading.doubt}"
                    )
    report["input"] = to_builtins(spec.input)
    if not own:
        return
    report["description"] = yaml.safe_dump(
        _differing(spec, labels), sort_keys=False, allow_unicode=True, default_flow_style=None
    )


def _differing(spec: ModelSpec, labels: str) -> Report:
    """Return a description that gives the same; labels are found where they are."""
    form = spec.input.format
    given: Report = {"labels": str(Path(labels).absolute()) if Path(labels).is_file() else labels}
    given["task"] = "" if spec.task == "detect" else spec.task
    given["input"] = {"name": spec.input.name, "constants": spec.input.constants}
    if form is not None:
        plain = TensorFormat(form.width, form.height)
        said = to_builtins(form)
        keep = ("width", "height", "layout", "color", "resize")
        changed = {k: v for k, v in said.items() if k in keep or v != to_builtins(plain)[k]}
        given["input"]["format"] = changed
    given["input"] = {key: value for key, value in given["input"].items() if value}
    given |= {"decoder": spec.decoder, "decoder_options": dict(spec.decoder_options)}
    given |= {"outputs": list(spec.outputs), "score_threshold": spec.score_threshold}
    given["iou_threshold"] = spec.iou_threshold
    return {key: value for key, value in given.items() if value}


def _source_of_labels(spec: ModelSpec, facts: FileFacts | None, labels: str, path: Path) -> str:
    beside = [path.with_suffix(suffix) for suffix in (".yaml", ".txt")]
    if labels:
        return labels
    if facts is not None and read_metadata(facts.metadata).names == spec.labels:
        return "the file's metadata"
    return next((str(file) for file in beside if file.is_file()), "its entry in models.yaml")


def _trial(  # noqa: PLR0913, PLR0917 (all that a user may say)
    report: Report,
    spec: ModelSpec,
    picture: Image,
    name: str | None,
    how: OpenOptions,
    backend: str,
) -> None:
    """Load the model as a node does, run it on a picture, and note what comes out."""
    if spec.task != "detect":
        _try_other_task(report, spec, picture, name, how)
        return
    detector: ObjectDetector = open_spec(spec, ObjectDetector, how, backend)
    try:
        decoder, options = detector.reading
        report["reading"] = {"decoder": decoder, "options": dict(options)}
        report["backend"] = detector.report
        _run(report, detector, picture, name)
    finally:
        detector.close()


def _try_other_task(
    report: Report, spec: ModelSpec, picture: Image, name: str | None, how: OpenOptions
) -> None:
    """Do the same for a model of another task, with the task's own answer."""
    task = TASKS[spec.task]
    runner = task.open(task.settings(report["model"]), how.of_other_tasks())
    try:
        report["reading"] = {"decoder": spec.decoder, "options": dict(spec.decoder_options)}
        report["backend"] = runner.report
        start = time.perf_counter()
        outcome = runner.run(picture, task.options(), "en")
        report["answer"] = {
            "task": spec.task,
            "picture": name or DRAWING,
            "milliseconds": round(1000 * (time.perf_counter() - start), 1),
            **task.to_json(outcome.result, str),
        }
    finally:
        runner.close()


def _run(report: Report, detector: ObjectDetector, picture: Image, name: str | None) -> None:
    prepared = detector.prepare(picture)
    start = time.perf_counter()
    outputs = detector.infer([prepared])[0]
    elapsed = time.perf_counter() - start
    found = detector.read(prepared, outputs, DetectOptions(min_score=SHOWN_SCORE))
    threshold = detector.spec.score_threshold
    height, width = picture.shape[:2]
    report["trial"] = {
        "picture": name or DRAWING,
        "size": [width, height],
        "milliseconds": round(1000 * elapsed, 1),
        "outputs": [_values(output) for output in outputs],
        "score_threshold": threshold,
        "found": int((found.scores >= threshold).sum()),
        "best": [
            {
                "label": found.label(i),
                "score": round(float(found.scores[i]), 3),
                "box": [round(float(side), 1) for side in found.boxes[i]],
            }
            for i in range(min(TOP, len(found)))
        ],
    }
    if any(np.isnan(output).any() for output in outputs):
        raise ModelMismatchError(f"{detector.name}: {NO_NUMBERS}")
    if not all(value["finite"] for value in report["trial"]["outputs"]):  # a node runs it, too
        report["warnings"].append(
            "its outputs hold infinity: right for a class that is ruled out; if objects are "
            "missing, export it in 32 bits (half=False)"
        )


def _values(output: Any) -> Report:
    numbers = np.asarray(output, np.float64)
    finite = numbers[np.isfinite(numbers)]
    return {
        "shape": list(numbers.shape),
        "finite": finite.size == numbers.size,
        "least": float(f"{finite.min(initial=np.inf):.6g}") if finite.size else None,
        "most": float(f"{finite.max(initial=-np.inf):.6g}") if finite.size else None,
    }


def _lines(report: Report) -> Iterator[str]:
    """Yield the report as text."""
    if file := report.get("file"):
        size = file["bytes"]
        shown = f"{size / 1e6:.1f} MB" if size > 1e5 else f"{size} bytes"
        yield _line("file", f"{file['path']}, {shown}")
    for side in ("inputs", "outputs"):
        for port in report.get(side, ()):
            shape = tuple(port["shape"])
            yield _line(side[:-1], f"{port['name']} {shape} {port['dtype']}")
    for key, value in report.get("metadata", {}).items():
        yield _line("metadata", f"{key}: {value}")
    if "recognized" in report:
        yield _line("format", report["recognized"])
        yield _line("labels", _labels(report["labels"]))
        yield _line("fed", _fed(report["input"]))
    if reading := report.get("reading"):
        options = ", ".join(f"{name}: {value}" for name, value in reading["options"].items())
        yield _line("read", f"decoder {reading['decoder']}{f' ({options})' if options else ''}")
        yield _line("runs on", report["backend"])
    if trial := report.get("trial"):
        yield from _tried(trial)
    if answer := report.get("answer"):
        yield _line("tried on", f"{answer['picture']}: {answer['milliseconds']:g} ms")
        yield _line("found", json.dumps(answer, ensure_ascii=False)[:LONGEST_ANSWER])
    for warning in report["warnings"]:
        yield _line("warning", warning)
    if problem := report["problem"]:
        yield _line("problem", f"{problem['message']} [{problem['code']}]")
    yield _line("usable", "yes" if report["usable"] else "no")
    if report["usable"] and "description" in report:
        yield "\nAs a description, to be changed where it is wrong:\n"
        yield "".join(f"    {line}\n" for line in report["description"].splitlines()).rstrip()


def _line(name: str, text: str) -> str:
    return f"{name:<{LEFT}}{printable(text)}"


def _labels(labels: Report) -> str:
    names = labels["names"]
    shown = ", ".join(name or "(none)" for name in names[:TOP])
    return f"{labels['count']}, from {labels['source']}: {shown}{', ...' if names[TOP:] else ''}"


def _fed(given: Report) -> str:
    form: Mapping[str, Any] | None = given["format"]
    if form is None:
        return "the picture itself"
    how = {
        "letterbox": "fitted in at the top left",
        "letterbox_center": "fitted in at the middle",
        "stretch": "stretched",
        "crop": f"its middle, {form['crop']:g} of it",
    }[form["resize"]]
    scale = f"(pixel - {_list(form['mean'])}) / {_list(form['std'])}"
    padded = f", padded with {form['pad']}" if form["resize"].startswith("letterbox") else ""
    more = "".join(f"; {name} = {value}" for name, value in given["constants"].items())
    return (
        f"{form['width']}x{form['height']}, {how}{padded}, {form['layout']}, {form['color']}, "
        f"{form['dtype']}, {scale}{more}"
    )


def _list(numbers: Sequence[float]) -> str:
    texts = [f"{number:g}" for number in numbers]
    return texts[0] if len(set(texts)) == 1 else f"[{', '.join(texts)}]"


def _tried(trial: Report) -> Iterator[str]:
    width, height = trial["size"]
    yield _line("tried on", f"{trial['picture']}, {width}x{height}: {trial['milliseconds']:g} ms")
    for value in trial["outputs"]:
        reach = "none" if value["least"] is None else f"{value['least']:g} to {value['most']:g}"
        yield _line("values", f"{tuple(value['shape'])}: {reach}")
    yield _line("found", f"{trial['found']} object(s) of {trial['score_threshold']:g} or more")
    for thing in trial["best"]:
        box = " ".join(f"{side:g}" for side in thing["box"])
        yield _line("", f"{thing['label']} {thing['score']:.3f} at {box}")
    if not trial["found"]:
        hint = "a photo that shows its objects tells more: --image PICTURE"
        yield _line("", hint)
