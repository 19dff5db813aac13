import json
from dataclasses import replace

import numpy as np
from making import classes_of, pose_of, scene_of

from i2t_ros.errors import InferenceError, TranslationError
from i2t_ros.pipeline.description_json import (
    description_from_json,
    description_to_json,
    reply_to_json,
)
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.pose import Poses
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.types import Answer, CountCheck, DescribeReply, Description, Detections
from i2t_ros.vision.postures import KEY_POINTS

FOUND = Detections([[1.04, 2, 3, 4]], [0.87654321], [1], ("cat", "dog"), track_ids=[7])
TEXT = TextRegion(
    np.float32([[1, 2], [30, 4], [29, 14], [0, 12]]), "Exit", 0.75, (255, 0, 51), (0, 9, 16), "出口"
)


NOTHING = scene_of(
    4,
    4,
    Detections.empty(["cat"]),
    classification=classes_of((), ()),
    faces=Faces(np.empty((0, 4)), []),
    texts=(),
    poses=Poses(np.empty((0, 4)), [], [], [], ()),
)


def scene_to_json(scene, language):
    found = description_to_json(Description(scene, "", language, "list", "", 0.0))
    for name in ("sentence", "language", "style", "spoken", "model", "width", "height"):
        del found[name]
    return found


def test_what_did_not_run_is_null_and_what_found_nothing_is_empty():
    assert scene_to_json(scene_of(4, 4), "en") == {
        "objects": None,
        "detections": None,
        "classification": None,
        "poses": None,
        "faces": None,
        "texts": None,
        "caption": None,
        "failures": {},
        "tasks": [],
    }
    found = scene_to_json(NOTHING, "en")
    assert found.pop("tasks") == ["detect", "classify", "faces", "text", "pose"]
    assert found.pop("failures") == {}
    assert found.pop("caption") is None
    assert set(map(str, found.values())) == {"[]"}


def test_objects_are_in_the_language_of_the_sentence_and_rounded():
    found = scene_to_json(scene_of(4, 4, FOUND), "es")
    assert found["objects"] == [
        {"class_id": "dog", "label": "perro", "count": 1, "max_score": 0.8765}
    ]
    assert found["detections"] == [
        {
            "class_id": "dog",
            "label": "perro",
            "score": 0.8765,
            "box": [1.0, 2.0, 3.0, 4.0],
            "track_id": 7,
        }
    ]


def test_faces_name_their_landmarks():
    points = np.arange(10).reshape(1, 5, 2)
    faces = Faces([[1, 2, 3, 4]], [0.5], points)
    (face,) = scene_to_json(scene_of(4, 4, faces=faces), "en")["faces"]
    assert face["landmarks"] == {
        "right_eye": [0, 1],
        "left_eye": [2, 3],
        "nose": [4, 5],
        "right_mouth_corner": [6, 7],
        "left_mouth_corner": [8, 9],
    }
    (face,) = scene_to_json(scene_of(4, 4, faces=Faces([[1, 2, 3, 4]], [0.5])), "en")["faces"]
    assert face["landmarks"] is None


def test_poses_name_their_points_and_postures():
    found = pose_of(np.arange(34).reshape(17, 2), (1, 2, 3, 4), 0.5, 0.75, ("arms_raised",))
    (person,) = scene_to_json(scene_of(4, 4, poses=found), "es")["poses"]
    assert (person["box"], person["score"]) == ([1, 2, 3, 4], 0.5)
    assert person["postures"] == ["arms_raised"]
    assert list(person["points"]) == list(KEY_POINTS)
    assert person["points"]["nose"] == [0, 1, 0.75]
    assert person["points"]["right_ankle"] == [32, 33, 0.75]


def test_texts_have_colours_that_a_page_can_use():
    (text,) = scene_to_json(scene_of(40, 40, texts=(TEXT,)), "en")["texts"]
    assert text == {
        "text": "Exit",
        "translation": "出口",
        "score": 0.75,
        "corners": [[1, 2], [30, 4], [29, 14], [0, 12]],
        "text_color": "#ff0033",
        "background_color": "#000910",
    }


def test_classes_and_failures():
    scene = scene_of(
        4,
        4,
        classification=classes_of(("tabby",), (0.5,)),
        failures={"faces": InferenceError("broken")},
    )
    found = scene_to_json(scene, "en")
    assert found["classification"] == [{"class_id": "tabby", "label": "tabby", "score": 0.5}]
    assert found["failures"] == {"faces": {"code": "inference_failed", "message": "broken"}}


def test_a_description_is_ready_for_json():
    scene = scene_of(64, 48, FOUND, faces=Faces([[1, 2, 3, 4]], [0.5]), texts=(TEXT,))
    found = description_to_json(Description(scene, "A dog.", "en", "list", "some model", 0.1))
    assert json.loads(json.dumps(found)) == found
    assert (found["sentence"], found["language"], found["model"]) == ("A dog.", "en", "some model")
    assert (found["width"], found["height"]) == (64, 48)
    assert (found["style"], found["tasks"]) == ("list", ["detect", "faces", "text"])


def test_a_description_comes_back_from_its_json_unchanged():
    scene = scene_of(
        64,
        48,
        FOUND,
        classification=classes_of(("tabby",), (0.5,)),
        faces=Faces([[1, 2, 3, 4]], [0.5], np.arange(10).reshape(1, 5, 2)),
        texts=(TEXT,),
        failures={"text": TranslationError("no quota left")},
    )
    untracked = scene_of(4, 4, replace(FOUND, track_ids=[-1]))
    for written in (scene, scene_of(4, 4), NOTHING, untracked):
        description = Description(written, "A dog.", "es", "list", "some model", 0.1)
        found = description_to_json(description)
        assert description_to_json(description_from_json(json.loads(json.dumps(found)))) == found


def test_an_answer_is_beside_what_it_was_grounded_in_and_null_without_a_question():
    description = Description(NOTHING, "A dog.", "en", "list", "some model", 0.1)
    assert reply_to_json(DescribeReply(description), None)["answer"] is None
    counts = (CountCheck("dog", "perro", 2, 1),)
    answer = Answer("Dos perros.", "some vlm", 0.0123456, "disagrees", counts)
    written = reply_to_json(DescribeReply(description, answer=answer), None)
    assert written["sentence"] == "A dog."
    assert json.loads(json.dumps(written))["answer"] == {
        "text": "Dos perros.",
        "model": "some vlm",
        "elapsed_ms": 12.346,
        "agreement": "disagrees",
        "counts": [{"class_id": "dog", "label": "perro", "answered": 2, "detected": 1}],
    }
