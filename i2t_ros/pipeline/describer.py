"""From an image to a description: Describer runs the tasks, tell() finds the words."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from i2t_ros.backends.base import Tensor
from i2t_ros.backends.cores import CORE_DEVICES
from i2t_ros.errors import I2tError, NoFrameError, TimeLimitError, UnknownTaskError
from i2t_ros.pipeline.asking import ASKED, QUESTION, Look, answer_question, check_question
from i2t_ros.pipeline.describe_options import STAGED, DescribeOptions
from i2t_ros.pipeline.model_runner import PreparedImage
from i2t_ros.pipeline.object_detector import ObjectDetector
from i2t_ros.pipeline.reply_cache import ReplyCache, frozen
from i2t_ros.pipeline.scheduler import cancelled_by
from i2t_ros.pipeline.task_worker import Opener, TaskWorker
from i2t_ros.pipeline.tasks.base import Outcome
from i2t_ros.pipeline.tasks.caption import CaptionWriter
from i2t_ros.pipeline.tasks.registry import TASKS, clues_of, late_tasks, scaled_scene
from i2t_ros.pipeline.telling import draw, tell
from i2t_ros.types import (
    OBJECT_TASKS,
    DescribeReply,
    DescribeRequest,
    Description,
    Image,
    Picture,
    Scene,
    TaskName,
    Told,
)
from i2t_ros.vision.codecs import decode_image, encode_image, read_header
from i2t_ros.vision.color_names import colored
from i2t_ros.vlm.stop import Stop

Turn = Callable[[], AbstractContextManager[None]]
"""Makes the context manager to hold while the backend is used."""


@dataclass(slots=True)
class ImageInWork:
    """An image on its way to a scene.

    size      width and height of the picture that the image was decoded from, perhaps at a smaller
              size; the scene is in its pixels
    started   when work on it began, time.perf_counter() seconds
    end       when tasks in other threads must be done, time.monotonic() seconds
    running   what those tasks will have found
    prepared  the detector's input; None: nothing is to be detected
    outputs   what the detector's backend answered
    failures  by task
    """

    image: Image
    size: tuple[int, int]
    options: DescribeOptions
    started: float
    end: float
    running: dict[TaskName, Future[Outcome]] = field(default_factory=dict)
    prepared: PreparedImage | None = None
    outputs: list[Tensor] | None = None
    failures: dict[TaskName, I2tError] = field(default_factory=dict)

    @property
    def tasks(self) -> list[TaskName]:
        """The tasks that begin at once, and not after the others."""
        return [task for task in self.options.tasks if not TASKS[task].after_others]


class Shown(NamedTuple):
    """What a camera has shown last.

    measure  returns the scene of this image with the positions of its objects; None: nothing
             measures them
    """

    image: Image | Picture
    measure: Callable[[Scene], Scene] | None = None


Newest = Callable[[str], Shown]
"""Returns what the camera of this name has shown last."""


def _no_camera(name: str) -> Shown:
    raise NoFrameError("the request brings no picture, and there is no camera here")


class Describer:
    """Describes images with whatever tasks there are.

    An image becomes a scene in three steps, ``begin``, ``infer`` and ``finish``, which may overlap
    with those of other images; ``describe`` is all three, and ``tell``, which finds the words.

    As many threads may be in infer() at once as the detector's ``concurrency`` says: callers in
    several threads pass the ``turn`` of a BackendAccess that they share. Each other task has its
    own thread, so that all tasks of an image are worked on at once. All else may run in parallel.
    """

    def __init__(
        self,
        openers: Mapping[TaskName, Opener],
        *,
        cache: ReplyCache | None = None,
        time_limit: float = 30.0,
    ) -> None:
        """Load nothing yet.

        openers     how to load each task that is available; it is loaded when first needed
        cache       keeps answers to requests that bring a picture; None: none are kept
        time_limit  seconds that a task other than detect may take, its loading included
        """
        self._workers = {
            task: TaskWorker(task, opener, time_limit) for task, opener in openers.items()
        }
        self._cache = cache if cache and cache.limits.entries else None
        self._time_limit = time_limit

    @property
    def detector(self) -> ObjectDetector:
        """The detector, loaded; raises ModelError, BackendError and UnknownTaskError."""
        return self.finder([STAGED])

    def finder(self, tasks: Sequence[TaskName]) -> ObjectDetector:
        """Return what finds the objects if these are the tasks, loaded; raises as ``detector``."""
        task = next((task for task in OBJECT_TASKS if task in tasks), STAGED)
        self._check([task])
        return cast(ObjectDetector, self._workers[task].runner())

    def prepare(self, tasks: Sequence[TaskName]) -> None:
        """Load what these tasks need now, rather than with the first image.

        Raises ModelError and BackendError, and UnknownTaskError as describe() does.
        """
        self._check(tasks)
        for task in tasks:
            self._workers[task].runner()

    def uses_cores_alone(self, tasks: Sequence[TaskName]) -> bool:
        """Return whether processor cores run all that these tasks need, and no GPU or server."""
        runners = (self._workers[task].runner() for task in tasks)
        return all(getattr(runner, "device", "cpu").lower() in CORE_DEVICES for runner in runners)

    def stop(self) -> None:
        """End what takes seconds, in any thread; before close()."""
        for worker in self._workers.values():
            worker.stop()

    def close(self) -> None:
        """Release the models. May be called more than once."""
        for worker in self._workers.values():
            worker.close()

    def describe(
        self,
        image: Image,
        options: DescribeOptions,
        turn: Turn = nullcontext,
        size: tuple[int, int] | None = None,
        measure: Callable[[Scene], Scene] | None = None,
    ) -> Description:
        """Run the tasks on an image and put the scene into words.

        ``size`` is the width and height of the picture, whose pixels the scene is in, if the image
        was decoded at a smaller size. ``measure`` adds the positions of its objects.

        The error of a task that fails is in the scene's ``failures``. If all fail, the first one's
        is raised. Raises UnknownTaskError for a task that is not available here.
        """
        scene, started = self._see(image, options, turn, size)
        if measure is not None:
            scene = measure(scene)
        scene = self._with_late_tasks(image, scene, options)
        return self.description(scene, tell(scene, options), options, started)

    def description(
        self, scene: Scene, sentence: str, options: DescribeOptions, started: float
    ) -> Description:
        """Return what was seen and said since ``started`` (time.perf_counter(), seconds)."""
        model = ", ".join(filter(None, (self._workers[task].name for task in options.tasks)))
        elapsed = time.perf_counter() - started
        how = options.language, options.style, model, elapsed, options.label, options.spoken
        return Description(scene, sentence, *how)

    def begin(
        self, image: Image, options: DescribeOptions, size: tuple[int, int] | None = None
    ) -> ImageInWork:
        """Start the other tasks, each in its own thread, and prepare the image for the detector.

        ``size`` is that of the picture; see describe().
        Raises UnknownTaskError for a task that is not available here.
        """
        started = time.perf_counter()
        self._check(options.tasks)
        size = size or (image.shape[1], image.shape[0])
        work = ImageInWork(image, size, options, started, time.monotonic() + self._time_limit)
        for task in work.tasks:
            if task != STAGED:
                given = options.task_options[task]
                work.running[task] = self._workers[task].start(image, given, options.language)
        if STAGED in options.tasks:
            try:
                work.prepared = self.detector.prepare(image)
            except I2tError as error:
                work.failures[STAGED] = error
        return work

    def infer(self, works: Sequence[ImageInWork]) -> None:
        """Run the backend once for up to ``detector.batch`` images that begin() has prepared."""
        try:
            answers = self.detector.infer([work.prepared for work in works if work.prepared])
        except I2tError as error:
            for work in works:
                work.failures[STAGED] = error
            return
        for work, answer in zip(works, answers, strict=True):
            work.outputs = answer

    def finish(self, work: ImageInWork) -> Scene:
        """Read the backend's outputs, wait for the other tasks, and return all that was found.

        Tasks that come after the others are not among them; see start_late().
        """
        results: dict[TaskName, Any] = {}
        # Detection first, if it is asked for: what comes before it would only be waited for.
        for task in sorted(work.tasks, key=work.running.__contains__):
            if task in work.failures:
                continue
            try:
                results[task], failure = self._outcome(task, work)
            except I2tError as error:
                failure = error
            if failure is not None:
                work.failures[task] = failure
        if not results and work.failures:
            raise next(work.failures[task] for task in work.tasks)
        if "segment" in results:  # the same objects, and their outlines: nothing is told twice
            results.pop(STAGED, None)
        height, width = work.image.shape[:2]
        ordered = {task: results[task] for task in work.tasks if task in results}
        seen = Scene(width, height, MappingProxyType(ordered), MappingProxyType(work.failures))
        if work.options.object_colors:
            seen = colored(seen, work.image)
        return scaled_scene(seen, work.size)

    def _outcome(self, task: TaskName, work: ImageInWork) -> Outcome:
        if task == STAGED:
            assert work.prepared is not None  # noqa: S101 (begin() made it)
            assert work.outputs is not None, "infer() comes before finish()"  # noqa: S101
            options = work.options.task_options[task]
            return Outcome(self.detector.read(work.prepared, work.outputs, options))
        return _in_time(task, work.running[task], work.end, self._time_limit)

    def start_late(
        self, task: TaskName, image: Image, scene: Scene, options: DescribeOptions
    ) -> Future[Outcome]:
        """Begin a task that comes after the others, in its own thread, with what they found.

        The future raises I2tError and nothing else.
        """
        given = TASKS[task].for_scene(options.task_options[task], clues_of(scene))
        return self._workers[task].start(image, given, options.language)

    def answer(
        self,
        request: DescribeRequest,
        options: DescribeOptions,
        newest: Newest = _no_camera,
        turn: Turn = nullcontext,
    ) -> DescribeReply:
        """Answer one request: decode, describe, and draw and encode if asked.

        The same picture with the same options is answered from the cache, unless ``fresh`` or with
        a question. ``newest`` returns what a camera has shown last, for requests that bring no
        picture. Raises ImageError, RequestError and BackendError.
        """
        given, cache = options.for_request(request), self._cache
        if request.picture is None or request.fresh or request.question or cache is None:
            return self.complete(self.look(request, options, newest, turn))
        key = request.picture.sha256, request.annotate, frozen(given)
        with cache.one_at_a_time(key, self._time_limit):
            if known := cache.get(key):
                return replace(known, cached=True)
            reply = self.complete(self.look(request, options, newest, turn))
            # A task that failed may do better the next time.
            if not reply.description.scene.failures:
                cache.put(key, reply)
        return reply

    def look(
        self,
        request: DescribeRequest,
        options: DescribeOptions,
        newest: Newest = _no_camera,
        turn: Turn = nullcontext,
    ) -> Look:
        """Do the first part of answer(), for requests whose other part may take seconds.

        Nothing comes from the cache.
        """
        check_question(request.question)
        options = options.for_request(request)
        given = request.picture
        shown, measure = newest(request.camera) if given is None else Shown(given)
        if isinstance(shown, Picture):
            image = decode_image(shown, options.max_pixels, options.gray16)
            size = read_header(shown)[1:]
        else:
            image, size = shown, None
        scene, started = self._see(image, options, turn, size)
        if measure is not None:
            scene = measure(scene)
        return Look(request, options, image, scene, started)

    def complete(
        self, look: Look, told: Told | None = None, stop: Stop | None = None
    ) -> DescribeReply:
        """Do the other part: the tasks that take seconds, the question, the words, the drawing.

        The error of a question that has no answer is in the scene's ``failures``, as QUESTION.
        ``told`` gets the answer while it is being written. Raises CancelledError when ``stop`` is
        set.
        """
        request, options = look.request, look.options
        scene = self._with_late_tasks(look.image, look.scene, options, stop)
        answer = None
        if request.question:
            try:
                writer = cast(CaptionWriter, self._workers[ASKED].runner())
                answer = answer_question(writer, replace(look, scene=scene), told, stop)
            except I2tError as error:
                scene = replace(scene, failures={**scene.failures, QUESTION: error})
        description = self.description(scene, tell(scene, options), options, look.started)
        if not request.annotate:
            return DescribeReply(description, answer=answer)
        drawn = draw(look.image, scene, options)
        format = "jpeg" if request.picture is None else request.picture.format
        picture = encode_image(drawn, format, options.jpeg_quality)
        return DescribeReply(description, picture, answer=answer)

    def _see(
        self, image: Image, options: DescribeOptions, turn: Turn, size: tuple[int, int] | None
    ) -> tuple[Scene, float]:
        """Return what the tasks that begin at once find, and when they began."""
        work = self.begin(image, options, size)
        if work.prepared is not None:
            with turn():
                self.infer([work])
        return self.finish(work), work.started

    def _with_late_tasks(
        self, image: Image, scene: Scene, options: DescribeOptions, stop: Stop | None = None
    ) -> Scene:
        """Return the scene with what the tasks find that come after the others.

        Raises CancelledError when ``stop`` is set. What has not begun by then does not.
        """
        wanted = late_tasks(options.tasks)
        if not wanted:
            return scene
        running = {task: self.start_late(task, image, scene, options) for task in wanted}
        results, failures = dict(scene.results), dict(scene.failures)
        for task, future in running.items():
            limit = self._time_limit + self._workers[task].time_limit
            try:
                with cancelled_by(stop, future) as until_then:
                    outcome = _in_time(task, until_then, time.monotonic() + limit, limit)
            except I2tError as error:
                failures[task] = error
            else:
                results[task] = outcome.result
        if not results:
            raise next(failures[task] for task in options.tasks)
        return replace(
            scene, results=MappingProxyType(results), failures=MappingProxyType(failures)
        )

    def _check(self, tasks: Iterable[TaskName]) -> None:
        missing = [task for task in tasks if task not in self._workers]
        if missing:
            available = [task for task in TASKS if task in self._workers]
            raise UnknownTaskError(
                f"task {missing[0]!r} is not available here; available: {', '.join(available)}"
            )


def _in_time(task: TaskName, future: Future[Outcome], end: float, limit: float) -> Outcome:
    """Return what a task finds until ``end``, ``limit`` seconds after it began."""
    try:
        return future.result(max(0.0, end - time.monotonic()))
    except FutureTimeoutError:
        future.cancel()
        raise TimeLimitError(
            f"task {task} took longer than {limit:g} s, loading included"
        ) from None
