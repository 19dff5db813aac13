"""Asks a detector questions by the action Ask, from an asyncio loop."""

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from i2t_ros.action import Ask
from i2t_ros.errors import BusyError, DetectorUnreachableError, I2tError, NotActiveError
from i2t_ros.nodes.bridge.detectors import LOOK_AGAIN, NEW, STARTING, Detectors
from i2t_ros.nodes.lifecycle.spinning import SpinningThread
from i2t_ros.nodes.messages import descriptions as messages
from i2t_ros.nodes.messages.bounds import LONGEST_TEXT
from i2t_ros.types import DescribeReply, DescribeRequest, Told

FAREWELL = 2.0
"""Seconds that close() waits for the detector to hear that nobody wants its answers any more."""
ENDED = (GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_CANCELED, GoalStatus.STATUS_ABORTED)

Post = Callable[..., None]
"""Has the loop call a function with arguments; raises NotActiveError if the loop has ended."""


class AskingClient:
    """Asks whatever detector offers an action; goes about it as DetectorClient does.

    A pending question is asked again when another detector appears, and once more if a detector
    does not say that it takes the question. Whoever waits for the answer may be cancelled: then the
    goal is, and the language model stops.

    rclpy's action client has no lock: a response that comes while a request is being noted would be
    lost. So all of it is used in one thread, that of a node of its own; ``post`` leads to the loop.
    """

    def __init__(
        self,
        node: Node,
        action: str,
        post: Post,
        *,
        remedy: str,
        on_death: Callable[[], object] = lambda: None,
    ) -> None:
        """Ask by the action of this full name.

        node      nobody else spins it; closed with this client
        remedy    what else there is to do if no detector offers the action
        on_death  called if the node's thread ends although nobody closed it
        """
        self.action = action
        start = "start detector_node with a caption_url"
        self._absent = f"no detector offers {action}; {start}, or {remedy}"
        self._post = post
        self._node = node
        qos = messages.SERVICE_QOS
        self._client = ActionClient(
            self._node,
            Ask,
            action,
            goal_service_qos_profile=qos,
            result_service_qos_profile=qos,
            cancel_service_qos_profile=qos,
        )
        self._detectors = Detectors(self._node, f"{action}/_action/send_goal", self.ready)
        self._changed = threading.Condition()
        self._leaving: dict[_Goal, float] = {}  # since when
        self._spinning = SpinningThread(self._node, on_death)

    def ready(self) -> bool:
        """Return whether a detector offers the action; in any thread."""
        return bool(self._client.server_is_ready())

    async def found(self, limit: float) -> None:
        """Wait for a detector; raises DetectorUnreachableError after ``limit`` seconds."""
        end = time.monotonic() + limit
        while not self.ready() and time.monotonic() < end:
            await asyncio.sleep(LOOK_AGAIN / 5)
        self._check_ready()

    def close(self) -> None:
        """Close the client, after the detector has heard which answers are not wanted any more."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._leaving and self.ready()), FAREWELL)
        self._spinning.close()
        self._client.destroy()
        self._node.destroy_node()

    async def ask(self, request: DescribeRequest, told: Told) -> DescribeReply:
        """Ask a question; see Handler.ask.

        Raises DetectorUnreachableError, and what the detector answers, as the error of its code.
        """
        self._check_ready()
        result = await self._result(messages.goal_to_msg(request), told)
        if isinstance(result, Exception):
            raise I2tError(f"{self.action}: {result}") from result
        return messages.reply_from_result(result)

    async def _result(self, msg: Ask.Goal, told: Told) -> "Ask.Result | Exception":
        """Send a goal and wait, as long as there is a detector that could answer."""
        answered: asyncio.Future[Ask.Result | Exception]
        answered = asyncio.get_running_loop().create_future()
        asked, now = self._detectors.look(), time.monotonic()
        taken_by, again = now + NEW, math.inf
        pause, patience = LOOK_AGAIN, math.inf  # before one that is not active is asked again
        goals: list[_Goal] = []

        def take(result: "Ask.Result | Exception") -> None:
            nonlocal again, pause, patience
            now = time.monotonic()
            inactive = getattr(result, "error_code", "") == NotActiveError.code
            if len(goals) > 1 and inactive and now < patience:
                again, patience = now + pause, min(patience, now + STARTING)
                pause *= 1.5
            elif not answered.done():
                answered.set_result(result)

        def tell(goal: _Goal, text: str) -> None:
            wanted = goal is goals[-1] and not answered.done()
            if wanted and len(text) <= LONGEST_TEXT:  # anybody may publish feedback
                told(text)

        def send() -> None:
            goals.append(_Goal(self._client, msg, self._posted(tell), self._posted(take)))
            self._spinning.soon(goals[-1].begin)

        try:
            send()
            while not (await asyncio.wait([answered], timeout=LOOK_AGAIN))[0]:
                self._check_ready()
                detectors, now = self._detectors.look(), time.monotonic()
                lost = now > taken_by and not goals[-1].taken
                if detectors - asked or now > again or lost:
                    taken_by, again = now + NEW if detectors - asked else math.inf, math.inf
                    asked = detectors
                    send()
                elif goals[-1].overdue():
                    self._spinning.soon(goals[-1].fetch)
        finally:
            for goal in goals:
                self._leave(goal)
        return answered.result()

    def _posted(self, function: Callable[..., None]) -> Callable[..., None]:
        """Return what has the loop call ``function``, if anybody still waits there."""

        def post(*arguments: Any) -> None:  # in the node's thread
            with contextlib.suppress(NotActiveError):
                self._post(function, *arguments)

        return post

    def _leave(self, goal: "_Goal") -> None:
        """Have a goal canceled that has not ended."""

        def left() -> None:
            with self._changed:
                self._leaving.pop(goal, None)
                self._changed.notify_all()

        now = time.monotonic()
        with self._changed:  # without those whose detector has died
            recent = {one: at for one, at in self._leaving.items() if now - at < FAREWELL}
            self._leaving = {**recent, goal: now}
        self._spinning.soon(partial(goal.leave, left))

    def _check_ready(self) -> None:
        if not self.ready():
            raise DetectorUnreachableError(self._absent)


class _Goal:
    """A goal that was sent, or is to be. The node's thread calls all but ``overdue``.

    taken  whether the detector has accepted or refused it
    """

    def __init__(
        self,
        client: ActionClient,
        msg: Ask.Goal,
        tell: "Callable[[_Goal, str], None]",
        take: "Callable[[Ask.Result | Exception], None]",
    ) -> None:
        self._client, self._msg, self._tell, self._take = client, msg, tell, take
        self._handle: ClientGoalHandle | None = None
        self._left: Callable[[], None] | None = None
        self._fetched = math.inf
        self._ended = False
        self.taken = False

    def begin(self) -> None:
        """Send it, unless nobody wants it any more."""
        if self._left is not None:
            return
        try:
            sent = self._client.send_goal_async(self._msg, self._feedback)
        except Exception as error:  # for a goal that ROS has no bytes for
            self._end(error)
        else:
            sent.add_done_callback(self._accepted)
        self._msg = None  # it may have a picture

    def overdue(self) -> bool:
        """Return whether the goal has ended, and its result has been lost on the way.

        As a response is that comes before its server knows the client.
        """
        if self._handle is None or self._handle.status not in ENDED:
            return False
        return not self._ended and time.monotonic() - self._fetched > NEW

    def fetch(self) -> None:
        """Ask for the result, which may come later."""
        if self._handle is not None:
            self._fetched = time.monotonic()
            self._handle.get_result_async().add_done_callback(self._result)

    def leave(self, left: Callable[[], None]) -> None:
        """Cancel it, unless it has ended; ``left`` is called when the detector has heard that."""
        self._left = left
        if self._ended or not (self.taken or self._msg is None):
            self._ended = True
            left()
        elif self._handle is not None:
            self._cancel(self._handle)

    def _feedback(self, msg: Any) -> None:
        self._tell(self, msg.feedback.text)

    def _accepted(self, sent: Future) -> None:
        self.taken = True
        if (error := sent.exception()) is not None:
            self._end(error)
            return
        handle: ClientGoalHandle = sent.result()
        if not handle.accepted:
            self._end(BusyError("busy: the detector has too many goals; try again in a moment"))
            return
        self._handle = handle
        self.fetch()
        if self._left is not None:
            self._cancel(handle)

    def _cancel(self, handle: ClientGoalHandle) -> None:
        left = self._left or bool
        handle.cancel_goal_async().add_done_callback(lambda _: left())

    def _result(self, fetched: Future) -> None:
        error = fetched.exception()
        self._end(fetched.result().result if error is None else error)

    def _end(self, result: "Ask.Result | BaseException") -> None:
        if not self._ended:
            self._ended = True
            self._take(result)
        if self._left is not None:
            self._left()
