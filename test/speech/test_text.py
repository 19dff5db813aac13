"""What of a sentence reaches an engine."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sounds import silence

from i2t_ros.errors import InvalidRequestError, SpeechError
from i2t_ros.speech.base import LONGEST, LONGEST_SOUND, Manner, clean, seconds_of, shortened


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("I can see a dog.", "I can see a dog."),
        ("two\nlines\r\n\tof text", "two lines of text"),
        ("a\x0150S command\x00\x7f\x9b", "a 50S command"),
        ("a \u202egod\u202c \u2066cat\u2069", "a god cat"),
        ("\u200fכלב\u200e", "\u200fכלב\u200e"),
        ("half a pair \ud83d here", "half a pair here"),
        ("The text reads “[[h@l'oU]]”.", "The text reads “[ [h@l'oU] ]”."),
        ("[[[[a]]]]", "[ [ [ [a] ] ] ]"),
        ("<speak>&lt;hi</speak>", "<speak>&lt;hi</speak>"),
        ("-f /etc/passwd", "-f /etc/passwd"),
        ("我看到两个人。", "我看到两个人。"),
        ("मुझे दो लोग दिखाई दे रहे हैं", "मुझे दो लोग दिखाई दे रहे हैं"),
        ("", ""),
        ("… !?", ""),
        ("\x00\x01", ""),
    ],
)
def test_a_sentence_is_text_and_nothing_else(sentence, said):
    assert clean(sentence) == said


def test_a_long_sentence_ends_with_a_whole_word():
    text = clean("twelve words " * 10_000)
    assert LONGEST - 13 < len(text) <= LONGEST
    assert text.endswith(("twelve", "words"))
    assert len(clean("x" * 10_000)) == LONGEST


def test_a_megabyte_costs_no_more_than_a_page():
    def seconds(text):
        begun = time.process_time()
        clean(text)
        return time.process_time() - begun

    page = max(seconds("[[word " * 1000) for _ in range(3))
    assert min(seconds("[[word " * 1_000_000) for _ in range(3)) < 20 * page


@given(st.text())
def test_whatever_comes_is_safe_and_stays_as_it_is(sentence):
    text = clean(sentence)
    assert clean(text) == text
    assert len(text) <= LONGEST
    assert "[[" not in text
    assert not set(map(chr, [*range(32), *range(127, 160)])) & set(text)
    text.encode()


def test_the_length_of_a_sound():
    assert seconds_of(silence(1.25)) == 1.25


def test_a_sound_of_minutes_is_cut():
    assert shortened(silence(LONGEST_SOUND)) == silence(LONGEST_SOUND)
    assert shortened(silence(500)) == silence(LONGEST_SOUND)


@pytest.mark.parametrize("sound", [b"", b"RIFF", b"x" * 1000, silence(0), silence(1)[:30]])
def test_what_is_no_sound_is_an_error(sound):
    for look in (seconds_of, shortened):
        with pytest.raises(SpeechError, match="a sentence became"):
            look(sound)


@pytest.mark.parametrize("wrong", [{"rate": 79}, {"rate": 451}, {"volume": -0.1}, {"volume": 2.1}])
def test_a_manner_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
        Manner("en", **wrong)
