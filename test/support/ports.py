"""Ports for servers that cannot choose one themselves."""

import contextlib
import random
import socket


def free_port():
    """Return a port of the loopback for a server that may be seconds away from taking it.

    Not one that the kernel chooses (port 0): it may choose the same for others meanwhile.
    """
    for port in random.sample(range(10_000, 30_000), 100):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port of a hundred is free")
