"""One language: its nouns, numbers, lists and phrases, from its data file."""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from babel import Locale, UnknownLocaleError

from i2t_ros.language import datafile, inflection, shapes
from i2t_ros.language.colors import ColorWords
from i2t_ros.language.nouns import Borrower, Noun, Quantity, part_of
from i2t_ros.optional import can_import

# Kind of list -> the keys of ``lists`` that are laid over CLDR's pattern.
_LISTS = {
    "list": ("list",),
    "things": ("things",),
    "parts": ("things", "parts"),
    "texts": ("texts",),
    "within": ("things", "within"),
    "groups": ("things", "groups"),
    "nested": ("things", "groups", "nested"),
    "distances": ("things", "groups", "distances"),
}
_JOINERS = "\u200c\u200d"
_UNNAMED = re.compile(r"(class \d+)?")


Numerals = Literal["usual", "digits", "words"]
"""How a number is written: in digits, in words, or in words as far as the language has them."""


class Agreement(NamedTuple):
    """What verbs agree with.

    first   the number, if the verb goes with the first of several things: "there is a dog and ..."
    total   the number, if it goes with all of them
    gender  of the first thing, or the common one of all if the language looks at that
    """

    first: int = 0
    total: int = 0
    gender: str = ""


class Language:
    """The grammar and the words of one language.

    phrases   name of a phrase, such as "sentence.plain" -> plural category -> template
    places    place -> words; also "center_near" and "center_far"
    measures  unit of distance -> its numbers
    unit      the one in use: "meters" or "feet"
    space     what stands between two sentences
    capitals  what starts with a capital letter: "sentences", "nouns" (and sentences), or "none"
    nouns     key -> noun
    aliases   another key -> key; those of English hold everywhere
    noun      the noun for a model's label, borrowed from English if this language lacks it
    count     (noun, number, section of its phrase, Numerals, marked as probable?) -> "two dogs";
              see _count for colors
    colors    its words for colors
    direction in which the language is written: "ltr" or "rtl"
    fill      (template, its fields) -> text
    case      the grammatical case of a bare name
    plural    number -> CLDR's plural category
    cldr      how CLDR calls the language: a tag such as "zh-Hant" or "es-MX"
    aloud     whether every number is in words; see ``voice``
    """

    def __init__(self, tag: str, data: datafile.Data, fallback: "Language | None") -> None:
        """Build the language that the merged ``data`` describe.

        ``fallback`` is English, for labels that this language lacks; None for English itself.
        Raises InvalidRequestError, naming the key, what was expected and what came.
        """
        self.tag = tag
        self._data = data = datafile.checked(tag, data)
        if fallback is None and not {"a", "an", ""} <= {*data["genders"]}:
            raise shapes.wrong(tag, "genders", 'a, an and "", as in English', data["genders"])
        locale = _locale(tag, data["cldr"] or tag)
        self.fill = inflection.FILLERS.get(locale.language, str.format_map)
        self._settle = inflection.SETTLERS.get(locale.language, str)
        self.capital = inflection.CAPITALS.get(locale.language, inflection.capital)
        self.direction: str = locale.text_direction
        self.cldr = str(locale).replace("_", "-")
        self.aloud = False
        self.plural = lru_cache(1024)(locale.plural_form)
        self.case: str = data["cases"][0]
        cldr = locale.list_patterns["standard"]
        self._lists = {
            kind: _list_pattern(cldr, *(data["lists"].get(key, {}) for key in overlays))
            for kind, overlays in _LISTS.items()
        }
        self.phrases = datafile.phrases(data)
        self._closing_quote = ""
        self._closing_quote = self.phrase("texts.quote", text="\0").rpartition("\0")[2]
        places = data["scene"]["places"]
        instead = {name: places[other] for name, other in datafile.OPTIONAL_PLACES.items()}
        self.places: Mapping[str, str] = {**instead, **places}
        self.measures, self.unit = datafile.measures(data), "meters"
        self.space: str = data["space"]
        self.capitals: str = data["capitals"]
        aliases = {label_key(name): label_key(of) for name, of in data["aliases"].items()}
        self.aliases: dict[str, str] = {**(fallback.aliases if fallback else {}), **aliases}
        named = {**data["nouns"], **data["labels"]}.items()
        self.nouns = {label_key(name): self._noun(label_key(name), value) for name, value in named}
        borrowed = self._noun("", {"other": "", **data["borrowed"]})
        self._borrower = Borrower(self, data, borrowed, fallback)
        of_people: set[str] = {label_key(name) for name in data["colors"].get("people", ())}
        of_people |= fallback.colors.people if fallback else set()
        self.colors: ColorWords = ColorWords(data["colors"], of_people, articles=fallback is None)
        # Cached because a camera shows the same things frame after frame. The size is limited
        # because a caller may pass any text; a model may have a thousand labels.
        self.noun = lru_cache(4096)(self._find_noun)
        self.count = lru_cache(4096)(self._count)

    def _noun(self, key: str, value: Any) -> Noun:
        data = self._data
        entry = shapes.forms(value)
        gender = entry.get("gender", data["genders"][0])
        forms = {category: entry[category] for category in shapes.CATEGORIES if category in entry}
        label = entry.get("label", part_of(forms.get(self.plural(1), forms["other"]), self.case))
        return Noun(
            key,
            label=label,
            cited=label,
            forms=forms,
            gender=gender,
            plural_gender=entry.get("plural_gender", gender),
            counter=entry.get("counter", data["borrowed"].get("counter", "")),
            item=entry.get("item") or data["item"],
            plural_only=entry.get("plural_only", False),
            color_gender=entry.get("color_gender", ""),
            color_behind=entry.get("color_behind", False),
        )

    def _find_noun(self, label: str) -> Noun:
        """Return the noun for a label; empty, or only a number ("class 7"): an unknown object."""
        word = clean(label.replace("_", " "))
        key = word.casefold()
        if _UNNAMED.fullmatch(key):
            return self.nouns["unknown"]
        key = self.aliases.get(key, key)
        return self.nouns.get(key) or self._borrower.noun(key, word)

    @cached_property
    def voice(self) -> "Language":
        """The language as a voice speaks it: every number in words, and phrases for the ear."""
        voice = copy.copy(self)
        voice.aloud = True
        data = datafile.aloud(self._data)
        voice.phrases = datafile.phrases(data)
        voice.colors = self.colors.with_data(data["colors"])
        voice.count = lru_cache(4096)(voice._count)
        return voice

    @cached_property
    def _repeat(self) -> str:
        """How the noun stands twice, "مئة سيارة وسيارة", in a language that says it so."""
        from i2t_ros.language.spoken_data import spoken_words  # noqa: PLC0415  # most never ask

        return str(spoken_words(self.cldr)["repeat"])

    def agreeing(self, nouns: Sequence[tuple[Noun, int]], section: str) -> "Agreement":
        """Return what verbs of a ``section`` agree with, beside nouns that are this many each."""
        rule = self._data[section].get("agreement")
        # A list is of objects, whatever their names: "The following object was detected: 1 jeans."
        numbers = [
            max(number, 2) if noun.plural_only and section != "list" else number
            for noun, number in nouns
        ]
        first, total = numbers[0], sum(numbers)
        genders = [self.gender(noun, number) for noun, number in nouns]
        gender = genders[0]
        if rule == "first":
            # "A dog and a cat" are several, but "three dogs and two cats" are not five.
            total = 2 if len(numbers) > 1 and self.plural(first) == "one" else first
        elif rule in ("all", "last"):
            first = total
            if len(set(genders)) > 1:
                last = rule == "last" and numbers[-1] > 1
                gender = genders[-1] if last else self._data["genders"][0]
        return Agreement(first, total, gender)

    def closes(self, name: str) -> bool:
        """Return whether the phrase ``name`` ends with things, but for a sign behind them."""
        ending = str(part_of(self.phrases[name]["other"], self._data["genders"][0]))
        return ending.endswith("{things}") or ending[:-1].endswith("{things}")

    def opens_with_words(self, name: str) -> bool:
        """Return whether the phrase ``name`` begins with things, and so not with a figure."""
        begins = str(part_of(self.phrases[name]["other"], self._data["genders"][0])).startswith(
            "{things}"
        )
        return begins and self._data["opening"] == "words"

    def numerals(self, style: str, largest: int) -> Numerals:
        """Return how the numbers of a sentence are written whose largest one is ``largest``."""
        uniform = self._data["numerals"] == "uniform" and largest not in self._data["numbers"]
        return "digits" if style == "list" or (uniform and not self.aloud) else "usual"

    def gender(self, noun: Noun, number: int) -> str:
        """Return the gender of so many of a noun."""
        return noun.gender if self.plural(number) == "one" else noun.plural_gender

    def _count(  # noqa: PLR0913, PLR0917  # the key of a cache
        self,
        noun: Noun,
        number: int,
        section: str,
        numerals: Numerals = "usual",
        marked: bool = False,
        colors: tuple[tuple[str, int], ...] = (),
        apart: bool = False,
    ) -> str:
        """Return so many of a noun.

        colors  how many of them have which color, most first
        apart   whether parts of several colors may stand behind a comma: "two cars, one red"
        """
        said = self.colors.of(noun, colors, number) if colors else ()
        if said and said[0][1] != number:
            things = self.count(noun, number, section, numerals, marked)
            return self.colors.in_parts(self, noun, things, section, numerals, said, number, apart)
        if self.aloud and number > 100 and number % 100 in (1, 2) and self._repeat:
            parts = []
            for part in (number - number % 100, number % 100):
                some = ((said[0][0], part),) if said else ()
                parts.append(self.count(noun, part, section, numerals, colors=some))
            return self._repeat.format(*parts)
        quantity = self.quantity(noun, number, section, numerals)
        name = part_of(noun.forms.get(quantity.category) or noun.forms["other"], quantity.case)
        if marked:
            name = self.phrase("list.noun_hedged", noun=name)
        if said:
            return self.colors.with_noun(self, noun, name, quantity, said[0][0])
        return self.fill_item(noun.item, quantity, noun=name)

    def quantity(
        self,
        noun: Noun,
        number: int,
        section: str,
        numerals: Numerals,
        numbers: Mapping[int, Any] = MappingProxyType({}),
    ) -> Quantity:
        """Return how many of a noun there are; ``numbers`` are words in the place of others."""
        data = self._data
        case = said = data[section].get("case", self.case)
        counter = noun.counter
        for limit, beyond in data["counters"].get(noun.counter, {}).items():
            counter = beyond if number >= limit else counter
        category = self.plural(number)
        if number not in data["numbers"]:
            case = data["digit_cases"].get(category, case)
        gender = self.gender(noun, number)
        known = number in data["numbers"]
        in_words = self.aloud or (known and numerals != "digits")
        if numerals == "words" and not in_words:
            in_words = can_import("unicode_rbnf")
        if not in_words:
            word = str(number)
        elif known:
            words = numbers.get(number) or data["numbers"][number]
            word = part_of(part_of(words, gender), said)
        else:
            word = self._spell(number, gender, said, bool(counter))
        return Quantity(number, word, in_words, category, gender, case, counter)

    def template(self, item: Any, quantity: Quantity) -> str:
        """Return the template of an ``item`` that fits a number."""
        templates = shapes.forms(part_of(item, "words" if quantity.in_words else "digits"))
        return str(templates.get(quantity.number, templates["other"]))

    def fill_item(self, item: Any, quantity: Quantity, **fields: str) -> str:
        """Return an ``item`` with its number, its counter and other fields filled in."""
        fields |= {"number": quantity.word, "counter": quantity.counter}
        # The number may be an empty word: "jeans".
        return self.fill(self.template(item, quantity), fields).strip()

    def number_words(self) -> Iterator[tuple[int, str]]:
        """Yield each number of which the language has words, and these words."""
        for number, words in self._data["numbers"].items():
            for by_case in words.values() if isinstance(words, dict) else [words]:
                each = by_case.values() if isinstance(by_case, dict) else [by_case]
                yield from ((number, word) for word in each if word)

    def say(self, text: str) -> str:
        """Return any text of this language as a voice should say it; see ``spoken``."""
        from i2t_ros.language.spoken import LONGEST_TEXT, spoken_text  # noqa: PLC0415  # rare

        return spoken_text(self._settle(text[:LONGEST_TEXT]), self.cldr)

    def _spell(self, number: int, gender: str, case: str, counting: bool) -> str:
        from i2t_ros.language.numerals import number_words  # noqa: PLC0415  # most never ask

        return number_words(number, self.cldr, gender, case, counting=counting)

    def join(self, items: Sequence[str], kind: str) -> str:
        """Return the items as one list, joined by the pattern ``kind``, a key of _LISTS."""
        keys = ["start", *["middle"] * (len(items) - 3), "end"] if len(items) > 2 else ["2"]
        text = "".join(items[:1])
        for key, item in zip(keys, items[1:], strict=False):
            pattern = self._lists[kind][key]
            if kind == "texts" and pattern.startswith("{first},"):
                pattern, text = pattern.replace(",", "", 1), self._end(text, ",")
            text = self.fill(pattern, {"first": text, "second": item})
        return text

    def phrase(self, name: str, number: int = 0, gender: str = "", /, **fields: str) -> str:
        """Return the phrase ``name`` with its fields filled in.

        Its form is that of the plural category of ``number`` and, if the language has several, of
        the ``gender`` of the noun that it speaks of.
        """
        forms = self.phrases[name]
        form = forms.get(self.plural(number)) or forms["other"]
        template: str = part_of(form, gender or self._data["genders"][0])
        text = self.fill(template, fields)
        return self._end(text[:-1], ".") if text.endswith(f"{self._closing_quote}.") else text

    def _end(self, text: str, mark: str) -> str:
        """Return ``text`` with ``mark`` where the language wants it after a quotation."""
        close: str = self._closing_quote
        rule = self._data["quoted_period"]
        if rule == "outside" or not text.endswith(close):
            return text + mark
        quoted = text.removesuffix(close)
        if mark == "." and quoted.endswith(("!", "?", "…")):
            return text
        if rule == "merged":
            return text + mark
        return quoted + ("" if mark == "." and quoted.endswith(".") else mark) + close


def _locale(tag: str, cldr: str) -> Locale:
    try:
        return Locale.parse(cldr, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        expected = "the tag of a language that CLDR has data for"
        raise shapes.wrong(tag, "cldr", expected, cldr) from error


def _list_pattern(*patterns: Mapping[str, str]) -> dict[str, str]:
    """Return the patterns laid one over the other, with names that str.format_map takes."""
    return {
        key: text.replace("{0}", "{first}").replace("{1}", "{second}")
        for pattern in patterns
        for key, text in pattern.items()
    }


def clean(text: str) -> str:
    """Return ``text`` on one line, with single spaces and without unprintable characters.

    Within a word, the zero-width joiner and non-joiner stay: Hindi and Persian spell with them.
    """
    if text.isprintable():
        return " ".join(text.split())
    text = "".join(c if c.isprintable() or c in _JOINERS else " " for c in text)
    return " ".join(filter(None, (word.strip(_JOINERS) for word in text.split())))


def label_key(label: str) -> str:
    """Return a key for comparing labels: "Traffic_Light" and "traffic light" have the same."""
    return clean(label.replace("_", " ")).casefold()
