"""Seconds as messages, and back."""

from builtin_interfaces.msg import Duration


def duration_to_msg(seconds: float) -> Duration:
    """Return a duration."""
    whole, nanoseconds = divmod(round(seconds * 1e9), 10**9)
    return Duration(sec=whole, nanosec=nanoseconds)


def seconds_of(msg: Duration) -> float:
    """Return the seconds of a duration."""
    return float(msg.sec + msg.nanosec / 1e9)
