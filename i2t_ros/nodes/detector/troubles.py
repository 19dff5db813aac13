"""Why a camera's images do not come, or are no pictures, and what to do about it."""

import os
import pwd
from pathlib import Path

from rclpy.node import Node
from rclpy.utilities import get_rmw_implementation_identifier

from i2t_ros.nodes.processes import profile_variable
from i2t_ros.resources import config_path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (where Fast DDS puts its segments)
MOST_TOPICS = 3
"""Topics that are proposed at most."""
_NO_COLOR = ("depth", "infra", "disparity", "/ir/", "thermal")
_DEPTH = {  # REP 118
    "16UC1": "depth in millimeters",
    "32FC1": "depth in meters",
    "compressedDepth": "depth",
}


def nothing_arrives(topic: str, publishers: str, *, lived: bool = False) -> str:
    """Return a warning about a topic that is published, and on which nothing arrives.

    lived  whether something had arrived before
    """
    said = f"publishers of {topic} are there ({publishers}), but nothing arrives"
    if lived:
        return f"{said} any more; has the camera, or the program that publishes, stopped?"
    users = other_users()
    if not users:
        return (
            f"{said}; does `ros2 topic hz {topic}` show images? Large ones may be lost on the way, "
            "and containers share no memory without --ipc=host: see docs/guide.md, Fast DDS and "
            "large images"
        )
    return (
        f"{said}; the shared memory of Fast DDS on this machine belongs to {', '.join(users)}, and "
        "users cannot share it. Run both as one user, or without shared memory: set "
        f"{profile_variable()}={config_path('fastdds_udp.xml')} for both; see "
        "docs/guide.md, A camera of another user"
    )


def other_users() -> list[str]:
    """Return the names of other users whose shared memory Fast DDS has on this machine."""
    if "fastrtps" not in get_rmw_implementation_identifier():
        return []
    found = set()
    for segment in SHARED_MEMORY.glob("fast*_*"):  # fastrtps_ or, since version 3, fastdds_
        try:
            found.add(segment.stat().st_uid)
        except OSError:  # it has just gone
            continue
    return sorted(_name(number) for number in found - {os.geteuid()})


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a user of another container
        return f"user {number}"


def no_picture(node: Node, topic: str, kind: str, encoding: str) -> str:
    """Return a warning about images that are depth; empty if they are pictures.

    topic     of the images, without the suffix ``/compressed``
    kind      their type, "sensor_msgs/msg/Image"
    encoding  that of an Image, or the format of a CompressedImage
    """
    name = (
        "compressedDepth" if "compressedDepth" in encoding else encoding.partition(";")[0].strip()
    )
    meaning = _DEPTH.get(name)
    if meaning is None:
        return ""
    said = f"the images of {topic} are {name}: {meaning}, and no pictures"
    if name == "16UC1":
        said += " (a thermal camera should publish mono16)"
    pictures = color_topics(node, topic, kind)
    example = f": there is {', '.join(pictures)}" if pictures else ", such as color/image_raw"
    return f"{said}; choose the topic of the color images{example}"


def color_topics(node: Node, topic: str, kind: str) -> list[str]:
    """Return topics of the same type that others publish, those with the most similar name first.

    A name that tells of depth or infrared is left out.
    """
    suffix = "/compressed" if kind.endswith("CompressedImage") else ""
    own = node.get_fully_qualified_name() + "/"
    found = [
        name.removesuffix(suffix)
        for name, types in node.get_topic_names_and_types()
        if kind in types
        and name.endswith(suffix)
        and not name.startswith(own)
        and not any(word in name.lower() for word in _NO_COLOR)
        and node.count_publishers(name)
    ]
    others = sorted(set(found) - {topic})
    alike = {name: len(os.path.commonpath([name, topic])) for name in others}
    return sorted(others, key=lambda name: -alike[name])[:MOST_TOPICS]
