"""Images and model tensors: pure functions on arrays."""
