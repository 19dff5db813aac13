"""Which counts of objects a text speaks of: "There are two people and a dog."

For the answers of language models, which are compared with what was detected, and for questions.
In doubt a text says nothing of a class: that an answer was not checked is better than a wrong
disagreement. So these are no counts: "about two people", "two or three people", "another person",
"the two people", "not a dog", "each person has a dog", "two of the three dogs".

A class may be counted several times. "There are three people: two ... and one ..." are a whole and
its parts, and three. Otherwise it has several readings: the counts add up ("on the left two people,
on the right a person"), or a later sentence speaks of some of them again. The likelier comes first,
and an answer disagrees only if no reading is what was detected.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from i2t_ros.language.counting_words import BREAK, Item, Lexicon, lexicon
from i2t_ros.language.grammar import Language
from i2t_ros.types import CountCheck

LONGEST_TEXT = 10_000
"""Characters; what comes after them is not read."""

_SENTENCE = re.compile(r"[.!?\n\r。।؟]")
_MOST_WITHIN = 4
"""Listed words between a number and its noun."""

_GAP = re.compile(r"[ \u00a0]*[x×']?[ \u00a0]*")
_RANGE = re.compile(r" ?[-–—~〜～/、] ?|, ?")
_SIGN = re.compile(r"(?:[#$€£¥₹+%<>=]\s?|-)$")
_LISTED = re.compile(r"[ \u00a0]*[:=(][ \u00a0]*|[ \u00a0][-–—][ \u00a0]|[ \u00a0]?[x×][ \u00a0]?")


class _Mention(NamedTuple):
    """A count of a class; ``sentence`` is the number of its sentence."""

    key: str
    count: int
    sentence: int


def counts_in(text: str, classes: Sequence[str], language: Language) -> dict[str, int]:
    """Return class -> the count that a text states, in the text's order.

    A class of which it says nothing certain is left out. If several of ``classes`` have the same
    noun, the first stands for all.

    text     not more than LONGEST_TEXT characters are read
    classes  the detector's own labels
    """
    words = lexicon(language, tuple(classes))
    return {words.classes[key]: each[0] for key, each in _Text(text, words).readings().items()}


def answered_counts(
    question: str, answer: str, classes: Sequence[str], language: Language
) -> dict[str, int]:
    """Return the counts of an answer, as counts_in() does.

    If the question is how many there are of one class, the answer may be a bare number.
    """
    words = lexicon(language, tuple(classes))
    return {words.classes[key]: each[0] for key, each in _answered(question, answer, words).items()}


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


def _answered(question: str, answer: str, words: Lexicon) -> dict[str, tuple[int, ...]]:
    text = _Text(answer, words)
    readings = text.readings()
    if not readings and not text.doubtful:
        asked = _Text(question, words).asked()
        number = text.only_number() if asked else None
        if number is not None:
            return {asked: (number,)}
    return readings


class _Text:
    """The words of a text, and what they count.

    doubtful  the keys of nouns of which the text does not say how many there are
    """

    def __init__(self, text: str, words: Lexicon) -> None:
        self._words = words
        if len(text) > LONGEST_TEXT:
            text = text[:LONGEST_TEXT]
            text = text[: text.rfind(" ")] if words.spaced and " " in text else text
        self._items = words.items(text)
        self._end = text.rstrip()[-1:]
        self.doubtful: set[str] = set()
        self._mentions: list[_Mention] = []
        self._least: dict[str, int] = {}
        self._used: set[int] = set()
        self._sentence = 0
        self._clauses()
        for at, item in enumerate(self._items):
            self._sentence += bool(at and _SENTENCE.search(item.before))
            self._read(at, item)

    def _clauses(self) -> None:
        """Find the words of each clause, and those in which nothing counts."""
        self._clause: list[int] = []
        self._voided: set[int] = set()
        self._voids: dict[int, int] = {}
        clause = 0
        for at, item in enumerate(self._items):
            clause += bool(BREAK.search(item.before))
            self._clause.append(clause)
            if item.roles.keys() & {"voids", "zero"}:
                self._voids.setdefault(clause, at)
            if "voided" in item.roles or "zero_behind" in item.roles:
                self._voided.add(clause)

    def readings(self) -> dict[str, tuple[int, ...]]:
        """Return the key of each noun that is counted -> its counts, the likeliest first."""
        found: dict[str, list[_Mention]] = {}
        for mention in self._mentions:
            if mention.key in self._words.classes and mention.key not in self.doubtful:
                found.setdefault(mention.key, []).append(mention)
        readings = {}
        for key, mentions in found.items():
            counts = [mention.count for mention in mentions]
            if 0 in counts and any(counts):
                continue
            first, rest = counts[0], sum(counts[1:])
            if len(counts) == 1 or (len(counts) > 2 and first == rest):
                readings[key] = (first,)
                continue
            whole, parts = max(counts), first + rest
            again = mentions[-1].sentence != mentions[0].sentence
            both = (whole, parts) if again else (parts, whole)
            readings[key] = tuple(dict.fromkeys(both))
        # "Both people wear hats. One person smiles."
        least = self._least
        return {key: each for key, each in readings.items() if max(each) >= least.get(key, 0)}

    def asked(self) -> str:
        """Return the key of the one class of which a question asks how many there are, or ""."""
        if not any("how_many" in item.roles for item in self._items):
            return ""
        keys = {key for item in self._items for key in item.roles.get("noun", ())}
        return keys.pop() if len(keys) == 1 and keys <= self._words.classes.keys() else ""

    def only_number(self) -> int | None:
        """Return the one number of the text if it counts nothing that is named."""
        numbers = set()
        for at, item in enumerate(self._items):
            number = 0 if "none" in item.roles else item.roles.get("number")
            if number is None or at in self._used:
                continue
            if not self._bare(at):
                if number == 1 and not item.word.isdecimal():
                    continue  # an article
                return None
            numbers.add(number)
        return numbers.pop() if len(numbers) == 1 else None

    def _bare(self, at: int) -> bool:
        """Return whether a number counts nothing that is named."""
        if self._vague(at) or self._void(at) or self._choice(at) or _SIGN.search(self._before(at)):
            return False
        behind = self._next(at)
        if behind is not None and "counters" in self._items[behind].roles:
            behind = self._next(behind)
        if behind is None:
            return True
        item, size = self._items[behind], self._items[at].word
        if "behind" in item.roles or not _GAP.fullmatch(item.before):
            return False
        if not self._words.spaced:
            return not self._is_counted(behind) and "number" not in item.roles
        if item.word in ("m", "cm", "km", "kg", "mm") or self._is_counted(behind):
            return False
        return bool(size) and bool(item.roles.keys() & {"joints", "here", "within", "zero_behind"})

    def _is_counted(self, at: int) -> bool:
        return "noun" in self._items[at].roles

    def _before(self, at: int) -> str:
        return self._items[at].before

    def _next(self, at: int) -> int | None:
        """Return the next word if it is in the same clause."""
        behind = at + 1
        same = behind < len(self._items) and self._clause[behind] == self._clause[at]
        return behind if same else None

    def _last(self, at: int) -> int | None:
        """Return the word before it if it is in the same clause."""
        same = at > 0 and self._clause[at - 1] == self._clause[at]
        return at - 1 if same and _GAP.fullmatch(self._before(at)) else None

    def _read(self, at: int, item: Item) -> None:
        """Note what one word says."""
        nouns: Mapping[str, Any] = item.roles.get("noun", {})
        counted = item.roles.get("counted")
        if counted:
            key, number = counted
            self._note(key, number, at, at)
        elif nouns and not self._words.spaced:
            self._read_joined(at, next(iter(nouns)))
        elif nouns:
            self._read_spaced(at, nouns)
        elif "number" in item.roles and not self._words.spaced:
            self._read_people(at)

    def _note(self, key: str, number: int, first: int, noun: int) -> None:
        """Note a count, whose first and last word these are, unless something stands against it."""
        if self._choice(first) or self._vague(first) or self._void(first) or self._open(noun):
            self.doubtful.add(key)
        elif self._known(first):
            self._least[key] = max(self._least.get(key, 0), number)
        elif "number" not in self._items[first].roles or not _SIGN.search(self._before(first)):
            self._mentions.append(_Mention(key, number, self._sentence))
        self._used.add(first)

    def _vague(self, at: int) -> bool:
        last = self._last(at)
        return last is not None and "vague" in self._items[last].roles

    def _known(self, at: int) -> bool:
        last = self._last(at)
        return last is not None and "known" in self._items[last].roles

    def _void(self, at: int) -> bool:
        clause = self._clause[at]
        return clause in self._voided or self._voids.get(clause, at) < at

    def _choice(self, at: int) -> bool:
        """Return whether another number stands before this one: "two or three", "2-3"."""
        if "number" not in self._items[at].roles:
            return False
        if at and "number" in self._items[at - 1].roles:
            return bool(_RANGE.fullmatch(self._before(at)) or _GAP.fullmatch(self._before(at)))
        last = self._last(at)
        if last is None or not self._items[last].roles.keys() & {"either", "joints"}:
            return False
        return last > 0 and "number" in self._items[last - 1].roles

    def _open(self, at: int) -> bool:
        """Return whether what follows a noun makes its number doubtful: "two dogs or more"."""
        behind = self._next(at)
        return behind is not None and "behind" in self._items[behind].roles

    def _whole(self, at: int, singular: bool) -> bool:
        """Return whether a noun is no part of another: not "bus stop", "dog's", "dog-friendly"."""
        if at + 1 == len(self._items):
            return True
        item = self._items[at + 1]
        if item.before[:1] in ("-", "'", "/") or self._before(at)[-1:] == "-":
            return False
        behind, tail = self._next(at), self._words.tail
        if behind is None or tail is None or not (singular or self._words.tag != "en"):
            return True
        if "noun" in item.roles and "joints" not in item.roles:
            return False
        return bool(item.roles or tail.fullmatch(item.word))

    def _fits(self, number: int, categories: Any) -> bool:
        if self._words.tag == "ar" and number > 10:
            return bool({"one", "many", "other"} & set(categories))
        return self._words.plural(number) in categories

    def _read_spaced(self, at: int, nouns: Mapping[str, Any]) -> None:
        """Read what stands before a noun, as languages do whose words are spaced."""
        item = self._items[at]
        key = next((key for key in nouns if key in self._words.classes), "")
        if not key or not self._whole(at, "one" in nouns[key]):
            return
        if (listed := self._listed(at)) is not None:
            return self._note(key, listed, at, at + 1)
        first, kind = self._quantity(at, nouns[key])
        alone = item.roles.get("alone", {}).get(key)
        if kind == "number":
            number = self._items[first].roles["number"]
            if self._fits(number, nouns[key]):
                return self._note(key, number, first, at)
            if alone is None or number == 1:
                return None
        elif kind == "vague":
            self.doubtful.add(key)
            return None
        elif kind == "zero":
            return self._none(key, first, at)
        elif self._words.plural(2) == "other" and "one" not in nouns[key]:
            self._least.setdefault(key, 2)  # "the people", "both dogs"
        if self._no_such(at):
            return self._none(key, at, at + 1)
        if alone is not None and kind != "known" and self._alone(at, alone):
            self._note(key, alone, first, at)
        return None

    def _none(self, key: str, first: int, last: int) -> None:
        """Note that there is none, if that is said of the whole picture."""
        behind = self._next(last)
        if behind is None or "here" in self._items[behind].roles:
            if not self._vague(first) and not self._known(first):
                self._mentions.append(_Mention(key, 0, self._sentence))
                return
        self.doubtful.add(key)

    def _no_such(self, at: int) -> bool:
        behind = self._next(at)
        return behind is not None and "zero_behind" in self._items[behind].roles

    def _listed(self, at: int) -> int | None:
        """Return the number in "people: 2" and "dogs (3)"."""
        if at + 1 == len(self._items) or not _LISTED.fullmatch(self._before(at + 1)):
            return None
        item = self._items[at + 1]
        ends = at + 2 == len(self._items) or BREAK.search(self._before(at + 2))
        return item.roles.get("number") if item.word.isdecimal() and ends else None

    def _quantity(self, at: int, categories: Any) -> tuple[int, str]:
        """Return the word that says how many of the noun there are, and its role.

        The role is "" if no word does; the word is then the first that belongs to the noun.
        """
        gap = within = 0
        here = at
        while (last := self._last(here)) is not None:
            item = self._items[last]
            roles = item.roles
            for role in ("number", "zero", "vague", "known"):
                if role in roles and (role != "vague" or "number" not in roles):
                    return last, role
            if "within" in roles or "counters" in roles:
                within += 1
            elif roles or item.capital or gap == self._words.data.gap:
                break
            elif self._words.tag == "en" and "other" in categories and item.word[-1:] == "s":
                break  # "two vans carry dogs"
            else:
                gap += 1
            if within > _MOST_WITHIN:
                break
            here = last
        return (at if gap else here), ""

    def _alone(self, at: int, number: int) -> bool:
        """Return whether a noun counts as one without a number, as in Russian: "вижу собаку"."""
        if number > 1 or not self._words.data.bare:
            return True
        last, item = self._last(at), self._items[at]
        if behind := self._next(at):
            if self._items[behind].roles.get("number") == 1:
                self._used.add(behind)
                return True
        if last is None:
            return True
        roles = self._items[last].roles
        return "bare" in roles or (item.joined == "و" and bool(roles.keys() & {"noun", "number"}))

    def _read_people(self, at: int) -> None:
        """Read a number with a measure word for people: "2人います", "두 명입니다"."""
        behind = self._next(at)
        if at in self._used or behind is None:
            return
        counter = self._items[behind]
        if not counter.roles.keys() & {"people"} or not _GAP.fullmatch(counter.before):
            return
        after = self._next(behind)
        if self._of(behind, after) or not self._ends(behind):
            return
        self._used.add(behind)
        self._note(self._words.person, self._items[at].roles["number"], at, behind)

    def _of(self, counter: int, after: int | None) -> bool:
        """Return whether a measure word is joined to a noun behind it: 2匹の犬, 두 마리의 개."""
        if self._words.tag == "ko":
            return "of" in self._words.phrase(self._items[counter].joined)
        return after is not None and "of" in self._items[after].roles

    def _ends(self, at: int) -> bool:
        """Return whether a word is whole, as signs without spaces do not show by themselves."""
        if self._words.tag == "ko" or at + 1 == len(self._items) or self._next(at) is None:
            return True
        item = self._items[at + 1]
        if item.before or item.roles.keys() - {"noun", "counters", "within", "people"}:
            return True
        return bool(self._words.tail and self._words.tail.match(item.word))

    def _read_joined(self, at: int, key: str) -> None:
        """Read what stands around a noun in Chinese, Japanese or Korean."""
        if at in self._used:
            return
        person, items = key == self._words.person, self._items
        last = self._last(at)
        while last is not None and "within" in items[last].roles and at - last <= _MOST_WITHIN:
            last = self._last(last)
        if last is not None and "of" in items[last].roles:
            last = self._last(last)
        if last is not None and "counters" in items[last].roles and last < at:
            first = self._last(last)
            linked = self._words.tag == "zh" or self._of(last, last + 1)
            if first is not None and "number" in items[first].roles and linked:
                if self._ends(at) and first not in self._used:
                    self._used.add(at)
                    self._note(key, items[first].roles["number"], first, at)
                return
        if last is not None and "number" in items[last].roles and last == at - 1:
            if person and "people" in items[at].roles | {"people": key == self._words.person}:
                if not self._of(at, self._next(at)) and self._ends(at) and last not in self._used:
                    self._note(key, items[last].roles["number"], last, at)
            return
        if last is not None and "zero" in items[last].roles:
            self._none(key, last, at)
        elif last is not None and "vague" in items[last].roles:
            self.doubtful.add(key)
        else:
            self._number_behind(at, key, person)

    def _number_behind(self, at: int, key: str, person: bool) -> None:
        """Read a number that stands behind its noun: 犬が2匹, 개 두 마리; or that there is none."""
        items, behind = self._items, self._next(at)
        if (listed := self._listed(at)) is not None:
            return self._note(key, listed, at, at + 1)
        if self._words.tag == "ko" and items[at].joined:
            if "linked" not in self._words.phrase(items[at].joined):
                return None
        elif behind is not None and "linked" in items[behind].roles:
            behind = self._next(behind)
        if behind is None:
            return None
        if "zero_behind" in items[behind].roles:
            return self._none(key, at, behind)
        if "vague" in items[behind].roles:
            self.doubtful.add(key)
            return None
        counter = self._next(behind)
        if "number" not in items[behind].roles or counter is None or behind in self._used:
            return None
        roles = items[counter].roles
        if "counters" not in roles or ("people" in roles) != person:
            return None
        if self._of(counter, self._next(counter)):
            return None
        self._used |= {behind, counter}
        return self._note(key, items[behind].roles["number"], behind, counter)
