"""``i2t say person=2 dog=1 --language es``: prints a sentence for given counts.

For authors and reviewers of a language: any case can be printed without a camera or a model.
"""

import argparse
import re
from collections import Counter
from math import inf
from pathlib import Path
from typing import Any

from i2t_ros.language import (
    DISTANCE_UNITS,
    OWN_STYLES,
    ObjectCount,
    TaskFacts,
    compose,
    compose_changes,
    load_languages,
)
from i2t_ros.language.changes import Changes
from i2t_ros.language.facts import PLACES
from i2t_ros.language.grammar import clean
from i2t_ros.pipeline.tasks.classify import ClassFact, ClassFacts
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.pipeline.tasks.faces import FaceFacts
from i2t_ros.pipeline.tasks.text import SCRIPTS, TextFact, TextFacts
from i2t_ros.types import COLORS

_COUNT = re.compile(
    rf"(.+)=([+-]?\d{{1,9}})(?:@({'|'.join(PLACES)}))?(?:@(\d{{1,6}}(?:\.\d{{1,6}})?)m)?", re.ASCII
)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "say", description="Prints the sentence for given counts, to write or check a language."
    )
    parser.add_argument(
        "counts",
        nargs="*",
        type=_count,
        metavar="NAME=COUNT[@PLACE][@DISTANCEm]",
        help="a class of the model and its count; PLACE, for the style scene, is one of "
        f"{', '.join(PLACES)} (default: middle), and DISTANCE meters are how far away it is; for "
        "the style changes, a negative COUNT has left",
    )
    parser.add_argument("--language", default="en", help="BCP 47 tag (default: %(default)s)")
    parser.add_argument("--style", default="sentence", choices=OWN_STYLES)
    parser.add_argument(
        "--unsure", action="append", default=[], metavar="NAME", help='say "probably" of this'
    )
    parser.add_argument(
        "--color",
        action="append",
        default=[],
        type=_color,
        metavar="NAME:COLOR",
        help="the color of one of these, as often as it is given; COLOR is one of "
        f"{', '.join(COLORS)}",
    )
    parser.add_argument(
        "--spoken", action="store_true", help="words for a voice: no digits, no symbols"
    )
    parser.add_argument("--distance-unit", default="auto", choices=DISTANCE_UNITS)
    parser.add_argument("--faces", type=_number, metavar="COUNT", help="number of faces")
    parser.add_argument("--text", action="append", metavar="TEXT", help="a line of text")
    parser.add_argument(
        "--translation", default="", metavar="TEXT", help="translation of every line of text"
    )
    parser.add_argument(
        "--more-texts", type=_number, default=0, metavar="COUNT", help="number of further lines"
    )
    parser.add_argument("--unread", choices=SCRIPTS, help="script of a line that was not read")
    parser.add_argument("--shows", metavar="NAME", help="the class of the whole picture")
    parser.add_argument("--unusable", action="store_true", help="the image could not be used")
    parser.add_argument("--nothing", action="store_true", help="no task could run")
    parser.add_argument(
        "--language-folder", type=Path, metavar="FOLDER", help="folder with your own language files"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the sentence that ``args`` ask for; return 0.

    Raises UnknownLanguageError, InvalidRequestError for a wrong language file, and
    BackendMissingError if words for a voice need a package.
    """
    languages = load_languages(args.language_folder)
    how: dict[str, Any] = {
        "hedge": bool(args.unsure), "spoken": args.spoken, "languages": languages
    }  # fmt: skip
    facts, left = _facts(args)
    changes = Changes(tuple(filter(None, facts)), left)
    if args.unusable:
        language = languages.get(args.language)
        sentence = language.phrase("image.unusable")
        sentence = language.say(sentence) if args.spoken else sentence
    elif args.style == "changes" and changes:
        sentence = compose_changes(changes, args.language, **how)
    else:
        unit = args.distance_unit
        sentence = compose(facts, args.language, args.style, distance_unit=unit, **how)
    print(sentence)
    return 0


def _facts(args: argparse.Namespace) -> tuple[list[TaskFacts], tuple[TaskFacts, ...]]:
    """Return the facts in the image, largest count first, and those that have left."""

    def score(name: str) -> float:
        return 0.0 if name in args.unsure else 1.0

    def colors(name: str, count: int) -> tuple[tuple[str, int], ...]:
        given = [color for of, color in args.color if of == name][: max(count, 0)]
        return tuple(Counter(given).most_common())

    def objects(sign: int) -> ObjectFacts:
        found = [
            ObjectCount(
                name,
                *(sign * count, score(name), score(name), place, distance),
                colors=colors(name, count),
            )
            for name, count, place, distance in args.counts
            if sign * count > 0
        ]
        return ObjectFacts(tuple(sorted(found, key=lambda of: (of.distance or inf, -of.count))))

    here: list[TaskFacts] = []
    if args.faces is not None:
        here.append(FaceFacts.of(args.faces))
    if args.text or args.unread:
        texts = [
            TextFact(clean(text), translation=clean(args.translation), score=score(text))
            for text in args.text or ()
            if clean(text)
        ]
        texts += [TextFact(f"[{args.unread}]", script=args.unread)] if args.unread else []
        here.append(TextFacts(tuple(texts), args.more_texts))
    if args.shows is not None:
        here.append(ClassFacts((ClassFact(args.shows, score=score(args.shows)),)))
    if args.counts or not (here or args.nothing):
        here.insert(0, objects(1))
    return here, tuple(filter(None, [objects(-1)]))


def _number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of 0 to 999999999")
    return int(text)


def _color(text: str) -> tuple[str, str]:
    """Return a class and a color."""
    name, _, color = text.rpartition(":")
    if not name or color not in COLORS:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected NAME:COLOR, such as car:red; the colors are {', '.join(COLORS)}"
        )
    return name, color


def _count(text: str) -> tuple[str, int, str, float]:
    """Return a class, its count, its place, and its distance in meters."""
    match = _COUNT.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected NAME=COUNT, NAME=COUNT@PLACE or NAME=COUNT@PLACE@DISTANCEm, such "
            f"as person=2, dog=1@left or dog=1@left@2.5m; the places are {', '.join(PLACES)}"
        )
    return match[1], int(match[2]), match[3] or "middle", float(match[4] or 0)
