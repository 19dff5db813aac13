"""``i2t client``: describe a photo through a TCP bridge."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from i2t_ros import client

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add ``client`` to the subcommands."""
    text = "describe a photo, or a camera's newest frame, through a TCP bridge"
    parser = subparsers.add_parser("client", help=text, description=text)
    client.add_arguments(parser)
    parser.set_defaults(run=client.run)
