"""Where things are in the folder of the results."""

WORK = ".i2t"
"""What is known so far, until everything is done."""
PLAN = f"{WORK}/plan.json"
UNITS, TOLD, PARTS = f"{WORK}/units", f"{WORK}/told", f"{WORK}/parts"
MADE = "annotate.json"
"""What the results were made of, and how. It is written last, so that it says that all is there."""
