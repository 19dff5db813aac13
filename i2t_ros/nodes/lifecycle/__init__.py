"""What makes a process of a node: start, spin, signals, logs, end."""
