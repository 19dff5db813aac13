"""What detector_node does with a camera's images: the stages of a FrameLine."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from std_msgs.msg import String

from i2t_ros.errors import I2tError
from i2t_ros.nodes.detector.camera_ports import CameraPorts, ImageMessage
from i2t_ros.nodes.messages.descriptions import description_to_msg
from i2t_ros.nodes.messages.images import encoded_to_msg, image_from_msg, image_to_msg
from i2t_ros.nodes.messages.markers import boxes_to_marker, sentence_to_marker
from i2t_ros.nodes.messages.tasks import detections_to_msg
from i2t_ros.pipeline.describer import STAGED, DescribeOptions, Describer, ImageInWork, draw
from i2t_ros.pipeline.narrator import SpeechOptions
from i2t_ros.vision.codecs import encode_image


@dataclass(frozen=True, slots=True)
class FrameSettings:
    """How images are worked on now; all of it may change while the node runs.

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


class CameraFrames:
    """Takes images from messages to messages; see frames.Stages for who calls what when."""

    def __init__(
        self,
        describer: Describer,
        ports: Mapping[str, CameraPorts],
        settings: Callable[[], FrameSettings],
        logger: Any,
        now: Callable[[], float],
    ) -> None:
        """Know the cameras' ports, and where to read the settings of the moment.

        ``now`` returns seconds of the ROS clock, which the stamps of cameras use too: the time of
        an image whose header has none.
        """
        self._now = now
        self._describer = describer
        self._ports = ports
        self._settings = settings
        self._logger = logger

    def in_work(self) -> int | None:
        """Return how many images may be in work at once; None: as many as keep the backend busy.

        With a task beside detection that task takes longest and looks at one image after the other:
        two images in work keep it busy, and more would only become old.
        """
        return None if self._settings().options.tasks == (STAGED,) else 2

    def prepare(self, camera: str, item: ImageMessage) -> CameraWork:
        """Read the pixels, start the tasks beside detection, and make the backend's input."""
        settings, stamp = self._settings(), item.header.stamp
        image = image_from_msg(item, settings.options.max_pixels)
        return CameraWork(
            self._describer.begin(image, settings.options),
            settings,
            stamp.sec + stamp.nanosec / 1e9 or self._now(),
        )

    def infer(self, works: Sequence[CameraWork]) -> None:
        """Run the backend for those images in which objects are to be found."""
        images = [work.image for work in works if work.image.prepared is not None]
        if images:
            self._describer.infer(images)

    def finish(self, camera: str, item: ImageMessage, work: CameraWork) -> None:
        """Find the words, draw, and publish what somebody listens to."""
        ports, header = self._ports[camera], item.header
        options, speech = work.settings.options, work.settings.speech
        publishes = self._settings().publishes
        scene = ports.narrator.follow(self._describer.finish(work.image), work.time)
        found, detections = scene.detections, None
        publish = ports.outputs.publish
        if publishes:  # at once: those who steer by the boxes do not wait for the words
            detections = publish("detections", lambda: detections_to_msg(header, found))
            if found is not None:
                publish("boxes", lambda: boxes_to_marker(header, found))
        sentence = ports.narrator.tell(scene, options, speech)
        description = self._describer.description(scene, sentence, options, work.image.started)
        if scene.failures:
            told = "; ".join(f"{task}: {error}" for task, error in scene.failures.items())
            self._logger.warning(f"camera {camera}: {told}", throttle_duration_sec=1.0)
        if not publishes:
            return
        if ports.narrator.is_due(sentence, work.time, speech):
            publish("sentence", lambda: String(data=sentence))
            publish("sentence_marker", lambda: sentence_to_marker(header, sentence))
        publish("description", lambda: description_to_msg(header, description, detections))
        drawn = cache(lambda: draw(work.image.image, scene, options))
        publish("annotated", lambda: image_to_msg(header, drawn()))
        publish(
            "annotated/compressed",
            lambda: encoded_to_msg(header, encode_image(drawn(), "jpeg", options.jpeg_quality)),
        )

    def failed(self, camera: str, error: Exception) -> None:
        """Say at most once a second that an image failed."""
        if isinstance(error, I2tError):
            self._logger.warning(
                f"camera {camera}: image left out: {error}", throttle_duration_sec=1.0
            )
        else:
            trace = "".join(traceback.format_exception(error))
            self._logger.error(f"camera {camera}: image failed: {trace}", throttle_duration_sec=1.0)
