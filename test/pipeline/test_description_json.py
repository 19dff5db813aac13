import json

import numpy as np
from making import scene_of

from i2t_ros.errors import InferenceError
from i2t_ros.pipeline.description_json import description_to_json, scene_to_json
from i2t_ros.types import (
    Classification,
    Description,
    Detections,
    Faces,
    TextRegion,
)

FOUND = Detections([[1.04, 2, 3, 4]], [0.87654321], [1], ("cat", "dog"), track_ids=[7])
TEXT = TextRegion(
    np.float32([[1, 2], [30, 4], [29, 14], [0, 12]]), "Exit", 0.75, (255, 0, 51), (0, 9, 16), "出口"
)


def test_what_did_not_run_is_null_and_what_found_nothing_is_empty():
    assert scene_to_json(scene_of(4, 4), "en") == {
        "objects": None,
        "detections": None,
        "classification": None,
        "faces": None,
        "texts": None,
        "failures": {},
    }
    nothing = scene_of(
        4, 4, Detections.empty(["cat"]), Classification((), ()), Faces(np.empty((0, 4)), []), ()
    )
    found = scene_to_json(nothing, "en")
    assert all(found[name] == [] for name in found if name != "failures")


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
        classification=Classification(("tabby",), (0.5,)),
        failures={"faces": InferenceError("broken")},
    )
    found = scene_to_json(scene, "en")
    assert found["classification"] == [{"class_id": "tabby", "label": "tabby", "score": 0.5}]
    assert found["failures"] == {"faces": {"code": "inference_failed", "message": "broken"}}


def test_a_description_is_ready_for_json():
    scene = scene_of(64, 48, FOUND, faces=Faces([[1, 2, 3, 4]], [0.5]), texts=(TEXT,))
    found = description_to_json(Description(scene, "A dog.", "en", "some model", 0.1))
    assert json.loads(json.dumps(found)) == found
    assert (found["sentence"], found["language"], found["model"]) == ("A dog.", "en", "some model")
    assert (found["width"], found["height"]) == (64, 48)


def test_a_size_that_is_not_known_is_null():
    found = description_to_json(Description(scene_of(0, 0), "Nothing.", "en", "", 0.1))
    assert found["width"] is found["height"] is None
