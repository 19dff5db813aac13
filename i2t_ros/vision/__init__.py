"""Pictures: pure functions on arrays."""
