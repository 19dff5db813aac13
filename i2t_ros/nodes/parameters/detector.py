"""The parameters of detector_node, and what every node does with its table of them.

From the tables parameters are declared, checked and documented; those of the other nodes are in
bridge_parameters.py, http_parameters.py and source_parameters.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from i2t_ros import language as words
from i2t_ros.backends.base import MOST_CALLS, PRECISION_CHOICES, BackendOptions
from i2t_ros.backends.cores import usable_cores
from i2t_ros.errors import I2tError, InvalidRequestError
from i2t_ros.nodes.parameters.spec import NO_STRINGS, ParameterSpec, Value
from i2t_ros.nodes.parameters.tasks import TASK_PARAMETERS, task_options
from i2t_ros.pipeline.describer import DescribeOptions
from i2t_ros.pipeline.narrator import SpeechOptions
from i2t_ros.types import DetectOptions
from i2t_ros.vision.drawing import DrawOptions

_DESCRIBE = DescribeOptions()
_DETECT = DetectOptions()
_BACKEND = BackendOptions()
_SPEECH = SpeechOptions()
_DRAW = DrawOptions()

DETECTOR: tuple[ParameterSpec, ...] = (
    ParameterSpec(
        "model",
        "auto",
        "an entry of models.yaml, a path to a model file, or auto: the best that is at hand or "
        "can be downloaded, else the detectors built into OpenCV",
    ),
    ParameterSpec(
        "backend",
        "auto",
        "the engine that runs the model; auto: the server if server_url names one, else the first "
        "of the model's that is installed and starts",
    ),
    ParameterSpec(
        "threads",
        _BACKEND.threads,
        "cores that an engine on the CPU may keep busy: the threads of a call that is alone, and "
        "the calls at once; 0: chosen by the cores that affinity and quota leave to the process",
        bounds=(0, 256),
    ),
    ParameterSpec(
        "providers",
        NO_STRINGS,
        "execution providers of ONNX Runtime, best first: cpu, cuda, tensorrt, openvino; none: "
        "cuda if it is installed and starts, else cpu",
    ),
    ParameterSpec(
        "precision",
        _BACKEND.precision,
        "of the arithmetic of ONNX Runtime and OpenVINO; auto: exactly 32 bits, so that results "
        "are the same on every engine; what an engine, provider or device lacks is refused",
        choices=PRECISION_CHOICES,
    ),
    ParameterSpec(
        "device",
        _BACKEND.device,
        "the engine's own name of a device, such as GPU (OpenVINO) or 0 (cuda); none: its default",
    ),
    ParameterSpec(
        "server_url",
        _BACKEND.url,
        "of a Triton server that runs the model: http://host:8000 or grpc://host:8001",
    ),
    ParameterSpec(
        "server_timeout",
        _BACKEND.timeout,
        "seconds that a Triton server may take for one image",
        bounds=(0.01, 600.0),
    ),
    ParameterSpec("offline", False, "never download a model, use only what is on this machine"),
    ParameterSpec(
        "cameras",
        NO_STRINGS,
        "camera names, each with a topic <name>/image, or name=topic; none: one topic, image",
    ),
    ParameterSpec(
        "image_transport",
        "raw",
        "raw: sensor_msgs/Image; compressed: sensor_msgs/CompressedImage on <topic>/compressed",
        choices=("raw", "compressed"),
    ),
    ParameterSpec(
        "bridge",
        "bridge_node",
        "the bridge_node whose WebSocket cameras are this node's cameras too; none: no bridge",
    ),
    ParameterSpec(
        "min_score",
        _DETECT.min_score,
        "objects below this score are left out, 0 to 1; 0: the model's own threshold",
        bounds=(0.0, 1.0),
        changes="live",
    ),
    ParameterSpec(
        "iou_threshold",
        _DETECT.iou_threshold,
        "two boxes of one class that overlap by more are one object, 0 to 1; 0: the model's own",
        bounds=(0.0, 1.0),
        changes="live",
    ),
    ParameterSpec(
        "class_min_scores",
        NO_STRINGS,
        "scores for single classes in place of min_score, such as [person=0.6, chair=0.3]",
        changes="live",
    ),
    ParameterSpec(
        "allow_classes",
        NO_STRINGS,
        "only these classes, by the model's own names; none: all",
        changes="live",
    ),
    ParameterSpec(
        "deny_classes",
        NO_STRINGS,
        "not these classes, by the model's own names; wins over allow_classes",
        changes="live",
    ),
    ParameterSpec(
        "max_detections",
        _DETECT.max_detections,
        "the best so many objects of an image are kept",
        bounds=(1, 10_000),
        changes="live",
    ),
    *TASK_PARAMETERS,
    ParameterSpec(
        "language",
        _DESCRIBE.language,
        "language of the sentence, BCP 47, such as en or es",
        changes="live",
    ),
    ParameterSpec(
        "style",
        _DESCRIBE.style,
        "how the sentence is put",
        choices=tuple(words.STYLES),
        changes="live",
    ),
    ParameterSpec(
        "hedge", _DESCRIBE.hedge, "say 'probably' of what is seen with a low score", changes="live"
    ),
    ParameterSpec(
        "language_folder",
        "",
        "folder of data files of languages, or of labels, of your own; see docs/languages.md",
    ),
    ParameterSpec(
        "sentence_rate",
        _SPEECH.rate,
        "sentences a second at most on ~/sentence; 0: one for each image",
        bounds=(0.0, 1000.0),
        changes="live",
    ),
    ParameterSpec(
        "sentence_on_change",
        _SPEECH.on_change,
        "publish on ~/sentence only what differs from the sentence before",
        changes="live",
    ),
    ParameterSpec(
        "change_hold",
        _SPEECH.change_hold,
        "seconds for which a change has to last before the style changes tells it",
        bounds=(0.0, 3600.0),
        changes="live",
    ),
    ParameterSpec(
        "max_rate",
        0.0,
        "images a second of each camera that are worked on; 0: as many as can be",
        bounds=(0.0, 1000.0),
        changes="live",
    ),
    ParameterSpec(
        "tracking",
        False,
        "give objects numbers that stay with them (Detection2D.id) and count only those that have "
        "one; needs the package trackers",
    ),
    ParameterSpec("draw_labels", _DRAW.labels, "write the class beside each box", changes="live"),
    ParameterSpec("draw_scores", _DRAW.scores, "write the score beside each box", changes="live"),
    ParameterSpec(
        "draw_scale",
        _DRAW.scale,
        "size of lines and letters beside the one that fits the image",
        bounds=(0.1, 10.0),
        changes="live",
    ),
    ParameterSpec(
        "reliability",
        "auto",
        "of the image subscription; auto: reliable where every publisher is, else best effort",
        choices=("auto", "best_effort", "reliable"),
    ),
    ParameterSpec(
        "max_pixels",
        _DESCRIBE.max_pixels,
        "images of more pixels (width x height) are refused before they are decoded",
        bounds=(1, 1_000_000_000),
        changes="live",
    ),
    ParameterSpec(
        "jpeg_quality",
        _DESCRIBE.quality,
        "of annotated JPEG and WebP pictures, 1 to 100",
        bounds=(1, 100),
        changes="live",
    ),
    ParameterSpec(
        "request_threads",
        0,
        "Describe requests that are worked on at once; 0: as many as the process may use cores, "
        "from 2 to 8",
        bounds=(0, 64),
    ),
    ParameterSpec(
        "max_waiting_requests",
        64,
        "Describe requests that may wait; one more is refused as busy",
        bounds=(0, 10_000),
    ),
    ParameterSpec(
        "request_timeout",
        10.0,
        "a Describe request that has waited for more seconds is refused when its turn comes",
        bounds=(0.1, 3600.0),
    ),
    ParameterSpec(
        "autostart",
        True,
        "configure and activate at start; false: wait for transitions",
        changes="never",
    ),
)


def declare(node: Node, table: Iterable[ParameterSpec]) -> None:
    """Declare a table's parameters; raises InvalidRequestError for a bad override at start."""
    for spec in table:
        node.declare_parameter(spec.name, spec.default, spec.descriptor())
        spec.check(node.get_parameter(spec.name).value)


