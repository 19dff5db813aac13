"""detector_node."""
