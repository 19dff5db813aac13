"""From a model's outputs to boxes, classes, faces and texts."""
