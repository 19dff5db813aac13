"""Finding a model and its files on this machine, or having the files fetched.

A file is looked for in the folders of ``I2T_MODEL_PATH`` (separated by ``:``), then in the user's
cache; then it is downloaded. ``I2T_OFFLINE=1`` forbids downloads.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs
from msgspec import to_builtins
from msgspec.structs import replace

from i2t_ros.errors import (
    BackendError,
    ModelCorruptError,
    ModelError,
    ModelMismatchError,
    ModelMissingError,
)
from i2t_ros.installation import how_to_fetch, how_to_install
from i2t_ros.models.files import check_file, explain_ending
from i2t_ros.models.manifest import (
    ModelFile,
    ModelSpec,
    find_spec,
    load_manifest,
    read_labels,
    spec_from,
)
from i2t_ros.models.metadata import read_metadata
from i2t_ros.models.recognition import BACKENDS_FOR, read_file, recognize
from i2t_ros.optional import needed_for
from i2t_ros.resources import expanded
from i2t_ros.validation import check_keys, read_mapping

logger = logging.getLogger(__name__)

INSTALL = f"{how_to_install()}, or put the file in a folder named by I2T_MODEL_PATH"


def check_model(model: str) -> None:
    """Raise as describe_model does if there is no such entry or file, nor is it auto.

    A file is not read.
    """
    if _is_entry(model):
        if model != "auto":
            find_spec(model)
    else:
        check_file(expanded(model))


def _is_entry(model: str) -> bool:
    """Return whether a model's name is not the path of a file."""
    path = expanded(model)
    return os.sep not in model and not (path.suffix.lower() in BACKENDS_FOR or explain_ending(path))


def describe_model(model: str, labels: str = "") -> ModelSpec:
    """Return how to feed and read a model: an entry of the manifest, or the path of a file.

    labels  a file of class names, or a table of config/labels, for a file; "": as follows

    For a file, ``<path without ending>.yaml`` beside it, with fields of an entry of
    config/models.yaml, says so; else labels may be in ``<path without ending>.txt``. What they
    leave out is taken from the manifest's entry whose file this is, or from what the file's inputs
    and outputs tell. Nothing is fetched.

    Raises UnknownModelError; ModelMissingError if there is no such file; ModelCorruptError if it
    cannot be read; BackendUnavailableError if it is too new; ModelError if nothing tells, or the
    description is wrong.
    """
    path = expanded(model)
    suffix = path.suffix.lower()
    if _is_entry(model) and not labels:
        return find_spec(model)
    check_file(path)
    description = path.with_suffix(".yaml")
    where = str(description if description.is_file() else path)
    given = _given(path, description, labels, where)
    entry: dict[str, Any] = {"task": "detect", "summary": f"the file {path.name}"}
    if suffix in BACKENDS_FOR:
        entry["backends"] = BACKENDS_FOR[suffix]
    if not {"input", "decoder"} <= set(given):
        known = _known_file(path)
        if known and not given:
            return known
        names = given.get("labels")
        names = tuple(map(str, names)) if isinstance(names, list | tuple) else ()
        entry |= to_builtins(known) if known else recognize(path, names)
        _check_number(where, names, entry)
    elif "labels" not in given:
        with suppress(ModelError, BackendError):  # it may be of a kind that nothing here reads
            names = read_metadata(read_file(path).metadata).names
            given |= {"labels": list(names)} if names else {}
    entry = _merged(entry, given) | {"files": [{"name": str(path.absolute())}]}
    if "labels" not in entry:
        raise ModelError(
            f"{path}: nothing names its classes; write one name a line into "
            f"{path.with_suffix('.txt')}, or `labels: coco80` into {description} if it knows those"
        )
    return spec_from(path.stem, entry, where, folder=path.parent)


def _given(path: Path, description: Path, labels: str, where: str) -> dict[str, Any]:
    """Return the fields that the user has written beside the file, with the labels as a list."""
    beside = path.with_suffix(".txt")
    given: dict[str, Any] = {"labels": beside.name} if beside.is_file() else {}
    if description.is_file():
        given |= read_mapping(description, ModelError)
        check_keys(given, ModelSpec, where, ModelError)
    if labels:
        given["labels"] = str(Path(labels).absolute()) if Path(labels).is_file() else labels
    if isinstance(given.get("labels"), str):
        given["labels"] = read_labels(given["labels"], where, path.parent)
    return given


