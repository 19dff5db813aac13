"""Ports for servers that cannot choose one themselves."""

import contextlib
import random
import socket


def free_port():
    """Return a port of the loopback for a server that may be seconds away from taking it.

    It is none of those that the kernel gives away meanwhile, as one that it gave for port 0 is.
    """
    for port in random.sample(range(10_000, 30_000), 100):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port of a hundred is free")
