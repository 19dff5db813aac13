"""A version 1 client that hands header and picture to the kernel in one call.

python v1_one_segment.py PORT PICTURE EXTENSION: prints the reply as JSON.
"""

import io
import json
import sys
from pathlib import Path
from socket import MSG_WAITALL, socket


def exchange(port: int, request: bytes) -> bytes:
    """Send everything, take the header's three parts one byte at a time, then the picture."""
    with socket() as s:
        s.connect(("localhost", port))
        assert s.send(request) == len(request), "a request of one segment, please"
        reply = io.BytesIO()
        separators = 0
        while separators < 2:
            reply.write(s.recv(1))
            separators = reply.getvalue().count(b"<SEP>")
        size = int(reply.getvalue().split(b"<SEP>")[1])
        tail = bytearray()
        while more := s.recv(1 << 16, MSG_WAITALL):
            tail.extend(more)
        return json.dumps(
            [
                reply.getvalue().split(b"<SEP>")[0].decode(),
                tail[: len(tail) - size].decode(),
                bytes(tail[len(tail) - size :]) == request[-size:] if size else False,
            ]
        ).encode()


if __name__ == "__main__":
    picture = Path(sys.argv[2]).read_bytes()
    header = f"{sys.argv[3]}<SEP>{len(picture)}".encode("ascii")
    sys.stdout.buffer.write(exchange(int(sys.argv[1]), header + picture))
