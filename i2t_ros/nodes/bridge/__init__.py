"""bridge_node."""
