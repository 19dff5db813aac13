"""What can be written of recordings, by name."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType

from i2t_ros.errors import InvalidRequestError
from i2t_ros.recordings.report.writer import ReportWriter
from i2t_ros.recordings.writing.base import Telling, Writer
from i2t_ros.recordings.writing.coco import CocoWriter
from i2t_ros.recordings.writing.jsonl import JsonLinesWriter
from i2t_ros.recordings.writing.parquet import ParquetWriter
from i2t_ros.recordings.writing.subtitles import SubtitlesWriter

WRITERS: Mapping[str, type[Writer]] = MappingProxyType(
    {
        "jsonl": JsonLinesWriter,
        "parquet": ParquetWriter,
        "coco": CocoWriter,
        "subtitles": SubtitlesWriter,
        "report": ReportWriter,
    }
)
"""Name -> what writes it."""
RECORDING = "recording"
"""The annotated recordings, which renderers make."""
OUTPUTS = (*WRITERS, RECORDING)


def check_outputs(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of outputs, each once, in the usual order; raises InvalidRequestError."""
    if unknown := [name for name in names if name not in OUTPUTS]:
        raise InvalidRequestError(
            f"outputs: expected some of {', '.join(OUTPUTS)}, got {', '.join(unknown)}"
        )
    return tuple(name for name in OUTPUTS if name in names)


def make_writers(names: Sequence[str], telling: Telling) -> list[Writer]:
    """Return a writer for each name of WRITERS.

    Raises what Writer raises; then those that have begun are closed.
    """
    with ExitStack() as begun:
        writers = []
        for name, kind in WRITERS.items():
            if name in names:
                writers.append(kind(telling))
                begun.callback(writers[-1].close)
        begun.pop_all()
    return writers
