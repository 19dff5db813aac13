"""Words: from what the tasks found in an image (``facts``) to a sentence (``sentences``).

Nothing here names a task: each task brings its facts and builds its own phrases from the data of a
``grammar.Language``. The same facts always give the same sentence.
"""

from i2t_ros.language.catalog import LANGUAGES, Languages, label, load_languages, prepare_labels
from i2t_ros.language.distances import DISTANCE_UNITS, unit_for
from i2t_ros.language.facts import OWN_STYLES, STYLES, ObjectCount, Style, TaskFacts, check_style
from i2t_ros.language.sentences import compose, compose_changes, prepare_spoken

__all__ = [
    "DISTANCE_UNITS",
    "LANGUAGES",
    "OWN_STYLES",
    "STYLES",
    "Languages",
    "ObjectCount",
    "Style",
    "TaskFacts",
    "check_style",
    "compose",
    "compose_changes",
    "label",
    "load_languages",
    "prepare_labels",
    "prepare_spoken",
    "unit_for",
]
