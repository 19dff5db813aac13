"""From an image to a description: Describer runs the tasks, tell() finds the words."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, cast

from i2t_ros import language as words
from i2t_ros.backends.base import Tensor
from i2t_ros.errors import I2tError, NoFrameError, TimeLimitError, UnknownTaskError
from i2t_ros.options import check_options, option
from i2t_ros.pipeline.model_runner import PreparedImage
from i2t_ros.pipeline.reply_cache import ReplyCache, frozen
from i2t_ros.pipeline.task_worker import Opener, TaskWorker
from i2t_ros.pipeline.tasks.base import Outcome
from i2t_ros.pipeline.tasks.detect import ObjectDetector
from i2t_ros.pipeline.tasks.registry import TASKS, check_tasks, scaled_scene
from i2t_ros.types import (
    DescribeReply,
    DescribeRequest,
    Description,
    Image,
    Picture,
    Scene,
    TaskName,
)
from i2t_ros.vision.codecs import MAX_PIXELS, decode_image, encode_image, read_header
from i2t_ros.vision.drawing import DrawOptions, Pen, Plate, draw_plates
from i2t_ros.vision.levels import GRAY16, check_gray16

Turn = Callable[[], AbstractContextManager[None]]
"""Makes the context manager to hold while the backend is used."""

STAGED = "detect"
"""The task whose steps overlap with those of other images, and that uses the backend in turns."""


@dataclass(frozen=True, slots=True)
class DescribeOptions:
    """How a describer works unless a request says otherwise.

    Frozen, so that a running node can exchange all of them at once.

    task_options  options by task; a task that is missing gets its defaults
    languages     None: those that ship with the package
    """

    tasks: tuple[TaskName, ...] = option(
        (STAGED,),
        "what is done with each image, and with a request that names no task: any of "
        + ", ".join(TASKS),
        changes="live",
    )
    language: str = option(
        "en", "language of the sentence, BCP 47, such as en or es", changes="live", language=True
    )
    style: str = option("sentence", "how the sentence is put", choices=words.STYLES, changes="live")
    hedge: bool = option(False, "say 'probably' of what is seen with a low score", changes="live")
    spoken: bool = option(
        False, "words for a voice: no digits, no symbols, no quotes, units in words", changes="live"
    )
    max_pixels: int = option(
        MAX_PIXELS,
        "images of more pixels (width x height) are refused before they are decoded, but a JPEG of "
        "up to 8 times as many is decoded at a smaller size",
        bounds=(1, 1_000_000_000),
        changes="live",
    )
    gray16: str = option(
        GRAY16,
        "how 16-bit gray images (mono16, 16UC1, PNG) become 8-bit; percentiles: all but the 0.5 % "
        "darkest and brightest pixels fill the scale; range: all pixels do; LOW-HIGH, such as "
        "7000-7900: these values do; full: 0 to 65535 do",
        changes="live",
    )
    jpeg_quality: int = option(
        90, "quality of annotated JPEG and WebP pictures, 1 to 100", bounds=(1, 100), changes="live"
    )
    draw: DrawOptions = field(default_factory=DrawOptions)
    task_options: Mapping[TaskName, Any] = field(default_factory=lambda: MappingProxyType({}))
    languages: words.Languages | None = None

    def __post_init__(self) -> None:
        """Resolve the language, drop repeated tasks, check every name and number.

        Raises UnknownLanguageError, UnknownStyleError, UnknownTaskError, InvalidRequestError, and
        BackendMissingError if ``spoken`` needs a package.
        """
        put = object.__setattr__
        put(self, "language", (self.languages or words.load_languages()).resolve(self.language))
        words.check_style(self.style)
        check_options(self)
        if self.spoken:
            words.prepare_spoken(self.language, self.languages)
        check_gray16(self.gray16)
        if not self.tasks:
            raise UnknownTaskError(f"no task; tasks are {', '.join(TASKS)}")
        put(self, "tasks", check_tasks(self.tasks))
        given = {name: task.options() for name, task in TASKS.items()} | dict(self.task_options)
        put(self, "task_options", MappingProxyType(given))

    def for_request(self, request: DescribeRequest) -> "DescribeOptions":
        """Return these options with what the request names in their place."""
        given = {
            name: TASKS[name].for_request(options, request)
            for name, options in self.task_options.items()
        }
        return replace(
            self,
            tasks=request.tasks or self.tasks,
            language=request.language or self.language,
            style=request.style or self.style,
            spoken=request.spoken or self.spoken,
            task_options=given,
        )

    def label(self, name: str) -> str:
        """Return a model's name of a class in the language of the sentence."""
        return words.label(name, self.language, self.languages)


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


Newest = Callable[[str], Image | Picture]
"""Returns what the camera of this name has shown last."""


