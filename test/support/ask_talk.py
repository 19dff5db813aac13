"""Asks a detector_node questions by its action, and looks at the server that answers them."""

import contextlib

import cv2
import numpy as np
from detector_talk import compressed
from i2t_ros.action import Ask
from rclpy.action import ActionClient

from i2t_ros.nodes.lifecycle.spinning import run_soon
from i2t_ros.nodes.messages.descriptions import SERVICE_QOS

ACCEPTED, SUCCEEDED, CANCELED, ABORTED = 1, 4, 5, 6
SMALL = np.full((48, 64, 3), 128, np.uint8)
PNG = cv2.imencode(".png", SMALL)[1].tobytes()


def goal(question="What is it?", **fields):
    return Ask.Goal(**({"image": compressed(SMALL), "question": question} | fields))


class Asked:
    """A goal that was sent, and what has come of it.

    accepted  None until it is known
    """

    def __init__(self):
        self.accepted = None
        self.handle = None
        self.said = []
        self.status = 0
        self.result = None


class Asker:
    """Sends goals from the peer's thread: rclpy's action client has no lock."""

    def __init__(self, peer, action="/detector_node/ask"):
        self._peer = peer
        qos = dict.fromkeys(("goal", "result", "cancel"), SERVICE_QOS)
        options = {f"{name}_service_qos_profile": each for name, each in qos.items()}
        self.client = ActionClient(peer.node, Ask, action, **options)
        peer.until(self.client.server_is_ready, f"action {action}")
        # A server that does not know this client yet throws its responses away.
        first = []
        while not any(each.status for each in first):
            first.append(self.send(Ask.Goal()))
            with contextlib.suppress(AssertionError):
                self._wait(lambda: any(each.status for each in first), "a first result", 1)

    def close(self):
        self.client.destroy()

    def send(self, msg, **options):
        """Send a goal; the Asked fills itself."""
        asked = Asked()

        def begin():
            sent = self.client.send_goal_async(msg, said, **options)
            sent.add_done_callback(accepted)

        def said(feedback):
            asked.said.append(feedback.feedback.text)
            self._tell()

        def accepted(sent):
            handle = sent.result()
            asked.accepted = handle.accepted
            if handle.accepted:
                asked.handle = handle
                handle.get_result_async().add_done_callback(ended)
            self._tell()

        def ended(fetched):
            answer = fetched.result()
            asked.result, asked.status = answer.result, answer.status
            self._tell()

        run_soon(self._peer.node.executor, begin)
        return asked

    def cancel(self, asked):
        run_soon(self._peer.node.executor, asked.handle.cancel_goal_async)

    def taken(self, asked):
        """Wait until a goal is accepted; return it."""
        self._wait(lambda: asked.accepted is not None, "the goal is accepted")
        assert asked.accepted
        return asked

    def ended(self, asked):
        """Wait for a goal's result; return it."""
        self._wait(lambda: asked.status, "the goal's result")
        return asked

    def ask(self, *arguments, **fields):
        return self.ended(self.send(goal(*arguments, **fields)))

    def _wait(self, condition, what, limit=30):
        self._peer.until(condition, what, limit)

    def _tell(self):
        with self._peer.changed:
            self._peer.changed.notify_all()
