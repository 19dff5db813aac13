"""`i2t models doctor --caption-url URL`: what a server of language models is, and what it can."""

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from i2t_ros.cli.flags import add_flags
from i2t_ros.cli.tables import printable
from i2t_ros.errors import (
    I2tError,
    LanguageModelEmptyError,
    LanguageModelFormatError,
    LanguageModelRefusedError,
    LanguageModelServerError,
)
from i2t_ros.options import from_values, options_of
from i2t_ros.pipeline.grounding import jpeg_of
from i2t_ros.vlm.model import LanguageModel
from i2t_ros.vlm.prompt import Completion, Prompt
from i2t_ros.vlm.settings import KEY, LanguageModelSettings, is_this_machine

FLAGS = ("caption_url", "caption_model", "caption_timeout", "caption_max_tokens")

SIDE = 64
RED = (36, 28, 237)  # in the order of OpenCV
QUESTION = "What color is this picture? Answer with one word."
COLOR = "red"
RULES = "You answer questions about pictures, in English, in plain text."

MOST_MODELS = 20
LEFT = 12  # columns of the names at the left

HOW_TO_ASK = (
    "language model: `i2t models doctor --caption-url URL` tries a server (docs/captions.md)"
)

ADVICE = {
    "vlm_off": "name the server's URL",
    "vlm_unreachable": "start the server; is it another port, or does it listen on 127.0.0.1 of "
    "another machine alone? `curl URL/models` from here shows what this program meets",
    "vlm_time_limit": "a model that is being loaded takes long once: try again; else take a "
    "smaller model or a GPU, or raise caption_timeout",
    "vlm_cut_off": "look at the server's log: it may have crashed, or run out of memory",
    "vlm_unauthorized": f"put the server's key into the environment variable {KEY}, also for the "
    "nodes",
    "vlm_busy": "wait, or give the server more slots; of a cloud, look at your quota",
    "vlm_refused": "take a model that the server lists, and one that takes pictures: of llama.cpp "
    "one with an mmproj file, of Ollama one marked `vision`",
    "vlm_server_error": "look at the server's log",
    "vlm_not_an_api": "the URL ends with /v1 on most servers; is this another program's port?",
    "vlm_bad_answer": "the server's answers differ from the API: is there a newer version of it?",
    "vlm_empty": "a model that thinks first may need more caption_max_tokens: take an instruct "
    "variant, or switch its thinking off at the server",
    "vlm_endless": "the server does not heed max_tokens: is there a newer version of it?",
    "vlm_too_large": "the server does not heed max_tokens: is there a newer version of it?",
    "vlm_failed": "look at the server's log",
    "backend_missing": "run that command",
    "invalid_request": "correct the flag",
}
"""What to do, by the error's code."""

Report = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name a server."""
    options = [option for option in options_of(LanguageModelSettings) if option.name in FLAGS]
    add_flags(
        parser.add_argument_group("a server of language models, tried with a picture"), options
    )


def run(args: argparse.Namespace) -> int:
    """Print what is known of a server; return 1 if it cannot write captions."""
    report = examine(from_values(LanguageModelSettings, vars(args)))
    if args.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        print("\n".join(_lines(report)))
    return int(not report["usable"])


def examine(settings: LanguageModelSettings) -> Report:
    """Return what is known of a server, as far as one gets, with the problem that ended it."""
    report: Report = {"url": settings.url, "usable": False, "problem": None, "warnings": []}
    try:
        model = LanguageModel(settings)
        report["server"] = model.server
        report["this_machine"] = is_this_machine(settings.url)
        _list_models(report, model, settings.model)
        _try_picture(report, model)
        report["usable"] = True
    except I2tError as error:
        report["problem"] = {
            "code": error.code,
            "message": str(error),
            "advice": ADVICE.get(error.code, ""),
        }
    return report


def _list_models(report: Report, model: LanguageModel, wanted: str) -> None:
    """Note the server's models, and the one that is used. Raises I2tError if none can be."""
    try:
        names = model.models()
    except I2tError as error:
        if not wanted:
            raise
        names = []  # some servers have no list
        report["warnings"].append(f"no list of models: {error} [{error.code}]")
    report["models"] = names
    report["model"] = wanted or next(iter(names), "")
    if names and wanted and wanted not in names:
        report["warnings"].append(f"the server does not list {wanted}")
    if not wanted and len(names) > 1:
        report["warnings"].append(
            "the first of its models is used: name the right one with --caption-model"
        )


def _try_picture(report: Report, model: LanguageModel) -> None:
    """Ask about a red picture; if that fails for the picture's sake, say so. Raises I2tError."""
    picture = jpeg_of(np.full((SIDE, SIDE, 3), RED, np.uint8), SIDE)
    try:
        _ask(report, model, Prompt(RULES, QUESTION, picture))
    except (
        LanguageModelRefusedError,
        LanguageModelServerError,
        LanguageModelEmptyError,
        LanguageModelFormatError,
    ):
        if _answers_without_picture(model):
            report["pictures"] = False
        raise
    report["pictures"] = True
    if COLOR not in report["answer"].casefold():
        report["warnings"].append(
            f"the picture was {COLOR}: the model may not see it, or be too small for this question"
        )


def _ask(report: Report, model: LanguageModel, prompt: Prompt) -> None:
    first = []
    started = time.perf_counter()

    def told(_: str) -> None:
        first.append(time.perf_counter() - started)

    completion: Completion = model.complete(prompt, told)
    report["answer"] = completion.text
    report["seconds"] = round(completion.elapsed, 3)
    report["seconds_to_first_word"] = round(first[0] if first else completion.elapsed, 3)


def _answers_without_picture(model: LanguageModel) -> bool:
    try:
        model.complete(Prompt(RULES, "Is red a color? Answer with one word."))
    except I2tError:
        return False
    return True


def _lines(report: Report) -> Iterator[str]:
    """Yield the report as text."""
    if "server" in report:
        where = "this machine" if report["this_machine"] else "ANOTHER MACHINE: pictures are sent"
        yield _line("server", f"{report['server']} ({where})")
    if "models" in report:
        models = report["models"]
        more = f", and {len(models) - MOST_MODELS} more" if len(models) > MOST_MODELS else ""
        yield _line("models", (", ".join(models[:MOST_MODELS]) or "none") + more)
        yield _line("model", report["model"] or "none: set caption_model")
    if "pictures" in report:
        yield _line("pictures", "yes" if report["pictures"] else "no, but it answers without one")
    if "answer" in report:
        yield _line("asked", QUESTION)
        yield _line("answer", report["answer"])
        first, whole = report["seconds_to_first_word"], report["seconds"]
        yield _line("took", f"{first:.2f} s to the first word, {whole:.2f} s in all")
    for warning in report["warnings"]:
        yield _line("warning", warning)
    if problem := report["problem"]:
        yield _line("problem", f"{problem['message']} [{problem['code']}]")
        if problem["advice"]:
            yield _line("to do", problem["advice"])
    yield _line("usable", "yes" if report["usable"] else "no")


def _line(name: str, text: str) -> str:
    return f"{name:<{LEFT}}{printable(text)}"
