"""`i2t run`: runs detector, bridge, source and speech together, without `ros2 launch`."""

import argparse
import os
import re
import signal
import sys
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from i2t_ros.cli import comma_list
from i2t_ros.errors import InvalidRequestError
from i2t_ros.nodes.processes import (
    DEFAULTS,
    NodeProcess,
    first_to_end,
    parameter_file,
    signals_wait,
)
from i2t_ros.nodes.signals import Ending, handle
from i2t_ros.nodes.together import speech_remark, spoken_values
from i2t_ros.optional import can_import, missing

SOURCE_HINT = "; --source may also be a photo, a film or a folder of pictures"
_LOG_PREFIX = re.compile(r"\x1b\[[0-9;]*m|\[[A-Z]+\] \[[0-9.]+\] \[\S+\]: ")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "run",
        description="Runs source_node, detector_node and bridge_node as separate processes, and "
        "speech_node if asked, and puts the node's name before each of its lines. When one ends, "
        "or at Ctrl-C, all end. "
        "Needs no `ros2 launch`; the nodes and their parameter files are the same.",
        epilog="example: i2t run --source film.mp4 --language es --ros-args -p tcp_port:=5002",
    )
    parser.add_argument(
        "--source",
        help="camera, video file, stream's URL, folder or picture (default: that of the parameter "
        "file, else /dev/video0)",
    )
    parser.add_argument(
        "--once", action="store_true", help="show a video or pictures once, then end"
    )
    parser.add_argument(
        "--model", help="model of the detector (default: that of the parameter file, else auto)"
    )
    parser.add_argument("--language", help="language (default: that of the file, else en)")
    parser.add_argument(
        "--tasks",
        type=comma_list,
        metavar="A,B",
        help="what is done with each image (default: that of the file, else detect)",
    )
    parser.add_argument("--image", metavar="TOPIC", help="topic of the images (default: image)")
    parser.add_argument(
        "--http", action="store_true", help="also serve HTTP: page, API, streams, WebSocket cameras"
    )
    parser.add_argument(
        "--mcp",
        action="store_true",
        help="as --http, with tools for agents at /mcp (Model Context Protocol)",
    )
    parser.add_argument(
        "--host",
        help="address to listen on, with --http that of HTTP, else that of TCP; 0.0.0.0: every "
        "network (default: that of the file, else 127.0.0.1)",
    )
    parser.add_argument(
        "--port",
        type=int,
        help="port to listen on, with --http that of HTTP, else that of TCP; 0: any that is free",
    )
    parser.add_argument("--params-file", type=Path, help="YAML file with parameters of the nodes")
    parser.add_argument(
        "--no-source",
        action="store_true",
        help="do not run source_node: a camera driver publishes the images",
    )
    parser.add_argument(
        "--speech",
        action="store_true",
        help="also run speech_node, which says the sentences; the detector then finds words for a "
        "voice (spoken), unless a parameter says otherwise",
    )
    parser.add_argument("--no-bridge", action="store_true", help="do not run bridge_node")
    parser.add_argument(
        "--ros-args",
        nargs=argparse.REMAINDER,
        default=[],
        metavar="...",
        help="for all nodes, the last flag on the line: -p NAME:=VALUE, -r FROM:=TO",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the nodes until one ends or Ctrl-C; 0 unless a node failed. Raises I2tError."""
    if not can_import("rclpy"):
        raise missing("i2t run", "run `make run`, or source your ROS 2", "no module rclpy")
    if args.params_file and not args.params_file.is_file():
        raise InvalidRequestError(f"--params-file: no such file: {args.params_file}")
    _check_bridge(args)
    if args.tasks is not None:
        from i2t_ros.pipeline.tasks.registry import check_tasks  # noqa: PLC0415 (imports much)

        check_tasks(args.tasks)
    if args.speech and args.once:
        raise InvalidRequestError(
            "--once with --speech: the pictures would be over before they are said; leave out "
            "--once, and end it with Ctrl-C"
        )
    if args.speech and (remark := speech_remark()):
        print(f"i2t run: {remark}", flush=True)
    ending = Ending()
    nodes: list[NodeProcess] = []
    # The stack ends the nodes in reverse order, so the bridge can answer its open requests.
    with ExitStack() as stack:
        with signals_wait():
            ending.handle()
            for name, words in chosen_nodes(args).items():
                node = NodeProcess(name, words, write=partial(_write, name))
                nodes.append(stack.enter_context(node))
        first: NodeProcess | None = None
        with suppress(KeyboardInterrupt), ending.interruptible():
            first = first_to_end(nodes)
        handle(signal.SIG_IGN)  # ending the nodes has a time limit
        if first:
            print(f"i2t run: {first.name} has ended, so the others are ended too", flush=True)
    failed = [node for node in nodes if node.returncode]
    for node in failed:
        reason = ""
        if node.returncode > 0:  # not ended by a signal
            reason = ": " + _LOG_PREFIX.sub("", node.last_line)
            reason += SOURCE_HINT if node.name == "source_node" else ""
        print(f"i2t run: {node.name} ended with code {node.returncode}{reason}")
    return int(bool(failed))


def _check_bridge(args: argparse.Namespace) -> None:
    """Raise InvalidRequestError for a flag that has no effect, or a port that is none."""
    given = {
        "--http": args.http or None,
        "--mcp": args.mcp or None,
        "--host": args.host,
        "--port": args.port,
    }
    for flag, value in given.items():
        if args.no_bridge and value is not None:
            raise InvalidRequestError(f"{flag} needs bridge_node: drop --no-bridge")
    if args.port is not None and not 0 <= args.port <= 65_535:
        raise InvalidRequestError(f"--port: expected 0 to 65535, got {args.port}")


def chosen_nodes(args: argparse.Namespace) -> dict[str, list[str]]:
    """Return the nodes to run, in the order of their start, with their ROS arguments.

    Flags that are not given leave the value to the parameter file and to the nodes.
    """
    given: dict[str, dict[str, object]] = {
        "detector_node": {"model": args.model, "language": args.language, "tasks": args.tasks}
    }
    if not args.no_bridge:
        http = args.http or args.mcp
        listener = "http" if http else "tcp"
        given["bridge_node"] = {
            "http": http or None,
            "http_mcp": args.mcp or None,
            f"{listener}_host": args.host,
            f"{listener}_port": args.port,
        }
    if args.speech:
        given["speech_node"] = {"language": args.language}
    if not args.no_source:
        given["source_node"] = {"source": args.source, "loop": False if args.once else None}
    chosen = {}
    for name, parameters in given.items():
        own = spoken_values(speech=args.speech and name == "detector_node")
        files = [parameter_file(own, DEFAULTS)] if own else []
        files += [str(args.params_file)] if args.params_file else []
        if values := {key: value for key, value in parameters.items() if value is not None}:
            files.append(parameter_file(values))
        remapped = ["-r", f"image:={args.image}"] if args.image else []
        named = [word for file in files for word in ("--params-file", file)]
        chosen[name] = [*named, *remapped, *args.ros_args]
    return chosen


def _write(name: str, line: str) -> None:
    try:
        print(f"[{name}] {line}", flush=True)
    except OSError:  # nobody reads it, as in `i2t run | head` or once its terminal is closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
