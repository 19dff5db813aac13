"""`i2t describe`: the sentence of one picture file, and everything found in it."""

import argparse
import json
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from i2t_ros import language as words
from i2t_ros.cli.tables import print_tables
from i2t_ros.errors import BackendError, I2tError, ImageError, ModelError
from i2t_ros.options import Option, from_values, options_of
from i2t_ros.pipeline.describer import STAGED, DescribeOptions, Describer, draw
from i2t_ros.pipeline.description_json import reply_to_json
from i2t_ros.pipeline.loading import OpenOptions
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.types import DescribeReply, Picture
from i2t_ros.vision.codecs import canonical_format, decode_image, encode_image, read_header

GROUPS = {
    "words and drawing": options_of(DescribeOptions),
    **{
        f"task {name}": (*options_of(task.settings), *options_of(task.options))
        for name, task in TASKS.items()
    },
    "models and backends": options_of(OpenOptions),
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "describe",
        usage="i2t describe PICTURE [--tasks A,B] [--language LANGUAGE] [--save FILE] [...]",
        help="say what a picture shows",
        description="Says in a sentence what a picture shows and lists what was found in it. "
        f"Languages are {', '.join(words.LANGUAGES)}; `i2t models list` lists models.",
        epilog="example: i2t describe photo.jpg --tasks detect,faces,text --language es "
        "--save seen.jpg",
    )
    parser.add_argument("picture", help="a JPEG, PNG, BMP or WebP file, or - for standard input")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="write the picture with everything found drawn on it",
    )
    parser.add_argument(
        "--language-folder", type=Path, metavar="FOLDER", help="folder with your own language files"
    )
    for title, options in GROUPS.items():
        add_flags(parser.add_argument_group(title), options)
    parser.set_defaults(run=run)


def add_flags(parser: argparse._ActionsContainer, options: Iterable[Option]) -> None:
    """Add a flag for each option, such as --min-score for min_score. Commas separate lists."""
    for option in options:
        help = option.text.replace("%", "%%")
        how: dict[str, Any]
        if isinstance(option.default, bool):
            how = {"action": argparse.BooleanOptionalAction, "help": help}
        else:
            how = {
                "type": _list if isinstance(option.default, list) else type(option.default),
                "choices": option.choices or None,
                "metavar": None if option.choices else _metavar(option),
                "help": f"{help} (default: {option.shown.strip('()')})",
            }
        flag = "--" + option.name.replace("_", "-")
        parser.add_argument(flag, default=option.default, **how)


@contextmanager
def _named(verb: str, path: Any) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImageError(f"cannot {verb} {path}: {error.strerror}") from error


def _check_classes(describer: Describer, options: DescribeOptions) -> None:
    """Raise InvalidRequestError for the first class that an option names and the model lacks."""
    with suppress(ModelError, BackendError):  # not loaded: printed as any other failure
        describer.detector.check_classes(sorted(options.task_options[STAGED].named))


def _list(text: str) -> list[str]:
    return [part for part in map(str.strip, text.split(",")) if part]


def _metavar(option: Option) -> str:
    if option.bounds and isinstance(option.default, float):
        return "{:g}..{:g}".format(*option.bounds)
    if isinstance(option.default, list):
        return "A,B"
    return "N" if isinstance(option.default, int) else option.name.rpartition("_")[2].upper()


def run(args: argparse.Namespace) -> int:
    """Describe the picture that the arguments name.

    Raises I2tError if every task fails, or if a file cannot be read or written.
    """
    # All arguments are checked before a model is loaded or downloaded.
    values = vars(args)
    options = from_values(
        DescribeOptions,
        values,
        task_options={name: from_values(task.options, values) for name, task in TASKS.items()},
        languages=words.load_languages(args.language_folder),
    )
    settings = {name: from_values(task.settings, values) for name, task in TASKS.items()}
    how = from_values(OpenOptions, values)
    if args.save:
        canonical_format(args.save.suffix)
    with _named("read", args.picture):
        data = sys.stdin.buffer.read() if args.picture == "-" else Path(args.picture).read_bytes()
    picture = Picture(data)
    image = decode_image(picture, options.max_pixels, options.gray16)
    # The failure is printed below, and the pause that the warning announces does not matter here.
    logging.getLogger("i2t_ros.pipeline.translation").setLevel(logging.ERROR)
    # The user is watching, so a download may take long.
    openers = {name: partial(task.open, settings[name], how) for name, task in TASKS.items()}
    describer = Describer(openers, time_limit=3600.0)
    try:
        for task in options.tasks:  # so that the time shown does not include loading
            with suppress(I2tError):  # printed below, if other tasks succeed
                describer.prepare([task])
        if STAGED in options.tasks:
            _check_classes(describer, options)
        description = describer.describe(image, options, size=read_header(picture)[1:])
    finally:
        describer.close()
    if args.save:
        drawn = draw(image, description.scene, options)
        encoded = encode_image(drawn, args.save.suffix, options.jpeg_quality)
        with _named("write", args.save):
            args.save.write_bytes(encoded.data)
    for task, error in description.scene.failures.items():
        print(f"i2t describe: {task}: {error} [{error.code}]", file=sys.stderr)
    if args.json:
        found = reply_to_json(DescribeReply(description), picture)
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        print(description.sentence)
        print_tables(description)
        if args.save:
            print(f"saved {args.save}")
    return 0
