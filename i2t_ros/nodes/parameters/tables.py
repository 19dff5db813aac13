"""The parameters of every node."""

import difflib
from collections.abc import Iterable, Mapping

from i2t_ros.nodes.parameters.bridge import BRIDGE
from i2t_ros.nodes.parameters.detector import DETECTOR
from i2t_ros.nodes.parameters.source import SOURCE
from i2t_ros.nodes.parameters.speech import SPEECH
from i2t_ros.options import Option

NODES: Mapping[str, tuple[Option, ...]] = {
    "detector_node": DETECTOR,
    "bridge_node": BRIDGE,
    "source_node": SOURCE,
    "speech_node": SPEECH,
}


def misspelled(names: Iterable[str]) -> list[str]:
    """Return a line for each name that no node has, with the nearest that one has.

    A parameter of another node is no mistake: nodes may share a file or a command line.
    """
    known = {option.name for table in NODES.values() for option in table}
    lines = []
    for name in names:
        if name not in known and not name.startswith("qos_overrides."):
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "--help lists those there are"
            lines.append(f"unknown parameter {name}: {hint}")
    return lines
