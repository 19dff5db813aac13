"""The annotated form of pictures: a folder of drawn ones."""

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePath
from shutil import copyfileobj
from urllib.parse import quote, unquote_to_bytes

from i2t_ros.errors import InvalidRequestError
from i2t_ros.pipeline.telling import draw
from i2t_ros.recordings.base import Damage
from i2t_ros.recordings.reading.pictures import legible
from i2t_ros.recordings.rendering.base import Renderer
from i2t_ros.recordings.work.job import Unit
from i2t_ros.recordings.writing.base import Told
from i2t_ros.vision.codecs import encode_image, picture_format

LONG_AGO = 1980, 1, 1, 0, 0, 0
"""The first time that a ZIP file can tell."""
UNIX = 3
"""The number of a system in ZIP files."""


class PictureRenderer(Renderer):
    """Each picture with what was found drawn on it, under its own name and in its own format.

    Those of a folder are in the folder annotated/, or annotated.NAME/ if there are other streams.
    Single pictures are all in annotated/; if there are several, they have the names of their
    streams. A part is a ZIP file.
    """

    ending = "zip"

    def part(self, unit: Unit, told: Sequence[Told], file: Path) -> None:
        """See Renderer.part."""
        by_name = {legible(PurePath(one.source).name): one for one in told}
        quality = self.telling.options.jpeg_quality
        with zipfile.ZipFile(file, "w") as pictures:
            for item in self.recording.here().items(unit.span, self.telling.selection):
                one = by_name.get(legible(PurePath(item.source).name))
                if one is None or isinstance(item, Damage):
                    continue
                drawn = draw(item.read(), one.description.scene, self.telling.options)
                path = Path(item.source)
                with path.open("rb") as source:
                    kind = picture_format(source.read(16))
                entry = zipfile.ZipInfo(_encoded(self._name(path)), LONG_AGO)
                entry.create_system = UNIX
                pictures.writestr(entry, bytes(encode_image(drawn, kind, quality)))

    def join(self, parts: Sequence[Path]) -> Sequence[Path]:
        """See Renderer.join; returns the folder, or the file of a single picture."""
        single = self._is_single()
        folder = self.telling.path("annotated", "", None if single else self.streams[0])
        written = []
        for part in parts:
            if not part.stat().st_size:
                continue
            with zipfile.ZipFile(part) as pictures:
                for entry in pictures.infolist():
                    path = folder / PurePath(_decoded(entry.filename)).name
                    folder.mkdir(parents=True, exist_ok=True)
                    with pictures.open(entry) as source, path.open("wb") as target:
                        copyfileobj(source, target)
                    written.append(path)
        return written if single or not written else [folder]

    def _name(self, path: Path) -> str:
        """Return the name of the drawn picture."""
        if len(self.telling.streams) > 1 and self._is_single():
            return self.streams[0].name + path.suffix
        return path.name

    def _is_single(self) -> bool:
        return Path(self.recording.here().path).is_file()


def _encoded(name: str) -> str:
    """Return a file's name for a ZIP file; it need not be UTF-8."""
    return quote(os.fsencode(name), safe="")


def _decoded(text: str) -> str:
    """Return the name; raises InvalidRequestError for what leads out of its folder."""
    name = os.fsdecode(unquote_to_bytes(text))
    if "/" in name or "\0" in name or name in {"", ".", ".."}:
        raise InvalidRequestError(f"a part of the work has a picture with the name {name!r}")
    return name
