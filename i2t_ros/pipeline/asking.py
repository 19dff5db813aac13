"""Questions about a picture, answered by the language model that also writes captions."""

from dataclasses import dataclass, replace

from i2t_ros import language as words
from i2t_ros.errors import I2tError, InvalidRequestError, LanguageModelError
from i2t_ros.language.counting import check_counts
from i2t_ros.language.facts import count_objects
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.grounding import jpeg_of, question_prompt
from i2t_ros.pipeline.tasks.caption import CaptionWriter
from i2t_ros.pipeline.tasks.registry import clues_of
from i2t_ros.types import Answer, DescribeReply, DescribeRequest, Image, Scene, Told
from i2t_ros.vlm.stop import Stop

ASKED = "caption"
"""The task whose language model answers questions."""
QUESTION = "question"
"""The key of a question's error among the failures of a scene, where tasks have theirs."""
LONGEST_QUESTION = 2000
"""Characters."""


def check_question(question: str) -> None:
    """Raise InvalidRequestError for a question that is too long, or has only white space."""
    if len(question) > LONGEST_QUESTION:
        raise InvalidRequestError(
            f"question: expected at most {LONGEST_QUESTION} characters, got {len(question)}"
        )
    if question and not question.strip():
        raise InvalidRequestError("question: expected words, got only white space")


@dataclass(frozen=True, slots=True)
class Look:
    """What a request's image shows, before the tasks that take seconds, and before any words.

    options  with what the request names
    image    perhaps smaller than the picture, whose pixels the scene is in
    started  when work on it began, time.perf_counter() seconds
    """

    request: DescribeRequest
    options: DescribeOptions
    image: Image
    scene: Scene
    started: float


def unanswered(reply: DescribeReply) -> I2tError | None:
    """Return why the reply to a question has no answer; None if it has one."""
    if reply.answer is not None:
        return None
    missing = LanguageModelError("the question has no answer")
    return reply.description.scene.failures.get(QUESTION, missing)


def answer_question(
    writer: CaptionWriter, look: Look, told: Told | None = None, stop: Stop | None = None
) -> Answer:
    """Return the language model's answer, and whether its counts are those of the detections.

    ``told`` gets the answer while it is being written, in this thread. Raises LanguageModelError,
    and CancelledError when ``stop`` is set.
    """
    question, options, scene = look.request.question, look.options, look.scene
    jpeg = jpeg_of(look.image, writer.width)
    prompt = question_prompt(question, options.language, clues_of(scene), jpeg)
    completion = writer.model.complete(prompt, told, stop)
    language = (options.languages or words.load_languages()).get(options.language)
    text = language.voice.say(completion.text) if options.spoken else completion.text
    answer = Answer(text, writer.name, completion.elapsed)
    if (found := scene.detections) is None:
        return answer
    detected = {fact.key: fact.count for fact in count_objects(found)}
    classes = tuple(filter(None, found.labels))
    agreement, counts = check_counts(question, completion.text, detected, classes, language)
    return replace(answer, agreement=agreement, counts=counts)
