"""The sections ``distance`` and ``poses`` of a language file: what is said of a wrong one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from project import ROOT

from i2t_ros.errors import InvalidRequestError
from i2t_ros.language import Languages, load_languages


def languages(folder: Path, **files: str) -> Languages:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_languages(folder)


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("distance: {left: links}", "distance.left.other: expected a text with the fields {dist"),
        ("distance: {meters: '{number} {unit}'}", "distance.meters.other: expected a text with"),
        ("distance: {half_meter: '{number} m'}", "distance.half_meter.other: expected a text with"),
        ("distance: {yards: yards}", "distance: .*yards"),
        ("distance: {genders: {meters: x}}", "distance.genders.meters: expected one of"),
        ("distance: {numbers: {2: [zwei]}}", "distance.numbers"),
        ("distance: {case: 3}", "distance.case: expected a text, got"),
        ("poses: {sitting: 'Jemand sitzt.'}", "poses.sitting.other: expected a text with"),
        ("poses: {jumping: '{things}'}", "poses: .*jumping"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, file: str, problem: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"language de: {problem}"):
        languages(tmp_path, de=file)


@pytest.mark.parametrize(
    "absent", ["distance", "poses", "distance.left", "distance.feet", "poses.lying", "poses.empty"]
)
def test_a_complete_language_needs_every_phrase(tmp_path: Path, absent: str) -> None:
    guide = (ROOT / "docs" / "languages.md").read_text("utf-8")
    (text,) = re.findall(r"```yaml\n# sv\.yaml\n(.*?)```", guide, re.DOTALL)
    section, _, key = absent.partition(".")
    lines, within = [], False
    for line in text.splitlines():
        if not line.startswith(" "):
            within = line == f"{section}:"
        if within and (not key or line.startswith(f"  {key}:")):
            continue
        lines.append(line)
    assert languages(tmp_path, sv=text).get("sv")

    with pytest.raises(InvalidRequestError, match=rf"language sv: .*missing.*{key or section}"):
        languages(tmp_path, sv="\n".join(lines))
