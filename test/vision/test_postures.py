"""Postures of stick figures whose answer is known, drawn here by angles."""

from itertools import product

import numpy as np
import pytest

from i2t_ros.vision.postures import KEY_POINTS, LIMBS, POSTURES, SURE, UNSEEN, postures_of

# Lengths of a body whose torso is 1.
SHOULDERS, HIPS, UPPER_ARM, FOREARM, THIGH, SHIN = 0.9, 0.65, 0.65, 0.5, 0.85, 0.85
DOWN, UP = 0, 180


def way(angle, length):
    """Return a step at so many degrees from straight down, towards the right of the picture."""
    return length * np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))])


def figure(
    torso=DOWN, arms=((10, 10), (10, 10)), legs=((3, 3), (3, 3)), facing=1, thighs=THIGH, width=1.0
):
    """Return the points of a body, and scores of 0.9.

    torso   degrees from straight down, from the shoulders to the hips
    arms, legs  left, then right: degrees of the upper and the lower part from straight down,
            outward from the body
    facing  1: towards the camera, whose right is the person's left; -1: away from it
    """
    across = facing * width * way(torso + 90, 1)
    at = dict.fromkeys(KEY_POINTS, np.zeros(2))
    hips = way(torso, 1)
    for name, where, apart in (("nose", 0.35, 0), ("eye", 0.42, 0.06), ("ear", 0.4, 0.14)):
        for side, sign in (("left_", 1), ("right_", -1)) if apart else (("", 0),):
            at[side + name] = way(torso, -where) + sign * apart * across
    for sign, side, arm, leg in ((1, "left", *(arms[0], legs[0])), (-1, "right", arms[1], legs[1])):
        at[f"{side}_shoulder"] = sign * SHOULDERS / 2 * across
        at[f"{side}_hip"] = hips + sign * HIPS / 2 * across
        out = sign * facing
        for start, middle, end, lengths, angles in (
            ("shoulder", "elbow", "wrist", (UPPER_ARM, FOREARM), arm),
            ("hip", "knee", "ankle", (thighs, SHIN), leg),
        ):
            upper, lower = (way(out * a, n) for a, n in zip(angles, lengths, strict=True))
            at[f"{side}_{middle}"] = at[f"{side}_{start}"] + upper
            at[f"{side}_{end}"] = at[f"{side}_{middle}"] + lower
    return np.array([at[name] for name in KEY_POINTS]), np.full(len(KEY_POINTS), 0.9)


def both(angles):
    return (angles, angles)


def told(points, scores, scale=100.0, shift=(300, 200)):
    placed = np.asarray(points * scale + shift, np.float32)
    return postures_of(placed, np.asarray(scores, np.float32))


def turned(points, degrees):
    """Return the points as a camera sees them that is tilted by so much."""
    angle = np.radians(degrees)
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def mirrored(points):
    """Return the points of the same body in a mirror, where its left is its right."""
    other = [
        name.replace("left", "*").replace("right", "left").replace("*", "right")
        for name in KEY_POINTS
    ]
    return points[[KEY_POINTS.index(name) for name in other]] * [-1, 1]


# Somebody seen from the side has hips and shoulders in one place; both legs go the same way.
SIDE = {"width": 0.1, "facing": 1}
KNOWN = {
    "a standing person": (figure(), ("standing",)),
    "with legs apart": (figure(legs=both((15, 12))), ("standing",)),
    "hands up": (figure(arms=both((165, 170))), ("standing", "arms_raised")),
    "a wide V": (figure(arms=both((130, 140))), ("standing", "arms_raised")),
    "one arm up": (figure(arms=((165, 170), (10, 10))), ("standing", "arm_raised")),
    "one arm up, one to the side": (
        figure(arms=((90, 90), (160, 170))),
        ("standing", "arm_raised"),
    ),
    "arms to the sides": (figure(arms=both((90, 90))), ("standing",)),
    "sitting, seen from the side": (figure(legs=((90, 0), (-90, 0)), **SIDE), ("sitting",)),
    "sitting, seen from the front": (figure(thighs=0.2, legs=both((10, 0))), ("sitting",)),
    "sitting with both arms up": (
        figure(thighs=0.2, legs=both((10, 0)), arms=both((165, 170))),
        ("sitting", "arms_raised"),
    ),
    "lying": (
        figure(torso=90, legs=((90, 90), (-90, -90)), arms=((90, 90), (-90, -90))),
        ("lying",),
    ),
    "lying, the other way": (
        figure(torso=-90, legs=((-90, -90), (90, 90)), arms=((-90, -90), (90, 90))),
        ("lying",),
    ),
}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("scale", [8.0, 100.0, 1500.0])
def test_figures_at_every_scale_tilted_and_in_a_mirror(name, scale):
    (points, scores), wanted = KNOWN[name]
    for tilt, seen in product((-8, -4, 0, 4, 8), (points, mirrored(points))):
        assert told(turned(seen, tilt), scores, scale) == wanted, (name, tilt)


