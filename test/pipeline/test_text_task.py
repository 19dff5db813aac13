"""The task text around its engine: order, colours, thresholds, translation."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from i2t_ros.errors import BackendMissingError, InferenceError, ModelMismatchError, TranslationError
from i2t_ros.models.manifest import find_spec
from i2t_ros.pipeline.describer import DescribeOptions
from i2t_ros.pipeline.loading import Choice, Loaded
from i2t_ros.pipeline.tasks.text import TextReader, open_text
from i2t_ros.pipeline.translation import Translations
from i2t_ros.vision.decoders.texts import in_reading_order

OPTIONS = DescribeOptions()
WHITE = np.full((100, 200, 3), 255, np.uint8)


class Scripted:
    """An engine that reads what it is told to: (text, score, left, top)."""

    device, report = "cpu", "scripted"

    def __init__(self, *lines, error=None):
        self._lines = lines
        self._error = error
        self.closed = False

    def infer(self, inputs):
        if self._error is not None:
            raise self._error
        corners = [
            [[x, y], [x + 60, y], [x + 60, y + 12], [x, y + 12]] for _, _, x, y in self._lines
        ]
        return [
            np.array(corners, np.float32).reshape(-1, 4, 2),
            np.array([text for text, *_ in self._lines], object),
            np.array([score for _, score, *_ in self._lines], np.float32),
        ]

    def close(self):
        self.closed = True


class Spanish:
    letters = 1000

    def __init__(self, error=None):
        self.asked = []
        self._error = error

    def translate(self, texts, target, source):
        self.asked.append((texts, target, source))
        if self._error is not None:
            raise self._error
        return [{"Exit": "Salida", "Push": "Empuje"}[text] for text in texts]


def reader(*lines, service=None, error=None):
    loaded = Loaded(find_spec("ppocr_v6"), Scripted(*lines, error=error), "rapidocr", "scripted")
    translations = None if service is None else Translations("standin", lambda: service)
    return TextReader(loaded, translations)


EXIT, PUSH = ("Exit", 0.9, 10, 10), ("Push", 0.8, 10, 60)


def test_lines_come_in_reading_order():
    found = reader(PUSH, ("right", 0.9, 110, 12), EXIT).run(WHITE, OPTIONS).texts
    assert [region.text for region in found] == ["Exit", "right", "Push"]


def test_each_line_has_its_colours():
    image = WHITE.copy()
    image[10:22, 10:70] = (0, 0, 200)  # blue, green, red
    image[14:18, 20:60] = (0, 255, 255)
    (region,) = reader(EXIT).run(image, OPTIONS).texts
    assert np.abs(np.subtract(region.background_color, (200, 0, 0))).max() < 8
    assert np.abs(np.subtract(region.text_color, (255, 255, 0))).max() < 8


def test_doubtful_lines_are_left_out():
    options = replace(OPTIONS, text=TextOptions(min_score=0.85))
    assert [r.text for r in reader(EXIT, PUSH).run(WHITE, options).texts] == ["Exit"]
    assert [r.text for r in reader(EXIT, PUSH).run(WHITE, OPTIONS).texts] == ["Exit", "Push"]


def test_nothing_read_is_an_ordinary_answer():
    scene = reader().run(WHITE, OPTIONS)
    assert scene.results.get("text") == ()
    assert (scene.width, scene.height) == (200, 100)
    assert scene.results.get("faces") is scene.detections is scene.results.get("classify") is None


def test_a_picture_too_small_for_a_letter_is_not_read():
    broken = reader(error=InferenceError("never called"))
    assert broken.run(WHITE[:7], OPTIONS).texts == ()


def test_a_failure_of_the_engine_is_the_tasks():
    with pytest.raises(InferenceError, match="broken"):
        reader(error=InferenceError("broken")).run(WHITE, OPTIONS)


def test_close_closes_the_engine():
    made = reader()
    made.close()
    assert made._backend.closed


@pytest.mark.parametrize(
    ("lying", "turned", "first"),
    [(True, False, (0, 0)), (True, True, (9, 3)), (False, False, (9, 0)), (False, True, (0, 3))],
)
def test_corners_begin_where_the_line_begins(lying, turned, first):
    corners = np.float32([[0, 0], [9, 0], [9, 3], [0, 3]])
    found = in_reading_order(corners, horizontal=lying, flipped=turned)
    assert tuple(found[0]) == first
    # Still clockwise: the same cycle.
    start = corners.tolist().index(list(first))
    assert found.tolist() == [corners.tolist()[(start + i) % 4] for i in range(4)]


# Translation


def test_texts_are_translated_into_the_language_of_the_sentence():
    service = Spanish()
    made = reader(EXIT, PUSH, service=service)
    scene = made.run(WHITE, replace(OPTIONS, language="es"))
    assert [region.translation for region in scene.results.get("text")] == ["Salida", "Empuje"]
    assert [region.text for region in scene.results.get("text")] == ["Exit", "Push"]
    assert scene.failures == {}
    assert service.asked == [(["Exit", "Push"], "es", "")]


def test_a_user_may_name_both_languages():
    service = Spanish()
    text = TextOptions(translate_to="es", translate_from="en")
    reader(EXIT, service=service).run(WHITE, replace(OPTIONS, text=text))
    assert service.asked == [(["Exit"], "es", "en")]


def test_a_failing_translator_leaves_the_texts_and_says_why():
    service = Spanish(error=TranslationError("no quota left"))
    scene = reader(EXIT, service=service).run(WHITE, OPTIONS)
    assert [(r.text, r.translation) for r in scene.results.get("text")] == [("Exit", "")]
    assert str(scene.failures["text"]) == "no quota left"
    assert scene.failures["text"].code == "translation_failed"


def test_without_texts_nobody_is_asked():
    service = Spanish()
    assert reader(service=service).run(WHITE, OPTIONS).failures == {}
    assert service.asked == []


def test_without_a_translator_nothing_is_translated():
    (region,) = reader(EXIT).run(WHITE, replace(OPTIONS, language="es")).texts
    assert region.translation == ""


# What is missing


def test_without_rapidocr_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr("i2t_ros.backends.registry.find_spec", lambda _: None)
    with pytest.raises(BackendMissingError, match=r'pip install "i2t_ros\[ocr\]"'):
        open_text(Choice())


def test_a_rapidocr_that_cannot_be_imported_is_missing_too(monkeypatch):
    monkeypatch.setattr("i2t_ros.backends.registry.find_spec", lambda _: object())
    monkeypatch.delitem(sys.modules, "i2t_ros.backends.rapidocr", raising=False)
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(BackendMissingError, match="rapidocr"):
        open_text(Choice())


def test_a_model_for_another_task_is_refused():
    with pytest.raises(ModelMismatchError, match="yunet is for the task faces, not for text"):
        open_text(Choice("yunet"))
