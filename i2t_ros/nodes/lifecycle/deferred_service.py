"""A service that answers when the answer is there, and costs nothing until then."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.service import Service


def create_deferred_service(
    node: Node,
    kind: type,
    name: str,
    begin: Callable[[Any], Future[Any]],
    answer: Callable[[Future[Any]], Any],
    **options: Any,
) -> Service:
    """Create a service of type ``kind`` whose callback starts the work and returns at once.

    begin    takes the request and returns the future of its result; must not raise
    answer   makes the response of a future that is done; called in the thread that ends the work,
             so that a response needs neither the executor nor its time; must not raise
    options  what Node.create_service takes

    A coroutine as a callback would do the same, but rclpy polls every coroutine that waits each
    time that its executor wakes.
    """

    def callback(request: Any, _: Any) -> Future[Any]:
        return begin(request)

    service = node.create_service(kind, name, callback, **options)
    send_now = service.send_response

    def send_response(work: Future[Any], header: Any) -> None:
        """Take what the callback returned and the header that the response needs."""

        def send(done: Future[Any]) -> None:
            with suppress(InvalidHandle):  # the service has been destroyed: nobody can be answered
                send_now(answer(done), header)

        work.add_done_callback(send)

    service.send_response = send_response  # type: ignore[method-assign, assignment]
    return service
