"""Which counts of objects a text speaks of: two people and one dog in "There are two people ...".

For the answers of language models, which are compared with what was detected, and for questions.
In doubt a text says nothing of a class: that an answer was not checked is better than a wrong
disagreement. So these are no counts: "about two people", "two or three people", "another person",
"the two people", "it is not a dog", "each person has a dog", "two of the three dogs".

A class may be counted several times. "There are three people: two ... and one ..." are a whole and
its parts, and three. Otherwise it has several readings: the counts add up ("on the left two people,
on the right a person"), or a later sentence speaks of some of them again. The likelier comes first,
and an answer disagrees only if no reading is what was detected.

Words for some persons, such as "man", are no class and are left out.
"""

from collections.abc import Mapping, Sequence

from i2t_ros.language.counting_signs import SignText
from i2t_ros.language.counting_text import Text
from i2t_ros.language.counting_words import Lexicon, lexicon
from i2t_ros.language.grammar import Language
from i2t_ros.types import CountCheck

LONGEST_TEXT = 10_000
"""Characters; what comes after them is not read."""


def counts_in(text: str, classes: Sequence[str], language: Language) -> dict[str, int]:
    """Return class -> the count that a text states, in the text's order.

    A class of which it says nothing certain is left out. If several of ``classes`` have the same
    noun, the first stands for all.

    text     not more than LONGEST_TEXT characters are read
    classes  the detector's own labels
    """
    words = lexicon(language, tuple(classes))
    return _first(_read(text, words).readings(), words)


def answered_counts(
    question: str, answer: str, classes: Sequence[str], language: Language
) -> dict[str, int]:
    """Return the counts of an answer, as counts_in() does.

    If the question is how many there are of one class, the answer may be a bare number.
    """
    words = lexicon(language, tuple(classes))
    return _first(_answered(question, answer, words), words)


def check_counts(
    question: str,
    answer: str,
    detected: Mapping[str, int],
    classes: Sequence[str],
    language: Language,
) -> tuple[str, tuple[CountCheck, ...]]:
    """Compare the counts of an answer with what was detected.

    Returns "agrees" if all of them are what was detected, "disagrees" if one is not, "unchecked" if
    there are none; and what was compared.
    """
    words = lexicon(language, tuple(classes))
    found: dict[str, int] = {}
    for name, count in detected.items():
        key = language.noun(name).key
        found[key] = found.get(key, 0) + count
    checks = []
    for key, readings in _answered(question, answer, words).items():
        count, name = found.get(key, 0), words.classes[key]
        answered = count if count in readings else readings[0]
        checks.append(CountCheck(name, language.noun(name).label, answered, count))
    agreed = all(check.answered == check.detected for check in checks)
    return "unchecked" if not checks else "agrees" if agreed else "disagrees", tuple(checks)


def _first(readings: Mapping[str, tuple[int, ...]], words: Lexicon) -> dict[str, int]:
    return {words.classes[key]: counts[0] for key, counts in readings.items()}


def _answered(question: str, answer: str, words: Lexicon) -> dict[str, tuple[int, ...]]:
    text = _read(answer, words)
    readings = text.readings()
    if not readings and not text.doubtful:
        asked = _read(question, words).asked()
        number = text.only_number() if asked else None
        if number is not None:
            return {asked: (number,)}
    return readings


def _read(text: str, words: Lexicon) -> Text:
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT]
        # The last word may have been cut.
        text = text[: text.rfind(" ")] if words.spaced and " " in text else text
    return (Text if words.spaced else SignText)(words.items(text), words)
