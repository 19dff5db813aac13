"""detector_node: image topics in; detections, pictures and sentences out; Describe on request."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from concurrent.futures import CancelledError
from concurrent.futures import Future as ThreadFuture
from functools import partial
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from std_msgs.msg import Header
from std_srvs.srv import SetBool

from i2t_ros.errors import I2tError, NotActiveError
from i2t_ros.nodes.detector.camera_frames import CameraFrames, FrameSettings
from i2t_ros.nodes.detector.camera_ports import CameraPorts, ImageMessage
from i2t_ros.nodes.detector.cameras import DetectorCameras
from i2t_ros.nodes.detector.diagnostics import Health
from i2t_ros.nodes.detector.model_card import ModelCard
from i2t_ros.nodes.lifecycle.deferred_service import create_deferred_service
from i2t_ros.nodes.lifecycle.runner import ManagedNode, run_lifecycle_node
from i2t_ros.nodes.messages import describe as messages
from i2t_ros.nodes.parameters.detector import (
    DETECTOR,
    DetectorSettings,
    describe_options,
    openers,
)
from i2t_ros.options import from_values
from i2t_ros.pipeline.describer import STAGED, DescribeOptions, Describer
from i2t_ros.pipeline.frames import FrameLine
from i2t_ros.pipeline.narrator import SpeechOptions
from i2t_ros.pipeline.reply_cache import ReplyCache
from i2t_ros.pipeline.scheduler import BackendAccess, RequestQueue
from i2t_ros.srv import Describe
from i2t_ros.types import DescribeReply, Image

WATCH_PERIOD = 1.0
"""Seconds between two looks at who publishes images."""


class DetectorNode(ManagedNode):
    """One model, any number of cameras.

    Callbacks only hand over: images go to the cameras' slots, requests to their queue, and other
    threads do the work, so that the executor is always free to take the next message.
    """

    def __init__(self, **node_options: Any) -> None:
        """Declare the parameters; raises RequestError for one that makes no sense."""
        self._describer: Describer | None = None
        self._card: ModelCard | None = None
        super().__init__("detector_node", DETECTOR, **node_options)
        self._active = False
        self._enabled = True
        self._access = BackendAccess()
        self._frames: FrameLine | None = None
        self._requests: RequestQueue | None = None
        self._health: Health | None = None
        self._cameras: DetectorCameras | None = None
        self._failure: I2tError | None = None
        self.create_service(SetBool, "~/enable", self._on_enable)
        self.every(WATCH_PERIOD, self._watch)
        # Served in every state: in most of them the answer is why there is none.
        create_deferred_service(
            self,
            Describe,
            "~/describe",
            self._begin,
            self._answer,
            qos_profile=messages.SERVICE_QOS,
            callback_group=ReentrantCallbackGroup(),
        )

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and open the topics."""
        self.configured = True  # also while it loads: the values have been read by then
        settings = from_values(DetectorSettings, self.values)
        started = time.monotonic()
        try:
            cameras = DetectorCameras(self, settings.cameras, self._on_image)
            describer = self._load(settings)
        except I2tError as error:
            self._failure = error
            self.configured = False
            self.get_logger().fatal(f"cannot configure: {error}")
            return TransitionCallbackReturn.FAILURE
        except Exception:
            self.configured = False
            raise
        self._failure = None
        self._describer, detector = describer, describer.detector
        try:
            detector.check_classes(sorted(self._options.task_options[STAGED].named))
        except I2tError as error:  # not fatal: another model may have come in the place of its own
            self.get_logger().warning(f"allow_classes, deny_classes, class_min_scores: {error}")
        self.get_logger().info(f"{detector.name} ready in {time.monotonic() - started:.2f} s")
        cameras.open()
        self._cameras = cameras
        self._access = BackendAccess(detector.concurrency)
        stages = CameraFrames(
            describer, cameras.ports, self._settings, self.get_logger(), self._now
        )
        self._frames = FrameLine(stages, self._access, batch=detector.batch, in_work=stages.in_work)
        self._requests = RequestQueue(
            threads=settings.requests.threads,
            max_waiting=settings.requests.max_waiting_requests,
            max_wait=settings.requests.request_timeout,
        )
        self._health = Health(self, detector, self._frames, self._requests)
        self._card = ModelCard(self, detector, self._options)
        return TransitionCallbackReturn.SUCCESS

    def _load(self, settings: DetectorSettings) -> Describer:
        """Load what detect and the node's own tasks need; others are loaded when asked for."""
        describer = Describer(
            openers(self.values),
            cache=ReplyCache(settings.requests.cache),
            time_limit=settings.requests.task_timeout,
        )
        try:
            describer.prepare((STAGED, *self._options.tasks))
        except I2tError:
            describer.close()
            raise
        return describer

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to take images, unless disabled."""
        result = super().on_activate(state)
        self._active = True
        topics = ["nowhere: disabled"]
        if self._enabled and self._cameras is not None:
            topics = self._cameras.subscribe()
        self.get_logger().info(f"active: images from {', '.join(topics)}")
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take no more images and answer no more requests; the model stays loaded."""
        self._active = False
        if self._cameras is not None:
            self._cameras.unsubscribe()
        self.get_logger().info("inactive: no images are taken, no requests answered")
        return super().on_deactivate(state)

    def release(self) -> None:
        """Stop the threads, then let go of what they used. May be called more than once."""
        self._active = False
        if self._cameras is not None:
            self._cameras.unsubscribe()
        if self._health is not None:
            self._health.destroy()
            self._health = None
        if self._card is not None:
            self._card.destroy()
            self._card = None
        frames_ended = self._frames is None or self._frames.close()
        requests_ended = self._requests is None or self._requests.close()
        self._frames = self._requests = None
        if self._cameras is not None:
            self._cameras.destroy()
            self._cameras = None
        if not (frames_ended and requests_ended):
            self.get_logger().error("the backend is still busy after 10 s; it is left open")
        elif self._describer is not None:
            self._describer.close()
        self._describer = None
        self.configured = False

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Take images or take none; requests that bring a picture are answered all the same."""
        changed = request.data != self._enabled
        self._enabled = request.data
        if changed and self._active and self._cameras is not None:
            if self._enabled:
                self._cameras.subscribe()
            else:
                self._cameras.unsubscribe()
        response.success = True
        response.message = "enabled" if self._enabled else "disabled: no images are taken"
        return response

    # Frames

    def _on_image(self, ports: CameraPorts, msg: ImageMessage) -> None:
        frames = self._frames  # another thread may release it meanwhile
        if frames is None:
            return
        if not ports.wanted():
            frames.skip(ports.camera.name, unwanted=1)
        elif not ports.accept(self._max_rate):
            frames.skip(ports.camera.name, limited=1)
        else:
            frames.offer(ports.camera.name, msg)

    def _watch(self) -> None:
        if self._cameras is not None and self._frames is not None:
            self._cameras.watch(forget=self._frames.remove)

    def _settings(self) -> FrameSettings:
        """Return how images are worked on now; called in the frames' threads."""
        return FrameSettings(self._options, self._speech, self._active and self._enabled)

    def _now(self) -> float:
        return self.get_clock().now().nanoseconds / 1e9

    # Requests

    def _begin(self, request: Describe.Request) -> ThreadFuture[tuple[Header, DescribeReply]]:
        """Begin to answer a Describe request; a refusal is in the future."""
        try:
            return self._submit(request)
        except Exception as error:
            refused: ThreadFuture[tuple[Header, DescribeReply]] = ThreadFuture()
            refused.set_exception(error)
            return refused

    def _answer(self, job: ThreadFuture[tuple[Header, DescribeReply]]) -> Describe.Response:
        """Return the response of a request that has ended; runs in the thread that ended it."""
        response = Describe.Response()
        try:
            header, reply = job.result()
            messages.fill_response(response, header, reply)
        except CancelledError:
            messages.fill_error(response, NotActiveError(f"{self.get_name()} has been stopped"))
        except I2tError as error:
            messages.fill_error(response, error)
        except Exception as error:
            self.get_logger().error(f"Describe failed: {traceback.format_exc()}")
            messages.fill_error(response, I2tError(f"internal error: {error}"))
        return response

    def _submit(self, request: Describe.Request) -> ThreadFuture[tuple[Header, DescribeReply]]:
        """Put a request into the queue; raises RequestError, BusyError, NotActiveError."""
        describer, requests, cameras = self._describer, self._requests, self._cameras
        if not self._active or describer is None or requests is None or cameras is None:
            raise self._failure or NotActiveError(f"{self.get_name()} is not active")
        question = messages.request_from_msg(request)
        options = self._options
        header = request.image.header
        if question.picture is None:
            ports, msg = cameras.newest(question.camera)
            header = msg.header
        turn = partial(self._access.turn, urgent=True)

        def newest(_: str) -> Image:
            return ports.image_from(msg, options.max_pixels)

        return requests.submit(
            lambda: (header, describer.answer(question, options, newest=newest, turn=turn))
        )

    def take_parameters(self, values: dict[str, Any]) -> None:
        """Take the values of live parameters; raises RequestError if they make no sense."""
        options = describe_options(values)
        speech = from_values(SpeechOptions, values)
        if self._describer is not None:
            new = options.task_options[STAGED].named - self._options.task_options[STAGED].named
            self._describer.detector.check_classes(sorted(new))
        self._options: DescribeOptions = options
        self._speech = speech
        self._max_rate: float = values["max_rate"]
        if self._card is not None:
            self._card.publish(options)


def main(args: Sequence[str] | None = None) -> int:
    """Run detector_node until it is interrupted; returns the exit code."""
    return run_lifecycle_node("detector_node", __doc__ or "", DetectorNode, DETECTOR, args)
