"""i2t_ros: image to text for robots."""
