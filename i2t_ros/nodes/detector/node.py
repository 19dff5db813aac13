"""detector_node: image topics in; detections, pictures and sentences out; Describe on request."""

import traceback
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import Future as ThreadFuture
from functools import partial
from typing import TYPE_CHECKING, Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header
from std_srvs.srv import SetBool

from i2t_ros.action import Ask
from i2t_ros.errors import I2tError, InvalidRequestError, NotActiveError
from i2t_ros.nodes.detector.camera_ports import CameraPorts, ImageMessage
from i2t_ros.nodes.detector.work import FrameSettings, Work
from i2t_ros.nodes.lifecycle.deferred_service import create_deferred_service
from i2t_ros.nodes.lifecycle.runner import ManagedNode, run_lifecycle_node
from i2t_ros.nodes.messages import descriptions as messages
from i2t_ros.nodes.messages.images import shown_by_msg
from i2t_ros.nodes.parameters.detector import DETECTOR, describe_options
from i2t_ros.options import from_values
from i2t_ros.pipeline.describe_options import STAGED, DescribeOptions
from i2t_ros.pipeline.describer import Shown
from i2t_ros.pipeline.narrator import SpeechOptions
from i2t_ros.pipeline.scheduler import chained, finished
from i2t_ros.srv import Describe
from i2t_ros.types import DescribeReply, Picture, Told
from i2t_ros.vision.codecs import is_heavy
from i2t_ros.vlm.stop import Stop

if TYPE_CHECKING:
    from i2t_ros.nodes.lifecycle.deferred_action import DeferredAction

WATCH_PERIOD = 1.0
"""Seconds between two checks of who publishes images."""


