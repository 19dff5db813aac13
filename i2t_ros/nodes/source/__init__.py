"""source_node."""
