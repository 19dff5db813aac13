"""Names of streams and of annotated bags: no two alike, whatever the recordings are called."""

import pytest
from bag_material import picture, raw, write_bag

from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.recordings.base import Selection
from i2t_ros.recordings.open import paths_of
from i2t_ros.recordings.reading.bags import BagRecording
from i2t_ros.recordings.rendering.bags import BagRenderer
from i2t_ros.recordings.work.streams import streams_of
from i2t_ros.recordings.writing.base import Telling


def bag(folder, *topics):
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = write_bag(folder, [raw(0, topic, picture()) for topic in topics])
    return BagRecording(str(made), 1000, "full")


@pytest.mark.parametrize(
    ("topics", "names", "folders"),
    [
        (
            [("/a", "/b"), ("/c", "/d")],
            ["drive.a", "drive.b", "drive-2.c", "drive-2.d"],
            ["annotated.drive", "annotated.drive-2"],
        ),
        (
            [("/a", "/b"), ("/a",)],
            ["drive.a", "drive.b", "drive-2"],
            ["annotated.drive", "annotated.drive-2"],
        ),
        (
            [("/front/image_raw", "/front-image_raw"), ("/a",)],
            ["drive.front-image_raw", "drive.front-image_raw-2", "drive-2"],
            ["annotated.drive", "annotated.drive-2"],
        ),
    ],
)
def test_bags_of_the_same_name_do_not_share_a_folder(tmp_path, topics, names, folders):
    recordings = [bag(tmp_path / str(n) / "drive", *each) for n, each in enumerate(topics)]
    streams = streams_of(recordings, Selection())
    assert sorted(stream.name for stream in streams) == sorted(names)
    telling = Telling(streams, Selection(), DescribeOptions(), copy="none", folder=tmp_path)
    made = []
    for number, recording in enumerate(recordings):
        own = [stream for stream in streams if stream.recording == number]
        made += BagRenderer(recording, own, telling).join([])
    assert [folder.name for folder in made] == folders


def test_a_folder_of_bags_stands_for_each_of_them(tmp_path):
    names = "drive_20260301_120000.mcap", "drive_20260301_130000.mcap", "other.db3"
    for name in names:
        (tmp_path / name).touch()
    assert paths_of([str(tmp_path)]) == [str(tmp_path / name) for name in names]


def test_the_files_of_one_bag_are_one_recording(tmp_path):
    for name in ("drive_0.mcap", "drive_1.mcap", "drive_2.mcap.zstd"):
        (tmp_path / name).touch()
    assert paths_of([str(tmp_path)]) == [str(tmp_path)]
