"""Numbers of things, in words for people."""


def counted(number: int, noun: str) -> str:
    """Return "1 object", "2 objects": a number and a regular English noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
