"""What detector_node gets if speech_node is started with it, by the launch files or by `i2t run`.

Parameter files and arguments go before these values.
"""

from i2t_ros.installation import how_to_install
from i2t_ros.optional import can_import


def spoken_values(*, speech: bool) -> dict[str, object]:
    """Return the parameters of a detector whose sentences are said if ``speech``."""
    # A voice reads digits and symbols badly.
    return {"spoken": True} if speech and not speech_remark() else {}


def speech_remark() -> str:
    """Return why the sentences that are said have digits and symbols; empty if they have none."""
    if can_import("unicode_rbnf"):
        return ""
    return (
        "speech: the sentences have digits and symbols, as words for a voice (spoken) need a "
        f"package that is not installed: {how_to_install('unicode-rbnf')}"
    )
