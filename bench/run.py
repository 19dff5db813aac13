"""The benches: prints a table each and writes bench/out/latest.json.

    make bench                                 all of it, about ten minutes on two cores
    make bench ARGS=--gate                     what has a target, at most two minutes
    make bench ARGS="stages serving"           these alone
    make bench ARGS=--write-docs               puts the tables into docs/performance.md too

Figures of a machine that does other work meanwhile say little; ratios say more, since both sides of
each are measured in turns. Ends with code 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
import time

import report
from effort import FULL, GATE

BENCHES = ("stages", "topics", "serving", "listeners", "language", "tasks", "recordings")
GATED = ("stages", "topics", "serving")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--gate", action="store_true", help="only what has a target, and briefly")
    parser.add_argument("--write-docs", action="store_true", help="into docs/performance.md")
    arguments = parser.parse_args()
    known = GATED if arguments.gate else BENCHES
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"no bench {unknown[0]!r}; there are {', '.join(known)}")
    logging.disable(logging.INFO)
    started, measured = time.monotonic(), report.here()
    print(measured.line())
    modules = [importlib.import_module(f"bench_{name}") for name in arguments.names or known]
    effort = GATE if arguments.gate else FULL
    tables = []
    for module in modules:
        tables += module.tables(effort)
    path = report.save(measured, tables)
    if arguments.write_docs:
        left = report.write_page(measured, tables)
        print(f"\n{report.PAGE.name}: left as they were: {', '.join(left) or 'none'}")
    promised = [row for table in tables for row in table.rows if row.met is not None]
    missed = [row for row in promised if not row.met]
    print(
        f"\n{len(promised) - len(missed)} of {len(promised)} targets met in "
        f"{time.monotonic() - started:.0f} s; written to {path.relative_to(report.ROOT)}"
    )
    for row in missed:
        print(f"missed: {row.name}: {row.target}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
