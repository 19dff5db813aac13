"""Makes messages of any type that are valid for ROS and make little sense, from a seeded random."""

import importlib
import math
import random
import re

from rclpy.serialization import serialize_message

FLOATS = (0.0, 0.5, -1.0, 1e38, math.nan, math.inf, -math.inf)
RANGES = {
    f"{sign}int{bits}": (0 if sign else -(2 ** (bits - 1)), 2 ** (bits if sign else bits - 1) - 1)
    for bits in (8, 16, 32, 64)
    for sign in ("", "u")
}
TEXTS = ("", " ", "x" * 3000, "\n", "\ufffd", "%s{}", "../..", "/", "'; --", "nan", "999999999999")
IMPLICIT = {
    "SendGoal": "SendGoalService",
    "GetResult": "GetResultService",
    "FeedbackMessage": "FeedbackMessage",
}
"""What every action has, as its type's name has it, and as Python has it."""


def type_of(name):
    """Return the class of "package/msg/Type" or "package/srv/Type".

    Names with "_" are parts of an action: "package/action/Type_SendGoal", "package/msg/Type_Goal".
    """
    package, kind, name = name.split("/")
    if "_" not in name:
        return getattr(importlib.import_module(f"{package}.{kind}"), name)
    action, part = name.split("_")
    whole = getattr(importlib.import_module(f"{package}.action"), action)
    return getattr(whole.Impl, IMPLICIT[part]) if part in IMPLICIT else getattr(whole, part)


def is_message(value):
    return hasattr(value, "get_fields_and_field_types")


class OddMessages:
    """Makes messages; ``words`` are texts that mean something to the node that gets them."""

    def __init__(self, seed, words):
        self.random = random.Random(seed)
        self._texts = [*TEXTS, *words]

    def make(self, kind):
        """Return a message of a class."""
        msg = kind()
        for name, type_name in kind.get_fields_and_field_types().items():
            setattr(msg, name, self._value(type_name))
        return msg

    def spoil(self, msg):
        """Give one field of a message, or of a message in it, another value."""
        name, type_name = self.random.choice([*msg.get_fields_and_field_types().items()])
        value = getattr(msg, name)
        inside = [one for one in (value if isinstance(value, list) else [value]) if is_message(one)]
        if inside and self.random.random() < 0.8:
            self.spoil(self.random.choice(inside))
        else:
            setattr(msg, name, self._value(type_name))

    def garbled(self, msg):
        """Return a message as bytes of which a few are wrong or missing."""
        data = bytearray(serialize_message(msg))
        for _ in range(self.random.randint(1, 8)):
            data[self.random.randrange(4, len(data))] = self.random.choice((0, 1, 0x7F, 0x80, 0xFF))
        cut = self.random.random() < 0.3
        return bytes(data[: self.random.randint(4, len(data))] if cut else data)

    def _value(self, name):
        choose = self.random.choice
        if array := re.fullmatch(r"sequence<(.+?)(?:, (\d+))?>|(.+)\[(\d+)\]", name):
            element, length = array[1] or array[3], choose((0, 1, 1, 2, 3))
            length = int(array[4]) if array[4] else min(length, int(array[2] or length))
            if element in ("uint8", "octet") and not array[4]:
                length = choose((0, 1, 7, 48, 3000))
            return [self._value(element) for _ in range(length)]
        if "/" in name:
            return self.make(type_of(name.replace("/", "/msg/")))
        if name in RANGES:
            low, high = RANGES[name]
            return choose((low, high, 0, 1, 2, self.random.randint(low, min(high, 300))))
        simple = {
            "boolean": (True, False),
            "octet": (b"\0", b"\xff"),
            "string": self._texts,
            "float": FLOATS,
            "double": (*FLOATS, 1e300),
        }
        return choose(simple[name])
