"""What a configured detector_node works with, and what becomes of a camera's images."""

import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial

from std_msgs.msg import String

from i2t_ros.errors import I2tError
from i2t_ros.nodes.detector.camera_ports import ANNOTATIONS, CameraPorts, ImageMessage
from i2t_ros.nodes.detector.cameras import DetectorCameras
from i2t_ros.nodes.detector.in_space import publish_in_space
from i2t_ros.nodes.detector.reports import Reports
from i2t_ros.nodes.lifecycle.guard import COMPLAINT_PERIOD
from i2t_ros.nodes.lifecycle.runner import ManagedNode
from i2t_ros.nodes.messages.annotations import annotations_to_msg
from i2t_ros.nodes.messages.descriptions import description_to_msg
from i2t_ros.nodes.messages.images import (
    encoded_to_msg,
    frame_from_msg,
    image_to_msg,
    numbers_to_msg,
)
from i2t_ros.nodes.messages.markers import boxes_to_marker, sentence_to_marker, skeletons_to_marker
from i2t_ros.nodes.messages.tasks import detections_to_msg, poses_to_msg
from i2t_ros.nodes.parameters.detector import DetectorSettings, openers
from i2t_ros.options import from_values
from i2t_ros.pipeline.asking import Look
from i2t_ros.pipeline.describe_options import STAGED, DescribeOptions
from i2t_ros.pipeline.describer import Describer, ImageInWork, Newest
from i2t_ros.pipeline.frames import FrameLine
from i2t_ros.pipeline.narrator import SpeechOptions
from i2t_ros.pipeline.reply_cache import ReplyCache
from i2t_ros.pipeline.scheduler import BackendAccess, RequestQueue, chained
from i2t_ros.pipeline.tasks.registry import late_tasks
from i2t_ros.pipeline.telling import draw
from i2t_ros.types import DescribeReply, DescribeRequest, Told
from i2t_ros.vision.codecs import encode_image
from i2t_ros.vision.masks import instance_map
from i2t_ros.vlm.settings import LanguageModelSettings
from i2t_ros.vlm.stop import Stop

MOST_ANSWERS = 4
"""Requests that wait for a language model at once; a server runs few side by side."""


@dataclass(frozen=True, slots=True)
class FrameSettings:
    """How images are processed now; all of it may change while the node runs.

    publishes  whether results are published: the node is active and enabled
    """

    options: DescribeOptions
    speech: SpeechOptions
    publishes: bool


@dataclass(slots=True)
class CameraWork:
    """An image in work, and the settings that were in force when it was taken up.

    time  of the image's header, seconds; if it has none, when the image was taken up
    """

    image: ImageInWork
    settings: FrameSettings
    time: float


