"""Descriptions, and the requests and responses of the Describe service, as messages and back."""

from contextlib import suppress

from builtin_interfaces.msg import Duration
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from i2t_ros import language as words
from i2t_ros.errors import ServiceError, UnknownLanguageError, error_from_code
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.msg import TaskFailure
from i2t_ros.nodes.messages.images import check_frame_id, encoded_to_msg
from i2t_ros.nodes.messages.tasks import converter
from i2t_ros.pipeline.description_json import label_of
from i2t_ros.pipeline.tasks.registry import TASKS, check_tasks
from i2t_ros.srv import Describe
from i2t_ros.types import DescribeReply, DescribeRequest, Description, Picture, PictureHeader, Scene
from i2t_ros.vision.codecs import canonical_format

SERVICE_QOS = QoSProfile(depth=1000, durability=DurabilityPolicy.VOLATILE)
"""Of Describe and its clients: with ROS's own depth of 10 a burst of requests, or of answers, would
lose all but the last ten without a word."""
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Of what late subscribers get too: which model and options answer."""

MOST_FOUND = 10_000
"""Objects, faces or other things in a description: the most that max_detections or top_k allow."""

LONGEST_NAME = 255
"""Characters of a class, a label, a task, a language or the like; JSON repeats some of them in each
object."""

LONGEST_TEXT = 1_000_000
"""Characters of a sentence, and of all texts that were read or went wrong: a book of 300 pages has
fewer."""

_SAME = ("camera", "language", "style", "spoken", "min_score", "annotate", "fresh")
"""Fields of a request that are the same in the message."""


def request_from_msg(request: Describe.Request) -> DescribeRequest:
    """Return a service request in the vocabulary of the package.

    Raises UnknownTaskError, and ImageMessageError for its header.
    """
    check_frame_id(request.image.header)
    return DescribeRequest(
        picture=Picture(request.image.data) if len(request.image.data) else None,
        tasks=check_tasks(request.tasks),
        **{name: getattr(request, name) for name in _SAME},
    )


def request_to_msg(request: DescribeRequest) -> Describe.Request:
    """Return a service request; the other end finds the picture's format in its bytes."""
    return Describe.Request(
        image=encoded_to_msg(Header(), request.picture) if request.picture else CompressedImage(),
        tasks=list(request.tasks),
        **{name: getattr(request, name) for name in _SAME},
    )


def response_to_msg(header: Header, reply: DescribeReply) -> Describe.Response:
    """Return the service response that carries a reply."""
    response = Describe.Response(
        success=True, description=description_to_msg(header, reply.description), cached=reply.cached
    )
    if reply.annotated is not None:
        response.annotated = encoded_to_msg(header, reply.annotated)
    return response


def reply_from_response(response: Describe.Response) -> DescribeReply:
    """Return the reply that a response carries.

    Raises the error that it carries, UnsupportedFormatError for its picture, and ServiceError.
    """
    if not response.success:
        raise error_from_code(response.error_code, response.message)
    description, annotated = response.description, None
    if len(response.annotated.data):
        header = PictureHeader(
            canonical_format(response.annotated.format), description.width, description.height
        )
        annotated = Picture(response.annotated.data, header)
    return DescribeReply(description_from_msg(description), annotated, response.cached)


def description_to_msg(
    header: Header, description: Description, detections: Detection2DArray | None = None
) -> DescriptionMsg:
    """Return a description. ``detections`` is its message if the caller has made it already."""
    scene = description.scene
    seconds, nanoseconds = divmod(round(description.elapsed * 1e9), 10**9)
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
        elapsed=Duration(sec=seconds, nanosec=nanoseconds),
        detections=detections or Detection2DArray(header=header),
    )
    for task, result in scene.results.items():
        converter(task).fill(msg, result, label_of(description))
    return msg


def description_from_msg(msg: DescriptionMsg) -> Description:
    """Return a description; a task that this process does not know is left out.

    Raises ServiceError for what no detector_node sends, such as an object without a class.
    """
    lists = (msg.tasks, msg.failures, msg.objects, msg.detections.detections, msg.faces, msg.texts)
    most = max(map(len, (*lists, msg.classification.results, msg.others)))
    if most > MOST_FOUND:
        raise ServiceError(
            f"the description makes no sense: a list has {most} entries, expected at most "
            f"{MOST_FOUND}"
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
    elapsed = msg.elapsed.sec + msg.elapsed.nanosec / 1e9
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
    names += [region.script for region in msg.texts]
    texts = [msg.sentence, msg.model, *(failure.message for failure in msg.failures)]
    texts += [text for region in msg.texts for text in (region.text, region.translation)]
    texts += [other.json for other in msg.others]
    longest, total = max(map(len, names)), sum(map(len, texts))
    if longest > LONGEST_NAME or total > LONGEST_TEXT:
        raise ServiceError(
            f"the description makes no sense: expected names of at most {LONGEST_NAME} characters "
            f"and {LONGEST_TEXT} of texts, got {longest} and {total}"
        )
