"""The routes of the HTTP listener: one module for each kind of question."""
