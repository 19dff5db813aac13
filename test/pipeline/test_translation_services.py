"""LibreTranslate and deep-translator against a local server that speaks as the services do."""

import json
import re
import sys
import threading

import pytest
from translation_server import serving

from i2t_ros.errors import BackendMissingError, InvalidRequestError
from i2t_ros.installation import how_to_install
from i2t_ros.pipeline import translation
from i2t_ros.pipeline.translation import DEEP_TRANSLATORS, TRANSLATORS, open_translations

LIMIT = 20.0
KEY = "a:secret/key"


def shout(text):
    return f"¡{text.upper()}!"


def libre(asked):
    """Answer as LibreTranslate 1.6 does."""
    if asked.body.get("api_key") not in (None, KEY):
        return 403, "application/json", json.dumps({"error": f"Invalid API key {KEY}"})
    if asked.body["target"] == "tlh":
        return 400, "application/json", json.dumps({"error": "tlh is not supported"})
    return (
        200,
        "application/json",
        json.dumps({"translatedText": list(map(shout, asked.body["q"]))}),
    )


def translate(url, *texts, target="es", name="libretranslate", source=""):
    return open_translations(name, url, LIMIT).translate(list(texts), target, source)


def test_none_is_no_translator():
    assert open_translations("none", "", 1) is None


def test_an_unknown_translator_is_refused_with_those_there_are():
    with pytest.raises(InvalidRequestError, match="'babelfish': expected one of none, libretrans"):
        open_translations("babelfish", "", 1)


# LibreTranslate


def test_libretranslate_takes_all_texts_in_one_request(monkeypatch):
    monkeypatch.delenv("LIBRE_API_KEY", raising=False)
    with serving(libre) as (url, asked):
        found, error = translate(url + "/", "exit", "push")
    assert (found, error) == (["¡EXIT!", "¡PUSH!"], None)
    (request,) = asked
    assert request.path == "/translate"
    assert request.body == {
        "q": ["exit", "push"],
        "source": "auto",
        "target": "es",
        "format": "text",
    }


def test_libretranslate_gets_the_key_from_the_environment(monkeypatch):
    monkeypatch.setenv("LIBRE_API_KEY", KEY)
    with serving(libre) as (url, asked):
        assert translate(url, "exit", source="en")[0] == ["¡EXIT!"]
    assert asked[0].body["api_key"] == KEY
    assert asked[0].body["source"] == "en"


def test_a_refusal_is_told_without_the_key(monkeypatch):
    monkeypatch.setenv("LIBRE_API_KEY", "another")
    with serving(lambda asked: (403, "application/json", '{"error": "another is wrong"}')) as (
        url,
        _,
    ):
        found, error = translate(url, "exit")
    assert found == [""]
    assert "403: *** is wrong" in str(error)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((400, "application/json", '{"error": "tlh is not supported"}'), "tlh is not supported"),
        ((200, "text/html", "<html>"), "Expecting value"),
        ((200, "application/json", "[]"), "answered 200"),
        ((200, "application/json", '{"translatedText": "one"}'), "answered 200"),
        ((500, "application/json", "{}"), "answered 500"),
    ],
)
def test_every_bad_answer_leaves_the_text_and_says_why(answer, message):
    with serving(lambda asked: answer) as (url, _):
        found, error = translate(url, "exit")
    assert found == [""]
    assert error.code == "translation_failed"
    assert message in str(error)
    assert url in str(error)


def test_a_server_that_is_not_there_is_named():
    with serving(libre) as (url, _):
        pass
    found, error = translate(url, "exit")
    assert found == [""]
    assert error.code == "translation_failed"
    assert str(error) == (
        f"{url}/translate: no answer ([Errno 111] Connection refused); is a LibreTranslate server "
        "there? translator_url says where it is"
    )


def test_a_server_that_is_silent_is_given_up():
    gate = threading.Event()

    def silent(asked):
        gate.wait(LIMIT)
        return libre(asked)

    with serving(silent) as (url, _):
        translations = open_translations("libretranslate", url, 0.1)
        found, error = translations.translate(["exit"], "es")
        gate.set()
        translations._asking.join(LIMIT)
    assert found == [""]
    assert error.code == "time_limit"


# Papago


def papago(asked):
    """Answer as NAVER Cloud does (https://api.ncloud-docs.com/docs/en/ai-naver-papagonmt)."""
    sent = {name.lower(): value for name, value in asked.headers.items()}
    keys = sent.get("x-ncp-apigw-api-key-id"), sent.get("x-ncp-apigw-api-key")
    if keys != ("robot", KEY):
        refusal = {"error": {"errorCode": "200", "message": "Authentication Failed"}}
        return 401, "application/json", json.dumps(refusal)
    if asked.body["target"] == asked.body["source"]:
        refusal = {"error": {"errorCode": "N2MT05", "message": "target must not be the source"}}
        return 400, "application/json", json.dumps(refusal)
    translated = {"srcLangType": "en", "translatedText": shout(asked.body["text"])}
    return 200, "application/json", json.dumps({"message": {"result": translated}})