class DetectorNode(ManagedNode):
    """One model, any number of cameras.

    Callbacks only hand over: images go to the cameras' slots, requests to their queue, and other
    threads do the work, so that the executor is always free to take the next message.
    """

    program = "detector_node"
    table = DETECTOR

    def __init__(self, **node_options: Any) -> None:
        self._work: Work | None = None
        self._questions: DeferredAction | None = None
        super().__init__(**node_options)
        self._active = False
        self._enabled = True
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
        self._failure = None
        try:
            self._work = Work(self, self._settings, self._on_image)
        except I2tError as error:
            self._failure = error
            raise
        finally:
            self.configured = self._work is not None
        if self.values["caption_url"] and self._questions is None:
            self._open_questions()
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to take images, unless disabled."""
        result = super().on_activate(state)
        self._active = True
        topics = ["nowhere: disabled"]
        if self._enabled and self._work is not None:
            topics = self._work.cameras.subscribe()
        self.get_logger().info(f"active: images from {', '.join(topics)}")
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take no more images and answer no more requests; the model stays loaded."""
        self._active = False
        if self._work is not None:
            self._work.cameras.unsubscribe()
        self._end_questions()
        self.get_logger().info("inactive: no images are taken, no requests answered")
        return super().on_deactivate(state)

    def release(self) -> None:
        """Stop the threads, then release what they used. May be called more than once."""
        self._active = False
        self._end_questions()
        work, self._work = self._work, None
        if work is not None and not work.close():
            self.get_logger().error("the backend is still busy after 10 s; it is left open")
        self.configured = False

    def end_work(self) -> None:
        """Release everything; those who asked are told so."""
        super().end_work()
        if self._questions is not None:
            self._questions.settle()

    def destroy_node(self) -> None:
        """Leave the ROS graph."""
        if self._questions is not None:
            self._questions.close()  # rclpy leaves actions as they are
        super().destroy_node()

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Take images or take none; requests that bring a picture are answered all the same."""
        changed = request.data != self._enabled
        self._enabled = request.data
        if changed and self._active and self._work is not None:
            cameras = self._work.cameras
            (cameras.subscribe if self._enabled else cameras.unsubscribe)()
        response.success = True
        response.message = "enabled" if self._enabled else "disabled: no images are taken"
        return response

    # Frames

    def _on_image(self, ports: CameraPorts, msg: ImageMessage) -> None:
        work = self._work  # another thread may release it meanwhile
        if work is None:
            return
        if not ports.outputs.wanted():
            work.frames.skip(ports.name, unwanted=1)
        elif not ports.accept(self._max_rate):
            work.frames.skip(ports.name, limited=1)
        else:
            heavy = isinstance(msg, CompressedImage) and is_heavy(Picture(msg.data))
            work.frames.offer(ports.name, msg, heavy=heavy)

    def _watch(self) -> None:
        if self._work is not None:
            self._work.cameras.watch(forget=self._work.frames.remove)

    def _settings(self) -> FrameSettings:
        """Return how images are processed now; called in the frames' threads."""
        return FrameSettings(self._options, self._speech, self._active and self._enabled)

    # Requests

    def _begin(
        self,
        request: Describe.Request | Ask.Goal,
        told: Told | None = None,
        stop: Stop | None = None,
    ) -> ThreadFuture[tuple[Header, DescribeReply]]:
        """Put a request into the queue; raises RequestError, BusyError, NotActiveError.

        ``told`` gets the answer to a question while it is being written; ``stop`` ends that.
        """
        work = self._work
        if not self._active or work is None:
            failure = self._failure or self._not_active()
            raise failure.with_traceback(None)  # it would keep the requests of all who were told
        question = messages.request_from_msg(request)
        options = self._options
        header, measure = request.image.header, None
        if question.picture is None:
            ports, msg = work.cameras.newest(question.camera)
            header = msg.header
            if ports.depth is not None:
                measure = partial(ports.depth.measured, header=header)
        shown = question.picture
        if shown is None and isinstance(msg, CompressedImage):
            shown = Picture(msg.data)
        reply = work.answer(
            question,
            options,
            lambda _: Shown(shown_by_msg(msg, options.max_pixels, options.gray16), measure),
            heavy=shown is not None and is_heavy(shown, question.annotate),
            told=told,
            stop=stop,
        )
        return chained(reply, lambda done: finished((header, done)))

    def _open_questions(self) -> None:
        """Serve the action Ask from now on, in every state.

        Not before there is a language model: an executor with more to check takes longer, and an
        action takes 5 MB.
        """
        from i2t_ros.nodes.lifecycle.deferred_action import DeferredAction  # noqa: PLC0415

        self._questions = DeferredAction(
            self,
            Ask,
            "~/ask",
            begin=self._begin_question,
            answer=self._answer_question,
            qos=messages.SERVICE_QOS,
        )

    def _end_questions(self) -> None:
        if self._questions is not None:
            self._questions.end_all(self._not_active())

    def _begin_question(
        self, goal: Ask.Goal, publish: Callable[[Any], None], stop: Stop
    ) -> ThreadFuture[tuple[Header, DescribeReply]]:
        if not goal.question:
            raise InvalidRequestError("question: expected one, got none")
        return self._begin(goal, lambda text: publish(Ask.Feedback(text=text)), stop)

    def _answer(self, job: ThreadFuture[tuple[Header, DescribeReply]]) -> Describe.Response:
        """Return the response of a request that has ended; runs in the thread that ended it."""
        return self._reply(job, messages.response_to_msg, Describe.Response)

    def _answer_question(self, job: ThreadFuture[tuple[Header, DescribeReply]]) -> Ask.Result:
        """Return the result of a goal, in the same way."""
        return self._reply(job, messages.result_to_msg, Ask.Result)

    def _reply(
        self,
        job: ThreadFuture[tuple[Header, DescribeReply]],
        to_msg: Callable[[Header, DescribeReply], Any],
        kind: type,
    ) -> Any:
        try:
            return to_msg(*job.result())
        except CancelledError:
            error: I2tError = NotActiveError(f"{self.get_name()} has been stopped")
        except I2tError as known:
            error = known
        except Exception as unknown:
            self.get_logger().error(f"a request failed: {traceback.format_exc()}")
            error = I2tError(f"internal error: {unknown}")
        return kind(error_code=error.code, message=str(error))

    def _not_active(self) -> NotActiveError:
        return NotActiveError(f"{self.get_name()} is not active")

    def take_parameters(self, values: dict[str, Any]) -> None:
        """Take the values of live parameters; raises RequestError if they make no sense."""
        options, speech = describe_options(values), from_values(SpeechOptions, values)
        work = self._work
        # The model of segment may not be loaded yet, and nobody waits here until it is.
        if work is not None and "segment" not in options.tasks:
            new = options.task_options[STAGED].named - self._options.task_options[STAGED].named
            work.describer.detector.check_classes(sorted(new))
        self._options: DescribeOptions = options
        self._speech: SpeechOptions = speech
        self._max_rate: float = values["max_rate"]
        if work is not None:
            work.reports.publish_model(options)


main = partial(run_lifecycle_node, DetectorNode)
