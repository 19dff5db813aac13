"""What a language model is given, and what it gives."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is given: the rules, the question with all facts, and the picture.

    jpeg  an encoded picture; empty: there is none
    """

    rules: str
    question: str
    jpeg: bytes = b""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a language model has written: one line, not empty.

    elapsed  seconds from the request to the last word
    cut      whether it was cut off at ``caption_max_tokens``; the text ends with a whole sentence
    """

    text: str
    elapsed: float
    cut: bool = False
