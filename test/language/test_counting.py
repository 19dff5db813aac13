"""Which counts a text speaks of, and what says nothing certain."""

from __future__ import annotations

import random
import time

import pytest
from saying import in_folder_of

from i2t_ros.language import LANGUAGES, ObjectCount, compose, load_languages
from i2t_ros.language.counting import LONGEST_TEXT, answered_counts, check_counts, counts_in
from i2t_ros.language.facts import PLACES
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.types import CountCheck
