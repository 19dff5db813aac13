"""Runs a node as a process: start, spinning, signals, logs, end."""
