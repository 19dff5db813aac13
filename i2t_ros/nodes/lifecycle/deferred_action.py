"""An action whose goals are answered later, without cost while they wait.

rclpy wants a function, or a coroutine, that returns a goal's result. The one would keep the
executor from everything else, the other would be polled each time that the executor wakes up. So
here a goal is accepted and its work begins; only when that has ended, rclpy executes the goal, with
a function that returns the result that is there. Until then its status is ACCEPTED.

All states of goals change in the executor's thread: rclpy has no lock around "is a cancellation
asked for? If not, execute", nor around the goals that it goes through to cancel them. Only
feedback is published from the thread that has it, under the lock of the goal's handle.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, cast

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.qos import QoSProfile

from i2t_ros.errors import BusyError, CanceledError, I2tError, NotActiveError
from i2t_ros.nodes.lifecycle.guard import complain
from i2t_ros.nodes.lifecycle.spinning import run_soon
from i2t_ros.vlm.stop import Stop

KEPT = 10
"""Seconds for which a result can still be asked for. Clients do so at once; results hold pictures,
and rclpy's own 15 minutes would keep all of them."""
MOST_GOALS = 64
"""Goals at work, or kept; those beyond are aborted at once, with the error busy."""
MOST_KNOWN = 4 * MOST_GOALS
"""Goals of which rclpy knows, also those that were told so; those beyond are rejected, which gives
no reason: each message about the status of goals lists all."""
LAST_WORDS = 2.0
"""Seconds that settle() waits at most."""

Publish = Callable[[Any], None]
Begin = Callable[[Any, Publish, Stop], "Future[Any]"]


