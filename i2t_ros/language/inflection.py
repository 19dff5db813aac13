"""What English, Italian, Korean and Spanish need beyond their data files.

English: plurals and articles of labels that its file lacks. The noun is found in the label first:
"person (walking)", "chest of drawers", "car/van". ``english`` knows what is plural already, the
common irregular words, and the articles. ``inflect`` knows the rarer plurals. Its import takes two
seconds, and no label of config/languages/en.yaml needs it, so it is imported for the first label
that its file lacks. If it is not installed, the spelling decides. A user's own language file can
correct what is wrong.

Italian: "un" becomes "uno" before some consonants ("uno zaino"), and "una" becomes "un’" before a
vowel ("un’auto"). "e" becomes "ed" before another e, as grammars recommend; things start with their
number, which never begins with that letter, but lines of text from an image may.

Korean: particles depend on the sound before them. A template has both forms, as is usual in Korean
software: ``{things}이(가)``. The first is right after a syllable that ends in a consonant, and the
one in parentheses after a vowel. If the sound is unknown (foreign letters), both forms stay, as
Korean writes it then.

Spanish: "y" becomes "e" before the sound of i. "aguja e hilo", but "nieve y hielo", because that i
starts a diphthong. Things start with their number, and no number has that sound; lines of text from
an image may.
"""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from i2t_ros.language import english
from i2t_ros.optional import pass_on_interrupt

