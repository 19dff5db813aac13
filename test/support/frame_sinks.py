"""Where a listener's WebSocket frames go in tests without ROS."""

from web_support import RectangleDescriber

from i2t_ros.errors import InvalidRequestError
from i2t_ros.types import DescribeRequest, Picture


class Sink:
    """Remembers what it is given; with a ``hub`` it plays the detector that sees the frames."""

    def __init__(self, describe=None):
        self.frames, self.hub = [], None
        self._describe = describe or RectangleDescriber()

    def check(self, camera):
        if len(camera) > 40:
            raise InvalidRequestError(f"camera {camera}: its topic would be too long")

    def publish(self, camera, jpeg):
        self.frames.append((camera, jpeg))
        if self.hub is not None:
            reply = self._describe(DescribeRequest(Picture(jpeg), annotate=True))
            drawn = bytes(reply.annotated)
            self.hub.publish(camera, annotated=drawn, words=reply.description)
