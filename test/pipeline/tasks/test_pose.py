"""The task pose: MoveNet on a photo, models of Ultralytics' formats, words and drawings."""

import cv2
import numpy as np
import pytest
from making import open_detector, open_task, pose_of, scene_of
from own_models import put

from i2t_ros.errors import ModelError, ModelMismatchError
from i2t_ros.models.lookup import describe_model
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.tasks.pose import COLORS, PoseOptions, Poses, PoseTask
from i2t_ros.pipeline.telling import draw, tell
from i2t_ros.vision.postures import KEY_POINTS

INPUT = ((1, 3, 32, 64), np.float32)
ULTRALYTICS = {"task": "pose", "kpt_shape": "[17, 3]", "names": "{0: 'person'}"}
MIDDLE = np.float32([32, 16])  # of the input, and of every picture fitted into it


def stick():
    """Return a person who faces the camera with both arms up, in an input of 64 x 32."""
    at = {"nose": (0, -10), "left_eye": (1, -11), "right_eye": (-1, -11)}
    at |= {"left_ear": (2, -10), "right_ear": (-2, -10)}
    for side, sign in (("left", 1), ("right", -1)):
        for name, x, y in (
            *(("shoulder", 3, -7), ("elbow", 5, -11), ("wrist", 5, -15), ("hip", 2, 0)),
            *(("knee", 2, 6), ("ankle", 2, 12)),
        ):
            at[f"{side}_{name}"] = sign * x, y
    return MIDDLE + np.float32([at[name] for name in KEY_POINTS])


def person(score=0.9, certain=0.8):
    """Return the score, and 17 times x, y and how certain."""
    triples = np.column_stack([stick(), np.full(17, certain)])
    return score, triples.ravel().astype(np.float32)


def yolov8(cells=42):
    output = np.zeros((1, 56, cells), np.float32)
    for cell, score in ((5, 0.9), (6, 0.7)):  # the same person twice
        output[0, :4, cell] = *MIDDLE, 14, 30
        output[0, 4, cell], output[0, 5:, cell] = person(score)
    return output


def yolo26():
    output = np.zeros((1, 300, 57), np.float32)
    output[0, 0, :4] = 25, 1, 39, 31
    output[0, 0, 4], output[0, 0, 6:] = person()
    return output


def poses_in(model, image, **options):
    runner = open_task("pose", model)
    try:
        return runner.run(image, PoseOptions(**options)).result
    finally:
        runner.close()


@pytest.mark.parametrize(
    ("decoder", "output"), [("yolov8_pose", yolov8()), ("yolo26_pose", yolo26())]
)
def test_pose_models_of_ultralytics_are_recognized_and_read(tmp_path, decoder, output):
    pytest.importorskip("onnx")
    model = put(tmp_path, INPUT, {"output0": output}, labels=None, metadata=ULTRALYTICS)
    assert (spec := describe_model(model)).decoder == decoder
    assert (spec.task, spec.labels) == ("pose", ("person",))
    found = poses_in(model, np.zeros((64, 128, 3), np.uint8))  # twice as large as the input
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes, [[50, 2, 78, 62]], atol=0.05)
    np.testing.assert_allclose(found.points[0], 2 * stick(), atol=0.05)
    np.testing.assert_allclose(found.scores, [0.9], atol=1e-3)
    assert found.postures == (("standing", "arms_raised"),)
    # A higher picture has strips at its sides.
    found = poses_in(model, np.zeros((128, 64, 3), np.uint8))
    np.testing.assert_allclose(found.points[0], 4 * (stick() - [24, 0]), atol=0.1)
    assert len(poses_in(model, np.zeros((64, 128, 3), np.uint8), min_score=0.95)) == 0


def test_fractions_are_told_by_their_values(tmp_path):
    pytest.importorskip("onnx")
    output = yolov8()
    for first, second, side in ((0, 1, (64, 32)), (2, 3, (64, 32))):
        output[0, first] /= side[0]
        output[0, second] /= side[1]
    output[0, 5::3] /= 64
    output[0, 6::3] /= 32
    model = put(tmp_path, INPUT, {"output0": output}, labels=None, metadata=ULTRALYTICS)
    found = poses_in(model, np.zeros((64, 128, 3), np.uint8))
    np.testing.assert_allclose(found.points[0], 2 * stick(), atol=0.05)


def test_a_pose_model_is_no_detector_and_the_other_way_round(tmp_path):
    pytest.importorskip("onnx")
    model = put(tmp_path, INPUT, {"output0": yolov8()}, labels=None, metadata=ULTRALYTICS)
    with pytest.raises(
        ModelMismatchError, match=r"for the task pose, not for detect: .*pose_model"
    ):
        open_detector(model)
    with pytest.raises(ModelMismatchError, match=r"for the task detect, not for pose: .* model$"):
        open_task("pose", "yolox_nano")


def test_other_key_points_than_coco_s_are_refused(tmp_path):
    pytest.importorskip("onnx")
    hand = {**ULTRALYTICS, "kpt_shape": "[21, 3]"}
    output = {"output0": np.zeros((1, 68, 42), np.float32)}
    with pytest.raises(ModelError, match=r"not those of COCO's 17 key points.*\(1, 68, 42\)"):
        describe_model(put(tmp_path, INPUT, output, labels=None, metadata=hand))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(tmp_path, bad):
    pytest.importorskip("onnx")
    output = yolo26()
    output[0, 0, 6] = bad  # the x of a nose
    model = put(tmp_path, INPUT, {"output0": output}, labels=None, metadata=ULTRALYTICS)
    with pytest.raises(ModelMismatchError, match="NaN or infinity"):
        open_task("pose", model)


