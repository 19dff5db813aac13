"""Answers to questions as messages, and back."""

from i2t_ros.errors import ServiceError
from i2t_ros.msg import Answer as AnswerMsg
from i2t_ros.msg import CountCheck as CountCheckMsg
from i2t_ros.nodes.messages.bounds import LONGEST_NAME, LONGEST_TEXT, MOST_FOUND
from i2t_ros.nodes.messages.durations import duration_to_msg, seconds_of
from i2t_ros.types import Answer, CountCheck

AGREEMENTS = ("agrees", "disagrees", "unchecked")
MOST_COUNTED = 2**32 - 1


def answer_to_msg(answer: Answer) -> AnswerMsg:
    """Return an answer."""
    return AnswerMsg(
        text=answer.text,
        model=answer.model,
        elapsed=duration_to_msg(answer.elapsed),
        agreement=answer.agreement,
        counts=[
            CountCheckMsg(
                class_id=check.class_id,
                label=check.label,
                answered=min(check.answered, MOST_COUNTED),  # a language model says any number
                detected=check.detected,
            )
            for check in answer.counts
        ],
    )


def answer_from_msg(msg: AnswerMsg) -> Answer | None:
    """Return an answer; None if nothing was asked.

    Raises ServiceError for what no detector_node sends.
    """
    if not msg.text:
        return None
    names = [name for check in msg.counts for name in (check.class_id, check.label)]
    longest, total = max(map(len, names), default=0), len(msg.text) + len(msg.model)
    if longest > LONGEST_NAME or total > LONGEST_TEXT or len(msg.counts) > MOST_FOUND:
        raise ServiceError(
            f"the answer makes no sense: expected names of at most {LONGEST_NAME} characters, "
            f"{LONGEST_TEXT} of texts and {MOST_FOUND} counts, got {longest}, {total} and "
            f"{len(msg.counts)}"
        )
    if msg.agreement not in AGREEMENTS:
        raise ServiceError(
            f"the answer makes no sense: agreement: expected one of {', '.join(AGREEMENTS)}, got "
            f"{msg.agreement[:LONGEST_NAME]!r}"
        )
    counts = tuple(
        CountCheck(check.class_id, check.label, check.answered, check.detected)
        for check in msg.counts
    )
    return Answer(msg.text, msg.model, seconds_of(msg.elapsed), msg.agreement, counts)
