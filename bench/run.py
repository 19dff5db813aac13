"""Every bench in one run: prints a table each and writes bench/out/latest.json.

    make bench                                 all of it, half an hour on two cores
    make bench ARGS="--quick"                  fewer rounds
    make bench ARGS="stages serving"           these alone

Figures of a machine that does other work meanwhile say little; ratios say more, since both sides of
each are measured in turns. Exits with 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from itertools import chain

from table import save

BENCHES = ("stages", "topics", "serving", "tcp", "web", "language", "tasks")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in BENCHES]:
        parser.error(f"no bench {unknown[0]!r}; there are {', '.join(BENCHES)}")
    logging.disable(logging.INFO)
    names = arguments.names or BENCHES
    modules = [importlib.import_module(f"bench_{name}") for name in names]
    rows = list(chain.from_iterable(module.rows(arguments.quick) for module in modules))
    path = save(rows)
    promised = [row for row in rows if row.met is not None]
    missed = [row for row in promised if not row.met]
    print(f"\n{len(promised) - len(missed)} of {len(promised)} targets met; written to {path}")
    for row in missed:
        print(f"missed: {row.name}: {row.target}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
