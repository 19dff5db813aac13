"""ROS 2 nodes: the only package here that imports ROS."""
