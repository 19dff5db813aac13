"""The `i2t` command: everything that a shell can do without `ros2`."""

# PYTHON_ARGCOMPLETE_OK: global completion of argcomplete may run this program.

import argparse
import importlib
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from i2t_ros.errors import I2tError
from i2t_ros.nodes.signals import handle
from i2t_ros.nodes.start import open_standard_streams
from i2t_ros.nodes.stderr_filter import filter_stderr
from i2t_ros.optional import missing_module

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130  # 128 + SIGINT, the convention of shells

COMMANDS = {
    "describe": "say what pictures and videos show",
    "annotate": "write what bags, videos and pictures show, and a report to look through",
    "ask": "have a language model answer a question about a picture or a camera",
    "find": "find when a recording shows something, in what `i2t annotate` wrote",
    "say": "print the sentence for given counts, to write or check a language",
    "models": "list, fetch and check models",
    "setup": "install what runs models, and what else may be missing",
    "run": "run detector, bridge and source together until Ctrl-C",
    "health": "tell whether nodes are active, for the health check of a container",
    "mcp": "give an agent the tools of a bridge (Model Context Protocol over stdin and stdout)",
    "client": "describe a photo, or a camera's newest frame, through a TCP bridge",
}
VERBOSE = {"action": "store_true", "help": "log every step, with tracebacks"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 for an error, 2 for wrong usage.

    A command whose 1 means something else has a default ``failed``, its code for an error.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # With LANG=C a terminal may take ASCII alone: better escapes than no answer.
            stream.reconfigure(errors="backslashreplace")
    if argv is not None:
        return _run(argv)
    if "_ARGCOMPLETE" in os.environ:
        return _complete()
    open_standard_streams()
    # This is the whole program: Ctrl-C ends it also during its imports, which take a second.
    command = _command(sys.argv[1:])
    if command == "run":
        handle(lambda *_: os._exit(0))  # until it starts its nodes
    elif signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupted)
    end_filter = filter_stderr() if command in ("describe", "ask", "annotate") else None
    try:
        return _run(sys.argv[1:])
    finally:
        if end_filter:
            end_filter()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done, except what Python tidies up


def _command(words: Sequence[str]) -> str:
    return next((word for word in words if not word.startswith("-")), "")


def _run(words: Sequence[str]) -> int:
    try:
        args = _parser(words).parse_args(words)
    except ModuleNotFoundError as error:
        missing = missing_module("i2t", error)
        print(f"{missing} [{missing.code}]", file=sys.stderr)
        return EXIT_FAILED
    level = logging.ERROR if getattr(args, "quiet", False) else logging.WARNING
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else level, format="%(levelname)s %(name)s: %(message)s"
    )
    failed: int = getattr(args, "failed", EXIT_FAILED)
    try:
        return int(args.run(args))
    except BrokenPipeError:  # as in `i2t ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failed
    except (I2tError, OSError) as error:
        if args.verbose:
            logging.getLogger(__name__).exception("failed")
        code = f" [{error.code}]" if isinstance(error, I2tError) else ""
        print(f"i2t {args.command}: {error}{code}", file=sys.stderr)
        return failed
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _interrupted(*_: object) -> None:
    with suppress(Exception):  # it may be in the middle of a write
        sys.stdout.flush()
    os._exit(EXIT_INTERRUPTED)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser for these words: of the commands, only theirs is imported."""
    parser = argparse.ArgumentParser(
        prog="i2t",
        description="Image to text for robots: says in a sentence what a camera or a picture "
        "shows. `i2t COMMAND --help` explains a command.",
    )
    parser.add_argument("--verbose", **VERBOSE)  # type: ignore[arg-type]
    parser.add_argument("--version", action=_Version, help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = _command(words)
    if chosen not in COMMANDS:
        for name, text in COMMANDS.items():
            commands.add_parser(name, help=text)
    elif chosen == "client":
        client = importlib.import_module("i2t_ros.client")
        asking = commands.add_parser(chosen, description=COMMANDS[chosen])
        client.add_arguments(asking)
        asking.set_defaults(run=client.run)
    else:
        importlib.import_module(f"i2t_ros.cli.{chosen}").add_parser(commands)
    _add_verbose(commands)
    return parser


def _add_verbose(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Let --verbose stand after the command, too."""
    for parser in commands.choices.values():
        # Not given, it must not undo what stands before the command.
        parser.add_argument("--verbose", default=argparse.SUPPRESS, **VERBOSE)  # type: ignore[arg-type]
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                _add_verbose(action)


class _Version(argparse.Action):
    """Prints the version and ends; it is looked up only then."""

    def __init__(self, option_strings: Sequence[str], dest: str, **how: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **how)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from i2t_ros.resources import version  # noqa: PLC0415

        print(f"i2t_ros {version()}")
        parser.exit()


def _complete() -> int:
    """Answer a shell that completes a line (`pip install argcomplete`)."""
    import argcomplete  # noqa: PLC0415

    argcomplete.autocomplete(_parser(os.environ.get("COMP_LINE", "").split()[1:]))
    return EXIT_FAILED


if __name__ == "__main__":
    raise SystemExit(main())
