"""Listeners for programs without ROS."""
