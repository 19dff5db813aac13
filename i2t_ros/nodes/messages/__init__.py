"""The only modules that build or read ROS messages."""
