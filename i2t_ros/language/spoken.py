"""Any text as a voice should say it: no digit, no symbol, units in words.

For speech synthesis, whose voices read "3.5 km/h" or "№ 4" badly or not at all. Numbers are read
as the language writes them; what is called what is in config/spoken.yaml, and the names of units
and currencies are CLDR's.
"""

import functools
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.numbers import get_currency_name
from babel.units import UnknownUnitError, format_unit

from i2t_ros.language.numerals import LONGEST, digit_words, number_words, ordinal_words
from i2t_ros.language.spoken_clean import legible, pauses, ready
from i2t_ros.language.spoken_data import spoken_words
from i2t_ros.language.spoken_times import time_range_words, time_words

LONGEST_TEXT = 10_000
"""Characters; what comes after them is not said."""

# How a unit is written after a number -> CLDR's name. Letters that are more often something else
# ("Gate 5 A", "4K", "10 in") are not units.
_UNITS = {
    "km/h": "speed-kilometer-per-hour", "kph": "speed-kilometer-per-hour",
    "mph": "speed-mile-per-hour", "m/s": "speed-meter-per-second",
    "km": "length-kilometer", "m": "length-meter", "cm": "length-centimeter",
    "mm": "length-millimeter", "µm": "length-micrometer", "μm": "length-micrometer",
    "nm": "length-nanometer", "mi": "length-mile", "ft": "length-foot",
    "kg": "mass-kilogram", "g": "mass-gram", "mg": "mass-milligram", "t": "mass-tonne",
    "lb": "mass-pound", "lbs": "mass-pound", "oz": "mass-ounce",
    "l": "volume-liter", "L": "volume-liter", "ml": "volume-milliliter",
    "mL": "volume-milliliter", "cl": "volume-centiliter", "m3": "volume-cubic-meter",
    "cm3": "volume-cubic-centimeter", "m2": "area-square-meter", "km2": "area-square-kilometer",
    "cm2": "area-square-centimeter", "ha": "area-hectare",
    "h": "duration-hour", "min": "duration-minute", "s": "duration-second",
    "ms": "duration-millisecond", "%": "concentr-percent", "‰": "concentr-permille",
    "°C": "temperature-celsius", "°F": "temperature-fahrenheit", "°": "angle-degree",
    "W": "power-watt", "kW": "power-kilowatt", "MW": "power-megawatt",
    "kWh": "energy-kilowatt-hour", "V": "electric-volt", "mA": "electric-milliampere",
    "Hz": "frequency-hertz", "kHz": "frequency-kilohertz", "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz", "kB": "digital-kilobyte", "KB": "digital-kilobyte",
    "MB": "digital-megabyte", "GB": "digital-gigabyte", "TB": "digital-terabyte",
    "hPa": "pressure-hectopascal", "px": "graphics-pixel",
}  # fmt: skip
_CURRENCIES = {
    "€": "EUR", "R$": "BRL", "$": "USD", "£": "GBP", "¥": "JPY", "₩": "KRW", "₹": "INR",
    "₽": "RUB", "₺": "TRY", "₫": "VND", "₪": "ILS", "₴": "UAH", "฿": "THB", "zł": "PLN",
    "EUR": "EUR", "USD": "USD", "GBP": "GBP", "JPY": "JPY", "CHF": "CHF", "PLN": "PLN",
}  # fmt: skip
# Language -> what follows the digits of an ordinal, and which of these are feminine.
_ORDINALS = {
    "en": (r"st|nd|rd|th", ()), "fr": (r"ères?|ers?|res?|[èe]mes?|nde?|es?", ("re", "ère")),
    "es": (r"\.?[ºª]", ("ª", ".ª")), "pt": (r"\.?[ºª]", ("ª", ".ª")),
    "it": (r"\.?[ºª]", ("ª", ".ª")), "nl": (r"ste|de|e", ()),
    "ru": (r"-(?:[ыо]?й|а?я)", ("-я", "-ая")),
}  # fmt: skip
_WORDS = {
    "&": "and", "+": "plus", "=": "equals", "×": "times", "÷": "over", "<": "less", ">": "more",
    "~": "about", "≈": "about", "/": "slash", "@": "at",
}  # fmt: skip
_NUMBER = r"\d+(?:[.,'’\u00a0]\d+)*"
_DOT = re.compile(r"(?<=[^\W_])\.(?=[^\W\d_][^\W_])")
_SAID = re.compile(rf"[\d&+=×÷<>~≈/@]|{_DOT.pattern}")  # without these there is nothing to read
_DASH = r"\ ?[-–—~]\ ?"


