"""Offers the service of a detector_node, says "asked" for each request, and answers none.

A program of its own, to be killed.
"""

import sys
from concurrent.futures import Future

import rclpy
from i2t_ros.srv import Describe
from rclpy.node import Node

from i2t_ros.nodes.lifecycle.deferred_service import create_deferred_service
from i2t_ros.nodes.messages.descriptions import SERVICE_QOS


def begin(_):
    sys.stdout.write("asked\n")
    sys.stdout.flush()
    return Future()


if __name__ == "__main__":
    rclpy.init()
    node = Node("detector_node")
    create_deferred_service(
        node, Describe, "~/describe", begin, Future.result, qos_profile=SERVICE_QOS
    )
    rclpy.spin(node)
