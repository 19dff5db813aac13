"""The parameters of speech_node, and the settings made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from i2t_ros.nodes.detector.camera_ports import CameraTopics, check_topic, parse_cameras
from i2t_ros.nodes.parameters.declaration import AUTOSTART
from i2t_ros.options import from_values, option, options_of
from i2t_ros.speech.base import Manner
from i2t_ros.speech.speaker import SpeakerLimits
from i2t_ros.speech.voice import VoiceOptions

PREFIX = "speech_"


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """Whose sentences are said, and in which language they are."""

    detector: str = option("detector_node", "the detector_node whose sentences are said")
    cameras: tuple[str, ...] = option(
        (),
        "the detector's cameras whose sentences are said, as in its own parameter: names or "
        "name=topic; empty: its one camera without a name",
    )
    language: str = option(
        "en",
        "language of the sentences, BCP 47, as in the detector's own parameter",
        changes="live",
        language=True,
    )
    end_after_detector: bool = option(
        False, "end the node once its detector has gone and all is said that was to be said"
    )


SPEECH = (
    *options_of(SpeechSettings),
    *options_of(VoiceOptions, PREFIX),
    *options_of(Manner, PREFIX),
    *options_of(SpeakerLimits, PREFIX),
    AUTOSTART,
)
"""All parameters of speech_node."""


@dataclass(frozen=True, slots=True)
class SpeechValues:
    """Everything that the parameters say; ``cameras`` have the names of their topics."""

    voice: VoiceOptions
    manner: Manner
    limits: SpeakerLimits
    cameras: dict[str, str]
    end_after_detector: bool


def read_values(values: Mapping[str, Any]) -> SpeechValues:
    """Return what the parameters say; raises InvalidRequestError, naming the parameter."""
    settings = from_values(SpeechSettings, values)
    voice = from_values(VoiceOptions, values, PREFIX)
    voice.check()
    cameras = {
        camera.name: _topic(settings.detector, camera)
        for camera in parse_cameras(settings.cameras, "raw")
    }
    for topic in cameras.values():
        check_topic("detector", topic)
    return SpeechValues(
        voice,
        from_values(Manner, values, PREFIX, language=settings.language),
        from_values(SpeakerLimits, values, PREFIX),
        cameras,
        settings.end_after_detector,
    )


def _topic(detector: str, camera: CameraTopics) -> str:
    return f"{detector}/{camera.prefix.removeprefix('~/')}sentence"
