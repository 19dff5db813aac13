"""All cameras of a detector_node: its own, and the WebSocket cameras of a bridge_node."""

import re
from collections.abc import Callable
from contextlib import ExitStack

from rclpy.exceptions import InvalidTopicNameException
from rclpy.lifecycle import LifecycleNode
from rclpy.validate_topic_name import validate_topic_name

from i2t_ros.errors import InvalidRequestError, NoFrameError, UnknownCameraError
from i2t_ros.nodes.detector.camera_ports import (
    LONGEST_RESULT,
    CameraPorts,
    CameraTopics,
    ImageMessage,
    check_topics,
    parse_cameras,
)
from i2t_ros.nodes.detector.depth import CameraDepth, parse_depth
from i2t_ros.nodes.detector.in_space import TargetFrame
from i2t_ros.nodes.parameters.detector import DetectorSettings
from i2t_ros.pipeline.narrator import Narrator
from i2t_ros.pipeline.tracking import ObjectTracker
from i2t_ros.types import CAMERA_NAME

MOST_BRIDGED = 32
"""WebSocket cameras at a time: each has a publisher for each of RESULTS, and a subscription."""
LOOKS_AWAY = 3
"""How many times in a row watch() misses a WebSocket camera before it is forgotten: it may connect
again."""
FRAME_TYPE = "sensor_msgs/msg/CompressedImage"


