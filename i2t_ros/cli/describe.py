"""`i2t describe`: the sentence of pictures and videos, and everything found in them."""

import argparse
import json
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tqdm

from i2t_ros import language as words
from i2t_ros.cli.durations import FORMS, nanoseconds
from i2t_ros.cli.flags import GROUPS, add_flags, add_language_folder
from i2t_ros.cli.inputs import Shot, named, names_of, saved_names, shots
from i2t_ros.cli.object_rows import check_objects, print_heads, print_objects
from i2t_ros.cli.tables import print_tables, printable, reply_object
from i2t_ros.errors import I2tError, InvalidRequestError
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.description_json import error_to_json
from i2t_ros.pipeline.making import make_describer, prepare, read_options
from i2t_ros.pipeline.telling import draw
from i2t_ros.recordings.base import SECOND
from i2t_ros.sources.video import is_video
from i2t_ros.types import DescribeReply, Description
from i2t_ros.vision.codecs import canonical_format, encode_image

LEAST_EVERY = 0.001  # seconds; no camera is faster


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "describe",
        usage="i2t describe PICTURE... [--tasks A,B] [--language LANGUAGE] [--save FILE] [...]",
        description="Says in a sentence what pictures show and lists what was found in them. "
        f"Languages are {', '.join(words.LANGUAGES)}; `i2t models list` lists models.",
        epilog="examples: i2t describe photo.jpg --tasks detect,faces,text --language es --save "
        "seen.jpg; i2t describe photos/ --json; i2t describe film.mp4 --every 5 --quiet",
    )
    parser.add_argument(
        "pictures",
        nargs="+",
        metavar="PICTURE",
        help="a JPEG, PNG, BMP or WebP file, a folder of them, a pattern such as 'photos/*.jpg', a "
        "URL (http:// or https://), a video file, a camera such as /dev/video0 (one "
        "frame), or - for standard input",
    )
    parser.add_argument(
        "--every",
        type=_seconds,
        default=1.0,
        metavar="TIME",
        help=f"of a video, describe a frame this often, {FORMS} (default: 1s)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json",
        action="store_true",
        help="print JSON, in the form of the HTTP reply; for several, one object a line",
    )
    form.add_argument(
        "--csv",
        action="store_true",
        help="print a table as CSV, with a row for each object of all pictures",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="print the sentences, no tables and no progress"
    )
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="write the picture with everything found drawn on it; for several, or without an "
        "ending, a folder",
    )
    add_language_folder(parser)
    for title, options in GROUPS.items():
        add_flags(parser.add_argument_group(title), options)
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    seconds = nanoseconds(text) / SECOND
    if seconds < LEAST_EVERY:
        raise argparse.ArgumentTypeError(f"expected {LEAST_EVERY:g} seconds or more, got {text}")
    return seconds


def run(args: argparse.Namespace) -> int:
    """Describe what the arguments name; 1 if any of several pictures cannot be described.

    Raises I2tError if an argument is wrong, if no model can be loaded, or if the only picture
    cannot be described.
    """
    try:
        return _run(args)
    except I2tError as error:
        if args.json:
            print(json.dumps(error_to_json(error.code, str(error)), ensure_ascii=False))
        raise


def _run(args: argparse.Namespace) -> int:
    # All arguments are checked before a model is loaded or downloaded.
    values = vars(args)
    options = read_options(values)
    if args.csv:
        check_objects(options)
    with closing(make_describer(values, progress=not args.quiet)) as describer:
        names = names_of(args.pictures)
        films = [name for name in names if is_video(name)]
        # Folders, patterns and videos always get the form for several, however many there are.
        several = len(names) > 1 or bool(films) or names != args.pictures
        console = _Console(args, options, several, _saved(args.save, names, several))
        # A picture that cannot be read costs no model.
        only = None if several else next(shots(names[0], args.every, options))
        prepare(describer, options)
        if only is not None:
            console.show(only, describer.describe(only.image, options, size=only.size))
            return 0
        # The number of a video's frames is not known.
        total = None if films else len(names)
        off = True if args.quiet else None  # None: unless standard error is a terminal
        with tqdm.tqdm(total=total, unit=" pictures", leave=False, disable=off) as bar:
            for name in names:
                try:
                    for shot in shots(name, args.every, options):
                        try:
                            seen = describer.describe(shot.image, options, size=shot.size)
                            console.show(shot, seen)
                        except I2tError as error:  # the rest of a video goes on
                            console.fail(shot.label, shot.where, error)
                        bar.update()
                except I2tError as error:
                    console.fail(name, {"source": name}, error)
    return console.end()


