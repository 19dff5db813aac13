"""Letters that join, move and run from right to left."""

import numpy as np
import pytest

from i2t_ros.vision import fonts
from i2t_ros.vision.drawing import caption, readable
from i2t_ros.vision.fonts import can_draw, covers, right_to_left, text_mask

NOTO_ARABIC = "/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf"
LABELS = {"ar": "كلب", "hi": "कुत्ता", "ru": "собака", "tr": "içecek ŞİĞ", "pl": "łódź"}


@pytest.fixture
def shaping(font_file):
    """Return a function that skips the test where a text can neither be written nor shaped."""

    def check(text):
        font_file(text)
        if not fonts.can_shape():
            pytest.skip("Pillow has no Raqm, or no FriBiDi: apt install libfribidi0")

    return check


@pytest.fixture
def unknown():
    """Forget what was found out about fonts, before the test and after it."""
    can_draw.cache_clear()
    yield
    can_draw.cache_clear()


@pytest.fixture
def unshaped(monkeypatch, unknown):
    """Pillow has no Raqm."""
    monkeypatch.setattr(fonts, "can_shape", lambda: False)


def inked(mask):
    """Return the part of a mask that has letters."""
    rows, columns = mask.any(axis=1).nonzero()[0], mask.any(axis=0).nonzero()[0]
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def alike(one, other):
    """Return whether two masks show the same, but for a pixel at their edges."""
    height, width = (min(one.shape[axis], other.shape[axis]) for axis in (0, 1))
    assert max(abs(a - b) for a, b in zip(one.shape, other.shape, strict=True)) <= 1
    one, other = (part[:height, :width].astype(float).ravel() for part in (one, other))
    return np.corrcoef(one, other)[0, 1] > 0.9


@pytest.mark.parametrize("language", LABELS)
def test_a_label_is_written_in_its_own_script(shaping, language):
    label = LABELS[language]
    shaping(f"{label} 93%")
    assert readable("dog", lambda _: label) == label
    mask = text_mask(caption(label, ["93%"]), 30)
    assert not np.array_equal(mask, text_mask("".join("?" if c > "~" else c for c in label), 30))
    assert inked(mask).shape[1] > inked(text_mask("93%", 30)).shape[1]


def test_arabic_letters_are_joined(shaping):
    shaping("كلب")
    apart = text_mask("ك\u200cل\u200cب", 40)  # zero width non-joiners
    assert text_mask("كلب", 40).shape[1] < apart.shape[1]


def test_arabic_runs_from_right_to_left_and_its_score_does_not(shaping):
    shaping("كلب 93% #4")
    score = inked(text_mask("93% #4", 40))
    mask = text_mask(caption("كلب", ["93%", "#4"]), 40)
    assert alike(inked(mask[:, : score.shape[1] + 2]), score)
    word = inked(text_mask("كلب", 40))
    assert alike(inked(mask[:, -word.shape[1] - 2 :]), word)


def test_a_vowel_sign_of_devanagari_is_moved_before_its_letter(shaping):
    shaping("कि")
    letter = inked(text_mask("क", 60))
    both = inked(text_mask("कि", 60))
    assert both.shape[1] > letter.shape[1]
    body = letter.shape[0] // 2  # below the line from which letters hang, and what joins it
    right = both[-body:, -letter.shape[1] :]
    assert alike(right, letter[-body:])


def test_consonants_of_devanagari_become_one(shaping):
    shaping("क्त")
    width = {text: inked(text_mask(text, 60)).shape[1] for text in ("क", "त", "क्त")}
    assert width["क्त"] < width["क"] + width["त"]


@pytest.mark.parametrize("label", ["كلب", "कुत्ता", "कप", "שלום", "สุนัข", "dog كلب"])
def test_what_cannot_be_shaped_is_written_in_english(unshaped, label):
    assert not can_draw(label)
    assert readable("dog", lambda _: label) == "dog"
    no_letters = "".join("\U000effff" if c > "~" else c for c in label)
    assert np.array_equal(text_mask(label, 20), text_mask(no_letters, 20))


@pytest.mark.parametrize("label", ["perro", "собака", "köpek", "犬", "개"])
def test_other_scripts_need_no_shaping(font_file, unshaped, label):
    font_file(label)
    assert readable("dog", lambda _: label) == label


def test_a_font_without_the_signs_of_a_score_is_not_enough(monkeypatch, unknown, shaping):
    if not covers(NOTO_ARABIC, frozenset("كلب")) or covers(NOTO_ARABIC, frozenset("%")):
        pytest.skip("no Arabic font that lacks the percent sign: apt install fonts-noto-core")
    shaping("كلب")
    monkeypatch.setattr(fonts, "FONT_FILES", (NOTO_ARABIC,))
    assert can_draw("كلب")
    assert readable("dog", lambda _: "كلب") == "dog"


def test_a_vowel_sign_that_a_font_lacks_is_missed(font_file):
    latin = font_file("person")
    if covers(latin, frozenset("क")):
        pytest.skip("the first font has Devanagari")
    assert not covers(latin, frozenset("ि"))


def test_notes_follow_a_label():
    assert caption("dog", ["87%", "#4"]) == "dog 87% #4"
    assert caption("dog", []) == "dog"
    assert caption("", ["87%"]) == "87%"
    assert caption("", []) == ""
    assert caption("كلب", []) == "كلب"
    assert caption("كلب", ["87%", "#4"]) == "كلب \u200e87% #4\u200e"


def test_right_to_left():
    assert right_to_left("كلب")
    assert right_to_left("dog: שלום")
    assert not any(map(right_to_left, ["", "dog 87%", "собака", "कुत्ता", "犬", "\U0001f600"]))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x1c", "\x1e", "\x85", "\u2028", "\u2029"])
def test_several_lines_are_drawn_as_one(end):
    assert np.array_equal(text_mask(f"a{end}b", 16), text_mask("a b", 16))
