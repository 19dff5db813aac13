"""Text that a language model has written, made fit for a message, a log and a voice."""

import re

from i2t_ros.language.grammar import clean

_THOUGHT = re.compile(r"\s*<think>.*?(?:</think>|\Z)", re.DOTALL)
"""What a reasoning model writes before its answer, unless the server takes it out."""
_END = re.compile(r"[.!?…؟][\"'”’»)]*(?=\s|$)|[。！？।][\"'”’」）]*")


def tidy(text: str) -> str:
    """Return a text in one line: single spaces, nothing invisible, no thoughts before it."""
    thought = _THOUGHT.match(text)
    return clean(text[thought.end() :] if thought else text)


def whole_sentences(text: str) -> str:
    """Return a text that was cut off without its last sentence; if it is the only one, with "…"."""
    ends = [found.end() for found in _END.finditer(text)]
    return text[: ends[-1]] if ends else f"{text}…"
