"""Models whose outputs are always the same: a dog and a cat, each an ellipse, in PICTURE."""

import numpy as np

NAMES = ["person", "dog", "cat"]
NCHW, NHWC = ((1, 3, 96, 128), np.float32), ((1, 96, 128, 3), np.float32)
CELLS, SHAPE = 252, (24, 32)
PICTURE = np.full((192, 256, 3), 120, np.uint8)  # twice as large as the input
# center x, y, half width, half height, pixels of the input
SHAPES = {"dog": (40, 50, 30, 22), "cat": (92, 40, 24, 34)}
SCORES = {"dog": 0.9, "cat": 0.7}
BOXES = {name: [x - a, y - b, x + a, y + b] for name, (x, y, a, b) in SHAPES.items()}
CENTERS = {name: [x, y, 2 * a, 2 * b] for name, (x, y, a, b) in SHAPES.items()}


def level(name, xs, ys):
    """Return how far inside an ellipse places are, in pixels of the input, roughly."""
    x, y, a, b = SHAPES[name]
    return (1 - np.hypot((xs - x) / a, (ys - y) / b)) * min(a, b)


def map_of(name):
    """Return a map of logits that are above 0 in a thing and its surroundings."""
    ys, xs = 4 * (np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5)
    return level(name, xs, ys).astype(np.float32)


def truth(name):
    """Return which pixels of the picture are in a thing, each looked at by itself."""
    ys, xs = (np.mgrid[:192, :256] + 0.5) / 2
    return level(name, xs, ys) > 0


NOISE = np.random.default_rng(4).normal(size=(2, *SHAPE)).astype(np.float32)
# The maps of the two are mixed: each is a sum of prototypes.
PROTOTYPES = np.stack([map_of("dog") + NOISE[0], map_of("cat") - 2 * NOISE[1], *NOISE])
COEFFICIENTS = {"dog": [1, 0, -1, 0], "cat": [0, 1, 0, 2]}


def yolov8(scale=1.0):
    output = np.zeros((1, 4 + 3 + 4, CELLS), np.float32)
    for name, cell, factor in (("dog", 7, 1), ("dog", 9, 0.8), ("cat", 100, 1)):
        output[0, :4, cell] = np.multiply(CENTERS[name], scale)
        output[0, 4 + NAMES.index(name), cell] = SCORES[name] * factor
        output[0, 7:, cell] = COEFFICIENTS[name]
    return output


def yolo26():
    output = np.zeros((1, 300, 6 + 4), np.float32)
    for i, name in enumerate(SHAPES):
        output[0, i] = [*BOXES[name], SCORES[name], NAMES.index(name), *COEFFICIENTS[name]]
    return output


def rfdetr(columns):
    dets = np.full((1, 30, 4), 0.1, np.float32)
    labels = np.full((1, 30, columns), -9, np.float32)
    masks = np.full((1, 30, *SHAPE), -3, np.float32)
    for i, name in ((4, "dog"), (17, "cat")):
        dets[0, i] = np.divide(CENTERS[name], [128, 96, 128, 96])
        labels[0, i, NAMES.index(name)] = np.log(SCORES[name] / (1 - SCORES[name]))
        masks[0, i] = map_of(name)
    return {"dets": dets, "labels": labels, "masks": masks}


CHANNELS_LAST = PROTOTYPES.transpose(1, 2, 0)[None].copy()
FAMILIES = {
    "YOLOv8": ("yolov8", NCHW, {"output0": yolov8(), "output1": PROTOTYPES[None]}),
    "YOLOv8, maps first": ("yolov8", NCHW, {"output1": PROTOTYPES[None], "output0": yolov8()}),
    "YOLOv8 in fractions": (
        "yolov8",
        NHWC,
        {
            "output0": yolov8(1 / np.float32([[128], [96], [128], [96]]).ravel()),
            "output1": CHANNELS_LAST,
        },
    ),
    "YOLO26": ("yolov10", NCHW, {"output0": yolo26(), "output1": PROTOTYPES[None]}),
    "RF-DETR": ("query_logits", NCHW, rfdetr(3)),
    "RF-DETR of one's own": ("query_logits", NCHW, rfdetr(4)),
}


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def whole(mask):
    image = np.zeros(PICTURE.shape[:2], bool)
    height, width = mask.covered.shape
    image[mask.top : mask.top + height, mask.left : mask.left + width] = mask.covered
    return image
