"""`i2t demo`: shows the whole chain on one photo, with real nodes and topics."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from i2t_ros.errors import ImageError
from i2t_ros.optional import needed_for


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "demo",
        help="start the nodes, show them a photo, print what comes back",
        description="Starts source_node, detector_node and bridge_node as separate processes, with "
        "a photo on the image topic, prints the detections and the sentence that come back over "
        "ROS, calls the Describe service, asks the same over TCP, and saves the annotated picture.",
    )
    parser.add_argument(
        "picture", nargs="?", type=Path, help="default: the photo of Grace Hopper in matplotlib"
    )
    parser.add_argument("--model", default="auto", help="default: auto")
    parser.add_argument("--language", default="en", help="language of the sentence (default: en)")
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="file for the annotated picture (default: out/demo with the photo's extension)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the chain; return 0 if every step worked. Raises I2tError and OSError."""
    # Imported here so that the other commands work without ROS.
    with needed_for("the demo", "run `make demo`, or source your ROS 2"):
        from i2t_ros.nodes.demonstration import run_demo  # noqa: PLC0415

    picture = args.picture or sample_photo()
    save = args.save or Path("out") / f"demo{picture.suffix}"
    return run_demo(picture, picture.read_bytes(), args.model, args.language, save)


def sample_photo() -> Path:
    """Return the photo of Grace Hopper (US Navy, public domain) in matplotlib."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ImageError("no photo: name one, or pip install matplotlib, which contains one")
    return Path(spec.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"
