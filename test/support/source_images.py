"""Images of one shade, and how the tests of sources look at what comes."""

import itertools
import threading

import numpy as np


def image(shade, size=(64, 48)):
    return np.full((size[1], size[0], 3), shade, np.uint8)


def shade_of(pixels):
    return round(float(pixels.mean()) / 50) * 50


def take(source, count, stop=None):
    """Return the first images, each read when it is taken."""
    source.open()
    images = source.images(stop or threading.Event())
    taken = [(lazy.name, lazy.read()) for lazy in itertools.islice(images, count)]
    images.close()
    source.close()
    return taken


class Pauses(threading.Event):
    """A stop that is told how long is waited, and ends after so many pauses."""

    def __init__(self, most):
        super().__init__()
        self.pauses = []
        self.most = most

    def wait(self, timeout=None):
        self.pauses.append(timeout)
        if len(self.pauses) >= self.most:
            self.set()
        return self.is_set()
