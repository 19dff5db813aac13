"""From a model's raw outputs to what they say.

A decoder reads the outputs of one family of models. Boxes are in pixels of the model's input. They
may overlap, lie outside the input, and come in any order: the detector suppresses overlaps, scales
the boxes back to the image and clips them.
"""

from collections.abc import Mapping

from i2t_ros.vision.decoders import classes, faces, objects, texts
from i2t_ros.vision.decoders.base import Decoder

DECODERS: Mapping[str, Mapping[str, Decoder]] = {
    "detect": {
        "yolox": Decoder(objects.yolox, 1),
        "nanodet": Decoder(objects.nanodet, 6),
        "yolov5": Decoder(objects.yolov5, 1),
        "yolov8": Decoder(objects.yolov8, 1),
        "yolov10": Decoder(objects.yolov10, 1, suppresses=True),
        "queries": Decoder(objects.queries, 1, suppresses=True),
        "query_logits": Decoder(objects.query_logits, 2, suppresses=True),
        "labels_boxes_scores": Decoder(objects.labels_boxes_scores, 3, suppresses=True),
        "tensorflow": Decoder(objects.tensorflow, 4, suppresses=True),
        "yolov3": Decoder(objects.yolov3, 3, suppresses=True),
        "pixels": Decoder(objects.pixels, 3, suppresses=True),
    },
    "classify": {
        "probabilities": Decoder(classes.probabilities, 1),
        "logits": Decoder(classes.logits, 1),
    },
    "faces": {"yunet": Decoder(faces.yunet, 12), "pixels": Decoder(faces.pixels, 3)},
    "text": {"lines": Decoder(texts.lines, 3)},
}
"""Task -> name in the manifest -> decoder."""
