"""From a model's raw outputs to what they say.

A decoder reads the outputs of one family of models. Boxes are in pixels of the model's input. They
may overlap, lie outside the input, and come in any order: the detector suppresses overlaps, scales
the boxes back to the image and clips them.
"""

from collections.abc import Mapping

from i2t_ros.vision.decoders import (
    classes,
    exports,
    faces,
    objects,
    poses,
    segments,
    ssd,
    texts,
    values,
)
from i2t_ros.vision.decoders.base import Decoder

DECODERS: Mapping[str, Mapping[str, Decoder]] = {
    "detect": {
        "yolox": Decoder(objects.yolox, 1, settle=values.settle_yolox),
        "nanodet": Decoder(objects.nanodet, 6),
        "yolov5": Decoder(objects.yolov5, 1, settle=values.settle_yolov5),
        "yolov8": Decoder(objects.yolov8, 1, settle=values.settle_yolov8),
        "yolov10": Decoder(objects.yolov10, 1, True, values.settle_yolov10),
        "yolov7_end2end": Decoder(exports.yolov7_end2end, 1, True),
        "queries": Decoder(objects.queries, 1, True, values.settle_queries),
        "query_logits": Decoder(objects.query_logits, 2, True, values.settle_query_logits),
        "labels_boxes_scores": Decoder(
            objects.labels_boxes_scores, 3, True, values.settle_labels_boxes_scores
        ),
        "dets_labels": Decoder(exports.dets_labels, 2, True),
        "num_dets": Decoder(exports.num_dets, 4, True),
        "boxes_scores": Decoder(exports.boxes_scores, 2, settle=values.settle_boxes_scores),
        "tensorflow": Decoder(objects.tensorflow, 4, True, values.settle_tensorflow),
        "ssd": Decoder(ssd.ssd, 2),
        "yolov3": Decoder(objects.yolov3, 3, suppresses=True),
        "pixels": Decoder(objects.pixels, 3, suppresses=True),
    },
    "segment": {
        "yolov8": Decoder(segments.yolov8, 2, settle=segments.settle_masks_yolov8),
        "yolov10": Decoder(segments.yolov10, 2, True, segments.settle_masks_yolov10),
        "query_logits": Decoder(segments.query_logits, 3, True, segments.settle_masks_query_logits),
        "label_map": Decoder(segments.label_map, 1, True, segments.settle_label_map),
    },
    "classify": {
        "probabilities": Decoder(classes.probabilities, 1),
        "logits": Decoder(classes.logits, 1),
    },
    "faces": {"yunet": Decoder(faces.yunet, 12), "pixels": Decoder(faces.pixels, 3)},
    "text": {"lines": Decoder(texts.lines, 3)},
    "pose": {
        "movenet": Decoder(poses.movenet, 1, True),
        "yolov8_pose": Decoder(poses.yolov8_pose, 1, settle=values.settle_yolov8_pose),
        "yolo26_pose": Decoder(poses.yolo26_pose, 1, True, values.settle_yolo26_pose),
    },
}
"""Task -> name in the manifest -> decoder."""
