"""`i2t models`: lists, fetches and checks models."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import backends, survey
from i2t_ros.errors import BackendError, BackendMissingError
from i2t_ros.models.lookup import (
    cache_folder,
    describe_model,
    inspect_files,
    is_offline,
    obtain,
    search_folders,
)
from i2t_ros.models.manifest import ModelSpec, find_spec, load_manifest
from i2t_ros.pipeline.loading import OpenOptions
from i2t_ros.pipeline.tasks.detect import DetectSettings, DetectTask

# The user asked for the download and waits for it, perhaps over a satellite link.
PATIENCE = 30.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its actions."""
    parser = commands.add_parser("models", help="list, fetch and check models")
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="the models of the manifest, and where each is")
    fetch = actions.add_parser("fetch", help="download models")
    fetch.add_argument("names", nargs="+", metavar="NAME", help="an entry of `i2t models list`")
    path = actions.add_parser("path", help="print where a model's files are on this machine")
    path.add_argument("name", metavar="NAME")
    verify = actions.add_parser("verify", help="compare every copy with its size and SHA-256")
    verify.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    doctor = actions.add_parser("doctor", help="what can run here, and what is missing")
    doctor.add_argument(
        "--url", default="", help="also ask this Triton server, as http://robot:8000"
    )


def run(args: argparse.Namespace) -> int:
    """Run the action; return 0, or 1 if something is missing or wrong.

    Raises I2tError, for the caller to print.
    """
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list,
        "fetch": _fetch,
        "path": _path,
        "verify": _verify,
        "doctor": _doctor,
    }
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    header = ("NAME", "TASK", "SIZE", "LICENSE", "WHERE", "WHAT")
    rows = [
        (spec.name, spec.task, _size(spec), spec.license, where(spec), spec.summary)
        for spec in load_manifest().values()
    ]
    _print_table([header, *rows])
    print(f"\ndownloads are kept in {cache_folder()}")
    return 0


def _fetch(args: argparse.Namespace) -> int:
    for name in args.names:
        files = obtain(describe_model(name), patience=PATIENCE)
        print(*files or [f"{name}: nothing to fetch, it comes with the backend"], sep="\n")
    return 0


def _path(args: argparse.Namespace) -> int:
    for path in obtain(describe_model(args.name), offline=True):
        print(path)
    return 0


def _verify(args: argparse.Namespace) -> int:
    """Return 1 if a copy is wrong, or a named model is not on this machine."""
    specs = [find_spec(name) for name in args.names] or list(load_manifest().values())
    wrong = False
    for spec in specs:
        copies = inspect_files(spec)
        for path, problem in copies:
            wrong |= bool(problem)
            print(f"{spec.name}: {path}: {problem or 'ok'}")
        if spec.files and not copies and args.names:
            wrong = True
            print(f"{spec.name}: not on this machine: i2t models fetch {spec.name}")
    return int(wrong)


def _doctor(args: argparse.Namespace) -> int:
    """Return 1 if `model: auto` would fall back to OpenCV's built-in detectors."""
    _print_table([("BACKEND", "VERSION", "DEVICES", "TO GET IT"), *map(_backend, backends())])
    print()
    _print_table([("MODEL", "TASK", "WHERE", "TO GET IT"), *map(_model, load_manifest().values())])
    print(f"\nlooked in {', '.join(map(str, (*search_folders(), cache_folder())))}")
    if is_offline():
        print("offline: I2T_OFFLINE forbids downloads")
    how = OpenOptions(offline=True, backend=BackendOptions(url=args.url))
    detector = DetectTask().open(DetectSettings(), how)
    print(f"\nauto, with what is here: {detector.report}")
    detector.close()
    return int(detector.degraded)


def _backend(name: str) -> tuple[str, str, str, str]:
    """Return a row of the table of backends."""
    try:
        version, devices = survey(name)
    except BackendMissingError as error:
        return name, "not installed", "-", backends()[name].install or str(error)
    except BackendError as error:
        return name, "broken", "-", str(error)
    return name, version or "-", ", ".join(devices) or "-", ""


def _model(spec: ModelSpec) -> tuple[str, str, str, str]:
    """Return a row of the table of models."""
    place = where(spec)
    command = f"i2t models fetch {spec.name}" if place == "to download" else ""
    return spec.name, spec.task, place, command


def where(spec: ModelSpec) -> str:
    """Return where a model is: "at hand", "cached", "to download" or "with the backend"."""
    if not spec.files:
        return "with the backend"
    copies = inspect_files(spec)
    for path, problem in copies:
        if problem:
            return f"corrupt: {path}: {problem}"
    if {path.name for path, _ in copies} != {file.name for file in spec.files}:
        return "to download"
    folder = copies[0][0].parent
    return "cached" if folder.is_relative_to(cache_folder()) else f"at hand: {folder}"


def _size(spec: ModelSpec) -> str:
    return f"{spec.size / 1e6:.1f} MB" if spec.size else "-"


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
