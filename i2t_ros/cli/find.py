"""`i2t find`: the moments of a recording that show something, from what `i2t annotate` wrote."""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from i2t_ros.cli.durations import FORMS, clock, nanoseconds
from i2t_ros.cli.flags import add_language_folder
from i2t_ros.cli.tables import printable
from i2t_ros.errors import InvalidRequestError
from i2t_ros.language import load_languages
from i2t_ros.recordings.asking import check_classes, check_places, wanted_of_words
from i2t_ros.recordings.finding import (
    Found,
    Query,
    Row,
    Rows,
    Wanted,
    find,
    key_of,
    read_counts,
    report_fragment,
    short_seconds,
)

EXIT_NOTHING = 1
EXIT_ERROR = 2  # as grep has it


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "find",
        usage='i2t find DIR ["WORDS"] [--class CLASS [--min N] [--max N]]... [--for TIME] [...]',
        description="Finds when a recording shows something, in the folder that `i2t annotate` "
        "wrote, and prints a line for each moment: from and to, the source, the topic, the "
        "sentence, a link into the report, and how to open the recording there. All that is asked "
        "for must be in one image. A moment goes on over gaps of up to 1 s.",
        epilog='examples: i2t find seen "two people and a dog" (or more of them); i2t find seen '
        '"one person, no dogs" --exactly; i2t find seen --class dog --min 2 --class person --max 0 '
        "--for 3s. Exit code: 0 if something is found, 1 if nothing is, 2 for an error.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="what `i2t annotate --out` wrote")
    parser.add_argument(
        "words",
        nargs="?",
        metavar="WORDS",
        help='objects and how many, such as "two people and a dog": at least two and at least one; '
        '"no dogs": none',
    )
    parser.add_argument(
        "--exactly", action="store_true", help="as many as the words say, and not more"
    )
    parser.add_argument(
        "--language",
        metavar="LANGUAGE",
        help="of the words (default: that of the recording's sentences, else English)",
    )
    add_language_folder(parser)
    _add_classes(parser)
    parser.add_argument(
        "--for",
        type=nanoseconds,
        default=0,
        dest="shortest",
        metavar="TIME",
        help=f"it lasts this long or longer, {FORMS}; pictures do not last",
    )
    for name, what in (
        ("source", "recording, as named to i2t annotate, or file"),
        ("topic", "topic"),
    ):
        parser.add_argument(
            f"--{name}", action="append", default=[], help=f"only in this {what}; may be repeated"
        )
    parser.add_argument(
        "--limit", type=_at_least_one, metavar="N", help="stop after so many moments"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object for each moment")
    parser.set_defaults(run=run, failed=EXIT_ERROR)
    parser.parse_known_args = partial(  # type: ignore[method-assign,assignment]
        _parse, parser, parser.parse_known_args
    )


def _parse(
    parser: argparse.ArgumentParser,
    parse: Callable[..., tuple[argparse.Namespace, list[str]]],
    *given: Any,
) -> tuple[argparse.Namespace, list[str]]:
    """Let the words stand behind flags, too: argparse takes them only right after the folder."""
    args, rest = parse(*given)
    if len(rest) == 1 and args.words is None and not rest[0].startswith("-"):
        args.words = rest.pop()
    elif rest and not any(word.startswith("-") for word in rest):
        parser.error(f'put all WORDS together in quotes, such as "two dogs"; got also: {rest}')
    return args, rest


def _add_classes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--class",
        action=_ClassFlag,
        dest="classes",
        default=(),
        metavar="CLASS",
        help="objects of this class, as the model names it, such as dog; may be repeated",
    )
    for name, what in (("min", "this many or more (default: 1)"), ("max", "not more")):
        parser.add_argument(
            f"--{name}",
            action=_BoundFlag,
            dest="classes",
            type=_number,
            metavar="N",
            default=argparse.SUPPRESS,
            help=f"of the --class before it, {what}",
        )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more, got {text!r}")
    return int(text)


def _at_least_one(text: str) -> int:
    number = _number(text)
    if not number:
        raise argparse.ArgumentTypeError(f"expected a number of 1 or more, got {text!r}")
    return number


