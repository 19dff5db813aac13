"""What a person's key points say with certainty of how the person stands: stated geometry."""

from collections.abc import Mapping
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

KEY_POINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""COCO's 17, in its order (https://cocodataset.org/#format-data); left and right are the person's
own. MoveNet (https://www.tensorflow.org/hub/tutorials/movenet) and Ultralytics' models
(https://docs.ultralytics.com/tasks/pose/) have the same."""

LIMBS = (
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    *(
        (f"{side}_{start}", f"{side}_{end}")
        for side in ("left", "right")
        for start, end in (
            *(("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip")),
            *(("hip", "knee"), ("knee", "ankle"), ("eye", "ear")),
        )
    ),
    *(("nose", f"{side}_eye") for side in ("left", "right")),
)
"""The lines of a skeleton, each from point to point."""

SURE = 0.4
"""Points with this score or more are drawn and used. Of MoveNet's points of ten people of COCO's
val2017, 85 % of these are where somebody has put them, and 21 % of the others (docs/tasks.md)."""
UNSEEN = 0.25
"""Points with a score below are not in the picture; between the two is doubt."""

POSTURES = ("standing", "sitting", "lying", "arms_raised", "arm_raised", "facing_away")
"""In the order in which they are told. Each has its rule in docs/tasks.md and below."""

Point = NDArray[np.float64]


def postures_of(points: NDArray[np.float32], scores: NDArray[np.float32]) -> tuple[str, ...]:
    """Return those of POSTURES that are certain of one person, in that order.

    points  (17, 2), x and y in pixels (y down), in the order of KEY_POINTS
    scores  (17,), 0 to 1

    Every point that a rule names must be SURE. "Upright" is the picture's own up, so each rule has
    room for a camera that is tilted by about 8 degrees. Lengths are in torsos: from the middle of
    the shoulders to the middle of the hips. People's proportions are those of Winter, Biomechanics
    and Motor Control of Human Movement, fig. 4.1 (https://doi.org/10.1002/9780470549148): the
    torso is 0.29 of the height, thigh and shin 0.25 each, the shoulders are 0.26 wide.
    """
    at = {
        name: point
        for name, point, score in zip(
            KEY_POINTS, points.astype(np.float64), scores.tolist(), strict=True
        )
        if score >= SURE
    }
    raised = [_is_raised(at, side) for side in ("left", "right")]
    unseen = {n for n, score in zip(KEY_POINTS, scores.tolist(), strict=True) if score < UNSEEN}
    found = {
        "standing": _is_standing(at),
        "sitting": _is_sitting(at),
        "lying": _is_lying(at),
        "arms_raised": raised == [True, True],
        "arm_raised": set(raised) == {True, False},
        "facing_away": _is_facing_away(at, unseen),
    }
    return tuple(name for name in POSTURES if found[name])


def _is_standing(at: Mapping[str, Point]) -> bool:
    """Whether torso, both thighs and both shins are within 25 degrees of upright, and none short.

    Thighs and shins reach down by at least 0.6 torsos: the thighs of somebody who sits and faces
    the camera look short, and a standing person's are 0.85 from any height of the camera.
    """
    legs = [_parts(at, side, "hip", "knee", "ankle") for side in ("left", "right")]
    torso = _torso(at)
    if torso is None or not all(legs):
        return False
    return _off_upright(torso) <= 25 and all(
        _off_upright(part) <= 25 and part[1] >= 0.6 * np.linalg.norm(torso)
        for part in chain.from_iterable(legs)
    )


def _is_sitting(at: Mapping[str, Point]) -> bool:
    """Whether the torso is within 30 degrees of upright and neither thigh hangs.

    Each knee is at most 0.4 torsos below its hip, and at most 0.2 above it: somebody who squats low
    has higher knees.
    """
    thighs = [_parts(at, side, "hip", "knee") for side in ("left", "right")]
    torso = _torso(at)
    if torso is None or not all(thighs) or _off_upright(torso) > 30:
        return False
    length = np.linalg.norm(torso)
    return all(-0.2 * length <= thigh[1] <= 0.4 * length for (thigh,) in thighs)


def _is_lying(at: Mapping[str, Point]) -> bool:
    """Whether the torso is within 25 degrees of level, and so is each thigh, the same way.

    The thighs tell from somebody who bends forward or is on all fours.
    """
    thighs = [_parts(at, side, "hip", "knee") for side in ("left", "right")]
    torso = _torso(at)
    if torso is None or not all(thighs) or not 65 <= _off_upright(torso) <= 115:
        return False
    return all(65 <= _off_upright(each) <= 115 and each @ torso > 0 for (each,) in thighs)


def _is_raised(at: Mapping[str, Point], side: str) -> bool | None:
    """Whether an arm is raised; None: in doubt.

    Raised: the wrist is above the elbow, that above the shoulder, and the wrist above all of the
    head that is seen, by 0.15 of the arm's length, and above the shoulder by half of it. Not
    raised: the wrist is at most a quarter of that length above the shoulder, and below the top of
    the head, as with a telephone at the ear. Who shades the eyes is in doubt.
    """
    arm = _parts(at, side, "shoulder", "elbow", "wrist")
    head = [at[name][1] for name in KEY_POINTS[:5] if name in at]
    if not arm or not head:
        return None
    length = sum(float(np.linalg.norm(part)) for part in arm)
    upper, lower = -arm[0][1], -arm[1][1]  # how far they reach up
    above = min(head) - at[f"{side}_wrist"][1]
    if min(upper, lower) > 0 and above >= 0.15 * length and upper + lower >= 0.5 * length:
        return True
    if upper + lower <= 0.25 * length and above < 0:
        return False
    return None


def _is_facing_away(at: Mapping[str, Point], unseen: set[str]) -> bool:
    """Whether the left shoulder is where the right one is of somebody who faces the camera.

    By at least 0.45 torsos: half of a person's width. The hips are the same way round, and neither
    nose nor eyes are seen. It does not depend on which way is up.
    """
    torso = _torso(at)
    if torso is None or not {"nose", "left_eye", "right_eye"} <= unseen:
        return False
    across = [at[f"left_{part}"] - at[f"right_{part}"] for part in ("shoulder", "hip")]
    # Positive for who faces the camera: there, what is left is to the right of the way down.
    shoulders, hips = (float(each[0] * torso[1] - each[1] * torso[0]) for each in across)
    return shoulders <= -0.45 * float(torso @ torso) and hips < 0


def _torso(at: Mapping[str, Point]) -> Point | None:
    """Return the way from the middle of the shoulders to that of the hips; None: in doubt."""
    names = [f"{side}_{part}" for part in ("shoulder", "hip") for side in ("left", "right")]
    if not at.keys() >= set(names):
        return None
    corners = [at[name] for name in names]
    torso = (corners[2] + corners[3] - corners[0] - corners[1]) / 2
    return torso if torso.any() else None


def _parts(at: Mapping[str, Point], side: str, *joints: str) -> list[Point]:
    """Return the way from each joint of an arm or leg to the next; empty: in doubt."""
    names = [f"{side}_{joint}" for joint in joints]
    if not at.keys() >= set(names):
        return []
    return [at[end] - at[start] for start, end in pairwise(names)]


def _off_upright(way: Point) -> float:
    """Return the angle between a way and straight down, 0 to 180 degrees."""
    return float(np.degrees(np.arctan2(abs(way[0]), way[1])))
