"""Thins out what the decoders of pictures and videos write to standard error.

libjpeg, libpng and FFmpeg write a line for each damaged frame, from native code, and have no common
switch that would leave one line a second.
"""

import ctypes
import os
import re
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from i2t_ros.nodes.signals import handle

PERIOD = 1.0
"""Seconds between two such lines."""
PART_LIMIT = 0.05
"""Seconds to wait for the rest of a line, which is then written as it is."""
MOST_BYTES = 65_536
"""Bytes that are read at once, and of a line."""

# The warnings of libjpeg's jerror.h, and the prefixes of libpng and of FFmpeg's av_log.
DECODER_LINE = re.compile(
    rb"(?:\x1b\[[\d;]*m)*"
    rb"(?:\[[\w,.:/ -]+ @ 0x[0-9a-f]+\]| *Last message repeated|libpng (?:warning|error):"
    rb"|Corrupt JPEG data|Premature end of JPEG|Inconsistent progression sequence"
    rb"|Invalid SOS parameters|Unknown Adobe color|Warning: unknown JFIF"
    rb"|Application transferred too many scanlines)"
)
# What LiteRT writes when all is well. Its backend holds back what is written to descriptor 2, which
# these lines go around.
UNWANTED_LINE = re.compile(rb"INFO: Created TensorFlow Lite ")
STDERR = 2
_UNBUFFERED = 2  # _IONBF of glibc's stdio.h


def filter_stderr() -> Callable[[], None]:
    """Let C's ``stderr`` lead through a process that thins out; return what ends that.

    Call it before there are threads. Only C code that writes through ``stderr`` is affected, not
    Python and not what writes to descriptor 2. The other process loses no line if this one crashes,
    and ends with it. Without a standard error, or where C has no such variable (another libc than
    glibc), nothing is done.
    """
    libc = ctypes.CDLL(None)
    try:
        stream = ctypes.c_void_p.in_dll(libc, "stderr")
        libc.fdopen.restype = ctypes.c_void_p
        os.fstat(STDERR)
    except (ValueError, AttributeError, OSError):
        return lambda: None
    if os.isatty(STDERR):  # ROS would see a pipe, and leave out colors
        os.environ.setdefault("RCUTILS_COLORIZED_OUTPUT", "1")
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            handle(signal.SIG_IGN)  # it ends when there is nothing more to read
            os.close(writer)
            _thin_out(reader)
        finally:
            os._exit(0)
    os.close(reader)
    ours = ctypes.c_void_p(libc.fdopen(writer, b"w"))
    libc.setvbuf(ours, None, _UNBUFFERED, ctypes.c_size_t(0))
    before, stream.value = stream.value, ours.value

    def end() -> None:
        stream.value = before
        os.dup2(STDERR, writer, inheritable=False)  # for whoever still writes through ours
        with suppress(ChildProcessError):  # whoever started this process ignores SIGCHLD
            os.waitpid(child, 0)

    return end


def _thin_out(reader: int) -> None:
    """Copy lines to standard error until there are no more; of the decoders', one a period."""
    part, held, count, free_at = b"", b"", 0, 0.0
    ended = False
    while not ended:
        limits = [PART_LIMIT] if part else []
        limits += [max(0.0, free_at - time.monotonic())] if count else []
        if select.select([reader], [], [], min(limits, default=None))[0]:
            data = os.read(reader, MOST_BYTES)
            ended = not data
            *lines, part = (part + data).split(b"\n")
            if len(part) > MOST_BYTES:
                lines, part = [*lines, part], b""
        else:
            lines = []
            if part and not DECODER_LINE.match(part):
                _write(part)
                part = b""
        now = time.monotonic()
        for line in lines:
            if UNWANTED_LINE.match(line):
                continue
            if not DECODER_LINE.match(line):
                _write(line + b"\n")
            elif now >= free_at and not count:
                _write(line + b"\n")
                free_at = now + PERIOD
            else:
                held, count = line, count + 1
        if count and (ended or now >= free_at):
            more = b" (and %d more like this)" % (count - 1) if count > 1 else b""
            _write(held + more + b"\n")
            count, free_at = 0, now + PERIOD
    _write(part)


def _write(data: bytes) -> None:
    while data:
        try:
            data = data[os.write(STDERR, data) :]
        except OSError:  # nobody reads it
            return
