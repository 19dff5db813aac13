"""speech_node."""
