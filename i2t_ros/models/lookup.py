"""Finding a model's files on this machine, or having them fetched.

In this order: a path, the folders of ``I2T_MODEL_PATH`` (separated by ``:``), the user's cache, a
download. ``I2T_OFFLINE=1`` says that nothing may be downloaded.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from i2t_ros.errors import ModelCorruptError, ModelMissingError
from i2t_ros.models.download import DownloadLimits, download, mismatch, set_aside
from i2t_ros.models.manifest import ModelFile, ModelSpec, find_spec
from i2t_ros.models.user_files import is_path, own_spec

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model whose files are all on this machine and are what its entry says.

    ``files`` are in the order of ``spec.files``.
    """

    spec: ModelSpec
    files: tuple[Path, ...]


def obtain_model(
    model: str,
    *,
    spec: ModelSpec | None = None,
    offline: bool = False,
    progress: bool = True,
    limits: DownloadLimits = DownloadLimits(),  # noqa: B008 (frozen)
) -> LocalModel:
    """Return the model that ``model`` names: an entry of the manifest, or a path.

    ``spec`` is what describe_model returned for it; without it that is called here.

    Raises UnknownModelError, ModelMissingError (not here and offline), ModelCorruptError,
    ModelDownloadError, ModelCacheError, and ModelError for a description that is wrong.
    """
    spec = spec or describe_model(model)
    if is_path(model):
        return LocalModel(spec, (Path(model).expanduser(),))
    return obtain(spec, offline=offline, progress=progress, limits=limits)


def describe_model(model: str) -> ModelSpec:
    """Return the entry of a model that is named as for obtain_model; nothing is fetched.

    Raises UnknownModelError, ModelMissingError, ModelError.
    """
    return own_spec(Path(model).expanduser()) if is_path(model) else find_spec(model)


def obtain(
    spec: ModelSpec,
    *,
    offline: bool = False,
    progress: bool = True,
    limits: DownloadLimits = DownloadLimits(),  # noqa: B008 (frozen)
) -> LocalModel:
    """Return a model of the manifest, downloaded if need be; raises as obtain_model does."""
    paths = []
    for file in spec.files:
        path = _find_file(spec, file)
        if path is None:
            path = cache_file(spec, file)
            if offline or is_offline():
                raise _missing(spec, file)
            download(file, path, progress=progress, limits=limits)
        paths.append(path)
    return LocalModel(spec, tuple(paths))


def find_local(spec: ModelSpec) -> LocalModel | None:
    """Return a model if all its files are at hand, else None. Raises ModelCorruptError."""
    files = [_find_file(spec, file) for file in spec.files]
    if None in files:
        return None
    return LocalModel(spec, tuple(path for path in files if path))


def inspect_files(spec: ModelSpec) -> list[tuple[Path, str]]:
    """Return every copy of the model's files that can be found, and what is wrong with each.

    "" if nothing is. Nothing is set aside.
    """
    found = []
    for file in spec.files:
        for place in _places(spec, file):
            if place.is_file():
                try:
                    found.append((place, mismatch(file, place)))
                except OSError as error:
                    found.append((place, f"cannot be read: {error}"))
    return found


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
    return tuple(Path(folder).expanduser() for folder in listed if folder)


def _missing(spec: ModelSpec, file: ModelFile) -> ModelMissingError:
    searched = ", ".join(str(place) for place in _places(spec, file))
    return ModelMissingError(
        f"{spec.name} is not on this machine and nothing may be downloaded (offline). Looked for: "
        f"{searched}. Run `i2t models fetch {spec.name}` with a network, or put {file.name} in a "
        "folder named by I2T_MODEL_PATH"
    )


def _find_file(spec: ModelSpec, file: ModelFile) -> Path | None:
    """Return where the file is, or None. A corrupt one in the cache is set aside.

    Raises ModelCorruptError for a wrong file in a user's own folder, which is left as it is.
    """
    for place in _places(spec, file):
        if not place.is_file():
            continue
        try:
            wrong = mismatch(file, place)
        except OSError as error:
            raise ModelMissingError(f"{place} cannot be read: {error}") from error
        if not wrong:
            return place
        if place != cache_file(spec, file):
            raise ModelCorruptError(
                f"{place} is not the {file.name} of {spec.name}: {wrong}; remove it, or give its "
                "path as the model if it is one of your own"
            )
        try:
            aside = set_aside(place, place)
        except OSError as error:
            raise ModelCorruptError(f"{place} is corrupt: {wrong}; remove it ({error})") from error
        logger.warning("%s is corrupt: %s; kept as %s, not used", place, wrong, aside)
    return None


def _places(spec: ModelSpec, file: ModelFile) -> Iterator[Path]:
    for folder in search_folders():
        yield folder / spec.name / file.name
        yield folder / file.name
    yield cache_file(spec, file)
