"""One parameter of a node: its default, what it may be, and when it may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

from i2t_ros.errors import InvalidRequestError

NO_STRINGS = [""]
"""An empty list of strings: ROS cannot tell the type of one without elements."""

Changes = Literal["live", "configure", "never"]

Value = bool | int | float | str | list[str]


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One parameter.

    name     as ROS knows it
    default  also says the type
    text     what it does, with its unit
    bounds   smallest and largest number, both allowed
    choices  the only strings allowed
    changes  when a new value is taken: at once, when the node is configured again, or never
    """

    name: str
    default: Value
    text: str
    bounds: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    changes: Changes = "configure"

    @property
    def shown(self) -> str:
        """The default, for people."""
        return "none" if self.default in ("", NO_STRINGS) else str(self.default)

    def check(self, value: Value) -> None:
        """Raise InvalidRequestError for a value outside the choices or bounds."""
        if self.choices and value not in self.choices:
            raise InvalidRequestError(
                f"{self.name}: expected one of {', '.join(self.choices)}, got {value!r}"
            )
        if self.bounds and not self.bounds[0] <= float(value) <= self.bounds[1]:  # type: ignore[arg-type]
            low, high = self.bounds
            raise InvalidRequestError(f"{self.name}: expected {low:g} to {high:g}, got {value!r}")

    def descriptor(self) -> ParameterDescriptor:
        """Return what ``ros2 param describe`` shows."""
        descriptor = ParameterDescriptor(description=self.text, read_only=self.changes == "never")
        if self.choices:
            descriptor.additional_constraints = "one of: " + ", ".join(self.choices)
        if self.bounds and isinstance(self.default, float):
            low, high = self.bounds
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        elif self.bounds:
            low, high = (int(bound) for bound in self.bounds)
            descriptor.integer_range = [IntegerRange(from_value=low, to_value=high, step=1)]
        return descriptor
