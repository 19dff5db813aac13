"""The whole of the work: look at every image, tell what was seen, render the recordings again."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Protocol

import msgspec

from i2t_ros.errors import InvalidRequestError
from i2t_ros.pipeline.making import read_options
from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.open import open_recording
from i2t_ros.recordings.rendering.base import Renderer
from i2t_ros.recordings.rendering.registry import renderer_of
from i2t_ros.recordings.work.counter import Counter
from i2t_ros.recordings.work.crew import Crew
from i2t_ros.recordings.work.in_order import InOrder
from i2t_ros.recordings.work.job import Unit
from i2t_ros.recordings.work.places import MADE, PARTS, PLAN, SCRATCH, TOLD, UNITS, WORK, is_result
from i2t_ros.recordings.work.plan import Made, Plan, read_made
from i2t_ros.recordings.work.records import Record, UnitRecords, encode_records
from i2t_ros.recordings.work.store import Store
from i2t_ros.recordings.work.telling import Teller
from i2t_ros.recordings.work.worker import Duty
from i2t_ros.recordings.writing.base import Telling
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


def settle(store: Store, plan: Plan, *, overwrite: bool) -> Made | None:
    """Make the folder of the results that of a plan; return what is made if all of it is there.

    Raises InvalidRequestError if it has results of another plan, or files of somebody else with
    their names, unless ``overwrite``; and if a recording would be replaced by its results.
    """
    _spare_recordings(store, plan)
    for left in (NEW, SCRATCH):  # of a run that was killed
        store.remove(left)
    made = begun = None
    with suppress(FileNotFoundError, msgspec.MsgspecError):
        made = read_made(store)
    with suppress(FileNotFoundError):
        begun = store.read(PLAN)
    if not overwrite:
        is_own = made is not None and made.plan.to_json() == plan.to_json()
        # Files may be missing: somebody has removed them, or was ended while he replaced them.
        if made is not None and is_own and {*made.files} <= {*store.names("")}:
            store.remove(WORK)  # if it was ended just before it would have done so
            return made
        if made is None and begun == plan.to_json():
            return None
        if not is_own and (made is not None or begun is not None):
            state = "results" if made is not None else "what is half done"
            raise InvalidRequestError(
                f"{store.folder} has {state} of other recordings, or of other options: name "
                "another folder with --out, or replace them with --overwrite"
            )
        own = made.files if made is not None else ()
        if taken := [name for name in store.names("") if is_result(name) and name not in own]:
            raise InvalidRequestError(
                f"{store.folder} has {', '.join(taken)}, which did not come from i2t annotate and "
                "may be replaced: name another folder with --out, or allow it with --overwrite"
            )
    for name in made.files if made is not None else ():
        if is_result(name):  # whatever the file says, nothing else is removed
            store.remove(name)
    store.remove(MADE)
    store.remove(WORK)
    store.write(PLAN, plan.to_json())
    return None


def _spare_recordings(store: Store, plan: Plan) -> None:
    """Raise InvalidRequestError if a recording has the place of a result, as its own drawn form."""
    folder = Path(store.folder).resolve()
    for recording in plan.job.recordings:
        path = Path(recording).resolve()
        if folder not in path.parents:
            continue
        top = path.relative_to(folder).parts[0]
        if is_result(top) or top == WORK:
            raise InvalidRequestError(
                f"{recording} would be replaced by the results: name another folder with --out"
            )


class Annotation:
    """The work of one plan. Whatever is done already is not done again."""

    def __init__(self, store: Store, plan: Plan, progress: Progress) -> None:
        """``store`` must have been settled for the plan."""
        self._store = store
        self._plan = plan
        self._progress = progress
        self._options = read_options(plan.job.values)
        self._blamed: dict[Unit, int] = {}

    def run(self, crew: Crew) -> Made:
        """Do everything; raises I2tError and OSError."""
        job = self._plan.job
        with self._store.staging(NEW) as folder:
            # Whatever is missing for the results shows before the work, and not after it.
            telling = self._plan.telling(self._options, folder)
            counter = Counter()
            writers = [*make_writers(job.outputs, telling), counter]
            renderers = self._renderers(telling) if RECORDING in job.outputs else []
            teller = Teller(self._options, job.track, writers)
            with InOrder(self._tell_all(teller), self._plan.units) as told:
                self._look(crew, told)
                self._progress.begin("telling", self._expected, told.done)
                told.finish(self._progress.advance)
            for writer in writers:
                writer.close()
            if renderers:
                self._render(crew)
                self._join(renderers)
            files = tuple(sorted(path.name for path in folder.iterdir()))
            for name in files:
                self._store.put(folder / name, name)
        damage = tuple(counter.first_damage)
        made = Made(self._plan, files, counter.images, counter.damaged, damage)
        self._store.write(MADE, made.to_json())
        self._store.remove(WORK)
        return made

    @property
    def _expected(self) -> int:
        return sum(unit.span.expected for unit in self._plan.units)

    def _renderers(self, telling: Telling) -> list[Renderer]:
        job = self._plan.job
        return [renderer_of(open_recording(path, job), telling) for path in job.recordings]

    def _records(self, unit: Unit) -> UnitRecords:
        return UnitRecords(self._store, f"{UNITS}/{unit.name}")

    def _look(self, crew: Crew, told: InOrder) -> None:
        duties, done = [], 0
        for unit in self._plan.units:
            # They are read, and not only counted: a power failure may have damaged some.
            known, complete = self._records(unit).load()
            done += unit.span.expected if complete else len(known)
            if complete:
                told.ready(unit)
            else:
                duties.append(Duty("look", unit))
        self._progress.begin("looking", self._expected, min(done, self._expected))
        for duty in crew.do(duties, self._progress.advance, self._skip):
            told.ready(duty.unit)

    def _skip(self, duty: Duty) -> None:
        """Record the image that two processes have died of, so that the next one leaves it out.

        One process may be killed for want of memory, or with its machine.
        """
        records = self._records(duty.unit)
        number, _ = records.progress()
        if self._blamed.get(duty.unit) != number:
            self._blamed[duty.unit] = number
            return
        recording = self._plan.job.recordings[duty.unit.recording]
        of_part = f"image {number + 1} of the part from {self._start(duty.unit)} on"
        damage = f"{of_part}: {DIED}"
        records.add(number, [Record(recording, damage=damage)], last=False)
        self._progress.advance(1)

    def _start(self, unit: Unit) -> str:
        """Return where a unit begins, for people: a time, or a picture."""
        if all(stream.timed for stream in self._plan.streams_of(unit.recording)):
            return f"{unit.span.start / SECOND:g} s"
        return f"picture {unit.span.start + 1}"

    def _tell_all(self, teller: Teller) -> Callable[[Unit], int]:
        """Return what tells about a unit, and returns how many images that were."""
        plan = self._plan

        def tell(unit: Unit) -> int:
            if unit.number == 0:
                teller.begin(plan.streams_of(unit.recording))
            records, complete = self._records(unit).load()
            if not complete:
                raise OSError(
                    f"what was found in part {unit.name} has been damaged or removed meanwhile; "
                    "the same command finds it again"
                )
            told = list(teller.tell(records))
            if RECORDING in plan.job.outputs:
                self._store.write(f"{TOLD}/{unit.name}.jsonl", encode_records(told))
            if unit.number == len(plan.spans[unit.recording]) - 1:
                teller.end()
            return len(records)

        return tell

    def _render(self, crew: Crew) -> None:
        units = self._plan.units
        there = {name.rpartition(".")[0] for name in self._store.names(PARTS)}
        missing = [unit for unit in units if unit.name not in there]
        left = sum(unit.span.expected for unit in missing)
        self._progress.begin("rendering", self._expected, self._expected - left)
        duties = (Duty("render", unit) for unit in missing)
        for _ in crew.do(duties, self._progress.advance, self._skip):
            pass

    def _join(self, renderers: Sequence[Renderer]) -> None:
        """Put the parts of each annotated recording together."""
        for number, renderer in enumerate(renderers):
            units = self._plan.units_of(number)
            with closing(renderer.recording), ExitStack() as stack:
                names = (f"{PARTS}/{unit.name}.{renderer.ending}" for unit in units)
                renderer.join([stack.enter_context(self._store.local(name)) for name in names])
