"""The real `ros2 bag` reads and plays what is written, where it is installed."""

import shutil
import subprocess

import numpy as np
import pytest
from annotating import annotate
from bag_material import raw, write_bag

ROS2 = shutil.which("ros2")
pytest.importorskip("rosbag2_py", reason="rosbag2 is not on PyPI; a robot has it")
pytestmark = pytest.mark.skipif(ROS2 is None, reason="there is no ros2 command")


def ros2_bag(*args):
    done = subprocess.run(
        [ROS2, "bag", *map(str, args)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("copy", ["images", "none"])
def test_an_annotated_bag_is_told_of_and_played(tmp_path, copy):
    image = np.full((48, 64, 3), 128, np.uint8)
    bag = write_bag(tmp_path / "drive", [raw(i / 10, "/front", image) for i in range(10)])
    annotate(bag, "--out", tmp_path / "out", "--outputs", "recording", "--copy", copy)
    told = ros2_bag("info", tmp_path / "out/annotated")
    topics = {"/front"} if copy == "images" else set()
    for topic in topics | {"/front/detections", "/front/sentence"}:
        assert f"Topic: {topic} " in told
    assert "Count: 10 " in told
    ros2_bag("play", tmp_path / "out/annotated", "--rate", 10, "--disable-keyboard-controls")
