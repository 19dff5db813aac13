"""The subcommands of `i2t`: each module adds its parser and runs it."""


def comma_list(text: str) -> list[str]:
    """Return the parts of a flag's value that commas separate."""
    return [part for part in map(str.strip, text.split(",")) if part]
