"""The whole of the work: look at every image, tell what was seen, render the recordings again."""

from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from i2t_ros.errors import InvalidRequestError
from i2t_ros.pipeline.making import read_options
from i2t_ros.recordings.base import Damage
from i2t_ros.recordings.open import open_recording
from i2t_ros.recordings.rendering.registry import RENDERERS, renderer_of
from i2t_ros.recordings.work.crew import Crew
from i2t_ros.recordings.work.job import Unit
from i2t_ros.recordings.work.places import MADE, PARTS, PLAN, TOLD, UNITS, WORK
from i2t_ros.recordings.work.plan import Plan
from i2t_ros.recordings.work.records import Record, UnitRecords, encode_records
from i2t_ros.recordings.work.store import Store
from i2t_ros.recordings.work.telling import Teller
from i2t_ros.recordings.work.worker import Duty
from i2t_ros.recordings.writing.base import Told, Writer
from i2t_ros.recordings.writing.registry import RECORDING, make_writers

DIED = "the process that looked at it died, as of a fault in a decoder or in an engine"
NEW = f"{WORK}/new"


class Progress(Protocol):
    """Shows how far the work is."""

    def begin(self, what: str, total: int, done: int) -> None:
        """Begin a part of the work: ``what`` says which, for people; ``total`` is in images."""
        ...

    def advance(self, number: int) -> None:
        """So many more images are done."""
        ...


@dataclass(slots=True)
class Summary:
    """What came out.

    files   what was written, relative to the folder of the results
    images  how many were described
    damage  what could not be read or described
    """

    files: list[str] = field(default_factory=list)
    images: int = 0
    damage: list[Damage] = field(default_factory=list)


def settle(store: Store, plan: Plan, *, overwrite: bool) -> bool:
    """Make the folder of the results that of a plan; return whether all of it is done already.

    Raises InvalidRequestError if it has results of another plan, unless ``overwrite``.
    """
    wanted = plan.to_json()
    for name in (MADE, PLAN):
        try:
            known = store.read(name)
        except FileNotFoundError:
            continue
        if known == wanted and not overwrite:
            return name == MADE
        if not overwrite:
            state = "results" if name == MADE else "what is half done"
            raise InvalidRequestError(
                f"{store.folder} has {state} of other recordings, or of other options: name "
                "another folder with --out, or replace them with --overwrite"
            )
    store.remove(MADE)
    store.remove(WORK)
    store.write(PLAN, wanted)
    return False


class Annotation:
    """The work of one plan. Whatever is done already is not done again."""

    def __init__(self, store: Store, plan: Plan, progress: Progress) -> None:
        """``store`` must have been settled for the plan."""
        self._store = store
        self._plan = plan
        self._progress = progress
        self._options = read_options(plan.job.values)

    def run(self, crew: Crew) -> Summary:
        """Do everything; raises I2tError and OSError."""
        self._look(crew)
        self._store.remove(NEW)
        with self._store.staging(NEW) as folder:
            summary = self._tell(folder)
            if RECORDING in self._plan.job.outputs:
                self._render(crew)
                self._join(folder)
            summary.files = sorted(path.name for path in folder.iterdir())
            for name in summary.files:
                self._store.put(folder / name, name)
        self._store.write(MADE, self._plan.to_json())
        self._store.remove(WORK)
        return summary

    def _records(self, unit: Unit) -> UnitRecords:
        return UnitRecords(self._store, f"{UNITS}/{unit.name}")

    def _look(self, crew: Crew) -> None:
        units = self._plan.units
        duties, done = [], 0
        for unit in units:
            known, complete = self._records(unit).progress()
            done += unit.span.expected if complete else known
            if not complete:
                duties.append(Duty("look", unit))
        total = sum(unit.span.expected for unit in units)
        self._progress.begin("looking", total, min(done, total))
        for _ in crew.do(duties, self._progress.advance, self._skip):
            pass

    def _skip(self, duty: Duty) -> None:
        """Record the image that a process has died of, so that the next one leaves it out."""
        records = self._records(duty.unit)
        number, _ = records.progress()
        recording = self._plan.job.recordings[duty.unit.recording]
        damage = f"image {number + 1} of the part that begins at {duty.unit.span.start}: {DIED}"
        records.add(number, [Record(recording, damage=damage)], last=False)
        self._progress.advance(1)

    def _tell(self, folder: Path) -> Summary:
        plan, summary = self._plan, Summary()
        writers = make_writers(plan.job.outputs, plan.telling(self._options, folder))
        writers.append(_Counter(summary))
        teller = Teller(self._options, plan.job.track, writers)
        self._progress.begin("telling", sum(unit.span.expected for unit in plan.units), 0)
        for number in range(len(plan.job.recordings)):
            teller.begin(plan.streams_of(number))
            for unit in plan.units_of(number):
                records, _ = self._records(unit).load()
                told = list(teller.tell(records))
                if RECORDING in plan.job.outputs:
                    self._store.write(f"{TOLD}/{unit.name}.jsonl", encode_records(told))
                self._progress.advance(len(records))
            teller.end()
        for writer in writers:
            writer.close()
        return summary

    def _render(self, crew: Crew) -> None:
        units = self._plan.units
        there = {name.rpartition(".")[0] for name in self._store.names(PARTS)}
        missing = [unit for unit in units if unit.name not in there]
        total = sum(unit.span.expected for unit in units)
        done = total - sum(unit.span.expected for unit in missing)
        self._progress.begin("rendering", total, done)
        duties = (Duty("render", unit) for unit in missing)
        for _ in crew.do(duties, self._progress.advance, self._skip):
            pass

    def _join(self, folder: Path) -> None:
        """Put the parts of each annotated recording together."""
        plan = self._plan
        telling = plan.telling(self._options, folder)
        for number, path in enumerate(plan.job.recordings):
            recording = open_recording(path, plan.job)
            ending = RENDERERS[recording.kind].ending
            names = [f"{PARTS}/{unit.name}.{ending}" for unit in plan.units_of(number)]
            with closing(recording), ExitStack() as stack:
                parts = [stack.enter_context(self._store.local(name)) for name in names]
                renderer_of(recording, telling).join(parts)


class _Counter(Writer):
    """Counts images and keeps what is damaged, for the summary."""

    def __init__(self, summary: Summary) -> None:  # not made by the registry
        self._summary = summary

    def image(self, told: Told) -> None:
        self._summary.images += 1

    def damage(self, damage: Damage) -> None:
        self._summary.damage.append(damage)

    def close(self) -> None:
        pass
