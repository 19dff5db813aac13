"""What nodes get that are started together, by the launch files and by `i2t run`.

Parameter files and arguments go before these values.
"""

from i2t_ros.installation import how_to_install
from i2t_ros.optional import can_import

LISTENER_LIMIT = 90.0
"""Seconds for speech_node to listen; a large voice of Piper loads in some on a Raspberry Pi."""
LAST_WORDS_LIMIT = 60.0
"""Seconds in which what was seen last is said, after which `i2t run --once` ends all the same."""


def detector_values(*, speech: bool, once: bool, ends: bool = False) -> dict[str, object]:
    """Return what detector_node gets.

    speech  speech_node says its sentences
    once    what it is shown comes only once
    ends    it ends after that
    """
    values: dict[str, object] = {}
    if speech and not speech_remark():
        values["spoken"] = True  # a voice reads digits and symbols badly
    if speech and once:
        values["await_listener"] = LISTENER_LIMIT
        values |= {"end_after_source": True} if ends else {}
    return values


def speech_remark() -> str:
    """Return why the sentences that are said have digits and symbols; "" if they have none."""
    if can_import("unicode_rbnf"):
        return ""
    return (
        "speech: the sentences have digits and symbols, as words for a voice (spoken) need a "
        f"package that is not installed: {how_to_install('unicode-rbnf')}"
    )
