"""Whether the URLs and packages that the manifest names have the files that it promises."""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from i2t_ros.errors import ModelCacheError, ModelCorruptError, ModelDownloadError
from i2t_ros.models.download import check_answer, download, open_url
from i2t_ros.models.manifest import ModelFile, ModelSpec

AT_ONCE = 4
"""Links that are asked at the same time."""
NO_HEAD = (403, 404, 405, 501)
"""Status of servers that refuse to tell of a file without sending it."""
STATED = "X-Linked-ETag"
"""In which Hugging Face states the SHA-256 of a large file."""


class LinkCheck(NamedTuple):
    """What one URL or package of a model's file answered; ``result`` is for people."""

    model: str
    link: str
    good: bool
    result: str


def check_links(specs: Sequence[ModelSpec], *, whole: bool, patience: float) -> Iterator[LinkCheck]:
    """Ask for every file at each of its links; yield the results in the manifest's order.

    whole     fetch each file and compare its SHA-256; otherwise only what its URL's answer says is
              compared. A package is always fetched. Nothing is kept
    patience  seconds that a server may take until it begins to answer
    """

    def check(single: tuple[str, ModelFile]) -> LinkCheck:
        model, file = single
        link = str(file.package or file.urls[0])
        try:
            if file.package or whole:
                with tempfile.TemporaryDirectory(prefix="i2t-") as folder:
                    download(file, Path(folder) / file.name, progress=False, patience=patience)
                compared = "size, SHA-256"
            else:
                compared = _ask(link, file, patience)
        except (ModelDownloadError, ModelCorruptError, ModelCacheError) as error:
            return LinkCheck(model, link, False, str(error))
        return LinkCheck(model, link, True, f"ok: {compared}")

    singles = [
        (spec.name, each)
        for spec in specs
        for file in spec.files
        for each in (
            *(replace(file, urls=(url,), package=None) for url in file.urls),
            *([replace(file, urls=())] if file.package else []),
        )
    ]
    with ThreadPoolExecutor(AT_ONCE, "i2t-links") as pool:
        yield from pool.map(check, singles)


def _ask(url: str, file: ModelFile, patience: float) -> str:
    """Return what the server's answer says of the file and is right. Raises as download does."""
    for method in ("HEAD", "GET"):
        with open_url(url, patience, method=method) as response:
            if method == "HEAD" and response.status_code in NO_HEAD:
                continue
            check_answer(response, url, file)
            compared = ["size"] if response.headers.get("Content-Length", "").isdecimal() else []
            for answer in (*response.history, response):
                stated = answer.headers.get(STATED, "").strip('"')
                if stated and file.sha256 and stated != file.sha256:
                    raise ModelCorruptError(f"expected SHA-256 {file.sha256}, it states {stated}")
                compared += ["SHA-256"] if stated and file.sha256 else []
            break
    return ", ".join(compared) or "it answers"
