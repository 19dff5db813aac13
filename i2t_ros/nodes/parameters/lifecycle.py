"""What every node can be told."""

from __future__ import annotations

from dataclasses import dataclass

from i2t_ros.options import option


@dataclass(frozen=True, slots=True)
class LifecycleSettings:
    """How a node begins."""

    autostart: bool = option(
        True, "configure and activate at start; false: wait for transitions", changes="never"
    )
