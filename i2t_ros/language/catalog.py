"""The languages at hand: those that ship, and those of a user's own folder."""

import re
from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from babel import Locale, UnknownLocaleError

from i2t_ros.errors import InvalidRequestError, UnknownLanguageError
from i2t_ros.language import datafile
from i2t_ros.language.grammar import Language
from i2t_ros.language.shapes import wrong
from i2t_ros.language.tags import tag_key, widening
from i2t_ros.resources import config_path

LANGUAGES: tuple[str, ...] = (
    *("en", "es", "zh", "ko", "fr", "de", "pt", "ja"),
    *("es-419", "pt-PT", "en-GB", "zh-Hant"),
    *("it", "nl", "pl", "ru", "tr", "ar", "hi", "id"),
)
"""The languages that come with the package; a user's folder may add others (``load_languages``)."""


_TAG = re.compile(r"[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8})*")


class Languages:
    """The languages of one or more folders of data files, each read when first asked for.

    A file is named by its BCP 47 tag, as ``es.yaml`` or ``es-MX.yaml``. Where several folders have
    one language, what a later folder says is laid over what an earlier one says. Hidden files, as
    editors and file managers make them, are left out.
    """

    def __init__(self, *folders: Path) -> None:
        """Find the files. Raises InvalidRequestError if the name of one is no tag, or is twice."""
        self.folders = folders
        self._files: dict[str, list[Path]] = {}
        self._languages: dict[str, Language] = {}
        for folder in folders:
            for path in sorted(folder.glob("[!.]*.yaml")):
                if not _TAG.fullmatch(path.stem):
                    raise InvalidRequestError(
                        f"{path}: expected a file named by the tag of its language, such as "
                        "es.yaml or es-MX.yaml"
                    )
                files = self._files.setdefault(tag_key(path.stem), [])
                if files and files[-1].parent == folder:
                    raise InvalidRequestError(
                        f"{path}: {files[-1].name} is of the same language: put both into one file"
                    )
                files.append(path)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of all languages, sorted."""
        return tuple(sorted(map(self._tag, self._files)))

    def tags_of(self, folder: Path) -> tuple[str, ...]:
        """Return the tags of the languages of which ``folder`` has a file, sorted."""
        of_folder = (key for key, files in self._files.items() if files[-1].parent == folder)
        return tuple(sorted(map(self._tag, of_folder)))

    def _tag(self, key: str) -> str:
        return self._files[key][0].stem.replace("_", "-")

    def resolve(self, tag: str) -> str:
        """Return the tag of the language that serves ``tag``, "es" for "es_MX.UTF-8".

        Upper and lower case, and underscore and hyphen, are the same. A variety that no language
        has gets the next wider one: "es-MX" gets "es-419" or else "es", "zh-TW" gets "zh-Hant"
        (RFC 4647, section 3.4, with the parents and likely scripts of CLDR). Raises
        UnknownLanguageError.
        """
        key = next((key for key in widening(tag) if key in self._files), "")
        if not key:
            raise UnknownLanguageError(
                f"language {tag!r}: there is {', '.join(self.tags)}; "
                "a data file in a folder of your own adds another"
            )
        return self._tag(key)

    def get(self, tag: str) -> Language:
        """Return the language that serves ``tag``.

        Raises UnknownLanguageError, or InvalidRequestError if its data file is wrong.
        """
        if tag not in self._languages:
            tag = self.resolve(tag)
        if tag not in self._languages:
            fallback = None if tag_key(tag).split("-")[0] == "en" else self.get("en")
            self._languages[tag] = Language(tag, self._data(tag), fallback)
        return self._languages[tag]

    def _data(self, tag: str, extending: tuple[str, ...] = ()) -> datafile.Data:
        if tag in extending:
            raise InvalidRequestError(f"language {tag}: extends itself: {' > '.join(extending)}")
        data: datafile.Data = {}
        for path in self._files[tag_key(tag)]:
            data = datafile.merge(data, datafile.read(path))
        if wider := data.get("extends"):
            base = self._base(tag, wider)
            base_data = self._data(base, (*extending, tag))
            cldr = tag if _in_cldr(tag) else base_data.get("cldr") or base
            data = datafile.merge({**base_data, "cldr": cldr}, data)
        return data

    def _base(self, tag: str, extends: object) -> str:
        """Return the tag of the language that ``tag`` extends."""
        if not isinstance(extends, str):
            raise wrong(tag, "extends", "a text", extends)
        key = tag_key(extends)
        if key in self._files or _in_cldr(key):  # a wider one may serve "es_ES", but not "es-999"
            with suppress(UnknownLanguageError):
                return self.resolve(extends)
        close = get_close_matches(extends, self.tags, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise wrong(tag, "extends", f"one of {', '.join(self.tags)}", extends, hint)


def _in_cldr(tag: str) -> bool:
    """Return whether CLDR has data for a tag: not those of English for "und"."""
    try:
        return bool(Locale.parse(tag, sep="-").language == tag.partition("-")[0].lower())
    except (UnknownLocaleError, ValueError):
        return False


def load_languages(folder: Path | None = None) -> Languages:
    """Return the languages that come with the package, and over them those of a user's ``folder``.

    Every file of ``folder`` is read at once. Raises InvalidRequestError if the folder is missing or
    a file in it is wrong; the error names the file, the key, and what was expected.
    """
    if folder is None:
        return _shipped()
    if not folder.is_dir():
        raise InvalidRequestError(f"language folder {folder}: expected a folder of *.yaml files")
    if astray := sorted(path.name for path in folder.glob("*.yml")):
        raise InvalidRequestError(f"language file {folder / astray[0]}: expected the ending .yaml")
    languages = Languages(config_path("languages"), folder)
    for tag in languages.tags_of(folder):
        languages.get(tag)
    return languages


@cache
def _shipped() -> Languages:
    return Languages(config_path("languages"))


def label(name: str, language: str, languages: Languages | None = None) -> str:
    """Return the class ``name`` in a language, singular and without an article: "dog" -> "perro".

    A class that the language lacks gets its English label, or else the model's own.
    """
    return (languages or load_languages()).get(language).noun(name).label


def prepare_labels(labels: Iterable[str]) -> None:
    """Import ``inflect`` now if a label needs it, so that no image waits for that.

    Only labels that the English language file lacks need it.
    """
    english = load_languages().get("en")
    any(english.noun(name).key not in english.nouns for name in labels)  # up to the first
