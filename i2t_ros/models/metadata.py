"""What exporters write into a model's metadata: names of classes, task, size, family.

Ultralytics prints Python values (engine/exporter.py of https://github.com/ultralytics/ultralytics),
LibreYOLO writes JSON (export/exporter.py), RF-DETR one JSON object (export/_runtime/metadata.py).
"""

import ast
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_CLASSES = 100_000  # that metadata are believed to name
NAME_KEYS = ("names", "class_names", "classes", "labels")
RFDETR_KEY = "rfdetr_inference"
TASKS = {
    "detection": "detect",
    "object-detection": "detect",
    "object_detection": "detect",
    "segmentation": "segment",
    "keypoints": "pose",
    "classification": "classify",
}
"""Other words for Ultralytics' names of tasks."""


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself beside its inputs and outputs.

    names   of the classes, "" for a hole in the numbering; empty: it names none
    task    detect, segment, pose, obb, classify, or what else it says; "": nothing
    size    height and width of the input, if it says
    family  "rtdetr", "yolo", "rfdetr", or LibreYOLO's name of a family; "": it does not say
    libre   whether LibreYOLO exported it
    mean, std  per channel, of pixels from 0 to 255; None: it does not say
    """

    names: tuple[str, ...] = ()
    task: str = ""
    size: tuple[int, int] | None = None
    family: str = ""
    libre: bool = False
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


def read_metadata(metadata: Mapping[str, str]) -> About:
    """Return what the metadata of a model say; what cannot be read is left out."""
    own = parse_value(metadata.get(RFDETR_KEY, ""))
    if isinstance(own, dict):
        return _rfdetr(own)
    names = next(
        filter(None, (_names(parse_value(metadata.get(key, ""))) for key in NAME_KEYS)), ()
    )
    task = metadata.get("task", "").strip().strip("'\"").lower()
    sizes = parse_value(metadata.get("imgsz", ""))
    libre = metadata.get("model_family", "").lower()
    return About(
        names, TASKS.get(task, task), _size(sizes), libre or _family(metadata), bool(libre)
    )


def _rfdetr(own: dict[str, Any]) -> About:
    names = _names(own.get("class_id_to_name")) or _names(own.get("class_names"))
    task = str(own.get("task", ""))
    mean, std = (_per_channel(own.get(key)) for key in ("means", "stds"))
    return About(names, TASKS.get(task, task), None, "rfdetr", mean=mean, std=std)


def _per_channel(values: Any) -> tuple[float, ...] | None:
    """Return three numbers of pixels from 0 to 1 for pixels from 0 to 255; None: it is not so."""
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        red, green, blue = map(float, values)
        return 255 * red, 255 * green, 255 * blue
    return None


def _family(metadata: Mapping[str, str]) -> str:
    """Return what a description says, such as "Ultralytics YOLO11n model trained on ..."."""
    told = (value for key, value in metadata.items() if key not in (*NAME_KEYS, "docs", "license"))
    said = " ".join(told).lower().replace("-", "").replace("_", "")
    return next((family for family in ("rtdetr", "yolo") if family in said), "")


def _size(value: Any) -> tuple[int, int] | None:
    sides = value if isinstance(value, list | tuple) else [value, value]
    if len(sides) == 2 and all(isinstance(side, int) and 0 < side < 10_000 for side in sides):
        return sides[0], sides[1]
    return None


def _names(value: Any) -> tuple[str, ...]:
    """Return the names in a list, or in a mapping of numbers, which may be texts, to names."""
    if isinstance(value, dict):
        numbered = {int(key): name for key, name in value.items() if _is_number(key)}
        count = min(max(numbered, default=-1) + 1, MOST_CLASSES)
        value = [numbered.get(i, "") for i in range(count)]
    return tuple(map(_name, value)) if isinstance(value, list | tuple) else ()


def _is_number(key: Any) -> bool:
    return len(text := str(key)) <= len(str(MOST_CLASSES)) and text.isdecimal()


def _name(item: Any) -> str:
    """Return a class's name, which may be in a mapping of more about it; "" if it has none."""
    named = item.get("name") if isinstance(item, dict) else item
    return "" if named is None else " ".join(str(named).split())


def parse_value(text: str) -> Any:
    """Return a value that was written as Python prints it or as JSON; None if it is neither."""
    for read in (ast.literal_eval, json.loads):
        # TypeError: a list as the key of a mapping.
        with contextlib.suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return read(text.strip())
    return None
