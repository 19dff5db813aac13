"""The Describe service's messages, from both of its ends."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from i2t_ros.errors import I2tError, error_from_code
from i2t_ros.nodes.messages.descriptions import description_from_msg, description_to_msg
from i2t_ros.nodes.messages.images import encoded_to_msg
from i2t_ros.pipeline.tasks.registry import check_tasks
from i2t_ros.srv import Describe
from i2t_ros.types import DescribeReply, DescribeRequest, Picture, PictureHeader
from i2t_ros.vision.codecs import canonical_format

SERVICE_QOS = QoSProfile(depth=1000, durability=DurabilityPolicy.VOLATILE)
"""Of Describe and its clients: with ROS's own depth of 10 a burst of requests, or of answers, would
lose all but the last ten without a word."""


def request_from_msg(request: Describe.Request) -> DescribeRequest:
    """Return a service request in the vocabulary of the package; raises UnknownTaskError."""
    return DescribeRequest(
        picture=Picture(request.image.data) if len(request.image.data) else None,
        camera=request.camera,
        tasks=check_tasks(request.tasks),
        language=request.language,
        style=request.style,
        min_score=request.min_score,
        annotate=request.annotate,
        fresh=request.fresh,
    )


def fill_response(response: Describe.Response, header: Header, reply: DescribeReply) -> None:
    """Put a reply into a service response."""
    response.success = True
    response.description = description_to_msg(header, reply.description)
    response.cached = reply.cached
    if reply.annotated is not None:
        response.annotated = encoded_to_msg(header, reply.annotated)


def fill_error(response: Describe.Response, error: I2tError) -> None:
    """Put an error into a service response."""
    response.success = False
    response.error_code = error.code
    response.message = str(error)


def request_to_msg(request: DescribeRequest) -> Describe.Request:
    """Return a service request; its picture's format is told by its bytes at the other end."""
    image = CompressedImage()
    if request.picture is not None:
        image.data.frombytes(memoryview(request.picture.data).cast("B"))
    return Describe.Request(
        image=image,
        camera=request.camera,
        tasks=list(request.tasks),
        language=request.language,
        style=request.style,
        min_score=request.min_score,
        annotate=request.annotate,
        fresh=request.fresh,
    )


def error_from_response(response: Describe.Response) -> I2tError:
    """Return the error that a response tells of."""
    return error_from_code(response.error_code, response.message)


def reply_from_response(response: Describe.Response) -> DescribeReply:
    """Return the reply that a response carries; raises UnsupportedFormatError for its picture."""
    annotated = None
    if len(response.annotated.data):
        description = response.description
        header = PictureHeader(
            canonical_format(response.annotated.format), description.width, description.height
        )
        annotated = Picture(response.annotated.data, header)
    return DescribeReply(description_from_msg(response.description), annotated, response.cached)
