"""What is promised, each figure once: the benches compare with these and print them.

Two cores, yolox_nano. The ratios are medians of what was measured in turns in one run.
"""

from __future__ import annotations

DESCRIBER = 1.05
"""At most: a 640x480 picture in memory to its sentence, in calls of the bare engine."""

TOPIC = {(640, 480): 3.0, (1920, 1080): 10.0}
"""At most, by size: milliseconds from an image's topic to its detections beyond the bare engine's
call, both at 30 Hz. No image may be lost on the way."""

FRAME_RATE = 0.95
"""At least: detections a second of one camera and of four, beside the bare engine back to back."""

CPU = 1.5
"""At most: processor time of a 640x480 frame at 30 Hz, beside the bare engine's."""

REQUESTS = {
    ("Describe", 1): 0.8,
    ("Describe", 8): 1.0,
    ("Describe", 32): 1.0,
    ("TCP version 2", 1): 0.8,
    ("TCP version 2", 8): 1.0,
    ("TCP version 2", 32): 1.0,
    ("TCP version 1", 8): 0.95,
    ("HTTP", 8): 0.95,
}
"""At least, by way and number of clients: replies a second of the running nodes, beside a
single-threaded loop of the same work."""

LISTENER = 1.0
"""At least: replies a second of a listener without ROS to 8 clients, beside the same loop."""

PENDING_CPU = 0.1
"""At most: seconds of processor time that detector_node uses in a second in which requests wait."""

MEMORY = 270.0
"""At most: MB of resident memory of detector_node."""

GROWTH = 10.0
"""At most: MB that it grows by after its first frames; shared memory is touched page by page."""

START = 2.0
"""At most: seconds from the start of detector_node's process to its first sentence."""

SENTENCE = 1.0
"""At most: milliseconds to put 100 objects into words."""

TEXTS = 5000.0
"""At most: milliseconds for the whole reply to a photo with 20 texts."""

RECORDINGS = 0.9
"""At least: images a second of `i2t annotate` while it looks, beside the bare engine with one
thread times the cores."""

RECORDINGS_GROWTH = 1.1
"""At most: memory of all processes at the end of an hour of video, beside that after a tenth."""
