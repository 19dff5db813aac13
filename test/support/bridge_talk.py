"""Talks to a bridge_node as a program without ROS does."""

import time

import cv2
import numpy as np

from i2t_ros.client import Client, ServerError

GREY = np.full((48, 64, 3), 128, np.uint8)


def encoded(extension):
    return cv2.imencode(extension, GREY)[1].tobytes()


def ask(port, version=2, extension=".jpg", **options):
    with Client("127.0.0.1", port, protocol=version) as client:
        return client.describe(encoded(extension), **options)


def until_served(peer, port, limit=60):
    """Ask until there is an answer; return it."""
    end = time.monotonic() + limit
    while True:
        try:
            return ask(port)
        except ServerError as error:
            if error.code != "detector_unreachable" or time.monotonic() > end:
                raise
        with peer.changed:
            peer.changed.wait(0.1)
