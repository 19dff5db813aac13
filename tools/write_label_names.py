"""Writes config/label_names/: names of classes of ImageNet, from Unicode CLDR.

CLDR has names of emoji in some hundred languages, which speakers of them have voted on.
label_emoji.txt says which emoji is which class. ::

    npm pack cldr-annotations-full@48.2.0
    python tools/write_label_names.py cldr-annotations-full-48.2.0.tgz
"""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path

from i2t_ros.language import LANGUAGES

ROOT = Path(__file__).resolve().parents[1]
EMOJI = Path(__file__).with_name("label_emoji.txt")
NAMES = ROOT / "config" / "label_names"
TAGS = tuple(sorted(tag for tag in LANGUAGES if tag.split("-")[0] != "en"))
"""The languages that need names: all but English, which has the model's own."""
WIDER = {"es-419": "es", "pt-PT": "pt"}
"""Varieties of which CLDR has only what differs from a wider language."""

HEADER = """\
# Names of classes of ImageNet in the language {tag}: class, tab, name.
# They are names of emoji in Unicode CLDR {version}, (c) Unicode, Inc., under the license
# Unicode-3.0: see LICENSE.txt in this folder. Made by tools/write_label_names.py.
"""


def emoji_of(tag: str) -> dict[str, str]:
    """Return class -> emoji, for the classes that the emoji's name fits in a language."""
    found = {}
    for line in EMOJI.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            label, emoji, *unfit = line.split("; ")
            if tag not in " ".join(unfit).split():
                found[label] = emoji
    return found


def as_text(tag: str, version: str, annotations: dict[str, dict[str, list[str]]]) -> str:
    """Return the file of one language. Raises ValueError if two classes get the same name.

    Some names of Hindi have keywords after a comma, as in "church, building"; they are left out.
    """
    emoji = emoji_of(tag)
    names = {
        label: annotations[character]["tts"][0].split(", ")[0] for label, character in emoji.items()
    }
    if len(set(names.values())) < len(names):
        twice = sorted(name for name in names.values() if list(names.values()).count(name) > 1)
        raise ValueError(f"{tag}: names of several classes: {', '.join(twice)}")
    lines = [f"{label}\t{name}\n" for label, name in names.items()]
    return HEADER.format(tag=tag, version=version) + "".join(lines)


def main(archive: str) -> None:
    """Write every language's file and the license from an archive of CLDR's names of emoji."""
    with tarfile.open(archive) as tar:

        def content(name: str) -> str:
            file = tar.extractfile(f"package/{name}")
            return file.read().decode() if file else ""

        version = json.loads(content("package.json"))["version"]
        NAMES.mkdir(exist_ok=True)
        (NAMES / "LICENSE.txt").write_text(content("LICENSE"), encoding="utf-8")
        for tag in TAGS:
            annotations: dict[str, dict[str, list[str]]] = {}
            for source in (WIDER[tag], tag) if tag in WIDER else (tag,):
                data = json.loads(content(f"annotations/{source}/annotations.json"))
                found = data["annotations"]["annotations"]
                annotations |= {emoji: of for emoji, of in found.items() if "tts" in of}
            text = as_text(tag, version, annotations)
            (NAMES / f"{tag}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
