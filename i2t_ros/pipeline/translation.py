"""Translations of texts: who is asked, and how long it is waited for.

The services are LibreTranslate, Papago and those that deep-translator supports. Keys come only from
environment variables, and no message shows them.
"""

import importlib
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from cachetools import LRUCache

from i2t_ros.errors import I2tError, InvalidRequestError, TimeLimitError, TranslationError
from i2t_ros.installation import how_to_install
from i2t_ros.language.tags import tag_key, widening
from i2t_ros.optional import needed_for

logger = logging.getLogger(__name__)

PAUSE = 30.0
"""Seconds until a translator that failed is asked again, so that not every frame waits for it."""
HANGS = 300.0
"""Seconds after which a call is given up: without a time limit of its own, an HTTP library can wait
for ever for a host that is gone."""
MOST_HANGING = 3
"""Calls that are given up and still wait; with more, the translator is not asked again."""
KEPT = 2000
"""Number of cached translations; the least recently used go first."""
LIBRE_KEY = "LIBRE_API_KEY"
LIBRE_LETTERS = 2000
"""In one request."""
PAPAGO_URL = "https://papago.apigw.ntruss.com/nmt/v1/translation"
PAPAGO_KEYS = MappingProxyType(
    {"x-ncp-apigw-api-key-id": "PAPAGO_CLIENT_ID", "x-ncp-apigw-api-key": "PAPAGO_CLIENT_SECRET"}
)
"""Header -> environment variable that holds its value."""
PAPAGO_LETTERS = 4000


def open_translations(name: str, url: str, time_limit: float) -> "Translations | None":
    """Return the translator ``name``, or None for "none".

    url         of a LibreTranslate server; ignored for others
    time_limit  seconds for all texts of one image

    Raises InvalidRequestError for an unknown name; the error lists the names.
    """
    if name == "none":
        return None
    if name == "libretranslate":
        ask = partial(_ask_libretranslate, f"{url.rstrip('/')}/translate")
        return Translations(f"{name} at {url}", ask, LIBRE_LETTERS, time_limit)
    if name == "papago":
        return Translations(name, _ask_papago, PAPAGO_LETTERS, time_limit)
    if name not in DEEP_TRANSLATORS:
        raise InvalidRequestError(f"translator {name!r}: expected one of {', '.join(TRANSLATORS)}")
    ask = partial(_ask_deep_translator, name)
    return Translations(name, ask, DEEP_TRANSLATORS[name].letters, time_limit)


