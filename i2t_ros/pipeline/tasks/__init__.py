"""The tasks: what each finds in one image."""
