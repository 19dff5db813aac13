"""The program bridge_node."""

from i2t_ros.nodes.bridge.node import main

__all__ = ["main"]

if __name__ == "__main__":
    raise SystemExit(main())
