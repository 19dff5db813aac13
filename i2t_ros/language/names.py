"""Names for labels of which a language knows neither the gender nor the plural."""

from collections.abc import Mapping
from functools import cache

from i2t_ros.resources import config_path


@cache
def names_of(tag: str) -> Mapping[str, str]:
    """Return the names that ship for a language: a label, in small letters -> its name.

    "es-MX" has those of "es". A language without a file has none. A file is read at the first call,
    so that who needs no such name does not wait for it.
    """
    tag = tag.replace("_", "-").lower()
    path = config_path("label_names") / f"{tag}.txt"
    if not path.is_file():
        parent = tag.rpartition("-")[0]
        return names_of(parent) if parent else {}
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if not line.startswith("#"))
    return {label.casefold(): name for label, name in pairs}
