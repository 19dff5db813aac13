"""`i2t ask`: a question about a picture or a camera, which a language model answers."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, NoReturn

from i2t_ros.cli.flags import GROUPS, add_flags, add_language_folder
from i2t_ros.cli.inputs import Shot, shots
from i2t_ros.cli.live_text import LiveText
from i2t_ros.cli.tables import reply_object
from i2t_ros.errors import I2tError, InvalidRequestError
from i2t_ros.optional import missing_module
from i2t_ros.options import Option, options_of
from i2t_ros.pipeline.asking import ASKED, check_question, unanswered
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.describer import Shown
from i2t_ros.pipeline.description_json import error_to_json
from i2t_ros.pipeline.making import make_describer, prepare, read_options
from i2t_ros.sources.video import is_video
from i2t_ros.types import Answer, DescribeReply, DescribeRequest
from i2t_ros.vlm.settings import KEY, LanguageModelSettings

SAID = ("tasks", "language", "spoken")
"""Options that say what is asked for."""

OF_CAMERAS = (*SAID, "min_score")
"""Options that a question to a camera takes; the node has parameters for the others."""

DETECTOR = "/detector_node"

CAMERA_TIME = 120.0
"""Seconds for a camera's answer, as a bridge gives it; the node's own limits are shorter."""

OF_PICTURES = ("max_pixels", "gray16")
"""Of the other options that describe pictures, those that have a part in an answer."""

_WORDS = {option.name: option for option in options_of(DescribeOptions)}

ASK_GROUPS: Mapping[str, tuple[Option, ...]] = {
    "question": tuple(_WORDS[name] for name in SAID),
    "language model, for a PICTURE": options_of(LanguageModelSettings),
    "pictures": tuple(_WORDS[name] for name in OF_PICTURES),
    **{
        title: options
        for title, options in GROUPS.items()
        if title not in ("words and drawing", f"task {ASKED}")
    },
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "ask",
        usage='i2t ask PICTURE "QUESTION" --caption-url URL [--tasks A,B] [--language LANGUAGE] '
        '[...]\n       i2t ask --camera NAME "QUESTION" [--language LANGUAGE] [...]',
        description="Asks a language model about a picture, or about the newest image of a camera. "
        "What the tasks find is told to the model with the picture, and the counts in its answer "
        "are compared with what was detected. The answer appears while it is being written. "
        f"A key of the server comes from the environment variable {KEY}.",
        epilog='examples: i2t ask photo.jpg "Is the door open?" --caption-url '
        'http://127.0.0.1:8080/v1; i2t ask /dev/video0 "How many cups are there?" --language es '
        '--caption-url http://127.0.0.1:11434/v1; i2t ask --camera front "Who is there?". '
        "docs/captions.md says which servers there are.",
    )
    parser.add_argument(
        "picture",
        metavar="PICTURE",
        help="a JPEG, PNG, BMP or WebP file, a URL (http:// or https://), a camera of this machine "
        "such as /dev/video0, or - for standard input; not with --camera",
    )
    question = parser.add_argument("question", metavar="QUESTION", help="in any language")
    question.required = False  # with --camera, the only word is the question
    parser.add_argument(
        "--camera",
        metavar="NAME",
        help="ask a running detector_node about the newest image of its camera of this name; '': "
        "its first one. Needs ROS",
    )
    parser.add_argument(
        "--detector",
        metavar="NODE",
        help=f"with --camera, the name of the node, with its namespace (default: {DETECTOR})",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print JSON, in the form of the HTTP reply, when all is known",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="no warnings, and no progress of downloads"
    )
    add_language_folder(parser)
    for title, options in ASK_GROUPS.items():
        add_flags(parser.add_argument_group(title), options)
    # What is not given is known to be so: a camera's node has defaults of its own.
    parser.set_defaults(**dict.fromkeys((option.name for option in _flags()), None))
    parser.set_defaults(run=partial(run, parser.error))


def _flags() -> Iterator[Option]:
    for options in ASK_GROUPS.values():
        yield from options


def run(wrong: Callable[[str], NoReturn], args: argparse.Namespace) -> int:
    """Print the answer; return 0.

    ``wrong`` ends the program as wrong usage. Raises I2tError if there is no answer, and
    KeyboardInterrupt if the user ends it.
    """
    if args.camera is not None:
        if args.question is not None:
            wrong("a PICTURE and --camera: ask about one of them")
        if args.language_folder is not None:
            wrong("--language-folder is for a PICTURE: the node of --camera has a parameter for it")
        args.picture, args.question = None, args.picture
    elif args.detector is not None:
        wrong("--detector needs --camera")
    elif args.question is None:
        wrong('expected a PICTURE and a QUESTION: i2t ask photo.jpg "Is the door open?"')
    live = LiveText(live=False if args.json else None)
    try:
        check_question(args.question or " ")
        given = {name: value for name, value in vars(args).items() if value is not None}
        shot, reply = (_ask if args.camera is None else _ask_camera)(args, given, live)
    except I2tError as error:
        live.abandon()
        if args.json:
            print(json.dumps(error_to_json(error.code, str(error)), ensure_ascii=False))
        raise
    except (CancelledError, KeyboardInterrupt):
        live.abandon()
        raise KeyboardInterrupt from None
    _show(reply, shot, live, as_json=args.json)
    return 0


def _ask(
    args: argparse.Namespace, given: Mapping[str, Any], live: LiveText
) -> tuple[Shot | None, DescribeReply]:
    """Return the picture and the reply to the question about it; raises as run()."""
    # All arguments are checked before a model is loaded or downloaded.
    options = read_options(given)
    if is_video(args.picture):
        raise InvalidRequestError(f"{args.picture} is a video: ask about a picture")
    with closing(make_describer(given, progress=not args.quiet)) as describer:
        describer.prepare([ASKED])  # without a server, nothing else is worth its time
        shot = next(shots(args.picture, 1.0, options))
        prepare(describer, options)
        request = DescribeRequest(shot.picture, question=args.question)
        look = describer.look(request, options, lambda _: Shown(shot.image))
        with _interrupted_by_ctrl_c(describer.stop):
            reply = describer.complete(look, live.show)
    if failure := unanswered(reply):
        raise failure
    return shot, reply


def _ask_camera(
    args: argparse.Namespace, given: Mapping[str, Any], live: LiveText
) -> tuple[Shot | None, DescribeReply]:
    """Return the reply of a running node to the question; raises as run()."""
    for option in _flags():
        if option.name in given and option.name not in OF_CAMERAS:
            flag = "--" + option.name.replace("_", "-")
            raise InvalidRequestError(
                f"{flag} is for a PICTURE: the node of --camera has a parameter {option.name}"
            )
    try:
        from i2t_ros.nodes.ask import ask_camera  # noqa: PLC0415 (without ROS, pictures still do)
    except ModuleNotFoundError as error:
        raise missing_module("--camera", error) from error
    before = signal.getsignal(signal.SIGINT)
    if before not in (signal.SIG_IGN, None):  # as of a job in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # the node is told to stop
    said = {name: given[name] for name in OF_CAMERAS if name in given}
    how: dict[str, Any] = {"detector": args.detector or DETECTOR, "time_limit": CAMERA_TIME, **said}
    try:
        return None, ask_camera(args.camera, args.question, told=live.show, **how)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _interrupted_by_ctrl_c(end: Callable[[], None]) -> Iterator[None]:
    """Let the first Ctrl-C call ``end``, in a thread of its own, and a second one do as before."""
    before = signal.getsignal(signal.SIGINT)

    def on_signal(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        # Not here: the thread that this interrupts may hold the lock that ending takes.
        threading.Thread(target=end).start()

    if before in (signal.SIG_IGN, None):  # as of a job in the background
        yield
        return
    signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _show(reply: DescribeReply, shot: Shot | None, live: LiveText, *, as_json: bool) -> None:
    answer = reply.answer
    assert answer is not None  # noqa: S101 (its failure has been raised)
    if as_json:
        picture, receive = (shot.picture, shot.receive) if shot else (None, 0.0)
        found = reply_object(reply, picture, receive)
        print(json.dumps(found, ensure_ascii=False, indent=2), flush=True)
    else:
        live.end(answer.text)
    for task, error in reply.description.scene.failures.items():
        print(f"i2t ask: {task}: {error} [{error.code}]", file=sys.stderr)
    for line in disagreements(answer):
        print(f"i2t ask: {line}", file=sys.stderr)


def disagreements(answer: Answer) -> list[str]:
    """Return what the answer counts otherwise than the detector, for people."""
    return [
        f"{count.label}: the detector counted {count.detected}, the answer says {count.answered}"
        for count in answer.counts
        if count.detected != count.answered
    ]