@dataclass(frozen=True, slots=True)
class _Class:
    name: str
    least: int | None = None
    most: int | None = None

    def wanted(self) -> Wanted:
        """Return what is wanted: one or more, or with --max 0 none."""
        least = (0 if self.most == 0 else 1) if self.least is None else self.least
        return Wanted(key_of(self.name), least, self.most)


class _ClassFlag(argparse.Action):
    """Adds a class."""

    def __call__(
        self, parser: argparse.ArgumentParser, args: argparse.Namespace, value: Any, *_: Any
    ) -> None:
        args.classes = (*args.classes, _Class(value))


class _BoundFlag(argparse.Action):
    """Sets a bound of the last class."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        args: argparse.Namespace,
        value: Any,
        option_string: str | None = None,
    ) -> None:
        if not args.classes:
            raise argparse.ArgumentError(self, "expected a --class before it")
        last = args.classes[-1]
        least, most = (value, last.most) if option_string == "--min" else (last.least, value)
        if least is not None and most is not None and least > most:
            raise argparse.ArgumentError(self, f"--min {least} is more than --max {most}")
        args.classes = (*args.classes[:-1], _Class(last.name, least, most))


def run(args: argparse.Namespace) -> int:
    """Print the moments; 1 if there is none. Raises I2tError if something cannot be understood."""
    rows = Rows(args.folder / "images.jsonl")
    query = Query(_wanted(args, rows), args.shortest, tuple(args.source), tuple(args.topic))
    check_places(query, rows)
    report = args.folder / "report.html"
    base = report.resolve().as_uri() if report.exists() else ""
    count = 0
    for found in islice(find(rows, query), args.limit):
        shown = _shown(found, base)
        print(json.dumps(shown, ensure_ascii=False) if args.json else _line(shown))
        count += 1
    if rows.damaged:
        print(
            f"i2t find: {rows.damaged} damaged lines of {rows.path} were left out, the first is "
            f"line {rows.first}",
            file=sys.stderr,
        )
    if not count:
        print("i2t find: nothing found", file=sys.stderr)
    return 0 if count else EXIT_NOTHING


def _wanted(args: argparse.Namespace, rows: Rows) -> tuple[Wanted, ...]:
    """Return what the arguments look for; raises I2tError."""
    if args.words is None and not args.classes:
        raise InvalidRequestError('expected what to find: words such as "two dogs", or --class')
    if args.words is None and args.exactly:
        raise InvalidRequestError(
            "--exactly: expected words; for a --class, --min and --max say it"
        )
    check_classes([of.name for of in args.classes], rows)
    words: Sequence[Wanted] = ()
    if args.words is not None:
        languages = load_languages(args.language_folder)
        words = wanted_of_words(args.words, rows, languages, args.language, exactly=args.exactly)
    return (*words, *(of.wanted() for of in args.classes))


def _shown(found: Found, report: str) -> dict[str, Any]:
    """Return a moment for JSON: the keys are those of images.jsonl, and three more.

    report  the URL of the report; empty: there is none
    """
    row = found.first
    return {
        "from": found.start,
        "to": found.end,
        "source": row.source,
        "topic": row.topic,
        "stream": row.stream,
        "counts": read_counts(bytes(row.counts)),
        "sentence": row.sentence,
        "report": report + report_fragment(row.stream, row.source, found.start) if report else None,
        "open": how_to_open(row),
    }


def how_to_open(row: Row) -> str:
    """Return the command that plays a recording from an image on; of a picture, its file."""
    if row.seconds is None:
        return row.source
    # A name from a file must not become a flag, nor a command of the shell.
    name = f"./{row.source}" if row.source.startswith("-") else row.source
    if row.topic is not None:
        return f"ros2 bag play {shlex.quote(name)} --start-offset {short_seconds(row.seconds)}"
    return f"mpv --start={short_seconds(row.seconds)} {shlex.quote(name)}"


def _line(shown: dict[str, Any]) -> str:
    times = "" if shown["from"] is None else f"{clock(shown['from'])}–{clock(shown['to'])}"
    parts = (times, *(shown[key] for key in ("source", "topic", "sentence", "report", "open")))
    if shown["from"] is None:
        parts = parts[:-1]  # the source says it
    return "  ".join(printable(part) for part in parts if part)
