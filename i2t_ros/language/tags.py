"""Tags of languages (BCP 47): how they are compared, and which wider language serves one."""

from collections.abc import Iterator

from babel.core import get_global

LONGEST_TAG = 255
"""Characters; RFC 5646 has none of more than 35, without private extensions."""


def tag_key(tag: str) -> str:
    """Return a tag as it is compared; a POSIX locale's encoding and modifier are dropped."""
    return tag.strip().split(".")[0].split("@")[0].replace("_", "-").lower()


def widening(tag: str) -> Iterator[str]:
    """Yield the keys of a tag and of the ever wider languages that it belongs to.

    There are none if the tag has more than LONGEST_TAG characters.
    """
    if len(tag) > LONGEST_TAG:
        return
    subtags = tag_key(tag).split("-")
    # As CLDR writes them: zh_Hant_TW.
    written = [each.title() if len(each) == 4 else each.upper() for each in subtags[1:]]
    name = "_".join([subtags[0], *written])
    name = get_global("likely_subtags").get(name, name) if "_" in name else name
    yield "-".join(subtags)
    parents = get_global("parent_exceptions")
    while name:
        yield tag_key(name)
        short = _without_script(name)
        if short != name:
            yield tag_key(short)
        parent = parents.get(name) or parents.get(short, "root")
        name = parent if parent != "root" else name.rpartition("_")[0]


def _without_script(name: str) -> str:
    """Return "zh_TW" for "zh_Hant_TW": the script is that of the region, or of the language."""
    parts = name.split("_")
    if len(parts) != 3 or len(parts[1]) != 4:
        return name
    language, script, region = parts
    likely = get_global("likely_subtags")
    short = f"{language}_{region}"
    usual = likely.get(short) or likely.get(language, "")
    return short if script in usual.split("_") else name
