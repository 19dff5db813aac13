"""speech_node: says the sentences of a detector_node aloud."""

from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from std_msgs.msg import Header, String

from i2t_ros.nodes.lifecycle.guard import COMPLAINT_PERIOD, short
from i2t_ros.nodes.lifecycle.runner import ManagedNode, run_lifecycle_node
from i2t_ros.nodes.messages.reports import status_to_msg
from i2t_ros.nodes.parameters.speech import SPEECH, SpeechValues, read_values
from i2t_ros.speech.base import clean
from i2t_ros.speech.speaker import Said, Speaker
from i2t_ros.speech.voice import Voice, open_voice

STOP_LIMIT = 2.0
"""Seconds for the speaker to fall silent: its programs are killed."""
REPORT_PERIOD = 1.0
"""Seconds between two reports, as diagnostic_updater has it."""


class SpeechNode(ManagedNode):
    """Hands the sentences to a speaker, which has a thread of its own."""

    program = "speech_node"
    table = SPEECH

    def __init__(self, **node_options: Any) -> None:
        # take_parameters() looks at these, and the base class calls it.
        self._voice: Voice | None = None
        self._speaker: Speaker | None = None
        super().__init__(**node_options)
        self._subscriptions_of_cameras: list[Subscription] = []
        self._reports: tuple[Publisher, Timer] | None = None

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the voice, and try it where nobody hears it."""
        with self.interruptible():
            self._voice = open_voice(self._given.voice, self._given.manner)
        publisher = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._reports = publisher, self.every(REPORT_PERIOD, self._report)
        self.configured = True
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to listen, and to speak."""
        voice = self._voice
        assert voice is not None  # noqa: S101 (configured)
        with self.interruptible():
            voice.start()
        self._speaker = Speaker(
            voice, self._given.limits, on_said=self._on_said, on_failure=self._on_failure
        )
        try:
            for camera, topic in self._given.cameras.items():
                self._subscriptions_of_cameras.append(self._subscribed(camera, topic))
        except BaseException:  # ROS may refuse a topic, or the QoS that a parameter gives it
            self._fall_silent()
            raise
        topics = ", ".join(each.topic_name for each in self._subscriptions_of_cameras)
        self.get_logger().info(f"active: {topics} with {voice.title}")
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Fall silent at once."""
        self._fall_silent()
        return super().on_deactivate(state)

    def release(self) -> None:
        """Fall silent and let go of the voice. May be called more than once."""
        self._fall_silent()
        voice, self._voice = self._voice, None
        if voice is not None:
            voice.close()
        if self._reports is not None:
            publisher, timer = self._reports
            self.destroy_timer(timer)
            self.destroy_publisher(publisher)
            self._reports = None
        self.configured = False

    def take_parameters(self, values: dict[str, Any]) -> None:
        """Take the values of all parameters; raises InvalidRequestError if they make no sense."""
        given: SpeechValues = read_values(values)
        if self._voice is not None:
            self._voice.use(given.manner)
        if self._speaker is not None:
            self._speaker.limits = given.limits
        self._given = given

    def _subscribed(self, camera: str, topic: str) -> Subscription:
        return self.create_subscription(
            String,
            topic,
            partial(self._hear, camera),
            QoSProfile(depth=1),  # only the newest counts; reliable, as the detector is
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def _fall_silent(self) -> None:
        for subscription in self._subscriptions_of_cameras:
            self.destroy_subscription(subscription)
        self._subscriptions_of_cameras = []
        speaker, self._speaker = self._speaker, None
        if speaker is not None and not speaker.close(STOP_LIMIT):
            self.get_logger().error(f"the speaker has not ended within {STOP_LIMIT:g} s")

    # In the executor

    def _hear(self, camera: str, msg: String) -> None:
        text = clean(msg.data)  # also what the log shows
        if text and self._speaker is not None:
            self._speaker.hear(text, camera)

    def _report(self) -> None:
        if self._reports is None or self._voice is None:
            return
        name = self.get_fully_qualified_name().lstrip("/")
        level, message, values = DiagnosticStatus.OK, self._voice.title, {}
        if self._speaker is None:
            message = f"not active: {message}"
        else:
            counters = self._speaker.counters
            values = {
                "said": counters.said,
                "not said (unchanged)": counters.unchanged,
                "not said (a newer one came)": counters.replaced,
                "not said (too old)": counters.stale,
                "failed": counters.failed,
            }
            if counters.cause:
                level = DiagnosticStatus.ERROR
                message = f"failed sentences: {counters.failed}, the last: {counters.cause}"
        troubles = "; ".join(self.troubles)
        if troubles:
            level = max(level, DiagnosticStatus.WARN)
            message = f"{message}; {troubles}"
        status = status_to_msg(f"{name}: speech", level, message, values)
        header = Header(stamp=self.get_clock().now().to_msg())
        self._reports[0].publish(DiagnosticArray(header=header, status=[status]))

    # In the speaker's thread

    def _on_said(self, said: Said) -> None:
        self.get_logger().info(
            f"said in {said.took:.1f} s, {said.waited:.1f} s after it came: {said.sentence}"
        )

    def _on_failure(self, error: Exception) -> None:
        self.get_logger().warning(
            f"not said: {short(error)}", throttle_duration_sec=COMPLAINT_PERIOD
        )


main = partial(run_lifecycle_node, SpeechNode)
