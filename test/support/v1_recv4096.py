"""A version 1 client as system A's users wrote theirs: the reply header is one recv(4096).

python v1_recv4096.py PORT PICTURE SENTENCE TIMES: prints how many replies were whole, how many had
picture bytes glued to the header, and of how many nothing can be said: this program stands for a
machine of its own, and where the machine that it shares with the server and everything else left
it without a processor for as long as the server's pause, it could not have read the header alone.
"""

import json
import socket
import sys

SEPARATOR = "<SEP>"
BUFFER_SIZE = 4096

port, path, expected, times = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
with open(path, "rb") as f:
    picture = f.read()
counts = {"whole": 0, "glued": 0, "starved": 0}
PAUSE = 0.015  # seconds; a little less than the server's


def starved():
    """Seconds for which this process has been ready to run, and did not (Linux, sched-stats)."""
    with open("/proc/self/schedstat") as stat:
        return int(stat.read().split()[1]) / 1e9


for _ in range(times):
    s = socket.socket()  # without a time limit, as ever: what runs this ends it if need be
    s.connect(("127.0.0.1", port))
    s.send(f".jpg{SEPARATOR}{len(picture)}".encode())
    for start in range(0, len(picture), BUFFER_SIZE):
        s.sendall(picture[start : start + BUFFER_SIZE])

    before = starved()
    received = s.recv(BUFFER_SIZE).decode(errors="replace")
    late = starved() - before > PAUSE
    ok, size, sentence = received.split(SEPARATOR)
    assert ok == "True", received
    if sentence != expected:
        counts["starved" if late else "glued"] += 1
        s.close()
        continue
    returned = b""
    while len(returned) < int(size):
        bytes_read = s.recv(BUFFER_SIZE)
        if not bytes_read:
            break
        returned += bytes_read
    s.close()
    counts["whole"] += returned == picture

json.dump(counts, sys.stdout)
