"""MoveNet's key points compared with those that people have put into COCO's photos.

The measure is COCO's object key point similarity (https://cocodataset.org/#keypoints-eval): of the
points that are labeled, the mean of exp(-d^2 / (2 area k^2)), where d is the distance in pixels,
area that of the person, and k twice a standard deviation of each kind of point. MoveNet is for one
person, so it gets the person's box and a tenth of its sides around it.
"""

import json

import cv2
import numpy as np
import pytest
from making import open_task

from i2t_ros.pipeline.tasks.pose import PoseOptions
from i2t_ros.vision.postures import KEY_POINTS, SURE

# cocoeval.py of https://github.com/cocodataset/cocoapi, in the order of KEY_POINTS.
_DEVIATIONS = "26 25 25 35 35 79 79 72 72 62 62 107 107 87 87 89 89"
WIDTHS = 2 * np.array(_DEVIATIONS.split(), float) / 1000

# Of person_keypoints_val2017.json (https://cocodataset.org, CC BY 4.0): all of the ten people in
# the photos at hand whose key points were to be had and that have five or more. Number of the
# annotation, x and y of each point, "-" for one that is not labeled.
LABELED = """
442965: 392,174 380,146 349,186 403,132 331,242 - - - - - - - - - - - -
461781: 354,212 399,180 350,181 - - 469,459 328,337 - - - 230,481 - - - - - -
192816: 230,33 232,23 - 248,13 - 257,47 292,51 234,112 - 201,132 - 280,149 304,151 289,241
  309,237 295,317 320,312
512854: - - - - - 31,252 173,247 14,384 211,359 - - 74,417 149,415 89,381 94,357 98,540 30,460
507246: - - - - - 215,213 307,215 190,289 323,290 228,296 339,347 236,356 301,356 243,428
  291,431 242,525 289,528
521861: - - - 75,135 103,135 63,171 113,169 42,213 - 60,245 - 73,274 109,273 66,343 111,339
  65,427 110,421
548188: 30,135 31,128 22,127 - 6,131 29,163 6,165 - 17,211 - - 40,256 10,259 38,331 17,331
  31,394 9,399
1722094: 409,131 413,122 403,122 - 389,126 418,168 371,168 - - - - 416,255 378,255 422,325
  376,328 - 372,380
2007641: - - - - - - 354,165 - 382,215 - 382,275 - 348,267 - 343,351 - 339,439
198481: - - - - - 429,214 445,214 427,224 450,220 - 447,227 433,232 442,231 432,250 444,251
  430,267 446,268
"""


def labeled():
    """Return (17, 2) of each person by the number of the annotation; NaN: not labeled."""
    people = {}
    for entry in LABELED.replace("\n  ", " ").strip().splitlines():
        number, _, points = entry.partition(": ")
        rows = [(np.nan, np.nan) if p == "-" else tuple(p.split(",")) for p in points.split()]
        people[int(number)] = np.array(rows, float)
    return people


@pytest.fixture(scope="module")
def compared(shared):
    """Return similarity of each point and its score, (10, 17) each; NaN: not labeled."""
    pytest.importorskip("ai_edge_litert")
    truth = json.loads((shared / "coco_tiny" / "instances_val2017.json").read_text())
    names = {photo["id"]: photo["file_name"] for photo in truth["images"]}
    people = {item["id"]: item for item in truth["annotations"]}
    model = str(shared / "models" / "movenet_single_pose_lightning_ptq.tflite")
    finder = open_task("pose", model)
    rows, scores = [], []
    for number, points in labeled().items():
        person = people[number]
        photo = cv2.imread(str(shared / "coco_tiny" / "val2017" / names[person["image_id"]]))
        x, y, width, height = person["bbox"]
        left, top = max(0, round(x - width / 10)), max(0, round(y - height / 10))
        part = photo[top : round(y + 1.1 * height), left : round(x + 1.1 * width)]
        found = finder.run(np.ascontiguousarray(part), PoseOptions(min_score=0.001)).result
        apart = np.linalg.norm(found.points[0] + [left, top] - points, axis=1)
        rows.append(np.exp(-(apart**2) / (2 * person["area"] * WIDTHS**2)))
        scores.append(found.point_scores[0])
    finder.close()
    return np.array(rows), np.array(scores)


def test_the_labeled_points_are_read_as_they_are_written():
    people = labeled()
    assert len(people) == 10
    assert all(points.shape == (len(KEY_POINTS), 2) for points in people.values())
    counts = sorted(int(np.isfinite(points[:, 0]).sum()) for points in people.values())
    assert counts == [5, 6, 6, 10, 11, 11, 12, 12, 13, 13]


def test_movenet_is_as_good_as_it_was(compared):
    similarities, _ = compared
    each = np.nanmean(similarities, axis=1)
    assert each.mean() >= 0.46
    assert np.count_nonzero(each >= 0.5) >= 5


def test_points_that_are_sure_are_where_a_person_has_put_them(compared):
    """At half of the similarity or more, which is COCO's loosest measure."""
    similarities, scores = compared
    there = np.isfinite(similarities)
    right = similarities >= 0.5
    sure, doubtful = there & (scores >= SURE), there & (scores < SURE)
    assert right[sure].mean() >= 0.8
    assert right[doubtful].mean() <= 0.3