def values_of(node: Node, table: Iterable[ParameterSpec]) -> dict[str, Any]:
    """Return the values of a table's parameters by name."""
    return {spec.name: node.get_parameter(spec.name).value for spec in table}


def checked_changes(
    table: Iterable[ParameterSpec],
    changes: Iterable[Parameter],
    now: Mapping[str, Value],
    *,
    configured: bool,
) -> dict[str, Value]:
    """Return new values by name; raises InvalidRequestError for the first that is not allowed.

    A value that is the present one is always allowed: `ros2 param load` gives all of them.
    """
    specs = {spec.name: spec for spec in table}
    new = {
        change.name: change.value
        for change in changes
        if change.name in specs and change.value != now[change.name]
    }
    for name, value in new.items():
        if configured and specs[name].changes == "configure":
            raise InvalidRequestError(
                f"{name} is read when the node is configured; deactivate and clean up the node, "
                "set it, and configure it again"
            )
        specs[name].check(value)
    return new


def guard(
    node: Node,
    table: Iterable[ParameterSpec],
    configured: Callable[[], bool],
    take: Callable[[dict[str, Any]], None] = lambda values: None,
) -> None:
    """Have a node's changes checked together, and all of them taken or all refused.

    ``take`` is called with the values by name, old and new; what it raises refuses the change.
    """

    def check(changes: list[Parameter]) -> SetParametersResult:
        try:
            now = values_of(node, table)
            take(now | checked_changes(table, changes, now, configured=configured()))
        except I2tError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(check)


