"""The translators to choose from: LibreTranslate, and the services that deep-translator supports.

Keys come only from environment variables, and no message shows them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from i2t_ros.errors import InvalidRequestError, TranslationError
from i2t_ros.optional import needed_for
from i2t_ros.pipeline.translation import Translations

LIBRE_KEY = "LIBRE_API_KEY"


def open_translations(name: str, url: str, time_limit: float) -> Translations | None:
    """Return the translator ``name``, or None for "none". The first text connects to it.

    url         of a LibreTranslate server; ignored for others
    time_limit  seconds for all texts of one image

    Raises InvalidRequestError for an unknown name; the error lists the names.
    """
    if name == "none":
        return None
    if name == "libretranslate":
        return Translations(f"{name} at {url}", lambda: LibreTranslate(url), time_limit)
    if name not in DEEP_TRANSLATORS:
        raise InvalidRequestError(f"translator {name!r}: expected one of {', '.join(TRANSLATORS)}")
    return Translations(name, lambda: DeepTranslator(name), time_limit)


class LibreTranslate:
    """A LibreTranslate server; one that needs a key gets it from LIBRE_API_KEY.

    All texts go in one request; see https://docs.libretranslate.com.
    """

    letters = 2000

    def __init__(self, url: str) -> None:
        """Store the address."""
        self._url = f"{url.rstrip('/')}/translate"
        self._key = os.environ.get(LIBRE_KEY, "")

    def translate(self, texts: Sequence[str], target: str, source: str) -> list[str]:
        """Return the texts in another language; see Service."""
        import requests  # noqa: PLC0415 (the first text may wait for it, the start of a node not)

        question = {
            "q": list(texts),
            "source": _primary(source) or "auto",
            "target": _code(_LIBRE_CODES, target),
            "format": "text",
        } | ({"api_key": self._key} if self._key else {})
        try:
            response = requests.post(self._url, json=question, timeout=10)
            answer = response.json()
        except requests.ConnectionError as error:
            raise TranslationError(
                f"{self._url}: no answer ({_innermost(error)}); is a LibreTranslate server there? "
                "translator_url says where it is"
            ) from error
        except (OSError, ValueError) as error:  # other errors of requests, and invalid JSON
            raise TranslationError(f"{self._url}: {_without([self._key], error)}") from error
        translated = answer.get("translatedText") if isinstance(answer, dict) else None
        if not isinstance(translated, list):
            why = answer.get("error", answer) if isinstance(answer, dict) else answer
            raise TranslationError(
                f"{self._url} answered {response.status_code}: {_without([self._key], why)}"
            )
        return [str(text) for text in translated]


class DeepEntry(NamedTuple):
    """A service that deep-translator supports.

    keys     constructor argument -> environment variable that holds its value
    codes    BCP 47 tag -> the service's own code, if they differ
    auto     the code that lets the service detect the language; "": it cannot
    letters  most letters in one request
    """

    class_name: str
    keys: Mapping[str, str] = MappingProxyType({})
    codes: Mapping[str, str] = MappingProxyType({})
    auto: str = "auto"
    letters: int = 4000


_LIBRE_CODES = MappingProxyType({"zh-TW": "zt"})
_MYMEMORY_CODES = ["en-GB", "es-ES", "zh-CN", "ko-KR", "fr-FR", "de-DE", "pt-PT", "ja-JP"]

DEEP_TRANSLATORS: Mapping[str, DeepEntry] = MappingProxyType(
    {
        "google": DeepEntry("GoogleTranslator", codes={"zh": "zh-CN", "zh-TW": "zh-TW"}),
        "mymemory": DeepEntry(
            "MyMemoryTranslator",
            codes={code[:2]: code for code in _MYMEMORY_CODES} | {"zh-TW": "zh-TW"},
            auto="autodetect",
            letters=450,
        ),
        "papago": DeepEntry(
            "PapagoTranslator",
            {"client_id": "PAPAGO_CLIENT_ID", "secret_key": "PAPAGO_CLIENT_SECRET"},
            {"zh": "zh-CN", "zh-TW": "zh-TW"},
        ),
        "baidu": DeepEntry(
            "BaiduTranslator",
            {"appid": "BAIDU_APPID", "appkey": "BAIDU_APPKEY"},
            {"ko": "kor", "fr": "fra", "es": "spa", "ja": "jp", "zh-TW": "cht"},
        ),
        "deepl": DeepEntry("DeeplTranslator", {"api_key": "DEEPL_API_KEY"}, auto=""),
        "microsoft": DeepEntry(
            "MicrosoftTranslator",
            {"api_key": "MICROSOFT_API_KEY"},
            {"zh": "zh-hans", "zh-TW": "zh-hant"},
        ),
    }
)

TRANSLATORS = ("none", "libretranslate", *DEEP_TRANSLATORS)


class DeepTranslator:
    """One service through deep-translator; several texts go as the lines of one text."""

    def __init__(self, name: str) -> None:
        """Take the keys from the environment.

        Raises BackendMissingError without deep-translator, TranslationError without a key.
        """
        self._entry = DEEP_TRANSLATORS[name]
        with needed_for("translating texts", 'pip install "i2t_ros[translate]"'):
            self._module = importlib.import_module("deep_translator")
        self._keys = {arg: os.environ.get(var, "") for arg, var in self._entry.keys.items()}
        if absent := [var for arg, var in self._entry.keys.items() if not self._keys[arg]]:
            raise TranslationError(
                f"translator {name} needs its key in the environment: {' and '.join(absent)}"
            )
        self.letters = self._entry.letters
        self._name = name

    def translate(self, texts: Sequence[str], target: str, source: str) -> list[str]:
        """Return the texts in another language; see Service."""
        if not (source or self._entry.auto):
            raise TranslationError(
                f"translator {self._name} cannot detect the language of texts: set translate_from"
            )
        try:
            translator = self._connect(_code(self._entry.codes, target), source)
            together = str(translator.translate("\n".join(texts)) or "").split("\n")
            if len(together) == len(texts):
                return [text.strip() for text in together]
            # The service joined or split lines: translate them one by one.
            return [str(translator.translate(text) or "").strip() for text in texts]
        except Exception as error:  # they have no common base, and those of requests pass through
            raise TranslationError(
                f"translator {self._name}: {_without(self._keys.values(), error)}"
            ) from None  # the cause's own text may hold a key

    def _connect(self, target: str, source: str) -> Any:
        known = _code(self._entry.codes, source) if source else "auto"
        make = getattr(self._module, self._entry.class_name)
        translator = make(source=known, target=target, **self._keys)
        # Unless set here, version 1.11 sends names of languages to Papago instead of codes.
        translator.target = target
        translator.source = known if source else self._entry.auto
        return translator


def _innermost(error: BaseException) -> str:
    """Return the root cause, without the names of urllib3's classes."""
    reason = getattr(error.args[0], "reason", error) if error.args else error
    return str(reason).rpartition(": ")[2] or type(error).__name__


def _primary(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].lower()


def _code(codes: Mapping[str, str], tag: str) -> str:
    """Return a service's code for the language of a BCP 47 tag."""
    return codes.get(tag) or codes.get(_primary(tag)) or _primary(tag)


def _without(keys: Any, message: object) -> str:
    """Return a message without the keys that it may contain, for example in a URL."""
    text = str(message) or repr(message)
    for key in keys:
        for form in {key, quote(key, safe=""), quote_plus(key)} if key else ():
            text = text.replace(form, "***")
    return text
