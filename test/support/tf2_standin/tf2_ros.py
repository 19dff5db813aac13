"""Stands in for tf2_ros, which is on no package index: the camera looks ahead, 0.5 m up.

Only the names and calls that detector_node uses, as in ros2/geometry2.
"""

from geometry_msgs.msg import TransformStamped


class TransformException(Exception):  # noqa: N818 (its name in tf2)
    """No transform."""


class Buffer:
    def lookup_transform(self, target_frame, source_frame, time):
        if (target_frame, source_frame) != ("base_link", "camera") or time.nanoseconds > 5e9:
            raise TransformException(
                f'"{source_frame}" to "{target_frame}": unknown at {time.nanoseconds / 1e9:g} s'
            )
        found = TransformStamped()
        found.transform.translation.z = 0.5
        turn = found.transform.rotation
        turn.x, turn.y, turn.z, turn.w = -0.5, 0.5, -0.5, 0.5
        return found

    def clear(self):
        """Forget nothing: all is written above."""


class TransformListener:
    def __init__(self, buffer, node):
        node.get_logger().info("listens to /tf")
        self._node = node

    def unregister(self):
        self._node.get_logger().info("listens to /tf no more")
