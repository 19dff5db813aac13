"""Words: from what the tasks found in an image (``facts``) to a sentence (``sentences``).

Nothing here names a task: each task brings its facts and builds its own phrases from the data of a
``grammar.Language``. The same facts always give the same sentence.
"""

from i2t_ros.language.catalog import (
    LANGUAGES,
    Languages,
    label,
    load_languages,
    prepare_labels,
    resolve_language,
)
from i2t_ros.language.changes import Changes, ChangeTracker
from i2t_ros.language.facts import (
    STYLES,
    Fact,
    ObjectCount,
    Style,
    TaskFacts,
    check_style,
    count_objects,
)
from i2t_ros.language.sentences import compose, compose_changes

__all__ = [
    "LANGUAGES",
    "STYLES",
    "ChangeTracker",
    "Changes",
    "Fact",
    "Languages",
    "ObjectCount",
    "Style",
    "TaskFacts",
    "check_style",
    "compose",
    "compose_changes",
    "count_objects",
    "label",
    "load_languages",
    "prepare_labels",
    "resolve_language",
]