def _merged(entry: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with the given fields in place of its own; mappings are merged by field."""
    both = {key for key in entry if isinstance(entry[key], dict)} & {
        key for key in given if isinstance(given[key], dict)
    }
    return entry | given | {key: _merged(entry[key], given[key]) for key in both}


def _check_number(where: str, names: Sequence[Any], entry: dict[str, Any]) -> None:
    """Compare a user's labels with the names in the file, which a decoder may not know.

    RF-DETR's columns are counted when it is loaded: it has one more than classes.
    """
    own = entry.get("labels", ())
    if names and own and len(names) != len(own) and entry["decoder"] != "query_logits":
        raise ModelMismatchError(
            f"{where}: its labels are {len(names)}, but the file itself names {len(own)} classes: "
            f"{', '.join(map(str, own[:3]))}{', ...' if len(own) > 3 else ''}; leave the labels "
            "out, or give one for each"
        )


def obtain(
    spec: ModelSpec, *, offline: bool = False, progress: bool = True, patience: float = 5.0
) -> tuple[Path, ...]:
    """Return where a model's files are, in the order of ``spec.files``; downloaded if need be.

    progress  show a bar if somebody is looking at a terminal
    patience  seconds that a server may take until it begins to answer

    Raises ModelMissingError (not here and offline), ModelCorruptError, ModelDownloadError,
    ModelCacheError, and BackendMissingError (without what a download needs).
    """
    paths = []
    for file in spec.files:
        path = _find_file(spec, file)
        if path is None:
            path = cache_file(spec, file)
            if offline or is_offline():
                searched = ", ".join(map(str, _places(spec, file)))
                raise ModelMissingError(
                    f"{spec.name} is not on this machine, and nothing is downloaded at this point. "
                    f"Looked for: {searched}. Run `{how_to_fetch(spec.name)}` with a network, "
                    f"or put {file.name} in a folder named by I2T_MODEL_PATH"
                )
            with needed_for(f"downloading {file.name}", INSTALL):
                from i2t_ros.models.download import download  # noqa: PLC0415 (see there)
            download(file, path, progress=progress, patience=patience)
        paths.append(path)
    return tuple(paths)


def inspect_files(spec: ModelSpec) -> list[tuple[Path, str]]:
    """Return every copy of the model's files that can be found, and what is wrong with each.

    "" if nothing is. Nothing is set aside.
    """
    copies = []
    for file in spec.files:
        for place in filter(Path.is_file, _places(spec, file)):
            try:
                copies.append((place, file.mismatch(place)))
            except ModelMissingError as error:
                copies.append((place, str(error)))
    return copies


def is_offline() -> bool:
    """Whether ``I2T_OFFLINE`` forbids downloads."""
    return os.environ.get("I2T_OFFLINE", "").lower() not in ("", "0", "false", "no")


def cache_folder() -> Path:
    """Return where downloads are kept: ``~/.cache/i2t_ros/models`` or below XDG_CACHE_HOME."""
    return Path(platformdirs.user_cache_dir("i2t_ros")) / "models"


def cache_file(spec: ModelSpec, file: ModelFile) -> Path:
    """Return where a download of ``file`` is kept."""
    return cache_folder() / spec.name / file.name


def search_folders() -> tuple[Path, ...]:
    """Return the folders that ``I2T_MODEL_PATH`` names."""
    listed = os.environ.get("I2T_MODEL_PATH", "").split(os.pathsep)
    return tuple(expanded(folder) for folder in listed if folder)


def _known_file(path: Path) -> ModelSpec | None:
    """Return the manifest's entry whose only file this is, with the path as its file."""
    for spec in load_manifest().values():
        if len(spec.files) == 1 and not spec.files[0].mismatch(path):
            return replace(spec, files=(ModelFile(str(path.absolute())),))
    return None


def _find_file(spec: ModelSpec, file: ModelFile) -> Path | None:
    """Return where the file is, or None. A corrupt one in the cache is set aside.

    Raises ModelCorruptError for a wrong file in a user's own folder, which is left as it is, and
    ModelMissingError for one that cannot be read.
    """
    for place in filter(Path.is_file, _places(spec, file)):
        wrong = file.mismatch(place)
        if not wrong:
            return place
        if not place.is_relative_to(cache_folder()):
            check_file(place)
            raise ModelCorruptError(
                f"{place} is not the {file.name} of {spec.name}: {wrong}; remove it, or give its "
                "path as the model if it is one of your own"
            )
        try:
            aside = place.replace(f"{place}.corrupt")
        except OSError as error:
            raise ModelCorruptError(f"{place} is corrupt: {wrong}; remove it ({error})") from error
        logger.warning("%s is corrupt: %s; kept as %s, not used", place, wrong, aside)
    return None


def _places(spec: ModelSpec, file: ModelFile) -> Iterator[Path]:
    """Yield where to look; for a user's own file, whose name is a path, that path each time."""
    for folder in search_folders():
        yield folder / spec.name / file.name
        yield folder / file.name
    yield cache_file(spec, file)
