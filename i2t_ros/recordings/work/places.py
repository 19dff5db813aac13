"""Where things are in the folder of the results."""

import re

WORK = ".i2t"
"""What is known so far, until everything is done."""
PLAN = f"{WORK}/plan.json"
UNITS, TOLD, PARTS = f"{WORK}/units", f"{WORK}/told", f"{WORK}/parts"
SCRATCH = f"{WORK}/scratch"
"""What is being written."""
MADE = "annotate.json"
"""What the results were made of, and how. It is written last, so that it says that all is there."""

_RESULT = re.compile(
    r"annotated(\.[^/]+)?|sentences(\.[^/]+)?\.(srt|vtt)|detections\.(jsonl|parquet)|images\.jsonl"
    r"|coco\.json|report\.html",
    re.DOTALL,
)


def is_result(name: str) -> bool:
    """Return whether something in the folder of the results may be one of them, by its name."""
    return bool(_RESULT.fullmatch(name))
