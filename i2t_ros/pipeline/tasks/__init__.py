"""The tasks beside detection: what each finds in one image. All load their backends lazily."""
