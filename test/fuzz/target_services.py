"""Services, the action and topics of the nodes: lifecycle, parameters, Describe, Ask, images."""

import contextlib
import itertools
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import cv2
import hostile_vlm
import httpx
import numpy as np
import rclpy
from i2t_ros.action import Ask
from i2t_ros.srv import Describe
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from odd_messages import OddMessages, type_of
from rcl_interfaces.msg import Parameter, ParameterType
from rcl_interfaces.srv import GetParameters, ListParameters, SetParameters, SetParametersAtomically
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message, serialize_message
from ros_nodes import Peer, node_processes, own_domain
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from std_srvs.srv import SetBool
from target import Case, Target

from i2t_ros.nodes.messages.images import image_to_msg

NODES = ("detector_node", "bridge_node", "source_node")
LEAST_SERVICES = 12
LOOKED_AT = {"/image": 2, "/detector_node/description": 1, "/detector_node/annotated/compressed": 1}
"""Topics, and how many subscriptions they have once the bridge has viewers of every stream."""
VIEWS = ("/v1/live", "/stream", "/stream?annotated=0")
ANY_QOS = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Of a publisher that suits every subscription."""
WORDS = (
    "transition_success", "transition_error", "configure", "activate", "deactivate", "cleanup",
    "max_rate", "language", "min_score", "allow_classes", "autostart", "use_sim_time", "detect",
    "faces", "classify", "person", "bgr8", "mono16", "16UC1", "yuyv", "bayer_rggb8", "jpeg", "png",
)  # fmt: skip
GREY = np.full((48, 64, 3), 128, np.uint8)
JPEG = cv2.imencode(".jpg", GREY)[1].tobytes()
FINAL = (
    Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
    Transition.TRANSITION_INACTIVE_SHUTDOWN,
    Transition.TRANSITION_ACTIVE_SHUTDOWN,
)
"""What a node may be asked for, and does not come back from."""
KNOWN_GOALS = 4
"""Identities of goals that come again and again."""
RESTORED = 100
"""Inputs after which the nodes get their parameters back, and are active."""
_GOAL_SERVICES = (Ask.Impl.SendGoalService, Ask.Impl.GetResultService)
MESSAGE, REQUEST, GARBLED = b"message", b"request", b"garbled"


class Services(Target):
    """Sends every service and topic of three processes requests and messages that are odd."""

    name = "services"
    cases = 500

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            if not rclpy.ok():
                stack.enter_context(own_domain())
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._peer = Peer()
            stack.callback(self._peer.close)
            start = stack.enter_context(node_processes(self._peer, folder))
            vlm = stack.enter_context(hostile_vlm.serving(hostile_vlm.good(["A", " wall."])))
            cv2.imwrite(str(folder / "grey.png"), GREY)
            arguments = ["-r", "image:=pictures"]
            self._nodes = {
                "bridge_node": start("bridge_node", tcp_port=0, http="true", http_port=0),
                "source_node": start(
                    "source_node", source=folder / "grey.png", arguments=arguments
                ),
                "detector_node": start(model="fake", caption_url=vlm.url, depth="[/depth/image]"),
            }
            stack.enter_context(self._viewers())
            self._strangers = {name: _Stranger(self._peer, name) for name in NODES}
            count = self._peer.node.count_subscribers
            self._peer.until(
                lambda: {name: count(name) for name in LOOKED_AT} == LOOKED_AT,
                "the bridge subscribes for its viewers",
            )
            self._publishers = {
                topic: self._peer.node.create_publisher(kind, topic, ANY_QOS)
                for topic, kind in self._subscribed().items()
            }
            self._services = {
                name: kind
                for one in self._strangers.values()
                for name, kind in one.services().items()
            }
            self._words = [
                *WORDS,
                *sorted({n for one in self._strangers.values() for n in one.names}),
            ]
            self._done = 0
            self._before = {node: node.resident_bytes() for node in self._nodes.values()}
            self.watch.measure = self._grown
            with self.watch.innocent(self._ask):
                yield
            self._restore()
            self._serve_as_before()

    def _subscribed(self) -> dict[str, type]:
        """Return the topics that somebody subscribes to, and their types.

        Which node that is, the graph does not always know: of two participants that say at the same
        time what they have, one is lost (ros2/rmw_fastrtps issue 792).
        """
        node = self._peer.node
        found = node.get_topic_names_and_types()
        return {name: type_of(kinds[0]) for name, kinds in found if node.count_subscribers(name)}

    @contextlib.contextmanager
    def _viewers(self) -> Iterator[None]:
        """Watch every stream of the bridge, again when it has listened anew."""
        over = threading.Event()

        def watch(path: str) -> None:
            while not over.wait(0.1):
                with (
                    contextlib.suppress(httpx.HTTPError),
                    httpx.stream("GET", self._url() + path) as stream,
                ):
                    for _ in stream.iter_raw():
                        if over.is_set():
                            break

        threads = [threading.Thread(target=watch, args=(path,)) for path in VIEWS]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _url(self) -> str:
        return self._nodes["bridge_node"].url

    def _ask(self) -> None:
        """Be the innocent client: every node says in which state it is."""
        for stranger in self._strangers.values():
            stranger.state()

    def generate(self, random: Random) -> Case:
        odd = OddMessages(0, self._words)
        odd.random = random
        if random.random() < 0.5:
            topic = random.choice(sorted(self._publishers))
            msg = odd.make(self._publishers[topic].msg_type)
            if random.random() < 0.5:
                return [GARBLED, topic.encode(), odd.garbled(msg)]
            return [MESSAGE, topic.encode(), serialize_message(msg)]
        service = random.choice(sorted(self._services))
        kind = self._services[service]
        request = odd.make(kind.Request)
        if kind is ChangeState:
            change = request.transition
            change.id = random.choice((1, 3, 255, 10, change.id))
            if change.id in FINAL and not change.label:
                change.id = 3
        if random.random() < 0.7:  # so that some goals are known
            goal = getattr(request, "goal_info", request)
            if hasattr(goal, "goal_id"):
                goal.goal_id.uuid = [random.randrange(KNOWN_GOALS)] * 16
        return [REQUEST, service.encode(), serialize_message(request)]

    def run(self, case: Case) -> None:
        what, name, data = case[0], case[1].decode(), b"".join(case[2:])
        if what == REQUEST:
            kind = self._services[name]
            request = deserialize_message(data, kind.Request)
            check(request, self._peer.call(kind, name, request, self.bounds.reply))
        else:
            self._publishers[name].publish(data)
        self._done += 1
        if self._done % RESTORED == 0:
            self._restore()
        for name, node in self._nodes.items():
            assert node.running(), f"{name} has ended"

    def _grown(self) -> int:
        """Return by how much the node has grown that has grown most."""
        return max(node.resident_bytes() - before for node, before in self._before.items())

    def _restore(self) -> None:
        for stranger in self._strangers.values():
            stranger.restore()
        self._peer.until(lambda: self._status() == 200, "the bridge is ready")
        for node in self._nodes.values():
            assert "Traceback" not in node.log()

    def _status(self) -> int:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self._url()}/readyz").status_code
        return 0

    def _serve_as_before(self) -> None:
        peer, detector = self._peer, self._strangers["detector_node"]
        detector.call(SetBool, "enable", data=True)
        image = CompressedImage(format="jpeg")
        image.data.frombytes(JPEG)
        assert detector.call(Describe, "describe", image=image).success
        self._answer_a_question(image)
        sentences = peer.collect(String, "/detector_node/sentence")
        pictures = peer.collect(Image, "/pictures")
        camera, msg = peer.camera(), image_to_msg(image.header, GREY)
        peer.node.create_timer(0.05, lambda: camera.publish(msg))
        peer.until(lambda: sentences and pictures, "images are described, pictures are published")
        assert httpx.post(f"{self._url()}/v1/describe", content=JPEG).json()["sentence"]
        with httpx.stream("GET", f"{self._url()}/v1/live") as live:
            lines = live.iter_lines()
            peer.until(lambda: '"sentence"' in next(lines), "live words")

    def _answer_a_question(self, image: CompressedImage) -> None:
        """Ask until there is an answer: it may take seconds until old goals are forgotten."""
        action, send, fetch = "/detector_node/ask/_action", *_GOAL_SERVICES
        identities = itertools.count(KNOWN_GOALS)
        goal = Ask.Goal(image=image, question="What is it?")

        def is_answered() -> bool:
            request = send.Request(goal=goal)
            request.goal_id.uuid = list(next(identities).to_bytes(16, "big"))
            if not self._peer.call(send, f"{action}/send_goal", request).accepted:
                return False
            request = fetch.Request(goal_id=request.goal_id)
            result = self._peer.call(fetch, f"{action}/get_result", request).result
            assert result.error_code in ("", "busy"), result.message
            return result.answer.text == "A wall."

        self._peer.until(is_answered, "a question is answered")


class _Stranger:
    """Knows a node's services, and how to bring it back to what it was."""

    def __init__(self, peer: Peer, name: str) -> None:
        self._peer, self._name = peer, f"/{name}"
        peer.until(lambda: len(self.services()) >= LEAST_SERVICES, f"the services of {name}")
        listed = self.call(ListParameters, "list_parameters").result.names
        self.names = [name for name in listed if not name.startswith("qos_overrides.")]
        values = self.call(GetParameters, "get_parameters", names=self.names).values
        self._before = dict(zip(self.names, values, strict=True))

    def services(self) -> dict[str, type]:
        found = self._peer.node.get_service_names_and_types()
        own = [(name, kinds) for name, kinds in found if name.startswith(f"{self._name}/")]
        return {name: type_of(kinds[0]) for name, kinds in own}

    def call(self, kind, name, **fields):
        return self._peer.call(kind, f"{self._name}/{name}", kind.Request(**fields))

    def state(self) -> int:
        return self.call(GetState, "get_state").current_state.id

    def restore(self) -> None:
        """Undo what valid requests among the odd ones have changed."""
        for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
            self.call(ChangeState, "change_state", transition=Transition(id=transition))
        assert self.state() == State.PRIMARY_STATE_UNCONFIGURED
        parameters = [
            Parameter(name=name, value=value)
            for name, value in self._before.items()
            if name not in ("autostart", "start_type_description_service")
        ]
        results = self.call(SetParameters, "set_parameters", parameters=parameters).results
        assert not [result.reason for result in results if not result.successful]
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            change = Transition(id=transition)
            assert self.call(ChangeState, "change_state", transition=change).success
        assert self.state() == State.PRIMARY_STATE_ACTIVE


def check(request, response) -> None:
    """Check that parameters are answered one by one, and that those that are none are refused."""
    if isinstance(request, SetParameters.Request):
        assert len(response.results) == len(request.parameters)
        results = zip(request.parameters, response.results, strict=True)
    elif isinstance(request, SetParametersAtomically.Request) and request.parameters:
        results = [(max(request.parameters, key=lambda one: one.value.type), response.result)]
    else:
        return
    for parameter, result in results:
        if parameter.value.type > ParameterType.PARAMETER_STRING_ARRAY or not parameter.name:
            assert not result.successful
            assert result.reason
