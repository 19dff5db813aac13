"""From an image to a description: runs the tasks and finds the words. No ROS, no network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from i2t_ros import language as words
from i2t_ros.backends.base import Tensor
from i2t_ros.errors import (
    I2tError,
    InvalidRequestError,
    NoFrameError,
    TimeLimitError,
    UnknownTaskError,
)
from i2t_ros.pipeline.picture_hash import identify
from i2t_ros.pipeline.reply_cache import ReplyCache, frozen
from i2t_ros.pipeline.scene_facts import scene_facts
from i2t_ros.pipeline.task_worker import Opener, TaskWorker
from i2t_ros.pipeline.tasks.detect import ObjectDetector, PreparedImage
from i2t_ros.types import (
    TASKS,
    ClassifyOptions,
    DescribeReply,
    DescribeRequest,
    Description,
    DetectOptions,
    EncodedImage,
    FaceOptions,
    Image,
    Scene,
    Task,
    TextOptions,
)
from i2t_ros.vision.codecs import MAX_PIXELS, decode_image, encode_image, picture_format
from i2t_ros.vision.drawing import DrawOptions, draw_scene

Turn = Callable[[], AbstractContextManager[None]]
"""Makes the context manager to hold while the engine is used."""


@dataclass(frozen=True, slots=True)
class DescribeOptions:
    """How a describer works unless a request says otherwise.

    Frozen, so that a running node can exchange all of them at once.
    """

    tasks: tuple[Task, ...] = ("detect",)
    language: str = "en"
    style: str = "sentence"
    hedge: bool = False
    detect: DetectOptions = field(default_factory=DetectOptions)
    classify: ClassifyOptions = field(default_factory=ClassifyOptions)
    faces: FaceOptions = field(default_factory=FaceOptions)
    text: TextOptions = field(default_factory=TextOptions)
    draw: DrawOptions = field(default_factory=DrawOptions)
    languages: words.Languages | None = None
    max_pixels: int = MAX_PIXELS
    quality: int = 90

    def __post_init__(self) -> None:
        """Normalise the language, drop repeated tasks, check every name and number.

        Raises UnknownLanguageError, UnknownStyleError, UnknownTaskError, InvalidRequestError.
        """
        object.__setattr__(self, "language", words.resolve_language(self.language, self.languages))
        words.check_style(self.style)
        if not self.tasks:
            raise UnknownTaskError(f"no task; tasks are {', '.join(TASKS)}")
        if unknown := [task for task in self.tasks if task not in TASKS]:
            raise UnknownTaskError(f"unknown task {unknown[0]!r}; tasks are {', '.join(TASKS)}")
        object.__setattr__(self, "tasks", tuple(dict.fromkeys(self.tasks)))
        for name, score in (
            ("min_score", self.detect.min_score),
            ("face_min_score", self.faces.min_score),
            ("text_min_score", self.text.min_score),
        ):
            if not 0 <= score <= 1:
                raise InvalidRequestError(
                    f"{name}: expected 0 to 1 (0: the default), got {score:g}"
                )
        if self.classify.top_k < 1:
            raise InvalidRequestError(f"top_k: expected 1 or more, got {self.classify.top_k}")

    def for_request(self, request: DescribeRequest) -> DescribeOptions:
        """Return these options with what the request names in their place."""
        return replace(
            self,
            tasks=request.tasks or self.tasks,
            language=request.language or self.language,
            style=request.style or self.style,
            detect=replace(self.detect, min_score=request.min_score or self.detect.min_score),
        )


@dataclass(slots=True)
class ImageInWork:
    """An image on its way to a scene.

    started   time.perf_counter() seconds when its way began
    end       time.monotonic() seconds until which the tasks beside detect may take
    running   what those tasks will have found
    prepared  what the engine is to see; None without detection
    outputs   what the engine answered, or its error
    """

    image: Image
    options: DescribeOptions
    started: float
    end: float
    running: dict[Task, Future[Scene]]
    prepared: PreparedImage | None
    outputs: list[Tensor] | I2tError | None = None


class Describer:
    """Describes images with one detector and whatever other tasks there are.

    An image becomes a scene in three steps, ``begin``, ``infer`` and ``finish``, which may overlap
    with those of other images; ``look`` is all three, and ``describe`` adds the words.

    As many threads may be in infer() at once as the detector's ``concurrency`` says: callers in
    several threads pass the ``turn`` of an Engine that they share. Each other task has a thread of
    its own, so that all tasks of an image are worked on at once. All else may run in parallel.
    """

    def __init__(
        self,
        detector: ObjectDetector | None,
        tasks: Mapping[Task, Opener] = MappingProxyType({}),
        *,
        cache: ReplyCache | None = None,
        time_limit: float = 30.0,
    ) -> None:
        """Take over the detector; close() closes it and what the tasks have loaded.

        tasks       how to load each task beside detect; they are loaded when first needed
        cache       answers to requests that bring a picture; None: none are kept
        time_limit  seconds that a task beside detect may take, its loading included
        """
        self.detector = detector
        self._workers = {task: TaskWorker(task, opener) for task, opener in tasks.items()}
        self._cache = cache
        self._time_limit = time_limit

    def prepare(self, tasks: Iterable[Task]) -> None:
        """Load what these tasks need, rather than with the first image.

        Raises ModelError and BackendError, and UnknownTaskError as describe() does.
        """
        tasks = tuple(tasks)
        self._check(tasks)
        for task in tasks:
            if task in self._workers:
                self._workers[task].prepare()

    def close(self) -> None:
        """Release the engines. May be called more than once."""
        if self.detector is not None:
            self.detector.close()
        for worker in self._workers.values():
            worker.close()

    def describe(
        self, image: Image, options: DescribeOptions, turn: Turn = nullcontext
    ) -> Description:
        """Run the tasks on an image and put the scene into words; raises what look() raises."""
        started = time.perf_counter()
        scene = self.look(image, options, turn)
        return self.description(scene, compose(scene, options), options, started)

    def description(
        self, scene: Scene, sentence: str, options: DescribeOptions, started: float
    ) -> Description:
        """Return what was seen and said since ``started`` (time.perf_counter(), seconds)."""
        model = ", ".join(filter(None, map(self._model_of, options.tasks)))
        elapsed = time.perf_counter() - started
        return Description(scene, sentence, options.language, model, elapsed)

    def look(self, image: Image, options: DescribeOptions, turn: Turn = nullcontext) -> Scene:
        """Run the tasks on an image.

        The error of a task that fails is in the scene's ``failures``. If all fail, the first one's
        is raised. Raises UnknownTaskError for a task that is not available here.
        """
        work = self.begin(image, options)
        if work.prepared is not None:
            with turn():
                self.infer([work])
        return self.finish(work)

    def begin(self, image: Image, options: DescribeOptions) -> ImageInWork:
        """Start the other tasks, each in its own thread, and prepare the image for the engine.

        Raises UnknownTaskError for a task that is not available here.
        """
        started = time.perf_counter()
        self._check(options.tasks)
        end = time.monotonic() + self._time_limit
        running = {
            task: self._workers[task].start(image, options)
            for task in options.tasks
            if task in self._workers
        }
        prepared = None
        if "detect" in options.tasks and "detect" not in running and self.detector is not None:
            prepared = self.detector.prepare(image)
        return ImageInWork(image, options, started, end, running, prepared)

    def infer(self, works: Sequence[ImageInWork]) -> None:
        """Run the engine once for up to ``detector.batch`` images, whose options ask for detect."""
        assert self.detector is not None  # noqa: S101 (begin() prepared for it)
        prepared = [work.prepared for work in works if work.prepared is not None]
        answers: Sequence[list[Tensor] | I2tError]
        try:
            answers = self.detector.infer(prepared)
        except I2tError as error:
            answers = [error] * len(works)
        for work, answer in zip(works, answers, strict=True):
            work.outputs = answer

    def finish(self, work: ImageInWork) -> Scene:
        """Read the engine's outputs, wait for the other tasks, and return all that was found."""
        parts: list[Scene] = []
        failures: dict[Task, I2tError] = {}
        # Detection first, if it is asked for: what comes before it would only be waited for.
        for task in sorted(work.options.tasks, key=work.running.__contains__):
            try:
                if task in work.running:
                    parts.append(self._wait_for(task, work.running[task], work.end))
                else:
                    parts.append(self._detections(work))
            except I2tError as error:
                failures[task] = error
        if not parts:
            raise next(failures[task] for task in work.options.tasks if task in failures)
        return _joined(parts, failures)

    def _check(self, tasks: Iterable[Task]) -> None:
        available = [
            task
            for task in TASKS
            if task in self._workers or (task == "detect" and self.detector is not None)
        ]
        missing = [task for task in tasks if task not in available]
        if missing:
            raise UnknownTaskError(
                f"task {missing[0]!r} is not available here; available: {', '.join(available)}"
            )

    def _detections(self, work: ImageInWork) -> Scene:
        assert self.detector is not None  # noqa: S101 (begin() prepared for it)
        assert work.prepared is not None  # noqa: S101
        if isinstance(work.outputs, I2tError):
            raise work.outputs
        assert work.outputs is not None, "infer() comes before finish()"  # noqa: S101
        detections = self.detector.read(work.prepared, work.outputs, work.options.detect)
        return Scene(work.image.shape[1], work.image.shape[0], detections=detections)

    def _wait_for(self, task: Task, running: Future[Scene], end: float) -> Scene:
        try:
            return running.result(max(0.0, end - time.monotonic()))
        except FutureTimeoutError:
            running.cancel()
            raise TimeLimitError(
                f"task {task} took longer than {self._time_limit:g} s, loading included"
            ) from None

    def _model_of(self, task: Task) -> str:
        if task in self._workers:
            return self._workers[task].name
        return self.detector.name if self.detector is not None else ""

    def draw(self, image: Image, description: Description, options: DescribeOptions) -> Image:
        """Return a copy of the image with the description's scene drawn on it."""
        return draw_scene(
            image,
            description.scene,
            lambda name: words.label(name, description.language, options.languages),
            options.draw,
        )

    def answer(
        self,
        request: DescribeRequest,
        options: DescribeOptions,
        newest: Callable[[str], Image] | None = None,
        turn: Turn = nullcontext,
    ) -> DescribeReply:
        """Answer one request: decode, describe, and draw and encode where asked.

        The same picture with the same options is answered from the cache.
        ``newest`` returns the newest image of a camera, for requests that bring no picture.
        Raises ImageError, RequestError and BackendError.
        """
        options = options.for_request(request)
        if not len(request.image):
            return self._work_on(request, options, newest, turn)
        identity = identify(request.image)
        if self._cache is None:
            return replace(self._work_on(request, options, newest, turn), identity=identity)
        key = identity.sha256, request.annotate, frozen(options)
        with self._cache.one_at_a_time(key, self._time_limit):
            if known := self._cache.get(key):
                return replace(known, cached=True)
            reply = self._work_on(request, options, newest, turn)
            reply = replace(reply, identity=identity)
            # A task that failed may do better the next time.
            if not reply.description.scene.failures:
                self._cache.put(key, reply)
        return reply

    def _work_on(
        self,
        request: DescribeRequest,
        options: DescribeOptions,
        newest: Callable[[str], Image] | None,
        turn: Turn,
    ) -> DescribeReply:
        image, fmt = self._image_of(request, options, newest)
        description = self.describe(image, options, turn)
        annotated: EncodedImage | None = None
        if request.annotate:
            annotated = encode_image(self.draw(image, description, options), fmt, options.quality)
        return DescribeReply(description, annotated)

    @staticmethod
    def _image_of(
        request: DescribeRequest,
        options: DescribeOptions,
        newest: Callable[[str], Image] | None,
    ) -> tuple[Image, str]:
        """Return the image that a request is about, and the format to answer in."""
        if len(request.image):
            return decode_image(request.image, options.max_pixels), picture_format(request.image)
        if newest is None:
            raise NoFrameError("the request brings no picture, and there is no camera here")
        return newest(request.camera), "jpeg"


def compose(scene: Scene, options: DescribeOptions) -> str:
    """Return the sentence of a scene."""
    return words.compose(
        scene_facts(scene, options.style),
        options.language,
        options.style,
        hedge=options.hedge,
        languages=options.languages,
    )


def _joined(parts: Sequence[Scene], failures: Mapping[Task, I2tError]) -> Scene:
    """Return one scene with what each task found."""
    found = {
        name: getattr(part, name)
        for part in parts
        for name in ("detections", "classification", "faces", "texts")
        if getattr(part, name) is not None
    }
    partly = {task: error for part in parts for task, error in part.failures.items()}
    return Scene(
        parts[0].width,
        parts[0].height,
        **found,
        failures=MappingProxyType({**partly, **failures}),
    )