@pytest.fixture
def papago_keys(monkeypatch):
    monkeypatch.setenv("PAPAGO_CLIENT_ID", "robot")
    monkeypatch.setenv("PAPAGO_CLIENT_SECRET", f"{KEY}\n")  # as out of a file


@pytest.mark.parametrize(
    ("target", "source", "codes"),
    [("ko", "", ("auto", "ko")), ("zh", "en", ("en", "zh-CN")), ("zh-TW", "ja", ("ja", "zh-TW"))],
)
def test_papago_is_asked_once_for_several_texts(monkeypatch, papago_keys, target, source, codes):
    with serving(papago) as (url, asked):
        monkeypatch.setattr(translation, "PAPAGO_URL", f"{url}/nmt/v1/translation")
        found, error = translate("", "exit", "push", name="papago", target=target, source=source)
    assert error is None
    assert [text.strip("¡!") for text in found] == ["EXIT", "PUSH"]
    (request,) = asked
    assert request.path == "/nmt/v1/translation"
    assert request.body == {"source": codes[0], "target": codes[1], "text": "exit\npush"}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (papago, "answered 400: .*target must not be the source"),
        (lambda asked: (401, "application/json", f'{{"error": "{KEY}"}}'), r"401: .*\*\*\*"),
        (lambda asked: (200, "application/json", "[]"), "answered 200"),
        (lambda asked: (502, "text/html", "<html>"), "Expecting value"),
    ],
)
def test_papago_that_refuses_leaves_the_text(monkeypatch, papago_keys, answer, message):
    with serving(answer) as (url, _):
        monkeypatch.setattr(translation, "PAPAGO_URL", url)
        found, error = translate("", "exit", name="papago", target="en", source="en")
    assert found == [""]
    assert error.code == "translation_failed"
    assert re.search(f"^translator papago: .*{message}", str(error))
    assert "secret" not in str(error)


def test_papago_without_a_key_names_its_variable(monkeypatch, papago_keys):
    monkeypatch.delenv("PAPAGO_CLIENT_SECRET")
    found, error = translate("", "exit", name="papago")
    assert found == [""]
    assert "papago needs its key in the environment: PAPAGO_CLIENT_SECRET" in str(error)


# deep-translator


def google(asked):
    text = shout(asked.fields["q"])
    return (
        200,
        "text/html; charset=utf-8",
        f'<html><div class="result-container">{text}</div></html>',
    )


def mymemory(asked):
    answer = {"responseData": {"translatedText": shout(asked.fields["q"])}, "matches": []}
    return 200, "application/json", json.dumps(answer)


def baidu(asked):
    lines = [{"dst": shout(line)} for line in asked.fields["q"].split("\n")]
    return 200, "application/json", json.dumps({"trans_result": lines})


def deepl(asked):
    answer = {"translations": [{"text": shout(asked.fields["text"])}]}
    return 200, "application/json", json.dumps(answer)


SPOKEN = {
    "google": ("GOOGLE_TRANSLATE", google, {"sl": "auto", "tl": "zh-CN"}),
    "mymemory": ("MYMEMORY", mymemory, {"langpair": "autodetect|zh-CN"}),
    "baidu": ("BAIDU", baidu, {"from": "auto", "to": "zh", "appid": KEY}),
    "deepl": ("DEEPL_FREE", deepl, {"source_lang": "en", "target_lang": "zh", "auth_key": KEY}),
}


@pytest.fixture
def deep_translator(monkeypatch):
    module = pytest.importorskip("deep_translator")
    for entry in DEEP_TRANSLATORS.values():
        for variable in entry.keys.values():
            monkeypatch.setenv(variable, KEY)
    return module


@pytest.mark.parametrize("name", SPOKEN)
def test_a_service_is_asked_once_for_several_texts(deep_translator, monkeypatch, name):
    address, answer, fields = SPOKEN[name]
    with serving(answer) as (url, asked):
        monkeypatch.setitem(deep_translator.constants.BASE_URLS, address, f"{url}/")
        source = "en" if name == "deepl" else ""
        found, error = translate("", "exit", "push", name=name, target="zh", source=source)
    assert error is None
    assert [text.strip("¡!") for text in found] == ["EXIT", "PUSH"]
    (request,) = asked
    assert fields.items() <= request.fields.items()
    assert "exit\npush" in request.fields.values()


