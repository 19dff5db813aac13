"""source_node whose executor dies once it is active; a program of its own."""

import sys

from i2t_ros.nodes.lifecycle.runner import run_lifecycle_node
from i2t_ros.nodes.source.node import SourceNode


class DyingNode(SourceNode):
    def on_activate(self, state):
        result = super().on_activate(state)
        self.executor.create_task(sys.exit)
        return result


if __name__ == "__main__":
    raise SystemExit(run_lifecycle_node(DyingNode))
