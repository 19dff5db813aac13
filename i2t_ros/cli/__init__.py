"""The subcommands of `i2t`: each module adds its parser and runs it."""
