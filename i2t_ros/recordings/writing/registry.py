"""What can be written about recordings, by name."""

from collections.abc import Iterable

from i2t_ros.errors import InvalidRequestError
from i2t_ros.recordings.writing.base import Telling, Writer
from i2t_ros.recordings.writing.jsonl import JsonLinesWriter

WRITERS: dict[str, type[Writer]] = {"jsonl": JsonLinesWriter}
RECORDING = "recording"
"""The annotated recordings, which renderers make."""
OUTPUTS = (*WRITERS, RECORDING)


def check_outputs(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of outputs, each once, in the usual order; raises InvalidRequestError."""
    wanted = set(names)
    if unknown := sorted(wanted - set(OUTPUTS)):
        raise InvalidRequestError(
            f"unknown output {unknown[0]!r}: expected some of {', '.join(OUTPUTS)}"
        )
    return tuple(name for name in OUTPUTS if name in wanted)


def make_writers(names: Iterable[str], telling: Telling) -> list[Writer]:
    """Return the writers of these outputs; raises BackendMissingError and OSError."""
    return [WRITERS[name](telling) for name in names if name in WRITERS]
