"""Decoders of formats that exporters make of many models; boxes are xyxy pixels of the input."""

import numpy as np

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.decoders.base import InputSize, Outputs
from i2t_ros.vision.decoders.objects import Candidates, above_score, best_classes, rows_of


def dets_labels(outputs: Outputs, size: InputSize, min_score: float) -> Candidates:
    """Read boxes with their score (1, N, 5) and class ids (1, N); both also without the 1.

    The format of MMDetection, exported by MMDeploy (https://github.com/open-mmlab/mmdeploy,
    mmcv/ops/nms.py: dets is boxes and scores side by side, padded with scores of 0).
    """
    boxes, class_ids = outputs[0], outputs[1].reshape(-1)
    if boxes.shape[-1] != 5 or boxes.size != 5 * len(class_ids):
        raise ModelMismatchError(
            "decoder dets_labels: expected outputs of shapes (1, N, 5) and (1, N), got "
            f"{outputs[0].shape} and {outputs[1].shape}"
        )
    boxes = boxes.reshape(-1, 5)
    return above_score(min_score, boxes[:, :4], boxes[:, 4], class_ids)


def num_dets(outputs: Outputs, size: InputSize, min_score: float) -> Candidates:
    """Read how many there are (1, 1), boxes (1, N, 4), scores (1, N) and class ids (1, N).

    The format of MMYOLO and YOLO-World (https://github.com/AILab-CVC/YOLO-World,
    deploy/export_onnx.py), of YOLO-NAS, and of TensorRT's EfficientNMS.
    """
    count = int(outputs[0].reshape(-1)[0])
    boxes, scores, class_ids = (output[0, :count] for output in outputs[1:])
    return above_score(min_score, boxes, scores, class_ids)


def boxes_scores(
    outputs: Outputs, size: InputSize, min_score: float, normalized: bool = False
) -> Candidates:
    """Read boxes (1, N, 4) and class probabilities (1, N, classes); overlaps are not yet removed.

    The format of YOLO-World exported with --without-nms, and of YOLO-NAS. Boxes are in pixels, or
    in fractions if ``normalized``.
    """
    boxes, scores = rows_of(outputs[0], "boxes_scores", 4), rows_of(outputs[1], "boxes_scores", 1)
    return best_classes(boxes, scores, min_score, size if normalized else None, corners=True)


def yolov7_end2end(
    outputs: Outputs, size: InputSize, min_score: float, score_first: bool = False
) -> Candidates:
    """Read (N, 7): number of the image, left, top, right, bottom, class id, score.

    The format of YOLOv7's ``export.py --grid --end2end --max-wh 640``
    (https://github.com/WongKinYiu/yolov7, models/experimental.py, ONNX_ORT). With ``score_first``
    the score comes before the class id: the flat format of YOLO-NAS
    (https://github.com/Deci-AI/super-gradients, documentation/source/models_export.md).
    """
    rows = outputs[0]
    if rows.ndim != 2 or rows.shape[1] != 7:
        raise ModelMismatchError(
            f"decoder yolov7_end2end: expected an output of shape (N, 7), got {rows.shape}"
        )
    rows = rows[rows[:, 0] == 0].astype(np.float32, copy=False)
    class_ids, scores = (rows[:, 6], rows[:, 5]) if score_first else (rows[:, 5], rows[:, 6])
    if (class_ids % 1).any():
        raise ModelMismatchError(
            f"decoder yolov7_end2end: expected whole class ids, got {class_ids.max():.4g}; say "
            f"`decoder_options: {{score_first: {str(not score_first).lower()}}}`"
        )
    return above_score(min_score, rows[:, 1:5], scores, class_ids)
