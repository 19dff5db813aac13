"""Which counts of objects a text speaks of."""

from collections.abc import Mapping, Sequence

from i2t_ros.language.grammar import Language
from i2t_ros.types import CountCheck


def check_counts(
    question: str,
    answer: str,
    detected: Mapping[str, int],
    classes: Sequence[str],
    language: Language,
) -> tuple[str, tuple[CountCheck, ...]]:
    """Return whether the counts of an answer are those that were detected, and each of them."""
    return "unchecked", ()
