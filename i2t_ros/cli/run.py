"""`i2t run`: detector, bridge and source together, for those without `ros2 launch`."""

from __future__ import annotations

import argparse
import importlib.util
import signal
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from i2t_ros.errors import BackendMissingError, InvalidRequestError
from i2t_ros.nodes.processes import NodeProcess, first_to_end, parameter_file

EXIT_FAILED = 1


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "run",
        help="run detector, bridge and source together until Ctrl-C",
        description="Runs source_node, detector_node and bridge_node as processes of their own, "
        "each line of theirs behind its name. When one ends, or at Ctrl-C, all end. For those who "
        "have no `ros2 launch`; the nodes are the same, and so are their parameter files.",
        epilog="example: i2t run --source film.mp4 --language es --ros-args -p tcp_port:=5002",
    )
    parser.add_argument(
        "--source",
        help="camera, video file, stream's URL, folder or picture (default: the parameter file's, "
        "else /dev/video0)",
    )
    parser.add_argument("--once", action="store_true", help="end with the video or the pictures")
    parser.add_argument(
        "--model", help="of the detector (default: the parameter file's, else auto)"
    )
    parser.add_argument("--language", help="of the sentences (default: the file's, else en)")
    parser.add_argument("--image", metavar="TOPIC", help="of the images (default: image)")
    parser.add_argument(
        "--http", action="store_true", help="serve HTTP too: page, API, streams, WebSocket cameras"
    )
    parser.add_argument("--params-file", type=Path, help="YAML file of parameters of the nodes")
    parser.add_argument(
        "--no-source", action="store_true", help="without source_node: a camera driver runs already"
    )
    parser.add_argument("--no-bridge", action="store_true", help="without bridge_node")
    parser.add_argument(
        "--ros-args",
        nargs=argparse.REMAINDER,
        default=[],
        metavar="...",
        help="for all nodes, at the end of the line: -p NAME:=VALUE, -r FROM:=TO",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the nodes until one ends or Ctrl-C; 0 unless a node failed. Raises I2tError."""
    if importlib.util.find_spec("rclpy") is None:
        raise BackendMissingError(
            "this needs ROS 2 (no module rclpy): `make run` brings it, or source your ROS 2"
        )
    if args.params_file and not args.params_file.is_file():
        raise InvalidRequestError(f"--params-file: no such file: {args.params_file}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    nodes: list[NodeProcess] = []
    first = None
    try:
        # Ended in the reverse order, so that the bridge can answer what it has taken on.
        with ExitStack() as stack:
            for name, words in chosen_nodes(args).items():
                node = NodeProcess(name, words, write=partial(_write, name))
                nodes.append(stack.enter_context(node))
            first = first_to_end(nodes)
            print(f"i2t run: {first.name} has ended, so the others are ended too", flush=True)
    except KeyboardInterrupt:
        pass
    # Interrupted while it still starts, a node has no handler yet and ends by the signal itself.
    failed = [node for node in nodes if node.code() not in (0, -signal.SIGINT)]
    for node in failed:
        print(f"i2t run: {node.name} ended with code {node.code()}; its last lines say why")
    return EXIT_FAILED if failed else 0


def chosen_nodes(args: argparse.Namespace) -> dict[str, list[str]]:
    """Return the names of the nodes to run, in the order of their start, and their ROS arguments.

    What is not given is left to the parameter file and to the nodes.
    """
    given: dict[str, dict[str, object]] = {
        "detector_node": {"model": args.model, "language": args.language},
        "bridge_node": {"http": True if args.http else None},
        "source_node": {"source": args.source, "loop": False if args.once else None},
    }
    for name, unwanted in (("bridge_node", args.no_bridge), ("source_node", args.no_source)):
        if unwanted:
            del given[name]
    before = ["--params-file", str(args.params_file)] if args.params_file else []
    after = ["-r", f"image:={args.image}"] if args.image else []
    return {
        name: [*before, *_wins_over_the_file(parameters), *after, *args.ros_args]
        for name, parameters in given.items()
    }


def _wins_over_the_file(parameters: dict[str, object]) -> list[str]:
    values = {name: value for name, value in parameters.items() if value is not None}
    return ["--params-file", parameter_file(values)] if values else []


def _write(name: str, line: str) -> None:
    print(f"[{name}] {line}", flush=True)