class Translations:
    """Asks a service, one call at a time unless one hangs, for translations not cached yet."""

    def __init__(
        self,
        name: str,
        service: Callable[[Sequence[str], str, str], Sequence[str]],
        letters: int,
        time_limit: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Store how to ask the service.

        service     returns texts of a single line each in another language; takes the texts, and
                    the languages that they shall have and that they have ("": unknown), as BCP 47
                    tags. Any exception means that there is no translation
        letters     most letters that it takes at once
        time_limit  seconds for all texts of one image together; a later answer is cached for the
                    next image
        """
        self.name = name
        self._service = service
        self._letters = letters
        self._time_limit = time_limit
        self._clock = clock
        self._known: LRUCache[tuple[str, str, str], str] = LRUCache(KEPT)
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._asked_at = -math.inf
        self._hanging: list[threading.Thread] = []
        self._failure: tuple[I2tError, float] | None = None

    def translate(
        self, texts: Sequence[str], target: str, source: str = ""
    ) -> tuple[list[str], I2tError | None]:
        """Return a translation of each text, and the error if some could not be translated.

        A translation is "" if there is none, or if it equals the text.
        """
        wanted = [text for text in dict.fromkeys(texts) if any(c.isalpha() for c in text)]
        with self._lock:
            wanted = [text for text in wanted if (text, target, source) not in self._known]
        error = self._ask(wanted, target, source) if wanted else None
        with self._lock:
            found = [self._known.get((text, target, source), "") for text in texts]
        pairs = zip(found, texts, strict=True)
        return ["" if new.casefold() == text.casefold() else new for new, text in pairs], error

    def _ask(self, texts: list[str], target: str, source: str) -> I2tError | None:
        """Ask in a thread that may be abandoned: HTTP libraries limit only parts of a call."""
        if self._failure is not None and self._clock() - self._failure[1] < PAUSE:
            return self._failure[0]
        if self._asking is not None and self._asking.is_alive():
            self._hanging = [thread for thread in self._hanging if thread.is_alive()]
            recent = self._clock() - self._asked_at < HANGS
            if recent or len(self._hanging) >= MOST_HANGING:
                return TimeLimitError(f"translator {self.name}: still busy with an earlier image")
            self._hanging.append(self._asking)
        late = TimeLimitError(f"translator {self.name}: no answer within {self._time_limit:g} s")
        outcome: list[I2tError | None] = [late]

        def ask() -> None:
            try:
                self._fetch(texts, target, source)
                outcome[0] = None
            except I2tError as error:
                outcome[0] = error
            except Exception as error:  # those of the services have no common base
                outcome[0] = TranslationError(f"translator {self.name}: {_without_keys(error)}")

        self._asked_at = self._clock()
        self._asking = threading.Thread(target=ask, name="i2t-translate", daemon=True)
        self._asking.start()
        self._asking.join(self._time_limit)
        error = outcome[0]
        self._failure = None if error is None else (error, self._clock())
        if error is not None:
            logger.warning("%s; not asked again for %g s", error, PAUSE)
        return error

    def _fetch(self, texts: list[str], target: str, source: str) -> None:
        for batch in batches(texts, self._letters):
            translated = self._service(batch, target, source)
            if len(translated) != len(batch):
                raise TranslationError(
                    f"translator {self.name}: sent {len(batch)} texts, got {len(translated)} back"
                )
            with self._lock:
                for text, translation in zip(batch, translated, strict=True):
                    self._known[text, target, source] = translation


def _ask_libretranslate(url: str, texts: Sequence[str], target: str, source: str) -> list[str]:
    """Ask a LibreTranslate server; see https://docs.libretranslate.com."""
    import requests  # noqa: PLC0415 (the first text may wait for it, the start of a node not)

    question = {
        "q": list(texts),
        "source": _primary(source) or "auto",
        "target": _code(_LIBRE_CODES, target),
        "format": "text",
    }
    if key := os.environ.get(LIBRE_KEY):
        question["api_key"] = key
    try:
        response = requests.post(url, json=question, timeout=10)
        answer = response.json()
    except requests.ConnectionError as error:
        raise TranslationError(
            f"{url}: no answer ({_innermost(error)}); is a LibreTranslate server there? "
            "translator_url says where it is"
        ) from error
    if not isinstance(answer, dict):
        answer = {"error": answer}
    if not isinstance(answer.get("translatedText"), list):
        raise ValueError(f"answered {response.status_code}: {answer.get('error', answer)}")
    return [str(text) for text in answer["translatedText"]]


def _ask_papago(texts: Sequence[str], target: str, source: str) -> list[str]:
    """Ask Papago of NAVER Cloud; see https://api.ncloud-docs.com/docs/en/ai-naver-papagonmt."""
    import requests  # noqa: PLC0415 (the first text may wait for it, the start of a node not)

    headers = _keys("papago", PAPAGO_KEYS)
    languages = {
        "source": _code(_PAPAGO_CODES, source) if source else "auto",
        "target": _code(_PAPAGO_CODES, target),
    }

    def ask(text: str) -> str:
        response = requests.post(
            PAPAGO_URL,
            json=languages | {"text": text},
            headers=headers,
            timeout=10,
            allow_redirects=False,  # the keys are for this host
        )
        answer = response.json()
        try:
            return str(answer["message"]["result"]["translatedText"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"answered {response.status_code}: {answer}") from error

    return _line_by_line(ask, texts)


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


_LIBRE_CODES = MappingProxyType({"zh-Hant": "zt"})
_PAPAGO_CODES = MappingProxyType({"zh": "zh-CN", "zh-Hant": "zh-TW"})
_MYMEMORY_CODES = (
    *("en-GB", "es-ES", "zh-CN", "ko-KR", "fr-FR", "de-DE", "pt-PT", "ja-JP"),
    *("it-IT", "nl-NL", "pl-PL", "ru-RU", "tr-TR", "ar-SA", "hi-IN", "id-ID"),
)

DEEP_TRANSLATORS: Mapping[str, DeepEntry] = {
    "google": DeepEntry("GoogleTranslator", codes={"zh": "zh-CN", "zh-Hant": "zh-TW"}),
    "mymemory": DeepEntry(
        "MyMemoryTranslator",
        codes={code[:2]: code for code in _MYMEMORY_CODES}
        | {"zh-Hant": "zh-TW", "es-419": "es-419", "pt": "pt-BR", "pt-PT": "pt-PT"},
        auto="autodetect",
        letters=450,
    ),
    "baidu": DeepEntry(
        "BaiduTranslator",
        {"appid": "BAIDU_APPID", "appkey": "BAIDU_APPKEY"},
        {"ko": "kor", "fr": "fra", "es": "spa", "ja": "jp", "ar": "ara", "zh-Hant": "cht"},
    ),
    "deepl": DeepEntry("DeeplTranslator", {"api_key": "DEEPL_API_KEY"}, auto=""),
    "microsoft": DeepEntry(
        "MicrosoftTranslator",
        {"api_key": "MICROSOFT_API_KEY"},
        {"zh": "zh-hans", "zh-Hant": "zh-hant"},
    ),
}

TRANSLATORS = ("none", "libretranslate", "papago", *DEEP_TRANSLATORS)
_DEEP_KEYS = (name for entry in DEEP_TRANSLATORS.values() for name in entry.keys.values())
KEYS = (LIBRE_KEY, *PAPAGO_KEYS.values(), *_DEEP_KEYS)
"""The environment variables with secrets."""


def _ask_deep_translator(name: str, texts: Sequence[str], target: str, source: str) -> list[str]:
    """Ask one service through deep-translator; several texts go as the lines of one text."""
    entry = DEEP_TRANSLATORS[name]
    with needed_for("translating texts", how_to_install("translate")):
        module = importlib.import_module("deep_translator")
    keys = _keys(name, entry.keys)
    if not (source or entry.auto):
        raise TranslationError(
            f"{entry.class_name} cannot detect the language of texts: set translate_from"
        )
    code = _code(entry.codes, target)
    known = _code(entry.codes, source) if source else "auto"
    translator = getattr(module, entry.class_name)(source=known, target=code, **keys)
    # Unless set here, version 1.11 sends names of languages to some services instead of codes.
    translator.target, translator.source = code, known if source else entry.auto
    return _line_by_line(translator.translate, texts)


def _keys(translator: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the keys that environment variables hold. Raises TranslationError if one does not."""
    keys = {name: os.environ.get(variable, "").strip() for name, variable in variables.items()}
    if absent := [variable for name, variable in variables.items() if not keys[name]]:
        raise TranslationError(
            f"translator {translator} needs its key in the environment: {' and '.join(absent)}"
        )
    return keys


def _line_by_line(ask: Callable[[str], object], texts: Sequence[str]) -> list[str]:
    """Ask for all texts as the lines of one; for each alone if lines were joined or split."""
    together = str(ask("\n".join(texts)) or "").split("\n")
    if len(together) == len(texts):
        return [text.strip() for text in together]
    return [str(ask(text) or "").strip() for text in texts]


def _innermost(error: BaseException) -> str:
    """Return the root cause, without the names of urllib3's classes."""
    reason = getattr(error.args[0], "reason", error) if error.args else error
    return str(reason).rpartition(": ")[2] or type(error).__name__


def _primary(tag: str) -> str:
    return tag_key(tag).partition("-")[0]


def _code(codes: Mapping[str, str], tag: str) -> str:
    """Return a service's code for the language of a BCP 47 tag, or for the next wider one."""
    known = {tag_key(name): code for name, code in codes.items()}
    return next((known[key] for key in widening(tag) if key in known), _primary(tag))


def _without_keys(error: Exception) -> str:
    """Return an error's text without the keys that it may quote, for example in a URL."""
    text = str(error) or repr(error)
    for key in filter(None, (os.environ.get(name, "").strip() for name in KEYS)):
        for form in (key, quote(key, safe=""), quote_plus(key)):
            text = text.replace(form, "***")
    return text


def batches(texts: Sequence[str], letters: int) -> list[list[str]]:
    """Group texts so that each group, line ends included, has at most ``letters`` letters.

    A longer text is alone in its group.
    """
    groups: list[list[str]] = []
    room = -1
    for text in texts:
        room -= len(text) + 1
        if room < 0:
            groups.append([])
            room = letters - len(text) - 1
        groups[-1].append(text)
    return groups