class Work:
    """What a configured detector_node works with; also the stages of its cameras' images.

    See frames.Stages for who calls which stage when.
    """

    def __init__(
        self,
        node: ManagedNode,
        frame_settings: Callable[[], FrameSettings],
        on_image: Callable[[CameraPorts, ImageMessage], None],
    ) -> None:
        """Load what detect and the node's own tasks need; others are loaded when asked for.

        ``frame_settings`` returns those of the moment, and is called in other threads, too;
        ``on_image`` gets each image and its camera. Raises I2tError.
        """
        started = time.monotonic()
        settings = from_values(DetectorSettings, node.values)
        caption = from_values(LanguageModelSettings, node.values)
        self._node = node
        self._settings = frame_settings
        with ExitStack() as undo:
            self.cameras = DetectorCameras(node, settings, on_image)
            undo.callback(self.cameras.destroy)
            self.describer = Describer(
                openers(node.values),
                cache=ReplyCache(settings.cache),
                time_limit=settings.task_timeout,
            )
            undo.callback(self.describer.close)
            with node.interruptible():  # a download takes minutes
                self.describer.prepare((STAGED, *frame_settings().options.tasks))
            undo.pop_all()
        detector, logger = self.describer.detector, node.get_logger()
        options = frame_settings().options
        finder = self.describer.finder(options.tasks)
        try:
            finder.check_classes(sorted(options.task_options[STAGED].named))
        except I2tError as error:  # not fatal: the model may stand in for another one
            logger.warning(f"allow_classes, deny_classes, class_min_scores: {error}")
        logger.info(f"{finder.name} ready in {time.monotonic() - started:.2f} s")
        self.access = BackendAccess(detector.concurrency)
        self.frames = FrameLine(self, self.access, batch=detector.batch, in_work=self.in_work)
        self.requests = RequestQueue(
            threads=settings.threads,
            max_waiting=settings.max_waiting_requests,
            max_wait=settings.request_timeout,
            # Later than a task that hangs, without which the request is answered.
            max_run=settings.request_timeout + settings.task_timeout,
        )
        # Those that wait for a language model do so here, where they hold up nobody else.
        self.answers = RequestQueue(
            threads=MOST_ANSWERS,
            max_waiting=settings.max_waiting_requests,
            max_wait=settings.request_timeout,
            max_run=2 * (settings.task_timeout + caption.timeout),  # a caption, and an answer
        )
        self.reports = Reports(node, finder, self.cameras, self.frames, self.requests, options)

    def close(self) -> bool:
        """Stop the threads, then release what they used; return whether they ended in time."""
        self.cameras.unsubscribe()
        self.reports.destroy()
        self.describer.stop()
        ended = all([self.frames.close(), self.requests.close(), self.answers.close()])
        self.cameras.destroy()
        if ended:
            self.describer.close()
        return ended

    def in_work(self) -> int | None:
        """Return how many images may be in work at once; None: as many as keep the backend busy.

        A task beside detection takes longest, and processes one image after the other: two images
        in work keep it busy, and more would only become old.
        """
        tasks = self._settings().options.tasks
        return None if set(tasks) - set(late_tasks(tasks)) == {STAGED} else 2

    def answer(  # noqa: PLR0913 (a request, and who follows its answer)
        self,
        request: DescribeRequest,
        options: DescribeOptions,
        newest: Newest,
        *,
        heavy: bool,
        told: Told | None = None,
        stop: Stop | None = None,
    ) -> Future[DescribeReply]:
        """Answer a request; see Describer.answer and Describer.complete.

        Raises BusyError and NotActiveError, as the future does, and that CancelledError.
        """
        turn = partial(self.access.turn, urgent=True)
        if not options.needs_seconds(request):
            job = partial(self.describer.answer, request, options, newest, turn)
            return self.requests.submit(job, heavy=heavy, stop=stop)
        look = partial(self.describer.look, request, options, newest, turn)

        def complete(seen: Look) -> Future[DescribeReply]:
            if stop is not None and stop.is_set:
                raise CancelledError
            return self.answers.submit(
                partial(self.describer.complete, seen, told, stop), stop=stop
            )

        return chained(self.requests.submit(look, heavy=heavy, stop=stop), complete)

    def prepare(self, camera: str, item: ImageMessage) -> CameraWork:
        """Read the pixels, start the tasks beside detection, and make the backend's input."""
        settings, stamp = self._settings(), item.header.stamp
        options = settings.options
        image, size = frame_from_msg(item, options.max_pixels, options.gray16)
        return CameraWork(
            self.describer.begin(image, options, size),
            settings,
            stamp.sec + stamp.nanosec / 1e9 or self._node.get_clock().now().nanoseconds / 1e9,
        )

    def infer(self, works: Sequence[CameraWork]) -> None:
        """Run the backend for those images in which objects are to be found."""
        images = [work.image for work in works if work.image.prepared is not None]
        if images:
            self.describer.infer(images)

    def finish(self, camera: str, item: ImageMessage, work: CameraWork) -> None:
        """Find the words, draw, and publish what somebody listens to."""
        ports, header = self.cameras.ports[camera], item.header
        options, speech = work.settings.options, work.settings.speech
        publishes = self._settings().publishes
        scene = ports.narrator.follow(self.describer.finish(work.image), work.time)
        located = None
        if ports.depth is not None:
            scene, located = ports.depth.measure(scene, header)
        found, detections = scene.detections, None
        publish = ports.outputs.publish
        if publishes:  # at once: those who steer by the boxes do not wait for the words
            detections = publish("detections", lambda: detections_to_msg(header, found))
            if found is not None:
                publish("boxes", lambda: boxes_to_marker(header, found))
                if (masks := found.masks) is not None:
                    size = scene.width, scene.height
                    publish("masks", lambda: numbers_to_msg(header, instance_map(masks, size)))
            if (poses := scene.results.get("pose")) is not None:
                publish("poses", lambda: poses_to_msg(header, poses))
                publish("skeletons", lambda: skeletons_to_marker(header, poses))
            if ports.depth is not None:
                publish_in_space(ports, header, found, located, self.cameras.target_frame)
        scene = ports.late_tasks.follow(
            work.image.image, scene, options, self.describer.start_late, speech.change_hold
        )
        sentence = ports.narrator.tell(scene, options, speech)
        description = self.describer.description(scene, sentence, options, work.image.started)
        failures = "; ".join(f"{task}: {error}" for task, error in scene.failures.items())
        self.frames.cameras[camera].missing = failures
        self.frames.cameras[camera].partial += bool(failures)
        if failures:
            self._node.get_logger().warning(
                f"camera {camera}: {failures}", throttle_duration_sec=COMPLAINT_PERIOD
            )
        if not publishes:
            return
        if ports.narrator.is_due(sentence, work.time, speech):
            publish("sentence", lambda: String(data=sentence))
            publish("sentence_marker", lambda: sentence_to_marker(header, sentence))
        publish("description", lambda: description_to_msg(header, description, detections))
        if ANNOTATIONS is not None:
            publish("annotations", lambda: annotations_to_msg(ANNOTATIONS, header, scene, options))
        drawn = cache(lambda: draw(work.image.image, scene, options))
        publish("annotated", lambda: image_to_msg(header, drawn()))
        publish(
            "annotated/compressed",
            lambda: encoded_to_msg(header, encode_image(drawn(), "jpeg", options.jpeg_quality)),
        )

    def failed(self, camera: str, error: Exception) -> None:
        """Say at most once a second that an image failed."""
        if isinstance(error, I2tError):
            self._node.get_logger().warning(
                f"camera {camera}: image left out: {error}", throttle_duration_sec=COMPLAINT_PERIOD
            )
        else:
            trace = "".join(traceback.format_exception(error))
            self._node.get_logger().error(
                f"camera {camera}: image failed: {trace}", throttle_duration_sec=COMPLAINT_PERIOD
            )
