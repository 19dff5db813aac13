"""Descriptions, and requests and replies of the service Describe and the action Ask, as messages.

Both ways: into messages and back.
"""

from contextlib import suppress
from functools import partial
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from i2t_ros import language as words
from i2t_ros.action import Ask
from i2t_ros.errors import ServiceError, UnknownLanguageError, error_from_code
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.msg import TaskFailure
from i2t_ros.nodes.messages.answers import answer_from_msg, answer_to_msg
from i2t_ros.nodes.messages.bounds import LONGEST_NAME, LONGEST_TEXT, MOST_FOUND
from i2t_ros.nodes.messages.durations import duration_to_msg, seconds_of
from i2t_ros.nodes.messages.images import encoded_to_msg
from i2t_ros.nodes.messages.tasks import converter
from i2t_ros.pipeline.asking import unanswered
from i2t_ros.pipeline.description_json import label_of
from i2t_ros.pipeline.tasks.registry import TASKS, check_tasks
from i2t_ros.srv import Describe
from i2t_ros.types import DescribeReply, DescribeRequest, Description, Picture, PictureHeader, Scene
from i2t_ros.vision.codecs import canonical_format
from i2t_ros.vision.image_messages import check_frame_id
from i2t_ros.vision.masks import MOST_POINTS_OF_ALL

SERVICE_QOS = QoSProfile(depth=1000, durability=DurabilityPolicy.VOLATILE)
"""Of Describe and its clients: with ROS's own depth of 10 a burst of requests, or of answers, would
lose all but the last ten without a word."""
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Of what late subscribers get too: which model and options answer."""

_SAME = (
    "camera", "language", "style", "spoken", "min_score", "annotate", "fresh", "question"
)  # fmt: skip
"""Fields of a request that are the same in the messages; a goal of Ask has no ``fresh``."""


def request_from_msg(msg: Describe.Request | Ask.Goal) -> DescribeRequest:
    """Return a service request, or a goal, in the vocabulary of the package.

    Raises UnknownTaskError, and ImageMessageError for its header.
    """
    check_frame_id(msg.image.header.frame_id)
    return DescribeRequest(
        picture=Picture(msg.image.data) if len(msg.image.data) else None,
        tasks=check_tasks(msg.tasks),
        **{name: getattr(msg, name) for name in _SAME if hasattr(msg, name)},
    )


def request_to_msg(request: DescribeRequest) -> Describe.Request:
    """Return a service request; the other end finds the picture's format in its bytes."""
    return _fill(Describe.Request(), request)


def goal_to_msg(request: DescribeRequest) -> Ask.Goal:
    """Return a goal, in the same way."""
    return _fill(Ask.Goal(), request)


def _fill(msg: Any, request: DescribeRequest) -> Any:
    if request.picture is not None:
        msg.image = encoded_to_msg(Header(), request.picture)
    msg.tasks = list(request.tasks)
    for name in filter(partial(hasattr, msg), _SAME):
        setattr(msg, name, getattr(request, name))
    return msg


def response_to_msg(header: Header, reply: DescribeReply) -> Describe.Response:
    """Return the service response that carries a reply."""
    return _reply_to_msg(Describe.Response(success=True, cached=reply.cached), header, reply)


def result_to_msg(header: Header, reply: DescribeReply) -> Ask.Result:
    """Return the result of a goal that carries a reply; without an answer, it is no success."""
    result = _reply_to_msg(Ask.Result(success=True), header, reply)
    if error := unanswered(reply):
        result.success, result.error_code, result.message = False, error.code, str(error)
    return result


def _reply_to_msg(msg: Any, header: Header, reply: DescribeReply) -> Any:
    msg.description = description_to_msg(header, reply.description)
    if reply.annotated is not None:
        msg.annotated = encoded_to_msg(header, reply.annotated)
    if reply.answer is not None:
        msg.answer = answer_to_msg(reply.answer)
    return msg


def reply_from_response(response: Describe.Response) -> DescribeReply:
    """Return the reply that a response carries.

    Raises the error that it carries, UnsupportedFormatError for its picture, and ServiceError.
    """
    return _reply_from_msg(response, cached=response.cached)


def reply_from_result(result: Ask.Result) -> DescribeReply:
    """Return the reply that a result carries, which has an answer; raises as for a response."""
    reply = _reply_from_msg(result)
    if error := unanswered(reply):
        raise error
    return reply


