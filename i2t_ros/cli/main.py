"""The `i2t` command: everything that a shell can do without `ros2`."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from i2t_ros.backends.stderr_filter import filter_stderr
from i2t_ros.errors import I2tError
from i2t_ros.nodes.signals import handle
from i2t_ros.nodes.start import open_standard_streams

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130  # 128 + SIGINT, the convention of shells


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 for an error, 2 for wrong usage."""
    if argv is not None:
        return _run(argv)
    open_standard_streams()
    # This is the whole program: Ctrl-C ends it also during its imports, which take a second.
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    if command == "run":
        handle(lambda *_: os._exit(0))  # until it starts its nodes
    elif signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupted)
    end_filter = filter_stderr() if command == "describe" else None
    try:
        return _run(sys.argv[1:])
    finally:
        if end_filter:
            end_filter()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done, except what Python tidies up


def _run(argv: Sequence[str]) -> int:
    args = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )
    try:
        return int(args.run(args))
    except BrokenPipeError:  # as in `i2t ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except (I2tError, OSError) as error:
        if args.verbose:
            logging.getLogger(__name__).exception("failed")
        code = f" [{error.code}]" if isinstance(error, I2tError) else ""
        print(f"i2t {args.command}: {error}{code}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _interrupted(*_: object) -> None:
    with suppress(Exception):  # it may be in the middle of a write
        sys.stdout.flush()
    os._exit(EXIT_INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="i2t",
        description="Image to text for robots: says in a sentence what a camera or a picture "
        "shows. `i2t COMMAND --help` explains a command.",
    )
    parser.add_argument("--verbose", action="store_true", help="log every step, with tracebacks")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    # Here, because they import much, and the signals have their handlers by now.
    from i2t_ros import client  # noqa: PLC0415
    from i2t_ros.cli import describe, models, run, say  # noqa: PLC0415

    for module in (describe, say, models, run):
        module.add_parser(commands)
    text = "describe a photo, or a camera's newest frame, through a TCP bridge"
    asking = commands.add_parser("client", help=text, description=text)
    client.add_arguments(asking)
    asking.set_defaults(run=client.run)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