class DetectorCameras:
    """Every camera by its name, in ``ports``; the node's own come first.

    ``target_frame`` is where objects with distances are wanted; None: in the cameras' own frames.

    While images are taken, watch() looks for topics ``<bridge>/<name>/image/compressed``. Each is a
    camera of this node too, for as long as somebody publishes there.

    Methods are called by the executor, or while the node changes its state. Other threads only look
    up single names in ``ports``, and call newest().
    """

    def __init__(
        self,
        node: LifecycleNode,
        settings: DetectorSettings,
        on_image: Callable[[CameraPorts, ImageMessage], None],
    ) -> None:
        """Create the publishers of the node's own cameras; ``on_image`` gets each image.

        Raises InvalidRequestError, and BackendMissingError if tracking, or tf2, is not installed.
        """
        self._node = node
        self._on_image = on_image
        self._tracking = settings.tracking
        self._memory = settings.tracking_memory
        self._bridge = _full_name(node, settings.bridge)
        self._bridged: dict[str, int] = {}  # how many times in a row each has been missed
        self._refused: set[str] = set()
        self._taking = False
        cameras = parse_cameras(settings.cameras, settings.image_transport, settings.reliability)
        for camera in cameras:
            check_topics(node, camera.name, camera.prefix + LONGEST_RESULT)
        own = [(camera, self._narrator()) for camera in cameras]
        depths = {
            name: CameraDepth(node, name, topic, settings.depth_tolerance)
            for name, topic in parse_depth(settings.depth, cameras).items()
        }
        self.target_frame: TargetFrame | None = None
        if depths and settings.target_frame:
            self.target_frame = TargetFrame(node, settings.target_frame)
        self.ports: dict[str, CameraPorts] = {}
        with ExitStack() as undo:
            undo.callback(self.destroy)
            for camera, narrator in own:
                depth = depths.get(camera.name)
                self.ports[camera.name] = CameraPorts(node, camera, narrator, on_image, depth)
            undo.pop_all()

    def subscribe(self) -> list[str]:
        """Begin to take images; return the topics' full names."""
        self._taking = True
        for ports in self.ports.values():
            ports.subscribe()
        return [ports.topic for ports in self.ports.values()]

    def unsubscribe(self) -> None:
        """Take no more images, and look for no more cameras."""
        self._taking = False
        for ports in self.ports.values():
            ports.unsubscribe()

    def destroy(self) -> None:
        """Release everything, once nobody works on images any more."""
        for ports in self.ports.values():
            ports.destroy()
        self.ports.clear()
        if self.target_frame is not None:
            self.target_frame.close()
            self.target_frame = None

    def newest(self, name: str) -> tuple[CameraPorts, ImageMessage]:
        """Return a camera and its newest message; "" is the first camera.

        Raises UnknownCameraError and NoFrameError.
        """
        names = list(self.ports)
        ports = self.ports.get(name or names[0])
        if ports is None:
            off = "" if self._taking else f", and no others are looked for: {self._switched_off()}"
            raise UnknownCameraError(
                f"unknown camera {name!r}; cameras are {', '.join(names)}{off}"
            )
        newest = ports.newest  # another thread may forget it meanwhile
        if newest is None and not self._taking:
            raise NoFrameError(f"camera {ports.name}: no image is taken: {self._switched_off()}")
        if newest is None:
            why = ports.trouble or "is the camera running, and its topic remapped?"
            raise NoFrameError(
                f"camera {ports.name}: no image has come yet on {ports.topic}; {why}"
            )
        return ports, newest

    def _switched_off(self) -> str:
        """Return why an active node takes no images, and what to do."""
        service = f"{self._node.get_fully_qualified_name()}/enable"
        return (
            f"{service} has switched images off; switch them on with `ros2 service call {service} "
            "std_srvs/srv/SetBool '{data: true}'`, or send a picture"
        )

    def watch(self, forget: Callable[[str], bool]) -> None:
        """Check who publishes images, and let WebSocket cameras come and go.

        ``forget`` is called with the name of one that has gone. It returns whether nobody works on
        its images any more; if not, it is called again the next time.
        """
        for name, ports in self.ports.items():
            if name not in self._bridged:
                ports.watch()
        if not (self._taking and self._bridge):
            return
        there = self._publishing()
        for name, missed in list(self._bridged.items()):
            # Once it is given up it has to leave, and may come back as a new one.
            back = name in there and missed < LOOKS_AWAY
            self._bridged[name] = 0 if back else missed + 1
            if self._bridged[name] >= LOOKS_AWAY:
                self._let_go(name, forget)
        self._refused.intersection_update(there)
        for name in there:
            if name not in self._bridged and name not in self._refused:
                self._admit(name)

    def _publishing(self) -> list[str]:
        """Return the names of the WebSocket cameras whose topics have a publisher, in order."""
        pattern = re.compile(f"{re.escape(self._bridge)}/({CAMERA_NAME.pattern})/image/compressed")
        found = [
            (match[1], topic)
            for topic, types in self._node.get_topic_names_and_types()
            if (match := pattern.fullmatch(topic)) and FRAME_TYPE in types
        ]
        # This node's own subscription keeps a topic in that list.
        return sorted(name for name, topic in found if self._node.count_publishers(topic))

    def _admit(self, name: str) -> None:
        # As bridge_node publishes; and parameters could not go when the camera does.
        camera = CameraTopics(
            name, f"{self._bridge}/{name}/image", f"~/{name}/", True, "best_effort", False
        )
        own = self.ports.get(name)
        if own is not None and own.topic == f"{camera.topic}/compressed":
            return  # the parameter cameras names its topic: it is there already
        try:
            if own is not None:
                raise InvalidRequestError(f"the topic {own.topic} is the camera of that name")
            if len(self._bridged) >= MOST_BRIDGED:
                raise InvalidRequestError(f"{MOST_BRIDGED} WebSocket cameras are known, the limit")
            check_topics(self._node, name, camera.prefix + LONGEST_RESULT)
        except InvalidRequestError as error:
            self._refused.add(name)
            self._node.get_logger().warning(f"the WebSocket camera {name} is ignored: {error}")
            return
        ports = CameraPorts(self._node, camera, self._narrator(), self._on_image)
        ports.outputs.activate()
        self._bridged[name] = 0
        self.ports[name] = ports
        ports.subscribe()
        self._node.get_logger().info(f"camera {name} has come: images from {ports.topic}")

    def _let_go(self, name: str, forget: Callable[[str], bool]) -> None:
        self.ports[name].unsubscribe()
        if forget(name):
            del self._bridged[name]
            self.ports.pop(name).destroy()
            self._refused.clear()  # there may be room for another one now
            self._node.get_logger().info(f"camera {name} has gone")

    def _narrator(self) -> Narrator:
        return Narrator(ObjectTracker(self._memory) if self._tracking else None)


def _full_name(node: LifecycleNode, bridge: str) -> str:
    """Return a node's name with its namespace; "" is no node. Raises InvalidRequestError."""
    if not bridge:
        return ""
    try:
        validate_topic_name(bridge)
    except InvalidTopicNameException as error:
        raise InvalidRequestError(f"bridge: expected a node's name, got {bridge!r}") from error
    return str(node.resolve_topic_name(bridge, only_expand=True))