@pytest.mark.parametrize("far", [1e12, -1e30])
def test_points_that_no_line_can_reach_are_refused(tmp_path, far):
    pytest.importorskip("onnx")
    output = yolo26()
    output[0, 0, 6] = far
    model = put(tmp_path, INPUT, {"output0": output}, labels=None, metadata=ULTRALYTICS)
    with pytest.raises(ModelMismatchError, match=r"expected up to 1e\+06 pixels, got [12]e"):
        open_task("pose", model)


def test_a_picture_without_anybody_has_no_poses(at_hand, shared):
    pytest.importorskip("ai_edge_litert")
    for name in ("cat_720p.jpg", "hot_dog.jpg", "pets.jpg"):
        assert len(poses_in("auto", cv2.imread(str(shared / "images" / name)))) == 0


def told(found, style="sentence"):
    return tell(scene_of(640, 480, poses=found), DescribeOptions(style=style))


def people(*postures):
    n = len(postures)
    rows = np.tile(np.float32([0, 0, 50, 100]), (n, 1)), np.full(n, 0.9)
    return Poses(*rows, np.zeros((n, 17, 2)), np.zeros((n, 17)), tuple(postures))


def test_postures_are_counted_and_told_in_one_order():
    found = people(("standing",), ("arm_raised",), ("standing",), ("arms_raised",), ("sitting",))
    facts = PoseTask().facts(found, (640, 480), "sentence").found
    assert [(fact.key, fact.count) for fact in facts] == [
        *(("standing", 2), ("sitting", 1), ("arms_raised", 1), ("arm_raised", 1))
    ]
    assert told(found) == (
        "There are two people standing. There is a person sitting. There is a person with both "
        "arms raised. There is a person with one arm raised."
    )
    assert told(people(("lying",), ("facing_away",))) == (
        "There is a person lying down. There is a person facing away."
    )


def test_nobody_is_told_twice():
    found = people(("standing", "arms_raised"), ("sitting", "facing_away"))
    assert told(found) == ("There is a person sitting. There is a person with both arms raised.")
    assert PoseTask().to_json(found, str)["poses"][0]["postures"] == ["standing", "arms_raised"]


@pytest.mark.parametrize("found", [people(), people(()), people((), ())])
def test_where_no_posture_is_certain_nothing_is_told(found):
    assert told(found) == "I can't make out anybody's posture."


@pytest.mark.parametrize("style", ["list", "sentence", "scene", "changes"])
def test_every_style_tells_postures(style):
    assert "with both arms raised" in told(people(("arms_raised",)), style)


def test_clues_say_who_has_which_posture():
    clues = PoseTask().clues(people(("sitting", "arm_raised"), ()), (100, 200))
    assert clues == ["The person at [0, 0, 50, 50] is certainly: sitting, arm raised."]


def test_only_certain_points_are_drawn_left_and_right_in_their_colors():
    points = 6 * stick() + [100, 50]
    found = pose_of(points, box=(200, 50, 400, 240), certain=0.8)
    drawn = draw(
        np.zeros((480, 640, 3), np.uint8), scene_of(640, 480, poses=found), DescribeOptions()
    )
    for name in ("left_elbow", "right_knee"):
        x, y = np.rint(points[KEY_POINTS.index(name)]).astype(int)
        assert tuple(drawn[y, x]) == COLORS[name.split("_")[0]], name
    unsure = pose_of(points, box=(200, 50, 400, 240), certain=0.3)
    blank = draw(
        np.zeros((480, 640, 3), np.uint8), scene_of(640, 480, poses=unsure), DescribeOptions()
    )
    assert not blank.any()


def test_limbs_of_small_people_are_thinner():
    black, options = np.zeros((480, 640, 3), np.uint8), DescribeOptions()

    def widest(box):
        """Return how many rows in one column the shoulders' line and points have."""
        found = pose_of(6 * stick(), box=box)
        drawn = draw(black, scene_of(640, 480, poses=found), options)
        x = round(float(6 * MIDDLE[0]))
        return np.count_nonzero(drawn[40:65, x].any(axis=1))

    assert widest((0, 0, 30, 30)) < widest((0, 0, 300, 300))


def test_points_are_scaled_with_the_picture():
    found = PoseTask().scaled(pose_of(stick(), box=(1, 2, 3, 4)), np.float32([2, 3]))
    np.testing.assert_allclose(found.points[0], stick() * [2, 3])
    np.testing.assert_allclose(found.boxes, [[2, 6, 6, 12]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"postures": ()}, "Poses.postures: expected 1, got 0"),
        ({"postures": (("flying",),)}, "expected standing, .* got .*flying"),
        ({"points": np.zeros((1, 16, 2))}, r"Poses.points: expected shape \(N, 17, 2\)"),
        ({"point_scores": np.full((1, 17), np.nan)}, "finite"),
    ],
)
def test_a_result_that_makes_no_sense_is_refused(change, message):
    good = {
        "boxes": [[0, 0, 1, 1]],
        "scores": [0.5],
        "points": np.zeros((1, 17, 2)),
        "point_scores": np.zeros((1, 17)),
        "postures": ((),),
    }
    assert len(Poses(**good)) == 1
    with pytest.raises(ValueError, match=message):
        Poses(**(good | change))
