"""How a detector_node opens its tasks."""

from types import SimpleNamespace

import pytest

from i2t_ros import language as words
from i2t_ros.nodes.parameters.detector import DETECTOR, openers
from i2t_ros.pipeline.tasks.classify import ClassifyTask
from i2t_ros.pipeline.tasks.faces import FacesTask


@pytest.mark.parametrize(
    ("task", "kind", "runner"),
    [
        ("classify", ClassifyTask, SimpleNamespace(labels=("hovercraft",))),
        ("faces", FacesTask, SimpleNamespace()),
    ],
)
def test_a_task_that_is_opened_later_brings_its_words_along(monkeypatch, task, kind, runner):
    prepared = []
    monkeypatch.setattr(words, "prepare_labels", prepared.append)
    monkeypatch.setattr(kind, "open", lambda *_: runner)
    given = openers({option.name: option.default for option in DETECTOR})
    assert not prepared
    assert given[task]() is runner
    assert prepared == [getattr(runner, "labels", ())]
