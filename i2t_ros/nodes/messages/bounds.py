"""What a message of another node may hold: more than any detector_node sends makes no sense."""

MOST_FOUND = 10_000
"""Objects, faces or other things in a description: the most that max_detections or top_k allow."""

LONGEST_NAME = 255
"""Characters of a class, a label, a task, a language or the like; JSON repeats some of them in each
object."""

LONGEST_TEXT = 1_000_000
"""Characters of a sentence, and of all texts that were read or went wrong: a book of 300 pages has
fewer."""

FARTHEST = 1e10
"""Meters of a coordinate of an object: beyond the Moon. The square of much larger numbers is more
than a float32 holds."""
