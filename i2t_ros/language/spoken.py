"""Any text as a voice should say it: no digit, no symbol, units in words.

For speech synthesis, whose voices read "3.5 km/h" or "№ 4" badly or not at all. Numbers are read
as the language writes them; what is called what is in config/spoken.yaml, and the names of units
and currencies are CLDR's.
"""

import functools
import re
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.numbers import get_currency_name
from babel.units import UnknownUnitError, format_unit

from i2t_ros.language.numerals import LONGEST, digit_words, number_words, ordinal_words
from i2t_ros.language.spoken_clean import legible, pauses
from i2t_ros.language.spoken_data import spoken_words

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
_ARABIC_AND = re.compile(r"(?<!\S)و (?=[\u0621-\u064a])")
_NUMBER = r"\d+(?:[.,'’\u00a0]\d+)*"


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
        suffix, self._feminine = _ORDINALS.get(locale.language, ("(?!)", ()))
        self._cached = functools.lru_cache(4096)(self._measure)
        money = _either(_CURRENCIES)
        counters = _either(self.words["counters"]) or "(?!)"
        end = r"(?![^\W_])"
        self._pattern = re.compile(
            rf"(?<![\d:.,])(?P<hour>[01]?\d|2[0-3])[:：](?P<minute>[0-5]\d)(?![\d:：])"
            rf"|(?P<ordinal>\d{{1,9}})(?P<suffix>{suffix}){end}"
            rf"|(?P<prefix>{money})\ ?(?P<price>{_NUMBER})"
            rf"|(?P<sign>(?<![^\W_])(?<![.,)])[-+±])?(?P<number>{_NUMBER})"
            rf"(?:(?P<to>\ ?[-–—~]\ ?)(?<![\d][-–—~]\ )(?P<last>{_NUMBER})(?![-–—]))?"
            rf"(?:(?P<gap>[ \u00a0]?)(?:(?P<unit>{_either(self.units)})|(?P<money>{money})){end}"
            rf"|\ ?(?=(?P<counter>{counters})))?"
            rf"|(?P<hash>[#№]\ ?(?=\d))"
            rf"|(?P<symbol>[&+=×÷<>]|[~≈](?=\ ?\d)|(?<=[^\W_])[/@](?=[^\W_]))"
        )

    def said(self, text: str) -> str:
        text = self._pattern.sub(self._replace, legible(text))
        # Whatever an unusual row of signs has kept from being read.
        text = re.sub(r"\d+", lambda match: self._pad(digit_words(match[0], self.tag)), text)
        text = pauses(text, self.words["pause"])
        # "And" is written as one with its word, also where a quotation mark stood between them.
        return _ARABIC_AND.sub("و", text) if self.locale.language == "ar" else text

    def _pad(self, words: str) -> str:
        return f"{self.words['join']}{words}{self.words['join']}"

    def _replace(self, match: re.Match[str]) -> str:
        found = match.groupdict()
        if found["hour"]:
            return self._pad(self._time(int(match["hour"]), int(match["minute"])))
        if found["ordinal"]:
            feminine = match["suffix"] in self._feminine
            words = ordinal_words(int(match["ordinal"]), self.tag, feminine)
            return self._pad(words or self._number(match["ordinal"]))
        if found["price"]:
            return self._pad(self._cached(match["price"], "", _CURRENCIES[match["prefix"]]))
        if found["number"]:
            return self._pad(self._quantity(match))
        word = "number" if found["hash"] else _WORDS[match["symbol"]]
        return self._pad(self.words[word] or " ")

    def _quantity(self, match: re.Match[str]) -> str:
        number, unit, last = match["number"], match["unit"] or "", match["last"]
        currency = _CURRENCIES.get(match["money"] or "", "")
        after = "" if match["counter"] is None else self.words["join"]
        if unit in ("s", "t") and not match["gap"]:  # "the 1980s", "don't"
            unit, after = "", " " + unit
        of = self.units.get(unit, "")
        if last is None:
            words = self._cached(number, of, currency, bool(match["counter"]))
        else:
            words = self._range(number, last, of, currency)
        sign = match["sign"]
        names = {"-": ("minus",), "+": ("plus",), "±": ("plus", "minus")}.get(sign or "", ())
        join: str = self.words["join"]
        return join.join([*(self.words[name] for name in names), words]) + after

    def _range(self, first: str, last: str, unit: str, currency: str) -> str:
        values, case = [self._value(first), self._value(last)], self.words["to_case"]
        if None in values:  # "0170-1234567"
            words = f"{self._number(first)}{self.words['pause']} {self._number(last)}"
            return self._of_many(words, unit, currency)
        if not case:
            end = self._cached(last, unit, currency)
            return str(self.words["to"]).format(self._cached(first, "", ""), end)
        gender = "f" if unit in self.words["feminine"] else "m"
        said = [
            number_words(_plain(value), self.tag, gender, case)
            for value in values
            if value is not None
        ]
        words = str(self.words["to"]).format(*said)
        # The genitive of many; the nominative that CLDR has for one and two would not do.
        return self._of_many(words, unit, currency)

    def _of_many(self, words: str, unit: str, currency: str) -> str:
        """Return words for a number with the name that a unit or currency has beside many."""
        if currency:
            name = get_currency_name(currency, count=5, locale=self.locale)
            return f"{words}{self.words['join']}{name}"
        return self._template(unit, 5).format(words) if unit else words

    def _time(self, hour: int, minute: int) -> str:
        words, how = self.words, self.words["hours"]
        if isinstance(how, list):
            hours = how[hour]
        elif how == "counting":
            native = hour <= 12 or self._chinese
            hours = number_words(hour, self.tag, counting=native)
        else:
            hours = number_words(hour, self.tag, how)
        template = words["time"] if minute else words["hour"]
        if 0 < minute < 10:
            template = words["early"] or template
        if isinstance(template, dict):
            template = template.get(self.locale.plural_form(hour), template["other"])
        minutes = self._cached(str(minute), "duration-minute", "")
        return str(template).format(hours, number_words(minute, self.tag), minutes)

    def _measure(self, number: str, unit: str, currency: str, counting: bool = False) -> str:
        """Return a number with the name of its unit or currency."""
        value = self._value(number)
        if not (unit or currency):
            return self._number(number, counting=counting)
        if value is None:  # "007 km/h", "1.2.3 m": in parts, and the name for many
            return self._of_many(self._number(number), unit, currency)
        gender = "f" if (unit or currency) in self.words["feminine"] else "m"
        if currency:
            whole, hundredths = divmod(value, 1)
            price, join = self.words["price"], self.words["join"]
            if hundredths and (value * 100 % 1 or not price):
                whole, hundredths = value.normalize(), Decimal()
            count = _plain(whole)
            name = get_currency_name(currency, count=count, locale=self.locale)
            words = number_words(count, self.tag, gender, counting=self._chinese)
            amount = f"{words}{join}{name}"
            if not hundredths:
                return amount
            cents = number_words(int(hundredths * 100), self.tag)
            return str(price).format(amount, cents)
        count = _plain(value)
        counting = self._chinese and not unit.startswith("concentr-")
        words = number_words(count, self.tag, gender, counting=counting)
        return self._template(unit, count).format(words)

    def _template(self, unit: str, value: int | Decimal) -> str:
        """Return how the unit stands beside its number, as "{0} metros"."""
        own = self.words["units"].get(unit)
        if own:
            return str(own)
        # Which plural a number needs depends on the number itself; one digit stands for it after.
        text = str(format_unit(float(value) if value % 1 else int(value), unit, "long",
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
