"""`i2t mcp`: the tools of a bridge for programs that start their tools, such as Claude Desktop."""

import argparse
import asyncio
import os

from i2t_ros.bridges.http.settings import DEFAULT_PORT, TOKEN_VARIABLE
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "mcp",
        description="Speaks the Model Context Protocol over standard input and output, and passes "
        "every call on to a running bridge_node whose parameter http_mcp is true "
        "(`i2t run --mcp`). An agent starts this command; it ends when its input does. Needs no "
        "ROS.",
        epilog=f"The bridge's token, if it has one, comes from the environment: {TOKEN_VARIABLE}.",
    )
    parser.add_argument(
        "--url",
        default=f"http://127.0.0.1:{DEFAULT_PORT}",
        help="of the bridge's HTTP listener (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until standard input ends; raises I2tError."""
    with needed_for("i2t mcp", how_to_install("mcp")):
        from i2t_ros.bridges.http.mcp.proxy import Proxy  # noqa: PLC0415
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    asyncio.run(Proxy(args.url, token).serve())
    return 0