def _reply_from_msg(msg: Any, *, cached: bool = False) -> DescribeReply:
    if not msg.success:
        raise error_from_code(msg.error_code, msg.message)
    description, annotated = msg.description, None
    if len(msg.annotated.data):
        header = PictureHeader(
            canonical_format(msg.annotated.format), description.width, description.height
        )
        annotated = Picture(msg.annotated.data, header)
    return DescribeReply(
        description_from_msg(description), annotated, cached, answer_from_msg(msg.answer)
    )


def description_to_msg(
    header: Header, description: Description, detections: Detection2DArray | None = None
) -> DescriptionMsg:
    """Return a description. ``detections`` is its message if the caller has made it already."""
    scene = description.scene
    msg = DescriptionMsg(
        header=header,
        width=scene.width,
        height=scene.height,
        sentence=description.sentence,
        language=description.language,
        style=description.style,
        spoken=description.spoken,
        tasks=list(scene.results),
        failures=[
            TaskFailure(task=task, code=error.code, message=str(error))
            for task, error in scene.failures.items()
        ],
        model=description.model,
        elapsed=duration_to_msg(description.elapsed),
        detections=detections or Detection2DArray(header=header),
    )
    for task, result in scene.results.items():
        converter(task).fill(msg, result, label_of(description))
    return msg


def description_from_msg(msg: DescriptionMsg) -> Description:
    """Return a description; a task that this process does not know is left out.

    Raises ServiceError for what no detector_node sends, such as an object without a class.
    """
    lists = [
        *(msg.tasks, msg.failures, msg.objects, msg.detections.detections, msg.outlines, msg.poses),
        *(msg.faces, msg.texts, msg.classification.results, msg.others),
        *(person.points for person in msg.poses),
    ]
    most = max(map(len, lists))
    if most > MOST_FOUND:
        raise ServiceError(
            f"the description makes no sense: a list has {most} entries, expected at most "
            f"{MOST_FOUND}"
        )
    points = sum(len(line.points) + 1 for each in msg.outlines for line in each.polygons)
    if points > MOST_POINTS_OF_ALL:
        raise ServiceError(
            f"the description makes no sense: its outlines have {points} points, expected at most "
            f"{MOST_POINTS_OF_ALL}"
        )
    _check_texts(msg)
    try:
        tasks = dict.fromkeys(task for task in msg.tasks if task in TASKS)
        results = {task: converter(task).read(msg) for task in tasks}
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        raise ServiceError(f"the description makes no sense: {problem}") from error
    scene = Scene(
        msg.width,
        msg.height,
        results,
        {failure.task: error_from_code(failure.code, failure.message) for failure in msg.failures},
    )
    elapsed = seconds_of(msg.elapsed)
    labels = {entry.class_id: entry.label for entry in msg.objects}

    def label(name: str) -> str:
        if name not in labels:
            with suppress(UnknownLanguageError):  # a language that only the detector has
                return words.label(name, msg.language)
        return labels.get(name, name)

    return Description(
        scene, msg.sentence, msg.language, msg.style, msg.model, elapsed, label, msg.spoken
    )


def _check_texts(msg: DescriptionMsg) -> None:
    """Raise ServiceError for names and texts that are longer than any detector_node sends."""
    hypotheses = [*msg.classification.results]
    for item in msg.detections.detections:
        hypotheses += [result.hypothesis for result in item.results[:1]]
    names = [*msg.tasks, msg.language, msg.style, *(each.class_id for each in hypotheses)]
    names += [name for entry in msg.objects for name in (entry.class_id, entry.label)]
    names += [name for failure in msg.failures for name in (failure.task, failure.code)]
    names += [*msg.colors, *(region.script for region in msg.texts)]
    texts = [msg.sentence, msg.caption, msg.model, *(failure.message for failure in msg.failures)]
    texts += [text for region in msg.texts for text in (region.text, region.translation)]
    texts += [other.json for other in msg.others]
    longest, total = max(map(len, names)), sum(map(len, texts))
    if longest > LONGEST_NAME or total > LONGEST_TEXT:
        raise ServiceError(
            f"the description makes no sense: expected names of at most {LONGEST_NAME} characters "
            f"and {LONGEST_TEXT} of texts, got {longest} and {total}"
        )
