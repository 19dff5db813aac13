"""`i2t annotate`: what recordings show, as tables, subtitles, annotated recordings and a report."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from typing import Any

import tqdm

from i2t_ros.backends.cores import usable_cores
from i2t_ros.cli import comma_list
from i2t_ros.cli.durations import FORMS, nanoseconds
from i2t_ros.cli.flags import GROUPS, add_flags, add_language_folder
from i2t_ros.cli.tables import printable
from i2t_ros.errors import BackendError, InvalidRequestError, ModelError
from i2t_ros.nodes.stderr_filter import filter_stderr
from i2t_ros.pipeline.making import make_describer, prepare, read_options
from i2t_ros.recordings.base import SECOND, Selection
from i2t_ros.recordings.copies import usual_copies
from i2t_ros.recordings.open import paths_of
from i2t_ros.recordings.work.annotate import Annotation, settle
from i2t_ros.recordings.work.crew import LocalCrew
from i2t_ros.recordings.work.job import COPIES, Job
from i2t_ros.recordings.work.plan import Made, Plan, make_plan
from i2t_ros.recordings.work.ray_crew import RayCrew
from i2t_ros.recordings.work.store import open_store
from i2t_ros.recordings.writing.registry import OUTPUTS, check_outputs

SHARING = 4
"""Processes that share a GPU or a server: enough to keep it busy while others decode."""
EXIT_REFUSED = 2  # 1: all is done, but a part could not be read
SHOWN = 20
"""Damaged parts that are listed on the terminal; annotate.json and the report have them all."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "annotate",
        usage="i2t annotate RECORDING... --out FOLDER [--every 0.5s] [--topics A,B] [...]",
        description="Looks at every image of recordings and writes what they show: tables, COCO, "
        "subtitles, the annotated recordings, and report.html, a page to look through. If it is "
        "ended, the same command goes on where it stopped.",
        epilog="examples: i2t annotate drive.mcap --out seen; i2t annotate bags/ --topics "
        "/front/image_raw --every 0.5s --out seen; i2t annotate film.mp4 --from 1:30 --to 2:00 "
        "--language es --out seen",
    )
    parser.add_argument(
        "recordings",
        nargs="+",
        metavar="RECORDING",
        help="a rosbag2 folder, a .mcap or .db3 file, a video, a picture, a folder of any of "
        "these, or a pattern such as 'bags/*.mcap'; also at s3://",
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="FOLDER",
        help="where the results go: a folder, or s3://bucket/folder",
    )
    _add_selection(parser)
    _add_results(parser)
    add_language_folder(parser)
    for title, options in GROUPS.items():
        add_flags(parser.add_argument_group(title), options)
    parser.set_defaults(run=run, failed=EXIT_REFUSED)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    which = parser.add_argument_group("which images")
    which.add_argument(
        "--topics",
        type=comma_list,
        default=[],
        metavar="A,B",
        help="of bags, the topics with images (default: all)",
    )
    which.add_argument(
        "--every",
        type=nanoseconds,
        default=0,
        metavar="TIME",
        help=f"the first image in each such time, {FORMS} (default: every image)",
    )
    which.add_argument(
        "--from",
        dest="start",
        type=nanoseconds,
        default=0,
        metavar="TIME",
        help="from this time of each recording on (default: its beginning)",
    )
    which.add_argument(
        "--to",
        dest="end",
        type=nanoseconds,
        default=None,
        metavar="TIME",
        help="up to this time of each recording (default: its end)",
    )
    which.add_argument(
        "--depth",
        type=comma_list,
        default=[],
        metavar="A=B,C=D",
        help="of bags, the topic with the depth image for a topic with images, for distances",
    )


def _add_results(parser: argparse.ArgumentParser) -> None:
    results = parser.add_argument_group("results")
    results.add_argument(
        "--outputs",
        type=comma_list,
        default=list(OUTPUTS),
        metavar="A,B",
        help=f"what is written (default: all, {','.join(OUTPUTS)})",
    )
    results.add_argument(
        "--copy",
        choices=COPIES,
        default="images",
        help="what of a bag goes into the annotated one: the images (default), all topics, or "
        "nothing, to be played together with the original",
    )
    results.add_argument(
        "--track",
        action="store_true",
        help="give an object the same number in every image (default: no)",
    )
    results.add_argument(
        "--overwrite", action="store_true", help="replace the results of another command"
    )
    work = parser.add_argument_group("work")
    work.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help="processes that look at images (default: one for each core, or 4 that share a GPU; of "
        "a cluster, one for each of its CPUs)",
    )
    work.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="spread the work over a Ray cluster: auto, HOST:6379 or ray://HOST:10001",
    )
    work.add_argument("--quiet", action="store_true", help="show no progress")


def run(args: argparse.Namespace) -> int:
    """Annotate what the arguments name; return 1 if a part of it could not be read.

    Raises I2tError if an argument is wrong or nothing can be done.
    """
    for ending in (signal.SIGINT, signal.SIGTERM):  # both leave no temporary files
        signal.signal(ending, signal.default_int_handler)
    store = open_store(args.out)
    job = _job(args)
    _check_folder(args.out, args.recordings)
    plan = make_plan(job)
    _check_selection(plan)
    with store.locked():
        made = settle(store, plan, overwrite=args.overwrite)
        if made is not None:
            usual_copies().clear()
            print(f"{args.out}: nothing has changed since this was made")
            return _end(args.out, made)
        with closing(_Bar(quiet=args.quiet)) as bar:
            crew = _crew(args, plan, bar)
            try:
                with crew:
                    made = Annotation(store, plan, bar).run(crew)
                usual_copies().clear()
            except KeyboardInterrupt:
                bar.close()
                print("\nstopped; the same command goes on from here", file=sys.stderr)
                raise
    return _end(args.out, made)