class DeferredAction:
    """Serves an action; its results have the fields success, error_code and message.

    A goal that is canceled ends as CANCELED at once, whatever its work is at. Otherwise the first
    end counts: that of the work, or end_all().
    """

    def __init__(  # noqa: PLR0913 (an action, and its work)
        self,
        node: Node,
        kind: Any,
        name: str,
        *,
        begin: Begin,
        answer: Callable[[Future[Any]], Any],
        qos: QoSProfile,
    ) -> None:
        """Serve the action of type ``kind`` until close().

        begin   takes the goal, a function that publishes feedback, in any thread, and what is set
                when nobody wants the result any more; returns the future of the result. What it
                raises is the result
        answer  turns a finished future into the result; runs in the thread that finishes the
                future; must not raise
        qos     of the services for goals, results and cancellations
        """
        self._node, self._kind, self._name = node, kind, name
        self._begin, self._answer = begin, answer
        self._changed = threading.Condition()
        self._goals: dict[bytes, _Goal] = {}
        self._kept: deque[tuple[float, _Goal]] = deque()  # since when
        self._server = ActionServer(
            cast(Node, _OnWallTime(node)),
            kind,
            name,
            execute_callback=_never,
            callback_group=ReentrantCallbackGroup(),
            goal_callback=self._may_come,
            handle_accepted_callback=self._accepted,
            cancel_callback=self._cancel,
            goal_service_qos_profile=qos,
            result_service_qos_profile=qos,
            cancel_service_qos_profile=qos,
            result_timeout=KEPT,
        )

    def end_all(self, error: I2tError) -> None:
        """End all goals with an error, and have their work stopped; any thread may call this."""
        with self._changed:
            goals = list(self._goals.values())
        for goal in goals:
            self._end(goal, self._refusal(error))
            goal.stop.set()

    def settle(self) -> None:
        """Wait until the results of goals that have ended are sent; not in the executor's thread.

        Those that have not ended yet are waited for, too.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._goals, LAST_WORDS)

    def close(self) -> None:
        """Serve no more. Nothing spins the node any more, or this is the executor's thread."""
        self.end_all(NotActiveError(f"{self._node.get_name()} has been stopped"))
        self._server.destroy()

    def _may_come(self, _: Any) -> GoalResponse:
        return GoalResponse.ACCEPT if len(self._known()) < MOST_KNOWN else GoalResponse.REJECT

    def _known(self) -> "list[_Goal]":
        """Return the goals that rclpy keeps."""
        with self._changed:
            while self._kept and time.monotonic() - self._kept[0][0] > KEPT:
                self._kept.popleft()
            return [*self._goals.values(), *(goal for _, goal in self._kept)]

    def _accepted(self, handle: ServerGoalHandle) -> None:
        """Begin the work of a goal; runs in the executor's thread, as all that rclpy calls."""
        admitted = sum(goal.admitted for goal in self._known()) < MOST_GOALS
        goal = _Goal(handle, admitted)
        with self._changed:
            self._goals[goal.key] = goal
        try:
            if not admitted:
                raise BusyError(
                    f"busy: {MOST_GOALS} goals are at work, or have ended in the last {KEPT} s, "
                    "which is the limit; try again in a moment"
                )
            work = self._begin(handle.request, partial(self._publish, goal), goal.stop)
        except Exception as error:
            work = Future()
            work.set_exception(error)
        _empty(handle.request)
        work.add_done_callback(partial(self._done, goal))

    def _publish(self, goal: "_Goal", feedback: Any) -> None:
        try:
            if not goal.ended:
                with suppress(InvalidHandle):  # the server has been destroyed
                    goal.handle.publish_feedback(feedback)
        except Exception as error:
            complain(self._node.get_logger(), f"{self._name}: feedback cannot be sent", error)

    def _cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        goal = self._goals.get(_key(handle))
        if goal is not None:
            self._end(goal, self._refusal(CanceledError("canceled by a client")))
            goal.stop.set()
        return CancelResponse.ACCEPT

    def _done(self, goal: "_Goal", work: "Future[Any]") -> None:
        if not goal.ended:
            self._end(goal, self._answer(work))

    def _refusal(self, error: I2tError) -> Any:
        return self._kind.Result(error_code=error.code, message=str(error))

    def _end(self, goal: "_Goal", result: Any) -> None:
        """Have the executor end a goal, unless it has ended; any thread may call this."""
        with self._changed:
            if goal.ended:
                return
            goal.ended = True
        self._soon(partial(self._execute, goal, result))

    def _soon(self, task: Callable[[], None]) -> None:
        run_soon(self._node.executor, task)

    def _execute(self, goal: "_Goal", result: Any) -> None:
        """Give a goal its result, as rclpy wants it."""
        try:
            goal.handle.execute(partial(self._conclude, result))
        except Exception as error:
            complain(self._node.get_logger(), f"{self._name}: a result cannot be sent", error)
            self._forget(goal)

    def _conclude(self, result: Any, handle: ServerGoalHandle) -> Any:
        """Return the result, after the state that goes with it is set."""
        goal = self._goals[_key(handle)]
        # rclpy sends the result in a task of its own, which comes next.
        self._soon(lambda: self._soon(partial(self._forget, goal)))
        if result.success:
            handle.succeed()
        elif result.error_code == CanceledError.code and handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return result

    def _forget(self, goal: "_Goal") -> None:
        with self._changed:
            if self._goals.pop(goal.key, None) is not None:
                self._kept.append((time.monotonic(), goal))
            self._changed.notify_all()


class _Goal:
    """A goal that was accepted.

    admitted  whether there was a place for it
    ended     whether its result is known
    """

    def __init__(self, handle: ServerGoalHandle, admitted: bool) -> None:
        self.handle, self.key = handle, _key(handle)
        self.admitted = admitted
        self.stop = Stop()
        self.ended = False


class _OnWallTime:
    """A node for an action server, whose goals expire although simulated time stands still."""

    def __init__(self, node: Node) -> None:
        self._node, self._clock = node, Clock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    def get_clock(self) -> Clock:
        return self._clock


def _key(handle: ServerGoalHandle) -> bytes:
    return bytes(handle.goal_id.uuid)


def _empty(goal: Any) -> None:
    """Take from a goal what it holds: rclpy keeps it with the result, and it may be a picture."""
    empty = type(goal)()
    for name in goal.get_fields_and_field_types():
        setattr(goal, name, getattr(empty, name))


def _never(_: ServerGoalHandle) -> None:
    """Stand in for what executes goals: each is executed with a function of its own."""
