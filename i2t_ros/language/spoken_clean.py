"""The signs of a text that is to be spoken: before its numbers are read, and after.

``legible`` brings every way of writing a digit, a unit or a fraction to one, and ``ready`` decides
what a language does with spaces beside numbers and quotations. ``pauses`` leaves letters and the
punctuation at which a voice pauses, and nothing else.
"""

import functools
import re
import unicodedata

ENDS = ".!?…。！？।؟"
BREAKS = ",;:、，；：،؛"
_SEMICOLONS = ";；؛"

SYMBOLS = frozenset("&+=×÷<>~≈±@#№%‰°/€$£¥₩₹₽₺₫₪₴฿_*-−")
"""What may mean something beside letters and digits; other symbols are left out."""

_SAME = str.maketrans({
    "％": "%", "٪": "%", "＆": "&", "＠": "@", "＃": "#", "＊": "*", "／": "/", "＿": "_",
    "−": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "․": ".", "．": ".", "٫": ".", "٬": ",",
    "＋": "+", "＝": "=", "＜": "<", "＞": ">", "～": "~", "〜": "~", "￥": "¥", "￦": "₩",
    "￡": "£",
    "\u202f": "\u00a0", "\u2009": "\u00a0", "✕": "×", "✖": "×", "≤": "<", "≥": ">",
    "∶": ":",
})  # fmt: skip
_JOINERS = "\u200c\u200d"  # of Devanagari, where they change the shape of a letter
_AS_THEY_ARE = frozenset(" \u00a0ºª〇" + _JOINERS)
_UNSAID = frozenset("®™©℠℗")
_FRACTION = re.compile(r"(?:(?<=\d) )?([¼½¾⅕⅖⅗⅘⅛⅜⅝⅞])")
_OPENING, _CLOSING = "「『“«《", "」』”»》"
_UNSPACED = ("ja", "zh")
_WIDE = "。！？、，；："  # have their own space
# Chinese characters and kana, which have no spaces between them.
_HAN = "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_SIGNS = "&+=×÷<>@/~≈"
_NO_SPACE = re.compile(
    rf"(?<=[{_HAN}]) (?=[\d#№{_SIGNS}])|(?<=\d) (?=[{_HAN}{_SIGNS}])"
    rf"|(?<=[#№{_SIGNS}]) (?=[\d{_HAN}])"
)
_QUOTED_HAN = re.compile(rf"(?<=[{_HAN}])[{_OPENING}{_CLOSING}](?=[{_HAN}])")
_HYPHEN_HAN = re.compile(rf"(?<=[{_HAN}])-(?=[{_HAN}])")
_APART = re.compile(rf"(?<=[{_HAN}]) (?=[{_HAN}])")
_PERCENT_FIRST = re.compile(r"%\ ?(\d+(?:[.,]\d+)*)(?![\d%])")
# A particle or a copula behind a quotation is written as one with it.
_KOREAN_ENDING = re.compile(r"[ .!?…]*[”’」』»]+(?=[가-힣])")
# So is the Arabic "and" with its word, also where a quotation mark stood between them.
_ARABIC_AND = re.compile(r"(?<!\S)و (?=\w)")
_RUN = re.compile(rf"[\s{ENDS}{BREAKS}]+")


def legible(text: str) -> str:
    """Return the text with ASCII digits, one sign for each meaning, and nothing invisible."""
    text = unicodedata.normalize("NFC", text.translate(_SAME))
    text = _FRACTION.sub(_decimal, text)
    return unicodedata.normalize("NFC", "".join(map(_one, text)))


def _decimal(match: re.Match[str]) -> str:
    """Return 2½ as 2.5, and ½ as 0.5."""
    after_digit = match.string[max(match.start() - 1, 0) : match.start()].isdecimal()
    return f"{unicodedata.numeric(match[1]):g}".removeprefix("0" if after_digit else "")


@functools.lru_cache(4096)
def _one(char: str) -> str:
    """Return what stands for a character."""
    kind = unicodedata.category(char)
    if char in _AS_THEY_ARE or char in SYMBOLS or kind[0] == "P":
        return char
    if (
        char in _UNSAID
        or kind in ("Cf", "Me")
        or unicodedata.name(char, "").startswith("VARIATION")
    ):
        return ""  # invisible, or the shape of a symbol
    plain = unicodedata.normalize("NFKC", char)
    if kind[0] in "CZ":
        return " "
    if plain != char or kind == "Nd":
        return "".join(map(_part, plain))
    return char if kind[0] in "LM" else _counted(char)


def _part(char: str) -> str:
    """Return what stands for one character of what stands for another."""
    kind = unicodedata.category(char)
    known = kind[0] in "LM" or kind == "Nd" or char in "°/().,"
    return (str(unicodedata.decimal(char)) if kind == "Nd" else char) if known else " "


def _counted(char: str) -> str:
    """Return the number that a sign stands for; other symbols are left out."""
    value = unicodedata.numeric(char, 0.5)
    return f" {int(value)} " if value == int(value) and 0 <= value < 10**9 else " "


def ready(text: str, language: str) -> str:
    """Return a legible text with the spaces and pauses that its language has, before numbers."""
    if language in _UNSPACED:
        return _NO_SPACE.sub("", text)
    if language == "tr":  # %50, which is said as "yüzde elli" like 50%
        return _PERCENT_FIRST.sub(r"\1%", text)
    return text.replace("» و«", "»، و«") if language == "ar" else text


def pauses(text: str, comma: str, between: str, language: str) -> str:
    """Return letters, and one mark for each pause.

    comma    that of the language; ``between`` is that between two quotations
    """
    if language == "ko":
        text = _KOREAN_ENDING.sub("", text)
    if language in _UNSPACED:
        text = _HYPHEN_HAN.sub(comma, _QUOTED_HAN.sub("", text))
    said = "".join(
        char if char == " " or char.isalpha() else _mark(text, at, comma, between)
        for at, char in enumerate(text)
    )
    said = unicodedata.normalize("NFC", said)
    said = _RUN.sub(_pause, said).strip()
    if language in _UNSPACED:
        return _APART.sub(comma, said)
    return _ARABIC_AND.sub("و", said) if language == "ar" else said


def _mark(text: str, at: int, comma: str, between: str) -> str:
    char = text[at]
    kind = unicodedata.category(char)
    if char in ENDS or char in BREAKS or kind[0] in "LM" or char == "〇":
        return char
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if char in "'’-" and _in_word(before) and _in_word(after):
        return char
    if char in _JOINERS:
        return char if _devanagari(before) and _devanagari(after) else ""
    if char in "¿¡" and _in_word(after):
        return char
    if char in _OPENING and before and before in _CLOSING:  # 「一」「二」
        return between
    return comma if char in "()（）–—―" else " "


def _in_word(char: str) -> bool:
    return bool(char) and unicodedata.category(char)[0] in "LM"


def _devanagari(char: str) -> bool:
    return "\u0900" <= char <= "\u097f" and unicodedata.category(char)[0] in "LM"


def _pause(match: re.Match[str]) -> str:
    """Return one mark for a run of marks and spaces: the strongest, the first of its kind."""
    run = match[0]
    marks = run.strip()
    if len(run) == 1 or not marks:
        mark = marks or " "
    else:
        strong = (char for kind in (ENDS, _SEMICOLONS) for char in run if char in kind)
        mark = next(strong, marks[0])
        mark += "" if mark in _WIDE else " "
    last = match.end() == len(match.string)
    if match.start() == 0 or (last and mark[0] in BREAKS):
        return ""
    return mark
