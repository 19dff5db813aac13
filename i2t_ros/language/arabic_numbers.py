"""Arabic cardinal numbers in words, in Modern Standard Arabic.

CLDR's rules for Arabic ignore the gender of what is counted and the case. Here 3 to 10 take the
opposite gender, 1, 2, 11 and 12 the same, and tens, two hundred and two thousand have an oblique
form (Ryding, A Reference Grammar of Modern Standard Arabic, chapter 15).
"""

from collections.abc import Iterator

# For a feminine noun, which is the shorter form; a masculine one takes it with a final ة.
_SHORT = {
    3: "ثلاث", 4: "أربع", 5: "خمس", 6: "ست", 7: "سبع", 8: "ثماني", 9: "تسع", 10: "عشر",
}  # fmt: skip
_TENS = {
    2: "عشر", 3: "ثلاث", 4: "أربع", 5: "خمس", 6: "ست", 7: "سبع", 8: "ثمان", 9: "تسع",
}  # fmt: skip
# Value -> one, two without its ending, three to ten, eleven and more.
_SCALES = (
    (10**9, "مليار", "مليار", "مليارات", "مليارًا"),
    (10**6, "مليون", "مليون", "ملايين", "مليونًا"),
    (10**3, "ألف", "ألف", "آلاف", "ألفًا"),
)


_DUALS = tuple(one + ending for one in ("مئت", "ألف", "مليون", "مليار") for ending in ("ان", "ين"))


def arabic_words(
    number: int, feminine: bool = False, case: str = "", *, counts: bool = False
) -> str:
    """Return a number of 0 to 999 999 999 999 that counts a noun of that gender.

    ``counts`` says that the noun follows: it takes the last letter of two hundred and the like.
    """
    if number == 0:
        return "صفر"
    words = " و".join(_parts(number, feminine, case))
    return words[:-1] if counts and words.endswith(_DUALS) else words


def _oblique(case: str) -> bool:
    return case in ("accusative", "genitive")


def _parts(number: int, feminine: bool, case: str) -> Iterator[str]:
    dual = "ين" if _oblique(case) else "ان"
    for scale, one, two, few, many in _SCALES:
        count, number = divmod(number, scale)
        if count == 1:
            yield one
        elif count == 2:
            yield two + dual
        elif count:
            words, last = arabic_words(count, False, case, counts=True), count % 100
            yield f"{words} {few if 3 <= last <= 10 else many if last > 10 else one}"
    hundreds, number = divmod(number, 100)
    if hundreds == 1:
        yield "مئة"
    elif hundreds == 2:
        yield "مئت" + dual
    elif hundreds:
        yield ("ثمان" if hundreds == 8 else _SHORT[hundreds]) + "مئة"
    if number > 19 or 0 < number < 11:
        tens, ones = divmod(number, 10) if number > 10 else (0, number)
        if ones or number == 10:
            yield _one_to_ten(ones, feminine, case, alone=not tens)
        if tens:
            yield _TENS[tens] + ("ين" if _oblique(case) else "ون")
    elif number:
        yield _teen(number, feminine, case)


def _one_to_ten(number: int, feminine: bool, case: str, alone: bool) -> str:
    if number == 1:
        if feminine:
            return "واحدة" if alone else "إحدى"
        return "واحدًا" if case == "accusative" else "واحد"
    if number == 2:
        return ("اثنت" if feminine else "اثن") + ("ين" if _oblique(case) else "ان")
    return _SHORT[number] if feminine else _SHORT[number] + "ة"


def _teen(number: int, feminine: bool, case: str) -> str:
    ten = "عشرة" if feminine else "عشر"
    if number == 11:
        return f"{'إحدى' if feminine else 'أحد'} {ten}"
    if number == 12:
        return ("اثنت" if feminine else "اثن") + ("ي " if _oblique(case) else "ا ") + ten
    return f"{_one_to_ten(number - 10, feminine, case, alone=True)} {ten}"
