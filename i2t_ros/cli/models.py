"""`i2t models`: lists, fetches and checks models."""

import argparse
from collections.abc import Callable, Sequence

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import backends, survey
from i2t_ros.cli import doctor, doctor_vlm
from i2t_ros.cli.tables import print_table
from i2t_ros.errors import BackendError, BackendMissingError, InvalidRequestError
from i2t_ros.installation import how_to_fetch
from i2t_ros.models.lookup import (
    INSTALL,
    cache_folder,
    describe_model,
    inspect_files,
    is_offline,
    obtain,
    search_folders,
)
from i2t_ros.models.manifest import ModelSpec, find_spec, load_manifest
from i2t_ros.optional import needed_for
from i2t_ros.pipeline.loading import OpenOptions
from i2t_ros.pipeline.tasks.detect import DetectSettings, DetectTask

# The user asked for the download and waits for it, perhaps over a satellite link.
PATIENCE = 30.0


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand and its actions, which return 1 if something is missing or wrong."""
    parser = commands.add_parser("models", description="Lists, fetches and checks models.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(
        run: Callable[[argparse.Namespace], int], name: str, help: str
    ) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=help)
        action.set_defaults(run=run)
        return action

    add(_list, "list", "the models of the manifest, and where each is")
    fetch = add(_fetch, "fetch", "download models")
    fetch.add_argument("names", nargs="+", metavar="NAME", help="an entry of `i2t models list`")
    path = add(_path, "path", "print where a model's files are on this machine")
    path.add_argument("name", metavar="NAME")
    verify = add(
        _verify,
        "verify",
        "compare every copy, or every source, with its size and SHA-256; 1: one is wrong",
    )
    verify.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    help = "not the copies here but the links: does each URL and package have the file?"
    verify.add_argument("--remote", action="store_true", help=help)
    help = "with --remote: fetch every file whole and compare its SHA-256, too; nothing is kept"
    verify.add_argument("--download", action="store_true", help=help)
    help = "what can run here and what is missing; or what is the matter with a model of your own"
    examining = add(_doctor, "doctor", f"{help}, or with a server of language models")
    doctor.add_arguments(examining)
    doctor_vlm.add_arguments(examining)


def _list(args: argparse.Namespace) -> int:
    header = ("NAME", "TASK", "SIZE", "LICENSE", "WHERE, OR HOW TO GET IT", "WHAT")
    rows = [header]
    for spec in load_manifest().values():
        size = f"{spec.size / 1e6:.1f} MB" if spec.size else "-"
        rows.append((spec.name, spec.task, size, spec.license, where(spec), spec.summary))
    print_table(rows)
    folders = ", ".join(map(str, (*search_folders(), cache_folder())))
    print(f"\nlooked in {folders}; downloads are kept in the last one")
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
    """Return 1 if a copy is wrong, or a named model is not on this machine, or a link is dead."""
    specs = [find_spec(name) for name in args.names] or list(load_manifest().values())
    if args.remote:
        return _verify_links(specs, whole=args.download)
    if args.download:
        raise InvalidRequestError("--download is for --remote: copies are compared whole anyway")
    wrong = False
    for spec in specs:
        copies = inspect_files(spec)
        for path, problem in copies:
            wrong |= bool(problem)
            print(f"{spec.name}: {path}: {problem or 'ok'}")
        if spec.files and not copies and args.names:
            wrong = True
            print(f"{spec.name}: not on this machine: {how_to_fetch(spec.name)}")
    return int(wrong)


def _verify_links(specs: Sequence[ModelSpec], *, whole: bool) -> int:
    if is_offline():
        raise InvalidRequestError("--remote asks servers, and I2T_OFFLINE forbids that")
    with needed_for("asking for models", INSTALL):
        from i2t_ros.models.links import check_links  # noqa: PLC0415 (its packages take time)
    checks = list(check_links(specs, whole=whole, patience=PATIENCE))
    print_table([("MODEL", "RESULT", "LINK"), *((c.model, c.result, c.link) for c in checks)])
    dead = sum(not check.good for check in checks)
    print(f"\n{len(checks) - dead} of {len(checks)} links have the file that is expected")
    return int(dead > 0)


def _doctor(args: argparse.Namespace) -> int:
    """Return 1 if a named model or server is not usable, or `model: auto` would be degraded."""
    if args.model and args.caption_url:
        raise InvalidRequestError("a MODEL and --caption-url: examine one after the other")
    if args.model:
        return doctor.run(args)
    if args.caption_url:
        return doctor_vlm.run(args)
    if args.image or args.labels or args.json:
        raise InvalidRequestError("--image, --labels and --json are for a MODEL: name a file")
    print_table([("BACKEND", "VERSION", "DEVICES", "TO GET IT"), *map(_backend, backends())])
    print()
    _list(args)
    if is_offline():
        print("offline: I2T_OFFLINE forbids downloads")
    how = OpenOptions(offline=True, backend=BackendOptions(url=args.url))
    detector = DetectTask().open(DetectSettings(backend=args.backend), how)
    print(f"\nauto, with what is here: {detector.report}")
    detector.close()
    print(doctor_vlm.HOW_TO_ASK)
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


def where(spec: ModelSpec) -> str:
    """Return where a model is, or how to get it."""
    if not spec.files:
        return "with the backend"
    copies = inspect_files(spec)
    for path, problem in copies:
        if problem:
            return f"corrupt: {path}: {problem}"
    if {path.name for path, _ in copies} != {file.name for file in spec.files}:
        known = all(file.urls or file.package for file in spec.files)
        return how_to_fetch(spec.name) if known else "no URL is known for it"
    folder = copies[0][0].parent
    return "cached" if folder.is_relative_to(cache_folder()) else f"at hand: {folder}"
