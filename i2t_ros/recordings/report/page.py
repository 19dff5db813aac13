"""One HTML file of data, thumbnails, the files of this folder, and the theme of the web page.

The page may do nothing but run its own script and show its own pictures: whatever a class, a topic
or a file is called, it is text in JSON, and the script makes no HTML of text.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from i2t_ros.recordings.report.wording import page_strings

_FOLDER = Path(__file__).parent
_THEME = _FOLDER.parents[1] / "bridges/http/static/theme.css"
SCRIPTS = (
    *(
        "search",
        "search_text",
        "search_signs",
        "asked",
        "hits",
        "words",
        "elements",
        "drawing",
        "timeline",
        "moments",
        "search_form",
        "summary",
    ),
    "page",
)
"""Files of JavaScript, in the order in which they stand in the page."""


def write_page(file: BinaryIO, data: Mapping[str, Any], thumbnails: Sequence[bytes]) -> None:
    """Write report.html. ``thumbnails`` are JPEG; the moments of ``data`` have their numbers."""
    style = "".join(file.read_text(encoding="utf-8") for file in (_THEME, _FOLDER / "page.css"))
    parts = ["'use strict';", *(_script(name) for name in SCRIPTS)]
    script = "\n".join(parts)
    head, tail = _filled(
        (_FOLDER / "page.html").read_text(encoding="utf-8"),
        title=_escaped(page_strings(data["language"])["title"]),
        language=_escaped(data["language"]),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    ).split("{{data}}")
    file.write(head.encode())
    file.write(_json(data))
    file.write(b'</script>\n<script type="application/json" id="thumbnails">[')
    for number, picture in enumerate(thumbnails):
        file.write(b',\n"' if number else b'"')
        file.write(base64.b64encode(picture) + b'"')
    file.write(b"]" + tail.encode())


def _script(name: str) -> str:
    return (_FOLDER / f"{name}.js").read_text(encoding="utf-8")


def _filled(page: str, **values: str) -> str:
    for name, value in values.items():
        page = page.replace(f"{{{{{name}}}}}", value)
    return page


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _hash(text: str) -> str:
    """Return the source by which a Content-Security-Policy allows this script or style alone."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: Mapping[str, Any]) -> bytes:
    """Return JSON that ends no element of HTML, and has no half of a surrogate pair."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode("utf-8", "backslashreplace")
