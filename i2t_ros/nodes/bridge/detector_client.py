"""The bridges' way to a detector, from an asyncio loop: the service Describe and the action Ask."""

import asyncio
import contextlib
import json
import math
import time
from functools import partial
from typing import Any

from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future
from vision_msgs.msg import VisionInfo

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble tells nobody that a publisher has come or gone
    SubscriptionEventCallbacks = None  # type: ignore[assignment, misc]

from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.errors import DetectorUnreachableError, I2tError, NotActiveError
from i2t_ros.nodes.bridge.asking_client import AskingClient
from i2t_ros.nodes.bridge.detectors import LOOK_AGAIN, NEW, STARTING, Detectors
from i2t_ros.nodes.lifecycle.runner import ManagedNode
from i2t_ros.nodes.lifecycle.spinning import Pulse, SpinningThread
from i2t_ros.nodes.messages import descriptions as messages
from i2t_ros.pipeline.asking import unanswered
from i2t_ros.srv import Describe
from i2t_ros.types import DescribeReply, DescribeRequest, Told
from i2t_ros.vision.codecs import is_heavy

_ANOTHER = "name another service with the parameter describe_service"


class DetectorClient:
    """A Handler that asks a detector_node, wherever it runs.

    The detector may be absent, die and come back: requests fail with DetectorUnreachableError
    until it is there again. ``max_in_flight`` requests are with it at once, the others wait here,
    in order, for as long as their callers let them. Large pictures take half of these places at
    most, so that they stop nobody else.

    A detector that has been killed stays in the ROS graph for 20 s, and so would the requests that
    it had, and their places. So a pending request is sent again when another detector appears;
    describing a picture twice does no harm. One that is still starting is asked until it is active.

    A detector that has just appeared may not know this client yet, and then ROS throws its
    response away (rmw_fastrtps: "client will not receive response"). So a request to a new one
    that stays without an answer is sent once more.

    It has its own node, which is hidden because its name begins with an underscore, and a thread
    that does nothing but take responses. So they come while the bridge's node changes its state,
    and sooner: an executor with more to check takes longer.

    Responses cross threads only here: ``describe`` runs on the loop, a response arrives in the
    node's thread, and LoopThread.post carries it over. ``ready`` may be called in any thread.

    Questions, which take seconds, have places of their own, and a client of their own.
    """

    def __init__(
        self, node: ManagedNode, service: str, loop: LoopThread, max_in_flight: int
    ) -> None:
        """Ask the detector that offers ``service``; ``node`` ends if this client's thread does."""
        self._loop = loop
        name = node.resolve_service_name(service)
        self._node = _hidden_node(node, "client")
        self._client: Client = self._node.create_client(
            Describe, name, qos_profile=messages.SERVICE_QOS
        )
        self.service = str(self._client.srv_name)  # its full name
        self._absent = f"no detector offers {self.service}"
        self._pulse = Pulse(self._node)
        self._spinning = SpinningThread(self._node, on_death=partial(node.end, failed=True))
        self._places = asyncio.Semaphore(max_in_flight)
        self._heavy_places = asyncio.Semaphore(max(1, max_in_flight // 2))
        self._detectors = Detectors(self._node, self.service, self.ready)
        action = f"{self.service.rpartition('/')[0]}/ask"
        self._asking = AskingClient(
            _hidden_node(node, "asking"),
            action,
            loop.post,
            remedy=_ANOTHER,
            on_death=partial(node.end, failed=True),
        )
        self._questions = asyncio.Semaphore(max_in_flight)

    def ready(self) -> bool:
        """Return whether a detector offers the service."""
        return bool(self._client.service_is_ready())

    def unready(self) -> str:
        """Return why no request can be answered; empty if one can."""
        return self._pulse.stalled() or ("" if self.ready() else self._absent)

    def close(self) -> None:
        """Close the client."""
        self._asking.close()
        self._spinning.close()
        self._node.destroy_node()

    async def describe(self, request: DescribeRequest) -> DescribeReply:
        """Ask the detector; see Handler.describe.

        Raises DetectorUnreachableError, and what the detector answers, as the error of its code.
        """
        async with contextlib.AsyncExitStack() as places:
            if await _is_heavy(request):
                await places.enter_async_context(self._heavy_places)
            await places.enter_async_context(self._places)
            self._check_ready()
            response = await self._ask(messages.request_to_msg(request))
        return messages.reply_from_response(response)

    async def ask(self, request: DescribeRequest, told: Told) -> DescribeReply:
        """Have the detector answer a question; see Handler.ask. Raises as describe().

        A detector without a language model has no action; its service then says what to do.
        """
        async with self._questions:
            self._check_ready()
            if self._asking.ready():
                return await self._asking.ask(request, told)
            reply = await self.describe(request)
            if error := unanswered(reply):
                raise error
            return reply

    async def _ask(self, request: Describe.Request) -> Describe.Response:
        """Send a request and wait, as long as there is a detector that could answer."""
        answered: asyncio.Future[Future] = asyncio.get_running_loop().create_future()
        asked, now = self._detectors.look(), time.monotonic()
        again = now + NEW if self._detectors.one_is_new() else math.inf
        pause, patience = LOOK_AGAIN, math.inf  # before one that is not active is asked again
        attempts: list[Future] = []

        def take(attempt: Future) -> None:
            nonlocal again, pause, patience
            now = time.monotonic()
            if len(attempts) > 1 and _not_active(attempt) and now < patience:
                again, patience = now + pause, min(patience, now + STARTING)
                pause *= 1.5  # an attempt goes to all detectors, also to one that is at work on it
            elif not answered.done():  # by another attempt, or because nobody waits any more
                answered.set_result(attempt)

        def post(attempt: Future) -> None:  # in the node's thread
            with contextlib.suppress(NotActiveError):  # the loop has ended: nobody waits any more
                self._loop.post(take, attempt)

        def send() -> None:
            attempts.append(self._client.call_async(request))
            attempts[-1].add_done_callback(post)

        try:
            send()
            while not (await asyncio.wait([answered], timeout=LOOK_AGAIN))[0]:
                self._check_ready()
                detectors, now = self._detectors.look(), time.monotonic()
                if detectors - asked or now > again:
                    again = now + NEW if detectors - asked else math.inf
                    asked = detectors
                    send()
        finally:
            for attempt in attempts:  # frees what is still pending
                self._client.remove_pending_request(attempt)
        error = answered.result().exception()
        if error is not None:
            raise I2tError(f"the answer of {self.service} cannot be read: {error}") from error
        return answered.result().result()

    def _check_ready(self) -> None:
        if not self.ready():
            raise DetectorUnreachableError(f"{self._absent}; start detector_node, or {_ANOTHER}")


def _hidden_node(node: Node, what: str) -> Node:
    return Node(
        f"_{node.get_name()}_{what}",
        namespace=node.get_namespace(),
        context=node.context,
        use_global_arguments=False,
        enable_rosout=False,
        start_parameter_services=False,
    )


async def _is_heavy(request: DescribeRequest) -> bool:
    picture = request.picture
    if picture is None:
        return False
    if picture.layout is not None:
        return is_heavy(picture, request.annotate)
    return await asyncio.to_thread(is_heavy, picture, request.annotate)


def _not_active(attempt: Future) -> bool:
    response: Any = None if attempt.exception() else attempt.result()
    return response is not None and response.error_code == NotActiveError.code


class DetectorConfiguration:
    """Which detector would answer now, and with which models and options.

    Follows the latched ``vision_info`` of a detector, which has a new one for every change.
    """

    def __init__(self, node: Node, topic: str) -> None:
        self._node = node
        self._topic = topic
        self._text = ""
        self._events: Any = SubscriptionEventCallbacks
        self._subscription = node.create_subscription(
            VisionInfo,
            topic,
            self._take,
            messages.LATCHED,
            event_callbacks=None if self._events is None else self._events(matched=self._matched),
        )

    def text(self) -> str:
        """Return a text that differs between configurations; "" if no detector is there.

        May be called in any thread.
        """
        if self._text and self._events is None and not self._node.count_publishers(self._topic):
            return ""
        return self._text

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)
        self._text = ""

    def _take(self, info: VisionInfo) -> None:
        self._text = json.dumps([info.method, info.database_location, info.database_version])

    def _matched(self, info: Any) -> None:
        if info.current_count_change < 0:  # the one that published it has gone
            self._text = ""
