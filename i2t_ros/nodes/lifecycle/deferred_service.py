"""A service that answers later, without cost while it waits."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.node import Node

from i2t_ros.nodes.lifecycle.guard import complain


def create_deferred_service(
    node: Node,
    kind: type,
    name: str,
    begin: Callable[[Any], Future[Any]],
    answer: Callable[[Future[Any]], Any],
    **options: Any,
) -> None:
    """Create a service of type ``kind`` whose callback starts the work and returns at once.

    begin    takes the request and returns the future of its result; what it raises is the result
    answer   turns a finished future into the response; runs in the thread that finishes the
             future, so that the response does not wait for the executor; must not raise
    options  those of Node.create_service

    A coroutine callback would do the same, but rclpy polls every waiting coroutine each time that
    its executor wakes up.
    """

    def callback(request: Any, _: Any) -> Future[Any]:
        try:
            return begin(request)
        except Exception as error:
            refused: Future[Any] = Future()
            refused.set_exception(error)
            return refused

    service = node.create_service(kind, name, callback, **options)
    send_now = service.send_response

    def send_response(work: Future[Any], header: Any) -> None:
        """Replace Service.send_response: ``work`` is what the callback returned."""

        def send(done: Future[Any]) -> None:
            try:
                with suppress(InvalidHandle):  # the service has been destroyed
                    send_now(answer(done), header)
            except Exception as error:
                complain(node.get_logger(), f"{name}: a response cannot be sent", error)

        work.add_done_callback(send)

    service.send_response = send_response  # type: ignore[method-assign, assignment]
