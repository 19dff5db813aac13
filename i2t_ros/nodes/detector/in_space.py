"""Objects in space, in the frame that they are wanted in: tf2 leads there, if it is installed."""

import os
from typing import Any

from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from rclpy.time import Time
from std_msgs.msg import Header

from i2t_ros.nodes.detector.camera_ports import DEPTH_RESULTS, CameraPorts
from i2t_ros.nodes.detector.depth import NO_TRANSFORM
from i2t_ros.nodes.messages.objects_3d import detections_3d_to_msg, objects_to_markers
from i2t_ros.optional import needed_for
from i2t_ros.types import Detections
from i2t_ros.vision.depth import Located
from i2t_ros.vision.transforms import Transform


class NoTransformError(Exception):
    """tf2 knows no way between two frames at that time; the message is its own."""


class TargetFrame:
    """Listens to /tf and /tf_static; ``name`` is the frame that objects are wanted in."""

    def __init__(self, node: LifecycleNode, name: str) -> None:
        """Listen from now on. Raises BackendMissingError if tf2_ros is not installed."""
        self.name = name
        package = f"ros-{os.environ.get('ROS_DISTRO', '$ROS_DISTRO')}-tf2-ros-py"
        with needed_for(
            f"target_frame {name}", f"apt install {package}, or leave target_frame empty"
        ):
            import tf2_ros  # noqa: PLC0415 (of no use without target_frame, and on no index)
        self._failure: type[Exception] = tf2_ros.TransformException
        # Given the node, it would serve tf2_frames there; all else that it takes from it is this.
        self._buffer = tf2_ros.Buffer()
        back = JumpThreshold(
            min_forward=None, min_backward=Duration(seconds=-1), on_clock_change=True
        )
        self._jumps = node.get_clock().create_jump_callback(
            back, post_callback=lambda _: self._buffer.clear()
        )
        self._listener: Any = tf2_ros.TransformListener(self._buffer, node)

    def close(self) -> None:
        """Listen no more."""
        self._jumps.unregister()
        self._listener.unregister()

    def of(self, header: Header) -> Transform:
        """Return how a camera's frame lies in this one when its image was taken.

        An image without a stamp gets the newest transform. Raises NoTransformError.
        """
        try:
            found = self._buffer.lookup_transform(
                self.name, header.frame_id, Time.from_msg(header.stamp)
            ).transform
            at, turn = found.translation, found.rotation
            return Transform((at.x, at.y, at.z), (turn.x, turn.y, turn.z, turn.w))
        except (self._failure, ValueError) as error:  # ValueError: also for a stamp before 1970
            raise NoTransformError(str(error)) from error


def publish_in_space(
    ports: CameraPorts,
    header: Header,
    found: Detections | None,
    located: Located | None,
    frame: TargetFrame | None,
) -> None:
    """Publish where the objects of an image are, in its frame or in the one that is wanted.

    If that is not known, the markers before are removed, and nothing else is published.
    """
    outputs, to = ports.outputs, None
    if frame is not None and located is not None and outputs.wanted(*DEPTH_RESULTS):
        try:
            to = frame.of(header)
        except NoTransformError as error:
            assert ports.depth is not None  # noqa: S101 (it has measured)
            ports.depth.count(NO_TRANSFORM, str(error))
            located = None
        else:
            header = Header(stamp=header.stamp, frame_id=frame.name)
    if found is not None and located is not None:
        outputs.publish("detections_3d", lambda: detections_3d_to_msg(header, found, located, to))
    outputs.publish("object_markers", lambda: objects_to_markers(header, found, located, to))