def _saved(save: Path | None, names: list[str], several: bool) -> Mapping[str, Path]:
    """Return where drawings go, by what they are of; raises I2tError."""
    if save is None:
        return {}
    if save.is_dir() or not (save.suffix or save.exists()):
        return saved_names(names, save)
    if several or not save.suffix:
        raise InvalidRequestError(f"--save {save}: expected a folder for several pictures")
    canonical_format(save.suffix)
    return {names[0]: save}


@dataclass(slots=True)
class _Console:
    """Prints what was found, in the form that the arguments ask for, and saves drawings.

    paths    where the drawing of each file goes; without an ending if they are in a folder
    """

    args: argparse.Namespace
    options: DescribeOptions
    several: bool
    paths: Mapping[str, Path]
    done: int = 0
    failed: int = 0

    def show(self, shot: Shot, description: Description) -> None:
        """Print one description, and save its drawing if asked to; raises ImageError."""
        saved = self._save(shot, description)
        label = printable(shot.label)
        with tqdm.tqdm.external_write_mode():
            for task, error in description.scene.failures.items():
                where = f"{label}: " if self.several else ""
                print(f"i2t describe: {where}{task}: {error} [{error.code}]", file=sys.stderr)
            if self.args.json:
                print(self._json(shot, description, saved))
            elif self.args.csv:
                if not self.done:
                    print_heads()
                print_objects(shot, description)
            elif self.args.quiet:
                print(f"{label}: {description.sentence}" if self.several else description.sentence)
            else:
                if self.several:
                    print(f"\n{label}" if self.done else label)
                print(description.sentence)
                print_tables(description)
                if saved:
                    print(f"saved {saved}")
            print(end="", flush=True)  # standard output may be closed
        self.done += 1

    def fail(self, label: str, where: Mapping[str, Any], error: I2tError) -> None:
        """Say why one of several cannot be described."""
        self.failed += 1
        with tqdm.tqdm.external_write_mode():
            if self.args.json:
                found = {**where, **error_to_json(error.code, str(error))}
                print(json.dumps(found, ensure_ascii=False), flush=True)
            told = printable(f"{label}: {error} [{error.code}]")
            print(f"i2t describe: {told}", file=sys.stderr)

    def end(self) -> int:
        """Say how many failed; return the exit code."""
        if self.failed:
            print(f"i2t describe: {self.failed} failed, {self.done} described", file=sys.stderr)
        return int(self.failed > 0)

    def _save(self, shot: Shot, description: Description) -> Path | None:
        path = self.paths.get(shot.name)
        if path is None:
            return None
        if path != self.args.save:  # in a folder
            ending = "jpg" if shot.picture is None else shot.picture.format
            ending = ending.replace("jpeg", "jpg")
            at = "" if shot.time is None else f"_{shot.time:08.2f}s"
            path = path.with_name(f"{path.name}{at}.{ending}")
        drawn = draw(shot.image, description.scene, self.options)
        encoded = encode_image(drawn, path.suffix, self.options.jpeg_quality)
        with named("write", path):
            if path != self.args.save:
                path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded.data)
        return path

    def _json(self, shot: Shot, description: Description, saved: Path | None) -> str:
        """Return the reply; of several, on a line with its source."""
        reply = reply_object(DescribeReply(description), shot.picture, shot.receive, saved)
        if not self.several:
            return json.dumps(reply, ensure_ascii=False, indent=2)
        return json.dumps(shot.where | reply, ensure_ascii=False)
