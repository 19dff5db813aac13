"""From an image to a description: models, tasks, words. No ROS, no network."""
