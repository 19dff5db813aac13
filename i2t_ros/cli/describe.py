"""`i2t describe`: the sentence of one picture file, and everything found in it."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from i2t_ros import language as words
from i2t_ros.cli.tables import print_tables
from i2t_ros.errors import I2tError, ImageError
from i2t_ros.pipeline.describer import DescribeOptions, Describer
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.pipeline.loading import Choice
from i2t_ros.pipeline.tasks.detect import ObjectDetector, open_detector
from i2t_ros.pipeline.tasks.registry import TaskChoices, task_openers
from i2t_ros.pipeline.translators import TRANSLATORS
from i2t_ros.types import (
    TASKS,
    ClassifyOptions,
    DescribeReply,
    DescribeRequest,
    DetectOptions,
    FaceOptions,
    Image,
    Picture,
    Task,
    TextOptions,
)
from i2t_ros.vision.codecs import canonical_format, decode_image, encode_image


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    defaults = DescribeOptions()
    choices = TaskChoices()
    parser = commands.add_parser(
        "describe",
        help="say what a picture shows",
        description="Says in a sentence what a picture shows and lists what was found in it.",
        epilog="example: i2t describe photo.jpg --tasks detect,faces,text --language es "
        "--save seen.jpg",
    )
    parser.add_argument("picture", help="a JPEG, PNG, BMP or WebP file, or - for standard input")
    parser.add_argument(
        "--tasks",
        default=",".join(defaults.tasks),
        help=f"any of {','.join(TASKS)} (default: %(default)s)",
    )
    parser.add_argument(
        "--model",
        default="auto",
        help="for objects: an entry of `i2t models list`, or a path to a model file "
        "(default: auto)",
    )
    parser.add_argument("--backend", default="auto", help="engine (default: auto)")
    parser.add_argument("--offline", action="store_true", help="do not download a model")
    parser.add_argument(
        "--language",
        default=defaults.language,
        help=f"of the sentence: {', '.join(words.LANGUAGES)} (default: %(default)s)",
    )
    parser.add_argument(
        "--style", default=defaults.style, choices=words.STYLES, help="default: %(default)s"
    )
    parser.add_argument(
        "--hedge", action="store_true", help='say "probably" of what has a score below 0.5'
    )
    parser.add_argument(
        "--min-score",
        type=float,
        default=defaults.detect.min_score,
        metavar="0..1",
        help="leave out objects below it (default: the model's own threshold)",
    )
    parser.add_argument(
        "--top-k",
        type=int,
        default=defaults.classify.top_k,
        metavar="N",
        help="classes of the whole picture to list (default: %(default)s)",
    )
    parser.add_argument(
        "--face-min-score",
        type=float,
        default=defaults.faces.min_score,
        metavar="0..1",
        help="leave out faces below it (default: the model's own threshold)",
    )
    parser.add_argument(
        "--text-min-score",
        type=float,
        default=defaults.text.min_score,
        metavar="0..1",
        help="leave out texts below it (default: %(default)s)",
    )
    for task in ("classify", "faces", "text"):
        parser.add_argument(
            f"--{task}-model", default="auto", metavar="MODEL", help=f"for {task}, as --model"
        )
    parser.add_argument(
        "--translator",
        default=choices.translator,
        choices=TRANSLATORS,
        help="who translates texts; their texts leave this machine, unless it is a server of "
        "your own (default: %(default)s)",
    )
    parser.add_argument(
        "--translator-url",
        default=choices.translator_url,
        metavar="URL",
        help="of a LibreTranslate server (default: %(default)s)",
    )
    parser.add_argument(
        "--translate-to",
        default=defaults.text.translate_to,
        metavar="LANGUAGE",
        help="of translations (default: that of the sentence)",
    )
    parser.add_argument(
        "--translate-from",
        default=defaults.text.translate_from,
        metavar="LANGUAGE",
        help="of the texts (default: the translator finds out)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="write the picture with what was found drawn on it",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Describe the picture that the arguments name. Raises I2tError where nothing can be said."""
    # Everything about the arguments is checked before a model is loaded or downloaded.
    options = DescribeOptions(
        tasks=cast(tuple[Task, ...], tuple(filter(None, map(str.strip, args.tasks.split(","))))),
        language=args.language,
        style=args.style,
        hedge=args.hedge,
        detect=DetectOptions(min_score=args.min_score),
        classify=ClassifyOptions(top_k=args.top_k),
        faces=FaceOptions(min_score=args.face_min_score),
        text=TextOptions(
            min_score=args.text_min_score,
            translate_to=args.translate_to,
            translate_from=args.translate_from,
        ),
    )
    if args.save:
        canonical_format(args.save.suffix)
    request = DescribeRequest(picture=Picture(read_picture(args.picture)))
    assert request.picture is not None  # noqa: S101
    image = decode_image(request.picture, options.max_pixels)
    # What it warns of is told below, and there is no next picture for which it would wait.
    logging.getLogger("i2t_ros.pipeline.translation").setLevel(logging.ERROR)
    detector, failures = _open_detector(args, options.tasks)
    # Somebody is watching: a download may take its time.
    describer = Describer(detector, task_openers(_choices(args)), time_limit=3600.0)
    options = replace(options, tasks=tuple(task for task in options.tasks if task not in failures))
    try:
        for task in options.tasks:  # so that the time that is shown is that of the work
            with suppress(I2tError):  # told below, of a task that others are beside
                describer.prepare([task])
        reply = describer.answer(request, options)
    except I2tError as alone:  # nothing was left to say
        raise failures.get("detect", alone) from None
    finally:
        describer.close()
    reply = _with_failures(reply, failures)
    if args.save:
        save(args.save, describer.draw(image, reply.description, options))
    for task, error in reply.description.scene.failures.items():
        print(f"i2t describe: {task}: {error} [{error.code}]", file=sys.stderr)
    if args.json:
        print(json.dumps(as_json(reply, request.picture), ensure_ascii=False, indent=2))
    else:
        print(reply.description.sentence)
        print_tables(reply.description)
        if args.save:
            print(f"saved {args.save}")
    return 0


