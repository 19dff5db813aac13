"""What the words of a text count, in languages that stand a number before its noun."""

import re
from collections.abc import Collection, Mapping, Sequence

from i2t_ros.language.counting_words import BREAK, Item, Lexicon

MOST_WITHIN = 4
"""Listed words between a number and its noun."""

_SENTENCE = re.compile(r"[.!?\n\r。।؟]")
# What may stand between two words that belong together: "2 x dogs", "un'auto".
_SPACE = re.compile(r"[ \u00a0]*[x×']?[ \u00a0]*")
_RANGE = re.compile(r" ?[-–—~〜～/、] ?|, ?")
_SIGN = re.compile(r"(?:[#$€£¥₹+%<>=]\s?|-)$")
_LISTED = re.compile(r"[ \u00a0]*[:=(][ \u00a0]*|[ \u00a0][-–—][ \u00a0]|[ \u00a0]?[x×][ \u00a0]?")


class Text:
    """The words of a text, and what they count.

    doubtful  the keys of nouns of which the text does not say how many there are
    """

    def __init__(self, items: Sequence[Item], words: Lexicon) -> None:
        self.items, self.words = items, words
        self.doubtful: set[str] = set()
        self.used: set[int] = set()
        self._mentions: dict[str, list[tuple[int, int]]] = {}  # counts, and their sentences
        self._least: dict[str, int] = {}
        self._sentence = 0
        self._find_clauses()
        for at, item in enumerate(items):
            self._sentence += bool(at and _SENTENCE.search(item.before))
            if "counted" in item.roles:
                key, number = item.roles["counted"]
                if not words.spaced or self._is_whole(at, singular=True):
                    self.note(key, number, at, at)
            else:
                self.read(at)

    def _find_clauses(self) -> None:
        """Find the clause of each word, and where nothing counts."""
        self._clause: list[int] = []
        self._voided: set[int] = set()
        self._voids: dict[int, int] = {}
        clause = 0
        for at, item in enumerate(self.items):
            clause += bool(BREAK.search(item.before))
            self._clause.append(clause)
            if item.roles.keys() & {"voids", "zero"}:
                self._voids.setdefault(clause, at)
            if item.roles.keys() & {"voided", "zero_behind"}:
                self._voided.add(clause)

    def readings(self) -> dict[str, tuple[int, ...]]:
        """Return the key of each noun that is counted -> its counts, the likeliest first."""
        readings = {}
        for key, mentions in self._mentions.items():
            if key not in self.words.classes or key in self.doubtful:
                continue
            counts = [count for count, _ in mentions]
            largest, total = max(counts), sum(counts)
            # "No dogs ... two dogs"; "Both people wear hats. One person smiles."
            if (0 in counts and largest) or largest < self._least.get(key, 0):
                continue
            if len(counts) > 2 and counts[0] * 2 == total:  # a whole and its parts
                total = largest
            again = mentions[-1][1] != mentions[0][1]
            both = (largest, total) if again else (total, largest)
            readings[key] = tuple(dict.fromkeys(both))
        return readings

    def asked(self) -> str:
        """Return the key of the one class of which a question asks how many there are, or ""."""
        roles = {role for item in self.items for role in item.roles}
        if "how_many" not in roles or "units" in roles:  # "How many meters away is the dog?"
            return ""
        keys = {key for item in self.items for key in item.roles.get("noun", ())}
        return keys.pop() if len(keys) == 1 and keys <= self.words.classes.keys() else ""

    def only_number(self) -> int | None:
        """Return the one number of the text if it counts nothing that is named."""
        numbers = set()
        for at, item in enumerate(self.items):
            number = 0 if "none" in item.roles else item.roles.get("number")
            if number is None or at in self.used:
                continue
            if self._is_bare(at):
                numbers.add(number)
            elif number != 1 or item.word.isdecimal():  # not an article
                return None
        return numbers.pop() if len(numbers) == 1 else None

    def _is_bare(self, at: int) -> bool:
        if self._doubted(at) or _SIGN.search(self.items[at].before):
            return False
        behind = self.next(at)
        if behind is not None and self.has(behind, "counters"):
            behind = self.next(behind)
        if behind is None:
            return True
        item = self.items[behind]
        if item.roles.keys() & {"units", "behind", "noun", "number"}:
            return False
        known = item.roles.keys() & {"joints", "here", "within", "zero_behind"}
        return bool(_SPACE.fullmatch(item.before)) and (bool(known) or not self.words.spaced)

    def has(self, at: int | None, *roles: str) -> bool:
        """Return whether there is a word, and whether it has one of the roles."""
        return at is not None and not self.items[at].roles.keys().isdisjoint(roles)

    def next(self, at: int) -> int | None:
        """Return the next word if it is in the same clause."""
        same = at + 1 < len(self.items) and self._clause[at + 1] == self._clause[at]
        return at + 1 if same else None

    def last(self, at: int) -> int | None:
        """Return the word before, if nothing but a space is between."""
        same = at > 0 and self._clause[at - 1] == self._clause[at]
        return at - 1 if same and _SPACE.fullmatch(self.items[at].before) else None

    def note(self, key: str, number: int, first: int, noun: int) -> None:
        """Note a count, whose first and last word these are, unless something stands against it."""
        self.used.add(first)
        behind = self.next(noun)
        parted = noun > first + 1 and self._is_parted(first)
        if self._doubted(first) or parted or self.has(behind, "behind"):
            self.doubtful.add(key)
        elif self.has(self.last(first), "known"):
            self._least[key] = max(self._least.get(key, 0), number)
        elif not (self.has(first, "number") and _SIGN.search(self.items[first].before)):
            self._mentions.setdefault(key, []).append((number, self._sentence))

    def none(self, key: str, first: int, last: int) -> None:
        """Note that there is none, if that is said of the whole picture."""
        behind = self.next(last)
        whole = behind is None or self.has(behind, "here")
        if whole and not self.has(self.last(first), "vague", "known"):
            self._mentions.setdefault(key, []).append((0, self._sentence))
        else:
            self.doubtful.add(key)

    def _doubted(self, at: int) -> bool:
        """Return whether the words before a number, or its clause, take it back."""
        clause = self._clause[at]
        voided = clause in self._voided or self._voids.get(clause, at) < at
        return voided or self.has(self.last(at), "vague") or self._is_choice(at)

    def _is_choice(self, at: int) -> bool:
        """Return whether another number belongs to this one: "two or three", "2-3"."""
        if not at or not self.has(at, "number"):
            return False
        if self.has(at - 1, "number"):
            before = self.items[at].before
            return bool(_RANGE.fullmatch(before) or _SPACE.fullmatch(before))
        last = self.last(at)
        return bool(last) and self.has(last, "either", "joints") and self.has(at - 2, "number")

    def _is_parted(self, at: int) -> bool:
        """Return whether a noun is shared with another number: "one large and two small dogs"."""
        here = self.last(at)
        if not self.has(here, "joints"):
            return False
        for _ in range(2):
            here = None if here is None else self.last(here)
            if here is None or self.items[here].roles:
                return False
            if self.has(self.last(here), "number"):
                return True
        return False

    def listed(self, at: int) -> int | None:
        """Return the number in "people: 2" and "dogs (3)"."""
        if at + 1 == len(self.items) or not _LISTED.fullmatch(self.items[at + 1].before):
            return None
        item = self.items[at + 1]
        ends = at + 2 == len(self.items) or BREAK.search(self.items[at + 2].before)
        return item.roles.get("number") if item.word.isdecimal() and ends else None

    def read(self, at: int) -> None:
        """Note what the word at a place counts, if it is a noun."""
        item = self.items[at]
        nouns: Mapping[str, Collection[str]] = item.roles.get("noun", {})
        key = next((key for key in nouns if key in self.words.classes), "")
        if not key or not self._is_whole(at, "one" in nouns[key]):
            return
        listed, alone = self.listed(at), item.roles.get("alone", {}).get(key)
        first, kind = self._quantity(at, nouns[key])
        number = self.items[first].roles["number"] if kind == "number" else 0
        if listed is not None:
            self.note(key, listed, at, at + 1)
        elif kind == "number" and self._fits(number, nouns[key]):
            self.note(key, number, first, at)
        elif kind == "vague":
            self.doubtful.add(key)
        elif kind == "zero":
            self.none(key, first, at)
        elif self.has(behind := self.next(at), "zero_behind"):
            self.none(key, at, behind or at)
        elif alone and kind != "known" and number < 2 and self._counts_alone(at, alone):
            self.note(key, alone, first, at)
        elif self.words.plural(2) == "other" and "one" not in nouns[key]:
            self._least.setdefault(key, 2)  # "the people", "both dogs"

    def _is_whole(self, at: int, singular: bool) -> bool:
        """Return whether a noun is no part of another: not "bus stop", "dog's", "dog-friendly"."""
        if at + 1 == len(self.items):
            return True
        item = self.items[at + 1]
        if item.before[:1] in ("-", "'", "/") or self.items[at].before[-1:] == "-":
            return False
        behind, tail = self.next(at), self.words.tail
        if behind is None or tail is None or not singular:
            return True
        if self.has(behind, "noun") and not self.has(behind, "joints"):
            return False
        return bool(item.roles or tail.fullmatch(item.word))

    def _fits(self, number: int, categories: Collection[str]) -> bool:
        if self.words.tag == "ar" and number > 10:
            return not {"one", "many", "other"}.isdisjoint(categories)
        return self.words.plural(number) in categories

    def _quantity(self, at: int, categories: Collection[str]) -> tuple[int, str]:
        """Return the word that says how many of a noun there are, and its role.

        The role is "" if no word does; the word is then the first that belongs to the noun.
        """
        gap = within = 0
        here = at
        while (last := self.last(here)) is not None and within < MOST_WITHIN:
            item = self.items[last]
            for role in ("number", "zero", "vague", "known"):
                if role in item.roles:
                    return last, role
            if self.has(last, "within", "counters"):
                within += 1
            elif item.roles or item.capital or gap == self.words.data.gap:
                break
            elif self.words.tag == "en" and "other" in categories and item.word.endswith("s"):
                break  # "two vans carry dogs"
            else:
                gap += 1
            here = last
        return (at if gap else here), ""

    def _counts_alone(self, at: int, number: int) -> bool:
        """Return whether a noun counts as one without a number, as in Russian: "вижу собаку"."""
        behind, last = self.next(at), self.last(at)
        if behind is not None and self.has(behind, "number"):
            self.used.add(behind)
            return bool(self.items[behind].roles["number"] == number)  # كلب واحد
        if number > 1 or not self.words.data.bare or last is None:
            return True
        joined = bool(self.items[at].joined) and self.has(last, "noun", "number")
        return joined or self.has(last, "bare")
