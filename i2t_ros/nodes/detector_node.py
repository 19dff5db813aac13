"""The program detector_node."""

from i2t_ros.nodes.detector.node import main

__all__ = ["main"]

if __name__ == "__main__":
    raise SystemExit(main())
