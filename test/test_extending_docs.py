"""docs/extending.md and the backend of docs/models.md do what they say, followed to the letter."""

import json
import re
import subprocess
import sys
import textwrap

import cv2
import numpy as np
import pytest
from project import ROOT

PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")


def block(first_line):
    """Return the code that begins with this comment."""
    return next(
        code
        for code in re.findall(r"```\w+\n(.*?)```", PAGE, re.DOTALL)
        if code.startswith(first_line)
    )


@pytest.fixture
def package(tmp_path):
    """Return a folder as pip would leave it: the module, and what its pyproject.toml declares."""
    (tmp_path / "i2t_light.py").write_text(block("# i2t_light.py"))
    declared = block("# pyproject.toml")
    group, entry = re.search(r'entry-points\."(.+?)"\]\n(.+)', declared).groups()
    info = tmp_path / "i2t_light-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: i2t-light\nVersion: 1.0\n")
    name, value = (part.strip(' "') for part in entry.split("="))
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")
    return tmp_path


def picture(folder, brightness):
    path = folder / f"{brightness}.png"
    cv2.imwrite(str(path), np.full((60, 80, 3), brightness, np.uint8))
    return path


def run(folder, *arguments, text=""):
    """Run Python with the folder on its path; return what it printed."""
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); "
    done = subprocess.run(
        [sys.executable, "-c", code + arguments[0], *map(str, arguments[1:])],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


I2T = "from i2t_ros.cli.main import main; sys.exit(main(sys.argv[1:]))"


def test_the_task_of_the_page_is_a_task(package):
    dark, bright = picture(package, 10), picture(package, 200)
    said = run(package, I2T, "describe", dark, "--tasks", "light")
    assert said.startswith("It is dark.\n")
    answer = json.loads(
        run(package, I2T, "describe", bright, "--tasks", "light", "--json", "--dark-below", "230")
    )
    assert (answer["brightness"], answer["dark"]) == (200.0, True)
    assert answer["sentence"] == "It is dark."
    assert answer["tasks"] == ["light"]
    said = run(package, I2T, "describe", bright, "--tasks", "light")
    assert said.startswith("I don't see anything I recognize.\n")
    spanish = run(package, I2T, "describe", dark, "--tasks", "light", "--language", "es")
    assert spanish.startswith("Está oscuro.")


def test_the_task_of_the_page_speaks_a_users_variety_of_a_language(package):
    (package / "es-MX.yaml").write_text("extends: es\nname: Español de México\n")
    code = textwrap.dedent(
        """
        from pathlib import Path
        from i2t_light import LightFacts
        from i2t_ros.language import compose, load_languages
        from i2t_ros.language.facts import Fact
        own = load_languages(Path.cwd())
        print(compose([LightFacts((Fact("dark"),))], "es-MX", languages=own))
        """
    )
    assert run(package, code) == "Está oscuro.\n"


def test_the_task_of_the_page_goes_through_a_message_and_is_drawn(package):
    pytest.importorskip("rclpy")
    code = textwrap.dedent(
        """
        import numpy as np
        from std_msgs.msg import Header
        from i2t_ros.nodes.messages.descriptions import description_from_msg, description_to_msg
        from i2t_ros.nodes.parameters.detector import DETECTOR
        from i2t_ros.pipeline.describe_options import DescribeOptions
        from i2t_ros.pipeline.describer import Describer
        from i2t_ros.pipeline.loading import OpenOptions
        from i2t_ros.pipeline.tasks.registry import TASKS
        from i2t_ros.pipeline.telling import draw
        task = TASKS["light"]
        describer = Describer({"light": lambda: task.open(task.settings(), OpenOptions())})
        options = DescribeOptions(tasks=("light",))
        image = np.zeros((60, 80, 3), np.uint8)
        description = describer.describe(image, options)
        back = description_from_msg(description_to_msg(Header(), description))
        assert back.scene.results == description.scene.results, back
        assert draw(image, description.scene, options).any()
        assert "dark_below" in [option.name for option in DETECTOR]
        describer.close()
        """
    )
    run(package, code)


def test_the_bridge_of_the_page_answers(package):
    (package / "i2t_stdin.py").write_text(block("# i2t_stdin.py"))
    dark = picture(package, 10)
    code = "import i2t_stdin, i2t_ros.pipeline.describer as d; "
    code += "i2t_stdin.DescribeOptions = lambda: d.DescribeOptions(tasks=('light',)); "
    said = run(package, code + "i2t_stdin.main()", text=f"{dark}\nnowhere.png\n").splitlines()
    assert said[0] == f"{dark}: It is dark."
    assert "nowhere.png" in said[1]
