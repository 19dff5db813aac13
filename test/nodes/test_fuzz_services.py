"""Whatever strangers send to a service or a topic of a node, it answers, and goes on serving."""

import contextlib

import cv2
import httpx
import numpy as np
import pytest
from i2t_ros.srv import Describe
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from odd_messages import OddMessages, type_of
from rcl_interfaces.msg import Parameter, ParameterType
from rcl_interfaces.srv import GetParameters, ListParameters, SetParameters, SetParametersAtomically
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from std_srvs.srv import SetBool

SEED = 1209
REQUESTS = 24  # of each service
MESSAGES = 60  # to each topic
AT_ONCE = 8  # requests; a server of ROS keeps the last ten
NODES = ("detector_node", "bridge_node", "source_node")
LOOKED_AT = {"/image": 2, "/detector_node/description": 1, "/detector_node/annotated/compressed": 1}
"""Topics, and how many subscriptions they have once the bridge has viewers of every stream."""
ANY_QOS = QoSProfile(depth=MESSAGES, durability=DurabilityPolicy.TRANSIENT_LOCAL)
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


@pytest.fixture
def nodes(start, tmp_path):
    """Return a process of each node, the detector with its own topics."""
    cv2.imwrite(str(tmp_path / "grey.png"), GREY)
    bridge = start("bridge_node", tcp_port=0, http="true", http_port=0)
    source = start("source_node", source=tmp_path / "grey.png", arguments=["-r", "image:=pictures"])
    return {"detector_node": start(model="fake"), "bridge_node": bridge, "source_node": source}


def subscribed(peer):
    """Return the topics that a node subscribes to, and their types.

    Which node that is, the graph does not always know: of two participants that say at the same
    time what they have, one is lost (ros2/rmw_fastrtps issue 792).
    """
    found = peer.node.get_topic_names_and_types()
    return {name: type_of(kinds[0]) for name, kinds in found if peer.node.count_subscribers(name)}


class Stranger:
    """Sends odd requests to one node, and knows how to bring it back to what it was."""

    def __init__(self, peer, name):
        self.peer, self.name = peer, f"/{name}"
        peer.until(lambda: len(self.services()) >= 12, f"the services of {name}")
        listed = self.call(ListParameters, "list_parameters").result.names
        self._names = [name for name in listed if not name.startswith("qos_overrides.")]
        values = self.call(GetParameters, "get_parameters", names=self._names).values
        self._before = dict(zip(self._names, values, strict=True))
        self.odd = OddMessages(SEED, [*WORDS, *self._names])

    def services(self):
        found = self.peer.node.get_service_names_and_types()
        own = [(name, kinds) for name, kinds in found if name.startswith(f"{self.name}/")]
        return {name: type_of(kinds[0]) for name, kinds in own}

    def call(self, kind, name, **fields):
        return self.peer.call(kind, f"{self.name}/{name}", kind.Request(**fields))

    def state(self):
        return self.call(GetState, "get_state").current_state.id

    def ask_everything(self):
        """Send every service odd requests; each of them has a response."""
        for service, kind in self.services().items():
            client = self.peer.client(kind, service)
            for _ in range(REQUESTS // AT_ONCE):
                requests = [self._request(kind) for _ in range(AT_ONCE)]
                futures = [client.call_async(request) for request in requests]
                for request, future in zip(requests, futures, strict=True):
                    self.peer.until(future.done, f"a response of {service} to {request}"[:500])
                    self._check(request, future.result())

    def _request(self, kind):
        request = self.odd.make(kind.Request)
        if kind is ChangeState:
            change = request.transition
            change.id = self.odd.random.choice((1, 3, 255, 10, change.id))
            if change.id in FINAL and not change.label:
                change.id = 3
        return request

    def _check(self, request, response):
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

    def restore(self):
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


def send_everything(peer):
    """Send every topic odd messages, and bytes that are no message."""
    odd = OddMessages(SEED, WORDS)
    for topic, kind in subscribed(peer).items():
        publisher = peer.node.create_publisher(kind, topic, ANY_QOS)
        peer.until(publisher.get_subscription_count, f"{topic} is known")
        for _ in range(MESSAGES):
            msg = odd.make(kind)
            publisher.publish(msg)
            publisher.publish(odd.garbled(msg))


def image_msg():
    msg = Image(height=48, width=64, encoding="bgr8", step=192)
    msg.data.frombytes(GREY.tobytes())
    return msg


def test_every_service_answers_and_every_topic_may_be_sent_anything(peer, nodes):
    url = nodes["bridge_node"].url
    strangers = {name: Stranger(peer, name) for name in NODES}
    with contextlib.ExitStack() as streams:
        for path in ("/v1/live", "/stream", "/stream?annotated=0"):
            streams.enter_context(httpx.stream("GET", url + path))
        count = peer.node.count_subscribers
        peer.until(
            lambda: {name: count(name) for name in LOOKED_AT} == LOOKED_AT,
            "the bridge subscribes for its viewers",
        )
        send_everything(peer)
        peer.until(lambda: httpx.get(f"{url}/readyz").status_code == 200, "the bridge is ready")
    for stranger in strangers.values():
        stranger.ask_everything()
        stranger.restore()
    detector = strangers["detector_node"]
    detector.call(SetBool, "enable", data=True)
    image = CompressedImage(format="jpeg")
    image.data.frombytes(JPEG)
    assert detector.call(Describe, "describe", image=image).success
    sentences = peer.collect(String, "/detector_node/sentence")
    pictures = peer.collect(Image, "/pictures")
    camera = peer.camera()
    peer.node.create_timer(0.05, lambda: camera.publish(image_msg()))
    peer.until(lambda: sentences and pictures, "images are described, pictures are published")
    url = nodes["bridge_node"].url  # another port than before
    peer.until(lambda: httpx.get(f"{url}/readyz").status_code == 200, "the bridge is ready")
    assert httpx.post(f"{url}/v1/describe", content=JPEG).json()["sentence"]
    with httpx.stream("GET", f"{url}/v1/live") as live:
        lines = live.iter_lines()
        peer.until(lambda: '"sentence"' in next(lines), "live words")
    for node in nodes.values():
        assert node.running()
        assert "Traceback" not in node.log()
