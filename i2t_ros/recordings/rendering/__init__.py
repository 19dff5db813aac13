"""Annotated recordings: what was found, drawn on the images or beside them."""