def describe_options(values: Mapping[str, Any]) -> DescribeOptions:
    """Return the describer's options; raises RequestError for names that do not exist."""
    return DescribeOptions(
        **task_options(values),
        language=values["language"],
        style=values["style"],
        hedge=values["hedge"],
        languages=languages_of(values),
        draw=DrawOptions(values["draw_labels"], values["draw_scores"], values["draw_scale"]),
        detect=DetectOptions(
            min_score=values["min_score"],
            class_min_scores=class_scores(values["class_min_scores"]),
            allow=frozenset(filter(None, values["allow_classes"])),
            deny=frozenset(filter(None, values["deny_classes"])),
            iou_threshold=values["iou_threshold"],
            max_detections=values["max_detections"],
        ),
        max_pixels=values["max_pixels"],
        quality=values["jpeg_quality"],
    )


def languages_of(values: Mapping[str, Any]) -> words.Languages:
    """Return the languages, those of the user's folder included; raises InvalidRequestError."""
    folder = values["language_folder"]
    languages = words.load_languages(Path(folder).expanduser() if folder else None)
    languages.get(values["language"])  # read here: the first image would wait 20 ms for it
    return languages


def speech_options(values: Mapping[str, Any]) -> SpeechOptions:
    """Return when a sentence is said."""
    return SpeechOptions(
        values["sentence_rate"], values["sentence_on_change"], values["change_hold"]
    )


def class_scores(entries: Iterable[str]) -> dict[str, float]:
    """Read entries such as "person=0.6"; raises InvalidRequestError."""
    scores = {}
    for entry in filter(None, entries):
        label, _, score = entry.rpartition("=")
        try:
            scores[label] = float(score)
        except ValueError:
            label = ""
        if not label or not 0 <= scores[label] <= 1:
            raise InvalidRequestError(
                f"class_min_scores: expected CLASS=SCORE with a score of 0 to 1, got {entry!r}"
            )
    return scores


def request_threads(values: Mapping[str, Any]) -> int:
    """Return how many requests are worked on at once.

    Of each, decoding, drawing and encoding are the work of one thread. With fewer than two the
    engine would wait for them, and so would a GPU with few.
    """
    cores: int = usable_cores().number
    return values["request_threads"] or min(max(cores, 2), MOST_CALLS)


def backend_options(values: Mapping[str, Any]) -> BackendOptions:
    """Return the engine's options."""
    return BackendOptions(
        threads=values["threads"],
        providers=tuple(name for name in values["providers"] if name),
        precision=values["precision"],
        device=values["device"],
        url=values["server_url"],
        timeout=values["server_timeout"],
    )
