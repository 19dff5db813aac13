"""Names for labels of which a language knows neither the gender nor the plural."""

from collections.abc import Mapping
from functools import cache

from i2t_ros.language.tags import tag_key, widening
from i2t_ros.resources import config_path


@cache
def names_of(tag: str) -> Mapping[str, str]:
    """Return the names that ship for a language: a label, in small letters -> its name.

    A variety without a file gets that of the next wider language, as sentences do: "es-MX" has the
    names of "es-419", "zh-TW" those of "zh-Hant". Files are whole and never mixed, so that no
    simplified character gets among traditional ones. A language without a file has no names. A file
    is read at the first call, so that who needs no such name does not wait for it.
    """
    # In small letters, as tags are; this leaves out LICENSE.txt.
    paths = config_path("label_names").glob("[a-z]*.txt")
    files = {tag_key(path.stem): path for path in paths}
    path = next((files[key] for key in widening(tag) if key in files), None)
    lines = path.read_text(encoding="utf-8").splitlines() if path else []
    pairs = (line.split("\t") for line in lines if not line.startswith("#"))
    return {label.casefold(): name for label, name in pairs}