def _no_camera(name: str) -> Image:
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
        self._check([STAGED])
        return cast(ObjectDetector, self._workers[STAGED].runner())

    def prepare(self, tasks: Sequence[TaskName]) -> None:
        """Load what these tasks need now, rather than with the first image.

        Raises ModelError and BackendError, and UnknownTaskError as describe() does.
        """
        self._check(tasks)
        for task in tasks:
            self._workers[task].runner()

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
    ) -> Description:
        """Run the tasks on an image and put the scene into words.

        ``size`` is the width and height of the picture, whose pixels the scene is in, if the image
        was decoded at a smaller size.

        The error of a task that fails is in the scene's ``failures``. If all fail, the first one's
        is raised. Raises UnknownTaskError for a task that is not available here.
        """
        work = self.begin(image, options, size)
        if work.prepared is not None:
            with turn():
                self.infer([work])
        scene = self.finish(work)
        return self.description(scene, tell(scene, options), options, work.started)

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
        for task in options.tasks:
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
        """Read the backend's outputs, wait for the other tasks, and return all that was found."""
        results: dict[TaskName, Any] = {}
        # Detection first, if it is asked for: what comes before it would only be waited for.
        for task in sorted(work.options.tasks, key=work.running.__contains__):
            if task in work.failures:
                continue
            try:
                results[task], failure = self._outcome(task, work)
            except I2tError as error:
                failure = error
            if failure is not None:
                work.failures[task] = failure
        if not results:
            raise next(work.failures[task] for task in work.options.tasks)
        height, width = work.image.shape[:2]
        ordered = {task: results[task] for task in work.options.tasks if task in results}
        seen = Scene(width, height, MappingProxyType(ordered), MappingProxyType(work.failures))
        return scaled_scene(seen, work.size)

    def _outcome(self, task: TaskName, work: ImageInWork) -> Outcome:
        if task == STAGED:
            assert work.prepared is not None  # noqa: S101 (begin() made it)
            assert work.outputs is not None, "infer() comes before finish()"  # noqa: S101
            options = work.options.task_options[task]
            return Outcome(self.detector.read(work.prepared, work.outputs, options))
        try:
            return work.running[task].result(max(0.0, work.end - time.monotonic()))
        except FutureTimeoutError:
            work.running[task].cancel()
            raise TimeLimitError(
                f"task {task} took longer than {self._time_limit:g} s, loading included"
            ) from None

    def _check(self, tasks: Iterable[TaskName]) -> None:
        missing = [task for task in tasks if task not in self._workers]
        if missing:
            available = [task for task in TASKS if task in self._workers]
            raise UnknownTaskError(
                f"task {missing[0]!r} is not available here; available: {', '.join(available)}"
            )

    def answer(
        self,
        request: DescribeRequest,
        options: DescribeOptions,
        newest: Newest = _no_camera,
        turn: Turn = nullcontext,
    ) -> DescribeReply:
        """Answer one request: decode, describe, and draw and encode if asked.

        The same picture with the same options is answered from the cache, unless ``fresh``.
        ``newest`` returns what a camera has shown last, for requests that bring no picture.
        Raises ImageError, RequestError and BackendError.
        """
        options = options.for_request(request)
        if request.picture is None or request.fresh or self._cache is None:
            return self._work_on(request, options, newest, turn)
        key = request.picture.sha256, request.annotate, frozen(options)
        with self._cache.one_at_a_time(key, self._time_limit):
            if known := self._cache.get(key):
                return replace(known, cached=True)
            reply = self._work_on(request, options, newest, turn)
            # A task that failed may do better the next time.
            if not reply.description.scene.failures:
                self._cache.put(key, reply)
        return reply

    def _work_on(
        self, request: DescribeRequest, options: DescribeOptions, newest: Newest, turn: Turn
    ) -> DescribeReply:
        picture = request.picture
        shown = newest(request.camera) if picture is None else picture
        if isinstance(shown, Picture):
            image = decode_image(shown, options.max_pixels, options.gray16)
            size = read_header(shown)[1:]
        else:
            image, size = shown, None
        description = self.describe(image, options, turn, size)
        if not request.annotate:
            return DescribeReply(description)
        drawn = draw(image, description.scene, options)
        format = "jpeg" if picture is None else picture.format
        return DescribeReply(description, encode_image(drawn, format, options.jpeg_quality))


def tell(scene: Scene, options: DescribeOptions) -> str:
    """Return the sentence of a scene."""
    return words.compose(
        scene_facts(scene, words.check_style(options.style)),
        options.language,
        options.style,
        hedge=options.hedge,
        spoken=options.spoken,
        languages=options.languages,
    )


def scene_facts(scene: Scene, style: words.Style) -> tuple[words.TaskFacts, ...]:
    """Return the facts of a scene, in the order in which a sentence has them."""
    size = scene.width, scene.height
    return tuple(
        task.facts(scene.results[name], size, style)
        for name, task in TASKS.items()
        if name in scene.results
    )


def draw(image: Image, scene: Scene, options: DescribeOptions) -> Image:
    """Return a copy of the image with everything that was found drawn on it.

    The image may be smaller than the picture that the scene is about.
    """
    canvas: Image = image.copy()
    scene = scaled_scene(scene, (image.shape[1], image.shape[0]))
    pen = Pen.for_image(image, options.draw.scale)
    plates: list[Plate] = []
    for name, task in TASKS.items():
        if name in scene.results:
            result = scene.results[name]
            task.draw(canvas, result, pen, options.label, options.draw)
            plates += task.plates(canvas, result, pen, options.label, options.draw)
    draw_plates(canvas, plates, pen)
    return canvas