@pytest.mark.parametrize("name", KNOWN)
def test_a_point_that_is_not_sure_is_not_used(name):
    """Whatever it says, and whichever it is: no other posture is told without it."""
    (points, scores), wanted = KNOWN[name]
    random = np.random.default_rng(1)
    for i in range(len(KEY_POINTS)):
        less = scores.copy()
        less[i] = SURE - 0.01
        once, again = (told(moved(points, i, random), less) for _ in range(2))
        assert once == again == told(points, less)
        assert set(once) <= {*wanted}


def moved(points, i, random):
    points = points.copy()
    points[i] += random.uniform(-3, 3, 2)
    return points


@pytest.mark.parametrize(
    ("posture", "needed"),
    [
        ("standing", ["left_shoulder", "right_hip", "left_knee", "right_ankle"]),
        ("arms_raised", ["left_shoulder", "right_elbow", "left_wrist"]),
    ],
)
def test_each_point_that_a_rule_names_is_needed(posture, needed):
    points, scores = figure(arms=both((165, 170)))
    assert posture in told(points, scores)
    for name in needed:
        less = scores.copy()
        less[KEY_POINTS.index(name)] = 0.3
        assert posture not in told(points, less), name
    headless = scores.copy()
    headless[:5] = 0.3
    assert ("arms_raised" in told(points, headless)) is False


def without_a_face(scores):
    return np.where([name in {"nose", "left_eye", "right_eye"} for name in KEY_POINTS], 0.1, scores)


def test_who_faces_away_has_the_shoulders_the_other_way_round():
    away, scores = figure(facing=-1)
    faceless = without_a_face(scores)
    for tilt in (-30, -8, 0, 8, 30, 180):
        assert "facing_away" in told(turned(away, tilt), faceless)
    towards, _ = figure(facing=1)
    assert told(towards, faceless) == ("standing",)  # in the dark, say
    assert told(away, scores) == ("standing",)  # a face is seen: left and right may be mistaken


@pytest.mark.parametrize("name", ["nose", "left_eye", "right_eye"])
def test_doubt_about_a_face_is_doubt_about_facing_away(name):
    away, scores = figure(facing=-1)
    doubtful = without_a_face(scores)
    doubtful[KEY_POINTS.index(name)] = (SURE + UNSEEN) / 2
    assert "facing_away" not in told(away, doubtful)


def test_who_is_seen_from_the_side_neither_faces_the_camera_nor_away():
    points, scores = figure(facing=-1, width=0.4)
    assert "facing_away" not in told(points, without_a_face(scores))


@pytest.mark.parametrize(
    "doubtful",
    [
        figure(legs=both((3, 60))),  # a shin: on the way to kneel
        figure(legs=both((50, 3))),  # thighs between hanging and level
        figure(thighs=0.45, legs=both((10, 0))),  # sitting, or standing far below the camera
        figure(torso=45, legs=both((3, 3))),  # bends forward
        figure(legs=((140, 0), (-140, 0)), **SIDE),  # squats low: knees above the hips
    ],
)
def test_between_two_postures_nothing_is_told(doubtful):
    assert told(*doubtful) == ()


@pytest.mark.parametrize(
    "arm",
    [
        (90, 180),  # shades the eyes, or is half way up
        (115, 115),  # points up a little
    ],
)
def test_an_arm_in_doubt_is_neither_raised_nor_the_other_one(arm):
    assert told(*figure(arms=both(arm))) == ("standing",)
    assert told(*figure(arms=(arm, (165, 170)))) == ("standing",)
    assert told(*figure(arms=(arm, (10, 10)))) == ("standing",)


def test_a_telephone_at_the_ear_is_no_raised_arm():
    assert told(*figure(arms=((20, 160), (10, 10)))) == ("standing",)
    assert told(*figure(arms=((20, 160), (165, 170)))) == ("standing", "arm_raised")


def test_who_is_on_all_fours_or_bends_does_not_lie():
    points, scores = figure(torso=90, legs=((0, 0), (0, 0)), arms=((0, 0), (0, 0)))
    assert told(points, scores) == ()


def test_nobody_and_a_single_point_have_no_posture():
    points, scores = figure()
    assert told(points, np.zeros(17)) == ()
    assert told(np.zeros((17, 2)), scores) == ()


def test_skeletons_and_postures_use_known_names():
    assert {name for limb in LIMBS for name in limb} == {*KEY_POINTS}
    assert len(set(LIMBS)) == len(LIMBS)
    assert {name for _, wanted in KNOWN.values() for name in wanted} == {*POSTURES} - {
        "facing_away"
    }