def test_lines_that_were_joined_are_asked_for_one_by_one(deep_translator, monkeypatch):
    def joining(asked):
        text = asked.fields["q"].replace("\n", " ").upper()
        return (
            200,
            "text/html; charset=utf-8",
            f'<html><div class="result-container">{text}</div></html>',
        )

    with serving(joining) as (url, asked):
        monkeypatch.setitem(deep_translator.constants.BASE_URLS, "GOOGLE_TRANSLATE", url)
        found, error = translate("", "exit now", "push", name="google")
    # In capitals is the same text, and the same text is no translation.
    assert (found, error) == (["", ""], None)
    assert [request.fields["q"] for request in asked] == ["exit now\npush", "exit now", "push"]


@pytest.mark.parametrize("name", SPOKEN)
def test_a_service_that_fails_leaves_the_text_and_keeps_the_key(deep_translator, monkeypatch, name):
    address, _, _ = SPOKEN[name]
    with serving(lambda asked: (403, "application/json", "{}")) as (url, _):
        monkeypatch.setitem(deep_translator.constants.BASE_URLS, address, f"{url}/")
        found, error = translate("", "exit", name=name, source="en")
    assert found == [""]
    assert error.code == "translation_failed"
    assert str(error).startswith(f"translator {name}: ")
    assert "secret" not in str(error)


def test_a_service_without_network_leaves_the_text_and_keeps_the_key(deep_translator, monkeypatch):
    with serving(deepl) as (url, _):
        pass
    monkeypatch.setitem(deep_translator.constants.BASE_URLS, "DEEPL_FREE", f"{url}/")
    found, error = translate("", "exit", name="deepl", source="en")
    assert found == [""]
    # requests quotes the whole address, key and all.
    assert "auth_key=***" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize("name", [name for name in DEEP_TRANSLATORS if DEEP_TRANSLATORS[name].keys])
def test_a_missing_key_is_named(deep_translator, monkeypatch, name):
    variables = list(DEEP_TRANSLATORS[name].keys.values())
    monkeypatch.delenv(variables[-1])
    found, error = translate("", "exit", name=name)
    assert found == [""]
    assert f"needs its key in the environment: {variables[-1]}" in str(error)


def test_a_service_that_cannot_tell_the_language_says_so(deep_translator):
    found, error = translate("", "exit", name="deepl")
    assert found == [""]
    assert "translate_from" in str(error)


def test_a_language_that_a_service_lacks_is_named(deep_translator):
    found, error = translate("", "exit", name="google", target="tlh")
    assert found == [""]
    assert "tlh" in str(error)


def test_without_deep_translator_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "deep_translator", None)
    found, error = translate("", "exit", name="google")
    assert found == [""]
    assert isinstance(error, BackendMissingError)
    assert how_to_install("translate") in str(error)


def test_every_translator_of_the_table_is_one_that_deep_translator_has(deep_translator):
    for entry in DEEP_TRANSLATORS.values():
        assert hasattr(deep_translator, entry.class_name)
    assert set(TRANSLATORS) == {"none", "libretranslate", "papago", *DEEP_TRANSLATORS}


@pytest.mark.parametrize(
    ("service", "tag", "code"),
    [
        ("google", "zh", "zh-CN"), ("google", "zh-TW", "zh-TW"), ("google", "zh_CN", "zh-CN"),
        ("google", "zh-Hant", "zh-TW"), ("google", "zh_Hant_HK", "zh-TW"), ("google", "es", "es"),
        ("google", "pt-BR", "pt"), ("google", "es-419", "es"), ("google", "en-GB", "en"),
        ("mymemory", "es-419", "es-419"), ("mymemory", "hi", "hi-IN"), ("mymemory", "pt", "pt-BR"),
        ("mymemory", "pt-PT", "pt-PT"), ("mymemory", "PT_pt", "pt-PT"),
        ("mymemory", "pt-AO", "pt-PT"), ("mymemory", "es-MX", "es-419"),
        ("mymemory", "es-ES", "es-ES"), ("google", "zh-Hans-TW", "zh-CN"),
        ("microsoft", "zh-HK", "zh-hant"), ("deepl", "de_AT.UTF-8", "de"), ("google", "fil", "fil"),
        ("baidu", "ar", "ara"), ("baidu", "zh-Hant", "cht"), ("baidu", "it", "it"),
        ("microsoft", "zh-Hant", "zh-hant"), ("deepl", "nl", "nl"),
    ],
)  # fmt: skip
def test_language_tags_become_the_codes_of_the_service(service, tag, code):
    assert translation._code(DEEP_TRANSLATORS[service].codes, tag) == code
