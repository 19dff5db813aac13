"""From facts to words in any language, and the parts from which tasks build their phrases."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product

from i2t_ros.errors import UnknownLanguageError
from i2t_ros.language.catalog import Languages, load_languages
from i2t_ros.language.changes import Changes
from i2t_ros.language.distances import measuring, unit_for
from i2t_ros.language.facts import SURE, ObjectCount, Style, TaskFacts, check_style
from i2t_ros.language.grammar import Agreement, Language, Numerals
from i2t_ros.language.nouns import Noun


def compose(  # noqa: PLR0913  # by name, as a request has them
    facts: Sequence[TaskFacts],
    language: str = "en",
    style: str = "sentence",
    *,
    hedge: bool = False,
    spoken: bool = False,
    distance_unit: str = "auto",
    languages: Languages | None = None,
) -> str:
    """Return what an image shows, in words; never empty.

    That something was not found is said only if nothing at all was found.

    facts      those of each task that ran, in the order in which to say them
    language   a BCP 47 tag; "es" serves "es-MX", "es_MX" and "ES"
    style      "list", "sentence", "scene" (also says where things are), "changes" (a single image
               has no past, so everything in it is new; ``ChangeTracker`` compares images), or
               "caption" (the words of a language model; without any, as "sentence")
    hedge      whether to say "probably" of anything with a score below 0.5
    spoken     whether the words are for a voice: without digits, symbols and quotation marks
    distance_unit  "meters", "feet", or "auto": feet if the tag names a region that uses them, as
               "en-US" does. Only the style "scene" has distances
    languages  None: those that come with the package

    Raises UnknownLanguageError, UnknownStyleError, or InvalidRequestError for another unit; they
    list the names that exist. If ``spoken``, raises as prepare_spoken() does.
    """
    chosen, known_style = _speaker(language, spoken, languages), check_style(style)
    chosen = measuring(chosen, unit_for(distance_unit, language))
    facts = _to_say(facts, known_style)
    if known_style == "caption":  # there may be none; then this is the style
        known_style = "sentence"
    if not any(facts):
        return _paragraph([chosen.phrase(_nothing(facts, chosen, known_style))], chosen)
    if style == "changes":
        new = Changes(tuple(facts), ())
        return compose_changes(new, language, hedge=hedge, spoken=spoken, languages=languages)
    parts = [part for task in facts if task for part in task.sentences(chosen, known_style, hedge)]
    return _paragraph(parts, chosen)


def compose_changes(
    changes: Changes,
    language: str = "en",
    *,
    hedge: bool = False,
    spoken: bool = False,
    languages: Languages | None = None,
) -> str:
    """Return what appeared and what left, in words; empty if nothing did.

    Things that are not counted, such as texts, are mentioned only when they appear.
    """
    chosen = _speaker(language, spoken, languages)
    came = _counts(changes.appeared)
    sure, unsure = split(came, hedge)
    doubt = "changes.appeared_also" if sure else "changes.appeared_hedged"
    gone = "changes.left_also" if came else "changes.left"
    phrases = {"changes.appeared": sure, doubt: unsure, gone: _counts(changes.left)}
    said = {name: Things(objects, chosen, "changes") for name, objects in phrases.items()}
    largest = max(things.largest for things in said.values())
    parts = [
        chosen.phrase(
            name,
            things.total,
            things.gender,
            things=things.text(largest, opening=chosen.opens_with_words(name)),
        )
        for name, things in said.items()
        if things
    ]
    for task in changes.appeared:
        if task and not _counts([task]):
            parts += task.sentences(chosen, "changes", hedge)
    return _paragraph(parts, chosen)


def _to_say(facts: Sequence[TaskFacts], style: Style) -> Sequence[TaskFacts]:
    """Return either the facts that tell of the whole picture, or all others."""
    whole = [task for task in facts if task.whole]
    others = [task for task in facts if not task.whole]
    return whole if any(whole) and (style == "caption" or not others) else others


def _counts(tasks: Iterable[TaskFacts]) -> list[ObjectCount]:
    return [fact for task in tasks for fact in task.found if isinstance(fact, ObjectCount)]


def prepare_spoken(language: str, languages: Languages | None = None) -> None:
    """Read now what words for a voice need, so that no image waits for that.

    Raises BackendMissingError if a package is missing, and InvalidRequestError for a language
    whose numbers have no words.
    """
    chosen = (languages or load_languages()).get(language)
    chosen.voice.say("0")


def _speaker(tag: str, spoken: bool, languages: Languages | None) -> Language:
    language = (languages or load_languages()).get(tag)
    return language.voice if spoken else language


def _paragraph(parts: Sequence[str], language: Language) -> str:
    if language.capitals != "none":
        parts = [language.capital(part) for part in parts]
    text = language.space.join(parts)
    return language.say(text) if language.aloud else text


def _nothing(facts: Sequence[TaskFacts], language: Language, style: Style) -> str:
    """Return the name of the phrase for an image in which nothing was found."""
    if not facts:
        return "image.not_analyzed"
    own = f"{facts[0].section}.empty"
    if len(facts) == 1 and own in language.phrases:
        return own
    return "list.empty" if style == "list" else "sentence.empty"


class Things:
    """Counted objects as the items of a list; labels with the same noun are one item.

    The words suit a phrase of ``section``, by default that of the style.

    first, total, gender  what verbs agree with, see Agreement
    largest  the largest count
    """

    def __init__(
        self, objects: Iterable[ObjectCount], language: Language, style: Style, section: str = ""
    ) -> None:
        nouns: dict[str, Noun] = {}
        counts: dict[str, int] = {}
        colors: dict[str, Counter[str]] = {}
        for fact in objects:
            noun = language.noun(fact.key)
            nouns[noun.key] = noun
            counts[noun.key] = counts.get(noun.key, 0) + fact.count
            if fact.colors and style != "list":  # programs read lists
                of_all = colors.setdefault(noun.key, Counter())
                for color, number in fact.colors:
                    of_all[color] += number
        ranked = sorted(counts.items(), key=lambda item: -item[1])
        self._counts = [(nouns[key], number) for key, number in ranked]
        self._colors = {
            key: tuple(sorted(of_all.items(), key=lambda item: (-item[1], item[0])))
            for key, of_all in colors.items()
        }
        self._language, self._style, self._section = language, style, section or style
        self.first, self.total, self.gender = (
            language.agreeing(self._counts, self._section) if ranked else Agreement()
        )
        self.largest = ranked[0][1] if ranked else 0

    def __len__(self) -> int:
        return len(self._counts)

    def text(
        self,
        largest: int = 0,
        *,
        marked: bool = False,
        within: bool = False,
        opening: bool = False,
        phrases: Sequence[str] = (),
    ) -> str:
        """Return all items as one list.

        largest  the largest count of all that is said, if it is more than these things
        marked   whether each item says that it is uncertain, if the language does that
        within   whether they are in one of several places
        opening  whether the first number, which begins a sentence, is a word whatever its size
        phrases  those that say nothing but these things, one within the other
        """
        usual = self._language.numerals(self._style, largest or self.largest)
        items = [
            self._item(noun, number, "words" if opening and not at else usual, marked, phrases)
            for at, (noun, number) in enumerate(self._counts)
        ]
        kind = "list" if self._style == "list" else "within" if within else "things"
        return self._language.join(items, kind)

    def _item(
        self, noun: Noun, number: int, numerals: Numerals, marked: bool, phrases: Sequence[str]
    ) -> str:
        language = self._language
        if noun.key not in self._colors:
            return language.count(noun, number, self._section, numerals, marked)
        apart = bool(phrases) and len(self) == 1 and all(map(language.closes, phrases))
        colors = self._colors[noun.key]
        return language.count(noun, number, self._section, numerals, marked, colors, apart)


def split(
    objects: Sequence[ObjectCount], hedge: bool
) -> tuple[list[ObjectCount], list[ObjectCount]]:
    """Return the certain and the uncertain counts.

    A count is as certain as its least certain object: if one of three cats is in doubt, so is that
    there are three.
    """
    least = SURE if hedge else 0.0
    sure = [fact for fact in objects if fact.min_score >= least]
    return sure, [fact for fact in objects if fact.min_score < least]


def plural_start(sentence: str, language: str) -> str:
    """Return a sentence of the style ``list`` with the beginning that it has before several things.

    "Se detectó el siguiente objeto: 1 gato." becomes "Se detectaron los siguientes objetos: 1
    gato.", which is what programs of the first server's time parse; so does "Probablemente está en
    la imagen ...". Any other sentence is returned as it is, and so is one in a language that does
    not come with the package.
    """
    try:
        phrases = load_languages().get(language).phrases
    except UnknownLanguageError:
        return sentence
    beginnings = [
        str(phrases[name].get(category) or phrases[name]["other"]).partition("{things}")[0]
        for name, category in product(("list.plain", "list.hedged"), ("other", "one"))
    ]
    for beginning in beginnings[1:]:
        if sentence.startswith(beginning):
            return beginnings[0] + sentence.removeprefix(beginning)
    return sentence
