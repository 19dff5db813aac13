"""Makes the pictures at the top of the README, all of them out of real runs of this package.

    .venv/bin/python tools/record.py

docs/images/seen.webp shows three photos as `i2t describe` drew them, describe.svg that run in a
terminal, and demo.svg `make demo`. It needs `make .venv/.installed .venv/.test`, DejaVu Sans and
Noto Sans CJK, and the models yolox_nano and yunet in the user's cache.

The photos come with scikit-image and are free: Eileen Collins (NASA, public domain), a cup (Rachel
Michetti, CC0) and the cat Chelsea (Stéfan van der Walt, CC0).
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path

import skimage.data
from PIL import Image, ImageDraw, ImageFont, ImageOps

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
COLUMNS = 110
SIGNS = (  # top left corner, text, color of its letters and of its plate
    ((668, 90), "Platform 24", "#ffffff", "#143ca0"),
    ((668, 275), "紧急出口", "#ffffff", "#006e3c"),
    ((668, 460), "Salida →", "#0a0a0a", "#fadc00"),
)
LATIN = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
CHINESE = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
LONGEST_PAUSE = 1.5
"""Seconds; a longer wait of the run, such as for imports, is this long in the recording."""


def main() -> None:
    """Make the photos, run the commands, write the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_photos(folder)
        lines = record(
            [
                "i2t describe station.png --tasks detect,faces,text --quiet --save seen.png",
                "i2t describe table.png sofa.png --draw-scale 2 --quiet --save seen/",
                "i2t describe station.png table.png sofa.png --quiet --language es",
                "i2t describe station.png table.png sofa.png --quiet --language ja",
            ],
            folder,
        )
        (IMAGES / "describe.svg").write_text(draw(lines, "i2t describe, in three languages"))
        seen = join([folder / "seen.png", folder / "seen/table.png", folder / "seen/sofa.png"])
        seen.save(IMAGES / "seen.webp", quality=82, method=6)
    lines = record(["make demo"], ROOT)
    (IMAGES / "demo.svg").write_text(draw(lines, "make demo, on a laptop without ROS"))


def make_photos(folder: Path) -> None:
    """Write the three photos as PNG files into a folder."""
    signs = Image.new("RGB", (960, 640), "#d5cfc4")
    signs.paste(Image.fromarray(skimage.data.astronaut()).resize((640, 640)))
    for corner, text, color, plate in SIGNS:
        sign = Image.new("RGB", (265, 91), plate)
        font = ImageFont.truetype(LATIN if text.isascii() or "→" in text else CHINESE, 36)
        ImageDraw.Draw(sign).text((22, 45), text, color, font, anchor="lm")
        signs.paste(sign, corner)
    signs.save(folder / "station.png")
    for name, pixels in (("table", skimage.data.coffee()), ("sofa", skimage.data.chelsea())):
        ImageOps.fit(Image.fromarray(pixels), (600, 400)).save(folder / f"{name}.png")


def join(files: list[Path]) -> Image.Image:
    """Return the first picture, and the two others above each other at its right."""
    pictures = [Image.open(file).convert("RGB") for file in files]
    joined = Image.new("RGB", (960 + 8 + 474, 640), "white")
    joined.paste(pictures[0])
    for row, picture in enumerate(pictures[1:]):
        joined.paste(picture.resize((474, 316)), (968, row * 324))
    return joined


def record(commands: list[str], folder: Path) -> list[tuple[float, str]]:
    """Run shell commands in a folder, in a terminal; return their lines and when each came.

    The commands are lines, too, and begin with "$ ". Ends with an error if a command fails.
    """
    recorded, now = [], 0.5
    for command in commands:
        recorded.append((now, f"$ {command}"))
        last = time.monotonic()
        for line in terminal_lines(command, folder):
            now += min(time.monotonic() - last, LONGEST_PAUSE)
            last = time.monotonic()
            shown = line.replace(str(ROOT), "~/i2t_ros").replace(str(Path.home()), "~")
            recorded.append((now, shown))
        now += 1.0
    return recorded


def terminal_lines(command: str, folder: Path) -> Iterator[str]:
    """Run a command in a terminal of its own, and yield each line when it is complete."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env={**os.environ, "PATH": path, "TERM": "xterm"},
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    with open(ours, "rb", closefd=True, buffering=0) as terminal:
        rest = b""
        while True:
            try:
                rest += terminal.read(4096)
            except OSError:  # Linux says so when the other side is closed
                break
            *lines, rest = rest.split(b"\n")
            for line in lines:
                text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line.decode().rstrip("\r"))
                yield text.rpartition("\r")[2]  # what a progress bar has left
    if code := process.wait():
        sys.exit(f"{command}: exit status {code}")


def draw(lines: list[tuple[float, str]], title: str) -> str:
    """Return an SVG in which the lines appear one after the other, and then stay.

    Where animations are off or not known, all of it is there from the start.
    """
    rows = [
        (when, text[start : start + COLUMNS], text)
        for when, text in lines
        for start in range(0, max(len(text), 1), COLUMNS)
    ]
    width, height = COLUMNS * 8.6 + 32, len(rows) * 20 + 60
    shown = "\n".join(
        f'<text x="16" y="{58 + 20 * row}" style="animation-duration:{when:.2f}s"'
        f"{kind(whole)}>{escape(text)}</text>"
        for row, (when, text, whole) in enumerate(rows)
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}">
<!-- Made by tools/record.py from a real run. -->
<title>{escape(title)}</title>
<style>
text {{ font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  white-space: pre; fill: #e6edf3; animation-name: wait; animation-timing-function: steps(1) }}
.command {{ fill: #7ee787; font-weight: bold }}
.log {{ fill: #8b949e }}
@keyframes wait {{ from, to {{ opacity: 0 }} }}
@media (prefers-reduced-motion: reduce) {{ text {{ animation: none }} }}
</style>
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
<circle cx="22" cy="20" r="6" fill="#ff5f56"/>
<circle cx="42" cy="20" r="6" fill="#ffbd2e"/>
<circle cx="62" cy="20" r="6" fill="#27c93f"/>
{shown}
</svg>
"""


def kind(line: str) -> str:
    """Return the class of a line: a command, a node's log, or neither."""
    if line.startswith("$ "):
        return ' class="command"'
    return ' class="log"' if re.match(r"\[(INFO|WARN)\]", line) else ""


if __name__ == "__main__":
    main()
