"""Stand-ins for jetson-inference and jetson-utils, in the shapes of its two generations.

They keep to what docs and sources of the real modules say: names, signatures, the way they fail,
what they do to the picture. The network finds one thing: the red part of a picture is a person
(class 1), and the blue one a bicycle (class 2), so that a wrong color order is found out.
"""
# ruff: noqa: N801, N802, N803 (names and signatures are those of the real modules)

import importlib.machinery
import threading
import types

import numpy as np

CLASSES = 91


class CudaImage:
    """Memory that both processors see; here, a copy of the array."""

    def __init__(self, array, form):
        self.pixels = array.copy()
        self.height, self.width = array.shape[:2]
        self.format = form


def cuda_from_numpy(array, isBGR=False):
    if not array.flags.c_contiguous:
        raise Exception("jetson.utils -- cudaFromNumpy() ndarray must be contiguous")
    if array.dtype != np.uint8:
        return CudaImage(array.astype(np.float32), "rgb32f")
    return CudaImage(array, "bgr8" if isBGR else "rgb8")


class Detection:
    """The fields that both generations have."""

    def __init__(self, class_id, confidence, left, top, right, bottom):
        self.ClassID = class_id
        self.Confidence = confidence
        self.Left, self.Top, self.Right, self.Bottom = left, top, right, bottom
        self.Area = (right - left) * (bottom - top)


class Network:
    """What both generations share. Not to be used by two threads at once, as the real one."""

    def __init__(self, threshold):
        self.threshold = threshold
        self.busy = threading.Lock()
        self.pictures = []

    def find(self, image, overlay):
        if not self.busy.acquire(blocking=False):
            raise Exception("jetson.inference -- used by two threads at once")
        try:
            self.pictures.append(image)
            found = [
                Detection(class_id, confidence, *box)
                for class_id, channel, confidence in ((1, 0, 0.9), (2, 2, 0.3))
                for box in boxes_of(image.pixels, channel)
                if confidence >= self.threshold
            ]
            if overlay != "none":
                image.pixels[:] = 0
            return sorted(found, key=lambda detection: -detection.Area)
        finally:
            self.busy.release()

    def SetThreshold(self, threshold):
        self.threshold = threshold


def boxes_of(pixels, channel):
    strong = (pixels[:, :, channel] > 200) & (pixels.sum(axis=2) < 300)
    rows, columns = np.nonzero(strong)
    if not len(rows):
        return []
    return [(columns.min(), rows.min(), columns.max() + 1.0, rows.max() + 1.0)]


def read_arguments(arguments):
    """Return a network's arguments, its labels read while the file is there."""
    given = dict(argument.lstrip("-").split("=", 1) for argument in arguments)
    with open(given["labels"]) as stream:
        given["labels"] = stream.read().split("\n")
    return given


def old_generation():
    """Return sys.modules entries as on JetPack 4 (L4T R32)."""

    class detectNet(Network):
        def __init__(self, network="ssd-mobilenet-v2", argv=None, threshold=0.5):
            if argv:
                self.arguments = read_arguments(argv)
                threshold = float(self.arguments["threshold"])
            elif network != "ssd-mobilenet-v2":
                raise Exception("jetson.inference -- detectNet failed to load network")
            super().__init__(threshold)

        def Detect(self, image, width=0, height=0, overlay="box,labels,conf"):
            if image.format not in {"rgb8", "rgba8", "rgb32f", "rgba32f"}:
                raise Exception("jetson.inference -- detectNet.Detect() failed")
            return self.find(image, overlay)

    class imageNet:
        def __init__(self, network="googlenet", argv=None):
            self.name = network

        def Classify(self, image, width=0, height=0):
            if not image.pixels.any():
                raise Exception("jetson.inference -- imageNet.Classify() failed")
            return 7, 0.75

    inference = module("jetson.inference", detectNet=detectNet, imageNet=imageNet)
    utils = module("jetson.utils", cudaFromNumpy=cuda_from_numpy)
    package = module("jetson", inference=inference, utils=utils)
    package.__path__ = []
    return {"jetson": package, "jetson.inference": inference, "jetson.utils": utils}


def new_generation():
    """Return sys.modules entries as since L4T R35."""

    class detectNet(Network):
        def __init__(
            self,
            network="ssd-mobilenet-v2",
            argv=None,
            threshold=0.5,
            model="",
            labels="",
            colors="",
            input_blob="data",
            output_cvg="coverage",
            output_bbox="bboxes",
        ):
            if argv:  # then every other argument is ignored (jetson-inference #599)
                self.arguments = read_arguments(argv)
                threshold = 0.5
            elif network != "ssd-mobilenet-v2":
                raise Exception("jetson.inference -- detectNet failed to load network")
            super().__init__(threshold)

        def Detect(self, image, width=0, height=0, overlay="box,labels,conf", format="rgba32f"):
            if image.format not in {"rgb8", "rgba8", "rgb32f", "rgba32f"}:
                return []
            return self.find(image, overlay)

    class imageNet:
        def __init__(self, network="googlenet", argv=None, **_newer):
            self.name = network

        def Classify(self, image, topK=1):
            if not image.pixels.any():
                return [] if topK != 1 else (-1, 0.0)
            ranked = [(7, 0.75), (8, 0.2)]
            return ranked[0] if topK == 1 else ranked

    return {
        "jetson_inference": module("jetson_inference", detectNet=detectNet, imageNet=imageNet),
        "jetson_utils": module("jetson_utils", cudaFromNumpy=cuda_from_numpy),
    }


GENERATIONS = {"old": old_generation, "new": new_generation}


def module(name, **content):
    """Return a module that ``importlib`` can find in sys.modules."""
    made = types.ModuleType(name)
    made.__spec__ = importlib.machinery.ModuleSpec(name, None)
    made.__dict__.update(content)
    return made
