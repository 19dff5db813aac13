"""English words: which are plural, their plurals, which are counted by a unit, and "a" or "an".

These are the rules of spelling and their exceptions among things that can be seen. All take single
words, in lower case unless the capitals matter. ``inflection`` finds these words in a label.
"""

import re
import unicodedata


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_IRREGULAR = {
    "person": "people", "child": "children", "mouse": "mice", "woodlouse": "woodlice",
    "goose": "geese", "tooth": "teeth", "foot": "feet", "ox": "oxen", "die": "dice",
    "cactus": "cacti", "fungus": "fungi", "larva": "larvae", "alga": "algae",
    "vertebra": "vertebrae", "bacterium": "bacteria", "criterion": "criteria",
    "passerby": "passersby",
    "leaf": "leaves", "loaf": "loaves", "sheaf": "sheaves", "thief": "thieves", "calf": "calves",
    "half": "halves", "elf": "elves", "shelf": "shelves", "wolf": "wolves", "scarf": "scarves",
    "hoof": "hooves", "knife": "knives", "wife": "wives", "life": "lives", "quiz": "quizzes",
    "axis": "axes", "basis": "bases", "oasis": "oases", "crisis": "crises", "fez": "fezzes",
    "matrix": "matrices", "vertex": "vertices", "dwarf": "dwarfs", "craft": "crafts",
    "panini": "paninis", "axe": "axes", "bus": "buses", "gas": "gases",
    "cargo": "cargoes", "buffalo": "buffalo",
    "tomato": "tomatoes", "potato": "potatoes", "hero": "heroes", "echo": "echoes",
    "torpedo": "torpedoes", "volcano": "volcanoes", "tornado": "tornadoes",
    "mosquito": "mosquitoes", "mango": "mangoes", "domino": "dominoes",
}  # fmt: skip
"""Singular -> plural, also at the end of a compound if it has four letters or more: "bookshelf"."""

_COMPOUNDS = {one: _IRREGULAR[one] for one in _IRREGULAR if len(one) > 3 and one != "life"}
_NOT_COMPOUNDS = {"mongoose"}

_SAME = _words(
    """sheep deer reindeer moose elk bison fish salmon trout tuna cod squid shrimp swine
    aircraft watercraft spacecraft hovercraft rotorcraft seafowl waterfowl series species chassis
    offspring biceps triceps corps gallows bellows barracks crossroads headquarters
    baozi tennis soccer curling french
    ripe unripe rotten healthy defective damaged broken masked unmasked canned fallen empty occupied
    vacant"""
)
"""Words that have no other plural, among them adjectives that stand for a thing."""

_PLURAL = _words(
    """people police cattle dice mice dormice lice geese feet teeth oxen children cacti fungi octopi
    larvae algae vertebrae bacteria media data criteria alumni nuclei stimuli graffiti paparazzi
    gateaux bureaux tableaux plateaux passersby menus emus tutus gnus gurus cpus gpus tofus skis
    taxis kiwis bikinis zucchinis alibis safaris martinis paninis delis yetis jacuzzis khakis
    chilis chillis rotis tikis minis raviolis salamis tsunamis broccolis leis tis folk livestock
    vermin personnel pantyhose"""
)
"""Plurals that their ending does not show."""

_SINGULAR = _words(
    """lens gas canvas atlas christmas xmas bias alias pancreas rhinoceros thermos asbestos cosmos
    chaos albatros iris tennis trellis mantis ibis axis oasis chassis clematis basis crisis pelvis
    debris portcullis amaryllis cannabis gps sms news summons mars yes gros
    specimen abdomen omen ramen semen stamen regimen cyclamen bitumen lumen acumen amen"""
)
"""Singulars that end like a plural."""

_NOT_MEN = _words("human roman german ottoman talisman caiman shaman norman walkman turkoman")

# What has no plural is counted by what fits most pictures of it; "two furniture" is no English.
_UNITS = {
    "piece": """furniture luggage baggage equipment jewelry jewellery clothing apparel footwear
        headwear swimwear underwear sportswear eyewear tableware kitchenware cookware silverware
        cutlery glassware chinaware crockery machinery hardware garbage trash litter rubbish debris
        waste armor money bread cornbread toast meat crabmeat beef pork bacon cheese candy tofu
        fudge leather wood driftwood lumber pottery styrofoam cardboard ginger broccoli cabinetry
        stationery""",
    "portion": """food seafood rice pasta spaghetti popcorn guacamole coleslaw hummus oatmeal sushi
        macaroni edamame salsa cornmeal applesauce honey butter""",
    "roll": "toilet-paper toilet-tissue adhesive-tape duct-tape masking-tape tinfoil gift-wrap",
    "sheet": "paper notepaper parchment wrapping-paper tissue-paper",
    "head": "hair lettuce garlic",
    "bunch": "asparagus celery parsley spinach",
    "ear": "corn",
    "area": """grass sand snow water vegetation terrain sky smoke mud dirt gravel moss foliage ice
        earth land facial-hair body-hair""",
}
_UNIT_OF = {
    words.replace("-", " "): unit for unit, listed in _UNITS.items() for words in listed.split()
}

