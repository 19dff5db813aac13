from __future__ import annotations

import pytest

from i2t_ros.language.korean import fill


@pytest.mark.parametrize(
    ("template", "word", "expected"),
    [
        ("{x}이(가) 있습니다", "사람", "사람이 있습니다"),
        ("{x}이(가) 있습니다", "고양이 한 마리", "고양이 한 마리가 있습니다"),
        ("{x}을(를)", "책", "책을"),
        ("{x}을(를)", "의자", "의자를"),
        ("{x}은(는)", "곰", "곰은"),
        ("{x}은(는)", "개", "개는"),
        ("{x}과(와)", "말", "말과"),
        ("{x}과(와)", "사과", "사과와"),
        ("{x}이(가)", "10", "10이"),
        ("{x}이(가)", "2", "2가"),
        ("{x}이(가)", "3", "3이"),
        ("{x}이(가)", "AGV", "AGV이(가)"),
        ("{x}이(가)", "", "이(가)"),
        ("({x})", "“이(가)”", "(“이(가)”)"),
    ],
)
def test_particles_follow_the_sound_before_them(template: str, word: str, expected: str) -> None:
    assert fill(template, {"x": word}) == expected


def test_what_is_filled_in_is_not_read_as_a_template() -> None:
    assert fill("{x}과(와) {y}", {"x": "{y}", "y": "개"}) == "{y}과(와) 개"
