"""coco.json, as pycocotools reads it."""

import json

import numpy as np
import pytest

pytest.importorskip("pycocotools")
from making import pose_of
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from told_material import objects_of, outlines_of, stream_of, telling_of, told_all, told_of, write

from i2t_ros.pipeline.tasks.pose import Poses
from i2t_ros.recordings.writing.coco import CocoWriter, coco_ids
from i2t_ros.vision.postures import KEY_POINTS

FILM = stream_of("film")
POINTS = np.stack([np.linspace(2, 38, 17), np.linspace(22, 98, 17)], axis=1)


def coco_of(folder, images, streams=None):
    write(CocoWriter, folder, images, streams)
    return COCO(str(folder / "coco.json"))


def precision(coco, kind, classes=None):
    judged = COCOeval(coco, coco, kind)
    judged.params.catIds = classes or judged.params.catIds
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    return judged.stats[0]


def test_boxes_compared_with_themselves_are_perfect(tmp_path):
    coco = coco_of(tmp_path, told_all(FILM, [(0, {"person": 2, "dog": 1}), (1, {"dog": 3})]))
    assert len(coco.imgs) == 2
    assert len(coco.anns) == 6
    assert precision(coco, "bbox") == pytest.approx(1)


def test_outlines_compared_with_themselves_are_perfect(tmp_path):
    masks = outlines_of((10, 10, 90, 60), (200, 100, 300, 250))
    coco = coco_of(tmp_path, [told_of(FILM, 0, 0, objects_of({"dog": 2}, masks=masks))])
    first = coco.anns[1]
    assert first["segmentation"] == [[10, 10, 90, 10, 10, 60]]
    assert first["area"] == 80 * 50 / 2
    assert mask.area(coco.annToRLE(first)) == pytest.approx(first["area"], rel=0.05)
    assert precision(coco, "segm") == pytest.approx(1)


def test_an_annotation_has_what_is_known_of_its_object(tmp_path):
    objects = objects_of({"stop sign": 1, "dog": 1}, track_ids=[7, -1])
    coco = coco_of(tmp_path, [told_of(FILM, 0, 0, objects)])
    assert coco.anns[1] == {
        "id": 1,
        "image_id": 1,
        "category_id": 13,
        "bbox": [0.5, 20, 40, 80],
        "area": 3200,
        "iscrowd": 0,
        "segmentation": [],
        "score": 0.9,
        "track_id": 7,
    }
    assert "track_id" not in coco.anns[2]


def test_images_of_a_bag_have_names_and_pictures_their_files(tmp_path):
    bag = stream_of("drive.front", "bag", source="drive", topic="/front")
    photos = stream_of("photos", "pictures", recording=1)
    coco = coco_of(
        tmp_path,
        [
            told_of(bag, 0, 0.5, {}, stamp=3),
            told_of(bag, 1, 0.5, {}),
            told_of(photos, 0, None, {}, source="photos/a.jpg"),
        ],
    )
    assert coco.imgs[1] == {
        "id": 1,
        "file_name": "drive.front/000000.jpg",
        "width": 640,
        "height": 480,
        "source": "drive",
        "topic": "/front",
        "seconds": 0.5,
        "stamp": 3,
        "frame_id": None,
    }
    assert coco.imgs[2]["file_name"] == "drive.front/000001.jpg"
    assert coco.imgs[3]["file_name"] == "photos/a.jpg"


def test_other_classes_come_after_those_of_coco(tmp_path):
    images = told_all(
        FILM, [(0, {"forklift": 1, "toothbrush": 1}), (1, {"pallet": 1, "person": 1})]
    )
    coco = coco_of(tmp_path, images)
    named = [(category["id"], category["name"]) for category in coco.dataset["categories"]]
    assert named == [(1, "person"), (90, "toothbrush"), (91, "forklift"), (92, "pallet")]
    assert len(coco_ids()) == 80


def people(*parts):
    """Return people of these poses."""
    if not parts:
        return Poses([], [], [], [], ())
    return Poses(
        *(np.concatenate([getattr(part, name) for part in parts])
          for name in ("boxes", "scores", "points", "point_scores")),
        tuple(names for part in parts for names in part.postures),
    )  # fmt: skip


def test_key_points_are_those_of_the_person_in_the_same_place(tmp_path):
    scores = np.full((1, 17), 0.9)
    scores[0, 0] = 0.1
    here = Poses([[2, 22, 38, 98]], [0.8], [POINTS], scores, ((),))
    away = pose_of(POINTS + 300, box=(302, 322, 338, 398))
    objects = objects_of({"dog": 1, "person": 1})
    objects = objects[np.array([1, 0])]
    coco = coco_of(tmp_path, [told_of(FILM, 0, 0, objects, poses=people(here, away))])
    person, dog, other = coco.anns.values()
    assert person["keypoints"][:6] == [0, 0, 0, *np.round(POINTS[1], 1), 2]
    assert person["num_keypoints"] == 16
    assert "keypoints" not in dog
    assert (other["category_id"], other["num_keypoints"]) == (1, 17)
    assert other["bbox"] == [302, 322, 36, 76]
    category = coco.cats[1]
    assert category["keypoints"] == list(KEY_POINTS)
    ends = [KEY_POINTS[end - 1] for end in category["skeleton"][0]]
    assert ends == ["left_shoulder", "right_shoulder"]
    assert precision(coco, "keypoints", [1]) == pytest.approx(1)


def test_a_person_without_certain_points_has_none(tmp_path):
    coco = coco_of(tmp_path, [told_of(FILM, 0, 0, {"person": 1}, poses=people())])
    assert coco.anns[1]["keypoints"] == [0] * 51
    assert coco.anns[1]["num_keypoints"] == 0


def test_of_nothing_there_is_a_file_all_the_same(tmp_path):
    coco = coco_of(tmp_path, [], [FILM])
    assert (coco.imgs, coco.anns, coco.cats) == ({}, {}, {})


def test_annotations_wait_in_a_file_that_nobody_can_leave_behind(tmp_path):
    writer = CocoWriter(telling_of(tmp_path, FILM))
    for told in told_all(FILM, [(0, {"dog": 100})]):
        writer.image(told)
    assert [path.name for path in tmp_path.iterdir()] == ["coco.json"]
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == ["coco.json"]
    assert len(json.loads((tmp_path / "coco.json").read_bytes())["annotations"]) == 100