# Capital letters that are a word rather than the names of letters, although they are so short.
_SHORT_WORDS = _words(
    """man men hat fan hen map mug net nut rug rat ram rod saw sun log leg lid lip mat mop hut hub
    ham fox fig fly rib row sea van box bag can key pen pig toy jar jug gun tub cap cab cow dog cat
    car bus cup bed bin bee ant ape arm axe egg eye ear oar owl sim no on off"""
)
# Short for a word that is read as a whole: "St. Bernard".
_ABBREVIATED = {"st", "mt", "mr", "mrs", "ms", "ft", "lt"}
# Acronyms that look like a word, or that are no shorter than one.
_SPELLED_OUT = _words("suv led uav agv usb ufo url atv atm auv asv amr html hdmi hvac rfid mpeg")
_SYLLABLE = re.compile(
    r"(?:[bcdfghjklmnpqrstvwz]|[bcfgkps]l|[bcdfgkptw]r|[cgkprstw]h|s[cklmnpqtw]|s[ch]r|s[cpt]r"
    r"|spl|sch|sph|squ|thr|chr|phr|tw|kn|gn|dw|ps|ll|x)?[aeiouy]"
)
_CONSONANT_SOUND = re.compile(
    r"u(?=[krst][aeiou])|uni(?!den|mp|mag|n|ss)|unesco|ukr|eu|ew|one(?![a-z])|once\b|ouija"
)
_SILENT_H = re.compile(r"h(?:onest|onor|onour|our|eir|erbs?\b)")


def is_plural(word: str) -> bool:
    """Return whether a word is a plural already, "jeans", "people"."""
    if word in _PLURAL or word.endswith(("people", "children", "eaux")):
        return True
    if word in _SINGULAR or word in _SAME:
        return False
    if word.endswith("men"):
        return not word.endswith(("specimen", "abdomen", "ramen", "stamen"))
    if not word.endswith("s") or len(word) < 3:
        return False
    return not re.search(r"(?:ss|us|sis|itis|[^aeiou]is|polis|ceros|lens|canvas)$", word) or (
        word.endswith(("eaus", "yous"))
    )


def plural(word: str) -> str | None:
    """Return the plural of a word that does not follow the rules, or None."""
    if word in _SAME or word.endswith("fish") or is_plural(word):
        return word
    if known := _IRREGULAR.get(word):
        return known
    if word.endswith("man"):
        foreign = word in _NOT_MEN or word.endswith("human")
        return f"{word}s" if foreign else f"{word[:-2]}en"
    if word in _SINGULAR and word.endswith("s"):
        return f"{word}es"
    compound = next((one for one in _COMPOUNDS if word.endswith(one)), "")
    if compound and word not in _NOT_COMPOUNDS:
        return word.removesuffix(compound) + _COMPOUNDS[compound]
    # More things have this plural ("burritos") than "-oes".
    return f"{word}s" if word.endswith("o") or compound else None


def spelled_plural(word: str) -> str:
    """Return the plural of a word that follows the rules."""
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    if re.search(r"[^aeiou]is$", word) and word.endswith("sis"):
        return word[:-2] + "es"
    return word + ("es" if re.search(r"(s|x|z|ch|sh)$", word) else "s")


def unit(words: str) -> str:
    """Return by what a mass noun is counted, "piece" of furniture; empty for what is counted.

    The words may be several, "cat furniture" or "toilet paper"; the last ones decide.
    """
    parts = words.split()
    return _UNIT_OF.get(" ".join(parts[-2:])) or _UNIT_OF.get("".join(parts[-1:]), "")


def is_spelled_out(word: str) -> bool:
    """Return whether a word is read letter by letter: "SUV", "mri", but neither "NATO" nor "MAN".

    Capitals of four letters or more are a word if a syllable begins them, because some labels are
    all in capitals.
    """
    small = word.lower()
    if len(word) == 1 or small in _SPELLED_OUT or not re.search("[aeiouy]", small):
        return small not in _ABBREVIATED
    if word.isupper() and len(word) < 4:
        return small not in _SHORT_WORDS
    return (word.isupper() or len(word) < 4) and not _SYLLABLE.match(small)


def article(word: str) -> str:
    """Return "a" or "an", whichever goes before a word or a number in digits."""
    word = unicodedata.normalize("NFKD", word)
    word = "".join(c for c in word if not unicodedata.combining(c))
    if number := re.match(r"\d+", word):
        # "eight", "eighteen thousand", "eleven"
        digits = number[0]
        eleven = digits[:2] in ("11", "18") and len(digits) % 3 == 2
        return "an" if digits[0] == "8" or eleven else "a"
    found = re.match("[A-Za-z]+", word)
    if not found:
        return "a"
    letters, small = found[0], word.lower()
    if is_spelled_out(letters):  # "F1" and "x-ray", too
        return "an" if small[0] in "aefhilmnorsx" else "a"
    vowel = small[0] in "aeiou" and not _CONSONANT_SOUND.match(small)
    return "an" if vowel or _SILENT_H.match(small) or re.match("x[^aeiouy]", small) else "a"
