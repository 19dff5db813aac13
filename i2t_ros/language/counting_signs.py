"""What a text in Chinese, Japanese or Korean counts, where numbers have measure words.

两只狗, 2匹の犬, 두 마리의 개; 犬が2匹, 개 두 마리;
and of people without the noun: 2人います, 두 명입니다.
"""

from i2t_ros.language.counting_text import MOST_WITHIN, Text


class SignText(Text):
    """The words of a text, and what they count."""

    def read(self, at: int) -> None:
        """Note what the word at a place counts, if it is a noun, or a number of people."""
        if at in self.used:
            return
        if nouns := self.items[at].roles.get("noun"):
            self._read_noun(at, next(iter(nouns)))
        elif self.has(at, "number"):
            self._read_people(at)

    def _read_people(self, at: int) -> None:
        counter = self.next(at)
        if counter is None or not self.has(counter, "people") or self.items[counter].before.strip():
            return
        if not self._is_joined(counter) and self._ends(counter):
            self.used.add(counter)
            self.note(self.words.person, self.items[at].roles["number"], at, counter)

    def _read_noun(self, at: int, key: str) -> None:
        last = self._before(at)
        if last is None:
            self._read_behind(at, key)
        elif self.has(last, "counters"):
            # Not 개 두 마리와 고양이 한 마리: there 고양이 is another thing.
            number = self.last(last)
            joined = self.words.tag == "zh" or self._is_joined(last)
            if joined and number is not None and self.has(number, "number") and self._ends(at):
                self._note_before(key, number, at)
            elif not self.has(number, "number") or not joined:
                self._read_behind(at, key)
        elif self.has(last, "number") and last == at - 1:
            if key == self.words.person and not self._is_joined(at) and self._ends(at):
                self._note_before(key, last, at)
        elif self.has(last, "zero"):
            self.none(key, last, at)
        elif self.has(last, "vague"):
            self.doubtful.add(key)
        else:
            self._read_behind(at, key)

    def _note_before(self, key: str, number: int, noun: int) -> None:
        if number not in self.used:
            self.used.add(noun)
            self.note(key, self.items[number].roles["number"], number, noun)

    def _before(self, at: int) -> int | None:
        """Return what stands before a noun and its adjectives."""
        last = self.last(at)
        while last is not None and self.has(last, "within") and at - last <= MOST_WITHIN:
            last = self.last(last)
        return self.last(last) if last is not None and self.has(last, "of") else last

    def _read_behind(self, at: int, key: str) -> None:
        """Read a number that stands behind its noun, or that there is none."""
        listed, joined, behind = self.listed(at), self.items[at].joined, self.next(at)
        if listed is not None:
            self.note(key, listed, at, at + 1)
            return
        if joined and "linked" not in self.words.phrase(joined):
            return
        if not joined and behind is not None and self.has(behind, "linked"):
            behind = self.next(behind)
        if behind is None:
            return
        if self.has(behind, "zero_behind"):
            self.none(key, at, behind)
        elif self.has(behind, "vague"):
            self.doubtful.add(key)
        elif self.has(behind, "number") and behind not in self.used:
            counter = self.next(behind)
            people = self.has(counter, "people")
            fits = self.has(counter, "counters") and people == (key == self.words.person)
            if counter is not None and fits and not self._is_joined(counter):
                self.used |= {behind, counter}
                self.note(key, self.items[behind].roles["number"], behind, counter)

    def _is_joined(self, at: int) -> bool:
        """Return whether a word belongs to a noun behind it: 2匹の, 두 마리의."""
        if self.words.tag == "ko":
            return "of" in self.words.phrase(self.items[at].joined)
        return self.has(self.next(at), "of")

    def _ends(self, at: int) -> bool:
        """Return whether a word is whole, as signs without spaces do not show: not 猫头鹰."""
        behind, tail = self.next(at), self.words.tail
        if self.words.tag == "ko" or behind is None or self.items[behind].before:
            return True
        item = self.items[behind]
        known = item.roles.keys() - {"noun", "counters", "within", "people"}
        return bool(known or (tail and tail.match(item.word)))
