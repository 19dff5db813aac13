"""The version of ~/vision_info says when another answer may come for the same image."""

import subprocess
import sys
from dataclasses import replace

import pytest

from i2t_ros.language import load_languages
from i2t_ros.nodes.detector.reports import options_version
from i2t_ros.nodes.parameters.declaration import ros_default
from i2t_ros.nodes.parameters.detector import DETECTOR, describe_options
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.object_detector import DetectOptions

VALUES = {option.name: ros_default(option) for option in DETECTOR}
FILTER = {"deny_classes": ["dog", "cat", "bird", "cow"], "class_min_scores": ["cat=0.5"]}


def version(**changes):
    return options_version(describe_options(VALUES | changes))


@pytest.mark.parametrize(
    "change",
    [
        {"language": "es"},
        {"style": "list"},
        {"hedge": True},
        {"object_colors": True},
        {"tasks": ["faces"]},
        {"draw_scores": False},
        {"min_score": 0.25},
        {"deny_classes": ["dog"]},
        {"class_min_scores": ["dog=0.5"]},
        {"face_min_score": 0.25},
        {"translate_to": "fr"},
        {"top_k": 3},
    ],
)
def test_each_live_option_changes_the_version(change):
    assert version(**change) != version()
    assert version(**change) == version(**change)


def test_the_version_is_the_same_in_every_process():
    code = f"""
from i2t_ros.nodes.detector.reports import options_version
from i2t_ros.nodes.parameters.detector import describe_options
print(options_version(describe_options({VALUES | FILTER!r})))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == version(**FILTER)


def test_a_language_of_the_users_own_has_a_version_too(tmp_path):
    english = next(iter(load_languages().folders)) / "en.yaml"
    (tmp_path / "eo.yaml").write_bytes(english.read_bytes())
    options = DescribeOptions(language="eo", languages=load_languages(tmp_path))
    assert 0 <= options_version(options) < 2**31
    other = replace(options, task_options={"detect": DetectOptions(min_score=0.5)})
    assert options_version(other) != options_version(options)
