"""``i2t client``: describe a photo through a TCP bridge."""

from __future__ import annotations

import argparse

from i2t_ros import client


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    text = "describe a photo, or a camera's newest frame, through a TCP bridge"
    parser = commands.add_parser("client", help=text, description=text)
    client.add_arguments(parser)
    parser.set_defaults(run=client.run)