def _open_detector(
    args: argparse.Namespace, tasks: tuple[Task, ...]
) -> tuple[ObjectDetector | None, dict[Task, I2tError]]:
    """Return the detector, None without the task; and why there is none, where there are others."""
    if "detect" not in tasks:
        return None, {}
    try:
        return open_detector(args.model, args.backend, offline=args.offline), {}
    except I2tError as error:
        if tasks == ("detect",):
            raise
        return None, {"detect": error}


def _choices(args: argparse.Namespace) -> TaskChoices:
    return TaskChoices(
        classify=Choice(args.classify_model, offline=args.offline),
        faces=Choice(args.faces_model, offline=args.offline),
        text=Choice(args.text_model, offline=args.offline),
        translator=args.translator,
        translator_url=args.translator_url,
    )


def _with_failures(reply: DescribeReply, failures: dict[Task, I2tError]) -> DescribeReply:
    """Return a reply that tells of these failures too."""
    scene = reply.description.scene
    every = MappingProxyType({**failures, **scene.failures})
    return replace(
        reply, description=replace(reply.description, scene=replace(scene, failures=every))
    )


def read_picture(name: str) -> bytes:
    """Return the bytes of a file, or of standard input for "-"; raises ImageError."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read {name}: {error.strerror}") from error


def save(path: Path, image: Image) -> None:
    """Write a picture in the format of the file's extension; raises ImageError."""
    try:
        path.write_bytes(encode_image(image, path.suffix).data)
    except OSError as error:
        raise ImageError(f"cannot write {path}: {error.strerror}") from error


def as_json(reply: DescribeReply, picture: Picture) -> dict[str, Any]:
    """Return a reply as JSON-ready values."""
    return {
        **description_to_json(reply.description),
        "elapsed_ms": round(1000 * reply.description.elapsed, 3),
        "cached": reply.cached,
        "hash": picture.sha256,
    }