# "the cat", as in the prompts of models with an open vocabulary
_ARTICLE = re.compile(r"(?:an?|the) (?=\w)")
# What comes behind the noun: in parentheses, behind a comma; or what begins with a preposition,
# is done by a person or an animal, or is a state.
_BEHIND = re.compile(
    r"\s*[(\[,;:].*"
    r"|\s+(?:of|on|in|with|without|at|for|from|under|behind|near|by|beside|inside)(?![\w-]).*"
    r"|\s+w/o?.*"
    r"|(?<=\S)\s+(?:who|that|which|not|no)\s.*"
    r"|\s+(?:on|off|open|opened|closed|broken|damaged|empty|red|yellow|green)$",
    re.IGNORECASE | re.DOTALL,
)
_DOING = re.compile(
    r"(\b(?:person|people|man|woman|boy|girl|child|worker|rider|pedestrian|player|dog|cat|bird"
    r"|animal))[ -](?:\w+ing|seated|fallen)\b.*"
    r"|\b(\w+) (?:wearing|holding|carrying|worn|weared)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_SLASH = re.compile(r"(?<!\bw)(?<!\bw/o)\s*/\s*(?=\w[\w-])", re.IGNORECASE)
# What may stand before a noun that two alternatives share: "red/green light"; "cutting/chopping
# board", but not "building/house".
_SHARED = re.compile(
    r"(?:red|green|blue|yellow|black|white|left|right|front|rear|big|small|large|male|female|open"
    r"|closed)(?=/\S+ \S)|(\w+ing)/(?!\1)\w+ing ",
    re.IGNORECASE,
)
_PAIR = re.compile(r"([^\W\d]+) (and|&) ([^\W\d]+)")
_LAST_WORD = re.compile(r"(?<![\w'’-])[\w'’-]*\w(?=\W*$)")
_LATIN = re.compile(r"[0-9A-Za-z\u00c0-\u024f]")
# What a hyphen joins to the noun from behind: "mother-in-law", "bird-of-paradise".
_JOINED = re.compile(r"(?<=passer)-by$|(?<=runner)-up$|-in-law$|-of-\w[\w-]*$", re.IGNORECASE)

_PARTICLE = re.compile(r"\{(\w+)\}([이을은과])\(([가를는와])\)")

# Digits whose Sino-Korean names end in a consonant: 영 일 삼 육 칠 팔. Tens and hundreds, which
# end in zero, are read 십, 백, ..., and end in a consonant, too.
_CONSONANT_DIGITS = "013678"

# A particle of which both forms were left.
_OPEN_PARTICLE = re.compile(r"([이을은과])\(([가를는와])\)")
_SYLLABLE_END = re.compile(r"[lmn]", re.IGNORECASE)

_ITEM_ITALIAN = re.compile(r"\{number\} \{noun\}")
_AND_ITALIAN = re.compile(r"\be \{(\w+)\}")

# What "uno" stands before: s with another consonant, z, x, y, gn, ps, pn, and an i that is a
# consonant. A foreign word may stand in quotation marks.
_TAKES_UNO = re.compile(r"\W*(s[bcdfghjklmnpqrstvwxz]|[zxy]|gn|p[sn]|i[aeou])", re.IGNORECASE)
_TAKES_ELISION = re.compile(r"(?!i[aeou])[aeiouàèéìòù]", re.IGNORECASE)
# An e after quotation marks and other signs, but not "ed", which would sound twice.
_SOUND_OF_E = re.compile(r"\W*[eèé](?!d)", re.IGNORECASE)

_AND = re.compile(r"\by \{(\w+)\}")

# Quotation marks and other signs, a silent h, an i, and no vowel that makes a diphthong with it.
_SOUND_OF_I = re.compile(r"\W*h?[ií](?![aeouáéóú])", re.IGNORECASE)


LONGEST_LABEL = 500
"""Characters; what is longer is no noun, and has no plural."""


@functools.cache
def _inflector() -> Any:
    """Return inflect's engine, or None if it is not installed."""
    try:
        import inflect  # noqa: PLC0415  # see above
    except ImportError as error:
        pass_on_interrupt(error)
        return None
    return inflect.engine()


def english_singular(label: str) -> str:
    """Return the words for one thing with a label of a user's own model.

    They are the label itself, except for mass nouns: "furniture" -> "piece of furniture".
    """
    label = _without_article(label)
    measure = english.unit(_head(label).lower()) if len(label) <= LONGEST_LABEL else ""
    return f"{measure} of {label}" if measure else label


def english_plural(label: str) -> str:
    """Return the words for several things, "forklift" -> "forklifts".

    A label that is plural already stays: "jeans". So does what is not in Latin letters.
    """
    inflector = _inflector()  # also if it turns out not to be needed: prepare_labels counts on it
    label = _without_article(label)
    if len(label) > LONGEST_LABEL:
        return label
    if measure := english.unit(_head(label).lower()):
        return f"{english.spelled_plural(measure)} of {label}"
    if label.isupper() and not all(map(english.is_spelled_out, re.findall("[A-Z]+", label))):
        return _plural_label(label.lower(), inflector).upper()
    return _plural_label(label, inflector)


def english_article(label: str) -> str:
    """Return the article of one thing, "a" or "an"; empty if the label is plural already."""
    label = label[:LONGEST_LABEL]
    head = _head(_without_article(label))
    last = _LAST_WORD.search(head)
    if last and _is_plural(last[0]) and not english.unit(head.lower()):
        return ""
    return english.article(re.sub(r"^[\W_]+", "", english_singular(label)))


def _without_article(label: str) -> str:
    return _ARTICLE.sub("", label, count=1) if _ARTICLE.match(label) else label


def _split(words: str) -> tuple[str, str]:
    """Return the noun with what stands before it, and what stands behind it."""
    found = _BEHIND.search(words, 1)
    end = found.start() if found else len(words)
    if doing := _DOING.search(words[:end]):
        end = doing.end(doing.lastindex or 0)
    return words[:end], words[end:]


def _head(label: str) -> str:
    """Return the noun of a label, or of its first alternative, with what stands before it."""
    return _split(_alternatives(label)[0])[0]


def _alternatives(label: str) -> list[str]:
    """Return the parts of a label between slashes, but not of what is in parentheses."""
    slash = _SLASH.search(label)
    behind = re.search(r"[(\[,;:]|$", label)
    end = behind.start() if behind else len(label)
    if not slash or not 0 < slash.start() < end or _SHARED.match(label):
        return [label]
    *parts, last = _SLASH.split(label[:end])
    return [*parts, last + label[end:]]


def _plural_label(label: str, inflector: Any) -> str:
    parts = []
    for part in _alternatives(label):
        head, behind = _split(part)
        # A mass noun behind a slash stays: "suitcases/baggage".
        stays = english.unit(head.lower())
        parts.append((head if stays else _plural_noun(head, inflector)) + behind)
    return "/".join(dict.fromkeys(parts))


def _plural_noun(noun: str, inflector: Any) -> str:
    if (pair := _PAIR.fullmatch(noun)) and not _is_plural(pair[3]):
        both = (_plural_word(word, inflector) for word in (pair[1], pair[3]))
        return f" {pair[2]} ".join(both)
    last = _LAST_WORD.search(noun)
    if not last:
        return noun
    return noun[: last.start()] + _plural_word(last[0], inflector) + noun[last.end() :]


def _hyphens(word: str) -> tuple[str, str, str]:
    """Return what stands before the noun of a compound with hyphens, the noun, and the rest."""
    joined = _JOINED.search(word)
    end = joined.start() if joined else len(word)
    begin = word.rfind("-", 0, end) + 1
    return word[:begin], word[begin:end], word[end:]


def _is_plural(word: str) -> bool:
    """Return whether a word as it is written is plural: "Jeans", "SUVs", "flip-flops"."""
    noun = _hyphens(word)[1]
    return bool(re.fullmatch(r"[A-Z]{2,}s", noun)) or english.is_plural(noun.lower())


def _plural_word(word: str, inflector: Any) -> str:
    before, noun, behind = _hyphens(word)
    small = noun.lower()
    if not _LATIN.match(noun[-1:]) or small.endswith(("'s", "’s")) or _is_plural(word):
        return word
    if noun[-1:].isdigit() or (noun.isupper() and english.is_spelled_out(noun)):
        return f"{before}{noun}s{behind}"
    plural = english.plural(small)
    if plural is None and inflector and re.fullmatch("[a-z]{2,40}", small):
        plural = str(inflector.plural_noun(small))
    plural = plural or english.spelled_plural(small)
    # The capitals are those of the label: "iPods", "Mice".
    if plural.startswith(small):
        plural = noun + plural[len(small) :]
    elif noun[0].isupper():
        plural = plural[0].upper() + plural[1:]
    return before + plural + behind


def fill_italian(template: str, fields: dict[str, str]) -> str:
    """Return the filled template, with the article and the "and" that fit what follows them."""

    def article(match: re.Match[str]) -> str:
        number, noun = fields["number"], fields["noun"]
        if number == "un" and _TAKES_UNO.match(noun):
            return "uno {noun}"
        if number == "una" and _TAKES_ELISION.match(noun):
            return "un’{noun}"
        return match[0]

    def conjunction(match: re.Match[str]) -> str:
        return f"{'ed' if _SOUND_OF_E.match(fields[match[1]]) else 'e'} {{{match[1]}}}"

    template = _ITEM_ITALIAN.sub(article, template)
    return _AND_ITALIAN.sub(conjunction, template).format_map(fields)


def fill_korean(template: str, fields: dict[str, str]) -> str:
    """Return the filled template, each particle in the form that fits the field before it."""

    def with_particle(match: re.Match[str]) -> str:
        name, after_consonant, after_vowel = match.groups()
        consonant = _ends_in_consonant(fields[name])
        if consonant is None:
            return match[0]
        return f"{{{name}}}{after_consonant if consonant else after_vowel}"

    return _PARTICLE.sub(with_particle, template).format_map(fields)


def _ends_in_consonant(word: str) -> bool | None:
    if word.endswith(")"):  # what is in parentheses does not count: "세 대(빨간색)가"
        word = word[: max(word.rfind("("), 0)] or word
    last = word[-1:]
    if "가" <= last <= "힣":
        # Unicode has 28 syllables for each vowel, the first of them without a final consonant
        # (The Unicode Standard, section 3.12).
        return (ord(last) - ord("가")) % 28 != 0
    if last.isascii() and last.isdigit():
        return last in _CONSONANT_DIGITS
    return None


def settle_korean(text: str) -> str:
    """Return ``text`` with one form of each particle after a foreign word, as a voice must choose.

    What is written "forklift이(가)" is said with the sounds that Korean gives the word: only l, m,
    n and ng end a syllable for certain.
    """

    def settled(match: re.Match[str]) -> str:
        # The last letter before it, behind what closes a quotation.
        at = match.start() - 1
        while at > 0 and not (text[at].isalnum() or text[at].isspace()):
            at -= 1
        return match[1] if _SYLLABLE_END.match(text, max(at, 0)) else match[2]

    return _OPEN_PARTICLE.sub(settled, text)


def fill_spanish(template: str, fields: dict[str, str]) -> str:
    """Return the filled template, with "e" for "y" if the field after it requires that."""

    def conjunction(match: re.Match[str]) -> str:
        name = match[1]
        return f"{'e' if _SOUND_OF_I.match(fields[name]) else 'y'} {{{name}}}"

    return _AND.sub(conjunction, template).format_map(fields)


FILLERS: Mapping[str, Callable[[str, dict[str, str]], str]] = {
    "es": fill_spanish,
    "it": fill_italian,
    "ko": fill_korean,
}
"""Language -> how a template takes its fields, if that is more than str.format_map."""


def capital(text: str) -> str:
    """Return ``text`` with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def capital_dutch(text: str) -> str:
    """Return ``text`` with a capital at its beginning; ij counts as one letter (Taalunie)."""
    return "IJ" + text[2:] if text.startswith("ij") else capital(text)


def capital_turkish(text: str) -> str:
    """Return ``text`` with a capital at its beginning; that of i has a dot, İ."""
    return "İ" + text[1:] if text.startswith("i") else capital(text)


CAPITALS: Mapping[str, Callable[[str], str]] = {"nl": capital_dutch, "tr": capital_turkish}
"""Language -> how a sentence takes its capital, if that is more than ``capital``."""

SETTLERS: Mapping[str, Callable[[str], str]] = {"ko": settle_korean}
"""Language -> what a text for a voice still has to decide."""
