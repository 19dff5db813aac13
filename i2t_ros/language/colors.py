"""Colors of things: "two red cars", "three cars, two red and one blue", "a person in yellow"."""

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Literal

from i2t_ros.language import english
from i2t_ros.language.nouns import Noun, Quantity, part_of
from i2t_ros.language.shapes import CATEGORIES, forms

if TYPE_CHECKING:
    from i2t_ros.language.grammar import Language, Numerals

MOST = 3
"""Of the colors of several things only so many are said, the most frequent ones."""

_Kind = Literal["noun", "person", "part", "person_part", "behind"]


class ColorWords:
    """The words of one language for colors; docs/languages.md describes the data.

    people  keys of the nouns that wear their color: "a person in yellow"
    """

    def __init__(self, data: Mapping[str, Any], people: Set[str], *, articles: bool) -> None:
        """Keep the words.

        data      the section ``colors`` of a language's checked data; empty: none is said
        articles  whether the article goes with the adjective, as in English
        """
        self._data, self.people = data, people
        self._agreement: Mapping[str, Any] = data.get("agreement", {})
        self._genders = any(
            isinstance(form, Mapping) for key, form in self._agreement.items() if key in CATEGORIES
        )
        self._articles = articles

    def with_data(self, data: Mapping[str, Any]) -> "ColorWords":
        """Return the words of other ``data`` of the same language."""
        return ColorWords(data, self.people, articles=self._articles)

    def of(
        self, noun: Noun, colors: Sequence[tuple[str, int]], number: int
    ) -> Sequence[tuple[str, int]]:
        """Return the colors to say of so many of a noun: (color, how many), most first.

        None in a language without words for them. A noun that the language borrows has no gender
        that an adjective could agree with, and an orange goes without saying that it is orange.
        Nouns with an agreement of their own ("unas tijeras rojas") take one color for all.
        """
        if not self._data or (noun.borrowed and self._genders):
            return ()
        said = [(color, count) for color, count in colors if color != noun.key][:MOST]
        one_for_all = noun.color_behind or bool(noun.color_gender)
        return () if one_for_all and [count for _, count in said] != [number] else said

    def with_noun(
        self, language: "Language", noun: Noun, name: str, quantity: Quantity, color: str
    ) -> str:
        """Return so many of a noun, all of one color; ``name`` is its form."""
        if noun.color_behind:
            things = language.fill_item(noun.item, quantity, noun=name)
            word = self._word("behind", noun, quantity, color)
            return language.fill(self._data["behind"], {"things": things, "color": word})
        kind: _Kind = "person" if noun.key in self.people else "noun"
        word = self._word(kind, noun, quantity, color)
        template = language.template(self._data[kind], quantity)
        if "{number}" in template:  # the whole item, as in "kırmızı bir araba"
            return language.fill_item(self._data[kind], quantity, noun=name, color=word)
        name = language.fill(template, {"noun": name, "color": word})
        if self._articles and kind == "noun" and quantity.word in ("a", "an"):
            quantity = quantity._replace(word=english.article(name))
        return language.fill_item(noun.item, quantity, noun=name)

    def in_parts(  # noqa: PLR0913, PLR0917  # as Language.count has them
        self,
        language: "Language",
        noun: Noun,
        things: str,
        section: str,
        numerals: "Numerals",
        colors: Sequence[tuple[str, int]],
        total: int,
        apart: bool,
    ) -> str:
        """Return ``things`` with how many of them have which color.

        total  how many things there are
        apart  whether they may stand behind a comma, because the sentence ends with them
        """
        kind: _Kind = "person_part" if noun.key in self.people else "part"
        parts = []
        for color, number in colors:
            quantity = language.quantity(noun, number, section, numerals, self._data["numbers"])
            word = self._word(kind, noun, quantity, color)
            parts.append(language.fill_item(self._data[kind], quantity, color=word))
        kinds = ["all_apart", "apart", "all_parts", "parts"][0 if apart else 2 :]
        if sum(number for _, number in colors) < total:
            kinds = [kind for kind in kinds if not kind.startswith("all_")]
        template = next(self._data[kind] for kind in kinds if self._data[kind])
        fields = {"things": things, "parts": language.join(parts, "parts")}
        return language.fill(template, fields)

    def _word(self, kind: _Kind, noun: Noun, quantity: Quantity, color: str) -> str:
        """Return a color as it agrees with so many of a noun."""
        word = self._data[color]
        if isinstance(word, str):
            return word
        rules = self._agreement
        own = rules.get(kind) or (rules.get("person") if kind == "person_part" else "")
        by_category = forms(own or rules)
        form = by_category.get(quantity.category) or by_category["other"]
        form = part_of(part_of(form, noun.color_gender or quantity.gender), quantity.case)
        return str(word[form])
