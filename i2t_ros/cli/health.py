"""`i2t health`: tells whether nodes are active, for the health check of a container."""

import argparse

from i2t_ros.optional import can_import, missing


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "health",
        description="Asks nodes for their lifecycle state. Ends with 0 if all of them are active, "
        "and with 1 otherwise: a model is still being loaded, a node hangs, or there is none.",
    )
    parser.add_argument(
        "nodes",
        nargs="*",
        metavar="NODE",
        default=["/detector_node"],
        help="name, with its namespace: /car/detector_node (default: /detector_node)",
    )
    parser.add_argument(
        "--timeout", type=float, default=5.0, help="seconds for all of them (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print that the nodes are active and return 0; raises I2tError if one is not."""
    if not can_import("rclpy"):
        raise missing("i2t health", "source your ROS 2", "no module rclpy")
    from i2t_ros.nodes.health import check_active  # noqa: PLC0415 (imports ROS)

    check_active(args.nodes, args.timeout)
    print(f"active: {', '.join(args.nodes)}")
    return 0
