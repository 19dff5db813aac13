"""The Describe service's messages, from both of its ends."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from i2t_ros.errors import error_from_code
from i2t_ros.nodes.messages.descriptions import description_from_msg, description_to_msg
from i2t_ros.nodes.messages.images import encoded_to_msg
from i2t_ros.pipeline.tasks.registry import check_tasks
from i2t_ros.srv import Describe
from i2t_ros.types import DescribeReply, DescribeRequest, Picture, PictureHeader
from i2t_ros.vision.codecs import canonical_format

SERVICE_QOS = QoSProfile(depth=1000, durability=DurabilityPolicy.VOLATILE)
"""Of Describe and its clients: with ROS's own depth of 10 a burst of requests, or of answers, would
lose all but the last ten without a word."""
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Of what late subscribers get too: which model and options answer."""

_SAME = ("camera", "language", "style", "min_score", "annotate", "fresh")
"""Fields of a request that are the same in the message."""


def request_from_msg(request: Describe.Request) -> DescribeRequest:
    """Return a service request in the vocabulary of the package; raises UnknownTaskError."""
    return DescribeRequest(
        picture=Picture(request.image.data) if len(request.image.data) else None,
        tasks=check_tasks(request.tasks),
        **{name: getattr(request, name) for name in _SAME},
    )


def request_to_msg(request: DescribeRequest) -> Describe.Request:
    """Return a service request; the other end tells the picture's format by its bytes."""
    return Describe.Request(
        image=encoded_to_msg(Header(), request.picture) if request.picture else CompressedImage(),
        tasks=list(request.tasks),
        **{name: getattr(request, name) for name in _SAME},
    )


def response_to_msg(header: Header, reply: DescribeReply) -> Describe.Response:
    """Return the service response that carries a reply."""
    response = Describe.Response(
        success=True,
        description=description_to_msg(header, reply.description),
        cached=reply.cached,
    )
    if reply.annotated is not None:
        response.annotated = encoded_to_msg(header, reply.annotated)
    return response


def reply_from_response(response: Describe.Response) -> DescribeReply:
    """Return the reply that a response carries.

    Raises the error that it carries, and UnsupportedFormatError for its picture.
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
