"""Sentences as sound: a speaker decides what is said next, an engine makes the sound."""