def spoken_text(text: str, tag: str) -> str:
    """Return the text in words: no digit, no symbol, no quotation mark, nothing invisible.

    Numbers of more than LONGEST digits, and such as "007", are said digit by digit. What comes
    after LONGEST_TEXT characters is left out. What is said already stays as it is.

    tag  the language, as number_words takes it; raises as that does if there is a number
    """
    return _speaker(tag).said(text[:LONGEST_TEXT])


@functools.cache
def _speaker(tag: str) -> "_Speaker":
    return _Speaker(tag)


class _Speaker:
    """What one language says for numbers and symbols."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.words = spoken_words(tag)
        self.locale = locale = Locale.parse(tag, sep="-")
        self._chinese = locale.language == "zh"  # counts units as things: 两米
        signs = locale.number_symbols
        signs = signs.get("latn", signs)  # older versions of babel have no numbering systems
        self.group = signs.get("group", ",").replace("\u202f", "\u00a0")
        two = "|\\d{2}" if locale.language == "hi" else ""
        self._groups = {
            sign: re.compile(rf"[1-9]\d{{0,2}}(?:{re.escape(sign)}(?:\d{{3}}{two}))+")
            for sign in (".", ",", "\u00a0", "'", "’")
        }
        self.units = {**_own_units(locale), **_UNITS}
        self.currencies = {**_CURRENCIES, **({"¥": "CNY"} if tag == "zh" else {})}
        suffix, self._feminine = _ORDINALS.get(locale.language, ("(?!)", ()))
        self._cached = functools.lru_cache(4096)(self._measure)
        money = _either(_CURRENCIES)
        counters = _either(self.words["counters"]) or "(?!)"
        end = r"(?![^\W_])"
        clock = _either(self.words["oclock"])
        clock = rf"(?![\d:：])(?:\ ?(?:{clock}){end})?" if clock else r"(?![\d:：])"
        self._pattern = re.compile(
            rf"(?<![\d:.,])(?P<hour>[01]?\d|2[0-3])[:：](?P<minute>[0-5]\d){clock}"
            rf"(?:{_DASH}(?P<till>[01]?\d|2[0-3])[:：](?P<until>[0-5]\d){clock})?"
            rf"|(?P<ordinal>\d{{1,9}})(?P<suffix>{suffix}){end}"
            rf"|(?P<prefix>{money})\ ?(?P<price>{_NUMBER})"
            rf"(?:{_DASH}(?:(?P=prefix)\ ?)?(?P<most>{_NUMBER})(?![-–—\d]))?"
            rf"|(?:(?P<hash>[#№])\ ?(?=\d)(?!\d+(?:{suffix}){end}))?"
            rf"(?P<sign>(?<![^\W_])(?<![.,)])[-+±])?(?P<number>{_NUMBER})"
            rf"(?:{_DASH}(?<![\d][-–—~]\ )(?P<last>{_NUMBER})(?![-–—\d]))?"
            rf"(?:(?P<gap>[ \u00a0]?)(?:(?P<unit>{_either(self.units)})|(?P<money>{money})){end}"
            rf"|\ ?(?=(?P<counter>{counters})))?"
            rf"|(?P<symbol>[&+=×÷<>]|[~≈](?=\ ?\d)|(?<=[^\W_])[/@](?=[^\W_])"
            rf"|{_DOT.pattern})"
        )
        named = f"{_either(self.units)}|{money}"
        # Thousands apart by an ordinary space count as such before a unit, "1 000 ₽" only.
        apart = rf"(?<![\d.,])(?<!\d )[1-9]\d{{0,2}}(?: \d{{3}})+(?=[ \u00a0]?(?:{named}){end})"
        self._apart = re.compile(apart if self.group == "\u00a0" else "(?!)")
        self._another = re.compile(rf" +[-+±]?(?:(?:{money})\ ?)?\d")

    def said(self, text: str) -> str:
        language = self.locale.language
        text = ready(legible(text), language)
        if _SAID.search(text):
            text = self._apart.sub(lambda match: match[0].replace(" ", "\u00a0"), text)
            text = self._pattern.sub(self._replace, text)
            # Whatever an unusual row of signs has kept from being read.
            text = re.sub(r"\d+", lambda match: self._pad(digit_words(match[0], self.tag)), text)
        between = self.words["between"] or self.words["pause"]
        text = pauses(text, self.words["pause"], between, language)
        # Dots that words have come to stand beside: 等于.km.
        return _DOT.sub(self._dot, text)

    def _dot(self, match: re.Match[str]) -> str:
        said = _dotted(match.string, match.start()) and self.words["dot"]
        return self._pad(said) if said else match[0]

    def _pad(self, words: str) -> str:
        return f"{self.words['join']}{words}{self.words['join']}"

    def _replace(self, match: re.Match[str]) -> str:
        symbol = match["symbol"]
        if symbol == ".":
            return self._dot(match)
        if symbol:
            return self._pad(self.words[_WORDS[symbol]] or " ")
        words = self._pad(self._in_words(match))
        # Two numbers side by side would sound as one.
        return words + (
            self.words["pause"] if self._another.match(match.string, match.end()) else ""
        )

    def _in_words(self, match: re.Match[str]) -> str:
        found = match.groupdict()
        if found["hour"]:
            time = int(found["hour"]), int(found["minute"])
            if not found["till"]:
                return time_words(time, self.tag)
            return time_range_words(time, (int(found["till"]), int(found["until"])), self.tag)
        if found["ordinal"]:
            feminine = match["suffix"] in self._feminine
            words = ordinal_words(int(match["ordinal"]), self.tag, feminine)
            return words or self._number(match["ordinal"])
        if found["price"]:
            currency = self.currencies[match["prefix"]]
            if found["most"]:
                return self._range(match["price"], match["most"], "", currency)
            return self._cached(match["price"], "", currency)
        words = self._quantity(match)
        return str(self.words["number"]).format(words) if found["hash"] else words

    def _quantity(self, match: re.Match[str]) -> str:
        number, unit, last = match["number"], match["unit"] or "", match["last"]
        currency = self.currencies.get(match["money"] or "", "")
        after = "" if match["counter"] is None else self.words["join"]
        if unit in ("s", "t") and not match["gap"]:  # "the 1980s", "don't"
            unit, after = "", " " + unit
        of, join = self.units.get(unit, ""), self.words["join"]
        cold = of.startswith("temperature-")
        minus = (cold and self.words["cold"]) or self.words["minus"]
        signs = {"-": (minus,), "+": (self.words["plus"],), "±": (self.words["plus"], minus)}
        sign = "".join(f"{word}{join}" for word in signs.get(match["sign"] or "", ()))
        if last is not None and re.search(r"\d[-–—]$", match.string[: match.start()][-2:]):
            # "03-1234-5678"
            return f"{self._number(number)}{self.words['pause']}{join}{self._number(last)}"
        if last is not None:
            return self._range(number, last, of, currency, sign) + after
        counting = bool(match["counter"])
        if cold:  # 摂氏マイナス五度
            return self._cached(number, of, currency, counting, sign) + after
        return sign + self._cached(number, of, currency, counting) + after

    def _range(self, first: str, last: str, unit: str, currency: str, sign: str = "") -> str:
        values, case = [self._value(first), self._value(last)], self.words["to_case"]
        least, most = values
        if least is None or most is None:  # "0170-1234567"
            words = f"{sign}{self._number(first)}{self.words['pause']} {self._number(last)}"
            return (
                self._template(unit or currency, 100).format(words) if unit or currency else words
            )
        if not case:
            end = self._cached(last, unit, currency)
            return str(self.words["to"]).format(sign + self._cached(first, "", ""), end)
        gender = "f" if (unit or currency) in self.words["feminine"] else "m"
        low, high = (number_words(_plain(value), self.tag, gender, case) for value in (least, most))
        words = str(self.words["to"]).format(sign + low, high)
        if not unit and not currency:
            return words
        # The genitive of many; the nominative that CLDR has for one and two would not do. Only
        # Arabic has a form for each number.
        many: int | Decimal = 5
        if self.locale.language == "ar":
            many = _plain(most) if self.locale.plural_form(most) in ("few", "many") else 100
        return self._template(unit or currency, many).format(words)

    def _measure(
        self, number: str, unit: str, currency: str, counting: bool = False, sign: str = ""
    ) -> str:
        """Return a number with the name of its unit or currency; ``sign`` is right before it."""
        value = self._value(number)
        if value is None or not (unit or currency):
            words = sign + self._number(number, counting=counting)
            return (
                self._template(unit or currency, 100).format(words) if unit or currency else words
            )
        if not currency:
            return self._named(_plain(value), unit, sign=sign)
        names = self.words["hundredths"].get(currency)
        whole, hundredths = divmod(value, 1)
        if not names or not hundredths or value * 100 % 1:
            return self._named(_plain(value.normalize() if hundredths else whole), currency)
        small = self._named(int(hundredths * 100), currency, names)
        if not whole:
            return small
        return str(self.words["price"]).format(self._named(int(whole), currency), small)

    def _named(self, value: int | Decimal, of: str, names: Any = None, sign: str = "") -> str:
        """Return a number of a unit or a currency, or of what ``names`` has the forms of."""
        last = value % 100
        if self.words["repeat"] and value > 100 and last in (1, 2):
            parts = (self._named(each, of, names) for each in (value - last, last))
            return sign + str(self.words["repeat"]).format(*parts)
        gender = "f" if of in self.words["feminine"] else "m"
        if names:
            gender = names.get("gender", "m") if isinstance(names, Mapping) else "m"
        counting = self._chinese and not of.startswith("concentr-")
        words = number_words(value, self.tag, gender, counting=counting)
        template = self._template(of, value, names)
        if "{0}" not in template:  # one of it, without the number
            return sign + template
        return template.format(sign + words)

    def _template(self, of: str, value: int | Decimal, names: Any = None) -> str:
        """Return how a unit or a currency stands beside its number, as "{0} metros"."""
        known = self.words["currencies" if of.isupper() else "units"]
        own = names or known.get(of)
        if isinstance(own, Mapping):
            own = own.get(self.locale.plural_form(value)) or own["other"]
        if own:
            return str(own)
        if of.isupper():
            name = get_currency_name(of, count=value, locale=self.locale)
            # CLDR has "Dólares americanos", which is not how Portuguese is written.
            name = name.lower() if self.locale.language == "pt" else name
            return f"{{0}}{self.words['join']}{name}"
        # Which plural a number needs depends on the number itself; one digit stands for it after.
        text = str(format_unit(float(value) if value % 1 else int(value), of, "long",
                               locale=self.locale))  # fmt: skip
        text = re.sub(r"\d[\d.,'’\s\u00a0\u202f]*(?<=\d)", "{0}", text, count=1)
        # 5 미터, but 五メートル: as words of the language are spaced.
        return re.sub(r"\s*\{0\}\s*", "{0}".join([self.words["join"]] * 2), text).strip()

    def _number(self, number: str, counting: bool = False) -> str:
        value = self._value(number)
        if value is not None:
            whole = value == int(value) and "." not in str(value)
            return number_words(int(value) if whole else value, self.tag, counting=counting)
        join = self.words["join"]
        parts = re.split(r"([.,])|['’\u00a0]", number[:500])
        said: list[str] = []
        for part in filter(None, parts):
            if part == ".":
                said.append(self.words["point"])
            elif part == ",":
                said[-1] += self.words["pause"]
            elif len(part) > LONGEST or (part[0] == "0" and len(part) > 1):
                said.append(digit_words(part, self.tag))
            else:
                said.append(number_words(int(part), self.tag))
        return (join or "").join(said)

    def _value(self, number: str) -> Decimal | None:
        """Return the value of a number as this language writes it; None if it is said in parts."""
        for sign, pattern in self._groups.items():
            known = sign == self.group or sign not in ".,"
            whole, _, fraction = number, "", ""
            others = {".", ","} - {sign}
            other = next((of for of in others if number.count(of) == 1), "")
            if other and sign in number:
                whole, _, fraction = number.partition(other)
            if pattern.fullmatch(whole) and (known or fraction or whole.count(sign) > 1):
                number = re.sub(r"\D", "", whole) + (f".{fraction}" if fraction else "")
                break
        number = number.replace(",", ".")
        whole, _, fraction = number.partition(".")
        if not number.replace(".", "", 1).isdigit() or max(len(whole), len(fraction)) > LONGEST:
            return None
        return None if len(whole) > 1 and whole[0] == "0" else Decimal(number)


def _plain(value: Decimal) -> int | Decimal:
    return int(value) if value == int(value) else value


def _dotted(text: str, at: int) -> bool:
    """Return whether a dot within a word is said: in "robot.org", but not in "Mr.Smith"."""
    before, after = text[at - 1], text[at + 1 : at + 3]
    return after.islower() or (after.isupper() and not before.islower())


def _own_units(locale: Locale) -> dict[str, str]:
    """Return the language's own abbreviations of units, such as "км/ч"."""
    found = {}
    for unit in dict.fromkeys(_UNITS.values()):
        try:
            short: Any = format_unit(5, unit, "short", locale=locale)
        except UnknownUnitError:
            continue
        sign = short.removeprefix("5").strip()
        if sign != short and sign and not sign.isascii() and not re.search(r"\d", sign):
            found[sign] = unit
    return found


def _either(signs: Any) -> str:
    return "|".join(map(re.escape, sorted(signs, key=len, reverse=True)))