def _job(args: argparse.Namespace) -> Job:
    """Return the job that the arguments ask for; raises I2tError for one that is wrong."""
    values = {name: vars(args)[name] for name in _names()}
    values["language_folder"] = args.language_folder and os.path.abspath(args.language_folder)
    # Each process has an engine, which computes the same with one thread on every machine.
    values["threads"] = values["threads"] or 1
    read_options(values)
    if args.workers < 0:
        raise InvalidRequestError(f"--workers: expected 0 or more, got {args.workers}")
    if args.end is not None and args.end <= args.start:
        raise InvalidRequestError(
            f"--to: expected a time after --from ({args.start / SECOND:g} s), "
            f"got {args.end / SECOND:g} s"
        )
    selection = Selection(tuple(args.topics), args.every, args.start, args.end)
    return Job(
        tuple(paths_of(args.recordings)),
        selection,
        values,
        tuple(_pair(entry) for entry in args.depth),
        args.track,
        check_outputs(args.outputs),
        args.copy,
    )


def _check_folder(out: str, words: Sequence[str]) -> None:
    """Raise InvalidRequestError if results would be among the recordings that a folder has."""
    for word in words:
        if os.path.isdir(word) and os.path.realpath(word) == os.path.realpath(out):
            raise InvalidRequestError(f"--out: expected another folder than the recordings', {out}")
    if os.path.exists(out) and not os.path.isdir(out):
        raise InvalidRequestError(f"--out: expected a folder, got a file: {out}")


def _check_selection(plan: Plan) -> None:
    """Raise InvalidRequestError for flags that select nothing."""
    job, kinds = plan.job, {stream.kind for stream in plan.streams}
    for flag, given in (("--topics", job.selection.topics), ("--depth", job.depth)):
        if given and "bag" not in kinds:
            raise InvalidRequestError(f"{flag}: only bags have topics, and there is no bag")
    if not plan.units:
        raise InvalidRequestError(
            "no image is selected: the recordings are shorter than --from, or have no images"
        )


def _crew(args: argparse.Namespace, plan: Plan, bar: "_Bar") -> LocalCrew | RayCrew:
    """Return those who do the work; raises I2tError if no model can be loaded."""
    workers = _workers(args, plan.job)
    if args.ray is not None:
        return RayCrew(args.ray, args.out, plan, args.workers, bar.say)
    return LocalCrew(args.out, min(workers, len(plan.units)), filter_stderr)


def _names() -> list[str]:
    """Return the names of the options that describe images."""
    return [option.name for options in GROUPS.values() for option in options]


def _pair(entry: str) -> tuple[str, str]:
    images, equals, depth = entry.partition("=")
    if not (images and equals and depth):
        raise InvalidRequestError(
            f"--depth: expected TOPIC=DEPTH_TOPIC, as /camera/image_raw=/camera/depth, got {entry}"
        )
    return images, depth


def _workers(args: argparse.Namespace, job: Job) -> int:
    """Return how many processes there shall be: as asked, or as many as pay.

    That is one for each core, but few if they share a GPU. Models are fetched and loaded here
    once, so that what is wrong with them shows before the work.
    """
    options, cores = read_options(job.values), usable_cores().number
    with closing(make_describer(job.values, progress=not args.quiet)) as describer:
        prepare(describer, options)
        with suppress(ModelError, BackendError):  # of one task of several: each image tells it
            cores = cores if describer.uses_cores_alone(options.tasks) else min(cores, SHARING)
    return args.workers or cores


class _Bar:
    """Progress on the terminal: images a second and the time left."""

    def __init__(self, *, quiet: bool) -> None:
        self._off = True if quiet else None  # None: unless standard error is a terminal
        self._bar: tqdm.tqdm[Any] | None = None

    def begin(self, what: str, total: int, done: int) -> None:
        """See Progress."""
        self.close()
        if done and what == "looking" and not self._off:
            self.say(f"going on; {done} of about {total} images have been looked at")
        self._bar = tqdm.tqdm(
            total=total, initial=done, desc=what, unit=" images", leave=False, disable=self._off
        )

    def advance(self, number: int) -> None:
        """See Progress."""
        if self._bar is not None:
            self._bar.update(number)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        tqdm.tqdm.write(f"i2t annotate: {text}", file=sys.stderr)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _end(out: str, made: Made) -> int:
    """Say what there is, and what could not be read; return the exit code."""
    print(f"{out}: {made.images} images described; {', '.join(made.files)}")
    if not made.damaged:
        return 0
    print(f"i2t annotate: {made.damaged} could not be read or described:", file=sys.stderr)
    for damage in made.damage[:SHOWN]:
        at = "" if damage.time is None else f" at {damage.time / SECOND:.2f} s"
        topic = f" {damage.topic}" if damage.topic else ""
        told = printable(f"{damage.source}{topic}{at}: {damage.what}")
        print(f"  {told}", file=sys.stderr)
    if made.damaged > SHOWN:
        print(f"  and {made.damaged - SHOWN} more", file=sys.stderr)
    return 1
