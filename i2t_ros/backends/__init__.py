"""What runs the weights."""
