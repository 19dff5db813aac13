"""The languages at hand: those that ship, and those of a user's own folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from i2t_ros.errors import InvalidRequestError, UnknownLanguageError
from i2t_ros.language import datafile
from i2t_ros.language.grammar import Language

ENGLISH = "en"


class Languages:
    """The languages of one or more folders of data files, each read when first asked for.

    A file is named by its BCP 47 tag, as ``es.yaml`` or ``es-MX.yaml``. Where several folders have
    one language, what a later folder says is laid over what an earlier one says.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        """Note which data files there are in ``folders``; none is read yet."""
        self.folders = tuple(folders)
        self._files: dict[str, list[Path]] = {}
        self._tags: dict[str, str] = {}
        self._languages: dict[str, Language] = {}
        for folder in folders:
            for path in sorted(folder.glob("*.yaml")):
                key = _key(path.stem)
                self._tags.setdefault(key, path.stem)
                self._files.setdefault(key, []).append(path)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of all languages, sorted."""
        return tuple(sorted(self._tags.values()))

    def resolve(self, tag: str) -> str:
        """Return the tag of the language that serves ``tag``, "es" for "es_MX.UTF-8".

        Upper and lower case, and underscore and hyphen, are the same; subtags that no language has
        are dropped from the right (RFC 4647, section 3.4). Raises UnknownLanguageError.
        """
        key = _key(tag)
        while key and key not in self._tags:
            key = key.rpartition("-")[0]
        if not key:
            raise UnknownLanguageError(
                f"language {tag!r}: there is {', '.join(self.tags)}; "
                "a data file in a folder of your own adds another"
            )
        return self._tags[key]

    def get(self, tag: str) -> Language:
        """Return the language that serves ``tag``.

        Raises UnknownLanguageError, or InvalidRequestError if its data file is wrong.
        """
        language = self._languages.get(tag)
        if language is None:
            name = self.resolve(tag)
            language = self._languages.get(name) or self._build(name)
            self._languages[name] = language
        return language

    def _build(self, tag: str) -> Language:
        fallback = None if tag == ENGLISH else self.get(ENGLISH)
        return datafile.build(tag, self._data(tag, ()), fallback)

    def _data(self, tag: str, extending: tuple[str, ...]) -> datafile.Data:
        if tag in extending:
            raise InvalidRequestError(f"language {tag}: extends itself: {' > '.join(extending)}")
        data: datafile.Data = {}
        for path in self._files[_key(tag)]:
            data = datafile.merge(data, datafile.read(path))
        if base := data.get("extends"):
            base_data = self._data(self.resolve(str(base)), (*extending, tag))
            data = datafile.merge({"cldr": str(base), **base_data}, data)
        return data


def _key(tag: str) -> str:
    """Return a tag as it is compared; a POSIX locale's encoding and modifier are dropped."""
    return tag.strip().split(".")[0].split("@")[0].replace("_", "-").lower()
